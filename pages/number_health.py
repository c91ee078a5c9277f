"""How the chosen tenant's numbers perform in campaigns, worst first."""

import streamlit as st

from components.health import number_health as draw
from components.health.acts import Acts
from components.ui.listing.downloads import downloads
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked, reloader
from db.base.engine import open_session
from db.base.scope import Slice
from services.core.access import Permission
from services.health import number_health, summaries, thresholds
from services.text import days, exports
from services.text.labels import amount

actor, zone, reload = current_actor(), reader_zone(), reloader()
acts = Acts(actor, rechecked(open_session))
may_import = actor.may(Permission.HEALTH_WRITE) and not actor.all_tenants
may_change = actor.may(Permission.SETTINGS_WRITE) and not actor.all_tenants


def file(made: exports.Writer) -> bytes:
    with open_session() as session:
        return made(number_health.export(session, reload(session), wanted))


def sums() -> summaries.AsOf:
    with open_session() as session:
        return summaries.freshen(session, reload(session), wanted.days, wait=0)


with header("Number health", "Numbers that perform worse than chance explains, and what to do."):
    draw.import_link(may_import)
with errors_shown(), open_session() as session:
    wanted, asked = draw.toolbar(days.today_of(session, actor), number_health.campaigns(session, actor))
    limits = thresholds.of(session, actor)
    as_of = summaries.freshen(session, actor, wanted.days, thresholds.IDLE_DAYS)
    draw.as_of(as_of, wanted, zone, sums)
    if as_of.until is None:
        st.stop()
    everything = number_health.spread(session, actor, wanted.unfiltered)
    steps = everything if wanted == wanted.unfiltered else number_health.spread(session, actor, wanted)
    idle, total = number_health.count_idle(session, actor), sum(step.lines for step in steps)
    draw.figures(number_health.totals(session, actor, wanted.days), draw.by_verdict(everything), idle)
    draw.falls(number_health.falls(session, actor, wanted.days), with_tenant=actor.all_tenants)
    place, part = st.container(), asked.pager(total, "line")
    with place:
        if steps:
            rows = number_health.search(session, actor, wanted, part)
            draw.attention(rows, limits, draw.by_verdict(steps))
            draw.table(rows, number_health.trends(session, actor, wanted, rows), limits, acts)
            draw.definitions(limits, may_change=may_change)
        else:
            draw.nothing(asked if everything else None, may_import)
    if steps:
        draw.spread(steps)
        with asked.end:
            downloads(file, "number-health", amount(total, "line"))
    draw.idle(number_health.idle(session, actor, Slice(1, draw.MOST_IDLE)), idle, limits, acts)
