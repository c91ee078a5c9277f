"""Number health: key figures, a ranked table with reasons, how the rates are spread, and idle numbers."""

from collections.abc import Sequence
from datetime import date

import altair as alt
import pandas as pd
import streamlit as st
from sqlmodel import Session

from components import lists, navigation
from components.lists import Filter
from db.number_health import Verdict
from db.scope import Slice
from services import health, number_health, numbering, words
from services.access import Actor
from services.number_health import HealthRow, IdleRow, Totals, Wanted
from services.statistics import rate
from services.thresholds import MEANINGS, Thresholds

PREFIX = "health_"
_VERDICTS = {
    Verdict.SPAM_FLAGGED: "Spam-flagged",
    Verdict.LOW: "Low",
    Verdict.FALLING: "Falling",
    Verdict.CAPPED: "Capped",
    Verdict.THIN: "Not enough data",
    Verdict.HEALTHY: "Healthy",
}
_COLORS = ["red", "red", "orange", "yellow", "gray", "green"]


@st.cache_data(ttl=60, show_spinner="Adding up the calls…")
def overview(
    _session: Session, _actor: Actor, tenant_id: int | None, user_id: int, days: int, today: date
) -> tuple[Totals, dict[Verdict, int]]:
    """Return the sums and how many lines there are of each status, kept for a minute for one user in one tenant."""
    wanted = Wanted(days, today)
    return number_health.totals(_session, _actor, wanted), number_health.verdicts(_session, _actor, wanted)


@st.cache_data(ttl=60, show_spinner="Adding up the calls…")
def counted(_session: Session, _actor: Actor, tenant_id: int | None, user_id: int, wanted: Wanted) -> int:
    """Return how many lines match, kept like the overview."""
    return number_health.count(_session, _actor, wanted)


@st.cache_data(ttl=60, show_spinner="Adding up the calls…")
def lines(
    _session: Session, _actor: Actor, tenant_id: int | None, user_id: int, wanted: Wanted, part: Slice
) -> tuple[list[HealthRow], list[list[float]]]:
    """Return a part of the lines and the trend of each, kept like the overview."""
    rows = number_health.search(_session, _actor, wanted, part)
    return rows, number_health.trends(_session, _actor, wanted, rows)


def toolbar(today: date, campaigns: dict[int, str]) -> tuple[Wanted, list[Filter]]:
    """Draw window, search and filters; return what is wanted, and the filters."""
    offered = [
        Filter(f"{PREFIX}verdict", "Status", _VERDICTS, PREFIX),
        Filter(f"{PREFIX}campaign", "Campaign", campaigns, PREFIX),
    ]
    keys = [*(item.key for item in offered), *(f"{PREFIX}{key}" for key in ("search", "days", "page", "per_page"))]
    lists.keep(keys, "health")
    with st.container(horizontal=True, vertical_alignment="center"):
        days = st.segmented_control(
            "Window",
            health.WINDOWS,
            default=30,
            format_func=lambda n: f"{n} days",
            key=f"{PREFIX}days",
            bind="query-params",
            label_visibility="collapsed",
            required=True,
        )
        with st.container(width=300):
            typed = lists.search_box("Search numbers...", PREFIX)
        active = sum(bool(item.chosen) for item in offered)
        with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/filter_list:"):
            verdicts, chosen = (item.draw() for item in offered)
    lists.chips(offered, typed, PREFIX)
    lists.remember(keys, "health")
    digits = "".join(c for c in typed if c.isascii() and c.isdigit())
    return Wanted(int(days or 30), today, digits, tuple(verdicts), tuple(chosen)), offered


def figures(found: Totals, verdicts: dict[Verdict, int], days: int) -> None:
    """Draw the key figures, each with its change against the window before."""
    now, before = rate(found.answered, found.attempts), rate(found.answered_before, found.attempts_before)
    change = None if now.value is None or before.value is None else f"{(now.value - before.value) * 100:+.1f} points"
    more = f"{found.attempts - found.attempts_before:+,}" if found.attempts_before else None
    with st.container(horizontal=True):
        st.metric(
            "Answer rate", "—" if now.value is None else f"{now.value:.1%}", change, border=True, height="stretch"
        )
        st.metric("Attempts", f"{found.attempts:,}", more, delta_color="off", border=True, height="stretch")
        st.metric("Numbers with calls", f"{found.numbers:,}", border=True, height="stretch")
        st.metric("Low", f"{verdicts.get(Verdict.LOW, 0):,}", border=True, height="stretch")
        st.metric("Falling", f"{verdicts.get(Verdict.FALLING, 0):,}", border=True, height="stretch")
        st.metric("Spam-flagged", f"{verdicts.get(Verdict.SPAM_FLAGGED, 0):,}", border=True, height="stretch")
    st.caption(
        f"Changes are against the {days} days before. Answered may include machines where the source cannot tell."
    )


