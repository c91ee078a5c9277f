"""A campaign's page: its card, its pool with how each number does, and the dialogs that change the pool."""

from collections.abc import Mapping, Sequence
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.audit import history as audit
from components.campaigns.campaigns import PLACE, edit
from components.health.campaign_health import call_columns
from components.jobs.previews import preview
from components.ui import dialogs, navigation, notices, selection
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.table import Column, badges, button, figure, number, number_link, text
from components.ui.listing.table import table as draw
from components.ui.markdown import plain
from components.ui.page import empty_state, exactly, when
from components.ui.selection import Selection
from db.audit.queries import AuditRow
from db.base.scope import Slice
from db.campaigns import CampaignDetail, Candidate, PoolRow
from db.models import CampaignStatus, NumberStatus, PoolStatus
from services.campaigns import bulk, campaigns
from services.campaigns.campaigns import WINDOW
from services.text import labels, numbering

_POOL_COLORS = {
    PoolStatus.ACTIVE: "green",
    PoolStatus.PAUSED: "gray",
    PoolStatus.CAPPED: "orange",
    PoolStatus.COOLING: "outline",
    PoolStatus.SPAM_FLAGGED: "red",
    PoolStatus.REMOVED: "gray",
}
_INACTIVE = "Number inactive"
_CANDIDATES = "pool_candidates"
_POOL = "pool_selected"
_BADGES = {labels.POOL[status]: color for status, color in _POOL_COLORS.items()}
_BADGES |= {"Primary": "outline", _INACTIVE: "gray"}


def card(dialog: Dialog, campaign: CampaignDetail, *, with_tenant: bool, writes: bool) -> None:
    """Draw what the campaign is, and the way to change it."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                st.title(f":material/campaign: {plain(campaign.name)}", anchor=False, width="content")
                st.badge(
                    labels.CAMPAIGN[campaign.status],
                    color="green" if campaign.status is CampaignStatus.ACTIVE else "gray",
                )
            if writes and st.button("Edit campaign", icon=":material/edit:", key="campaign_edit"):
                edit(dialog, campaign)
        with st.container(horizontal=True, vertical_alignment="center"):
            if campaign.primary_number_id and campaign.primary_number:
                st.markdown("Primary number", width="content")
                navigation.link(
                    navigation.DETAIL,
                    label=numbering.display(campaign.primary_number),
                    icon=":material/call:",
                    query_params=navigation.number_query(campaign.primary_number_id, {"campaign": campaign.id}),
                )
            else:
                st.markdown("No primary number", width="content")
        parts = [
            labels.amount(campaign.pool, "number") + " in its pool",
            f"added {when(campaign.created_at, dialog.zone)}",
        ]
        if with_tenant:
            parts.insert(0, campaign.tenant)
        st.caption(plain(" · ".join(parts)), help=f"Added {exactly(campaign.created_at, dialog.zone)}")


def pool_header(dialog: Dialog, campaign: CampaignDetail, *, writes: bool) -> None:
    """Draw the title of the pool's table, and the way to add to it."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("Number pool health", anchor=False, width="content")
        if writes and campaign.pool:
            _add_button(dialog, campaign, "pool_add")


def pager(campaign: CampaignDetail) -> Slice:
    """Draw the pager of the pool; return the part to show."""
    return listing.pager(campaign.pool, "number", prefix="pool_")


