"""Number health: key figures, what needs attention and why, a ranked table, how rates are spread, idle numbers."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import altair as alt
import pandas as pd
import streamlit as st

from components.health.acts import Acts
from components.health.campaign_health import window
from components.ui import navigation, notices
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, figure, link, number_link, text, trend
from components.ui.listing.table import table as draw
from components.ui.markdown import plain
from components.ui.page import BadgeColor, empty_state, errors_shown, exactly, when
from db.health.number_health import BIN, HealthQuery, HealthRow, IdleRow, Step, Totals
from db.health.summaries import FallRow, Verdict
from services.health import number_health
from services.health.number_health import URGENT
from services.health.statistics import rate
from services.health.summaries import AsOf
from services.health.thresholds import IDLE_DAYS, MEANINGS, Thresholds
from services.text import labels, numbering

PREFIX = "health_"
_BADGES: dict[Verdict, BadgeColor] = {
    Verdict.SPAM_FLAGGED: "red",
    Verdict.LOW: "red",
    Verdict.FALLING: "orange",
    Verdict.CAPPED: "yellow",
    Verdict.NEAR_CAP: "yellow",
    Verdict.THIN: "gray",
    Verdict.SMALL_POOL: "gray",
    Verdict.HEALTHY: "green",
}
_BADGE_OF = {labels.VERDICT[verdict]: color for verdict, color in _BADGES.items()}
_PAINT = {"Stands out": "#d55e00", "At its cap": "#e69f00", "Not enough data": "#b8c0cc", "Healthy": "#0072b2"}
"""Colours of the distribution, safe for the colour-blind (Okabe & Ito)."""

MOST_IDLE = 100
_MOST_URGENT = 5


def toolbar(today: date, campaigns: Mapping[int, str]) -> tuple[HealthQuery, listing.Wanted]:
    """Draw window, search and filters; return what is wanted."""
    days: list[int] = []
    status, campaign = (
        Filter(f"{PREFIX}verdict", "Status", labels.VERDICT),
        Filter(f"{PREFIX}campaign", "Campaign", campaigns),
    )
    key = f"{PREFIX}days"
    asked = listing.toolbar(
        "health",
        "Search numbers...",
        [status, campaign],
        lead=lambda: days.append(window(key)),
        lead_keys=[key],
    )
    found = numbering.search_text(asked.text)
    digits = min(found.digits, key=len, default="") if found else ""
    verdicts, chosen = (tuple(asked.chosen[item.key]) for item in (status, campaign))
    return HealthQuery(days[0], today, digits, verdicts, chosen), asked


def import_link(may_import: bool) -> None:
    """Draw the way to bring health in, for who may."""
    if may_import:
        navigation.link("import_health.py", label="Import health", icon=":material/upload_file:")


def nothing(asked: listing.Wanted | None, may_import: bool) -> None:
    """Draw why there is no line: nothing matches what is *asked* for, or there are no calls."""
    if asked is not None:
        with empty_state("No results match the search and filters.", "search_off"):
            asked.clear_button()
        return
    text = "No calls in this window. They come in by file, from your dialer by HTTP, or from Twilio's call log."
    with empty_state(text, "monitor_heart"):
        import_link(may_import)


def by_verdict(steps: Sequence[Step]) -> dict[Verdict, int]:
    """Return how many lines there are of each verdict."""
    found: dict[Verdict, int] = {}
    for step in steps:
        found[step.verdict] = found.get(step.verdict, 0) + step.lines
    return found


def figures(found: Totals, lines: Mapping[Verdict, int], idle: int) -> None:
    """Draw the key figures, the first ones with their change against the window before."""
    now = rate(found.answered, found.attempts)
    changed = number_health.changed(found)
    change = f"{changed[0] * 100:+.1f} points" if changed else None
    calls = _change(found.attempts, found.attempts_before)
    numbers = _change(found.numbers, found.numbers_before)
    interval = "" if now.low is None else f"95% interval {now.low:.1%}–{now.high:.1%}, n = {now.n:,}"
    if changed:
        interval += ". The change is beyond chance" if changed[1] else ". The change is within chance"
    interval += f". Answered: {labels.answered_by(found)}"
    capped = lines.get(Verdict.CAPPED, 0) + lines.get(Verdict.NEAR_CAP, 0)
    with st.container(horizontal=True):
        _metric(
            "Answer rate",
            "—" if now.value is None else f"{now.value:.1%}",
            change,
            interval,
            neutral=not (changed and changed[1]),
        )
        _metric("Attempts", f"{found.attempts:,}", calls, "Calls that reached the carrier", neutral=True)
        _metric("Numbers with calls", f"{found.numbers:,}", numbers, neutral=True)
    with st.container(horizontal=True):
        for verdict in URGENT:
            _metric(
                labels.VERDICT[verdict], f"{lines.get(verdict, 0):,}", help=f"Next: {number_health.ACTION[verdict]}"
            )
        _metric("At or near the cap", f"{capped:,}", help="By today's calls, or capped in the pool")
        _metric("Idle", f"{idle:,}", help="Twilio-managed numbers at risk of reclaim, listed below")


def _change(now: int, before: int) -> str | None:
    return f"{now - before:+,}" if before and now != before else None


def _metric(label: str, value: str, change: str | None = None, help: str = "", *, neutral: bool = False) -> None:
    st.metric(
        label,
        value,
        change,
        delta_color="off" if neutral else "normal",
        border=True,
        height="stretch",
        help=help or None,
    )


def as_of(found: AsOf, wanted: HealthQuery, zone: ZoneInfo, sums: Callable[[], AsOf]) -> None:
    """Draw which days the figures cover and when they were calculated; rerun the page when *sums* are newer."""
    if found.until is not None:
        text = f"Last {wanted.days:d} full days (to {found.until:%-d %b %Y}) vs the {wanted.days:d} before."
        if found.behind:
            text += f" Calculated {when(found.made_at, zone)}; newer calls are being added."
        st.caption(text, help=f"Calculated {exactly(found.made_at, zone)}.")
    else:
        notices.info(
            "Calls are being summarized for the first time. They will appear here shortly.",
            icon="hourglass_top",
        )
        st.skeleton(height=400)
    if found.behind:

        @st.fragment(run_every="3s")
        def watch() -> None:
            with errors_shown():
                if sums() != found:
                    st.rerun()

        watch()


def falls(found: Sequence[FallRow], *, with_tenant: bool) -> None:
    """Draw the campaigns with a falling answer rate across the pool, each as one finding."""
    for fall in found:
        whose = f"{plain(fall.campaign)} ({plain(fall.tenant)})" if with_tenant else plain(fall.campaign)
        with st.container(key=f"fall_{fall.campaign_id}"):
            notices.warning(
                f"**{whose}** · {number_health.fallen(fall)} **{number_health.FALL_ACTION}**",
                icon="trending_down",
            )


def attention(rows: Sequence[HealthRow], limits: Thresholds, lines: Mapping[Verdict, int]) -> None:
    """Draw the first of the lines that stand out: which number where, why, and what to do next."""
    urgent = [row for row in rows if row.verdict in URGENT][:_MOST_URGENT]
    if not urgent:
        return
    st.subheader("Needs attention", anchor=False)
    for row in urgent:
        with st.container(border=True, gap="xsmall", key=f"attention_{row.number_id}_{row.campaign_id}"):
            with st.container(horizontal=True, vertical_alignment="center"):
                navigation.link(
                    navigation.DETAIL,
                    label=f"**{numbering.display(row.e164)}**",
                    query_params=navigation.number_query(row.number_id),
                )
                st.badge(labels.VERDICT[row.verdict], color=_BADGES[row.verdict])
                found = rate(row.answered, row.attempts)
                text = (
                    f"{found.value:.1%} of {labels.amount(row.attempts, 'attempt')}" if found.value is not None else ""
                )
                name = f" · {plain(row.label)}" if row.label else ""
                st.markdown(f"{plain(row.campaign)}{name} · {text}")
            st.markdown(f"{number_health.reason(row, limits)} **{number_health.ACTION[row.verdict]}**")
    more = sum(lines.get(verdict, 0) for verdict in URGENT) - len(urgent)
    if more > 0:
        st.caption(f"{labels.amount(more, 'more result')} below, worst first.")


def table(rows: Sequence[HealthRow], trends: Sequence[list[float]], limits: Thresholds, acts: Acts) -> None:
    """Draw a line for each number in each campaign, the worst first, and what can be done about those selected."""
    by_day = dict(zip(map(_line, rows), trends, strict=True))

    def told(row: HealthRow) -> str:
        days = by_day[_line(row)]
        return f"{days[0]:.0%} to {days[-1]:.0%}" if len(days) > 1 else ""

    columns: list[Column[Any]] = [
        number_link(lambda row: row.number_id),
        badges("status", "Status", lambda row: [labels.VERDICT[row.verdict]], _BADGE_OF),
        link(
            "campaign",
            "Campaign",
            lambda row: f"{row.campaign} · {row.tenant}" if acts.actor.all_tenants else row.campaign,
            lambda row: navigation.open_campaign(row.campaign_id),
            address=lambda row: navigation.campaign_address(row.campaign_id),
        ),
        figure("n", "n", lambda row: f"{row.attempts:,}", help="Attempts in the window"),
        figure(
            "rate",
            "Answer rate",
            lambda row: labels.share(rate(row.answered, row.attempts)),
            help="Answered / attempts in the window, with its 95% Wilson interval",
            hover=lambda row: f"Answered: {labels.answered_by(row)}",
        ),
        text(
            "median",
            "Pool, same days",
            lambda row: f"{_percent(row.median)}, {_percent(row.expected)}",
            help="The median of its pool, and what the rest of its pool had on the same days",
        ),
        trend("trend", "By day", lambda row: by_day[_line(row)], told, help="Answer rate of each day with calls"),
        text("why", "Why, and what to do", lambda row: _why(row, limits), wide=True),
    ]
    ticked = acts.lines()
    draw("Numbers by health, worst first", rows, columns, key="health_table", of=_line, selection=ticked)


def _line(row: HealthRow) -> str:
    return f"{row.number_id}-{row.campaign_id}"


def _why(row: HealthRow, limits: Thresholds) -> str:
    return f"{number_health.reason(row, limits)} {number_health.ACTION[row.verdict]}".strip() or "—"


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.1%}"


def definitions(limits: Thresholds, *, may_change: bool) -> None:
    """Draw the definitions, and a link to the thresholds for those who may change them."""
    st.caption(
        "Answer rate = answered / attempts that reached the carrier. Sorted by status, then by the interval's lower "
        "end. A number is compared with the rest of its pool on the same days, so that a bad day is not a bad number. "
        f"**Low**: even the upper bound is below {MEANINGS['flag_share'].text(limits.flag_share)} of the pool's rate. "
        f"**Falling**: the evidence of a drop has passed {limits.alarm:g}. On average, at most "
        f"{MEANINGS['false_share'].text(limits.false_share)} of all flags are false. **Not enough data**: the interval "
        f"is wider than {MEANINGS['widest_interval'].text(limits.widest_interval)}; **pool too small to tell**: that "
        "of its pool is. **Answered** counts only humans where machines were detected, and otherwise includes "
        "machines. "
        f"**Near cap** from {limits.cap_warning:,} calls today, **capped** from {limits.cap:,}, until midnight."
    )
    if may_change:
        navigation.link(navigation.SETTINGS, label="Change the thresholds", icon=":material/tune:")


def spread(steps: Sequence[Step]) -> None:
    """Draw how the answer rates of all lines that match are spread."""
    kinds = {**dict.fromkeys(URGENT, "Stands out"), **dict.fromkeys((Verdict.CAPPED, Verdict.NEAR_CAP), "At its cap")}
    kinds |= {Verdict.THIN: "Not enough data", Verdict.SMALL_POOL: "Not enough data", Verdict.HEALTHY: "Healthy"}
    frame = pd.DataFrame(
        [{"low": step.low, "high": step.low + BIN, "kind": kinds[step.verdict], "lines": step.lines} for step in steps]
    )
    frame = frame.groupby(["low", "high", "kind"])[["lines"]].sum().reset_index()
    shown = [kind for kind in _PAINT if kind in set(frame["kind"])]
    frame["order"] = frame["kind"].map({kind: place for place, kind in enumerate(_PAINT)})
    percent = alt.Axis(format="%", tickCount=10)
    chart = (
        alt.Chart(frame)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("low:Q", bin="binned", scale=alt.Scale(domain=[0, 1]), axis=percent, title="Answer rate"),
            x2="high:Q",
            y=alt.Y("lines:Q", title="Numbers", axis=alt.Axis(tickMinStep=1), stack="zero"),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=shown, range=[_PAINT[kind] for kind in shown]),
                legend=alt.Legend(title=None, orient="top"),
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("low:Q", title="From", format=".0%"),
                alt.Tooltip("high:Q", title="To", format=".0%"),
                alt.Tooltip("kind:N", title="Status"),
                alt.Tooltip("lines:Q", title="Count", format=","),
            ],
        )
    )
    st.subheader("Answer rate distribution", anchor=False)
    st.altair_chart(chart, height=220, alt="How many numbers have which answer rate, by status")


def idle(rows: Sequence[IdleRow], total: int, limits: Thresholds, acts: Acts) -> None:
    """Draw the first of the numbers that Twilio may reclaim."""
    st.subheader("Idle, at risk of reclaim", anchor=False)
    if not rows:
        st.caption("No Twilio-managed number is idle.")
        return
    first = f" Showing the {len(rows):,} least used." if total > len(rows) else ""
    st.caption(
        f"{labels.amount(total, 'Twilio-managed number')} with fewer than {limits.idle_calls:d} completed calls of 12 "
        f"s in {IDLE_DAYS} days, as reported by campaigns. Use them, or release them.{first}"
    )
    columns: list[Column[Any]] = [
        number_link(lambda row: row.number_id),
        text("name", "Name", lambda row: row.label or "—"),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if acts.actor.all_tenants else []),
        figure("completed", "Completed calls", lambda row: f"{row.completed:,}"),
    ]
    ticked = acts.idle()
    draw("Idle numbers", rows, columns, key="idle_table", of=lambda row: row.number_id, selection=ticked)
