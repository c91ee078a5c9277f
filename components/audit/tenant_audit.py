"""The tenant audit of one tenant: findings with the lists behind them, what is owned, who may what, what changed."""

from collections.abc import Callable, Sequence
from datetime import datetime

import altair as alt
import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.audit import history
from components.ui import cache, navigation, notices
from components.ui.listing import toolbar as listing
from components.ui.markdown import ours, plain
from components.ui.page import exactly, when
from db.audit.tenant_audit import Found, Month
from db.campaigns import Trouble
from db.numbers.attention import Attention
from services.audit import report_tables, tenant_audit, wording
from services.audit.findings import Finding, Kind
from services.audit.report_tables import Report
from services.audit.tenant_audit import Owned, Period, Tenant
from services.core.access import Actor, Permission
from services.text import labels, numbering
from services.text.exports import Table

Filters = dict[str, str | list[str]]

PREFIX = "audit_"
_MOST_KINDS = 10
_WIDE = 175  # pixels: hundreds of thousands are not cut


@cache.kept(Permission.AUDIT_READ, seconds=20, spinner="Auditing the tenant…")
def standing(session: Session, actor: Actor, version: int) -> tuple[Tenant, Owned]:
    """Return what the tenant owns and what looks wrong. *version* is that of its settings."""
    about = tenant_audit.tenant(session, actor)
    return about, tenant_audit.owned(session, actor, about)


def period(about: Tenant) -> Period:
    """Draw the choice of days whose changes are told; return it. Raises InvalidInput when they are out of order."""
    keys = [f"{PREFIX}from", f"{PREFIX}to"]
    listing.keep(keys, "audit")
    first, last = tenant_audit.last_days(datetime.now(about.zone).date())
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit_period"):
        since, until = (
            st.date_input(label, value, key=key, bind="query-params", format="YYYY-MM-DD", width=150)
            for label, value, key in zip(("Changes from", "to"), (first, last), keys, strict=True)
        )
        st.caption(f"Times are in the tenant's time zone, {plain(about.zone.key)}.")
    listing.remember(keys, "audit")
    return tenant_audit.period(since or first, until or last, about.zone)


def downloads(excel: Callable[[], bytes] | None, pdf: Callable[[], bytes], during: Period) -> None:
    """Draw the downloads; each file is made when it is asked for."""
    name = f"tenant-audit-{during.first:%Y%m%d}-{during.last:%Y%m%d}"
    with st.popover("Download", icon=":material/download:"):
        st.caption(
            "The full report, created afresh; Excel takes half a minute for 100,000 numbers. Downloads are logged."
        )
        st.download_button(
            "PDF",
            pdf,
            f"{name}.pdf",
            "application/pdf",
            icon=":material/picture_as_pdf:",
            on_click="ignore",
            width="stretch",
        )
        if excel is not None:
            st.download_button(
                "Excel, with all numbers",
                excel,
                f"{name}.xlsx",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                icon=":material/table:",
                on_click="ignore",
                width="stretch",
            )


def whole(report: Report, actor: Actor) -> None:
    """Draw the report from the findings to what changed."""
    figures(report)
    findings(report.owned.findings, actor)
    owned(report)
    attention(report)
    people(report)
    changed(report)


def figures(report: Report) -> None:
    """Draw whom the report is about, and the totals."""
    owned = report.owned
    created = exactly(report.about.made_at, report.about.zone)
    st.markdown(f"**{plain(report.about.name)}** as of {created}")
    statuses = {labels.STATUS[status]: n for status, n in owned.facets.statuses.items()}
    currencies = len(owned.cost.sums) or 1
    with st.container(horizontal=True):
        for label, value, width in (
            ("Findings", f"{len(owned.findings):,}", 145),
            ("Numbers held", f"{owned.numbers:,}", _WIDE),
            ("Active", f"{statuses.get('Active', 0):,}", _WIDE),
            ("Twilio-managed", f"{owned.facets.managed.get(True, 0):,}", _WIDE),
            ("Monthly cost", plain(report_tables.money(owned.cost)), 100 + 150 * currencies),
        ):
            st.metric(label, value, border=True, height="stretch", width=width)
    numbers = labels.amount(owned.cost.unpriced, "number")
    kind = "has no known price and is" if owned.cost.unpriced == 1 else "have no known price and are"
    st.caption(f"{numbers} {kind} not included.")


