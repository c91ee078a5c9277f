"""The choice of a provider account: never preselected, with its last test beside it."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain
from db.connections import ConnectionRow
from services.connections import connection_tests
from services.connections.connections import provider_named
from services.core.access import Actor, Permission

NONE_CHOSEN = "Choose a connection"


def name(connection: ConnectionRow) -> str:
    """Return what an account is called: by its connection, with the provider."""
    return f"{connection.name} · {provider_named(connection.provider).name}"


def provider(connection: ConnectionRow) -> str:
    """Return the name of a connection's provider, as Markdown."""
    return plain(provider_named(connection.provider).name)


def choice(
    connections: Sequence[ConnectionRow], key: str, *, on_change: Callable[[], None] | None = None, **options: Any
) -> ConnectionRow | None:
    """Draw the choice of a connection; return it. The only one is chosen by itself; of several, none is."""
    rows = {row.id: row for row in connections}
    chosen = st.selectbox(
        "Telephony connection",
        list(rows),
        format_func=lambda value: name(rows[value]),
        index=0 if len(rows) == 1 else None,
        placeholder=NONE_CHOSEN,
        key=key,
        on_change=on_change,
        **options,
    )
    return rows.get(chosen)


def doubt(connection: ConnectionRow, actor: Actor) -> None:
    """Warn that a connection was never tested or failed its last test, with a link to test it."""
    if connection.test_passed or not connection_tests.can_test(provider_named(connection.provider)):
        return
    failed = connection.test_passed is False
    text = "failed its last test, so requests may fail" if failed else "was never tested"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = ":material/error:" if failed else ":material/help:"
        st.markdown(f":orange[{icon}] **{plain(connection.name)}** {text}.", width="content")
        if actor.may(Permission.CONNECTIONS_WRITE):
            navigation.link(
                navigation.CONNECTIONS,
                label="Test connection",
                icon=":material/wifi_tethering:",
                query_params={"connections_search": connection.name},
            )
        else:
            st.caption("An admin can test it.", width="content")
