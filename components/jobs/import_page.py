"""An import's page: every row of the file with what would come of it, or came. Wrong ones are mended right there."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.jobs.job_page import JobPage
from components.ui import navigation, notices
from components.ui.listing.downloads import download
from components.ui.listing.table import Column, badges, figure, number_link, text
from components.ui.markdown import plain
from db.jobs.queries import ItemRow, JobRow
from db.models import JobState
from db.models import Outcome as Done
from services.health.health_import import HealthImport
from services.jobs import import_jobs, imports, jobs
from services.jobs.import_jobs import Counts, WrongRow
from services.jobs.imports import Outcome
from services.jobs.jobs import Preview
from services.text import exports, labels

_PLACE = "job"
_MENDED_AT_ONCE = 300
_COLORS = {
    Outcome.REFUSED: "red",
    Outcome.DOUBTFUL: "orange",
    Outcome.DIFFERS: "blue",
    Outcome.UPDATED: "violet",
    Outcome.REPLACED: "violet",
    Outcome.ADDED: "green",
    Outcome.HERE: "gray",
}
_BADGES = {words[one]: color for words in (imports.WOULD, imports.DONE) for one, color in _COLORS.items()}
_WORDS = {**labels.OUTCOME, Done.WAITING: "To be imported", Done.CHANGED: "Imported"}


class ImportPage(JobPage):
    """The page of one import."""

    def _downloads(self, job: JobRow) -> None:
        caption = "Your rows with their outcomes: fix the refused ones, then import the file again."
        download(self.file, f"{job.kind}-{job.id}-outcomes", caption, "Download results")
        if job.refused:
            caption = "The rows that were refused, with their reasons: fix them, then import the file."
            download(partial(self._wrong_file, job), f"{job.kind}-{job.id}-refused", caption, "Refused rows")

    def _wrong_file(self, job: JobRow, write: exports.Writer) -> bytes:
        with self.opener() as session:
            return write([import_jobs.results(session, self.actor, job.id, [Done.REFUSED])])

    def _facts(self, session: Session, job: JobRow, preview: Preview) -> None:
        found = import_jobs.count(session, self.actor, job.id)
        notices.info(f"Check only: {_summary(found, imports.WOULD)}", icon="fact_check")

    def _more(self, session: Session, job: JobRow) -> None:
        found = import_jobs.count(session, self.actor, job.id)
        if job.state is JobState.DRAFT:
            with st.container(horizontal=True):
                self._downloads(job)
        elif job.ended_at:
            notices.success(f"{plain(job.settings['source'])}: {_summary(found, imports.DONE)}")
            self._lead_on(job)
        self._remark(job, found)
        if job.refused and import_jobs.may_mend(self.actor, job) and st.toggle("Mend rows", key=f"mend_{job.id}"):
            self._mend(session, job)

    def _lead_on(self, job: JobRow) -> None:
        if import_jobs.brings(job) is HealthImport:
            navigation.link("number_health.py", label="Number health", icon=":material/monitor_heart:")
        else:
            navigation.link(navigation.LIST, label="Phone numbers", icon=":material/call:")

    def _remark(self, job: JobRow, found: Counts) -> None:
        """Say what an import leaves as it is, and which rows are odd but written."""
        if found.outcomes.get(Outcome.DIFFERS) and not job.settings["choices"].get("update"):
            st.caption("Differences are not applied: an import only adds numbers. Edit them on the number's page.")
        if found.remarks and import_jobs.brings(job) is HealthImport:
            st.caption(f"Not in the pool of their campaign: {labels.amount(found.remarks, 'row')}.")

    def _words(self, job: JobRow) -> Mapping[Done, str]:
        return _WORDS

    def _columns(self, job: JobRow, rows: Sequence[ItemRow]) -> list[Column[ItemRow]]:
        changed = any(row.after for row in rows)
        return [
            number_link(lambda row: row.number_id),
            figure("row", "Row", lambda row: f"{row.place:,}"),
            badges("outcome", "Outcome", lambda row: [import_jobs.word(row)], _BADGES),
            *(
                [text("change", "Change", lambda row: jobs.changes(row, self.zone) or "—", wide=True)]
                if changed
                else []
            ),
            text("reason", "Reason", lambda row: import_jobs.reason(row) or "—", wide=True),
            text("column", "Column", lambda row: import_jobs.columns_of(job, row) or "—"),
        ]

    def _mend(self, session: Session, job: JobRow) -> None:
        """Draw the refused rows with their cells, to be edited and checked anew."""
        rows = import_jobs.wrong(session, self.actor, job.id, _MENDED_AT_ONCE)
        columns = _editable(job, rows)
        turn = st.session_state.get("mend_turn", 0)
        key = f"mend_{job.id}_{turn}"
        st.data_editor(
            pd.DataFrame(
                [
                    (row.place, row.reason, *(row.cells[at] if _has(row, at) else "" for at in columns))  # type: ignore[index]
                    for row in rows
                ],
                columns=["row", "reason", *map(str, columns)],
            ),
            hide_index=True,
            disabled=["row", "reason"],
            column_config={
                "row": st.column_config.NumberColumn("Row", width=60),
                "reason": st.column_config.TextColumn("Reason", width=300),
                **{str(at): st.column_config.TextColumn(plain(title)) for at, title in columns.items()},
            },
            key=key,
        )
        if job.refused > len(rows):
            st.caption(f"The first {len(rows):,} of {job.refused:,} rows. Mend others in their file: `Refused rows`.")
        st.button(
            "Check again",
            icon=":material/fact_check:",
            key="mend_save",
            on_click=self._save,
            args=(job, key, [row.place for row in rows], list(columns)),
        )

    def _save(self, job: JobRow, key: str, places: Sequence[int], columns: Sequence[int | str]) -> None:
        edited: Mapping[int, Mapping[str, Any]] = st.session_state[key]["edited_rows"]
        by_name = {str(at): at for at in columns}
        cells = {
            places[int(line)]: {by_name[name]: str(cell or "") for name, cell in written.items()}
            for line, written in edited.items()
        }
        made: list[int] = []

        def act() -> str:
            with self.opener() as session:
                made.append(import_jobs.mend(session, self.actor, job.id, cells))
            return ""

        if notices.outcome(act, _PLACE) is None:
            st.session_state["mend_turn"] = st.session_state.get("mend_turn", 0) + 1
            st.query_params["job"] = str(made[0])


def _has(row: WrongRow, at: int | str) -> bool:
    return isinstance(at, int) and at < len(row.cells)


def _editable(job: JobRow, rows: Sequence[WrongRow]) -> dict[int | str, str]:
    """Return the columns to edit, by their place, or by the field that has none and is amiss; each with its title."""
    titles = job.settings["titles"]
    longest = max((len(row.cells) for row in rows), default=0)
    found: dict[int | str, str] = {
        at: titles[at] if at < len(titles) else "—" for at in range(max(len(titles), longest))
    }
    known = {field.name: field.title for field in import_jobs.brings(job).fields}
    lacking = {field for row in rows for field in row.fields if field in known} - set(job.settings["columns"])
    return found | {field: title for field, title in known.items() if field in lacking}


def _summary(found: Counts, words: Mapping[Outcome, str]) -> str:
    """Return how many rows had which outcome: `12 added, 3 already here, 2 differ, 1 refused.`"""
    can = "can be " if words is imports.WOULD else ""
    verbs = {
        Outcome.ADDED: f"{can}added",
        Outcome.UPDATED: f"{can}updated",
        Outcome.REPLACED: f"{can}replaced",
        Outcome.HERE: "already here",
        Outcome.DIFFERS: "differ",
        Outcome.DOUBTFUL: "need review",
        Outcome.REFUSED: "refused",
    }
    alone = {Outcome.DIFFERS: "differs", Outcome.DOUBTFUL: "needs review"}
    counts = {outcome: found.outcomes.get(outcome, 0) for outcome in verbs}
    return (
        ", ".join(
            f"{n:,} {alone.get(outcome, verbs[outcome]) if n == 1 else verbs[outcome]}"
            for outcome, n in counts.items()
            if n or outcome is Outcome.ADDED
        )
        + "."
    )