def findings(found: Sequence[Finding], actor: Actor) -> None:
    """Draw what looks wrong, worst first, each with the way to what is behind it."""
    st.subheader("Findings", anchor=False)
    if not found:
        notices.success("Nothing looks wrong.")
        return
    for finding in found:
        is_wrong = finding.kind.is_wrong
        with st.container(horizontal=True, vertical_alignment="center", key=f"finding_{finding.kind}"):
            with st.container(width=62):
                st.badge("Wrong" if is_wrong else "Watch", color="red" if is_wrong else "orange")
            with st.container(gap=None, width="stretch"):
                st.markdown(f"**{plain(finding.what)}**")
                st.caption(plain(finding.why))
            if way := _behind(finding.kind, actor):
                page, label, query = way
                navigation.link(page, label=label, icon=":material/arrow_forward:", query_params=query)


def _behind(kind: Kind, actor: Actor) -> tuple[str, str, Filters] | None:
    """Return the page that lists what a finding counts, the words of its link, and its filters."""
    match kind:
        case Kind.OPEN_ORDERS:
            return navigation.LIST, "Show orders", {}
        case Kind.DRIFT | Kind.NOT_ON_RECORD:
            return (navigation.RECONCILE, "Reconcile", {}) if actor.may(Permission.NUMBERS_RECONCILE) else None
        case Kind.NO_PRIMARY | Kind.EMPTY_POOL | Kind.FLAGGED_NUMBER:
            trouble = labels.TROUBLE[Trouble(kind.value)]
            return navigation.CAMPAIGNS, "Show campaigns", {"campaigns_attention": trouble}
        case Kind.FALLEN_POOL:
            return navigation.HEALTH, "Show number health", {}
        case Kind.FAILED_TESTS | Kind.NEVER_TESTED:
            test = "Failed" if kind is Kind.FAILED_TESTS else "Never tested"
            return (
                navigation.CONNECTIONS,
                "Show connections",
                {"connections_status": "Active", "connections_test": test},
            )
        case Kind.WAITING_USERS | Kind.FEW_ADMINS:
            return (navigation.USERS, "Show users", {}) if actor.may(Permission.USERS_READ) else None
        case Kind.UNUSED_KEYS:
            return (navigation.SETTINGS, "Show API keys", {}) if actor.may(Permission.API_KEYS_WRITE) else None
        case Kind.NO_AGENT:
            return navigation.LIST, "Show numbers", {"agent": "Unassigned", "status": "Active"}
        case _:
            return navigation.LIST, "Show numbers", {"attention": labels.ATTENTION[Attention(kind.value)]}


def owned(report: Report) -> None:
    """Draw what the tenant owns: by kind, by month, by connection."""
    st.subheader("What it owns", anchor=False)
    columns = st.columns(3)
    kinds = report_tables.kinds(report.owned)
    for place, names in zip(columns, (("Status", "Managed by"), ("Provider", "Type"), ("Country",)), strict=True):
        with place:
            for name in names:
                largest = kinds[name][:_MOST_KINDS]
                _table(Table(name, (name, "Numbers"), largest), titled=False)
                if len(kinds[name]) > len(largest):
                    rest = sum(n for _, n in kinds[name][_MOST_KINDS:])
                    others = labels.amount(len(kinds[name]) - _MOST_KINDS, "other")
                    st.caption(f"and {labels.amount(rest, 'number')} of {others}")
    _, connections, months = report_tables.owned(report)
    _table(connections)
    left, right = st.columns(2)
    with left:
        _table(months)
    with right:
        _by_month(report.owned.months)


