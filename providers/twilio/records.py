"""Maps Twilio's records to ours."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

import phonenumbers

from providers.records import (
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
    EndUser,
    Feature,
    NumberType,
    OwnedNumber,
    Regulation,
    Requirement,
    Webhooks,
)

_INBOUND = frozenset({"inbound", "trunking-originating"})

Kind = TypeVar("Kind", bound=StrEnum)


def known(kind: type[Kind], word: str | None) -> Kind | None:
    """Return the member that Twilio's *word* means; it writes "toll free", "toll-free" and "toll_free"."""
    try:
        return kind((word or "").lower().replace(" ", "_").replace("-", "_"))
    except ValueError:
        return None


def text(value: str | None) -> str:
    """Return *value*, which an answer cannot go without."""
    if not value:
        raise ValueError("a field that is always there is missing")
    return value


def money(value: str | None) -> Decimal | None:
    """Return a price as a number. Raises ValueError for a word that is none."""
    try:
        return None if value is None else Decimal(value)
    except InvalidOperation as exc:
        raise ValueError(f"{value!r} is no price") from exc


def _features(capabilities: Mapping[str, bool] | None) -> frozenset[Feature]:
    options = (known(Feature, key) for key, on in (capabilities or {}).items() if on)
    return frozenset(feature for feature in options if feature is not None)


def _types(words: Iterable[str]) -> tuple[NumberType, ...]:
    options = {known(NumberType, word) for word in words}
    return tuple(type for type in NumberType if type in options)


def country(record: Any) -> Country:
    """Return a country that Twilio sells numbers of."""
    return Country(text(record.country_code), _types(record.subresource_uris or {}))


def available(record: Any, type: NumberType) -> AvailableNumber:
    """Return a number for sale."""
    return AvailableNumber(
        e164=text(record.phone_number),
        country=text(record.iso_country),
        type=type,
        locality=record.locality or None,
        region=record.region or None,
        features=_features(record.capabilities),
        address_requirement=AddressRequirement(record.address_requirements or "none"),
    )


def owned(record: Any) -> OwnedNumber:
    """Return a number of the account."""
    e164, name = text(record.phone_number), record.friendly_name or ""
    return OwnedNumber(
        sid=text(record.sid),
        e164=e164,
        label=name,
        is_named=bool(name) and name not in _own_names(e164),
        type=known(NumberType, record.type),
        features=_features(record.capabilities),
        webhooks=Webhooks(
            voice_url=record.voice_url or "",
            sms_url=record.sms_url or "",
            status_callback=record.status_callback or "",
            voice_method=_method(record.voice_method),
            voice_fallback_url=record.voice_fallback_url or "",
            voice_fallback_method=_method(record.voice_fallback_method),
            status_callback_method=_method(record.status_callback_method),
            trunk_sid=record.trunk_sid or "",
            voice_application_sid=record.voice_application_sid or "",
        ),
    )


def _method(word: str | None) -> str:
    return (word or "POST").upper()


def _own_names(e164: str) -> tuple[str, ...]:
    """Return what Twilio calls a number until somebody names it: itself, in the US and Canada in the national form."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return (e164,)
    return e164, phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def address(record: Any) -> Address:
    """Return an address of the account."""
    parts = (record.street, record.street_secondary, record.postal_code, record.city, record.region)
    return Address(
        sid=text(record.sid),
        name=record.friendly_name or record.customer_name or "",
        lines=", ".join(part for part in parts if part),
    )


def bundle(record: Any) -> Bundle:
    """Return a bundle of the account."""
    status = known(BundleStatus, text(record.status).removeprefix("twilio-"))
    return Bundle(sid=text(record.sid), name=record.friendly_name or "", status=status or BundleStatus.DRAFT)


def regulation(record: Any) -> Regulation:
    """Return regulatory requirements. Twilio has documents in lists of lists."""
    asked: Mapping[str, Any] = record.requirements or {}
    people = [
        Requirement(
            text(one.get("name")),
            to_tell=tuple(
                field["friendly_name"] for field in one.get("detailed_fields") or () if field.get("friendly_name")
            ),
        )
        for one in asked.get("end_user") or ()
    ]
    papers = [
        Requirement(
            text(one.get("name")),
            tuple(paper["name"] for paper in one.get("accepted_documents") or () if paper.get("name")),
        )
        for group in asked.get("supporting_document") or ()
        for one in group
    ]
    end_user = known(EndUser, record.end_user_type)
    if end_user is None:
        raise ValueError(f"{record.end_user_type!r} is no kind of end user")
    return Regulation(end_user, (*people, *papers))


def call(record: Any) -> CallRecord:
    """Return a call of the log."""
    return CallRecord(
        from_number=record._from or "",
        direction=Direction.INBOUND if record.direction in _INBOUND else Direction.OUTBOUND,
        status=known(CallStatus, record.status) or CallStatus.OTHER,
        started_at=record.start_time,
        duration=int(record.duration or 0),
        answered_by=_answered_by(record.answered_by),
    )


def _answered_by(word: str | None) -> AnsweredBy | None:
    """Return who picked up; Twilio tells machines apart: machine_start, machine_end_beep, machine_end_silence, ..."""
    if not word:
        return None
    return AnsweredBy.MACHINE if word.startswith("machine") else known(AnsweredBy, word) or AnsweredBy.UNKNOWN
