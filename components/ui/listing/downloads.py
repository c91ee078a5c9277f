"""Downloads of what a list shows, each made when it is asked for."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from services.text import exports

_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def downloads(file: Callable[[exports.Writer], bytes], name: str, total: str) -> None:
    """Draw the downloads of what the filters match; each file is made when it is asked for."""
    download(file, name, f"Everything that matches: {total}.")


def download(file: Callable[[exports.Writer], bytes], name: str, caption: str, label: str = "Download") -> None:
    """Draw a menu of the formats in which a file can be taken away; it is made when it is asked for."""
    with st.popover(label, icon=":material/download:"):
        st.caption(caption)
        for kind, made, end, media, icon in (
            ("CSV", exports.text, "csv", "text/csv", "csv"),
            ("Excel", exports.workbook, "xlsx", _WORKBOOK, "table"),
        ):
            st.download_button(
                kind,
                partial(file, made),
                f"{name}.{end}",
                media,
                icon=f":material/{icon}:",
                on_click="ignore",
                width="stretch",
            )
