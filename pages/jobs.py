"""Everything long that was started: what it does, how far it is, and what came of each number."""

import streamlit as st

from components.jobs import job_list as draw
from components.jobs.import_page import ImportPage
from components.jobs.job_page import JobPage
from components.ui import notices
from components.ui.listing.page import listed
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked, reloader
from db.base.engine import open_session
from db.base.scope import Slice
from services.jobs import import_jobs, jobs
from services.text import exports

actor, zone, reload = current_actor(), reader_zone(), reloader()


def file(made: exports.Writer) -> bytes:
    with open_session() as session:
        return made([jobs.export(session, reload(session), job_id, zone)])


def file_of_rows(made: exports.Writer) -> bytes:
    with open_session() as session:
        return made([import_jobs.results(session, reload(session), job_id)])


def nothing_to_add(_key: str) -> None:
    """Jobs are started where their numbers are."""


job_id = st.query_params.get("job")
if not job_id:
    header("Jobs", "Bulk changes, imports, comparisons and call logs. They go on when the tab is closed.")
notices.show_kept("jobs")
with errors_shown(), open_session() as session:
    if job_id:
        job = jobs.get(session, actor, job_id)
        if import_jobs.is_import(job):
            ImportPage(actor, zone, rechecked(open_session), file_of_rows).draw(session, job)
        else:
            JobPage(actor, zone, rechecked(open_session), file).draw(session, job)
    else:
        query, wanted = draw.toolbar(session, actor)

        def table(part: Slice) -> None:
            draw.table(jobs.search(session, actor, query, part), zone, with_tenant=actor.all_tenants)

        none_yet = "No jobs yet. Select numbers in the list to change many at once."
        listed(wanted, "job", jobs.count(session, actor, query), table, none_yet, "checklist", nothing_to_add)
