"""Twilio: numbers that are searched, bought, imported and released through its API."""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from itertools import islice
from typing import Any, TypeVar

import requests
from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from providers.base import Capability, Field, Vendor
from providers.errors import ProviderError, RequestRejected
from providers.transport import Attempt
from providers.twilio_http import NOT_FOUND, MappedHttpClient, Refusal
from providers.verbs import (
    MAX_PAGE_SIZE,
    Account,
    AccountStatus,
    Address,
    AddressRequirement,
    AnsweredBy,
    AvailableNumber,
    Bundle,
    BundleStatus,
    CallRecord,
    CallStatus,
    Country,
    Direction,
    Feature,
    NumberSearch,
    NumberType,
    OwnedNumber,
    Page,
    Prices,
    Provider,
    Webhooks,
)


def _open(credentials: Mapping[str, str], *, base_url: str | None, timeout: float) -> Provider:
    return TwilioAccount(credentials["account_sid"], credentials["auth_token"], base_url=base_url, timeout=timeout)


VENDOR = Vendor(
    key="twilio",
    name="Twilio",
    capabilities=frozenset(Capability),
    credential_fields=(
        Field(
            "account_sid",
            "Account SID",
            pattern=r"AC[0-9a-fA-F]{32}",
            problem="An Account SID is AC followed by 32 hexadecimal digits.",
            placeholder="AC…",
        ),
        Field(
            "auth_token",
            "Auth token",
            pattern=r"[!-~]+",
            problem="An auth token has only plain letters and digits, without spaces.",
            secret=True,
        ),
    ),
    open=_open,
)

_LABEL_LENGTH = 64  # what Twilio's friendly_name holds; our own record keeps the whole label

_REASONS = {
    "20003": "it does not accept the Account SID and auth token. Correct the credentials of this connection",
    "20005": "the account is not active. Settle the account at Twilio first",
    NOT_FOUND: "the account has no such number. Refresh what is shown here, and check which account it is",
    "21404": "a trial account may not do this. Upgrade the account at Twilio",
    "21421": "this is not a number that can be bought. Check the number",
    "21422": "the number is not for sale any more: somebody else has it. Search again and choose another",
    "21451": "the area code does not exist. Use the three digits of an area code in the US or Canada",
    "21452": "no number is left in this area code. Try another one",
    "21631": "the regulator asks for an address with this number. Choose a suitable address of the account",
    "21649": "the regulator asks for papers with this number. Choose an approved bundle for its country and type",
}
"""Why and what next, by Twilio's code. Its texts are not to be matched: 21649 alone has two wordings."""

_BUNDLE_TYPES = frozenset({NumberType.LOCAL, NumberType.MOBILE, NumberType.NATIONAL, NumberType.TOLL_FREE})
_INBOUND = frozenset({"inbound", "trunking-originating"})
_CONTAINS = re.compile(r"(?=.{2,16}$)\+?[0-9A-Za-z*%]+\$?")

Kind = TypeVar("Kind", bound=StrEnum)


