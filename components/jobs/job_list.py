"""The list of jobs, and the panel of those that are under way."""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import cache, navigation
from components.ui.listing import toolbar as listing
from components.ui.listing.filters import Filter
from components.ui.listing.table import Column, badges, figure, link, text, time
from components.ui.listing.table import table as draw
from components.ui.listing.toolbar import Wanted
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from db.jobs.queries import JobQuery, JobRow
from db.models import JobState
from services.core.access import Actor
from services.jobs import jobs
from services.text import labels

COLORS: dict[JobState, Literal["gray", "blue", "green", "orange", "red"]] = {
    JobState.DRAFT: "gray",
    JobState.WAITING: "gray",
    JobState.RUNNING: "blue",
    JobState.DONE: "green",
    JobState.CANCELLED: "orange",
    JobState.FAILED: "red",
}
_BADGES = {labels.JOB_STATE[state]: "outline" if color == "blue" else color for state, color in COLORS.items()}
_SHOWN = 3
_EVERY = 1.0


def toolbar(session: Session, actor: Actor) -> tuple[JobQuery, Wanted]:
    """Draw the filters; return what is wanted."""
    states = {state: labels.JOB_STATE[state] for state in JobState if state is not JobState.DRAFT}
    filters = [
        Filter("job_state", "State", states),
        Filter("job_kind", "Kind", jobs.titles()),
        Filter("job_who", "Who", {name: name for name in jobs.people(session, actor)}),
    ]
    wanted = listing.toolbar("job", "Search jobs...", filters)
    chosen = wanted.chosen
    query = JobQuery(
        text=wanted.text,
        states=tuple(chosen["job_state"]),
        kinds=tuple(chosen["job_kind"]),
        who=tuple(chosen["job_who"]),
    )
    return query, wanted


def table(rows: Sequence[JobRow], zone: ZoneInfo, *, with_tenant: bool) -> None:
    """Draw a page of jobs. A click on one opens it."""
    columns: list[Column[JobRow]] = [
        link(
            "title",
            "Job",
            lambda row: row.title,
            lambda row: navigation.open_job(row.id),
            address=lambda row: navigation.job_address(row.id),
        ),
        badges("state", "State", lambda row: [labels.JOB_STATE[row.state]], _BADGES),
        figure("done", "Done", lambda row: f"{row.done:,} of {row.total:,}" if row.total else "—"),
        figure("changed", "Changed", lambda row: f"{row.changed:,}"),
        figure("refused", "Refused", lambda row: f"{row.refused:,}"),
        text("who", "Who", lambda row: row.who),
        *([text("tenant", "Tenant", lambda row: row.tenant)] if with_tenant else []),
        time("created", "Started", lambda row: row.started_at or row.created_at, zone),
    ]
    draw("Jobs", rows, columns, key="job_table", of=lambda row: row.id)


def progress(row: JobRow) -> None:
    """Draw how far a job is."""
    text = "Waiting for its turn" if row.state is JobState.WAITING else jobs.summary(row)
    if jobs.grows(row):
        st.markdown(f":material/progress_activity: {plain(text)}")
        return
    st.progress(row.done / row.total if row.total else 1.0, text=plain(text))


def panel(session: Session, actor: Actor, opener: Opener) -> None:
    """Draw the jobs of this tenant that are under way, each with a link; it goes on by itself."""
    if jobs.unfinished(session, actor):
        st.fragment(_panel, run_every=_EVERY)(actor, opener)


def _panel(actor: Actor, opener: Opener) -> None:
    with errors_shown(), opener() as session:
        under_way = jobs.unfinished(session, actor)
        if not under_way:
            cache.forget()
            st.rerun()
        with st.container(border=True, gap="xsmall", key="job_panel"):
            for row in under_way[:_SHOWN]:
                with st.container(horizontal=True, vertical_alignment="center"):
                    navigation.link(
                        navigation.JOBS,
                        label=plain(row.title),
                        icon=":material/progress_activity:",
                        query_params=navigation.job_query(row.id),
                    )
                    st.caption(plain(jobs.summary(row)), width="content")
            if len(under_way) > _SHOWN:
                more = plain(f"{len(under_way) - _SHOWN:,} more")
                navigation.link(navigation.JOBS, label=more, icon=":material/checklist:")
