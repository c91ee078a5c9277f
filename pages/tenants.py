"""Every tenant of the installation, for superadmins."""

from functools import partial

from components.people import tenants as draw
from components.ui import session as tab
from components.ui.listing.page import list_page
from db.base.engine import open_session
from services.core.access import Permission
from services.people import tenants

actor = tab.current_actor()


def work_in(tenant_id: int) -> None:
    with open_session() as session:
        tab.choose_tenant(session, tenant_id)


list_page(
    open_session,
    "tenant",
    title="Tenants",
    told="The workspaces of this installation, each with its own numbers, users and settings.",
    none_yet="No tenants yet. Add the first one.",
    icon="domain",
    toolbar=draw.toolbar,
    count=tenants.count,
    search=tenants.search,
    columns=lambda _, zone: draw.columns(zone),
    add=partial(draw.add, work_in=None if actor.has_scope else work_in)
    if actor.may(Permission.TENANTS_WRITE)
    else None,
    edit=partial(draw.edit, work_in=work_in),
)
