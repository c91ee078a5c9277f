"""Files that the reader brings: which column holds what."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from services import files


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
    with st.expander("Columns", expanded=any(guessed[field] is None for field in required)):
        chosen = {
            field: st.selectbox(
                (titles or {}).get(field) or field.replace("_", " ").capitalize(),
                offered,
                index=offered.index(column) if column in offered else None,
                placeholder="Needed" if field in required else "Not in the file",
                key=f"{prefix}_column_{field}",
            )
            for field, column in guessed.items()
        }
    st.dataframe(frame.head(5).map(files.text), hide_index=True, alt="The first rows of the file")
    return chosen
