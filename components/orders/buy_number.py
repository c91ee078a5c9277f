"""Purchases and imports in the wizard: search what is for sale, or load what the account owns, and choose."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.orders import catalogue_tables, order_number
from components.orders.owned_numbers import OwnedNumbers
from components.ui import cache, navigation, notices, selection, wizard
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from components.ui.selection import Selection
from components.ui.wizard import go, state
from db.base.money import Money
from db.connections import ConnectionRow
from db.models import OrderKind
from services.core.access import Actor, Permission
from services.core.errors import ServiceError
from services.orders import catalogue
from services.orders.catalogue import AvailableNumber, Country, NumberSearch, Prices
from services.text import labels, numbering

_NORTH_AMERICA = ("US", "CA")
_ACCOUNT, _FOR_SALE, _OWNED = "add_account", "add_for_sale_held", "add_owned_held"


@cache.kept(Permission.NUMBERS_BUY, seconds=3600, spinner="Loading the countries…", is_ours=False)
def _countries(session: Session, actor: Actor, connection_id: int, version: int) -> tuple[Country, ...]:
    return catalogue.countries(session, actor, connection_id)


@cache.kept(Permission.NUMBERS_BUY, seconds=3600, is_ours=False)
def _prices(session: Session, actor: Actor, connection_id: int, version: int, country: str) -> Prices:
    return catalogue.prices(session, actor, connection_id, country)


def _forget_answers() -> None:
    for key in ("found", "owned", "unanswered"):
        state().pop(key, None)
    for key in (_FOR_SALE, _OWNED):
        selection.held(key).clear()


@dataclass(frozen=True)
class _Next:
    """What `Continue` does with what is selected; nothing can be done before anything is."""

    label: str = "Continue"
    known: dict[str, object] | None = None

    def go(self) -> None:
        go("papers", **self.known or {})


@dataclass(frozen=True)
class TwilioPath:
    """Buys or imports as *actor*. *opener* opens the session in which an order is placed."""

    actor: Actor
    opener: Opener

    def draw(self, session: Session, options: list[ConnectionRow]) -> None:
        """Draw the step that the wizard is at."""
        match state()["step"]:
            case "papers":
                order_number.Ordering(self.actor, self.opener).configure(session, options)
            case "job":
                job: int = state()["job"]
                wizard.reset()
                navigation.open_job(job)
            case "waiting":
                order_number.Ordering(self.actor, self.opener).wait()
            case _:
                self._search(session, catalogue.sellers(options))

    def _search(self, session: Session, options: list[ConnectionRow]) -> None:
        heading = st.container()
        connection = self._account(options)
        chosen = {"Source": "Purchase from Twilio"} | ({"Connection": connection.name} if connection else {})
        with heading:
            wizard.step("Search available numbers", 1, 3, chosen)
        following = _Next()
        if connection is None:
            st.caption("Choose a connection to search its account.")
        else:
            accounts.doubt(connection, self.actor)
            with errors_shown():
                following = self._tabs(session, connection)
        wizard.buttons("source", plain(following.label), following.go, disabled=following.known is None)

    def _account(self, options: list[ConnectionRow]) -> ConnectionRow | None:
        """Return the account to search: the only one, or the chosen one."""
        if len(options) == 1:
            return options[0]
        return accounts.choice(options, _ACCOUNT, on_change=_forget_answers, persist_state="page")

    def _tabs(self, session: Session, connection: ConnectionRow) -> _Next:
        # The tab that was left open is that of its step's next visit: another default would make other tabs.
        tabs = ("Available to purchase", f"In your {accounts.provider(connection)} account")
        default = tabs[state()["tab"]] if "tab" in state() else None
        for_sale, owned = st.tabs(tabs, key="add_tab", on_change="rerun", default=default)
        if owned.open:
            with owned:
                following = self._owned(connection)
        else:
            with for_sale:
                following = self._for_sale(session, connection)
        if following.known is not None:
            following.known["tab"] = int(bool(owned.open))
        return following

    def _catalogue(self, session: Session, connection: ConnectionRow) -> dict[str, Country]:
        """Return the countries that the account can buy in; empty, with an error shown, when the provider fails."""
        known = state()
        if "unanswered" not in known:
            try:
                found = _countries(session, self.actor, connection.id, connection.version)
                return {country.code: country for country in found}
            except ServiceError as exc:
                known["unanswered"] = str(exc)
        notices.error(plain(known["unanswered"]))
        st.button("Try again", icon=":material/refresh:", key="add_retry", on_click=lambda: known.pop("unanswered"))
        return {}

    def _query(self, countries: dict[str, Country], default: str) -> NumberSearch:
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
                format_func=lambda value: labels.TYPE_AT_PROVIDER[value],
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
                help="2 to 16 digits or letters. * matches one character, % any number; + anchors the start, $ the "
                "end.",
                persist_state="page",
            )
        return NumberSearch(country, number_type, (area_code or "").strip(), (contains or "").strip())

    def _for_sale(self, session: Session, connection: ConnectionRow) -> _Next:
        countries = self._catalogue(session, connection)
        if not countries:
            return _Next()
        query = self._query(countries, connection.default_country or "US")
        kind: Literal["primary", "secondary"] = "secondary" if "found" in state() else "primary"
        if st.button("Search available", icon=":material/search:", type=kind, key="add_search"):
            with errors_shown(), st.spinner(f"Searching {accounts.provider(connection)}…"):
                found = catalogue.search(session, self.actor, connection.id, query)
                prices = _prices(session, self.actor, connection.id, connection.version, query.country)
                state()["found"] = (query, found, prices)
        query_asked, found, prices = state().get("found", (None, (), None))
        if query_asked is None:
            st.caption(f"{accounts.provider(connection)} returns about 30 numbers. Change the filters to see others.")
            return _Next()
        if query_asked != query:
            st.caption("Filters changed. Search again.")
        selected: Selection[AvailableNumber] = selection.held(_FOR_SALE)
        if not found:
            selected.clear()
            notices.info("No number matches. Try another area code, or a shorter part of the number.")
            return _Next()
        catalogue_tables.for_sale(selected, found, prices)
        for chosen in selected.rows.values():
            known = {"kind": OrderKind.PURCHASE, "connection": connection, "chosen": [chosen]}
            known["price"] = Money.of(prices.monthly.get(chosen.type), prices.currency)
            return _Next(f"Continue with {numbering.display(chosen.e164)}", known)
        return _Next()

    def _owned(self, connection: ConnectionRow) -> _Next:
        chosen = [row.number for row in OwnedNumbers(self.actor, connection, self.opener).draw()]
        if not chosen:
            return _Next()
        label = numbering.display(chosen[0].e164) if len(chosen) == 1 else labels.amount(len(chosen), "number")
        return _Next(
            f"Continue with {label}",
            {"kind": OrderKind.IMPORT, "connection": connection, "chosen": chosen} | {"price": None},
        )
