"""The audit log as text: what was done, to what, and each value before and after."""

import functools
import re
from collections.abc import Iterable, Mapping
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

ACTIONS: dict[str, str] = {
    Action.AGENTS_ACTIVATE: "activated the agent",
    Action.AGENTS_ADD: "added the agent",
    Action.AGENTS_DEACTIVATE: "deactivated the agent",
    Action.AGENTS_RENAME: "renamed the agent",
    Action.API_KEYS_CREATE: "created an API key",
    Action.API_KEYS_REVOKE: "revoked an API key",
    Action.AUDIT_EXPORT: "downloaded the activity",
    Action.AUDIT_REPORT: "downloaded the tenant audit",
    Action.CAMPAIGNS_ADD: "added the campaign",
    Action.CAMPAIGNS_ADD_NUMBERS: "added numbers to the pool",
    Action.CAMPAIGNS_EDIT: "changed the campaign",
    Action.CAMPAIGNS_EDIT_POOL: "changed a number's place in the pool",
    Action.CAMPAIGNS_LOSE_NUMBER: "removed an unavailable number from the campaign",
    Action.CAMPAIGNS_REMOVE_NUMBER: "removed a number from the pool",
    Action.CAMPAIGNS_SET_PRIMARY: "changed the primary number",
    Action.CONNECTIONS_ACTIVATE: "activated the connection",
    Action.CONNECTIONS_ADD: "added the connection",
    Action.CONNECTIONS_DEACTIVATE: "deactivated the connection",
    Action.CONNECTIONS_DELETE: "deleted the connection",
    Action.CONNECTIONS_EDIT: "changed the connection",
    Action.CONNECTIONS_ROTATE_KEY: "changed the encryption key of credentials",
    Action.CONNECTIONS_TEST: "tested the connection",
    Action.DEMO_FILL: "filled the demo workspace",
    Action.HEALTH_EXPORT: "downloaded number health",
    Action.HEALTH_IMPORT: "imported campaign health",
    Action.HEALTH_PULL: "read campaign health from the call log",
    Action.NUMBERS_ACTIVATE: "activated the number",
    Action.NUMBERS_ADD: "added the number",
    Action.NUMBERS_ASSIGN_AGENT: "changed the inbound call agent",
    Action.NUMBERS_BUY: "bought the number",
    Action.NUMBERS_BUY_BACK: "bought the number back",
    Action.NUMBERS_DEACTIVATE: "deactivated the number",
    Action.NUMBERS_EDIT_PROVIDER_FIELDS: "changed the provider fields",
    Action.NUMBERS_EDIT_TAGS_AND_NOTES: "changed tags and notes",
    Action.NUMBERS_EXPORT: "downloaded the list of numbers",
    Action.NUMBERS_IMPORT: "imported the number",
    Action.NUMBERS_IMPORT_FILE: "imported numbers from a file",
    Action.NUMBERS_PUT_BACK: "restored the number to the workspace",
    Action.NUMBERS_RELEASE: "released the number",
    Action.NUMBERS_REMOVE: "removed the number from the workspace",
    Action.NUMBERS_RENAME: "changed the label",
    Action.NUMBERS_RESTRICT_INBOUND: "changed the allowed inbound countries",
    Action.NUMBERS_RESTRICT_OUTBOUND: "changed the allowed outbound countries",
    Action.NUMBERS_RESYNC: "synced from the provider",
    Action.NUMBERS_SET_CONNECTION: "changed the telephony connection",
    Action.NUMBERS_SET_WEBHOOKS: "changed the webhooks at the provider",
    Action.ORDERS_CANCEL: "cancelled an order",
    Action.ORDERS_CONFIRM: "order confirmed",
    Action.ORDERS_FAIL: "order failed",
    Action.ORDERS_PLACE: "placed an order",
    Action.ORDERS_UNCERTAIN: "order pending confirmation",
    Action.SETTINGS_CHANGE: "changed the tenant's settings",
    Action.TENANTS_CHANGE: "changed the tenant",
    Action.TENANTS_CREATE: "created the tenant",
    Action.TENANTS_RESUME: "resumed the tenant",
    Action.TENANTS_SUSPEND: "suspended the tenant",
    Action.USERS_ACTIVATE: "activated the user",
    Action.USERS_CHANGE_PASSWORD: "changed their password",
    Action.USERS_CHANGE_ROLE: "changed the user's role",
    Action.USERS_CHANGE_SUPERADMIN: "granted or removed superadmin",
    Action.USERS_CREATE: "created the user",
    Action.USERS_DEACTIVATE: "deactivated the user",
    Action.USERS_RESET_PASSWORD: "reset the user's password",
    Action.USERS_SIGN_IN: "signed in",
    Action.USERS_SIGN_OUT_EVERYWHERE: "signed the user out everywhere",
}
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
    "audit": "Activity",
    "installation": "Installation",
}
"""What an event can be about."""

