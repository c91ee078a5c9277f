"""The list of campaigns, and the dialogs that add one or change its name and status."""

from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import dialogs, navigation
from components.ui.dialogs import Dialog
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, figure, link, number, text, time
from components.ui.listing.toolbar import Wanted
from db.campaigns import CampaignDetail, CampaignQuery, CampaignSort
from db.models import CampaignStatus
from services.campaigns import campaigns
from services.text import labels, numbering

PLACE = "campaigns"
_BADGES = {word: "green" if status is CampaignStatus.ACTIVE else "gray" for status, word in labels.CAMPAIGN.items()}
_SORTS = {CampaignSort.NAME: "By name", CampaignSort.NEWEST: "Newest first"}
_ADDED = "campaign_added"


def toolbar() -> tuple[CampaignQuery, Wanted]:
    """Draw search, filters and sort; return the query."""
    offered = [
        Filter("campaigns_status", "Status", labels.CAMPAIGN),
        Filter("campaigns_attention", "Attention", labels.TROUBLE),
    ]
    wanted = listing.toolbar(PLACE, "Search campaigns...", offered, _SORTS)
    status, trouble = (tuple(wanted.chosen[item.key]) for item in offered)
    return CampaignQuery(wanted.text, status, trouble, wanted.sort), wanted


def columns(with_tenant: bool, zone: ZoneInfo) -> list[Column[CampaignDetail]]:
    """Return the columns of campaigns. A click on a name opens it."""
    return [
        link(
            "name",
            "Campaign",
            lambda row: row.name,
            lambda row: navigation.open_campaign(row.id),
            address=lambda row: navigation.campaign_address(row.id),
            sorts={CampaignSort.NAME: "ascending"},
        ),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        badges("status", "Status", lambda row: [labels.CAMPAIGN[row.status]], _BADGES),
        number("primary", _primary, title="Primary number"),
        figure("pool", "Numbers in pool", lambda row: f"{row.pool:,}"),
        time("created", "Created", lambda row: row.created_at, zone, sorts={CampaignSort.NEWEST: "descending"}),
    ]


def _primary(row: CampaignDetail) -> str:
    return numbering.display(row.primary_number) if row.primary_number else "—"


@st.dialog("Add campaign", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds a campaign."""
    with st.form("campaign_add", border=False):
        name, status = _entered("new_campaign", "", CampaignStatus.DRAFT)
        sent = dialogs.submit("Add campaign")
    if sent:

        def put(session: Session) -> None:
            st.session_state[_ADDED] = campaigns.add(session, dialog.actor, name, status)

        dialog.do(put, f"{name.strip()} was added. Now add numbers to its pool.")


def go_to_added() -> None:
    """Go to the campaign that was just added, where its pool is filled."""
    added = st.session_state.pop(_ADDED, None)
    if added is not None:
        navigation.open_campaign(added)


def edit(dialog: Dialog, found: CampaignDetail) -> None:
    """Open the dialog that changes a campaign's name and status."""
    dialog.show(found.version)
    _edit(dialog, found)


@st.dialog("Edit campaign", on_dismiss="rerun")
def _edit(dialog: Dialog, found: CampaignDetail) -> None:
    with st.form("campaign_edit", border=False):
        name, status = _entered(f"campaign_{found.id}_{found.version}", found.name, found.status)
        sent = dialogs.submit("Save")
    if sent:
        dialog.change(campaigns.edit, found.id, name, status, done="Saved.", get=campaigns.get)


def _entered(prefix: str, name: str, status: CampaignStatus) -> tuple[str, CampaignStatus]:
    entered = st.text_input("Name", value=name, key=f"{prefix}_name", max_chars=80, placeholder="Spring renewals")
    statuses = list(labels.CAMPAIGN)
    chosen = st.selectbox(
        "Status",
        statuses,
        index=statuses.index(status),
        format_func=lambda value: labels.CAMPAIGN[value],
        key=f"{prefix}_status",
    )
    return entered, chosen
