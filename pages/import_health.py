"""Campaign health brought in: by file, by a program, or out of the call log."""

from components.health.call_logs import CallLogs
from components.health.import_health import Importing, by_program, ways
from components.ui import navigation
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from services.core.access import Permission, require, require_tenant
from services.health import call_logs

actor, again = current_actor(), rechecked(open_session)

navigation.link("number_health.py", label="Number health", icon=":material/arrow_back:")
header("Import health", "Daily call results by campaign and number, from your dialer or Twilio's call log.")
with errors_shown():
    require(actor, Permission.HEALTH_WRITE)
    require_tenant(actor)
    by_file, by_api, by_log = ways()
    if by_file.open:
        with by_file:
            Importing(actor, again).draw()
    if by_api.open:
        with by_api:
            by_program(actor)
    if by_log.open:
        with by_log, open_session() as session:
            CallLogs(actor, reader_zone(), again).draw(call_logs.search(session, actor))
