"""Webhooks at a provider: how orders keep them, what of them differs, and how they are set so that calls reach ours."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Protocol

from db.models import NumberOrder
from providers.base import Provider
from providers.errors import NotThere, OutcomeUnknown, RequestRejected
from providers.records import OwnedNumber, Webhooks
from services.core.errors import InvalidInput
from services.orders import sids
from services.text import numbering

NAMES = {
    "voice_url": "Voice URL",
    "voice_method": "Voice method",
    "voice_fallback_url": "Voice fallback URL",
    "voice_fallback_method": "Voice fallback method",
    "status_callback": "Status callback",
    "status_callback_method": "Status callback method",
    "trunk_sid": "Trunk",
    "voice_application_sid": "Voice application",
}
"""What is set from here, in words. The URL of texts is shown to nobody and left alone."""

URLS = ("voice_url", "status_callback")
_KEPT_LATER = frozenset(NAMES) - frozenset(URLS)


class HasWebhooks(Protocol):
    """A connection, or a number with those of its connection."""

    @property
    def voice_url(self) -> str | None: ...
    @property
    def status_callback_url(self) -> str | None: ...


def ours(connection: HasWebhooks) -> Webhooks:
    """Return the webhooks that numbers of a connection get: by POST, without a fallback, trunk or application."""
    return Webhooks(voice_url=connection.voice_url or "", status_callback=connection.status_callback_url or "")


def words(webhooks: Webhooks) -> dict[str, str]:
    """Return what is set from here, by its field."""
    return {name: getattr(webhooks, name) for name in NAMES}


def audit_values(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """Return webhooks before and after as the audit log tells them: both URLs, and of the rest what changed."""
    old, new = words(stored(before)), words(stored(after))
    changed = [name for name in NAMES if name in URLS or old[name] != new[name]]
    return {name: old[name] for name in changed}, {name: new[name] for name in changed}


def stored(values: Mapping[str, Any], otherwise: Webhooks | None = None) -> Webhooks:
    """Return webhooks as stored with an order, with missing values from *otherwise*."""
    if not values:
        return Webhooks()
    found: dict[str, str] = {field.name: values.get(field.name) or "" for field in fields(Webhooks)}
    found |= {name: found[name] or "POST" for name in found if name.endswith("_method")}
    if not _is_whole(values):
        found |= {name: getattr(otherwise or Webhooks(), name) for name in _KEPT_LATER}
        if "routed_by" in values:  # which of the two it is, its SID says
            routed = values["routed_by"] or ""
            trunk, application = (routed if routed.startswith(prefix) else "" for prefix in ("TK", "AP"))
            found |= {"trunk_sid": trunk, "voice_application_sid": application}
    return Webhooks(**found)


def differing(provider: Provider | type[Provider], one: Webhooks, other: Webhooks) -> list[str]:
    """Return the fields in which webhooks differ for those who call. A method means nothing without its URL."""
    one, other = _noticed(provider, one), _noticed(provider, other)
    return [name for name in NAMES if getattr(one, name) != getattr(other, name)]


def routing(webhooks: Webhooks) -> str:
    """Return in words what takes the calls instead of the Voice URL: `trunk TK…`; empty for nothing."""
    if webhooks.trunk_sid:
        return f"trunk {webhooks.trunk_sid}"
    return f"voice application {webhooks.voice_application_sid}" if webhooks.voice_application_sid else ""


def stops(seen: Webhooks, target: Webhooks) -> bool:
    """Return whether to replace *seen* by *target* takes the calls from a trunk or an application."""
    return bool(seen.routed_by) and seen.routed_by != target.routed_by


def require_agreement(e164: str, seen: Webhooks, target: Webhooks, *, stop_routing: bool) -> None:
    """Raise InvalidInput when calls would be taken from a trunk or an application, and nobody agreed to that."""
    if stops(seen, target) and not stop_routing:
        raise InvalidInput(
            f"{numbering.display(e164)} is routed by {routing(seen)}, so its calls would not reach the new Voice URL. "
            f"Confirm that this routing stops, or leave the number as it is.",
            field="stop_routing",
        )


def take_over(provider: Provider, order: NumberOrder) -> OwnedNumber:
    """Set the webhooks of an order, unless they are no longer what the operator was shown; return the number.

    Raises RequestRejected for another number, other webhooks, or a routing that nobody agreed to stop.
    """
    number = sids.find(provider, order.provider_sid or "", order.e164)
    if number is None:
        raise NotThere(f"{numbering.display(order.e164)} is no longer in the account. Nothing was changed.")
    now = number.webhooks
    if are_set(provider, order, number):
        return number
    if _kept_by(provider, now) != _kept_by(provider, stored(order.previous, now)):
        raise RequestRejected(
            "The webhooks have changed at the provider since they were shown. Nothing was overwritten; check again."
        )
    if now.routed_by and not _is_whole(order.configuration):
        raise RequestRejected(
            f"The number is routed by {routing(now)}, so its calls would not reach the new Voice URL. Nothing was "
            f"changed; try again and confirm that this routing stops."
        )
    before, after = (words(_kept_by(provider, one)) for one in (now, stored(order.configuration, now)))
    changes = {name: value for name, value in after.items() if value != before[name]}
    changed = provider.set_webhooks(number.sid, **changes)
    if changed.e164 != order.e164 or not are_set(provider, order, changed):
        raise OutcomeUnknown(
            f"{provider.name} was asked to set the webhooks but returned other values. They may have been set. Check "
            f"the number before trying again."
        )
    return changed


def are_set(provider: Provider | type[Provider], order: NumberOrder, number: OwnedNumber) -> bool:
    """Return whether a number has what was ordered, and calls reach it."""
    now, target = number.webhooks, stored(order.configuration, number.webhooks)
    return not differing(provider, now, target) and (_is_whole(order.configuration) or now.reach(target.voice_url))


def _is_whole(values: Mapping[str, Any]) -> bool:
    """Return whether an order keeps methods, fallback and routing too, as those before 2026-12 did not."""
    return "voice_method" in values


def _kept_by(provider: Provider | type[Provider], webhooks: Webhooks) -> Webhooks:
    if provider.keeps_status_callback:
        return webhooks
    return replace(webhooks, status_callback="", status_callback_method="POST")


def _noticed(provider: Provider | type[Provider], webhooks: Webhooks) -> Webhooks:
    known = _kept_by(provider, webhooks)
    return replace(
        known,
        voice_method=known.voice_method if known.voice_url else "POST",
        voice_fallback_method=known.voice_fallback_method if known.voice_fallback_url else "POST",
        status_callback_method=known.status_callback_method if known.status_callback else "POST",
    )
