"""The campaigns of the chosen tenant, or of all of them."""

from components.campaigns import campaigns as draw
from components.ui.listing.page import list_page
from components.ui.session import current_actor
from db.base.engine import open_session
from services.campaigns import campaigns
from services.core.access import Permission

actor = current_actor()
draw.go_to_added()
list_page(
    open_session,
    "campaign",
    title="Campaigns",
    caption="Outbound campaigns and the numbers they call from.",
    none_yet="No campaigns yet. A campaign calls from a pool of your numbers.",
    icon="campaign",
    toolbar=draw.toolbar,
    count=campaigns.count,
    search=campaigns.search,
    columns=draw.columns,
    add=draw.add if actor.may(Permission.CAMPAIGNS_WRITE) and not actor.all_tenants else None,
)
