"""What a failed HTTP exchange with a provider means to the one who asked."""

import re
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from providers.errors import (
    NotSupported,
    OutcomeUnknown,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    RequestRejected,
)

_UNCHANGED = "Nothing was changed or charged."


@dataclass(frozen=True)
class Attempt:
    """One thing asked of a provider; `what` finishes the sentence "Twilio was asked to …"."""

    provider: str
    what: str
    writing: bool = False

    def rejected(self, why: str, *, code: str | None = None) -> RequestRejected:
        """Return the error for a refusal; *why* says the reason and what to do about it."""
        return RequestRejected(self._sentence(f"{self.provider} refused to {self.what}: {why}"), code=code)

    def unavailable(
        self, why: str, *, code: str | None = None, retry_after: float | None = None
    ) -> ProviderUnavailable:
        """Return the error for something that surely was not done, though it may be done later."""
        message = self._sentence(f"{self.provider} could not {self.what}: {why}") + " Try again in a moment."
        return ProviderUnavailable(message, code=code, retry_after=retry_after)

    def lost(self, why: str, *, code: str | None = None) -> ProviderError:
        """Return the error for an exchange without a clear end, which is worse for a change than for a read."""
        if not self.writing:
            return self.unavailable(why, code=code)
        return OutcomeUnknown(
            f"{self.provider} was asked to {self.what}, but {why}. It may have happened and may have been charged. "
            "Check the account before trying again.",
            code=code,
        )

    def broken(self, exc: requests.RequestException) -> ProviderError:
        """Return the error for a connection that failed."""
        if _never_sent(exc):
            return self.unavailable("no connection could be made.")
        return self.lost("no answer came in time" if isinstance(exc, requests.Timeout) else "the connection broke")

    def answered(
        self, status: int, why: str, *, code: str | None = None, retry_after: float | None = None
    ) -> ProviderError:
        """Return the error for an answer with an HTTP *status* other than success."""
        if status == 429:
            return self.unavailable("it is handling too many requests.", code=code, retry_after=retry_after)
        if status == 405:
            return NotSupported(self._sentence(f"{self.provider} has no way to {self.what}."), code=code)
        if status == 408 or not 400 <= status < 500:
            return self.lost(f"it returned an internal error (HTTP {status})", code=code)
        return self.rejected(why, code=code)

    def _sentence(self, text: str) -> str:
        ended = text if text.endswith(".") else f"{text}."
        return f"{ended} {_UNCHANGED}" if self.writing else ended


def _never_sent(exc: requests.RequestException) -> bool:
    """Return whether the request surely did not leave: only then is a change known not to have happened."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    reason = getattr(exc.args[0] if exc.args else None, "reason", None)
    if isinstance(reason, urllib3.exceptions.SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError)


def retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After *header*; None for an absent one or a date."""
    return float(header) if header and re.fullmatch(r"\d{1,6}(\.\d+)?", header.strip()) else None


def sandbox_root(base_url: str) -> str:
    """Return *base_url* without its trailing slash; raises ProviderMisconfigured if it is no HTTP address."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ProviderMisconfigured(f"The sandbox address {base_url!r} does not start with http:// or https://.")
    return base_url.rstrip("/")
