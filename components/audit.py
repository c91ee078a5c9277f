"""Changes from the audit log, told in words."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st

from components.page import exactly, when
from db.audit import AuditRow
from services import numbering
from services.connections import vendor

_ACTIONS = {
    "agents:activate": "activated the agent",
    "agents:add": "added the agent",
    "agents:deactivate": "deactivated the agent",
    "agents:rename": "renamed the agent",
    "audit:export": "downloaded the tenant audit",
    "campaigns:add": "added the campaign",
    "campaigns:add_numbers": "added numbers to the pool",
    "campaigns:edit": "changed the campaign",
    "campaigns:edit_pool": "changed a number's place in the pool",
    "campaigns:lose_number": "took the number out of a campaign",
    "campaigns:remove_number": "took a number out of the pool",
    "campaigns:set_primary": "changed the primary number",
    "connections:activate": "activated the connection",
    "connections:add": "added the connection",
    "connections:deactivate": "deactivated the connection",
    "connections:edit": "changed the connection",
    "connections:test": "tested the connection",
    "numbers:activate": "activated the number",
    "numbers:add": "added the number",
    "numbers:buy": "bought the number",
    "numbers:import": "imported the number",
    "numbers:release": "released the number",
    "numbers:resync": "took over what the provider has",
    "numbers:set_webhooks": "changed the webhooks at the provider",
    "numbers:assign_agent": "changed the inbound call agent",
    "numbers:deactivate": "deactivated the number",
    "numbers:edit_provider_fields": "changed the provider fields",
    "numbers:edit_tags_and_notes": "changed tags and notes",
    "numbers:put_back": "put the number back",
    "numbers:remove": "removed the number from the workspace",
    "numbers:rename": "changed the label",
    "numbers:restrict_inbound": "changed the allowed inbound countries",
    "numbers:restrict_outbound": "changed the allowed outbound countries",
    "numbers:set_connection": "changed the telephony connection",
}
_FIELDS = {
    "agent": "Inbound call agent",
    "allowed_inbound": "Allowed inbound countries",
    "allowed_outbound": "Allowed outbound countries",
    "connection": "Telephony connection",
    "default_country": "Default country",
    "label": "Label",
    "notes": "Notes",
    "provider": "Provider",
    "provider_sid": "SID",
    "status_callback": "Status callback",
    "voice_url": "Voice URL",
    "status": "Status",
    "tags": "Tags",
}


def told(action: str) -> str:
    """Return what was done in words, as they follow a name."""
    return _ACTIONS.get(action, action)


def history(rows: Sequence[AuditRow], zone: ZoneInfo) -> None:
    """Draw changes, newest first: who did what when, and each value before and after."""
    for row in rows:
        with st.container(gap=None):
            st.markdown(f"**{plain(row.actor)}** {told(row.action)}")
            st.caption(when(row.at, zone), help=exactly(row.at, zone))
            if row.before:
                st.caption("  \n".join(differences(row)))


def differences(row: AuditRow) -> list[str]:
    """Return each changed value in words: `Label: Sales → Support`."""
    return [
        f"{_FIELDS.get(name, name.replace('_', ' ').capitalize())}: {_value(name, row.before.get(name))}"
        f" → **{_value(name, row.after.get(name))}**"
        for name in row.before
    ]


def _value(name: str, value: Any) -> str:
    if name in ("allowed_inbound", "allowed_outbound"):
        return ", ".join(numbering.country_name(code) for code in value) or "no restriction"
    if name == "agent":
        return plain(value or "Unassigned")
    if name == "provider":
        return vendor(value).name
    if name == "status":
        return str(value).capitalize()
    if isinstance(value, dict):
        return plain(", ".join(f"{key.replace('_', ' ')} {text}" for key, text in value.items())) or "—"
    if isinstance(value, list):
        return plain(", ".join(value)) or "—"
    return plain(str(value)) if value else "—"


def plain(text: str) -> str:
    """Return *text* so that Markdown shows it as it is."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~<>$:" else c for c in text).replace("\n", " ")