class TwilioAccount(Provider):
    """One Twilio account, over the vendor's own client."""

    vendor = VENDOR

    def __init__(self, account_sid: str, auth_token: str, *, base_url: str | None, timeout: float) -> None:
        # Without an environment of its own the client would take a region from the process's.
        self._client = Client(
            account_sid, auth_token, http_client=MappedHttpClient(base_url, timeout), environment={"TWILIO_REGION": ""}
        )

    def account(self) -> Account:
        with _asking("show the account"):
            record = self._client.api.v2010.accounts(self._client.account_sid).fetch()
            return Account(
                sid=_text(record.sid),
                name=record.friendly_name or "",
                status=AccountStatus(record.status),
                trial=record.type == "Trial",
            )

    def countries(self) -> tuple[Country, ...]:
        with _asking("list the countries"):
            records = self._client.available_phone_numbers.list(page_size=MAX_PAGE_SIZE)
            countries = [_country(record) for record in records]
        return tuple(sorted(countries, key=lambda country: country.name))

    def search(self, query: NumberSearch) -> tuple[AvailableNumber, ...]:
        asked = _attempt(f"search for {query.type.value.replace('_', ' ')} numbers in {query.country}")
        if query.area_code and query.country not in ("US", "CA"):
            raise asked.rejected("area codes exist in the US and Canada only. Give a part of the number instead")
        if query.contains and not _CONTAINS.fullmatch(query.contains):
            raise asked.rejected(
                "a part of a number has 2 to 16 characters: digits, letters, * or %, with + only first and $ only last"
            )
        wanted = {f"{feature.value}_enabled": True for feature in query.features}
        with _asking(asked.what, missing="it sells none of that type there. Choose another type or country"):
            stock = getattr(self._client.available_phone_numbers(query.country), query.type.value)
            records = stock.page(
                area_code=query.area_code or None,
                contains=query.contains or None,
                in_locality=query.locality or None,
                page_size=query.limit,
                **wanted,
            )
            return tuple(_available(record, query.type) for record in islice(records, query.limit))

    def prices(self, country: str) -> Prices:
        with _asking(f"show the prices of {country}", missing="it sells no numbers there. Choose another country"):
            record = self._client.pricing.v1.phone_numbers.countries(country).fetch()
            priced = [(_known(NumberType, row.get("number_type")), row) for row in record.phone_number_prices or ()]
            monthly = {type: _money(row.get("current_price")) for type, row in priced if type is not None}
            return Prices(
                country=country,
                currency=_text(record.price_unit).upper(),
                monthly={type: price for type, price in monthly.items() if price is not None},
            )

    def owned_page(
        self, *, matching: str = "", page_size: int = MAX_PAGE_SIZE, token: str | None = None
    ) -> Page[OwnedNumber]:
        numbers = self._client.incoming_phone_numbers
        with _asking("list the account's numbers"):
            # The token is the address that Twilio gave for the next page; a foreign host in it is refused.
            page = (
                numbers.get_page(token)
                if token
                else numbers.page(phone_number=matching or None, page_size=min(page_size, MAX_PAGE_SIZE))
            )
            return Page(tuple(_owned(record) for record in page), page.next_page_url)

    def find_owned_sid(self, sid: str) -> OwnedNumber | None:
        try:
            with _asking(f"show the number {sid}"):
                return _owned(self._client.incoming_phone_numbers(sid).fetch())
        except RequestRejected as exc:
            if exc.code == NOT_FOUND:
                return None
            raise

    def buy(
        self,
        e164: str,
        *,
        label: str = "",
        voice_url: str = "",
        status_callback: str = "",
        address_sid: str | None = None,
        bundle_sid: str | None = None,
    ) -> OwnedNumber:
        with _asking(f"buy {e164}", writing=True):
            # Never by area code: only a purchase of one exact number can be repeated without a second charge.
            bought = _owned(
                self._client.incoming_phone_numbers.create(
                    phone_number=e164,
                    friendly_name=label[:_LABEL_LENGTH] or None,
                    voice_url=voice_url or None,
                    status_callback=status_callback or None,
                    address_sid=address_sid,
                    bundle_sid=bundle_sid,
                )
            )
            if bought.e164 != e164:
                raise ValueError(f"asked for {e164}, answered with {bought.e164}")
            return bought

    def webhooks(self, sid: str) -> Webhooks:
        with _asking(f"show the webhooks of {sid}"):
            return _owned(self._client.incoming_phone_numbers(sid).fetch()).webhooks

    def set_webhooks(
        self, sid: str, *, voice_url: str | None = None, sms_url: str | None = None, status_callback: str | None = None
    ) -> OwnedNumber:
        with _asking(f"set the webhooks of {sid}", writing=True):
            return _owned(
                self._client.incoming_phone_numbers(sid).update(
                    voice_url=voice_url, sms_url=sms_url, status_callback=status_callback
                )
            )

    def release(self, sid: str) -> None:
        with _asking(f"release {sid}", writing=True):
            self._client.incoming_phone_numbers(sid).delete()

    def addresses(self, country: str | None = None) -> tuple[Address, ...]:
        with _asking("list the account's addresses"):
            records = self._client.addresses.list(iso_country=country, page_size=MAX_PAGE_SIZE)
            return tuple(_address(record) for record in records)

    def bundles(self, country: str, type: NumberType) -> tuple[Bundle, ...]:
        wire_type = type.value.replace("_", "-") if type in _BUNDLE_TYPES else None
        with _asking("list the account's regulatory bundles"):
            records = self._client.numbers.v2.regulatory_compliance.bundles.list(
                iso_country=country, number_type=wire_type, page_size=MAX_PAGE_SIZE
            )
            return tuple(_bundle(record) for record in records)

    def calls_page(self, since: datetime, until: datetime, *, token: str | None = None) -> Page[CallRecord]:
        calls = self._client.calls
        with _asking("show the call log"):
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
            records = [_call(record) for record in page if record.start_time is not None]
            return Page(tuple(call for call in records if since <= call.started_at < until), page.next_page_url)


def _attempt(what: str, *, writing: bool = False) -> Attempt:
    return Attempt(VENDOR.name, what, writing)


