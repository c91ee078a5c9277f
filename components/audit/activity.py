"""The audit log: its filters, its period, and what to do when it shows nothing."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import cache
from components.ui import session as tab
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Day, Filter, to_first_page
from components.ui.listing.toolbar import Wanted
from components.ui.page import empty_state
from db.audit.queries import COUNT_LIMIT, AuditQuery
from services.audit import audit, wording
from services.core.access import Actor, Permission
from services.text import numbering
from services.text.labels import amount

PLACE = "activity"
_WHO, _ACTION, _KIND, _TENANT = (f"{PLACE}_{key}" for key in ("who", "action", "kind", "tenant"))
_FROM, _TO = (Day(f"{PLACE}_{key}", label) for key, label in (("from", "From"), ("to", "To")))
_PERIOD = f"{PLACE}_period"
_PERIODS = {1: "Today", 7: "7 days", 30: "30 days", 0: "All"}
_NO_TENANT = 0


@cache.kept(Permission.AUDIT_READ, seconds=20)
def filters(session: Session, actor: Actor) -> list[Filter]:
    """Return the filters with what can be chosen in each."""
    found = audit.facets(session, actor)
    places = dict(tab.tenants(session, actor)) if actor.all_tenants else {}
    return [
        Filter(_WHO, "Who", {name: name for name in sorted(found.actors, key=str.casefold)}),
        Filter(_ACTION, "Action", wording.action_options(found.actions)),
        Filter(_KIND, "Kind", {key: word for key, word in wording.KINDS.items() if key in found.kinds}),
        Filter(_TENANT, "Tenant", {_NO_TENANT: "No tenant", **places} if places else {}),
    ]


def toolbar(offered: Sequence[Filter], zone: ZoneInfo) -> tuple[AuditQuery, Wanted]:
    """Draw search, filters and period; return what is wanted. Raises InvalidInput for a period that cannot be."""
    wanted = listing.toolbar(PLACE, "Search by number or name...", [*offered, _FROM, _TO])
    with wanted.end:
        _period(datetime.now(zone).date())
    first, last = (next(iter(wanted.chosen[day.key]), None) for day in (_FROM, _TO))
    since, until = audit.period(first, last, zone)
    return AuditQuery(
        search=numbering.search_text(wanted.text),
        actors=tuple(wanted.chosen[_WHO]),
        actions=tuple(wanted.chosen[_ACTION]),
        kinds=tuple(wanted.chosen[_KIND]),
        tenants=tuple(tenant or None for tenant in wanted.chosen[_TENANT]),
        since=since,
        until=until,
    ), wanted


def event_count(total: int) -> str:
    """Return how many events there are: `1,000+ events`."""
    return amount(total, "event") if total <= COUNT_LIMIT else f"{COUNT_LIMIT:,}+ events"


def limit() -> None:
    """Draw how to reach events beyond those that can be paged through."""
    st.caption(
        f":material/info: Only the newest {COUNT_LIMIT:,} can be paged through. Choose a period to reach older ones; "
        f"a download has everything that matches."
    )


def nothing(wanted: Wanted) -> None:
    """Draw what to do about a log that shows nothing."""
    if wanted.is_all:
        empty_state("No activity yet. Every change will be logged.", "history")
        return
    with empty_state("No events match the search and filters.", "search_off"):
        wanted.clear_button()


def _period(today: date) -> None:
    """Draw the usual periods, each of which ends now; a click sets the day that it starts on."""
    starts = {days: [today - timedelta(days=days - 1)] if days else [] for days in _PERIODS}
    state = st.session_state
    state[_PERIOD] = next((days for days, start in starts.items() if _FROM.chosen == start and not _TO.chosen), None)

    def choose() -> None:
        state[_FROM.key] = next(iter(starts[state[_PERIOD] or 0]), None)
        state[_TO.key] = None
        to_first_page(f"{PLACE}_")

    st.segmented_control(
        "Period",
        list(_PERIODS),
        format_func=_PERIODS.__getitem__,
        key=_PERIOD,
        on_change=choose,
        label_visibility="collapsed",
    )
