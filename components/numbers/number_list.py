"""The list of phone numbers: its filters, its table, its downloads."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.ui import lists, navigation
from components.ui.lists import Filter
from components.ui.streamlit_internals import DeltaGenerator
from db.numbers.queries import NumberQuery, NumberRow, Sort
from services import agents
from services.connections import connections
from services.connections.connections import provider_named
from services.core.access import Actor
from services.numbers import numbers
from services.text import labels, numbering

_SORTS = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.NUMBER: "By number",
    Sort.NAME: "By name",
}
_UNASSIGNED = 0
_BADGES = {**{word: "green" if word == "Active" else "gray" for word in labels.STATUS.values()}, "Twilio": "blue"}


@st.cache_data(ttl=20, show_spinner=False)
def filters(_session: Session, _actor: Actor, tenant_id: int | None, user_id: int) -> list[Filter]:
    """Return the filters of the list with what can be chosen in each, for one user in one tenant."""
    facets = numbers.facets(_session, _actor)
    some = tenant_id is None

    def named(name: str, tenant: str) -> str:
        return f"{name} · {tenant}" if some else name

    return [
        Filter("status", "Status", {s: labels.STATUS[s] for s in labels.STATUS if s in facets.statuses}),
        Filter("provider", "Provider", {key: provider_named(key).name for key in sorted(facets.providers)}),
        Filter(
            "connection",
            "Connection",
            {c.id: named(c.name, c.tenant) for c in connections.choices(_session, _actor, active_only=False)},
        ),
        Filter(
            "agent",
            "Agent",
            {_UNASSIGNED: "Unassigned"}
            | {a.id: named(a.name, a.tenant) for a in agents.choices(_session, _actor, active_only=False)},
        ),
        Filter(
            "country",
            "Country",
            {c: numbering.country_name(c) for c in sorted(facets.countries, key=numbering.country_name)},
        ),
        Filter("type", "Type", {t: labels.TYPE[t] for t in labels.TYPE if t in facets.types}),
        Filter("managed", "Managed by", {m: labels.MANAGED[m] for m in (True, False) if m in facets.managed}),
        Filter("tag", "Tag", {tag: tag for tag in numbers.tags(_session, _actor)}),
        Filter("attention", "Attention", {a: labels.ATTENTION[a] for a in numbers.attention(_session, _actor)}),
    ]


def toolbar(offered: Sequence[Filter]) -> tuple[NumberQuery, DeltaGenerator]:
    """Draw search, filters and sort in one row, and what is active below.

    Return the query, and the container at the end of the row for its actions.
    """
    lists.keep([*(item.key for item in offered), "search", "sort", "page", "per_page"], "numbers")
    with st.container(horizontal=True, vertical_alignment="center", key="toolbar"):
        with st.container(width=380):
            search = lists.search_box("Search numbers...")
        active = sum(bool(item.chosen) for item in offered)
        with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/filter_list:"):
            chosen = {item.key: item.draw() for item in offered}
        sort = st.selectbox(
            "Sort",
            list(_SORTS),
            format_func=lambda value: _SORTS[value],
            key="sort",
            bind="query-params",
            on_change=lists.to_first_page,
            label_visibility="collapsed",
            width=170,
        )
        end = st.container(width="content")
    lists.chips(offered, search)
    managed = chosen["managed"]
    query = NumberQuery(
        search=numbering.search_text(search),
        statuses=tuple(chosen["status"]),
        providers=tuple(chosen["provider"]),
        connections=tuple(chosen["connection"]),
        agents=tuple(None if agent == _UNASSIGNED else agent for agent in chosen["agent"]),
        countries=tuple(chosen["country"]),
        types=tuple(chosen["type"]),
        managed=managed[0] if len(managed) == 1 else None,
        tags=tuple(chosen["tag"]),
        attention=tuple(chosen["attention"]),
        sort=sort,
    )
    lists.remember([*chosen, "search", "sort", "page", "per_page"], "numbers")
    return query, end


def table(rows: Sequence[NumberRow], *, with_tenant: bool, zone: ZoneInfo) -> None:
    """Draw a page of numbers. A click on a number opens it in this tab, the arrow in a new one."""
    frame = pd.DataFrame(
        {
            "number": [numbering.display(row.e164) for row in rows],
            "status": [[labels.STATUS[row.status], *(["Twilio"] if row.is_managed else [])] for row in rows],
            "agent": [row.agent or "Unassigned" for row in rows],
            "provider": [
                f"{row.connection} · {provider_named(row.provider).name}" if row.connection else "—" for row in rows
            ],
            "name": [row.label or "—" for row in rows],
            "created": pd.to_datetime([row.created_at for row in rows], utc=True),
            "link": navigation.number_addresses([row.id for row in rows]),
        }
    )
    if with_tenant:
        frame.insert(5, "tenant", [row.tenant for row in rows])
    ids = [row.id for row in rows]
    column = st.column_config
    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key="number_table",
        alt="Phone numbers",
        column_config={
            "number": lists.number_column("number_clicked", ids),
            "status": column.MultiselectColumn(
                "Status", options=list(_BADGES), color=list(_BADGES.values()), width=140
            ),
            "agent": column.TextColumn("Inbound Agent", width=130),
            "provider": column.TextColumn("Provider", width=195),
            "name": column.TextColumn("Name", width=145),
            "tenant": column.TextColumn("Tenant", width=130),
            "created": column.DatetimeColumn(
                "Created", format="D MMM YYYY, HH:mm", timezone=str(zone), width=145, help=f"In your time zone, {zone}"
            ),
            "link": column.LinkColumn("", display_text=":material/open_in_new:", width=36, help="Open in a new tab"),
        },
    )
