"""Changes from the audit log, told in words."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain
from components.ui.page import exactly, when
from db.audit.queries import AuditRow
from db.numbers.rows import NumberRow
from services.audit import wording
from services.audit.wording import Change

_ICONS = {
    "agent": "support_agent",
    "api_key": "key",
    "audit": "history",
    "campaign": "campaign",
    "connection": "cable",
    "health": "monitor_heart",
    "installation": "dns",
    "number": "call",
    "order": "call",
    "tenant": "domain",
    "user": "person",
}

_INDENT = "&nbsp;&nbsp;"
"""How far in the text of a link stands."""


def history(rows: Sequence[AuditRow], zone: ZoneInfo) -> None:
    """Draw the changes of one thing, newest first: who did what when, and each value before and after."""
    for row in rows:
        with st.container(gap=None):
            st.markdown(_sentence(row))
            st.caption(when(row.at, zone), help=exactly(row.at, zone))
            if told := differences(row, zone):
                st.caption("  \n".join(told))


def of_number(rows: Sequence[AuditRow], zone: ZoneInfo, number: NumberRow) -> None:
    """Draw the newest changes of a number, and the way to all of them."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.subheader("History", anchor=False, width="content")
        navigation.link(
            navigation.ACTIVITY,
            label="Show all",
            icon=":material/history:",
            query_params=navigation.activity_query(number.e164),
        )
    history(rows, zone)


def log(rows: Sequence[AuditRow], zone: ZoneInfo, *, with_tenant: bool) -> None:
    """Draw changes of many things, newest first: when, a link to what it is about, and what was done to it."""
    with st.container(gap=12):
        for row in rows:
            with st.container(horizontal=True, gap="xxsmall"):
                st.caption(f"{when(row.at, zone)}  \n{exactly(row.at, zone)}", width=165)
                with st.container(gap=None, width=195):
                    _subject(row)
                    if with_tenant:
                        st.markdown(f":small[:gray[{_INDENT}{plain(row.tenant or 'No tenant')}]]")
                with st.container(width="stretch"):
                    text = " · ".join(differences(row, zone))
                    st.markdown(f"{_sentence(row)}  \n:small[{text}]" if text else _sentence(row))


def differences(row: AuditRow, zone: ZoneInfo) -> list[str]:
    """Return each value in words, as Markdown: `Label: Sales → **Support**`."""
    return [_difference(change) for change in wording.changes(row, zone)]


def _sentence(row: AuditRow) -> str:
    return f"**{plain(row.actor)}** {plain(wording.clause(row))}"


def _difference(change: Change) -> str:
    if change.before is None:
        return plain(change.text)
    return f"{plain(change.name)}: {plain(change.before)} → **{plain(change.after)}**"


def _subject(row: AuditRow) -> None:
    """Draw what an event is about; a link where that has a page."""
    icon = f":material/{_ICONS.get(row.subject_type, 'category')}:"
    label = plain(wording.subject(row))
    if row.number_id is not None:
        query = navigation.number_query(row.number_id)
        navigation.link(navigation.DETAIL, label=f":primary[{label}]", icon=icon, query_params=query)
    elif row.subject_type == "campaign" and row.subject_id is not None:
        query = navigation.campaign_query(row.subject_id)
        navigation.link(navigation.CAMPAIGN, label=f":primary[{label}]", icon=icon, query_params=query)
    else:
        st.markdown(f":small[{_INDENT}{icon}&nbsp; {label}]")
