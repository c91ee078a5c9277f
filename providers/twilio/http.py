"""Twilio's HTTP client: it reaches the three known hosts and nothing else."""

import json
from typing import Any
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

from providers.errors import ProviderMisconfigured
from providers.transport import answer, sandbox_root

NOT_FOUND = "20404"
_CODES_BY_STATUS = {401: "20003", 404: NOT_FOUND}
"""The code that is meant where a body without one came with the status."""

_DOMAINS = ("api", "pricing", "numbers")


class Refusal(TwilioException):  # type: ignore[misc]  # twilio has no types
    """An answer other than success.

    The client has four shapes for it, and drops the headers in three; raising before it looks makes one.
    """

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status_code}")
        try:
            body = json.loads(response.text)
        except ValueError:  # a gateway's page rather than Twilio's own answer
            body = None
        fields = body if isinstance(body, dict) else {}
        code = fields.get("code") or _CODES_BY_STATUS.get(response.status_code)
        self.answer = answer(
            response.status_code,
            None if code is None else str(code),
            response.headers,
            response.text,
            request_id="Twilio-Request-Id",
        )
        self.is_gone = response.status_code == 404
        # RFC 9457 problem documents say `detail` and `title` where the older bodies say `message`.
        self.message = str(fields.get("message") or fields.get("detail") or fields.get("title") or "").strip()


class MappedHttpClient(TwilioHttpClient):  # type: ignore[misc]  # twilio has no types
    """Sends each Twilio host to its address and any other host nowhere.

    A next-page link is followed as it was answered, so a host outside the map would be sent the credentials.
    """

    def __init__(self, base_url: str | None, timeout: float) -> None:
        super().__init__(timeout=timeout)
        hosts = {domain: f"{domain}.twilio.com" for domain in _DOMAINS}
        if base_url is None:
            self._bases = {host: f"https://{host}" for host in hosts.values()}
        else:
            root = sandbox_root(base_url)
            self._bases = {host: f"{root}/{domain}" for domain, host in hosts.items()}
            self.session.trust_env = False  # a proxy for the outer world is not meant for a sandbox

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        response = super().request(method, self._mapped(url), *args, **kwargs)
        if not 200 <= response.status_code < 300:
            raise Refusal(response)
        return response

    def _mapped(self, url: str) -> str:
        parts = urlsplit(url)
        base = self._bases.get(parts.netloc) if parts.scheme == "https" else None
        if base is None:
            raise ProviderMisconfigured(f"No address is known for {parts.scheme}://{parts.netloc}; nothing was sent.")
        return base + url.removeprefix(f"https://{parts.netloc}")
