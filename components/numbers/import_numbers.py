"""Bringing numbers in by the file: from its columns to the outcome of every row."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st
from sqlmodel import Session
from streamlit.runtime.uploaded_file_manager import UploadedFile

from components.numbers import number_page as draw
from components.ui import file_imports, navigation
from components.ui import files as draw_files
from components.ui.file_imports import Act, Drawing, Tray
from components.ui.markdown import plain
from components.ui.page import errors_shown
from services.connections.connections import ConnectionRow
from services.core.access import Actor
from services.numbers import import_files, number_import
from services.numbers.number_import import Given, Outcome, Report
from services.text import numbering
from services.text.files import Sheet
from services.text.labels import amount
from services.text.numbering import Bare

_SHOWN = 300
_CHECKING = "Checking…"
_COLORS = {
    Outcome.REFUSED: "red",
    Outcome.DOUBTFUL: "orange",
    Outcome.DIFFERS: "blue",
    Outcome.ADDED: "green",
    Outcome.HERE: "gray",
}
_BARE = {
    Bare.NATIONAL: "National numbers of the connection's country",
    Bare.INTERNATIONAL: "International numbers that lost their + in a spreadsheet",
}
_COLUMNS = ("Row", "Number", "Outcome", "Reason", "Column")


@dataclass(frozen=True)
class Wanted:
    """What is to be imported, and how its rows are read. `name` is the file's."""

    sheet: Sheet
    rows: Sequence[Given]
    connection_id: int | None
    insist: bool
    bare: Bare | None
    name: str


