"""The agents of the chosen tenant, or of all of them."""

from components import agents as draw
from components.ui.listing.page import list_page
from components.ui.session import current_actor
from db.base.engine import open_session
from services import agents
from services.core.access import Permission

actor = current_actor()
list_page(
    open_session,
    "agent",
    title="Agents",
    told="People or bots that answer inbound calls.",
    none_yet="No agents yet. Add one, then assign it to numbers.",
    icon="support_agent",
    toolbar=draw.toolbar,
    count=agents.count,
    search=agents.search,
    columns=draw.columns,
    add=draw.add if actor.may(Permission.AGENTS_WRITE) and not actor.all_tenants else None,
    edit=draw.edit,
)
