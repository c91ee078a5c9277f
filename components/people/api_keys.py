"""The list of API keys, a new one with its secret shown once, and revoking."""

from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from components.ui import notices
from components.ui.markdown import code, plain
from components.ui.page import exactly, when
from db.models import KeyScope
from db.people.api_keys import ApiKeyRow
from services.people.api_keys import NewKey
from services.text import labels


def new_key(create: Callable[[str, Sequence[KeyScope]], NewKey]) -> None:
    """Draw the form for a new key, and then its secret until it is hidden."""
    state = st.session_state

    def make() -> str:
        state["api_key_made"] = create(state["api_key_name"] or "", state["api_key_scopes"])
        state["api_key_name"] = ""
        return ""

    def sent() -> None:
        notices.outcome(make, "new_api_key")

    if state.get("entered_page"):
        state.pop("api_key_made", None)
    state.setdefault("api_key_scopes", [KeyScope.HEALTH])
    with st.form("new_api_key"):
        st.pills(
            "What it may do",
            list(KeyScope),
            key="api_key_scopes",
            selection_mode="multi",
            format_func=labels.KEY_SCOPE.__getitem__,
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.text_input("Name", key="api_key_name", max_chars=64, placeholder="The program that will use it")
            st.form_submit_button("Create key", type="primary", icon=":material/add:", on_click=sent)
    notices.show_kept("new_api_key")
    new_key: NewKey | None = state.get("api_key_made")
    if new_key is not None:
        with st.container(border=True):
            st.markdown(f":material/key: Copy the key **{plain(new_key.name)}** now: it is never shown again.")
            st.code(new_key.secret, language=None, wrap_lines=True)
            st.button("Hide", on_click=lambda: state.pop("api_key_made", None))


def table(rows: Sequence[ApiKeyRow], zone: ZoneInfo, revoke: Callable[[int], None]) -> None:
    """Draw a line for each key."""
    notices.show_kept("api_keys")
    if not rows:
        st.caption("No keys yet.")
    for row in rows:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            with st.container(gap=None):
                st.markdown(f"**{plain(row.name)}** {code(row.shown + '…')}")
                st.caption(" · ".join(labels.KEY_SCOPE[scope] for scope in KeyScope if scope in row.scopes))
                st.caption(
                    f"Created by {plain(row.created_by)}, {exactly(row.created_at, zone)} · "
                    f"last used {when(row.last_used_at, zone) if row.last_used_at else 'never'}"
                )
            if row.revoked_at:
                st.badge("Revoked", color="gray", help=exactly(row.revoked_at, zone))
            else:
                with st.popover("Revoke", icon=":material/block:"):
                    st.markdown(f"Programs using **{plain(row.name)}** will be refused.")
                    st.button(
                        "Revoke key",
                        key=f"revoke_{row.id}",
                        type="primary",
                        on_click=partial(_revoke, revoke, row),
                    )


def _revoke(revoke: Callable[[int], None], row: ApiKeyRow) -> None:
    def act() -> str:
        revoke(row.id)
        return f"{row.name} was revoked."

    notices.outcome(act, "api_keys")
