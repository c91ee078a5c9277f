"""Tenants beside each other: a line each, and the way to the audit of one."""

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from components.ui import navigation
from components.ui.listing import toolbar as listing
from components.ui.listing.table import Column, Order, figure, link, time
from components.ui.listing.table import table as draw
from db.base.scope import Slice
from db.people.tenants import TenantSort
from services.audit import report_tables
from services.audit.tenant_audit import Compared

PREFIX = "compared_"
_SORTS = {
    TenantSort.NAME: "By name",
    TenantSort.NUMBERS: "Most numbers",
    TenantSort.LAST_CHANGE: "Changed last",
}


def toolbar() -> TenantSort:
    """Draw the order; return it."""
    keys = [f"{PREFIX}{key}" for key in ("sort", "page", "per_page")]
    listing.keep(keys, "compared")
    sort = listing.sort_box(_SORTS, PREFIX)
    listing.remember(keys, "compared")
    return sort


def pager(total: int) -> Slice:
    """Draw the count and the pager of *total* tenants; return the part to show."""
    return listing.pager(total, "tenant", prefix=PREFIX)


def table(rows: Sequence[Compared], sort: TenantSort, choose: Callable[[int], None], zone: ZoneInfo) -> None:
    """Draw a line for each tenant; a click on a name calls *choose* with its id."""

    def count(
        key: str,
        title: str,
        cell: Callable[[Compared], int],
        told: str = "",
        sorts: Mapping[TenantSort, Order] | None = None,
    ) -> Column[Compared]:
        return figure(key, title, lambda row: f"{cell(row):,}", help=told, sorts=sorts or {})

    columns = [
        link(
            "tenant",
            "Tenant",
            lambda row: row.tenant.name,
            lambda row: choose(row.tenant.id),
            address=lambda row: navigation.tenant_audit_address(row.tenant.id),
            sorts={TenantSort.NAME: "ascending"},
        ),
        count("findings", "Findings", lambda row: row.findings, "Kinds of findings in the tenant's audit"),
        count("numbers", "Numbers", lambda row: row.tenant.numbers, "Held now", {TenantSort.NUMBERS: "descending"}),
        count("active", "Active", lambda row: row.tenant.active),
        count("managed", "Managed", lambda row: row.tenant.managed, "Twilio-managed"),
        figure(
            "cost",
            "Monthly cost",
            lambda row: report_tables.money(row.cost),
            help="Of the numbers with a known price",
        ),
        count("agent", "No agent", lambda row: row.without_agent, "Active numbers without an agent"),
        count(
            "connection",
            "No connection",
            lambda row: row.without_connection,
            "Without a connection, or on an inactive one",
        ),
        count("orders", "Open orders", lambda row: row.open_orders, "Orders pending confirmation"),
        count("idle", "Idle", lambda row: row.idle, "At risk of reclaim by Twilio, by the tenant's own threshold"),
        time(
            "changed",
            "Last change",
            lambda row: row.tenant.last_change,
            zone,
            sorts={TenantSort.LAST_CHANGE: "descending"},
        ),
    ]
    draw(
        "Tenants compared",
        rows,
        columns,
        key="tenants_compared",
        of=lambda row: row.tenant.id,
        sort=sort,
        prefix=PREFIX,
    )