@dataclass(frozen=True)
class Importing:
    """Imports as *actor*. *opener* opens the session in which rows are checked and written."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, offered: Sequence[ConnectionRow]) -> None:
        """Draw the way from a file to its outcomes; *offered* are the active connections."""
        tray = file_imports.tray("numbers", self.actor)
        file = st.file_uploader("CSV or Excel file", type=draw_files.KINDS, key="numbers_file")
        st.caption(
            f"One row per number, up to {number_import.MOST_ROWS:,}. Required: number, connection. Optional: label, "
            f"agent, countries, tags, notes, provider fields. A download of the list works too."
        )
        shown: Hashable = None
        if file is None:
            tray.empty()
            self._template(offered)
        else:
            with errors_shown():
                shown = self._file(tray, file, offered)
        tray.tell(shown)

    def _file(self, tray: Tray, file: UploadedFile, offered: Sequence[ConnectionRow]) -> Hashable:
        """Draw a file and what can be done with it, and do what was asked; return all that it depends on."""
        sheet = draw_files.sheet(tray, file, import_files.NAMES, "numbers")
        matched = draw_files.columns(sheet, import_files.NAMES, import_files.REQUIRED, "numbers", import_files.TITLES)
        names = draw.connection_names(offered)
        connection_id = st.selectbox(
            "Default connection",
            list(names),
            format_func=lambda value: names.get(value, "—"),
            index=None,
            placeholder="None (rows without a connection are refused)" if names else "No active connection",
            key="numbers_connection",
            width=460,
        )
        bare = st.selectbox(
            "Ambiguous numbers without +",
            list(_BARE),
            format_func=lambda value: _BARE[value],
            index=None,
            placeholder="Not sure (such rows need review)",
            key="numbers_bare",
            width=460,
        )
        insist = st.checkbox("Allow numbers outside known numbering plans", key="numbers_insist")
        read_as = (tray.read_as, *matched.items())
        given = tray.once("rows", read_as, lambda: import_files.rows(sheet, matched))
        shown = (*read_as, connection_id, insist, bare)
        draw_files.buttons(tray, shown, len(given))
        wanted = Wanted(sheet, given, connection_id, insist, bare, file.name)
        act = tray.wanted(shown)
        if act is Act.CHECK:
            bar = st.progress(0.0, text=_CHECKING)
            tray.do(lambda: self._check(wanted, partial(bar.progress, text=_CHECKING)), shown)
            bar.empty()
        elif act:
            with st.spinner("Importing…", show_time=True):
                tray.do(
                    lambda: self._save(wanted, keep_good=act is Act.GOOD_ONLY),
                    shown,
                    writes=True,
                    refused=partial(_refused, sheet),
                )
        return shown

    def _template(self, offered: Sequence[ConnectionRow]) -> None:
        st.download_button(
            "Template",
            lambda: import_files.template(offered[0].name if offered else ""),
            "numbers-template.csv",
            "text/csv",
            icon=":material/download:",
            help="A CSV file with every column and an example",
            on_click="ignore",
        )

    def _check(self, wanted: Wanted, progress: Callable[[float], object]) -> Drawing:
        with self.opener() as session:
            report = number_import.check(
                session,
                self.actor,
                wanted.rows,
                connection_id=wanted.connection_id,
                insist=wanted.insist,
                bare=wanted.bare,
                progress=progress,
            )

        def told() -> None:
            st.info(f"Check only: {_told(report, 'can be added')}", icon=":material/fact_check:")
            _outcomes(wanted.sheet, report, number_import.WOULD)

        return told

    def _save(self, wanted: Wanted, *, keep_good: bool) -> Drawing:
        """Import, drawing nothing: a click that ends this run ends it before or after."""
        with self.opener() as session:
            report = number_import.save(
                session,
                self.actor,
                wanted.rows,
                source=wanted.name,
                connection_id=wanted.connection_id,
                insist=wanted.insist,
                bare=wanted.bare,
                keep_good=keep_good,
            )
        st.cache_data.clear()
        return lambda: _imported(wanted, report)


def _refused(sheet: Sheet, refusal: Exception) -> None:
    if not isinstance(refusal, number_import.Refused):
        raise refusal
    st.error(plain(str(refusal)), icon=":material/error:")
    _outcomes(sheet, refusal.report, number_import.WOULD)


def _imported(wanted: Wanted, report: Report) -> None:
    st.success(f"{plain(wanted.name)}: {_told(report, 'added')}", icon=":material/check_circle:")
    navigation.link(navigation.LIST, label="Phone numbers", icon=":material/call:")
    _outcomes(wanted.sheet, report, number_import.DONE)


def _told(report: Report, added: str) -> str:
    """Return how many rows had which outcome: `12 numbers added, 3 already here, 2 differ, 1 refused.`"""
    parts = [f"{amount(report.count(Outcome.ADDED), 'number')} {added}"]
    if here := report.count(Outcome.HERE):
        parts.append(f"{here:,} already here")
    if differ := report.count(Outcome.DIFFERS):
        parts.append(f"{differ:,} {'differs' if differ == 1 else 'differ'}")
    if doubtful := report.count(Outcome.DOUBTFUL):
        parts.append(f"{doubtful:,} {'needs' if doubtful == 1 else 'need'} review")
    if refused := report.count(Outcome.REFUSED):
        parts.append(f"{refused:,} refused")
    return ", ".join(parts) + "."


def _outcomes(sheet: Sheet, report: Report, words: Mapping[Outcome, str]) -> None:
    """Draw the outcome of every row, the worst first, and the file to mend."""
    order = list(Outcome)
    worst = sorted(report.results, key=lambda result: order.index(result.outcome))[:_SHOWN]
    rows = [
        (
            result.row,
            numbering.display(result.number) or "—",
            [words[result.outcome]],
            result.reason or "—",
            import_files.titles(result) or "—",
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
        alt="The outcome of each row",
    )
    if report.count(Outcome.DIFFERS):
        st.caption("Differences are not applied: an import only adds numbers. Edit them on the number's page.")
    if len(report.results) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(report.results):,} rows, worst first.")
    st.download_button(
        "Download results",
        lambda: import_files.outcomes(sheet, report, words),
        "numbers-outcomes.csv",
        "text/csv",
        icon=":material/download:",
        help="Your rows with outcome and reason: fix the refused ones, then import the file again",
        on_click="ignore",
    )
