"""Compares a provider's account with our records, and applies chosen changes."""

from components.orders import reconcile as draw
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from services.orders import comparisons

actor = current_actor()

header("Reconcile", "Compare a provider account with Numberdesk. Comparing changes nothing.")
with errors_shown(), open_session() as session:
    options = comparisons.connection_options(session, actor)
    draw.Reconciling(actor, reader_zone(), rechecked(open_session)).draw(session, options)