FIELDS = {
    "kind": "Order",
    "state": "Outcome",
    "problem": "Problem",
    "name": "Name",
    "label": "Label",
    "status": "Status",
    "reason": "Reason",
    AT_PROVIDER: "At the provider",
    "number": "Number",
    "primary_number": "Primary number",
    "pool_status": "Pool status",
    "agent": "Inbound call agent",
    "connection": "Telephony connection",
    "provider": "Provider",
    "provider_sid": "SID",
    "default_country": "Default country",
    "allowed_inbound": "Allowed inbound countries",
    "allowed_outbound": "Allowed outbound countries",
    "price": "Price",
    "voice_url": "Voice URL",
    "voice_method": "Voice method",
    "voice_fallback_url": "Voice fallback URL",
    "voice_fallback_method": "Voice fallback method",
    "status_callback": "Status callback",
    "status_callback_method": "Status callback method",
    "trunk_sid": "Trunk",
    "voice_application_sid": "Voice application",
    "sms_url": "SMS URL",
    "routed_by": "Routed by",
    "buy_back_until": "Can be bought back until",
    "tags": "Tags",
    "notes": "Notes",
    "role": "Role",
    "active": "Active",
    "suspended": "Suspended",
    "time_zone": "Time zone",
    "key": "Key",
    "passed": "Passed",
    "result": "Result",
    "source": "Source",
    "added": "Rows added",
    "replaced": "Rows replaced",
    "already_here": "Rows already here",
    "differing": "Rows that differ",
    "refused": "Rows refused",
    "first_day": "First day",
    "last_day": "Last day",
    "numbers": "Numbers",
    "connections": "Connections",
    "filters": "Filters",
    "days": "Days",
    "calls": "Calls read",
    "kept": "Rows kept",
    "inbound": "Inbound calls",
    "not_dialed": "Calls not dialed",
    "not_on_record": "Calls from numbers not in Numberdesk",
    "in_no_pool": "Calls from numbers in no pool",
    "in_several_pools": "Calls from numbers in several pools",
    "search": "Search",
    "statuses": "Statuses",
    "superadmin": "Superadmin",
    "format": "Format",
    "from": "From",
    "to": "To",
    **{name: meaning.label for name, meaning in MEANINGS.items()},
}
"""The logged values, in display order."""

_NOUNS = {
    "agents": "Agents",
    "api_keys": "API keys",
    "audit": "Activity",
    "campaigns": "Campaigns",
    "connections": "Connections",
    "demo": "Demo",
    "health": "Campaign health",
    "numbers": "Numbers",
    "orders": "Orders",
    "settings": "Settings",
    "tenants": "Tenants",
    "users": "Users",
}

_NOTHING = {
    "agent": "Unassigned",
    "allowed_inbound": "no restriction",
    "allowed_outbound": "no restriction",
    "role": "no role",
}
_COUNTRIES = ("allowed_inbound", "allowed_outbound", "countries", "default_country")
_LABELS = ("name", "source")
_NUMBERS = ("number", "primary_number")
_DAYS = ("first_day", "last_day")
_INSTANTS = ("buy_back_until", "since", "until")
_CHOICES: Mapping[str, Mapping[Any, str]] = {
    "actions": ACTIONS,
    "kind": labels.ORDER,
    "kinds": KINDS,
    "managed": {str(managed): word for managed, word in labels.MANAGED.items()},
    "pool_status": labels.POOL,
    "role": labels.ROLE,
    "state": labels.ORDER_STATE,
    "status": {**labels.STATUS, **labels.CAMPAIGN},
    "statuses": labels.STATUS,
    "types": labels.TYPE,
}
_FILTERS = {
    "actions": "action",
    "actors": "who",
    "agents": "agent",
    "connections": "connection",
    "countries": "country",
    "kinds": "kind",
    "managed": "managed by",
    "providers": "provider",
    "search": "search",
    "since": "from",
    "statuses": "status",
    "tags": "tag",
    "tenants": "tenant",
    "types": "type",
    "until": "before",
}
_ORDER_RESULTS = (Action.ORDERS_CONFIRM, Action.ORDERS_FAIL, Action.ORDERS_UNCERTAIN)
_PLACES = {name: place for place, name in enumerate(FIELDS)}
_NUMBER = re.compile(r"\+?[0-9]{3,}")


@dataclass(frozen=True)
class Change:
    """One changed value as text. `before` is None where only the new value matters, `after` where only the old.

    For lists, what was `added` and `removed`.
    """

    name: str
    before: str | None = None
    after: str | None = None
    added: str = ""
    removed: str = ""

    @property
    def value(self) -> str:
        """The change of the value: `Sales → Support`."""
        if self.added or self.removed:
            parts = [f"added {self.added}" if self.added else "", f"removed {self.removed}" if self.removed else ""]
            return ", ".join(part for part in parts if part)
        if self.after is None:
            return f"was {self.before}"
        return self.after if self.before is None else f"{self.before} → {self.after}"

    @property
    def text(self) -> str:
        """The change as a line: `Label: Sales → Support`."""
        return f"{self.name}: {self.value}"


