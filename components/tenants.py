"""The tenants of the installation: a line each, created, changed, suspended."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st
from sqlmodel import Session

from components.audit import plain
from components.page import exactly, outcome, said, when
from services import tenants, words
from services.access import Actor
from services.tenants import TenantRow


@dataclass(frozen=True)
class Tenants:
    """Manages tenants as *actor*. *opener* opens the session in which something is written."""

    actor: Actor
    zone: ZoneInfo
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, rows: Sequence[TenantRow]) -> None:
        """Draw every tenant, with what can be done."""
        said("tenants")
        for row in rows:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                with st.container(gap=None, width="stretch"):
                    st.markdown(f"**{plain(row.name)}** · {plain(row.time_zone)}")
                    counts = f"{words.amount(row.numbers, 'number')} · {words.amount(row.users, 'user')}"
                    told = f"{counts} · created {when(row.created_at, self.zone)}"
                    st.caption(told, help=exactly(row.created_at, self.zone))
                if row.suspended_at is not None:
                    st.badge("Suspended", color="red")
                if st.button("Edit", key=f"edit_tenant_{row.id}", icon=":material/edit:"):
                    self.edit(row)

    @st.dialog("Tenant")
    def edit(self, row: TenantRow | None) -> None:
        """Ask for a new tenant, or for changes of one."""
        zones = sorted(available_timezones())
        zone = row.time_zone if row else "UTC"
        with st.form("tenant", border=False):
            st.text_input("Name", value=row.name if row else "", key="tenant_name")
            st.selectbox("Time zone", zones, index=zones.index(zone), key="tenant_zone")
            saved = st.form_submit_button("Save", type="primary", on_click=lambda: self._save(row))
        said("tenant")
        done = st.session_state.pop("tenant_saved", False)
        if row is not None:
            label = "Let its users in again" if row.suspended_at else ":red[Suspend]"
            if st.button(label, on_click=lambda: self._suspend(row)):
                st.rerun()
            st.caption("A suspended tenant keeps everything; its users are out of it on their next click.")
        if saved and done:
            st.rerun()

    def _save(self, row: TenantRow | None) -> None:
        state = st.session_state

        def save() -> str:
            with self.opener() as session:
                if row is None:
                    tenants.create(session, self.actor, state["tenant_name"], state["tenant_zone"])
                else:
                    tenants.change(
                        session, self.actor, row.id, state["tenant_name"], state["tenant_zone"], version=row.version
                    )
            st.cache_data.clear()
            state["tenant_saved"] = True
            return ""

        outcome(save, "tenant")

    def _suspend(self, row: TenantRow) -> None:
        def suspend() -> str:
            with self.opener() as session:
                tenants.set_suspended(session, self.actor, row.id, row.suspended_at is None)
            st.cache_data.clear()
            return f"{row.name} is {'suspended' if row.suspended_at is None else 'open again'}."

        outcome(suspend, "tenants")