def _by_month(months: Sequence[Month]) -> None:
    counts = [
        {"month": f"{month.first:%b %Y}", "what": what, "numbers": n}
        for month in months
        for what, n in (("Added", month.added), ("Released or removed", month.gone))
    ]
    chart = (
        alt.Chart(pd.DataFrame(counts))
        .mark_bar()
        .encode(
            x=alt.X("month:N", sort=None, title=None),
            xOffset=alt.XOffset("what:N"),
            y=alt.Y("numbers:Q", title="Numbers", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("what:N", title=None, legend=alt.Legend(orient="top")),
            tooltip=["month:N", "what:N", "numbers:Q"],
        )
    )
    st.altair_chart(chart, height=330, alt="Numbers added, and released or removed, by month")


def attention(report: Report) -> None:
    """Draw the numbers that call for attention, the newest few of each kind, and what is known of webhooks."""
    st.subheader("Numbers to look at", anchor=False)
    owned = report.owned
    _webhooks(report)
    for kind, found in owned.attention.items():
        if found.newest:
            _numbers(kind, found, report)
    _table(report_tables.orders(report), empty="No order is open.")


def _webhooks(report: Report) -> None:
    """Draw which webhooks point elsewhere as sentences: addresses are too long for a table on paper."""
    st.markdown("**Unexpected webhooks**")
    st.caption(report_tables.webhooks_note(report.owned))
    if not report.owned.ways:
        st.caption("No unexpected webhooks found.")
    for way in report.owned.ways:
        with st.container(gap=None):
            st.markdown(
                f"{labels.amount(way.n, 'number')} of {plain(way.connection)}, "
                f"set {plain(report_tables.when_set(report, way))}"
            )
            pairs = (
                ("Voice URL", way.voice_url, way.wanted_voice_url),
                ("Status callback", way.status_callback, way.wanted_status_callback),
            )
            lines = [
                f"{plain(name)}: {plain(there or 'none')} instead of **{plain(wanted or 'none')}**"
                for name, there, wanted in pairs
                if there != wanted
            ]
            if how := report_tables.how(way):
                lines.append(f"Calls are {plain(how)} instead of reaching the Voice URL by POST")
            st.caption("  \n".join(lines))


def _numbers(kind: Attention, found: Found, report: Report) -> None:
    table = report_tables.samples(report, kind)
    linked = [
        (f"[{text}]({navigation.number_address(number.id, report.about.id)})", *others)
        for number, (text, *others) in zip(found.newest, _plain(table), strict=True)
    ]
    st.markdown(f"**{plain(table.title)}**")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(plain(table.note), width="content")
        if found.n > len(found.newest):
            filters: Filters = {"attention": labels.ATTENTION[kind]}
            navigation.link(navigation.LIST, label=f"All {found.n:,}", query_params=filters)
    st.table(
        pd.DataFrame(linked, columns=[plain(title) for title in table.header]), border="horizontal", alt=table.title
    )


def people(report: Report) -> None:
    """Draw who may do what."""
    st.subheader("Access", anchor=False)
    _table(report_tables.users(report), titled=False)


def changed(report: Report) -> None:
    """Draw what was changed in the period, how often, by whom, and the newest of it."""
    changes, zone = report.changes, report.about.zone
    st.subheader("What changed", anchor=False)
    everything = navigation.activity_address(changes.period.first, changes.period.last, report.about.id)
    st.markdown(f"{labels.amount(changes.total, 'change')}, {plain(changes.period.text)} · [Activity]({everything})")
    if not changes.total:
        return
    left, right = st.columns(2)
    with left:
        rows = [(_activity(report, wording.action(action), action=action), n) for action, n in changes.actions]
        _ranking("By action", rows)
    with right:
        rows = [(_activity(report, person, actor=person), n) for person, n in changes.people]
        _ranking("By person", rows)
    st.markdown("**Newest**")
    for event in changes.newest:
        with st.container(gap=None):
            subject = f" **{plain(numbering.display(event.subject))}**" if event.subject else ""
            st.markdown(f"{plain(event.actor)} {plain(wording.clause(event))}{subject}")
            text = "; ".join(history.differences(event, zone))
            st.caption(f"{exactly(event.at, zone)}{' · ' + text if text else ''}", help=when(event.at, zone))


def _activity(report: Report, text: str, *, action: str = "", actor: str = "") -> str:
    during = report.changes.period
    address = navigation.activity_address(during.first, during.last, report.about.id, action=action, actor=actor)
    return f"[{plain(text)}]({address})"


def _ranking(title: str, rows: Sequence[tuple[str, int]]) -> None:
    frame = pd.DataFrame([(ours(text), f"{n:,}") for text, n in rows], columns=[title, "Changes"])
    st.table(frame, border="horizontal", alt=f"Changes {title.lower()}")


def _table(table: Table, *, titled: bool = True, empty: str = "—") -> None:
    """Draw a table that prints whole; a grid would be cut."""
    if titled:
        st.markdown(f"**{plain(table.title)}**")
    if table.note:
        st.caption(plain(table.note))
    rows = _plain(table)
    if not rows:
        st.caption(empty)
        return
    st.table(pd.DataFrame(rows, columns=[plain(title) for title in table.header]), border="horizontal", alt=table.title)


def _plain(table: Table) -> list[tuple[str, ...]]:
    return [tuple(plain(cell) if isinstance(cell, str) else f"{cell:,}" for cell in row) for row in table.rows]
