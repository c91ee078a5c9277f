"""Twilio: numbers that are searched, bought, imported and released through its API."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Unpack

import requests
from twilio.base.api_response import ApiResponse
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from providers.base import CredentialProblem, Provider
from providers.errors import NotThere, ProviderError, RequestRejected
from providers.records import (
    MAX_PAGE_SIZE,
    MAX_SEARCH_ROWS,
    Account,
    AccountStatus,
    Address,
    AvailableNumber,
    Bundle,
    CallRecord,
    Country,
    NumberSearch,
    NumberType,
    OwnedNumber,
    Page,
    Prices,
    PurchaseOptions,
    Regulation,
    WebhookChanges,
    Webhooks,
)
from providers.transport import Attempt
from providers.twilio import credentials as signing_in
from providers.twilio import records
from providers.twilio.http import NOT_FOUND, MappedHttpClient, Refusal

_UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)
"""What reading raises where an answer is JSON, but of another shape than is documented."""

_LABEL_LENGTH = 64  # what Twilio's friendly_name holds; our own record keeps the whole label

_REFUSED = "20003"
_REASONS = {
    _REFUSED: "it does not accept the Account SID and auth token. Correct the credentials of this connection",
    "20005": "the account is not active. Resolve this with Twilio first",
    NOT_FOUND: "the account has no such number. Refresh, and check that this is the right account",
    "21404": "a trial account may not do this. Upgrade the account at Twilio",
    "21421": "this is not a number that can be bought. Check the number",
    "21422": "the number is no longer for sale: someone else has it. Search again and choose another",
    "21451": "the area code does not exist. Use the three digits of an area code in the US or Canada",
    "21452": "there are no numbers left in this area code. Try another one",
    "21631": "this number requires a regulatory address. Choose a suitable address of the account",
    "21649": "this number requires regulatory documents. Choose an approved bundle for its country and type",
}
"""Why and what next, by Twilio's code. Its texts are not to be matched: 21649 alone has two wordings."""

_BUNDLE_TYPES = frozenset({NumberType.LOCAL, NumberType.MOBILE, NumberType.NATIONAL, NumberType.TOLL_FREE})
_OF_KEY = "it does not accept the API key for the Account SID. Correct the credentials of this connection"
_CONTAINS = re.compile(r"(?=.{2,16}$)\+?[0-9A-Za-z*%]+\$?")


