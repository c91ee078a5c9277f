"""The users of the chosen tenant, or of the installation, and their roles."""

from components.people import users as draw
from components.ui.listing.page import list_page
from components.ui.session import current_actor
from db.base.engine import open_session
from services.core.access import Permission
from services.people import users

actor = current_actor()
adds_superadmin = actor.all_tenants and actor.may(Permission.SUPERADMINS_WRITE)
add = draw.add_superadmin if adds_superadmin else draw.add
list_page(
    open_session,
    "user",
    title="Users",
    told="Who can sign in and what they can do.",
    none_yet="No users yet. Add the first admin of this tenant.",
    icon="group",
    toolbar=draw.toolbar,
    count=users.count,
    search=users.search,
    columns=draw.columns,
    add=add if adds_superadmin or actor.may(Permission.USERS_WRITE) else None,
    edit=draw.edit,
    adds="superadmin" if adds_superadmin else "user",
    add_icon="add_moderator" if adds_superadmin else "person_add",
)
