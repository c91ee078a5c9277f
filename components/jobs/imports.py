"""The import flow: choose a file, match columns, check, import, download results."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.jobs import import_files, import_tray
from components.jobs.import_tray import Act, Drawing, Tray
from components.ui import notices
from components.ui.listing.downloads import download
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.streamlit_internals import UploadedFile
from services.core.access import Actor
from services.jobs import imports
from services.jobs.imports import ImportKind, Outcome, Progress, Report, Row
from services.text import numbering
from services.text.files import Sheet
from services.text.labels import amount

Option = TypeVar("Option")

_SHOWN = 300
_CHECKING = "Checking…"
_COLORS = {
    Outcome.REFUSED: "red",
    Outcome.DOUBTFUL: "orange",
    Outcome.DIFFERS: "blue",
    Outcome.REPLACED: "violet",
    Outcome.ADDED: "green",
    Outcome.HERE: "gray",
}
_COLUMNS = ("Row", "Number", "Outcome", "Reason", "Column")


@dataclass(frozen=True)
class Importing(ABC):
    """Imports of one kind, as *actor*. *opener* opens the session in which rows are checked and written.

    `place` begins the keys of its widgets, and the names of its files.
    """

    kind: ClassVar[type[ImportKind[Any]]]
    place: ClassVar[str]
    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    @abstractmethod
    def explain(self) -> None:
        """Draw what a file holds."""

    @abstractmethod
    def options(self, rows: Sequence[Row]) -> ImportKind[Any]:
        """Draw what is to be chosen of how *rows* are read, and return the import."""

    @abstractmethod
    def remark(self, report: Report) -> None:
        """Draw what is to be said of a report besides."""

    @abstractmethod
    def lead_on(self) -> None:
        """Draw where to go after an import."""

    def examples(self) -> Mapping[str, str]:
        """Return what fills fields of the template that have no example of their own."""
        return {}

    def choice(self, title: str, options: Mapping[Option, str], name: str, placeholder: str) -> Option | None:
        """Draw a choice among *options* of which none is made for the reader."""
        return st.selectbox(
            plain(title),
            list(options),
            format_func=lambda option: options.get(option, "—"),
            index=None,
            placeholder=placeholder,
            key=f"{self.place}_{name}",
            width=460,
        )

    def draw(self) -> None:
        """Draw the way from a file to its outcomes."""
        tray = import_tray.tray(self.place, self.actor)
        file = st.file_uploader("CSV or Excel file", type=import_files.KINDS, key=f"{self.place}_file")
        self.explain()
        shown: Hashable = None
        if file is None:
            tray.empty()
            self._template()
        else:
            with errors_shown():
                shown = self._file(tray, file)
        tray.draw_result(shown)

    def _file(self, tray: Tray, file: UploadedFile) -> Hashable:
        """Draw a file and what can be done with it, and do what was asked; return all that it depends on."""
        sheet = import_files.sheet(tray, file, imports.names(self.kind), self.place)
        matched = import_files.columns(sheet, self.kind, self.place)
        read_as = (file.file_id, sheet.sheet, sheet.header, sheet.encoding, *matched.items())
        rows = tray.rows.get(read_as, lambda: imports.rows(self.kind, sheet, matched))
        kind = self.options(rows)
        shown = (*read_as, kind)
        with st.container(horizontal=True):
            st.button("Check", icon=":material/fact_check:", on_click=tray.ask, args=(Act.CHECK, shown))
            st.button(f"Import {amount(len(rows), 'row')}", type="primary", on_click=tray.ask, args=(Act.ALL, shown))
            st.button("Import the good rows only", on_click=tray.ask, args=(Act.GOOD_ONLY, shown))
        act = tray.act_on(shown)
        if act is Act.CHECK:
            bar = st.progress(0.0, text=_CHECKING)
            tray.do(lambda: self._check(kind, sheet, rows, partial(bar.progress, text=_CHECKING)), shown)
            bar.empty()
        elif act:
            with st.spinner("Importing…", show_time=True):
                tray.do(
                    lambda: self._save(kind, sheet, rows, file.name, keep_good=act is Act.GOOD_ONLY),
                    shown,
                    writes=True,
                    refused=partial(self._refused, sheet),
                )
        return shown

    def _template(self) -> None:
        st.download_button(
            "Template",
            lambda: imports.template(self.kind, **self.examples()),
            f"{self.place}-template.csv",
            "text/csv",
            icon=":material/download:",
            help="A CSV file with every column and an example",
            on_click="ignore",
        )

    def _check(self, kind: ImportKind[Any], sheet: Sheet, rows: Sequence[Row], progress: Progress) -> Drawing:
        with self.opener() as session:
            report = imports.check(session, self.actor, kind, rows, progress=progress)

        def draw() -> None:
            notices.info(f"Check only: {_summary(report, imports.WOULD)}", icon="fact_check")
            self._outcomes(sheet, report, imports.WOULD)

        return draw

    def _save(self, kind: ImportKind[Any], sheet: Sheet, rows: Sequence[Row], name: str, *, keep_good: bool) -> Drawing:
        """Import, drawing nothing: a click that ends this run ends it before or after."""
        with self.opener() as session:
            report = imports.save(session, self.actor, kind, rows, source=name, keep_good=keep_good)

        def draw() -> None:
            notices.success(f"{plain(name)}: {_summary(report, imports.DONE)}")
            self.lead_on()
            self._outcomes(sheet, report, imports.DONE)

        return draw

    def _refused(self, sheet: Sheet, refusal: Exception) -> None:
        if not isinstance(refusal, imports.Refused):
            raise refusal
        notices.error(plain(str(refusal)))
        self._outcomes(sheet, refusal.report, imports.WOULD)

    def _outcomes(self, sheet: Sheet, report: Report, words: Mapping[Outcome, str]) -> None:
        """Draw the outcome of every row, worst first, and the file to mend."""
        order = list(Outcome)
        worst = sorted(report.results, key=lambda result: (order.index(result.outcome), not result.reason))[:_SHOWN]
        rows = [
            (
                result.row,
                numbering.display(result.number) or "—",
                [words[result.outcome]],
                result.reason or "—",
                imports.titles(self.kind, result) or "—",
            )
            for result in worst
        ]
        st.dataframe(
            pd.DataFrame(rows, columns=_COLUMNS),
            hide_index=True,
            column_config={
                "Row": st.column_config.NumberColumn(width=60),
                "Number": st.column_config.TextColumn(width=150),
                "Outcome": st.column_config.MultiselectColumn(
                    options=list(words.values()), color=[_COLORS[outcome] for outcome in words], width=125
                ),
                "Reason": st.column_config.TextColumn(width=480),
                "Column": st.column_config.TextColumn(width=130),
            },
            alt="Outcome of each row",
        )
        self.remark(report)
        if len(report.results) > _SHOWN:
            st.caption(f"The first {_SHOWN} of {len(report.results):,} rows, worst first.")
        download(
            partial(imports.outcomes, sheet, report, words),
            f"{self.place}-outcomes",
            "Your rows with their outcomes: fix the refused ones, then import the file again.",
            "Download results",
        )


def _summary(report: Report, words: Mapping[Outcome, str]) -> str:
    """Return how many rows had which outcome: `12 added, 3 already here, 2 differ, 1 refused.`"""
    verbs = {
        Outcome.ADDED: "can be added" if words is imports.WOULD else "added",
        Outcome.REPLACED: "can be replaced" if words is imports.WOULD else "replaced",
        Outcome.HERE: "already here",
        Outcome.DIFFERS: "differ",
        Outcome.DOUBTFUL: "need review",
        Outcome.REFUSED: "refused",
    }
    alone = {Outcome.DIFFERS: "differs", Outcome.DOUBTFUL: "needs review"}
    counts = {outcome: report.count(outcome) for outcome in verbs}
    return (
        ", ".join(
            f"{n:,} {alone.get(outcome, verbs[outcome]) if n == 1 else verbs[outcome]}"
            for outcome, n in counts.items()
            if n or outcome is Outcome.ADDED
        )
        + "."
    )
