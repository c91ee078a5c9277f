"""The audit log as text: what was done, to what, and each value before and after."""

import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from db.audit.queries import AuditRow
from db.base.money import Money
from services.audit.audit import AT_PROVIDER, Action
from services.connections.connections import all_providers, provider_named
from services.health.thresholds import MEANINGS
from services.text import labels, numbering

KINDS = {
    "number": "Number",
    "order": "Order",
    "agent": "Agent",
    "campaign": "Campaign",
    "connection": "Connection",
    "health": "Campaign health",
    "user": "User",
    "tenant": "Tenant",
    "api_key": "API key",
    "job": "Job",
    "audit": "Activity",
    "installation": "Installation",
}
"""What an event can be about."""


@dataclass(frozen=True)
class Field:
    """A logged value: its label, how one is read, and what stands for none.

    `read` may leave a number, a day or a moment, which are written alike in all fields.
    """

    label: str
    read: Callable[[Any], Any] | None = None
    nothing: str = "—"


def _spelled(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _one_of(words: Mapping[Any, str]) -> Callable[[str], str]:
    return lambda key: words.get(key, _spelled(key))


def _provider(key: str) -> str:
    return provider_named(key).name


def _price(text: str) -> str:
    amount, _, currency = text.partition(" ")
    return f"{labels.money(Money(Decimal(amount), currency))} a month"


FIELDS: dict[str, Field] = {
    "compare_days": Field("Compared automatically", labels.COMPARE_DAYS.get),
    "replaced_by": Field("Replaced by"),
    "replaces": Field("Replaces"),
    "kind": Field("Order", _one_of(labels.ORDER)),
    "state": Field("Outcome", _one_of(labels.ORDER_STATE)),
    "problem": Field("Problem"),
    "name": Field("Name"),
    "label": Field("Label"),
    "status": Field("Status", _one_of({**labels.STATUS, **labels.CAMPAIGN})),
    "reason": Field("Reason"),
    AT_PROVIDER: Field("At the provider"),
    "number": Field("Number", numbering.display),
    "primary_number": Field("Primary number", numbering.display),
    "campaign": Field("Campaign"),
    "tenant": Field("Tenant"),
    "pool_status": Field("Pool status", _one_of(labels.POOL), "not in the pool"),
    "agent": Field("Inbound call agent", nothing=labels.UNASSIGNED),
    "connection": Field("Telephony connection"),
    "provider": Field("Provider", _provider),
    "provider_sid": Field("SID"),
    "default_country": Field("Default country", numbering.country_name),
    "allowed_inbound": Field("Allowed inbound countries", numbering.country_name, "no restriction"),
    "allowed_outbound": Field("Allowed outbound countries", numbering.country_name, "no restriction"),
    "price": Field("Price", _price),
    "voice_url": Field("Voice URL"),
    "voice_method": Field("Voice method"),
    "voice_fallback_url": Field("Voice fallback URL"),
    "voice_fallback_method": Field("Voice fallback method"),
    "status_callback": Field("Status callback"),
    "status_callback_method": Field("Status callback method"),
    "trunk_sid": Field("Trunk"),
    "voice_application_sid": Field("Voice application"),
    "sms_url": Field("SMS URL"),
    "routed_by": Field("Routed by"),
    "buy_back_until": Field("Can be bought back until", datetime.fromisoformat),
    "tags": Field("Tags"),
    "notes": Field("Notes"),
    "role": Field("Role", _one_of(labels.ROLE), "no role"),
    "active": Field("Active"),
    "suspended": Field("Suspended"),
    "time_zone": Field("Time zone"),
    "key": Field("Key"),
    "scopes": Field("What it may do", _one_of(labels.KEY_SCOPE)),
    "passed": Field("Passed"),
    "result": Field("Result"),
    "source": Field("Source"),
    "added": Field("Rows added"),
    "updated": Field("Rows updated"),
    "replaced": Field("Rows replaced"),
    "already_here": Field("Rows already here"),
    "differing": Field("Rows that differ"),
    "refused": Field("Rows refused"),
    "first_day": Field("First day", date.fromisoformat),
    "last_day": Field("Last day", date.fromisoformat),
    "numbers": Field("Numbers"),
    "items": Field("Items"),
    "items_changed": Field("Changed"),
    "items_refused": Field("Refused"),
    "job": Field("Job", lambda number: f"No. {number}"),
    "connections": Field("Connections"),
    "filters": Field("Filters"),
    "days": Field("Days"),
    "calls": Field("Calls read"),
    "kept": Field("Rows kept"),
    "inbound": Field("Inbound calls"),
    "not_dialed": Field("Calls not dialed"),
    "not_on_record": Field("Calls from numbers not in Numberdesk"),
    "in_no_pool": Field("Calls from numbers in no pool"),
    "in_several_pools": Field("Calls from numbers in several pools"),
    "search": Field("Search"),
    "statuses": Field("Statuses", _one_of(labels.STATUS)),
    "superadmin": Field("Superadmin"),
    "format": Field("Format"),
    "from": Field("From"),
    "to": Field("To"),
    **{name: Field(meaning.label, meaning.text) for name, meaning in MEANINGS.items()},
}
"""The logged values, in display order."""

_FILTERS = {
    "actions": Field("action", lambda key: action(key)),
    "actors": Field("who"),
    "agents": Field("agent"),
    "connections": Field("connection"),
    "countries": Field("country", numbering.country_name),
    "kinds": Field("kind", _one_of(KINDS)),
    "managed": Field("managed by", _one_of({str(managed): word for managed, word in labels.MANAGED.items()})),
    "providers": Field("provider", _provider),
    "search": Field("search"),
    "since": Field("from", datetime.fromisoformat),
    "statuses": Field("status", _one_of(labels.STATUS)),
    "tags": Field("tag"),
    "tenants": Field("tenant"),
    "types": Field("type", _one_of(labels.TYPE)),
    "until": Field("before", datetime.fromisoformat),
}
_NOUNS = {"api_keys": "API keys", "audit": "Activity", "health": "Campaign health"}
_KNOWN = frozenset(Action)
_ORDER_RESULTS = (Action.ORDERS_CONFIRM, Action.ORDERS_FAIL, Action.ORDERS_UNCERTAIN)
_PLACES = {name: place for place, name in enumerate(FIELDS)}
_NUMBER = re.compile(r"\+?[0-9]{3,}")


@dataclass(frozen=True)
class Change:
    """One changed value as text; `before` is None where it is told in one: a new value, or what a list has lost."""

    name: str
    after: str
    before: str | None = None

    @property
    def text(self) -> str:
        """The change as a line: `Label: Sales → Support`."""
        return f"{self.name}: {self.after if self.before is None else f'{self.before} → {self.after}'}"


def action(key: str) -> str:
    """Return what was done: `changed the label`."""
    return Action(key).words if key in _KNOWN else key


def event_action(row: AuditRow) -> str:
    """Return what was done in an event. A release found at the provider reads differently from our own."""
    marked = row.action == Action.NUMBERS_RELEASE and AT_PROVIDER in row.after
    return "marked the number as released" if marked else action(row.action)


def clause(row: AuditRow) -> str:
    """Return what was done, to follow the name of the person."""
    found = event_action(row)
    return f"· {found}" if row.action in _ORDER_RESULTS else found


def action_options(keys: Iterable[str]) -> dict[str, str]:
    """Return the actions in *keys* as text, each with its noun so that they sort together."""
    known = [Action(key) for key in sorted(keys) if key in _KNOWN]
    return {key: f"{_one_of(_NOUNS)(key.split(':')[0])}: {key.words}" for key in known}


def kind(key: str) -> str:
    """Return the kind of subject: `Number`."""
    return KINDS.get(key, _spelled(key))


def subject(row: AuditRow) -> str:
    """Return an event's subject, with numbers grouped for reading."""
    return numbering.display(row.subject) if row.subject_type in ("number", "order") else row.subject


def field(name: str) -> Field | None:
    """Return how an event's field is read; None if that is not known."""
    if _NUMBER.fullmatch(name):
        return Field(numbering.display(name), _place, nothing="not in the pool")
    return FIELDS.get(name) or _provider_fields().get(name)


def changes(row: AuditRow, zone: ZoneInfo) -> list[Change]:
    """Return every value of an event as text, with times in *zone*."""
    return between(row.before, row.after, zone, subject=row.subject)


def between(old: Mapping[str, Any], new: Mapping[str, Any], zone: ZoneInfo, *, subject: str = "") -> list[Change]:
    """Return what lies between *old* and *new* values as text; the name of the *subject* is no news."""
    before, after = _flat(old, new), _flat(new, old)
    found = []
    for name in sorted({**before, **after}, key=lambda name: (_PLACES.get(name, len(_PLACES)), name)):
        known = field(name) or Field(_spelled(name))
        tell = functools.partial(_in_words, known, zone=zone)
        was, now = before.get(name), after.get(name)
        if name in ("name", "source") and subject in (was, now) and None in (was, now):
            continue  # already in the subject
        if name not in before or (name in after and was == now):
            found += [Change(known.label, tell(now))] if not _is_nothing(now) else []
        elif name not in after:  # values of a deleted thing; beside other values they are no change
            found += [Change(known.label, f"was {tell(was)}")] if not (after or _is_nothing(was)) else []
        elif isinstance(was, list) and isinstance(now, list) and was and now:
            parts = {"added": [one for one in now if one not in was], "removed": [one for one in was if one not in now]}
            told = ", ".join(f"{verb} {tell(some)}" for verb, some in parts.items() if some)
            found.append(Change(known.label, told))
        else:
            found.append(Change(known.label, tell(now), tell(was)))
    return found


def _flat(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with the provider's fields beside the others, and a price with its currency."""
    flat = dict(values)
    if "provider_fields" in flat:
        own = flat.pop("provider_fields")
        flat |= {name: own.get(name) for name in {**(others.get("provider_fields") or {}), **own}}
    currency = flat.pop("currency", None)  # kept apart until 2026-11
    if currency and flat.get("price"):
        flat["price"] += f" {currency}"
    return flat


def _in_words(known: Field, value: Any, zone: ZoneInfo) -> str:
    if _is_nothing(value):
        return known.nothing
    if isinstance(value, list):
        return ", ".join(_in_words(known, one, zone) for one in value)
    if isinstance(value, dict):
        parts = [
            f"{_FILTERS[name].label} {_in_words(_FILTERS[name], one, zone)}"
            for name, one in value.items()
            if name in _FILTERS
        ]
        return "; ".join(parts) or "none"
    match known.read(value) if known.read else value:
        case bool(answer):
            return "Yes" if answer else "No"
        case int(n):
            return f"{n:,}"
        case datetime() as moment:
            return f"{moment.astimezone(zone):%-d %b %Y, %H:%M %Z}"
        case date() as day:
            return f"{day:%-d %b %Y}"
        case text:
            return str(text)


def _place(value: str) -> str:
    """Return a number's place in a pool, which is kept as `active, weight 1.5`."""
    status, *weight = value.split(", ")
    return ", ".join([_one_of(labels.POOL)(status), *weight])


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [])


@functools.cache
def _provider_fields() -> dict[str, Field]:
    return {
        found.name: Field(found.label)
        for provider in all_providers()
        for found in (*provider.credential_fields, *provider.number_fields)
    }
