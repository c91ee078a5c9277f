"""The list of API keys, a new one with its secret shown once, and revoking."""

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from components import audit
from components.page import errors_shown, exactly, outcome, said, when
from services.api_keys import ApiKeyRow, NewKey


def new_key(create: Callable[[str], NewKey]) -> None:
    """Draw the form for a key, and after it the secret, once."""
    with st.form("new_api_key", clear_on_submit=True), st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input("Name", max_chars=64, placeholder="The program that will use it")
        asked = st.form_submit_button("Create key", type="primary", icon=":material/add:")
    if asked:
        with errors_shown():
            made = create(name)
            st.success("Copy the key now: it is never shown again.", icon=":material/key:")
            st.code(made.secret, language=None)


def table(rows: Sequence[ApiKeyRow], zone: ZoneInfo, revoke: Callable[[int], None]) -> None:
    """Draw a line for each key."""
    said("api_keys")
    if not rows:
        st.caption("No keys yet.")
    for row in rows:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                st.markdown(f"**{audit.plain(row.name)}** `{row.shown}…`")
                st.caption(
                    f"By {audit.plain(row.created_by)}, {exactly(row.created_at, zone)} · "
                    f"last used {when(row.last_used_at, zone) if row.last_used_at else 'never'}"
                )
            if row.revoked_at:
                st.badge("Revoked", color="gray", help=exactly(row.revoked_at, zone))
            else:
                with st.popover("Revoke", icon=":material/block:"):
                    st.markdown(f"Programs that use **{audit.plain(row.name)}** are refused from now on.")
                    st.button(
                        "Revoke key",
                        key=f"revoke_{row.id}",
                        type="primary",
                        on_click=lambda row=row: outcome(lambda: _revoked(revoke, row), "api_keys"),  # type: ignore[arg-type]
                    )


def _revoked(revoke: Callable[[int], None], row: ApiKeyRow) -> str:
    revoke(row.id)
    return f"{row.name} is revoked."