class Twilio(Provider):
    """Twilio, over its own client."""

    key = "twilio"
    name = "Twilio"
    credential_fields = signing_in.FIELDS
    routes_calls = True
    buy_back_days = 10  # as of 2026-11
    longest_call = timedelta(hours=24)  # Twilio ends every call by then, as of 2026-11

    @classmethod
    def problem_with(cls, credentials: Mapping[str, str]) -> CredentialProblem | None:
        return signing_in.problem_with(credentials)

    def __init__(self, credentials: Mapping[str, str], *, base_url: str | None, timeout: float) -> None:
        account_sid, self._key = credentials["account_sid"], credentials.get("api_key_sid")
        name, secret = (
            (self._key, credentials["api_key_secret"]) if self._key else (account_sid, credentials["auth_token"])
        )
        # Without an environment of its own the client would take a region from the process's.
        self._client = Client(
            name,
            secret,
            account_sid,
            http_client=MappedHttpClient(base_url, timeout),
            environment={"TWILIO_REGION": ""},
        )

    def account(self) -> Account:
        try:
            with self._asking("show the account"):
                record = self._client.api.v2010.accounts(self._client.account_sid).fetch()
                return Account(
                    sid=records.text(record.sid),
                    name=record.friendly_name or "",
                    status=AccountStatus(record.status),
                    trial=record.type == "Trial",
                )
        except RequestRejected as exc:
            if not self._key or exc.code != _REFUSED:
                raise
        # A standard key may not look at the account itself, and may at what it holds, while it is active.
        self.owned_page(page_size=1)
        return Account(sid=self._client.account_sid, name="", status=AccountStatus.ACTIVE, trial=False)

    def countries(self) -> tuple[Country, ...]:
        with self._asking("list the countries"):
            found = self._client.available_phone_numbers.list(page_size=MAX_PAGE_SIZE)
            by_name = sorted(found, key=lambda record: record.country or record.country_code)
            return tuple(records.country(record) for record in by_name)

    def search(self, query: NumberSearch) -> tuple[AvailableNumber, ...]:
        asked = _attempt(f"search for {query.type.value.replace('_', ' ')} numbers in {query.country}")
        if query.area_code and query.country not in ("US", "CA"):
            raise asked.rejected("area codes exist only in the US and Canada. Enter a part of the number instead")
        if query.contains and not _CONTAINS.fullmatch(query.contains):
            raise asked.rejected(
                "a part of a number has 2 to 16 characters: digits, letters, * or %, with + only first and $ only last"
            )
        with self._asking(asked.what, missing="it sells none of that type there. Choose another type or country"):
            stock = getattr(self._client.available_phone_numbers(query.country), query.type.value)
            found = stock.page(
                area_code=query.area_code or None,
                contains=query.contains or None,
                page_size=MAX_SEARCH_ROWS,
            )
            return tuple(records.available(record, query.type) for record in islice(found, MAX_SEARCH_ROWS))

    def prices(self, country: str) -> Prices:
        with self._asking(f"show the prices of {country}", missing="it sells no numbers there. Choose another country"):
            record = self._client.pricing.v1.phone_numbers.countries(country).fetch()
            priced = [
                (records.known(NumberType, row.get("number_type")), row) for row in record.phone_number_prices or ()
            ]
            monthly = {type: records.money(row.get("current_price")) for type, row in priced if type is not None}
            return Prices(
                currency=records.text(record.price_unit).upper(),
                monthly={type: price for type, price in monthly.items() if price is not None},
            )

    def owned_page(
        self, *, matching: str = "", page_size: int = MAX_PAGE_SIZE, token: str | None = None
    ) -> Page[OwnedNumber]:
        numbers = self._client.incoming_phone_numbers
        with self._asking("list the account's numbers"):
            # The token is the address that Twilio gave for the next page; a foreign host in it is refused.
            page = (
                numbers.get_page(token) if token else numbers.page(phone_number=matching or None, page_size=page_size)
            )
            return Page(tuple(records.owned(record) for record in page), page.next_page_url)

    def find_owned_sid(self, sid: str) -> OwnedNumber | None:
        try:
            with self._asking(f"show the number {sid}"):
                return _of(sid, records.owned(self._client.incoming_phone_numbers(sid).fetch()))
        except NotThere:
            return None

    def buy(self, e164: str, **options: Unpack[PurchaseOptions]) -> OwnedNumber:
        voice_url, status_callback = options.get("voice_url"), options.get("status_callback")
        with self._asking(f"buy {e164}", writing=True):
            # Never by area code: only a purchase of one exact number can be repeated without a second charge.
            answer = self._client.incoming_phone_numbers.create_with_http_info(
                phone_number=e164,
                friendly_name=options.get("label", "")[:_LABEL_LENGTH] or None,
                voice_url=voice_url or None,
                voice_method="POST" if voice_url else None,
                status_callback=status_callback or None,
                status_callback_method="POST" if status_callback else None,
                address_sid=options.get("address_sid"),
                bundle_sid=options.get("bundle_sid"),
            )
            bought = records.owned(_documented(answer, 201))
            if bought.e164 != e164:
                raise ValueError(f"asked for {e164}, answered with {bought.e164}")
            return bought

    def webhooks(self, sid: str) -> Webhooks:
        with self._asking(f"show the webhooks of {sid}"):
            return _of(sid, records.owned(self._client.incoming_phone_numbers(sid).fetch())).webhooks

    def set_webhooks(self, sid: str, **changes: Unpack[WebhookChanges]) -> OwnedNumber:
        # Setting one of these clears the other, so the other must not be cleared beside it.
        if changes.get("voice_application_sid"):
            changes.pop("trunk_sid", None)
        elif changes.get("trunk_sid"):
            changes.pop("voice_application_sid", None)
        with self._asking(f"set the webhooks of {sid}", writing=True):
            answer = self._client.incoming_phone_numbers(sid).update_with_http_info(**changes)
            return _of(sid, records.owned(_documented(answer, 200)))

    def set_label(self, sid: str, label: str) -> OwnedNumber:
        with self._asking(f"set the label of {sid}", writing=True):
            answer = self._client.incoming_phone_numbers(sid).update_with_http_info(friendly_name=label[:_LABEL_LENGTH])
            return _of(sid, records.owned(_documented(answer, 200)))

    def release(self, sid: str) -> None:
        with self._asking(f"release {sid}", writing=True):
            # The client takes any answer from 200 to 299 for a success.
            _documented(self._client.incoming_phone_numbers(sid).delete_with_http_info(), 204)

    def addresses(self) -> tuple[Address, ...]:
        with self._asking("list the account's addresses"):
            found = self._client.addresses.list(page_size=MAX_PAGE_SIZE)
            return tuple(records.address(record) for record in found)

    def bundles(self, country: str, type: NumberType) -> tuple[Bundle, ...]:
        with self._asking("list the account's regulatory bundles"):
            found = self._client.numbers.v2.regulatory_compliance.bundles.list(
                iso_country=country, number_type=_regulated(type), page_size=MAX_PAGE_SIZE
            )
            return tuple(records.bundle(record) for record in found)

    def regulations(self, country: str, type: NumberType) -> tuple[Regulation, ...]:
        if _regulated(type) is None:
            return ()
        with self._asking(f"show the regulatory requirements of {country}"):
            found = self._client.numbers.v2.regulatory_compliance.regulations.list(
                iso_country=country, number_type=_regulated(type), page_size=MAX_PAGE_SIZE
            )
            return tuple(records.regulation(record) for record in found)

    def calls_page(self, since: datetime, until: datetime, *, token: str | None = None) -> Page[CallRecord]:
        calls = self._client.calls
        with self._asking("show the call log"):
            # The client writes a time as UTC without converting it, and cuts off what is below a second.
            page = (
                calls.get_page(token)
                if token
                else calls.page(
                    start_time_after=since.astimezone(UTC),
                    start_time_before=until.astimezone(UTC) + timedelta(seconds=1),
                    page_size=MAX_PAGE_SIZE,
                )
            )
            found = [records.call(record) for record in page if record.start_time is not None]
            return Page(tuple(call for call in found if since <= call.started_at < until), page.next_page_url)

    @contextmanager
    def _asking(self, what: str, *, writing: bool = False, missing: str = _REASONS[NOT_FOUND]) -> Iterator[None]:
        """Translate what goes wrong inside; *missing* is the reason where Twilio finds nothing."""
        reasons = _REASONS | {NOT_FOUND: missing} | ({_REFUSED: _OF_KEY} if self._key else {})
        try:
            yield
        except (TwilioException, requests.RequestException, *_UNREADABLE) as exc:
            raise _translate(exc, _attempt(what, writing=writing), reasons) from exc


