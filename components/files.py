"""Files that the reader brings: which column holds what."""

import zlib
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from components.markdown import plain
from services import files

_NONE = ""


def columns(
    frame: pd.DataFrame,
    names: Mapping[str, Sequence[str]],
    required: Sequence[str],
    prefix: str,
    titles: Mapping[str, str] | None = None,
) -> dict[str, str | None]:
    """Draw the choice of a column for each field in *names*, guessed by its name, and the first rows of the file.

    It is open when one that is *required* could not be guessed.
    """
    guessed, offered = files.guess(frame.columns, names), list(frame.columns)
    shape = zlib.crc32("\n".join(offered).encode())  # another file is matched anew
    with st.expander("Columns", expanded=any(guessed[field] is None for field in required)):
        chosen = {
            field: _column(
                (titles or {}).get(field) or field.replace("_", " ").capitalize(),
                offered,
                column,
                field in required,
                f"{prefix}_column_{field}_{shape}",
            )
            for field, column in guessed.items()
        }
    st.dataframe(frame.head(5).map(files.text), hide_index=True, alt="The first rows of the file")
    return chosen


def _column(title: str, offered: Sequence[str], guessed: str | None, needed: bool, key: str) -> str | None:
    options = list(offered) if needed else [_NONE, *offered]
    chosen = st.selectbox(
        plain(title),
        options,
        index=options.index(guessed or _NONE) if guessed or not needed else None,
        format_func=lambda column: column or "Not in the file",
        placeholder="Needed",
        key=key,
    )
    return chosen or None
