"""The list of phone numbers: its filters, its table, its downloads."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlmodel import Session

from components.ui import cache
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import badges, number_link, text, time
from components.ui.listing.table import table as draw
from components.ui.listing.toolbar import Wanted
from components.ui.selection import Selection
from db.numbers.matching import NumberQuery, Sort
from db.numbers.rows import ListedNumber
from services import agents
from services.connections import connections
from services.connections.connections import provider_named
from services.core.access import Actor, Permission
from services.numbers import numbers
from services.text import labels, numbering

_SORTS = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.NUMBER: "By number",
    Sort.NAME: "By name",
}
_UNASSIGNED = 0
_BADGES = {word: "green" if word == "Active" else "gray" for word in labels.STATUS.values()} | {"Twilio": "outline"}


@cache.kept(Permission.NUMBERS_READ, Permission.CONNECTIONS_READ, Permission.AGENTS_READ, seconds=20)
def filters(session: Session, actor: Actor) -> list[Filter]:
    """Return the filters of the list with what can be chosen in each."""
    facets = numbers.facets(session, actor)
    some = actor.all_tenants

    def named(name: str, tenant: str) -> str:
        return f"{name} · {tenant}" if some else name

    return [
        Filter("status", "Status", {s: labels.STATUS[s] for s in labels.STATUS if s in facets.statuses}),
        Filter("provider", "Provider", {key: provider_named(key).name for key in sorted(facets.providers)}),
        Filter(
            "connection",
            "Connection",
            {c.id: named(c.name, c.tenant) for c in connections.choices(session, actor, active_only=False)},
        ),
        Filter(
            "agent",
            "Agent",
            {_UNASSIGNED: "Unassigned"}
            | {a.id: named(a.name, a.tenant) for a in agents.choices(session, actor, active_only=False)},
        ),
        Filter(
            "country",
            "Country",
            {c: numbering.country_name(c) for c in sorted(facets.countries, key=numbering.country_name)},
        ),
        Filter("type", "Type", {t: labels.TYPE[t] for t in labels.TYPE if t in facets.types}),
        Filter("managed", "Managed by", {m: labels.MANAGED[m] for m in (True, False) if m in facets.managed}),
        Filter("tag", "Tag", {tag: tag for tag in numbers.tags(session, actor)}),
        Filter("attention", "Attention", {a: labels.ATTENTION[a] for a in numbers.attention(session, actor)}),
    ]


def toolbar(filters: Sequence[Filter]) -> tuple[NumberQuery, Wanted]:
    """Draw search, filters and sort in one row, and what is active below; return what is wanted."""
    wanted = listing.toolbar("numbers", "Search numbers...", filters, _SORTS, prefix="")
    chosen, managed = wanted.chosen, wanted.chosen["managed"]
    query = NumberQuery(
        search=numbering.search_text(wanted.text),
        statuses=tuple(chosen["status"]),
        providers=tuple(chosen["provider"]),
        connections=tuple(chosen["connection"]),
        agents=tuple(None if agent == _UNASSIGNED else agent for agent in chosen["agent"]),
        countries=tuple(chosen["country"]),
        types=tuple(chosen["type"]),
        managed=managed[0] if len(managed) == 1 else None,
        tags=tuple(chosen["tag"]),
        attention=tuple(chosen["attention"]),
        sort=wanted.sort,
    )
    return query, wanted


def table(
    rows: Sequence[ListedNumber],
    wanted: Wanted,
    selected: Selection[ListedNumber] | None,
    zone: ZoneInfo,
    *,
    with_tenant: bool,
) -> None:
    """Draw a page of numbers. A click on a number opens it, and its box adds it to those *selected*."""
    columns = [
        number_link(lambda row: row.id, sorts={Sort.NUMBER: "ascending"}),
        badges("status", "Status", _status, _BADGES),
        text("agent", "Inbound Agent", lambda row: row.agent or "Unassigned"),
        text("provider", "Provider", _provider),
        text("name", "Name", lambda row: row.label or "—", sorts={Sort.NAME: "ascending"}),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        time(
            "created",
            "Created",
            lambda row: row.created_at,
            zone,
            sorts={Sort.NEWEST: "descending", Sort.OLDEST: "ascending"},
        ),
    ]
    draw(
        "Phone numbers", rows, columns, key="number_table", of=lambda row: row.id, sort=wanted.sort, selection=selected
    )


def _status(row: ListedNumber) -> list[str]:
    return [labels.STATUS[row.status], *(["Twilio"] if row.is_managed else [])]


def _provider(row: ListedNumber) -> str:
    return f"{row.connection} · {provider_named(row.provider).name}" if row.connection else "—"
