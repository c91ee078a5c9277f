"""Campaign health of a number: a line for each campaign, why it stands out, and its calls over time."""

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from components.ui import navigation, notices
from components.ui.listing.table import Column, figure, link, text
from components.ui.listing.table import table as draw
from components.ui.markdown import plain
from components.ui.page import empty_state
from db.health.facts import CampaignTotals, DayTotals
from db.health.number_health import HealthRow
from db.health.summaries import Verdict, Window
from services.health import campaign_health, number_health
from services.health.campaign_health import NumberHealth
from services.health.statistics import rate, wilson
from services.health.thresholds import Thresholds
from services.text import labels

RATE, REST = "#3a8bd1", "#b8c0cc"
"""Readable on white and on black, and distinguishable for the colour-blind."""

_DEFAULT_WINDOW = 30
_CHARTS, _TABLE = "Charts", "Table"


def window(key: str = "window") -> int:
    """Draw the choice of a window, which lives in the URL under *key*; return it in days."""
    chosen = st.segmented_control(
        "Window",
        campaign_health.WINDOWS,
        default=_DEFAULT_WINDOW,
        format_func=lambda days: f"{days:d} days",
        key=key,
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    return int(chosen or _DEFAULT_WINDOW)


def section(found: NumberHealth, limits: Thresholds, number_id: int, zone: ZoneInfo, *, may_import: bool) -> None:
    """Draw a line for each campaign, what stands out, and charts campaign by campaign; or why there are none."""
    if not found.totals:
        text = "No campaign uses this number, and no calls were reported for it. Add it to a campaign's pool"
        with empty_state(f"{text}; calls come in by file, from your dialer by HTTP, or from Twilio.", "monitor_heart"):
            navigation.link(navigation.CAMPAIGNS, label="Go to campaigns", icon=":material/campaign:")
            if may_import:
                navigation.link("import_health.py", label="Import health", icon=":material/upload_file:")
        return
    for line in found.lines.values():
        _standing(line, limits)
    current = [row for row in found.totals if not row.has_left]
    if current:
        _table(found, current, number_id, zone)
    else:
        st.caption("It is not in any campaign's pool now.")
    left = [row for row in found.totals if row.has_left]
    if left:
        st.markdown("**Former pools**")
        _table(found, left, number_id, zone, key="left_")
    active = [row for row in found.totals if row.attempts]
    if not active:
        st.caption("No calls in this window. A longer one may have some.")
        return
    view = st.segmented_control(
        "View",
        (_CHARTS, _TABLE),
        default=_CHARTS,
        key="health_view",
        bind="query-params",
        label_visibility="collapsed",
        required=True,
    )
    for place, row in zip(
        st.tabs([plain(row.campaign) + (" (left)" if row.has_left else "") for row in active]), active, strict=True
    ):
        with place:
            frame = by_day(found.days.get(row.campaign_id, []), found.window)
            if view == _TABLE:
                _days(frame, row.campaign)
            else:
                own = found.lines.get(row.campaign_id)
                _charts(frame, row, own.median if own else None)


def by_day(days: Sequence[DayTotals], window: Window) -> pd.DataFrame:
    """Return a row for each day of *window*: its calls, and the rate of the days up to it with its interval.

    The rate is over `health.RUN` days, in a window of so many over each day by itself; NaN without attempts.
    """
    every = pd.date_range(window.since - pd.Timedelta(days=campaign_health.RUN - 1), window.until)
    calls = pd.DataFrame(
        {"attempts": [day.attempts for day in days], "answered": [day.answered for day in days]},
        index=pd.DatetimeIndex([day.day for day in days]),
    ).reindex(every, fill_value=0)
    inside = every >= pd.Timestamp(window.since)
    run = 1 if inside.sum() <= campaign_health.RUN else campaign_health.RUN
    sums = calls.rolling(run).sum()[inside]
    low, high = wilson(sums["answered"], sums["attempts"])
    some = sums["attempts"] > 0
    frame = calls[inside].assign(
        n=sums["attempts"].astype(int),
        rate=(sums["answered"] / sums["attempts"]).where(some),
        low=np.where(some, low, np.nan),
        high=np.where(some, high, np.nan),
    )
    return frame.rename_axis("day").reset_index()


def _standing(line: HealthRow, limits: Thresholds) -> None:
    """Draw why the number stands out in a campaign, and what to do next."""
    if line.verdict is Verdict.HEALTHY:
        return
    urgent = line.verdict in number_health.URGENT
    text = f"**{labels.VERDICT[line.verdict]}** in {plain(line.campaign)}. "
    text += f"{number_health.reason(line, limits)} {number_health.ACTION[line.verdict]}"
    if urgent:
        notices.warning(text)
    else:
        st.caption(text)


def _pool(row: CampaignTotals, zone: ZoneInfo) -> str:
    """Return how a number stands in a pool, and since when it has left."""
    if row.has_left:
        return f"Left on {row.left_at.astimezone(zone):%-d %b %Y}" if row.left_at else "Left"
    return labels.POOL[row.pool_status] if row.pool_status else "Not in the pool"


def call_columns() -> list[Column[Any]]:
    """Return the columns of attempts, of answered calls, and of their share."""
    return [
        figure("attempts", "Attempts", lambda row: f"{row.attempts:,}", help="The answer rate's sample size (n)"),
        figure("answered", "Answered", lambda row: f"{row.answered:,}"),
        figure(
            "rate",
            "Answer rate",
            lambda row: labels.share(rate(row.answered, row.attempts)),
            help="Answered / attempts, with its 95% Wilson interval",
        ),
    ]


def _table(
    found: NumberHealth, rows: Sequence[CampaignTotals], number_id: int, zone: ZoneInfo, *, key: str = ""
) -> None:
    columns: list[Column[CampaignTotals]] = [
        link(
            "campaign",
            "Campaign",
            lambda row: row.campaign,
            lambda row: navigation.open_campaign(row.campaign_id, number_id=number_id),
            address=lambda row: navigation.campaign_address(row.campaign_id),
        ),
        text("pool", "Pool status", lambda row: _pool(row, zone)),
        *call_columns(),
        text(
            "weight",
            "Weight",
            lambda row: labels.weight(row.weight, found.weights.get(row.campaign_id)),
            help=labels.WEIGHT,
        ),
    ]
    name = "Former pools" if key else "Campaign health by campaign"
    draw(name, rows, columns, key=f"{key}campaign_health", of=lambda row: row.campaign_id)
    who = {plain(row.campaign): labels.answered_by(row) for row in rows if row.attempts}
    covers = f"Full days to {found.window.until:%-d %b %Y}. Attempts reached the carrier."
    if len(set(who.values())) == 1:
        covers += f" Answered: {next(iter(who.values()))}."
    elif who:
        covers += f" Answered: {'; '.join(f'{by} in {campaign}' for campaign, by in who.items())}."
    today = max((line.today for line in found.lines.values() if line), default=0)
    st.caption(f"{covers} Today so far: {labels.amount(today, 'call')}." if today else covers)


def _charts(frame: pd.DataFrame, row: CampaignTotals, median: float | None) -> None:
    day = alt.X("day:T", title=None, axis=alt.Axis(format="%-d %b", tickCount=6, grid=False))
    day_tip = alt.Tooltip("day:T", title="Day", format="%-d %b %Y")
    top = max(frame["high"].max(), median or 0) * 1.05
    share = alt.Scale(domain=[0, min(1.0, top)], nice=False)
    percent = alt.Axis(format=".0%", tickCount=5)
    tips = [
        day_tip,
        alt.Tooltip("rate:Q", title="Answer rate", format=".1%"),
        alt.Tooltip("low:Q", title="Interval from", format=".1%"),
        alt.Tooltip("high:Q", title="to", format=".1%"),
        alt.Tooltip("n:Q", title="n", format=","),
    ]
    base = alt.Chart(frame).encode(x=day)
    band = base.mark_area(opacity=0.22, color=RATE).encode(
        y=alt.Y("low:Q", scale=share, axis=percent, title=None), y2="high:Q"
    )
    line = base.mark_line(color=RATE, point=alt.OverlayMarkDef(size=22, color=RATE)).encode(y="rate:Q", tooltip=tips)
    layers = [band, line]
    if median is not None:
        level = alt.Chart(pd.DataFrame({"median": [median]}))
        layers.append(level.mark_rule(strokeDash=[5, 4], color="#8a93a0").encode(y="median:Q"))
    run = 1 if len(frame) <= campaign_health.RUN else campaign_health.RUN
    over = "Daily" if run == 1 else f"{run}-day"
    pool = "" if median is None else f". Dashed: pool median {median:.0%}"
    st.caption(f"**{over} answer rate** with its 95% interval{pool}")
    text = labels.rate(rate(row.answered, row.attempts))
    against = "" if median is None else f", pool median {median:.1%}"
    st.altair_chart(
        alt.layer(*layers), height=210, alt=f"{row.campaign}: answer rate over time. In the window {text}{against}"
    )
    long = frame.assign(rest=frame["attempts"] - frame["answered"]).melt(
        ["day", "attempts"], ["answered", "rest"], "kind", "calls"
    )
    long["kind"] = long["kind"].map({"answered": "Answered", "rest": "Not answered"})
    colors = alt.Scale(domain=["Answered", "Not answered"], range=[RATE, REST])
    bars = (
        alt.Chart(long)
        .mark_bar()
        .encode(
            x=day,
            y=alt.Y("calls:Q", title=None, stack="zero", axis=alt.Axis(tickCount=4, tickMinStep=1)),
            color=alt.Color("kind:N", scale=colors, legend=alt.Legend(title=None, orient="bottom")),
            order=alt.Order("kind:N"),
            tooltip=[
                day_tip,
                alt.Tooltip("kind:N", title="Outcome"),
                alt.Tooltip("calls:Q", title="Calls", format=","),
                alt.Tooltip("attempts:Q", title="of", format=","),
            ],
        )
    )
    st.caption("**Attempts** per day, answered or not")
    st.altair_chart(
        bars, height=190, alt=f"{row.campaign}: {row.answered:,} of {row.attempts:,} attempts answered, by day"
    )


def _days(frame: pd.DataFrame, campaign: str) -> None:
    newest = frame.sort_values("day", ascending=False)
    column = st.column_config
    st.dataframe(
        newest.assign(rate=newest["rate"] * 100, low=newest["low"] * 100, high=newest["high"] * 100),
        hide_index=True,
        alt=f"{campaign}: calls by day",
        column_config={
            "day": column.DateColumn("Day", format="D MMM YYYY"),
            "attempts": column.NumberColumn("Attempts", format="localized"),
            "answered": column.NumberColumn("Answered", format="localized"),
            "n": column.NumberColumn("n", format="localized", help="Attempts behind the rate"),
            "rate": column.NumberColumn("Answer rate", format="%.1f%%"),
            "low": column.NumberColumn("Interval from", format="%.1f%%"),
            "high": column.NumberColumn("to", format="%.1f%%"),
        },
    )
