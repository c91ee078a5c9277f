"""How the numbers of the chosen tenant perform in campaigns, the worst first."""

from datetime import UTC, datetime

import streamlit as st

from components import lists
from components import number_health as draw
from components.page import empty_state, errors_shown, header
from components.session import current_actor
from db.engine import open_session
from services import number_health, thresholds
from services.access import Permission

actor, today = current_actor(), datetime.now(UTC).date()
may_change = actor.may(Permission.SETTINGS_WRITE) and not actor.all_tenants

with header("Number health", "Which numbers stand out beyond chance, why, and what to do about it."):
    if actor.may(Permission.HEALTH_WRITE) and not actor.all_tenants:
        st.page_link("import_health.py", label="Import health", icon=":material/upload_file:")
with errors_shown(), open_session() as session:
    wanted, offered = draw.toolbar(today, number_health.campaigns(session, actor))
    limits = thresholds.of(session, actor)
    who = (actor.scope.tenant_id, actor.user_id)
    totals, verdicts = draw.overview(session, actor, *who, wanted.days, today)
    draw.figures(totals, verdicts, wanted.days)
    total = draw.counted(session, actor, *who, wanted)
    place = st.container()
    part = lists.pager(total, "line", prefix=draw.PREFIX)
    with place:
        if total:
            rows, trends = draw.lines(session, actor, *who, wanted, part)
            draw.table(rows, trends, limits, with_tenant=actor.all_tenants)
            draw.definitions(limits, may_change=may_change)
            draw.spread(rows)
        elif verdicts:
            with empty_state("No line matches the search and filters.", "search_off"):
                lists.clear_filters_button(offered, draw.PREFIX)
        else:
            empty_state("No calls were reported in this window. Health comes in from your dialer.", "monitor_heart")
    draw.idle(number_health.idle(session, actor, today), limits)