def pool(
    dialog: Dialog,
    campaign: CampaignDetail,
    rows: Sequence[PoolRow],
    weights: Mapping[tuple[int, int], float],
    *,
    writes: bool,
) -> None:
    """Draw the numbers of the pool, with our *weights* where the dialer has none.

    A click on one opens it, a click on the pencil its place in the pool.
    """
    columns: list[Column[PoolRow]] = [
        number_link(lambda row: row.number_id, left={"campaign": campaign.id}),
        text("name", "Name", lambda row: row.label or "—"),
        badges("status", "Pool status", _badges, _BADGES),
        *call_columns(),
        text("by", "Answered by", labels.answered_by, help="Whether the rate counts machines"),
        figure(
            "weight",
            "Weight",
            lambda row: labels.weight(row.weight, weights.get((campaign.id, row.number_id))),
            help=labels.WEIGHT,
        ),
    ]
    if writes:
        columns.append(
            button(
                "edit",
                "Edit",
                "edit",
                lambda row: listing.open_row(PLACE, row.number_id),
                lambda row: f"Edit {numbering.display(row.e164)} in the pool",
            )
        )
    ticked: Selection[PoolRow] | None = selection.held(f"{_POOL}_{campaign.id}") if writes else None
    if ticked is not None:
        _pool_bar(dialog, campaign, ticked)
    draw("Number pool health", rows, columns, key="pool_table", of=lambda row: row.number_id, selection=ticked)
    st.caption(
        f"Calls of the last {WINDOW} full days. Attempts reached the carrier. Answered by: "
        f"{labels.answered_by(*rows)}"
        " in the rows shown."
    )


def _pool_bar(dialog: Dialog, campaign: CampaignDetail, ticked: Selection[PoolRow]) -> None:
    """Draw what can be done to the numbers of the pool that are ticked, once some are."""
    if not ticked.rows and ticked.query is None:
        return
    count = campaign.pool - len(ticked.but) if ticked.query else len(ticked.rows)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="pool_bar"):
        st.markdown(f"**{labels.amount(count, 'number')} selected**", width="content")
        if ticked.query is None and campaign.pool > len(ticked.rows):
            label = f"Select all {campaign.pool:,}"
            st.button(label, key="pool_all", type="tertiary", on_click=ticked.take_all, args=(campaign.id,))
        st.button("Clear selection", key="pool_clear", type="tertiary", on_click=ticked.clear)
        status = st.menu_button(
            "Set pool status", campaigns.SETTABLE, key="pool_status", format_func=lambda one: labels.POOL[one]
        )
        leave = st.button(":red[Remove from pool]", icon=":material/remove_circle:", key="pool_remove")

    def draft(session: Session) -> int:
        places = _places(session, dialog, campaign.id, ticked)
        if status:
            return bulk.draft_status(session, dialog.actor, places, status)
        return bulk.draft_leave(session, dialog.actor, places)

    if status or leave:
        preview(dialog.opener, PLACE, draft, ticked.clear)


def _places(session: Session, dialog: Dialog, campaign_id: int, ticked: Selection[PoolRow]) -> list[tuple[int, int]]:
    if ticked.query is None:
        return [(campaign_id, int(str(one))) for one in ticked.rows]
    every = bulk.everything_in_pool(session, dialog.actor, campaign_id)
    return [place for place in every if place[1] not in ticked.but]


def empty_pool(dialog: Dialog, campaign: CampaignDetail, *, writes: bool) -> None:
    """Draw what to do about a pool without numbers."""
    with empty_state("No numbers in the pool yet. Add the numbers that the campaign calls from.", "call"):
        if writes:
            _add_button(dialog, campaign, "pool_add_first")


def history(rows: Sequence[AuditRow], zone: ZoneInfo) -> None:
    """Draw the campaign's changes, or that there are none."""
    st.subheader("History", anchor=False)
    if rows:
        audit.history(rows, zone)
    else:
        st.caption("No changes yet.")


def edit_place(dialog: Dialog, campaign: CampaignDetail, row: PoolRow) -> None:
    """Open the dialog of a number's place in the pool."""
    dialog.show(campaign.version)
    st.dialog(numbering.display(row.e164), on_dismiss="rerun")(_edit_place)(dialog, campaign, row)


