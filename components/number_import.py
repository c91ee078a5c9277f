"""Bringing numbers in by the file: from its columns to the outcome of every row."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components import files as draw_files
from components import navigation
from components import number as draw
from components.markdown import plain
from components.page import errors_shown
from services import files, number_files, number_import, numbering
from services.access import Actor
from services.connections import ConnectionRow
from services.number_import import Given, Outcome, Report
from services.numbering import Bare
from services.words import amount

_SHOWN = 300
_CHECKING, _IMPORTING = "Checking…", "Importing…"
_COLORS = {Outcome.REFUSED: "red", Outcome.DOUBTFUL: "orange", Outcome.ADDED: "green", Outcome.HERE: "gray"}
_BARE = {
    Bare.NATIONAL: "National, of the connection's country",
    Bare.INTERNATIONAL: "International: a spreadsheet dropped their +",
}
_COLUMNS = ("Row", "Number", "Outcome", "Reason", "Column")


@dataclass(frozen=True)
class Importing:
    """Imports as *actor*. *opener* opens the session in which rows are checked and written."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, offered: Sequence[ConnectionRow]) -> None:
        """Draw the way from a file to its outcomes; *offered* are the active connections."""
        file = st.file_uploader("CSV or Excel file", type=["csv", "txt", "xlsx", "xls"], key="numbers_file")
        st.caption(
            f"One row for each number, {number_import.MOST_ROWS:,} at most: the number, its connection, and where "
            "wanted label, agent, countries, tags, notes and the provider's own fields. Downloads of the list fit too."
        )
        if file is None:
            self._template(offered)
            return
        with errors_shown():
            frame = files.read(file.name, file.getvalue())
            matched = draw_files.columns(
                frame, number_files.NAMES, number_files.REQUIRED, "numbers", number_files.TITLES
            )
            names = draw.connection_names(offered)
            connection_id = st.selectbox(
                "Connection of rows that name none",
                list(names),
                format_func=lambda value: names.get(value, "—"),
                index=None,
                placeholder="None: such rows are refused" if names else "No active connection",
                key="numbers_connection",
                width=460,
            )
            bare = st.selectbox(
                "Numbers without + that can be read in two ways",
                list(_BARE),
                format_func=lambda value: _BARE[value],
                index=None,
                placeholder="Not said: such rows need a look",
                key="numbers_bare",
                width=460,
            )
            insist = st.checkbox("Import numbers that no numbering plan lists", key="numbers_insist")
            given = number_files.rows(frame, matched)
            with st.container(horizontal=True):
                checked = st.button("Check", icon=":material/fact_check:")
                wanted = st.button(f"Import {amount(len(given), 'row')}", type="primary")
                good_only = st.button("Import the good rows only")
            if checked:
                self._check(frame, given, connection_id, insist, bare)
            elif wanted or good_only:
                self._save(frame, given, connection_id, insist, bare, file.name, keep_good=good_only)

    def _template(self, offered: Sequence[ConnectionRow]) -> None:
        st.download_button(
            "Template",
            lambda: number_files.template(offered[0].name if offered else ""),
            "numbers-template.csv",
            "text/csv",
            icon=":material/download:",
            help="A CSV file with every column and an example",
            on_click="ignore",
        )

    def _check(
        self, frame: pd.DataFrame, given: Sequence[Given], connection_id: int | None, insist: bool, bare: Bare | None
    ) -> None:
        bar = st.progress(0.0, text=_CHECKING)
        with self.opener() as session:
            report = number_import.check(
                session,
                self.actor,
                given,
                connection_id=connection_id,
                insist=insist,
                bare=bare,
                progress=partial(bar.progress, text=_CHECKING),
            )
        bar.empty()
        st.info(f"Nothing was written yet: {_told(report, 'can be added')}", icon=":material/fact_check:")
        _outcomes(frame, report, number_import.WOULD)

    def _save(
        self,
        frame: pd.DataFrame,
        given: Sequence[Given],
        connection_id: int | None,
        insist: bool,
        bare: Bare | None,
        name: str,
        *,
        keep_good: bool,
    ) -> None:
        bar = st.progress(0.0, text=_IMPORTING)
        try:
            with self.opener() as session:
                report = number_import.save(
                    session,
                    self.actor,
                    given,
                    source=name,
                    connection_id=connection_id,
                    insist=insist,
                    bare=bare,
                    keep_good=keep_good,
                    progress=partial(bar.progress, text=_IMPORTING),
                )
        except number_import.Refused as exc:
            st.error(plain(str(exc)), icon=":material/error:")
            _outcomes(frame, exc.report, number_import.WOULD)
            return
        finally:
            bar.empty()
        st.cache_data.clear()
        st.success(_told(report, "added"), icon=":material/check_circle:")
        navigation.link(navigation.LIST, label="Phone numbers", icon=":material/call:")
        _outcomes(frame, report, number_import.DONE)


def _told(report: Report, added: str) -> str:
    """Return how many rows had which outcome: `12 numbers added, 3 already here, 1 row refused.`"""
    parts = [f"{amount(report.count(Outcome.ADDED), 'number')} {added}"]
    if here := report.count(Outcome.HERE):
        parts.append(f"{here:,} already here")
    if doubtful := report.count(Outcome.DOUBTFUL):
        parts.append(f"{doubtful:,} {'needs' if doubtful == 1 else 'need'} a look")
    if refused := report.count(Outcome.REFUSED):
        parts.append(f"{refused:,} refused")
    return ", ".join(parts) + "."


def _outcomes(frame: pd.DataFrame, report: Report, words: Mapping[Outcome, str]) -> None:
    """Draw the outcome of every row, the worst first, and the file to mend."""
    order = list(Outcome)
    worst = sorted(report.results, key=lambda result: order.index(result.outcome))[:_SHOWN]
    rows = [
        (
            result.row,
            numbering.display(result.number) or "—",
            [words[result.outcome]],
            result.reason or "—",
            number_files.title(result.field) or "—",
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
    if len(report.results) > _SHOWN:
        st.caption(f"The first {_SHOWN} of {len(report.results):,} rows, refused ones first.")
    st.download_button(
        "Rows with outcomes",
        lambda: number_files.outcomes(frame, report, words),
        "numbers-outcomes.csv",
        "text/csv",
        icon=":material/download:",
        help="The rows of the file with outcome and reason: mend those that were refused, and import it again",
        on_click="ignore",
    )
