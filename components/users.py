"""The users of a tenant: a line each, and what an admin can do to them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.audit import plain
from components.page import exactly, outcome, said, when
from db.models import Role
from services import users, words
from services.access import Actor, Permission
from services.users import NewUser, UserRow

Opener = Callable[[], AbstractContextManager[Session]]
_OUT = "Take out of the tenant"


@dataclass(frozen=True)
class People:
    """Manages users as *actor*. *opener* opens the session in which something is written."""

    actor: Actor
    zone: ZoneInfo
    opener: Opener

    def draw(self, rows: Sequence[UserRow]) -> None:
        """Draw every user, with what can be done."""
        said("users")
        self._show_password()
        for row in rows:
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                with st.container(gap=None, width="stretch"):
                    state = "" if row.is_active else " · :red[deactivated]"
                    place = f" · {plain(row.tenant)}" if self.actor.all_tenants else ""
                    st.markdown(f"**{plain(row.name)}** · {plain(row.username)}{place}{state}")
                    seen = (
                        f"Signed in {when(row.last_sign_in_at, self.zone)}"
                        if row.last_sign_in_at
                        else "Never signed in"
                    )
                    waiting = " · has a one-time password" if row.must_change_password else ""
                    st.caption(seen + waiting, help=exactly(row.last_sign_in_at, self.zone))
                st.badge(words.ROLE[row.role], color="blue" if row.role is Role.ADMIN else "gray")
                if self.actor.may(Permission.USERS_WRITE) and not self.actor.all_tenants:
                    self._actions(row)

    @st.dialog("Add user")
    def add(self) -> None:
        """Ask for a new user; the one-time password is shown afterwards, once."""
        with st.form("add_user", border=False):
            st.text_input("User name", key="user_username", placeholder="jane.doe")
            st.text_input("Name", key="user_name", placeholder="Jane Doe")
            st.selectbox("Role", list(Role), index=1, format_func=lambda role: words.ROLE[role], key="user_role")
            sent = st.form_submit_button("Add user", type="primary", on_click=self._create)
        said("add_user")
        if sent and "new_user" in st.session_state:
            st.rerun()

    def _create(self) -> None:
        state = st.session_state

        def create() -> str:
            with self.opener() as session:
                state["new_user"] = users.create(
                    session, self.actor, state["user_username"], state["user_name"], state["user_role"]
                )
            return ""

        outcome(create, "add_user")

    def _actions(self, row: UserRow) -> None:
        own = row.id == self.actor.user_id
        with st.popover("", icon=":material/more_horiz:", help=f"Change {row.name}", key=f"user_{row.id}"):
            if own:
                st.caption("This is you. Another admin changes your role.")
                return
            for role in Role:
                if role is not row.role:
                    self._button(row, f"Make {words.ROLE[role].lower()}", partial(self._change_role, row, role))
            self._button(row, "Reset password", lambda s: self._keep(users.reset_password(s, self.actor, row.id)))
            self._button(row, "Sign out everywhere", lambda s: users.end_sessions(s, self.actor, row.id))
            if row.is_active:
                self._button(row, "Deactivate", lambda s: users.set_active(s, self.actor, row.id, False))
            else:
                self._button(row, "Activate", lambda s: users.set_active(s, self.actor, row.id, True))
            self._button(row, _OUT, partial(self._change_role, row, None))

    def _button(self, row: UserRow, label: str, act: Callable[[Session], None]) -> None:
        def run() -> None:
            def acted() -> str:
                with self.opener() as session:
                    act(session)
                return f"{row.name}: {label.lower()}, done."

            outcome(acted, "users")

        red = label in ("Deactivate", _OUT)
        st.button(
            f":red[{label}]" if red else label, key=f"{label}_{row.id}", on_click=run, width="stretch", type="tertiary"
        )

    def _change_role(self, row: UserRow, role: Role | None, session: Session) -> None:
        users.change_role(session, self.actor, row.id, role)

    def _keep(self, made: NewUser) -> None:
        st.session_state["new_user"] = made

    def _show_password(self) -> None:
        made: NewUser | None = st.session_state.get("new_user")
        if made is None:
            return
        with st.container(border=True):
            st.markdown(f":material/key: One-time password of **{plain(made.username)}**. It is shown here once.")
            st.code(made.one_time_password, language=None, width=260)
            st.caption("It must be changed at the first sign-in.")
            st.button("Done, hide it", on_click=lambda: st.session_state.pop("new_user", None))
