"""What can be done about numbers where their health is shown: they rest, leave their pools, or are released."""

from dataclasses import dataclass

import streamlit as st
from sqlmodel import Session

from components.jobs.previews import preview
from components.ui import selection
from components.ui.sections import Opener
from components.ui.selection import Selection
from db.health.number_health import HealthRow, IdleRow
from db.models import PoolStatus
from services.campaigns import bulk as pools
from services.campaigns import replacing
from services.core.access import Actor, Permission
from services.numbers.bulk import Chosen
from services.orders import bulk as orders
from services.text import numbering

_PLACE = "health_acts"
_REPLACE = "An active number of the same country that is in no pool takes its place."


@dataclass(frozen=True)
class Acts:
    """What *actor* can do about numbers; *opener* opens the sessions of a click."""

    actor: Actor
    opener: Opener

    def lines(self) -> Selection[HealthRow] | None:
        """Draw what can be done about the selected lines; return the selection, None for who may do nothing."""
        if self.actor.all_tenants or not self.actor.may(Permission.CAMPAIGNS_WRITE):
            return None
        chosen: Selection[HealthRow] = selection.held("health_lines")
        with st.container(horizontal=True, vertical_alignment="center"):
            if not selection.bar(chosen, "health_lines", lambda row: numbering.display(row.e164)):
                return chosen
            rest = st.button("Rest", icon=":material/bedtime:", key="health_rest", help="They are not called from.")
            switch = st.button("Replace", icon=":material/swap_horiz:", key="health_replace", help=_REPLACE)
            leave = st.button(":red[Remove from pool]", icon=":material/remove_circle:", key="health_leave")
        places = [(row.campaign_id, row.number_id) for row in chosen.rows.values()]

        def draft(session: Session) -> int:
            if rest:
                return pools.draft_status(session, self.actor, places, PoolStatus.COOLING)
            if switch:
                return replacing.draft(session, self.actor, places)
            return pools.draft_leave(session, self.actor, places)

        if rest or switch or leave:
            preview(self.opener, _PLACE, draft, chosen.clear)
        return chosen

    def idle(self) -> Selection[IdleRow] | None:
        """Draw the way to release selected idle numbers; return the selection, None for who may not."""
        if self.actor.all_tenants or not self.actor.may(Permission.NUMBERS_RELEASE):
            return None
        chosen: Selection[IdleRow] = selection.held("health_idle")
        with st.container(horizontal=True, vertical_alignment="center"):
            if not selection.bar(chosen, "health_idle", lambda row: numbering.display(row.e164)):
                return chosen
            release = st.button(":red[Release]", icon=":material/phone_disabled:", key="health_release")
        ids = tuple(row.number_id for row in chosen.rows.values())
        if release:
            preview(
                self.opener,
                _PLACE,
                lambda session: orders.draft_release(session, self.actor, Chosen(ids)),
                chosen.clear,
            )
        return chosen
