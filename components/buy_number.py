"""The Twilio path of the wizard: search what is for sale, or load what the account owns, and choose."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlmodel import Session

from components import order_number, stock_tables, wizard
from components.page import errors_shown
from components.wizard import go, state
from services import numbering, stock, words
from services.access import Actor
from services.connections import ConnectionRow
from services.orders import OrderKind
from services.stock import Country, NumberSearch, OwnedRow, Prices

_NORTH_AMERICA = ("US", "CA")


@st.cache_data(ttl=3600, show_spinner="Asking Twilio for its countries…")
def _countries(_session: Session, _actor: Actor, tenant_id: int, connection_id: int) -> tuple[Country, ...]:
    return stock.countries(_session, _actor, connection_id)


@st.cache_data(ttl=3600, show_spinner=False)
def _prices(_session: Session, _actor: Actor, tenant_id: int, connection_id: int, country: str) -> Prices:
    return stock.prices(_session, _actor, connection_id, country)


def _forget_answers() -> None:
    for key in ("found", "owned", "tokens"):
        state().pop(key, None)


@dataclass(frozen=True)
class TwilioPath:
    """Buys or imports as *actor*. *opener* opens the session in which an order is placed."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, session: Session, offered: list[ConnectionRow]) -> None:
        """Draw the step that the wizard is at."""
        match state()["step"]:
            case "papers":
                order_number.Ordering(self.actor, self.opener).configure(session)
            case "waiting":
                order_number.Ordering(self.actor, self.opener).wait()
            case "imported":
                stock_tables.outcomes(state()["outcomes"])
                st.button("Add another", on_click=wizard.reset)
            case _:
                self._search(session, [row for row in offered if row.provider == "twilio"])

    def _search(self, session: Session, offered: list[ConnectionRow]) -> None:
        wizard.step("Search available numbers", 1, 3, {"Source": "Purchase from Twilio"})
        with errors_shown():
            self._offers(session, offered)
        st.button("Back", key="wizard_back", icon=":material/arrow_back:", on_click=lambda: go("source"))

    def _offers(self, session: Session, offered: list[ConnectionRow]) -> None:
        connection = self._connection(offered)
        countries = {c.code: c for c in _countries(session, self.actor, self.actor.tenant_id or 0, connection.id)}
        default = connection.default_country or "US"
        with st.container(horizontal=True, vertical_alignment="bottom"):
            codes = list(countries)
            country = st.selectbox(
                "Country",
                codes,
                index=codes.index(default) if default in codes else 0,
                format_func=numbering.country,
                key="add_country",
                persist_state="page",
            )
            number_type = st.selectbox(
                "Number type",
                countries[country].types,
                format_func=lambda value: words.TYPE_AT_VENDOR[value],
                key=f"add_type_{country}",
                persist_state="page",
            )
            area_code = ""
            if country in _NORTH_AMERICA:
                area_code = st.text_input(
                    "Area code", key="add_area", placeholder="Optional, like 415", persist_state="page"
                )
            contains = st.text_input(
                "Contains",
                key="add_contains",
                placeholder="Optional, like 2671 or TAXI",
                help="2 to 16 digits or letters. * stands for one, % for any; + at the start, $ at the end anchor it.",
                persist_state="page",
            )
        for_sale, owned = st.tabs(["Available to purchase", "In your Twilio account"], key="add_tab", on_change="rerun")
        if for_sale.open:
            with for_sale:
                query = NumberSearch(country, number_type, (area_code or "").strip(), (contains or "").strip())
                self._for_sale(session, connection, query)
        if owned.open:
            with owned:
                self._owned(session, connection)

    def _connection(self, offered: list[ConnectionRow]) -> ConnectionRow:
        if len(offered) == 1:
            return offered[0]
        rows = {row.id: row for row in offered}
        chosen = st.selectbox(
            "Telephony connection",
            list(rows),
            format_func=lambda value: rows[value].name,
            key="add_twilio",
            persist_state="page",
            on_change=_forget_answers,
        )
        return rows[chosen]

    def _for_sale(self, session: Session, connection: ConnectionRow, query: NumberSearch) -> None:
        if st.button("Search available", icon=":material/search:", type="primary"):
            with errors_shown(), st.spinner("Asking Twilio…"):
                found = stock.search(session, self.actor, connection.id, query)
                prices = _prices(session, self.actor, self.actor.tenant_id or 0, connection.id, query.country)
                state()["found"] = (query, found, prices)
        query_asked, found, prices = state().get("found", (None, (), None))
        if query_asked is None:
            st.caption("Twilio shows about 30 numbers at a time, and has no second page: vary what you look for.")
            return
        if query_asked != query:
            st.caption("What you look for has changed: search again.")
        if not found:
            st.info("No number matches. Try another area code, or a shorter part of the number.")
            return
        chosen = stock_tables.for_sale(found, prices)
        if chosen is not None:
            st.button(
                f"Continue with {numbering.display(chosen.e164)}",
                type="primary",
                key="continue_purchase",
                on_click=lambda: go(
                    "papers",
                    kind=OrderKind.PURCHASE,
                    connection=connection,
                    chosen=[chosen],
                    price=prices.monthly.get(chosen.type),
                    currency=prices.currency,
                ),
            )

    def _owned(self, session: Session, connection: ConnectionRow) -> None:
        known = state()
        loaded = "owned" in known
        with st.container(horizontal=True, vertical_alignment="bottom"):
            matching = st.text_input(
                "Filter", key="add_matching", placeholder="Part of a number", persist_state="page", width=220
            )
            label = "Refresh" if loaded or "turn" in known else "Load my Twilio numbers"
            st.button(label, icon=":material/refresh:", key="add_load", on_click=lambda: known.update(turn=0))
        matching = "".join(c for c in matching or "" if c.isdigit() or c in "+*")
        turned = known.pop("turn", None)
        if turned is not None or (loaded and known["owned_matching"] != matching):
            at = turned or 0
            tokens = known["tokens"] if at else [None]
            with errors_shown(), st.spinner("Asking Twilio…"):
                page = stock.owned_page(session, self.actor, connection.id, matching=matching, token=tokens[at])
                tokens = [*tokens[: at + 1], page.next_token]
                known.update(owned=page, owned_matching=matching, tokens=tokens, at=at)
        if "owned" not in known:
            return
        chosen: list[OwnedRow] = stock_tables.owned(known["owned"].rows)
        self._turn(known)
        fresh = [row for row in chosen if row.number_id is None]
        if len(chosen) > len(fresh):
            st.caption("Numbers that are imported already are left out.")
        if fresh:
            label = numbering.display(fresh[0].number.e164) if len(fresh) == 1 else f"{len(fresh)} numbers"
            st.button(
                f"Continue with {label}",
                type="primary",
                key="continue_import",
                on_click=lambda: go(
                    "papers",
                    kind=OrderKind.IMPORT,
                    connection=connection,
                    chosen=[row.number for row in fresh],
                    price=None,
                    currency=None,
                ),
            )

    def _turn(self, known: dict[str, Any]) -> None:
        at, tokens = known["at"], known["tokens"]
        if at == 0 and tokens[1] is None:
            return
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button("Previous", disabled=at == 0, on_click=lambda: known.update(turn=at - 1))
            st.caption(f"Page {at + 1}")
            st.button("Next", disabled=tokens[at + 1] is None, on_click=lambda: known.update(turn=at + 1))
