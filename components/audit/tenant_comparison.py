"""Tenants beside each other: a line each, and the way to the audit of one."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from components.ui import lists, navigation
from components.ui.selection import click
from components.ui.streamlit_internals import ColumnConfig
from db.base.scope import Slice
from services.audit import report_tables
from services.audit.tenant_audit import Compared, TenantSort

PREFIX = "compared_"
_SORTS = {
    TenantSort.NAME: "By name",
    TenantSort.NUMBERS: "Most numbers",
    TenantSort.LAST_CHANGE: "Changed last",
}


def toolbar() -> TenantSort:
    """Draw the order; return it."""
    keys = [f"{PREFIX}{key}" for key in ("sort", "page", "per_page")]
    lists.keep(keys, "compared")
    sort: TenantSort = st.selectbox(
        "Sort",
        list(_SORTS),
        format_func=lambda value: _SORTS[value],
        key=f"{PREFIX}sort",
        bind="query-params",
        on_change=lists.to_first_page,
        args=(PREFIX,),
        label_visibility="collapsed",
        width=170,
    )
    lists.remember(keys, "compared")
    return sort


def pager(total: int) -> Slice:
    """Draw the count and the pager of *total* tenants; return the part to show."""
    return lists.pager(total, "tenant", prefix=PREFIX)


def table(rows: Sequence[Compared], choose: Callable[[int], None], zone: str) -> None:
    """Draw a line for each tenant; a click on a name calls *choose* with its id."""
    ids = [row.tenant.id for row in rows]
    frame = pd.DataFrame(
        {
            "tenant": [row.tenant.name for row in rows],
            "findings": [row.findings for row in rows],
            "numbers": [row.tenant.numbers for row in rows],
            "active": [row.tenant.active for row in rows],
            "managed": [row.tenant.managed for row in rows],
            "cost": [report_tables.money(row.cost) for row in rows],
            "agent": [row.without_agent for row in rows],
            "connection": [row.without_connection for row in rows],
            "orders": [row.open_orders for row in rows],
            "idle": [row.idle for row in rows],
            "changed": pd.to_datetime(pd.Series([row.tenant.last_change for row in rows], dtype=object), utc=True),
            "link": [navigation.tenant_audit_address(tenant_id) for tenant_id in ids],
        }
    )
    column = st.column_config

    def number(label: str, told: str = "", width: int = 95) -> ColumnConfig:
        return column.NumberColumn(label, format="localized", help=told or None, width=width)

    st.dataframe(
        frame,
        hide_index=True,
        height="content",
        key="tenants_compared",
        alt="Tenants compared",
        column_config={
            "tenant": column.ButtonColumn(
                "Tenant",
                type="tertiary",
                alignment="left",
                pinned=True,
                width=145,
                **click("compared_clicked", ids, choose),
            ),
            "findings": number("Findings", "Kinds of findings in the tenant's audit", 68),
            "numbers": number("Numbers", "Held now", 70),
            "active": number("Active", width=56),
            "managed": number("Managed", "Twilio-managed", 72),
            "cost": column.TextColumn("Cost a month", help="Number contains a known price", width=100),
            "agent": number("No agent", "Active numbers without an agent", 72),
            "connection": number("No connection", "Without a connection, or on an inactive one", 106),
            "orders": number("Open orders", "Orders pending confirmation", 90),
            "idle": number("Idle", "At risk of reclaim by Twilio, by the tenant's own threshold", 46),
            "changed": column.DatetimeColumn("Last change", format="distance", timezone=zone, width=96),
            "link": column.LinkColumn("", display_text=":material/open_in_new:", width=36, help="Open in a new tab"),
        },
    )
