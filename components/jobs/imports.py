"""The way of a file into an import: choose it, match its columns, check it. What is checked is kept as a job."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, TypeVar

import streamlit as st

from components.jobs import import_files, import_tray
from components.jobs.import_tray import Tray
from components.ui import navigation
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from components.ui.streamlit_internals import UploadedFile
from services.core.access import Actor
from services.jobs import import_jobs, imports
from services.jobs.imports import ImportKind, Row
from services.text.labels import amount

Option = TypeVar("Option")

_CHECKING = "Checking…"
_PREVIEWS = 5


@dataclass(frozen=True)
class Importing(ABC):
    """Imports of one kind, as *actor*. *opener* opens the session in which rows are checked.

    `place` begins the keys of its widgets, and the names of its files.
    """

    kind: ClassVar[type[ImportKind[Any]]]
    place: ClassVar[str]
    actor: Actor
    opener: Opener

    @abstractmethod
    def explain(self) -> None:
        """Draw what a file holds."""

    @abstractmethod
    def options(self, rows: Sequence[Row]) -> ImportKind[Any]:
        """Draw what is to be chosen of how *rows* are read, and return the import."""

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
        """Draw the way from a file to its check."""
        tray = import_tray.tray(self.place, self.actor)
        file = st.file_uploader("CSV or Excel file", type=import_files.KINDS, key=f"{self.place}_file")
        self.explain()
        with errors_shown():
            if file is None:
                tray.empty()
                self._template()
                self._previews()
            else:
                self._file(tray, file)

    def _file(self, tray: Tray, file: UploadedFile) -> None:
        """Draw a file and how it is read, and check it when that was asked."""
        sheet = import_files.sheet(tray, file, imports.names(self.kind), self.place)
        matched = import_files.columns(sheet, self.kind, self.place)
        read_as = (file.file_id, sheet.sheet, sheet.header, sheet.encoding, *matched.items())
        kind = self.options(tray.rows.get(read_as, lambda: imports.rows(self.kind, sheet, matched)))
        shown = (*read_as, kind)
        st.button("Check", icon=":material/fact_check:", type="primary", on_click=tray.ask, args=(shown,))
        if not tray.is_asked(shown):
            return
        bar = st.progress(0.0, text=_CHECKING)

        def check() -> int:
            progress = partial(bar.progress, text=_CHECKING)
            with self.opener() as session:
                return import_jobs.draft(session, self.actor, kind, sheet, matched, file.name, progress=progress)

        navigation.open_job(tray.do(check))

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

    def _previews(self) -> None:
        """Draw the way back to files that were checked and not imported."""
        with self.opener() as session:
            previews = import_jobs.previews(session, self.actor, self.kind)
        if previews:
            st.caption("Checked, not imported yet. Kept for a day.")
        for job in previews[:_PREVIEWS]:
            navigation.link(
                navigation.JOBS,
                label=plain(f"{job.settings['source']}: {amount(job.total, 'row')}"),
                icon=":material/fact_check:",
                query_params=navigation.job_query(job.id),
            )