def _edit_place(dialog: Dialog, campaign: CampaignDetail, row: PoolRow) -> None:
    prefix = f"place_{row.number_id}_{campaign.version}"
    change = partial(dialog.change, get=campaigns.get)
    with st.form("place_edit", border=False):
        status = st.selectbox(
            "Pool status",
            campaigns.SETTABLE,
            index=campaigns.SETTABLE.index(row.pool_status),
            format_func=lambda value: labels.POOL[value],
            key=f"{prefix}_status",
        )
        weight = st.number_input(
            "Weight (optional)",
            min_value=0.0,
            max_value=campaigns.LARGEST_WEIGHT,
            value=row.weight,
            step=0.1,
            format="%.2f",
            key=f"{prefix}_weight",
            placeholder="None",
            help="How often this number is used relative to the pool.",
        )
        sent = dialogs.submit("Save")
    if sent:
        change(campaigns.edit_place, campaign.id, row.number_id, status, weight, done="Saved.")
    st.divider()
    number = numbering.display(row.e164)
    with st.container(horizontal=True):
        primary = None if row.is_primary else row.number_id
        if st.button(
            "Remove as primary number" if row.is_primary else "Make primary number",
            icon=":material/star:",
            key="place_primary",
        ):
            done = f"{number} is {'no longer' if row.is_primary else 'now'} the primary number."
            change(campaigns.set_primary, campaign.id, primary, done=done)
        with st.popover(":red[Remove from pool]", icon=":material/remove_circle:"):
            also = " It is the primary number; the campaign will have no primary number." if row.is_primary else ""
            st.markdown(f"The campaign no longer calls from {plain(number)}.{also}")
            st.caption("Its calls stay on record. It can be added again.")
            if st.button(":red[Remove]", key="place_remove"):
                done = f"{number} was removed from the pool."
                change(campaigns.remove_number, campaign.id, row.number_id, done=done)


def _add_button(dialog: Dialog, campaign: CampaignDetail, key: str) -> None:
    if st.button("Add numbers", icon=":material/add:", type="primary", key=key):
        selection.held(_CANDIDATES).clear()
        dialog.show(campaign.version)
        _add_numbers(dialog, campaign)


@st.dialog("Add numbers to the pool", width="medium", on_dismiss="rerun")
def _add_numbers(dialog: Dialog, campaign: CampaignDetail) -> None:
    typed = st.text_input(
        "Search numbers",
        key="pool_candidate_search",
        type="search",
        placeholder="Part of a number or of a label",
        live=True,
        max_chars=100,
    )
    found: list[Candidate] = []

    def look() -> str:
        with dialog.opener() as session:
            found.extend(campaigns.candidates(session, dialog.actor, campaign.id, typed or ""))
        return ""

    if notices.outcome(look, "pool_search") is not None:
        notices.show_kept("pool_search")
        return
    ticked = selection.held(_CANDIDATES)
    if not found:
        ticked.shown = frozenset()
    if len((typed or "").strip()) < campaigns.SHORTEST_SEARCH:
        st.caption(
            f"Type at least {campaigns.SHORTEST_SEARCH} characters. Active numbers that are not in the pool appear."
        )
    elif not found:
        st.caption("No active number outside the pool matches.")
    else:
        _candidates(ticked, found)
    chosen: list[Candidate] = list(ticked.rows.values())
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        fits = selection.bar(ticked, _CANDIDATES, lambda row: numbering.display(row.e164), most=campaigns.MOST_AT_ONCE)
        label = f"Add {labels.amount(len(chosen), 'number')}" if chosen else "Add numbers"
        if st.button(label, type="primary", disabled=not fits, key="pool_add_chosen"):
            ids = [row.id for row in chosen]
            done = f"{labels.amount(len(ids), 'number')} added to the pool."
            dialog.change(campaigns.add_numbers, campaign.id, ids, done=done, get=campaigns.get)


def _candidates(ticked: Selection[Candidate], found: list[Candidate]) -> None:
    columns: list[Column[Candidate]] = [
        number("number", lambda row: numbering.display(row.e164)),
        text("name", "Name", lambda row: row.label or "—"),
        text("country", "Country", lambda row: numbering.country(row.country) if row.country else "—"),
    ]
    draw(
        "Numbers that can be added",
        found,
        columns,
        key=f"{_CANDIDATES}_table",
        of=lambda row: row.id,
        selection=ticked,
        rows_seen=10,
    )
    if len(found) == campaigns.MOST_CANDIDATES:
        st.caption(f"The first {campaigns.MOST_CANDIDATES} are shown. Type more to see others.")


def _badges(row: PoolRow) -> list[str]:
    badges = [labels.POOL[row.pool_status]]
    if row.is_primary:
        badges.append("Primary")
    if row.number_status is not NumberStatus.ACTIVE:
        badges.append(_INACTIVE)
    return badges
