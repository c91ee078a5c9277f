"""Exotel (India, Singapore): ExoPhones, whose webhooks can be read and set."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Unpack
from urllib.parse import quote

import phonenumbers
import requests

from providers.base import Field, Provider
from providers.errors import NotThere, ProviderError, RequestRejected
from providers.records import Feature, OwnedNumber, WebhookChanges, Webhooks
from providers.transport import Attempt, answer, sandbox_root

_GONE = 404
_PARAMETERS = {"voice_url": "VoiceUrl", "sms_url": "SMSUrl"}
_REQUEST_ID = "X-Request-Id"
_UNREADABLE = (AttributeError, KeyError, TypeError, phonenumbers.NumberParseException, requests.JSONDecodeError)


class Exotel(Provider):
    """Exotel. A number's SID is its ExoPhone SID."""

    key = "exotel"
    name = "Exotel"
    credential_fields = (
        Field("account_sid", "Account SID"),
        Field("api_key", "API key"),
        Field("api_token", "API token", secret=True),
        Field(
            "subdomain",
            "API subdomain",
            pattern=r"api(\.in)?\.exotel\.com",
            problem="The subdomain is api.exotel.com (Singapore) or api.in.exotel.com (Mumbai).",
            placeholder="api.exotel.com",
        ),
    )
    number_fields = (
        Field(
            "exophone_sid",
            "ExoPhone SID",
            help="The number's SID in Exotel's dashboard. It lets Numberdesk read and set the webhooks.",
            required=False,
        ),
    )
    default_country = "IN"
    keeps_status_callback = False
    limits = "ExoPhones are bought and released in Exotel's dashboard; Numberdesk manages their webhooks."

    # countries, search, prices, buy, release: ExoPhones are ordered with papers, in the dashboard.
    # owned_page: the list of ExoPhones is a beta whose paging is not documented.
    # addresses, bundles, calls, account: no such resource is documented.

    def __init__(self, credentials: Mapping[str, str], *, base_url: str | None, timeout: float) -> None:
        root = f"{sandbox_root(base_url)}/exotel" if base_url else f"https://{credentials['subdomain']}"
        self._numbers = f"{root}/v2_beta/Accounts/{quote(credentials['account_sid'], safe='')}/IncomingPhoneNumbers"
        self._auth = (credentials["api_key"], credentials["api_token"])
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = base_url is None  # a proxy for the outer world is not meant for a sandbox

    def find_owned_sid(self, sid: str) -> OwnedNumber | None:
        try:
            return self._number(f"show the ExoPhone {sid}", "GET", sid)
        except NotThere:
            return None

    def webhooks(self, sid: str) -> Webhooks:
        return self._number(f"show the webhooks of {sid}", "GET", sid).webhooks

    def set_webhooks(self, sid: str, **changes: Unpack[WebhookChanges]) -> OwnedNumber:
        if "status_callback" in changes:
            raise RequestRejected("Exotel keeps the status callback in the call flow, not with the number.")
        if unknown := [name.replace("_", " ") for name in changes if name not in _PARAMETERS]:
            raise RequestRejected(f"Exotel keeps no {', '.join(unknown)} with a number.")
        form = {_PARAMETERS[name]: str(value) for name, value in changes.items()}
        return self._number(f"set the webhooks of {sid}", "PUT", sid, form)

    def _number(self, what: str, method: str, sid: str, form: Mapping[str, str] | None = None) -> OwnedNumber:
        attempt = Attempt(Exotel.name, what, writing=method != "GET")
        with _translated(attempt):
            response = self._session.request(
                method,
                f"{self._numbers}/{quote(sid, safe='')}",
                auth=self._auth,
                data=form,
                timeout=self._timeout,
                allow_redirects=False,
            )
            if response.status_code == 200:
                number = _owned(response.json())
                if number.sid == sid:
                    return number
                raise attempt.lost(f"it answered about {number.sid}")
        raise _refused(response, attempt)


@contextmanager
def _translated(attempt: Attempt) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as exc:
        raise attempt.lost("its answer could not be read") from exc
    except requests.RequestException as exc:
        raise attempt.broken(exc) from exc


def _refused(response: requests.Response, attempt: Attempt) -> ProviderError:
    reasons = {
        401: "it does not accept the API key and token. Correct the credentials of this connection",
        403: "the API key may not do this. Check its rights in Exotel's dashboard",
        _GONE: "the account has no such ExoPhone. Check the SID and the account",
    }
    status = response.status_code
    why = reasons.get(status, f"it gave no reason (HTTP {status})")
    refusal = answer(status, str(status), response.headers, response.text, request_id=_REQUEST_ID)
    return attempt.answered(why, refusal, is_gone=status == _GONE)


def _owned(body: Mapping[str, Any]) -> OwnedNumber:
    capabilities: Mapping[str, bool] = body.get("capabilities") or {}
    name = body.get("friendly_name") or ""
    # Its documents show E.164, and accounts have the national form too; the name is the national one at first.
    e164 = _e164(body["phone_number"], body)
    return OwnedNumber(
        sid=body["sid"],
        e164=e164,
        label=name,
        type=None,
        features=frozenset(feature for feature in Feature if capabilities.get(feature.value)),
        webhooks=Webhooks(voice_url=body.get("voice_url") or "", sms_url=body.get("sms_url") or ""),
        is_named=not _is_number(name, e164, body),
    )


def _e164(text: str, body: Mapping[str, Any]) -> str:
    number = phonenumbers.parse(text, body.get("country") or Exotel.default_country)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_number(name: str, e164: str, body: Mapping[str, Any]) -> bool:
    """Return whether a *name* is nothing or the whole number, in a form that numbers are written in."""
    if not re.fullmatch(r"[+\d\s().-]*", name):
        return False
    try:
        return not name or _e164(name, body) == e164
    except phonenumbers.NumberParseException:
        return False