@contextmanager
def _asking(what: str, *, writing: bool = False, missing: str = _REASONS[NOT_FOUND]) -> Iterator[None]:
    """Translate what goes wrong inside; *missing* is the reason where Twilio finds nothing."""
    try:
        yield
    except (TwilioException, requests.RequestException, ValueError) as exc:
        raise _translate(exc, _attempt(what, writing=writing), _REASONS | {NOT_FOUND: missing}) from exc


def _translate(exc: Exception, attempt: Attempt, reasons: Mapping[str, str]) -> ProviderError:
    if isinstance(exc, Refusal):
        why = reasons.get(exc.code or "") or exc.message or f"it gave no reason (HTTP {exc.status})"
        return attempt.answered(exc.status, why, code=exc.code, retry_after=exc.retry_after)
    if isinstance(exc, requests.RequestException):
        return attempt.broken(exc)
    return attempt.lost("its answer could not be read")


def _known(kind: type[Kind], word: str | None) -> Kind | None:
    """Return the member that Twilio's *word* means; it writes "toll free", "toll-free" and "toll_free"."""
    try:
        return kind((word or "").lower().replace(" ", "_").replace("-", "_"))
    except ValueError:
        return None


def _text(value: str | None) -> str:
    """Return *value*, which an answer cannot go without."""
    if not value:
        raise ValueError("a field that is always there is missing")
    return value


def _money(value: str | None) -> Decimal | None:
    try:
        return None if value is None else Decimal(value)
    except InvalidOperation as exc:
        raise ValueError(f"{value!r} is no price") from exc


def _features(capabilities: Mapping[str, bool] | None) -> frozenset[Feature]:
    offered = (_known(Feature, key) for key, on in (capabilities or {}).items() if on)
    return frozenset(feature for feature in offered if feature is not None)


def _types(words: Iterable[str]) -> tuple[NumberType, ...]:
    offered = {_known(NumberType, word) for word in words}
    return tuple(type for type in NumberType if type in offered)


def _country(record: Any) -> Country:
    code = _text(record.country_code)
    return Country(code=code, name=record.country or code, types=_types(record.subresource_uris or {}))


def _available(record: Any, type: NumberType) -> AvailableNumber:
    return AvailableNumber(
        e164=_text(record.phone_number),
        country=_text(record.iso_country),
        type=type,
        locality=record.locality or None,
        region=record.region or None,
        features=_features(record.capabilities),
        address_requirement=AddressRequirement(record.address_requirements or "none"),
    )


def _owned(record: Any) -> OwnedNumber:
    return OwnedNumber(
        sid=_text(record.sid),
        e164=_text(record.phone_number),
        label=record.friendly_name or "",
        type=_known(NumberType, record.type),
        features=_features(record.capabilities),
        webhooks=Webhooks(
            voice_url=record.voice_url or "",
            sms_url=record.sms_url or "",
            status_callback=record.status_callback or "",
            routed_by=record.trunk_sid or record.voice_application_sid or None,
        ),
        address_sid=record.address_sid or None,
        bundle_sid=record.bundle_sid or None,
        bought_at=record.date_created,
    )


def _address(record: Any) -> Address:
    parts = (record.street, record.street_secondary, record.postal_code, record.city, record.region)
    return Address(
        sid=_text(record.sid),
        name=record.friendly_name or record.customer_name or "",
        lines=", ".join(part for part in parts if part),
        country=_text(record.iso_country),
    )


def _bundle(record: Any) -> Bundle:
    status = _known(BundleStatus, _text(record.status).removeprefix("twilio-"))
    return Bundle(sid=_text(record.sid), name=record.friendly_name or "", status=status or BundleStatus.DRAFT)


def _call(record: Any) -> CallRecord:
    return CallRecord(
        sid=_text(record.sid),
        from_number=record._from or "",
        to_number=record.to or "",
        direction=Direction.INBOUND if record.direction in _INBOUND else Direction.OUTBOUND,
        status=_known(CallStatus, record.status) or CallStatus.OTHER,
        started_at=record.start_time,
        duration=int(record.duration or 0),
        price=_money(record.price),
        currency=record.price_unit,
        answered_by=_answered_by(record.answered_by),
    )


def _answered_by(word: str | None) -> AnsweredBy | None:
    """Return who picked up; Twilio tells machines apart: machine_start, machine_end_beep, machine_end_silence, ..."""
    if not word:
        return None
    return AnsweredBy.MACHINE if word.startswith("machine") else _known(AnsweredBy, word) or AnsweredBy.UNKNOWN
