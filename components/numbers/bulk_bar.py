"""What can be done to the numbers that are selected in the list: each choice leads to a preview."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st
from sqlmodel import Session

from components.jobs.previews import preview
from components.numbers import number_fields
from components.numbers.number_fields import NO_RESTRICTION
from components.ui import notices, selection
from components.ui.dialogs import submit
from components.ui.markdown import plain
from components.ui.selection import Selection
from db.base.scope import Slice
from db.numbers.matching import NumberQuery, Sort
from db.numbers.rows import ListedNumber
from services import agents
from services.campaigns import bulk as pools
from services.campaigns import campaigns
from services.campaigns.campaigns import CampaignQuery
from services.connections import connections
from services.core.access import Actor, Permission
from services.jobs.kinds import JobKind
from services.numbers import bulk, moving, numbers
from services.numbers.bulk import Chosen
from services.orders import bulk as orders
from services.text import labels

_Values = Callable[[], dict[str, Any]]
"""Returns what was typed into a form, once it is sent."""

_MOST_CAMPAIGNS = 500
_KEY = "selected_numbers"
_PLACE = "bulk"


def _selected(query: NumberQuery) -> Selection[ListedNumber]:
    """Return what this tab has selected. All that match are let go when the filters say something else."""
    found = selection.held(_KEY)
    if found.query is not None and found.query != replace(query, sort=Sort.NEWEST):
        found.clear()
    return found


def bar(
    actor: Actor,
    opener: Callable[[], AbstractContextManager[Session]],
    query: NumberQuery,
    total: int,
    limit: int | None,
) -> Selection[ListedNumber] | None:
    """Draw the bar over the list, where the reader may change numbers; return what is selected."""
    if actor.all_tenants or not actor.may(Permission.NUMBERS_WRITE):
        return None
    chosen = _selected(query)
    Bar(actor, opener, query, total, is_capped=limit is not None and total > limit).draw(chosen)
    return chosen


@dataclass(frozen=True)
class Bar:
    """The bar over the list: how many are selected of the *total* that matches, and what can be done to them."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]
    query: NumberQuery
    total: int
    is_capped: bool = False

    def draw(self, chosen: Selection[ListedNumber]) -> None:
        """Draw the bar, once something is selected."""
        amount = self._amount(chosen)
        notices.show_kept(_PLACE)
        if not amount:
            return
        with st.container(border=True, gap="small", key="bulk_bar"):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{plain(amount)} selected**", width="content")
                if chosen.query is None and self.total > len(chosen.rows):
                    every = "Select all that match" if self.is_capped else f"Select all {self.total:,}"
                    st.button(every, key="bulk_all", type="tertiary", on_click=self._take_all, args=(chosen,))
                st.button("Clear selection", key="bulk_clear", type="tertiary", on_click=chosen.clear)
            with st.container(horizontal=True, vertical_alignment="center"):
                able = [action for action in _ACTIONS if self.actor.may(action.kind.permission)]
                for action in able:
                    title = plain(action.kind.title)
                    label = f":red[{title}]" if action.kind.confirmed else title
                    icon = f":material/{action.icon}:"
                    if not action.is_rare and st.button(label, icon=icon, key=f"bulk_{action.kind.name}"):
                        self._open(action, chosen, amount)
                rare = {action.kind.title: action for action in able if action.is_rare}
                if rare and (found := st.menu_button("More", list(rare), key="bulk_more", format_func=plain)):
                    self._open(rare[found], chosen, amount)

    def _amount(self, chosen: Selection[ListedNumber]) -> str:
        if chosen.query is None:
            return labels.amount(len(chosen.rows), "number") if chosen.rows else ""
        if not self.is_capped:
            return labels.amount(max(self.total - len(chosen.but), 0), "number")
        return "All that match" + (f" but {len(chosen.but):,}" if chosen.but else "")

    def _take_all(self, chosen: Selection[ListedNumber]) -> None:
        chosen.take_all(replace(self.query, sort=Sort.NEWEST))

    def _open(self, action: "_Action", chosen: Selection[ListedNumber], amount: str) -> None:
        if action.ask is None:
            self._preview(action, {}, chosen)
            return
        title = plain(f"{action.kind.title} · {amount}")
        st.dialog(title, on_dismiss="rerun")(self._ask)(action, chosen)

    def _ask(self, action: "_Action", chosen: Selection[ListedNumber]) -> None:
        assert action.ask
        with st.form(f"bulk_form_{action.kind.name}", border=False):
            values = action.ask(self)
            sent = submit("Preview")
        if sent:
            self._preview(action, values(), chosen)

    def _preview(self, action: "_Action", values: Mapping[str, Any], chosen: Selection[ListedNumber]) -> None:
        ids, but = (tuple(int(str(one)) for one in some) for some in (chosen.rows, chosen.but))
        numbers_chosen = Chosen(ids, chosen.query, frozenset(but))
        preview(
            self.opener,
            _PLACE,
            lambda session: action.draft(session, self.actor, numbers_chosen, **values),
            chosen.clear,
        )

    def agents(self) -> _Values:
        """Ask for an agent."""
        with self.opener() as session:
            names = number_fields.agent_names(agents.choices(session, self.actor))
        number_fields.agent_choice("bulk_agent", names)
        return lambda: {"agent_id": number_fields.chosen_agent("bulk_agent")}

    def countries(self) -> _Values:
        """Ask for countries."""
        number_fields.country_choice("Countries", "bulk_countries")
        st.caption(f"It replaces what each number allows now. {NO_RESTRICTION}")
        return lambda: {"countries": st.session_state["bulk_countries"]}

    def tags(self) -> _Values:
        """Ask for tags, known or new."""
        with self.opener() as session:
            known = numbers.tags(session, self.actor)
        st.multiselect(
            "Tags", known, key="bulk_tags", accept_new_options=True, placeholder="Choose or type tags", select_all=False
        )
        return lambda: {"tags": st.session_state["bulk_tags"]}

    def reason(self) -> _Values:
        """Ask for a reason."""
        st.text_input("Reason (optional)", key="bulk_reason", placeholder="It is kept in the history of each number")
        return lambda: {"reason": st.session_state["bulk_reason"] or ""}

    def connection(self) -> _Values:
        """Ask for a connection, and what its provider needs of a number."""
        with self.opener() as session:
            found = connections.choices(session, self.actor)
        chosen = number_fields.connection_choice("bulk_connection", number_fields.connection_names(found))
        st.caption("Only numbers that were not bought or imported through a connection can be moved.")
        return lambda: {"connection_id": chosen, "provider_fields": {}}

    def campaign(self) -> _Values:
        """Ask for a campaign."""
        with self.opener() as session:
            found = campaigns.search(session, self.actor, CampaignQuery(), Slice(1, _MOST_CAMPAIGNS))
        names = {row.id: row.name for row in found}
        chosen = st.selectbox(
            "Campaign", list(names), format_func=lambda one: names[one], key="bulk_campaign", index=None
        )
        return lambda: {"campaign_id": chosen or 0}

    def tenant(self) -> _Values:
        """Ask for a connection of another tenant."""
        everywhere = replace(self.actor, tenant_id=None, all_tenants=True)
        with self.opener() as session:
            own = {row.id for row in connections.choices(session, self.actor)}
            found = [row for row in connections.choices(session, everywhere) if row.id not in own]
        names = {row.id: f"{row.tenant} · {row.name}" for row in sorted(found, key=lambda row: (row.tenant, row.name))}
        chosen = st.selectbox(
            "Tenant and connection", list(names), format_func=lambda one: names[one], key="bulk_tenant", index=None
        )
        return lambda: {"connection_id": chosen or 0}

    def routing(self) -> _Values:
        """Say what is replaced, and ask whether trunks and applications may lose the calls."""
        st.markdown(
            "Voice URL and status callback of each number's connection are set at its provider. The preview reads what "
            "is there now; it is kept, and can be restored from each number's page."
        )
        st.checkbox("Also take calls from trunks and voice applications", key="bulk_routing")
        return lambda: {"stop_routing": st.session_state["bulk_routing"]}


