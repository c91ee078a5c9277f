"""The list of telephony connections, and the dialogs that add, change, test and delete one."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs, notices
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, link, numbers, text
from components.ui.listing.toolbar import ACTIVE, Wanted
from components.ui.markdown import plain
from components.ui.page import exactly, when
from db.audit.queries import AuditRow
from db.base.scope import Slice
from db.connections import ConnectionQuery, ListedConnection, Uses
from providers.base import Capability, Field, Provider
from services.audit import audit
from services.connections import connection_tests, connections
from services.connections.connections import ConnectionDetail, ConnectionValues, provider_named
from services.core.access import Permission
from services.text import labels, numbering

PLACE = "connections"
_BADGES = {"Active": "green", "Inactive": "gray", "Sandbox": "outline"}
_NO_COUNTRY = ""


def toolbar() -> tuple[ConnectionQuery, Wanted]:
    """Draw search and filters; return the query."""
    wanted = listing.toolbar(
        PLACE,
        "Search connections...",
        [
            Filter("connections_status", "Status", ACTIVE),
            Filter("connections_provider", "Provider", {v.key: v.name for v in connections.all_providers()}),
            Filter("connections_test", "Last test", labels.TESTED),
        ],
    )
    query = ConnectionQuery(
        wanted.text,
        wanted.active("connections_status"),
        tuple(wanted.chosen["connections_provider"]),
        tuple(wanted.chosen["connections_test"]),
        connection_tests.testable(),
    )
    return query, wanted


def columns(with_tenant: bool, zone: ZoneInfo) -> list[Column[ListedConnection]]:
    """Return the columns of connections. A click on a name opens its dialog."""
    return [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        badges("status", "Status", _status, _BADGES),
        text("provider", "Provider", lambda row: provider_named(row.provider).name),
        text("country", "Default country", _country),
        numbers("connection", with_tenant=with_tenant),
        text("test", "Last test", lambda row: _tested(row, zone), hover=lambda row: exactly(row.tested_at, zone)),
    ]


def _status(row: ListedConnection) -> list[str]:
    return [ACTIVE[row.is_active], *(["Sandbox"] if row.is_sandbox else [])]


def _country(row: ListedConnection) -> str:
    return numbering.country(row.default_country) if row.default_country else "—"


@st.dialog("Add connection", width="medium", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds a connection."""
    providers = {provider.key: provider for provider in connections.all_providers()}
    chosen = st.selectbox(
        "Provider",
        list(providers),
        format_func=lambda key: providers[key].name,
        key="connection_provider",
        index=None,
        placeholder="Choose a provider",
    )
    if chosen is None:
        st.caption("Each provider needs its own credentials.")
        return
    provider = providers[chosen]
    if provider.limits:
        st.caption(f":material/info: {provider.limits}")
    with st.form("connection_add", border=False):
        values = _entered(provider, f"new_{provider.key}", None)
        sent = dialogs.submit("Add connection")
    if sent:

        def put(session: Session) -> None:
            added = connections.add(session, dialog.actor, provider.key, values)
            if connection_tests.can_test(provider):
                listing.open_row(PLACE, added)

        dialog.do(put, f"{values.name.strip()} was added.")


def edit(session: Session, dialog: Dialog, connection_id: int) -> None:
    """Open the dialog of one connection."""
    found = connections.get(session, dialog.actor, connection_id)
    uses = connections.uses(session, dialog.actor, found.id)
    changes = audit.history(session, dialog.actor, "connection", found.id, Slice(size=10))
    dialog.show(found.version)
    st.dialog(plain(found.name), width="large", on_dismiss="rerun")(_edit)(dialog, found, uses, changes)


def _edit(dialog: Dialog, found: ConnectionDetail, uses: Uses, changes: Sequence[AuditRow]) -> None:
    provider = provider_named(found.provider)
    writes = dialog.actor.may(Permission.CONNECTIONS_WRITE)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(ACTIVE[found.is_active], color="green" if found.is_active else "gray")
        st.badge(plain(provider.name), color="gray")
        if found.is_sandbox:
            st.badge("Sandbox", color="blue", help="Uses the sandbox, not the real provider.")
        text = connections.usage(uses)
        st.caption(f"Used by {text}" if text else "Not in use", width="content")
    _test(dialog, found, provider, writes=writes)
    if not writes:
        _read_only(found, provider)
        dialogs.history(changes, dialog.zone)
        return
    with st.form("connection_edit", border=False):
        values = _entered(provider, f"connection_{found.id}_{found.version}", found)
        sent = dialogs.submit("Save")
    if sent:
        dialog.change(connections.edit, found.id, values, done="Saved.", get=connections.get)
    dialogs.history(changes, dialog.zone)
    st.divider()
    _put_away(dialog, found, uses)


def _test(dialog: Dialog, found: ConnectionDetail, provider: type[Provider], *, writes: bool) -> None:
    testable = connection_tests.can_test(provider)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        latest = st.empty()
        place = st.container(width="content")
    if found.tested_at:
        mark = "check_circle" if found.test_passed else "error"
        color = "green" if found.test_passed else "red"
        latest.markdown(
            f":{color}[:material/{mark}: {'Passed' if found.test_passed else 'Failed'}] "
            f"{when(found.tested_at, dialog.zone)} · {plain(found.test_result or '')}",
            help=exactly(found.tested_at, dialog.zone),
        )
    elif testable:
        latest.caption("Not tested since its credentials were set.")
    else:
        latest.caption(f"Cannot be tested: {provider.limits}")
    if not (writes and testable):
        return
    if place.button("Test connection", icon=":material/wifi_tethering:", key="connection_test"):

        def ask() -> str:
            with dialog.opener() as session:
                result = connection_tests.test(session, dialog.actor, found.id)
            color, mark, word = ("green", "check_circle", "Passed") if result.passed else ("red", "error", "Failed")
            latest.markdown(f":{color}[:material/{mark}: {word}] just now · {plain(result.message)}")
            return ""

        with st.spinner(f"Testing with {plain(provider.name)}…"):
            notices.outcome(ask, "connection_test")
        notices.show_kept("connection_test")


