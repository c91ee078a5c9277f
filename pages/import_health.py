"""Import of campaign health: by file, API or call log."""

from components.health import import_health
from components.health.call_logs import CallLogs
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
    file, program, log = import_health.ways()
    if file.open:
        with file:
            import_health.ImportingHealth(actor, again).draw()
    if program.open:
        with program:
            import_health.by_program(actor)
    if log.open:
        with log, open_session() as session:
            CallLogs(actor, reader_zone(), again).draw(call_logs.search(session, actor))