def action(key: str) -> str:
    """Return what was done: `changed the label`."""
    return ACTIONS.get(key, key)


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
    known = [Action(key) for key in sorted(keys) if key in set(Action)]
    return {key: f"{_NOUNS[key.split(':')[0]]}: {ACTIONS[key]}" for key in known}


def kind(key: str) -> str:
    """Return the kind of subject: `Number`."""
    return KINDS.get(key, _spelled(key))


def subject(row: AuditRow) -> str:
    """Return an event's subject, with numbers grouped for reading."""
    return numbering.display(row.subject) if row.subject_type in ("number", "order") else row.subject


def field(name: str) -> str | None:
    """Return the label of an event's field; None if it has none."""
    if _NUMBER.fullmatch(name):
        return numbering.display(name)
    return FIELDS.get(name) or _provider_fields_of().get(name)


def changes(row: AuditRow, zone: ZoneInfo) -> list[Change]:
    """Return every value of an event as text, with times in *zone*."""
    before, after = _flat(row.before, row.after), _flat(row.after, row.before)
    found = []
    for name in sorted({**before, **after}, key=_order):
        title = field(name) or _spelled(name)
        old, new = before.get(name), after.get(name)
        if name in _LABELS and row.subject in (old, new) and None in (old, new):
            continue  # already in the subject
        if name not in before or (name in after and old == new):
            found += [Change(title, after=_in_words(name, new, zone))] if not _is_nothing(new) else []
        elif name not in after:  # values of a deleted thing; beside other values they are no change
            found += [Change(title, before=_in_words(name, old, zone))] if not (after or _is_nothing(old)) else []
        elif isinstance(old, list) and isinstance(new, list) and old and new:
            more, fewer = [v for v in new if v not in old], [v for v in old if v not in new]
            found.append(Change(title, added=_listed(name, more, zone), removed=_listed(name, fewer, zone)))
        else:
            found.append(Change(title, _in_words(name, old, zone), _in_words(name, new, zone)))
    return found


def _order(name: str) -> tuple[int, str]:
    return (_PLACES.get(name, len(_PLACES)), name)


def _flat(values: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Return *values* with the provider's fields beside the others, and a price with its currency."""
    flat = dict(values)
    if "provider_fields" in flat:
        known = {**(others.get("provider_fields") or {}), **flat["provider_fields"]}
        flat |= {name: flat["provider_fields"].get(name) for name in known}
        del flat["provider_fields"]
    currency = flat.pop("currency", None)  # kept apart until 2026-11
    if flat.get("price"):
        amount, _, unit = flat["price"].partition(" ")
        flat["price"] = f"{labels.money(Money(Decimal(amount), unit or currency or ''))} a month"
    return flat


def _in_words(name: str, value: Any, zone: ZoneInfo) -> str:
    if _NUMBER.fullmatch(name):
        return _place(value)
    if _is_nothing(value):
        return _NOTHING.get(name, "—")
    if isinstance(value, dict):
        return _filtered(value, zone)
    if isinstance(value, list):
        return _listed(name, value, zone)
    if name in MEANINGS:
        return MEANINGS[name].text(value)
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    if name in _CHOICES:
        return _CHOICES[name].get(text, _spelled(text))
    if name in _COUNTRIES:
        return numbering.country_name(text)
    if name in _NUMBERS:
        return numbering.display(text)
    if name in ("provider", "providers"):
        return provider_named(text).name
    if name in _DAYS:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    if name in _INSTANTS:
        return f"{datetime.fromisoformat(text).astimezone(zone):%-d %b %Y, %H:%M %Z}"
    return text


def _listed(name: str, values: list[Any], zone: ZoneInfo) -> str:
    return ", ".join(_in_words(name, value, zone) for value in values)


def _place(value: Any) -> str:
    """Return a number's place in a pool, which is kept as `active, weight 1.5`."""
    if not value:
        return "not in the pool"
    status, *weight = str(value).split(", ")
    return ", ".join([_CHOICES["pool_status"].get(status, status), *weight])


def _filtered(filters: Mapping[str, Any], zone: ZoneInfo) -> str:
    parts = [f"{_FILTERS[name]} {_in_words(name, value, zone)}" for name, value in filters.items() if name in _FILTERS]
    return "; ".join(parts) or "none"


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [])


def _spelled(key: str) -> str:
    return key.replace("_", " ").capitalize()


@functools.cache
def _provider_fields_of() -> dict[str, str]:
    return {
        found.name: found.label
        for provider in all_providers()
        for found in (*provider.credential_fields, *provider.number_fields)
    }
