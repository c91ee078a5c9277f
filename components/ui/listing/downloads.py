"""Downloads of what a list shows, each made when it is asked for."""

from collections.abc import Callable

import streamlit as st

from services.text import exports


def downloads(file: Callable[[exports.Writer], bytes], name: str, total: str) -> None:
    """Draw the downloads of what the filters match; each file is made when it is asked for."""
    download(file, name, f"Everything that matches: {total}.")


def download(file: Callable[[exports.Writer], bytes], name: str, caption: str, label: str = "Download") -> None:
    """Draw a menu of the formats in which a file can be taken away; it is made when it is asked for."""
    with st.popover(label, icon=":material/download:"):
        st.caption(caption)
        st.download_button(
            "CSV",
            lambda: file(exports.text),
            f"{name}.csv",
            "text/csv",
            icon=":material/csv:",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "Excel",
            lambda: file(exports.workbook),
            f"{name}.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/table:",
            on_click="ignore",
            width="stretch",
        )
