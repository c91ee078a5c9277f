"""What a tenant owns, what looks wrong and who changed what; or all tenants compared."""

from functools import partial

import streamlit as st

from components.audit import tenant_audit as draw
from components.audit import tenant_comparison as compare
from components.ui import session as tab
from components.ui.page import empty_state, errors_shown, header
from components.ui.session import current_actor, reader_zone, reloader
from db.base.engine import open_session
from services.audit import report_files, tenant_audit
from services.audit.report_tables import Report
from services.core.access import Permission
from services.people import tenant_settings

actor, reload = current_actor(), reloader()


def choose(tenant_id: int) -> None:
    with errors_shown(), open_session() as session:
        tab.choose_tenant(session, tenant_id)


def file(make: report_files.Writer, during: tenant_audit.Period) -> bytes:
    with open_session() as session:
        return make(session, reload(session), during)


with errors_shown(), open_session() as session:
    if actor.all_tenants:
        header("Tenant audit", "All tenants at a glance. Choose one to see what it owns and what looks wrong.")
        sort = compare.toolbar()
        table = st.container()
        part = compare.pager(tenant_audit.count_tenants(session, actor))
        with table:
            if rows := tenant_audit.compare(session, actor, sort, part):
                compare.table(rows, sort, choose, reader_zone())
            else:
                empty_state("No tenants yet.", "domain")
    else:
        end = header("Tenant audit", "What the tenant owns, what looks wrong, and who changed what.")
        about, owned = draw.standing(session, actor, tenant_settings.get(session, actor).version)
        during = draw.period(about)
        report = Report(about, owned, tenant_audit.changes(session, actor, during))
        with end:
            may_export = actor.may(Permission.NUMBERS_EXPORT)
            excel = partial(file, report_files.excel, during) if may_export else None
            draw.downloads(excel, partial(file, report_files.as_pdf, during), during)
        draw.whole(report, actor)
