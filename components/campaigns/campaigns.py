"""The list of campaigns, and the dialogs that add one or change its name and status."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.ui import named_lists, navigation
from components.ui.dialogs import Dialog
from components.ui.lists import Filter
from components.ui.named_lists import Wanted
from components.ui.selection import click
from services import campaigns
from services.campaigns import CampaignDetail, CampaignQuery, CampaignRow, CampaignSort, CampaignStatus
from services.text import labels, numbering

PLACE = "campaigns"
_COLORS = {status: "green" if status is CampaignStatus.ACTIVE else "gray" for status in labels.CAMPAIGN}
_SORTS = {CampaignSort.NAME: "By name", CampaignSort.NEWEST: "Newest first"}
_ADDED = "campaign_added"


def toolbar() -> tuple[CampaignQuery, Wanted]:
    """Draw search, filters and sort; return the query."""
    options = [
        Filter("campaigns_status", "Status", labels.CAMPAIGN, f"{PLACE}_"),
        Filter("campaigns_attention", "Attention", labels.TROUBLE, f"{PLACE}_"),
    ]
    wanted = named_lists.toolbar(PLACE, "Search campaigns...", options, _SORTS)
    status, trouble = (tuple(wanted.chosen[item.key]) for item in options)
    return CampaignQuery(wanted.text, status, trouble, wanted.sort), wanted


def table(rows: Sequence[CampaignRow], *, with_tenant: bool, zone: ZoneInfo) -> None:
    """Draw a page of campaigns. A click on a name opens it in this tab, the arrow in another one."""
    frame = pd.DataFrame(
        {
            "name": [row.name for row in rows],
            "status": [[labels.CAMPAIGN[row.status]] for row in rows],
            "primary": [numbering.display(row.primary_number) if row.primary_number else "—" for row in rows],
            "pool": [f"{row.pool:,}" for row in rows],
            "created": pd.to_datetime([row.created_at for row in rows], utc=True),
            "link": [navigation.campaign_address(row.id) for row in rows],
        }
    )
    if with_tenant:
        frame.insert(1, "tenant", [row.tenant for row in rows])
    ids = [row.id for row in rows]
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key="campaigns_table",
        alt="Campaigns",
        column_config={
            "name": column.ButtonColumn(
                "Campaign",
                type="tertiary",
                alignment="left",
                pinned=True,
                **click("campaign_clicked", ids, navigation.open_campaign),
            ),
            "tenant": column.TextColumn("Tenant"),
            "status": column.MultiselectColumn(
                "Status", options=list(labels.CAMPAIGN.values()), color=list(_COLORS.values()), width=110
            ),
            "primary": column.TextColumn("Primary number"),
            "pool": column.TextColumn("Numbers in pool", alignment="right", width=120),
            "created": column.DatetimeColumn(
                "Created", format="D MMM YYYY, HH:mm", timezone=str(zone), width=150, help=f"In your time zone, {zone}"
            ),
            "link": column.LinkColumn("", display_text=":material/open_in_new:", width=36, help="Open in a new tab"),
        },
    )


@st.dialog("Add campaign", on_dismiss="rerun")
def add(dialog: Dialog) -> None:
    """Open the dialog that adds a campaign."""
    with st.form("campaign_add", border=False):
        name, status = _entered("new_campaign", "", CampaignStatus.DRAFT)
        sent = _submit("Add campaign")
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
        sent = _submit("Save")
    if sent:
        dialog.do(
            lambda session: campaigns.edit(session, dialog.actor, found.id, name, status, version=dialog.version),
            "Saved.",
            lambda session: campaigns.get(session, dialog.actor, found.id).version,
        )


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


def _submit(label: str) -> bool:
    with st.container(horizontal=True, horizontal_alignment="right"):
        return st.form_submit_button(label, type="primary")
