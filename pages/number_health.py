"""How the numbers of the chosen tenant perform in campaigns, the worst first."""

import streamlit as st

from components import lists
from components import number_health as draw
from components.page import empty_state, errors_shown, header
from components.session import current_actor, reader_zone
from db.engine import open_session
from db.scope import Slice
from services import adding_up, health_import, number_health, thresholds
from services.access import Permission

MOST_IDLE = 100

actor, zone = current_actor(), reader_zone()
may_import = actor.may(Permission.HEALTH_WRITE) and not actor.all_tenants


def import_link() -> None:
    if may_import:
        st.page_link("import_health.py", label="Import health", icon=":material/upload_file:")


with header("Number health", "Which numbers stand out beyond chance, why, and what to do about it."):
    import_link()
with errors_shown(), open_session() as session:
    today = health_import.today_of(session, actor)
    wanted, offered = draw.toolbar(today, number_health.campaigns(session, actor))
    limits = thresholds.of(session, actor)
    with st.spinner("Adding up the calls…", show_time=True):
        as_of = adding_up.freshen(session, actor, wanted.days)
        if wanted.days != number_health.IDLE_DAYS:
            adding_up.freshen(session, actor, number_health.IDLE_DAYS)
    steps = number_health.spread(session, actor, wanted.unfiltered)
    everything, idle = draw.by_verdict(steps), number_health.count_idle(session, actor)
    draw.figures(number_health.totals(session, actor, wanted.days), everything, idle, wanted)
    draw.as_of(as_of, wanted, zone)
    if wanted != wanted.unfiltered:
        steps = number_health.spread(session, actor, wanted)
    place = st.container()
    part = lists.pager(sum(step.lines for step in steps), "line", prefix=draw.PREFIX)
    with place:
        if steps:
            rows = number_health.search(session, actor, wanted, part)
            draw.attention(rows, limits, draw.by_verdict(steps))
            draw.table(rows, number_health.trends(session, actor, wanted, rows), limits, with_tenant=actor.all_tenants)
            draw.definitions(limits)
        elif everything:
            with empty_state("No line matches the search and filters.", "search_off"):
                lists.clear_filters_button(offered, draw.PREFIX)
        else:
            with empty_state(
                "No calls in this window. Send health by file or by HTTP, or read it from Twilio.", "monitor_heart"
            ):
                import_link()
    if steps:
        draw.spread(steps)
    draw.idle(number_health.idle(session, actor, Slice(1, MOST_IDLE)), idle, limits, with_tenant=actor.all_tenants)
