"""Marking a number as released that is no longer in its account."""

import streamlit as st

from components.ui.markdown import plain


def why_released(provider: str, key: str) -> str:
    """Draw what it means to mark a number as released, and ask for the reason; return what was typed."""
    st.caption(
        f"Nothing changes at {plain(provider)}: nothing is released there, and a number in another account is still "
        "billed. The record and its history stay searchable but can no longer be changed."
    )
    typed = st.text_input(
        "Reason",
        key=key,
        live=True,
        max_chars=300,
        placeholder="Example: released in the provider's console on 3 December",
    )
    return (typed or "").strip()