def _attempt(what: str, *, writing: bool = False) -> Attempt:
    return Attempt(Twilio.name, what, writing)


def _translate(exc: Exception, attempt: Attempt, reasons: Mapping[str, str]) -> ProviderError:
    if isinstance(exc, Refusal):
        why = reasons.get(exc.answer.code or "") or exc.message or f"it gave no reason (HTTP {exc.answer.status})"
        return attempt.answered(why, exc.answer, is_gone=exc.is_gone)
    if isinstance(exc, requests.RequestException):
        return attempt.broken(exc)
    return attempt.lost("its answer could not be read")


def _documented(answer: ApiResponse[Any], status: int) -> Any:
    """Return what an answer holds. Raises ValueError for one that came with another *status* than is documented."""
    if answer.status_code != status:
        raise ValueError(f"answered with HTTP {answer.status_code}, not {status}")
    return answer.data


def _of(sid: str, number: OwnedNumber) -> OwnedNumber:
    """Return *number*. Raises ValueError when it is not the one that was asked about."""
    if number.sid != sid:
        raise ValueError(f"asked about {sid}, answered with {number.sid}")
    return number


def _regulated(type: NumberType) -> str | None:
    """Return Twilio's word for a type of number in its regulatory resources, which know some types only."""
    return type.value.replace("_", "-") if type in _BUNDLE_TYPES else None