@dataclass(frozen=True)
class _Action:
    """Something that can be done to many: its kind of job, its icon, what drafts it, and what is asked first, if any.

    What is done but rarely stands in a menu.
    """

    kind: JobKind
    icon: str
    draft: Callable[..., int]
    ask: Callable[[Bar], _Values] | None = None
    is_rare: bool = False


def _edit(name: str, icon: str, ask: Callable[[Bar], _Values] | None = None, *, is_rare: bool = False) -> _Action:
    return _Action(bulk.EDITING[name], icon, partial(bulk.draft, name), ask, is_rare)


_ACTIONS: Sequence[_Action] = (
    _edit("assign_agent", "support_agent", Bar.agents),
    _edit("add_tags", "new_label", Bar.tags),
    _edit("activate", "play_circle"),
    _edit("deactivate", "pause_circle", Bar.reason),
    _edit("remove_tags", "label_off", Bar.tags, is_rare=True),
    _edit("restrict_inbound", "call_received", Bar.countries, is_rare=True),
    _edit("restrict_outbound", "call_made", Bar.countries, is_rare=True),
    _edit("set_connection", "cable", Bar.connection, is_rare=True),
    _Action(pools.JOINING, "campaign", pools.draft_join, Bar.campaign, is_rare=True),
    _Action(orders.SETTING_WEBHOOKS, "webhook", orders.draft_webhooks, Bar.routing, is_rare=True),
    _Action(moving.MOVING, "move_up", moving.draft, Bar.tenant, is_rare=True),
    _Action(orders.RELEASING, "phone_disabled", orders.draft_release),
    _edit("remove", "delete"),
)
