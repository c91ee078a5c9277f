"""The settings of the chosen tenant: its time zone, the thresholds of number health, and its API keys."""

from collections.abc import Sequence

import streamlit as st

from components.people import api_keys as keys
from components.people import settings as draw
from components.ui import dialogs
from components.ui.page import errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.engine import open_session
from db.base.scope import Slice
from services.audit import audit
from services.core.access import Permission
from services.people import api_keys, tenant_settings

actor, zone, again = current_actor(), reader_zone(), rechecked(open_session)


def create(name: str, scopes: Sequence[api_keys.KeyScope]) -> api_keys.NewKey:
    with again() as session:
        return api_keys.create(session, actor, name, scopes)


def revoke(key_id: int) -> None:
    with again() as session:
        api_keys.revoke(session, actor, key_id)


header("Settings", "Defaults and limits for this tenant.")
with errors_shown(), open_session() as session:
    found = tenant_settings.get(session, actor)
    left, right = st.columns([0.56, 0.44], gap="large")
    with left:
        if actor.may(Permission.SETTINGS_WRITE):
            editor = draw.Editor(actor, found, zone, again)
            editor.prepare()
            editor.sections()
        else:
            draw.read_only(found)
    with right:
        if actor.may(Permission.API_KEYS_WRITE):
            st.subheader("API keys", anchor=False)
            st.caption("For programs. A key can do in this tenant what is chosen for it, and nothing else.")
            keys.new_key(create)
            keys.table(api_keys.search(session, actor), zone, revoke)
        dialogs.history(audit.history(session, actor, "tenant", found.id, Slice(size=10)), zone)
