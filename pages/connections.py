"""The telephony connections of the chosen tenant, or of all of them."""

from components.connections import connections as draw
from components.ui.listing.page import list_page
from components.ui.session import current_actor
from db.base.engine import open_session
from services.connections import connections
from services.core.access import Permission

actor = current_actor()
list_page(
    open_session,
    "connection",
    title="Telephony connections",
    told="Your accounts with the providers of your numbers.",
    none_yet="No telephony connections yet. Add one to buy or register numbers.",
    icon="cable",
    toolbar=draw.toolbar,
    count=connections.count,
    search=connections.search,
    columns=draw.columns,
    add=draw.add if actor.may(Permission.CONNECTIONS_WRITE) and not actor.all_tenants else None,
    edit=draw.edit,
)
