"""The list of tenants, and the dialogs that create, change and suspend one."""

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs, navigation
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, figure, link, text, time
from components.ui.listing.toolbar import Wanted
from components.ui.markdown import plain
from components.ui.page import BadgeColor
from db.audit.queries import AuditRow
from db.base.scope import Slice
from db.people.tenants import TenantQuery, TenantRow
from services.people import tenants
from services.text import labels

PLACE = "tenants"
_ACTIVE = {True: "Active", False: "Suspended"}
_BADGES: dict[str, BadgeColor] = {"Active": "green", "Suspended": "red", "No admin": "orange"}


def toolbar() -> tuple[TenantQuery, Wanted]:
    """Draw search and filters; return the query."""
    wanted = listing.toolbar(PLACE, "Search tenants...", [Filter("tenants_status", "Status", _ACTIVE)])
    return TenantQuery(wanted.text, wanted.active("tenants_status")), wanted


def columns(zone: ZoneInfo) -> list[Column[TenantRow]]:
    """Return the columns of tenants. A click on a name opens its dialog."""
    return [
        link("name", "Name", lambda row: row.name, lambda row: listing.open_row(PLACE, row.id)),
        badges("status", "Status", _status, _BADGES),
        figure("users", "Users", lambda row: f"{row.users:,}", help="Who can sign in"),
        figure("numbers", "Numbers", lambda row: f"{row.numbers:,}"),
        text("time_zone", "Time zone", lambda row: row.time_zone),
        time("created", "Created", lambda row: row.created_at, zone),
    ]


@st.dialog("Add tenant", on_dismiss="rerun")
def add(dialog: Dialog, work_in: Callable[[int], None] | None) -> None:
    """Open the dialog that adds a tenant; the one of the new tenant follows, which leads on.

    *work_in* chooses the new tenant in the sidebar, where the reader works in none yet.
    """
    with st.form("tenant_add", border=False):
        name, zone = _entered("new_tenant", "", "UTC")
        sent = dialogs.submit("Add tenant")
    if sent:

        def put(session: Session) -> None:
            added = tenants.create(session, dialog.actor, name, zone)
            listing.open_row(PLACE, added)
            if work_in is not None:
                work_in(added)

        dialog.do(put, f"{name.strip()} was added.")


def edit(session: Session, dialog: Dialog, tenant_id: int, work_in: Callable[[int], None]) -> None:
    """Open the dialog of one tenant. *work_in* chooses it in the sidebar."""
    found = tenants.get(session, dialog.actor, tenant_id)
    changes = tenants.history(session, dialog.actor, tenant_id, Slice(size=10))
    dialog.show(found.version)
    st.dialog(plain(found.name), on_dismiss="rerun")(_edit)(dialog, found, changes, work_in)


def _edit(dialog: Dialog, found: TenantRow, changes: Sequence[AuditRow], work_in: Callable[[int], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for status in _status(found):
            st.badge(status, color=_BADGES[status])
        counts = f"{labels.amount(found.numbers, 'number')} · {labels.amount(found.users, 'user')}"
        st.caption(counts, width="content")

    with st.form("tenant_edit", border=False):
        name, zone = _entered(f"tenant_{found.id}_{found.version}", found.name, found.time_zone)
        sent = dialogs.submit("Save")
    if sent:
        dialog.change(tenants.change, found.id, name, zone, done="Saved.", get=tenants.get)
    if found.suspended_at is None:
        users = "Its users" if found.admins else "Add the first admin"
        with st.container(horizontal=True):
            for label, icon, page, told in (
                (users, "group", navigation.USERS, "users"),
                ("Its connections", "cable", navigation.CONNECTIONS, "telephony connections"),
                ("Its numbers", "call", navigation.LIST, "phone numbers"),
            ):
                if st.button(label, icon=f":material/{icon}:", help=f"Selects this tenant and opens its {told}"):
                    work_in(found.id)
                    navigation.go_to(page)
    dialogs.history(changes, dialog.zone)
    st.divider()
    _suspend(dialog, found)


def _suspend(dialog: Dialog, found: TenantRow) -> None:
    change = partial(dialog.change, tenants.set_suspended, found.id, get=tenants.get)
    if found.suspended_at is not None:
        if st.button("Resume tenant", icon=":material/play_circle:"):
            change(False, done=f"{found.name} was resumed.")
        return
    with st.popover(":red[Suspend]", icon=":material/pause_circle:"):
        st.markdown(f"Users of **{plain(found.name)}** lose access immediately.")
        st.caption("Data is kept; its API keys stop working. You can resume the tenant at any time.")
        if st.button("Suspend tenant", type="primary"):
            change(True, done=f"{found.name} was suspended.")


def _entered(key: str, name: str, zone: str) -> tuple[str, str]:
    zones = sorted(available_timezones() | {zone})
    entered = st.text_input("Name", value=name, key=f"{key}_name", max_chars=80)
    return entered or "", st.selectbox("Time zone", zones, zones.index(zone), key=f"{key}_zone")


def _status(row: TenantRow) -> list[str]:
    return [_ACTIVE[row.suspended_at is None], *(["No admin"] if not row.admins else [])]
