"""Translates failed HTTP exchanges with a provider into errors."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from providers.errors import (
    Answer,
    NotSupported,
    NotThere,
    OutcomeUnknown,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    RequestRejected,
)

_UNCHANGED = "Nothing was changed or charged."
_BODY_KEPT = 300


@dataclass(frozen=True)
class Attempt:
    """One request to a provider; `what` completes the sentence "Twilio was asked to …"."""

    provider: str
    what: str
    writing: bool = False

    def rejected(self, why: str, answer: Answer | None = None) -> RequestRejected:
        """Return the error for a refusal; *why* says the reason and what to do about it."""
        return RequestRejected(self._refusal(why), answer)

    def unavailable(self, why: str, answer: Answer | None = None) -> ProviderUnavailable:
        """Return the error for a request that was certainly not processed and may be retried."""
        message = self._sentence(f"{self.provider} could not {self.what}: {why}") + " Try again in a moment."
        return ProviderUnavailable(message, answer)

    def lost(self, why: str, answer: Answer | None = None) -> ProviderError:
        """Return the error for an exchange without a clear outcome, which is worse for a change than for a read."""
        if not self.writing:
            return self.unavailable(why, answer)
        return OutcomeUnknown(
            f"{self.provider} was asked to {self.what}, but {why}. It may have happened and may have been charged. "
            "Check the account before trying again.",
            answer,
        )

    def broken(self, exc: requests.RequestException) -> ProviderError:
        """Return the error for a connection that failed."""
        if _never_sent(exc):
            return self.unavailable("no connection could be made.")
        return self.lost("no answer came in time" if isinstance(exc, requests.Timeout) else "the connection broke")

    def answered(self, why: str, answer: Answer, *, is_gone: bool) -> ProviderError:
        """Return the error for an *answer* other than success; *is_gone* when it says that there is no such thing."""
        status = answer.status or 0
        if status == 429:
            return self.unavailable("it is handling too many requests.", answer)
        if status == 405:
            return NotSupported(self._sentence(f"{self.provider} has no way to {self.what}."), answer)
        if status == 408 or not 400 <= status < 500:
            return self.lost(f"it returned an internal error (HTTP {status})", answer)
        return NotThere(self._refusal(why), answer) if is_gone else self.rejected(why, answer)

    def _refusal(self, why: str) -> str:
        return self._sentence(f"{self.provider} refused to {self.what}: {why}")

    def _sentence(self, text: str) -> str:
        ended = text if text.endswith(".") else f"{text}."
        return f"{ended} {_UNCHANGED}" if self.writing else ended


def _never_sent(exc: requests.RequestException) -> bool:
    """Return whether the request was certainly not sent: only then did a change certainly not happen."""
    if isinstance(exc, requests.ConnectTimeout):
        return True
    reason = getattr(exc.args[0] if exc.args else None, "reason", None)
    if isinstance(reason, urllib3.exceptions.SSLError):
        return bool(reason.args) and isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ProxyError)


def answer(status: int, code: str | None, headers: Mapping[str, str], body: str, *, request_id: str) -> Answer:
    """Return an answer other than success as errors keep it. The header *request_id* names the exchange."""
    return Answer(status, code, headers.get(request_id), body[:_BODY_KEPT], _retry_after(headers.get("Retry-After")))


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After *header*; None for an absent one or a date."""
    return float(header) if header and re.fullmatch(r"\d{1,6}(\.\d+)?", header.strip()) else None


def sandbox_root(base_url: str) -> str:
    """Return *base_url* without its trailing slash; raises ProviderMisconfigured if it is no HTTP address."""
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ProviderMisconfigured(f"The sandbox address {base_url!r} does not start with http:// or https://.")
    return base_url.rstrip("/")
