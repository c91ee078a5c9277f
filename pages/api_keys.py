"""The tenant's keys to the HTTP API."""

from components import api_keys as draw
from components.page import errors_shown, header
from components.session import current_actor, reader_zone, rechecked
from db.engine import open_session
from services import api_keys
from services.access import Permission, require, require_tenant

actor, zone, again = current_actor(), reader_zone(), rechecked(open_session)


def create(name: str) -> api_keys.NewKey:
    with again() as session:
        return api_keys.create(session, actor, name)


def revoke(key_id: int) -> None:
    with again() as session:
        api_keys.revoke(session, actor, key_id)


header("API keys", "For programs that send campaign health. A key may do that in this tenant, and nothing else.")
with errors_shown(), open_session() as session:
    require(actor, Permission.API_KEYS_WRITE)
    require_tenant(actor)
    draw.new_key(create)
    draw.table(api_keys.search(session, actor), zone, revoke)
