"""Files that the reader brings: which part of them is the table, and which column holds what."""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import pandas as pd
import streamlit as st

from components.jobs.import_tray import Tray
from components.ui import notices
from components.ui.markdown import plain
from components.ui.streamlit_internals import UploadedFile
from services.core.errors import Busy, InvalidInput
from services.jobs import imports
from services.jobs.imports import Field, ImportKind
from services.text import files
from services.text.labels import amount
from services.text.tables.grids import Choice, Sheet

Key = TypeVar("Key", str, int)

KINDS = ["csv", "tsv", "txt", "xlsx", "xlsm", "xlsb", "xls", "ods", "html", "htm"]
"""Endings of files that can be chosen; what a file is, its content says."""

_NONE = ""
_SHOWN = 5
_LEFT_OUT = 20
_NO_HEADER = "None (the first row is data)"


def sheet(tray: Tray, file: UploadedFile, names: Mapping[str, Sequence[str]], prefix: str) -> Sheet:
    """Read *file*, once for each choice, and draw the choice of its sheet, header and encoding where there is one.

    Raises InvalidInput when it cannot be read, and Busy when others are read for too long.
    """
    state, place = st.session_state, f"{prefix}_{file.file_id}"
    part = f"{place}_{state.get(f'{place}_sheet') or ''}"
    choice = Choice(state.get(f"{place}_sheet"), state.get(f"{part}_header"), state.get(f"{place}_encoding"))
    read = tray.sheet_of(file.file_id)
    if read is None or not _is_chosen(read, choice):
        key = (file.file_id, choice.sheet, choice.header, choice.encoding)
        text = "Waiting for other files to be read…" if files.is_busy() else "Reading the file…"
        try:
            with nullcontext() if key in tray.sheet else st.spinner(text):
                read = tray.sheet.get(key, lambda: files.read(file.name, file.getvalue(), names, choice))
        except Busy:
            st.button("Try again", icon=":material/refresh:", key=f"{place}_again")
            raise
        except InvalidInput:
            if read:  # another choice is the way out
                _choices(read, choice, place, part)
            raise
        tray.reading = file.file_id, read
    _choices(read, choice, place, part)
    return read


def columns(sheet: Sheet, kind: type[ImportKind[Any]], prefix: str) -> dict[str, str | None]:
    """Draw the choice of a column for each field, as it was guessed, and the first rows of the file.

    It is open when one that is needed could not be guessed. Columns that no field takes are named.
    """
    guessed, options = files.guess(sheet, imports.names(kind)), list(sheet.columns)
    shape = zlib.crc32("\n".join([*options, *map(str, guessed.values())]).encode())  # another file is matched anew
    with st.expander("Columns", expanded=any(guessed[field] is None for field in imports.required(kind))):
        chosen = {
            field.name: _column(field, options, guessed[field.name], f"{prefix}_column_{field.name}_{shape}")
            for field in kind.fields
        }
    _preview(sheet)
    if left := [column for column in options if column not in chosen.values()]:
        more = f" and {len(left) - _LEFT_OUT:,} more" if len(left) > _LEFT_OUT else ""
        st.caption(f"Columns ignored: {plain(', '.join(left[:_LEFT_OUT]))}{more}.")
    return chosen


def _preview(sheet: Sheet) -> None:
    """Draw the first rows with their numbers in the file, and say how many do not fit."""
    width = len(sheet.columns)  # of which one may be called Row as well: ours begins with a mark that does not show
    rows = [(row.number, *map(files.text, row.cells[:width])) for row in sheet.rows[:_SHOWN]]
    st.dataframe(
        pd.DataFrame([(*row, *[""] * (width + 1 - len(row))) for row in rows], columns=["\u200bRow", *sheet.columns]),
        hide_index=True,
        column_config={"\u200bRow": st.column_config.NumberColumn("Row", width=60)},
        alt="The first rows of the file",
    )
    wrong = [row for row in sheet.rows if row.problem]
    if wrong:
        notices.warning(
            f"{amount(len(wrong), 'row')} cannot be imported as {'it is' if len(wrong) == 1 else 'they are'}. "
            f"Row {wrong[0].number:,}: {plain(wrong[0].problem)}",
        )


def _is_chosen(read: Sheet, choice: Choice) -> bool:
    """Return whether a file was read as it is to be; a choice is None where nobody made one."""
    choices = ((choice.sheet, read.sheet), (choice.header, read.header), (choice.encoding, read.encoding))
    return all(chosen in (None, found) for chosen, found in choices)


def _choices(read: Sheet, choice: Choice, place: str, part: str) -> None:
    """Draw what the file could be read as besides, where there is a choice."""
    headers = {row: f"Row {row:,}: {text}" for row, text in read.headers} | {0: _NO_HEADER}
    moved = read.header != read.headers[0][0] if read.headers else False
    with st.container(horizontal=True, key=f"{place}_choices"):
        if len(read.sheets) > 1:
            _choice("Sheet", {name: name for name in read.sheets}, read.sheet, f"{place}_sheet")
        if moved or not read.named or choice.header is not None:
            _choice("Header", headers, read.header, f"{part}_header")
        if read.encodings:
            samples = {codec: f"{name}: {sample}" if sample else name for codec, name, sample in read.encodings}
            _choice("Encoding", samples, read.encoding, f"{place}_encoding")


def _choice(title: str, options: Mapping[Key, str], chosen: Key, key: str) -> None:
    st.selectbox(
        title,
        list(options),
        index=list(options).index(chosen) if chosen in options else 0,
        format_func=lambda option: options.get(option, str(option)),
        key=key,
        width=360,
    )


def _column(field: Field, columns: Sequence[str], guessed: str | None, key: str) -> str | None:
    options = list(columns) if field.required else [_NONE, *columns]
    chosen = st.selectbox(
        plain(field.title),
        options,
        index=options.index(guessed or _NONE) if guessed or not field.required else None,
        format_func=lambda column: column or "Not in the file",
        placeholder="Needed",
        key=key,
    )
    return chosen or None
