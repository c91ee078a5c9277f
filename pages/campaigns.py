"""The campaigns of the chosen tenant."""

from components import campaigns as draw
from components.page import empty_state, errors_shown, header
from components.session import current_actor
from db.engine import open_session
from services import campaigns

actor = current_actor()

header("Campaigns", "What numbers are called from, each with its pool.")
with errors_shown(), open_session() as session:
    rows = campaigns.search(session, actor)
    if rows:
        draw.table(rows, with_tenant=actor.all_tenants)
    else:
        empty_state("No campaigns yet.", "campaign")
