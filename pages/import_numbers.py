"""Import of numbers of any provider from a CSV or Excel file."""

from components.numbers.import_numbers import ImportingNumbers
from components.ui import navigation
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, rechecked
from db.base.engine import open_session
from services.connections import connections
from services.core.access import Permission, require, require_tenant

actor = current_actor()

navigation.link(navigation.LIST, label="Back to the list", icon=":material/arrow_back:")
header("Import numbers", "Numbers of any provider (BYOT) from a CSV or Excel file; nothing changes at the provider.")
with errors_shown():
    require(actor, Permission.NUMBERS_ADD)
    require_tenant(actor)
    with open_session() as session:
        active = connections.choices(session, actor)
    ImportingNumbers(actor, rechecked(open_session), active).draw()