def _entered(provider: type[Provider], prefix: str, found: ConnectionDetail | None) -> ConnectionValues:
    """Draw the inputs of a connection; return what is in them."""
    left, right = st.columns(2)
    name = left.text_input("Name", value=found.name if found else "", key=f"{prefix}_name", max_chars=80)
    countries = [_NO_COUNTRY, *numbering.countries()]
    known = (found.default_country if found else provider.default_country) or _NO_COUNTRY
    country = right.selectbox(
        "Default country",
        countries,
        index=countries.index(known) if known in countries else 0,
        format_func=lambda code: numbering.country(code) if code else "None",
        key=f"{prefix}_country",
        help="Numbers without + are read as numbers of this country.",
    )
    voice = status = ""
    if provider.can(Capability.SET_WEBHOOKS):
        left, right = st.columns(2)
        with left:
            known = found.voice_url if found else ""
            voice = _url("Voice URL", f"{prefix}_voice", known, "Called when a call comes in.")
        with right:
            known = found.status_callback_url if found else ""
            status = _url("Status Callback URL", f"{prefix}_status", known, "Called when the status of a call changes.")
    entered: dict[str, str] = {}
    forget: list[str] = []
    if provider.credential_fields:
        st.markdown("**Credentials**")
        st.caption("Encrypted at rest. A secret is never shown again.")
    columns = st.columns(2)
    for place, field in enumerate(provider.credential_fields):
        if place and place % 2 == 0:  # a row of its own, so that on a narrow screen the order holds
            columns = st.columns(2)
        with columns[place % 2]:
            entered[field.name] = _credential(field, f"{prefix}_credential_{field.name}", found)
        if _can_be_forgotten(field, found) and st.checkbox(
            f"Remove the stored {plain(field.label)}", key=f"{prefix}_no_{field.name}"
        ):
            forget.append(field.name)
    return ConnectionValues(name, country or None, voice, status, entered, tuple(forget))


def _credential(field: Field, key: str, found: ConnectionDetail | None) -> str:
    label = plain(field.label if field.required or field.either else f"{field.label} (optional)")
    if not field.secret:
        known = found.plain.get(field.name, "") if found else ""
        return st.text_input(
            label, value=known, key=key, help=field.help or None, placeholder=field.placeholder or None
        )
    is_set = found is not None and field.name in found.stored
    return st.text_input(
        label,
        key=key,
        type="password",
        autocomplete="new-password",
        placeholder="Saved. Leave empty to keep it" if is_set else "Not set",
        help=field.help or None,
    )


def _can_be_forgotten(field: Field, found: ConnectionDetail | None) -> bool:
    return field.secret and not field.required and found is not None and field.name in found.stored


def _url(label: str, key: str, value: str, hint: str) -> str:
    return st.text_input(label, value=value, key=key, placeholder="https://", max_chars=500, help=hint)


def _read_only(found: ConnectionDetail, provider: type[Provider]) -> None:
    fields = {"Default country": numbering.country(found.default_country) if found.default_country else ""}
    if provider.can(Capability.SET_WEBHOOKS):
        fields |= {"Voice URL": found.voice_url, "Status Callback URL": found.status_callback_url}
    fields |= {field.label: "Set" if field.name in found.stored else "Not set" for field in provider.credential_fields}
    for name, value in fields.items():
        with st.container(gap=None):
            st.caption(plain(name))
            st.markdown(plain(value) if value else "—")


def _put_away(dialog: Dialog, found: ConnectionDetail, uses: Uses) -> None:
    """Draw the buttons that activate, deactivate and delete a connection, with what depends on it."""

    def say_what_follows() -> None:
        st.markdown(_depends(uses))
        st.caption("It can no longer be chosen for new numbers. You can activate it again.")

    with st.container(horizontal=True):
        dialog.switch("connection", found, connections.set_active, connections.get, say_what_follows)
        with st.popover(":red[Delete]", icon=":material/delete:", disabled=uses.any, help=_why_not(uses)):
            st.markdown("This connection is not in use. It is deleted with its credentials; this cannot be undone.")
            if st.button(":red[Delete connection]", icon=":material/delete:", key="connection_delete"):
                dialog.change(connections.delete, found.id, done=f"{found.name} was deleted.", get=connections.get)


def _depends(uses: Uses) -> str:
    if not uses.numbers and not uses.open_orders:
        return "Nothing in use depends on it."
    parts = [labels.amount(uses.numbers, "number")] if uses.numbers else []
    if uses.open_orders:
        parts.append(f"{labels.amount(uses.open_orders, 'order')} still open")
    one = uses.numbers + uses.open_orders == 1
    return f"**{' and '.join(parts)}** {'depends on it and keeps it' if one else 'depend on it and keep it'}."


def _why_not(uses: Uses) -> str | None:
    return f"In use, so it cannot be deleted: {connections.usage(uses)}." if uses.any else None


def _tested(row: ListedConnection, zone: ZoneInfo) -> str:
    if row.tested_at is None:
        return "—"
    return f"{'Passed' if row.test_passed else 'Failed'} {when(row.tested_at, zone)}"