def table(rows: Sequence[HealthRow], trends: Sequence[list[float]], limits: Thresholds, *, with_tenant: bool) -> None:
    """Draw a line for each number in each campaign, the worst first."""
    rates = [rate(row.answered, row.attempts) for row in rows]
    frame = pd.DataFrame(
        {
            "number": [numbering.display(row.e164) for row in rows],
            "status": [[_VERDICTS[row.verdict]] for row in rows],
            "why": [number_health.reason(row, limits) or "—" for row in rows],
            "campaign": [row.campaign for row in rows],
            "rate": ["—" if found.value is None else f"{found.value:.1%}" for found in rates],
            "interval": ["—" if f.low is None else f"{f.low:.0%}–{f.high:.0%}" for f in rates],
            "n": [row.attempts for row in rows],
            "median": ["—" if row.median is None else f"{row.median:.1%}" for row in rows],
            "trend": list(trends),
            "next": [number_health.ACTION[row.verdict] or "—" for row in rows],
        }
    )
    if with_tenant:
        frame.insert(4, "tenant", [row.tenant for row in rows])
    ids = [row.number_id for row in rows]
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key="health_table",
        alt="Numbers by health, the worst first",
        column_config={
            "number": column.ButtonColumn(
                "Number",
                type="tertiary",
                alignment="left",
                width=145,
                pinned=True,
                key="health_clicked",
                on_click=lambda: navigation.open_number(ids[st.session_state["health_clicked"]["row"]]),
            ),
            "status": column.MultiselectColumn("Status", options=list(_VERDICTS.values()), color=_COLORS, width=130),
            "campaign": column.TextColumn("Campaign", width=125),
            "tenant": column.TextColumn("Tenant", width=120),
            "rate": column.TextColumn("Answer rate", width=85, alignment="right"),
            "interval": column.TextColumn("95 % interval", width=95, help="Wilson score interval"),
            "n": column.NumberColumn("n", width=60, format="localized", help="Attempts in the window"),
            "median": column.TextColumn("Pool median", width=85, alignment="right"),
            "trend": column.LineChartColumn("By day", width=110, y_min=0, help="Answer rate of each day with calls"),
            "why": column.TextColumn("Why", width=300),
            "next": column.TextColumn("What to do", width=300),
        },
    )


def definitions(limits: Thresholds, *, may_change: bool) -> None:
    """Draw what the words and thresholds mean, and for whoever may change them the way there."""
    st.caption(
        "Answer rate = answered / attempts that reached the carrier. Ranked by status, then by the interval's low end. "
        f"**Low**: even the upper end lies under {MEANINGS['flag_share'].told(limits.flag_share)} of the median of its "
        f"pool. **Falling**: the change test has passed {limits.alarm:g}, whatever the rate was before. **Not enough "
        f"data**: the interval is wider than {MEANINGS['widest_interval'].told(limits.widest_interval)}."
    )
    if may_change:
        st.page_link(navigation.SETTINGS, label="Change the thresholds", icon=":material/tune:")


def spread(rows: Sequence[HealthRow]) -> None:
    """Draw how the answer rates of the shown lines are spread."""
    frame = pd.DataFrame(
        [{"rate": row.answered / row.attempts, "status": _VERDICTS[row.verdict]} for row in rows if row.attempts]
    )
    if frame.empty:
        return
    chart = (
        alt.Chart(frame)
        .mark_bar()
        .encode(
            x=alt.X("rate:Q", bin=alt.Bin(step=0.05), axis=alt.Axis(format="%"), title="Answer rate"),
            y=alt.Y("count():Q", title="Numbers × campaigns"),
            tooltip=[alt.Tooltip("count():Q", title="Lines")],
        )
    )
    st.altair_chart(chart, height=200, alt="How the answer rates of the lines on this page are spread")


def idle(rows: Sequence[IdleRow], limits: Thresholds) -> None:
    """Draw the numbers that Twilio may reclaim."""
    st.subheader("Idle, at risk of reclaim", anchor=False)
    if not rows:
        st.caption("No Twilio-managed number is idle.")
        return
    st.caption(
        f"{words.amount(len(rows), 'Twilio-managed number')} with under {limits.idle_calls} completed calls in "
        f"{number_health.IDLE_DAYS} days. Use them, or release them."
    )
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.e164) for row in rows],
            "Name": [row.label or "—" for row in rows],
            "Completed calls": [row.completed for row in rows],
            "link": [navigation.number_address(row.number_id) for row in rows],
        }
    )
    link = st.column_config.LinkColumn("", display_text=":material/open_in_new:", width=40)
    st.dataframe(frame, hide_index=True, alt="Idle numbers", column_config={"link": link})
