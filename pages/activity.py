"""The audit log of the chosen tenant, or of all of them: who changed what, and when."""

import streamlit as st

from components.audit import activity as draw
from components.audit import history
from components.ui.listing.downloads import downloads
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, reloader
from db.base.engine import open_session
from services.audit import audit
from services.core.access import Permission
from services.text import exports

actor, zone, reload = current_actor(), reader_zone(), reloader()


def file(made: exports.Writer) -> bytes:
    with open_session() as session:
        return made([exports.activity(audit.export(session, reload(session), query), zone)])


header("Activity", "Who changed what, and when. Nothing here can be changed or deleted.")
with errors_shown(), open_session() as session:
    offered = draw.filters(session, actor)
    query, wanted = draw.toolbar(offered, zone)
    total = audit.count(session, actor, query)
    events = st.container()
    part = wanted.pager(total, "event", capped_at=audit.COUNT_LIMIT)
    if total > audit.COUNT_LIMIT:
        draw.limit()
    with events:
        if total:
            history.log(audit.search(session, actor, query, part), zone, with_tenant=actor.all_tenants)
        else:
            draw.nothing(wanted)
    if total and actor.may(Permission.AUDIT_EXPORT):
        with wanted.end:
            downloads(file, "activity", draw.event_count(total))
