"""A job's page: a preview before it starts, its progress while it runs, and an outcome for each number."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.jobs.job_list import COLORS, progress
from components.ui import cache, navigation, notices
from components.ui.listing import toolbar as listing
from components.ui.listing.downloads import download
from components.ui.listing.filters import to_first_page
from components.ui.listing.table import Column, badges, number_link, text
from components.ui.listing.table import table as draw
from components.ui.markdown import plain
from components.ui.page import errors_shown, exactly, when
from components.ui.sections import Opener
from db.base.money import Money
from db.jobs.queries import ItemRow, JobRow
from db.models import JobState, Outcome
from services.core.access import Actor, Permission
from services.jobs import jobs
from services.jobs.jobs import Preview
from services.orders import comparisons
from services.text import exports, labels

_PLACE = "job"
_EVERY = 1.0
_COLORS = {
    Outcome.WAITING: "outline",
    Outcome.ORDERED: "orange",
    Outcome.CHANGED: "green",
    Outcome.UNCHANGED: "gray",
    Outcome.REFUSED: "red",
    Outcome.CANCELLED: "gray",
    Outcome.DIFFERENT: "orange",
}


class JobPage:
    """The page of one job."""

    def __init__(
        self,
        actor: Actor,
        zone: ZoneInfo,
        opener: Opener,
        file: Callable[[exports.Writer], bytes],
    ) -> None:
        self.actor, self.zone, self.opener, self.file = actor, zone, opener, file

    def draw(self, session: Session, job: JobRow) -> None:
        """Draw the page."""
        navigation.link(navigation.JOBS, label="All jobs", icon=":material/arrow_back:")
        preview = jobs.outcomes(session, self.actor, job.id)
        with st.container(border=True, gap="xsmall"):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                with st.container(horizontal=True, vertical_alignment="center", width="content"):
                    st.title(plain(job.title), anchor=False, width="content")
                    st.badge(labels.JOB_STATE[job.state], color=COLORS[job.state])
                if job.state is not JobState.DRAFT:
                    self._buttons(job)
            self._about(job)
            if job.is_unfinished:
                st.fragment(self._progress, run_every=_EVERY)(job)
        notices.show_kept(_PLACE)
        if job.problem:
            notices.warning(plain(job.problem))
        if job.state is JobState.DRAFT:
            self._start(session, job, preview)
        self._reasons(job, preview)
        self._more(session, job)
        self._items(session, job, preview)

    def _about(self, job: JobRow) -> None:
        moment = job.started_at or job.created_at
        parts = [job.who, f"job {job.id:,}", when(moment, self.zone)]
        st.caption(plain(" · ".join(parts)), help=exactly(moment, self.zone))
        for other, how in ((job.undoes, "It undoes job {:,}"), (job.undone_by, "Undone by job {:,}")):
            if other:
                label, query = plain(how.format(other)), navigation.job_query(other)
                navigation.link(navigation.JOBS, label=label, icon=":material/undo:", query_params=query)

    def _buttons(self, job: JobRow) -> None:
        with st.container(horizontal=True, width="content"):
            if jobs.may_cancel(self.actor, job):
                st.button("Cancel", icon=":material/cancel:", key="job_cancel", on_click=self._cancel, args=(job,))
            if jobs.may_undo(self.actor, job) and st.button("Undo", icon=":material/undo:", key="job_undo"):
                self._undo(job)
            self._downloads(job)

    def _downloads(self, job: JobRow) -> None:
        if not jobs.may_see(self.actor, job):
            return
        download(self.file, f"job-{job.id}", f"Every {plain(jobs.noun(job))} with its outcome.", "Download")

    def _progress(self, before: JobRow) -> None:
        with errors_shown(), self.opener() as session:
            job = jobs.get(session, self.actor, before.id)
            if not job.is_unfinished:
                cache.forget()
                st.rerun()
            progress(job)
            if job.cancelled_at:
                st.caption(f"It stops after the {plain(jobs.noun(job))}s that it is at.")

    def _start(self, session: Session, job: JobRow, preview: Preview) -> None:
        left = preview.outcomes.get(Outcome.WAITING, 0)
        with st.container(border=True):
            self._facts(session, job, preview)
            if job.monthly:
                st.markdown(f"They cost {plain(_costs(job.monthly))} a month.")
            elif jobs.ends_costs(job) and left:
                st.markdown("What they cost a month is not known here.")
            if jobs.note(job):
                st.caption(plain(jobs.note(job)))
            kind_confirmed = jobs.is_confirmed(job)
            if kind_confirmed and left:
                st.text_input(plain(f"Type {left} to confirm"), key="job_typed", width=300)
            with st.container(horizontal=True):
                label = jobs.verb(job, left)
                st.button(
                    f":red[{plain(label)}]" if kind_confirmed else plain(label),
                    type="secondary" if kind_confirmed else "primary",
                    key="job_start",
                    on_click=self._begin,
                    args=(job,),
                    disabled=not left,
                )
                st.button("Discard", key="job_discard", on_click=self._discard, args=(job,))

    def _facts(self, _session: Session, _job: JobRow, preview: Preview) -> None:
        """Say what would come of a preview."""
        left = preview.outcomes.get(Outcome.WAITING, 0)
        unchanged, refused = preview.outcomes.get(Outcome.UNCHANGED, 0), preview.outcomes.get(Outcome.REFUSED, 0)
        facts = [f"**{labels.amount(left, 'number')}** would change"]
        facts += [f"{unchanged:,} would stay as they are"] if unchanged else []
        facts += [f"{refused:,} can't be changed"] if refused else []
        st.markdown(" · ".join(facts))

    def _reasons(self, job: JobRow, preview: Preview) -> None:
        if not preview.reasons:
            return
        with st.container(border=True, gap="xsmall"):
            st.markdown("**Why some are refused**")
            for reason, n in preview.reasons:
                st.markdown(plain(f"{labels.amount(n, jobs.noun(job))}: {reason}"))

    def _more(self, session: Session, job: JobRow) -> None:
        """Draw what a kind of jobs has besides, before the items."""
        if comparisons.is_comparison(job) and self.actor.may(Permission.NUMBERS_RECONCILE):
            query = {navigation.COMPARISON: str(job.id)}
            label = "Open in Reconcile"
            navigation.link(navigation.RECONCILE, label=label, icon=":material/compare_arrows:", query_params=query)

    def _items(self, session: Session, job: JobRow, preview: Preview) -> None:
        if not jobs.may_see(self.actor, job):
            st.caption("Your role does not show what this job is about.")
            return
        there = [outcome for outcome in Outcome if preview.outcomes.get(outcome)]
        words = self._words(job)
        chosen: Outcome | None = None
        if len(there) > 1:
            chosen = st.segmented_control(
                "Outcome",
                there,
                format_func=lambda one: f"{words[one]} · {preview.outcomes[one]:,}",
                key="job_outcome",
                label_visibility="collapsed",
                on_change=partial(to_first_page, "item_"),
            )
        total = preview.outcomes[chosen] if chosen in there else sum(preview.outcomes.values())
        place = st.container()
        part = listing.pager(total, jobs.noun(job), prefix="item_")
        rows = jobs.items(session, self.actor, job.id, [chosen] if chosen in there else [], part)
        with place:
            name = f"{jobs.heading(job)}s"
            draw(name, rows, self._columns(job, rows), key="job_items", of=lambda row: row.place)

    def _words(self, job: JobRow) -> Mapping[Outcome, str]:
        return labels.OUTCOME_PREVIEW if job.state is JobState.DRAFT else labels.OUTCOME

    def _columns(self, job: JobRow, rows: Sequence[ItemRow]) -> list[Column[ItemRow]]:
        words = self._words(job)
        columns: list[Column[ItemRow]] = [
            _subject(job),
            badges(
                "outcome", "Outcome", lambda row: [words[row.outcome]], {words[one]: _COLORS[one] for one in Outcome}
            ),
            text("change", "Change", lambda row: jobs.changes(row, self.zone) or "—", wide=True),
        ]
        if any(row.reason for row in rows):
            columns.append(text("reason", "Reason", lambda row: row.reason or "—", wide=True))
        return columns

    def _begin(self, job: JobRow) -> None:
        def act() -> str:
            with self.opener() as session:
                jobs.start(session, self.actor, job.id, st.session_state.get("job_typed") or "")
            return ""

        notices.outcome(act, _PLACE)

    def _discard(self, job: JobRow) -> None:
        def act() -> str:
            with self.opener() as session:
                jobs.discard(session, self.actor, job.id)
            return "The preview was discarded. Nothing was changed."

        if notices.outcome(act, "jobs") is None:
            del st.query_params["job"]

    def _cancel(self, job: JobRow) -> None:
        def act() -> str:
            with self.opener() as session:
                jobs.cancel(session, self.actor, job.id)
            return ""

        notices.outcome(act, _PLACE)

    def _undo(self, job: JobRow) -> None:
        undoing: list[int] = []

        def act() -> str:
            with self.opener() as session:
                undoing.append(jobs.undo(session, self.actor, job.id))
            return ""

        if notices.outcome(act, _PLACE) is None:
            navigation.open_job(undoing[0])
        notices.show_kept(_PLACE)


def _subject(job: JobRow) -> Column[ItemRow]:
    """Return the column of what a job is about: numbers, which have a page, or something else."""
    if jobs.heading(job) == "Number":
        return number_link(lambda row: row.number_id, left={"job": job.id})
    return text("subject", jobs.heading(job), lambda row: row.subject)


def _costs(monthly: Mapping[str, str]) -> str:
    return ", ".join(labels.money(Money(Decimal(amount), currency)) for currency, amount in monthly.items())
