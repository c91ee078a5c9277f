"""The wizard that adds a number. Its state lives in this tab and on this page alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import streamlit as st
from sqlmodel import Session

from components.numbers import number_fields as draw
from components.orders import buy_number
from components.ui import navigation, notices, wizard
from components.ui.markdown import plain
from components.ui.wizard import go, state
from services import agents
from services.connections import connections
from services.connections.connections import ConnectionRow, provider_named
from services.core.access import Actor, Permission
from services.core.errors import InvalidInput
from services.numbers import numbers, registration
from services.numbers.registration import Configuration, Preview
from services.orders import catalogue
from services.text import labels, numbering
from services.text.numbering import Doubtful


@dataclass(frozen=True)
class Wizard:
    """Adds a number as *actor*. *opener* opens the session in which something is written."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, session: Session) -> None:
        """Draw the step that the wizard is at."""
        options = connections.choices(session, self.actor)
        match state()["step"]:
            case "search" | "papers" | "waiting" | "job":
                buy_number.TwilioPath(self.actor, self.opener).draw(session, options)
            case "manual":
                self._manual(options)
            case "configure":
                self._configure(session)
            case "done":
                self._done()
            case _:
                self._source(options)

    def _source(self, offered: list[ConnectionRow]) -> None:
        st.subheader("Choose source", anchor=False)
        accounts = catalogue.sellers(offered)
        has_twilio = bool(accounts)
        where = f" in {plain(accounts[0].name)}" if len(accounts) == 1 else ""
        with st.container(horizontal=True):
            if has_twilio:
                _card(
                    "Purchase from Twilio",
                    "shopping_cart",
                    f"Search for a number and buy it, or import one that you own{where}. "
                    "Webhooks are set automatically.",
                    "search",
                )
            _card(
                "Add manually",
                "edit_note",
                "Register an existing number from any provider: Twilio, mCube, Exotel, and others. "
                "Nothing changes at the provider.",
                "manual",
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Adding many numbers? Import a CSV or Excel file.", width="content")
            navigation.link(navigation.IMPORT, label="Import from a file", icon=":material/upload_file:")
        if not has_twilio:
            st.caption("To buy or import Twilio numbers, add a Twilio telephony connection first.")
            if self.actor.may(Permission.CONNECTIONS_WRITE):
                navigation.link(navigation.CONNECTIONS, label="Telephony connections", icon=":material/cable:")

    def _manual(self, offered: list[ConnectionRow]) -> None:
        wizard.step("Add number manually", 1, 2, {"Source": "Add manually"})
        names = draw.connection_names(offered)
        typed = st.text_input(
            "Phone number (E.164)",
            key="add_number",
            placeholder="+14155551212",
            live=True,
            persist_state="page",
            max_chars=60,
            on_change=lambda: state().pop("doubt", None),
        )
        chosen = draw.connection_choice(
            "add_connection", names, persist_state="page", on_change=lambda: state().pop("doubt", None)
        )
        row = next((connection for connection in offered if connection.id == chosen), None)
        if row is not None:
            country = row.default_country or provider_named(row.provider).default_country
            if country:
                st.caption(f"Numbers without + are read as {plain(numbering.country(country))} numbers.")
        if not names:
            may_add = self.actor.may(Permission.CONNECTIONS_WRITE)
            who = "Add one first." if may_add else "An admin can add one."
            notices.warning(f"This tenant has no active telephony connection. {who}", icon="power_off")
            if may_add:
                navigation.link(navigation.CONNECTIONS, label="Telephony connections", icon=":material/cable:")
        doubt = state().get("doubt")
        notices.show_kept("manual")
        if doubt:
            notices.warning(plain(str(doubt)), icon="help")
        if isinstance(doubt, Doubtful):
            with st.container(horizontal=True):
                for one in doubt.readings:
                    st.button(
                        f"Use {numbering.display(one.e164)} · {plain(numbering.country(one.country))}",
                        key=f"add_reading_{one.e164}",
                        on_click=self._use,
                        args=(one.e164,),
                    )
        elif doubt:
            st.checkbox("Use this number anyway", key="add_insist")
        wizard.buttons("source", "Next: Configure number", self._next, disabled=not (typed and chosen))

    def _use(self, e164: str) -> None:
        """Go on with the reading that was chosen, as if it had been typed."""
        st.session_state["add_number"] = e164
        self._next()

    def _next(self) -> None:
        known = st.session_state
        doubt = state().get("doubt")
        insist = bool(doubt and not isinstance(doubt, Doubtful) and known.get("add_insist"))

        def look() -> str:
            with self.opener() as session:
                try:
                    seen = registration.preview(
                        session, self.actor, known["add_number"], known["add_connection"], insist=insist
                    )
                except InvalidInput as exc:
                    if not exc.overridable:
                        raise
                    state()["doubt"] = exc.with_traceback(None)
                    return ""
            go("configure", preview=seen, insist=insist, doubt=None)
            return ""

        notices.outcome(look, "manual")

    def _configure(self, session: Session) -> None:
        seen: Preview = state()["preview"]
        wizard.step(
            "Configure number",
            2,
            2,
            {
                "Number": numbering.display(seen.e164),
                "Country": numbering.country(seen.country),
                "Type": labels.TYPE[seen.number_type],
                "Connection": f"{seen.connection} · {provider_named(seen.provider).name}",
            },
        )
        st.caption("The number is registered in Numberdesk only. Nothing changes at its provider.")
        draw.configuration(agents.choices(session, self.actor))
        draw.provider_fields(provider_named(seen.provider), "add_field", persist=True)
        notices.show_kept("configure")
        wizard.buttons("manual", "Add number", self._add)

    def _add(self) -> None:
        if state()["step"] != "configure":  # the second click of a double click
            return
        known = st.session_state
        seen: Preview = state()["preview"]
        fields = draw.provider_values(provider_named(seen.provider), "add_field")
        configuration = Configuration(**draw.configured(), provider_fields=fields)

        def add() -> str:
            with self.opener() as session:
                number_id = registration.register(
                    session,
                    self.actor,
                    seen.e164,
                    known["add_connection"],
                    configuration,
                    insist=state()["insist"],
                )
                text = wizard.facts(numbers.get(session, self.actor, number_id), "Nothing changed at the provider")
            go("done", number_id=number_id, summary=text)
            return f"{numbering.display(seen.e164)} was added."

        notices.outcome(add, "done" if state()["step"] == "done" else "configure")

    def _done(self) -> None:
        number_id: int = state()["number_id"]
        summary: dict[str, str] = dict(state()["summary"])
        with st.container(border=True, gap="xsmall"):
            st.subheader(":material/check_circle: Phone number added", anchor=False)
            st.markdown(f"#### {plain(summary.pop('Number'))}")
            for name, value in summary.items():
                st.markdown(f"{plain(name)}: **{plain(value)}**")
        wizard.ways_on(number_id)


def _card(title: str, icon: str, text: str, step: str) -> None:
    with st.container(border=True, width=340, height="stretch"):
        st.markdown(f":material/{icon}: **{title}**")
        st.caption(text)
        st.space("stretch")
        st.button(title, key=f"choose_{step}", on_click=lambda: go(step), width="stretch", type="primary")
