"""Campaign health of a number: a table with each rate's n and interval, and calls over time."""

from collections.abc import Sequence

import altair as alt
import pandas as pd
import streamlit as st

from components import audit, navigation
from db.health import CampaignTotals, DayTotals
from services import health, words
from services.statistics import Rate, rate

_DEFAULT_WINDOW = 30


def window() -> int:
    """Draw the choice of a window, which lives in the URL; return it in days."""
    chosen = st.segmented_control(
        "Window",
        health.WINDOWS,
        default=_DEFAULT_WINDOW,
        format_func=lambda days: f"{days} days",
        key="window",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    return int(chosen or _DEFAULT_WINDOW)


def table(rows: Sequence[CampaignTotals]) -> None:
    """Draw a line for each campaign."""
    rates = [rate(row.answered, row.attempts) for row in rows]
    frame = pd.DataFrame(
        {
            "Campaign": [row.campaign for row in rows],
            "Pool status": [words.POOL[row.pool_status] if row.pool_status else "—" for row in rows],
            "Attempts": [f"{row.attempts:,}" for row in rows],
            "Answered": [f"{row.answered:,}" for row in rows],
            "Answer rate": [_told(found) for found in rates],
            "Weight": [f"{row.weight:.2f}" if row.weight is not None else "—" for row in rows],
        }
    )
    st.table(frame.set_index("Campaign"), alt="Campaign health by campaign")
    st.caption(
        "Attempts reached the carrier; answered may include machines. Answer rate = answered / attempts, with its "
        "95 % Wilson interval. The weight is the dialer's; — when it sends none."
    )


def charts(days: Sequence[DayTotals]) -> None:
    """Draw attempts and answered calls per day, one chart for each campaign."""
    frame = pd.DataFrame(
        [
            {"day": pd.Timestamp(d.day), "campaign": d.campaign, "calls": calls, "kind": kind}
            for d in days
            for kind, calls in (("Answered", d.answered), ("Not answered", d.attempts - d.answered))
        ]
    )
    colors = alt.Scale(domain=["Answered", "Not answered"], range=["#0072b2", "#b8c0cc"])
    for campaign, calls in frame.groupby("campaign"):
        chart = (
            alt.Chart(calls)
            .mark_bar()
            .encode(
                x=alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6)),
                y=alt.Y("calls:Q", title="Attempts", stack="zero"),
                color=alt.Color("kind:N", scale=colors, legend=alt.Legend(title=None, orient="bottom")),
                order=alt.Order("kind:N"),
                tooltip=[
                    alt.Tooltip("day:T", title="Day", format="%-d %b %Y"),
                    alt.Tooltip("kind:N", title="Outcome"),
                    alt.Tooltip("calls:Q", title="Calls"),
                ],
            )
        )
        st.caption(f"{audit.plain(str(campaign))}: attempts a day")
        answered = int(calls.loc[calls["kind"] == "Answered", "calls"].sum())
        st.altair_chart(
            chart,
            height=200,
            alt=f"{campaign}: {answered:,} of {int(calls['calls'].sum()):,} attempts answered, by day",
        )


def _told(found: Rate) -> str:
    if found.value is None or found.low is None or found.high is None:
        return "—"
    return f"{found.value:.1%} ({found.low:.0%}–{found.high:.0%}, n = {found.n:,})"


def section(totals: Sequence[CampaignTotals], days: Sequence[DayTotals], window: int, number_id: int) -> None:
    """Draw table, links to the campaigns, and charts, or why there are none."""
    if not totals:
        st.caption("No campaign uses this number, and no calls were reported for it.")
        return
    table(totals)
    with st.container(horizontal=True):
        for row in totals:
            st.page_link(
                navigation.CAMPAIGN,
                label=row.campaign,
                icon=":material/campaign:",
                query_params=navigation.campaign_query(row.campaign_id, number_id=number_id),
            )
    if any(day.attempts for day in days):
        charts(days)
    else:
        st.caption(f"No calls in the last {window} days.")
