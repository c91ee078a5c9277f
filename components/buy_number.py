"""The Twilio path of the wizard: search or load, choose, configure, confirm, and wait for the outcome."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import streamlit as st
from sqlmodel import Session

from components import audit, stock_tables, wizard
from components import number as draw
from components import numbers as number_list
from components.page import errors_shown, outcome, said
from components.wizard import go, state
from services import agents, durable, numbering, numbers, orders, stock, words
from services.access import Actor
from services.connections import ConnectionRow
from services.orders import Configuration, OrderKind, OrderState, Purchase
from services.stock import AvailableNumber, Country, NumberSearch, OwnedNumber, OwnedRow, Prices

_NORTH_AMERICA = ("US", "CA")
_WAIT_SECONDS = 25.0


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
                self._configure(session)
            case "waiting":
                self._waiting()
            case "imported":
                stock_tables.outcomes(state()["outcomes"])
                st.button("Add another", on_click=wizard.reset)
            case _:
                self._search(session, [row for row in offered if row.provider == "twilio"])

    def _search(self, session: Session, offered: list[ConnectionRow]) -> None:
        wizard.step("Search available numbers", 1, 3, {"Source": "Purchase from Twilio"})
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
        st.button("Back", key="wizard_back", icon=":material/arrow_back:", on_click=lambda: go("source"))

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

    def _configure(self, session: Session) -> None:
        known = state()
        chosen: list[AvailableNumber | OwnedNumber] = known["chosen"]
        connection: ConnectionRow = known["connection"]
        buying = known["kind"] is OrderKind.PURCHASE
        told = numbering.display(chosen[0].e164) if len(chosen) == 1 else f"{len(chosen)} numbers"
        summary = {"Number": told, "Connection": connection.name}
        if buying and known["price"] is not None:
            summary["Price"] = f"{known['price']} {known['currency']} a month"
        wizard.step("Configure number", 2, 3, summary)
        st.info(
            "**Twilio webhook configuration.** Voice URL and Status Callback are set automatically, to those of the "
            "connection. " + ("" if buying else "Importing may replace existing integrations of the number."),
            icon=":material/webhook:",
        )
        if not connection.voice_url:
            st.warning(f"{connection.name} has no Voice URL yet: calls to the number will not be answered.")
        st.text_input("Label (name)", key="add_label", placeholder="Optional", persist_state="page")
        draw.agent_choice("add_agent", draw.agent_names(agents.choices(session, self.actor)), persist=True)
        draw.country_choice("Allowed inbound countries", "add_inbound", persist=True)
        draw.country_choice("Allowed outbound countries", "add_outbound", persist=True)
        st.caption(draw.NO_RESTRICTION)
        if buying:
            self._papers(session, connection, chosen[0])
        said("papers")
        action = "Purchase & configure" if buying else "Import & configure"
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            st.button("Back", key="wizard_back", icon=":material/arrow_back:", on_click=lambda: go("search"))
            if st.button(action, key="wizard_forward", type="primary"):
                confirm = self._confirm_purchase if buying else self._confirm_import
                confirm()

    def _papers(self, session: Session, connection: ConnectionRow, number: Any) -> None:
        """Draw the choice of an address or a bundle, where the account has or needs one."""
        with errors_shown(), st.spinner("Asking Twilio which papers it wants…"):
            papers = stock.papers(session, self.actor, connection.id, number.country, number.type)
            if number.address_requirement.value != "none":
                addresses = {a.sid: f"{a.name}, {a.lines}" for a in papers.addresses}
                st.selectbox(
                    f"Regulatory address ({number.address_requirement.value})",
                    list(addresses),
                    format_func=lambda sid: addresses[sid],
                    key="add_address",
                    index=None,
                    placeholder="Required here" if addresses else "The account has no address: add one at Twilio",
                    persist_state="page",
                )
            if papers.bundles:
                usable = {b.sid: b.name for b in papers.bundles if b.usable}
                st.selectbox(
                    "Regulatory bundle",
                    list(usable),
                    format_func=lambda sid: usable[sid],
                    key="add_bundle",
                    index=None,
                    placeholder="Choose an approved bundle" if usable else "No bundle is approved yet",
                    persist_state="page",
                )
                waiting = [b.name for b in papers.bundles if not b.usable]
                if waiting:
                    st.caption(f"Not usable yet: {', '.join(waiting)}.")

    @st.dialog("Confirm purchase")
    def _confirm_purchase(self) -> None:
        known = state()
        number: AvailableNumber = known["chosen"][0]
        price = (
            f"**{known['price']} {known['currency']} a month**" if known["price"] is not None else "its monthly price"
        )
        st.markdown(
            f"Twilio charges {price} for **{audit.plain(numbering.display(number.e164))}**, from now on, "
            f"to the account behind **{audit.plain(known['connection'].name)}**."
        )
        st.markdown("Its webhooks are configured at once:")
        stock_tables.webhooks(known["connection"])
        self._confirm_buttons("Confirm purchase", self._buy)

    @st.dialog("Confirm import", width="large")
    def _confirm_import(self) -> None:
        known = state()
        with errors_shown(), self.opener() as session:
            with st.spinner("Reading the webhooks at Twilio…"):
                fresh = [
                    stock.owned_by_sid(session, self.actor, known["connection"].id, number.sid)
                    for number in known["chosen"]
                ]
            known["chosen"] = fresh
            st.markdown(
                "The voice webhook and the status callback **will be replaced**, and other integrations that use them "
                "may break. The old values are kept, and can be restored from the number's page."
            )
            stock_tables.replaced(fresh, known["connection"])
            routed = [numbering.display(n.e164) for n in fresh if n.webhooks.routed_by]
            if routed:
                st.warning(f"Routed by a trunk or an application, which ignores the Voice URL: {', '.join(routed)}.")
            self._confirm_buttons("Confirm import", self._import)

    def _confirm_buttons(self, label: str, act: Callable[[], None]) -> None:
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Cancel"):
                st.rerun()
            if st.button(label, type="primary", on_click=act):
                st.rerun()

    def _configuration(self) -> Configuration:
        known = st.session_state
        return Configuration(
            label=known.get("add_label") or "",
            agent_id=draw.chosen_agent("add_agent"),
            allowed_inbound=known.get("add_inbound") or [],
            allowed_outbound=known.get("add_outbound") or [],
            address_sid=known.get("add_address"),
            bundle_sid=known.get("add_bundle"),
        )

    def _buy(self) -> None:
        known = state()
        if known["step"] != "papers":  # the second click of a double click
            return
        number: AvailableNumber = known["chosen"][0]

        def place() -> str:
            purchase = Purchase(
                number.e164,
                number.country,
                number.type.value,
                str(known["price"]) if known["price"] is not None else None,
                known["currency"],
                self._configuration(),
            )
            with self.opener() as session:
                order = orders.place_purchase(session, self.actor, known["connection"].id, purchase)
            durable.begin(order)
            go("waiting", orders=[order])
            return ""

        outcome(place, "papers")

    def _import(self) -> None:
        known = state()
        if known["step"] != "papers":
            return
        numbers_chosen: list[OwnedNumber] = known["chosen"]
        refused: dict[str, str] = {}
        placed: list[int] = []
        for number in numbers_chosen:

            def place(number: OwnedNumber = number) -> str:
                with self.opener() as session:
                    order = orders.place_import(
                        session,
                        self.actor,
                        known["connection"].id,
                        number.e164,
                        number.sid,
                        number.webhooks,
                        self._configuration(),
                    )
                durable.begin(order)
                placed.append(order)
                return ""

            exc = outcome(place, "papers")
            if exc is not None and len(numbers_chosen) > 1:
                refused[number.e164] = str(exc)
                st.session_state["notices"].pop("papers", None)
        if placed or len(numbers_chosen) > 1:
            go("waiting", orders=placed, refused=refused)

    def _waiting(self) -> None:
        """Wait for the outcome of what was ordered; go on when it is certain, say so while it is not."""
        known = state()
        placed: list[int] = known["orders"]
        wizard.step("Twilio is working", 3, 3, {"Connection": known["connection"].name})
        many = len(known["chosen"]) > 1
        progress = st.progress(0.0, text="Waiting for Twilio…") if many else None
        with st.spinner("Waiting for Twilio…"):
            for done, order in enumerate(placed, 1):
                durable.await_outcome(order, _WAIT_SECONDS)
                if progress is not None:
                    progress.progress(done / len(placed), text=f"{done} of {len(placed)} numbers")
        number_list.filters.clear()
        with self.opener() as session:  # a fresh look: the outcome was written while we waited
            rows = [orders.get(session, self.actor, order) for order in placed]
            number_id = rows[0].number_id if rows else None
            number = numbers.get(session, self.actor, number_id) if number_id is not None else None
        if many:
            go("imported", outcomes=[*stock_tables.told(rows), *known.get("refused", {}).items()])
            st.rerun()
        row = rows[0]
        if number is not None:
            told = f"`{numbering.display(row.e164)}` · {numbering.country(number.country)} · {row.connection}"
            go("done", number_id=number.id, told=told)
            st.rerun()
        if row.state is OrderState.FAILED:
            st.error(row.problem or "It did not work.", icon=":material/error:")
            with st.container(horizontal=True, horizontal_alignment="distribute"):
                st.button("Back", key="wizard_back", icon=":material/arrow_back:", on_click=lambda: go("search"))
                st.button("Back to the configuration", on_click=lambda: go("papers"))
            return
        self._uncertain(row.id)

    def _uncertain(self, order_id: int) -> None:
        """Say that the outcome is not certain, and look for it every few seconds."""

        @st.fragment(run_every="2s")
        def watch() -> None:
            with errors_shown(), self.opener() as session:
                row = orders.get(session, self.actor, order_id)
                if not row.is_open:
                    st.rerun()
                st.warning(
                    f"{row.problem or 'Twilio has not answered yet.'} We keep asking until it is certain; nothing is "
                    "bought twice. You may leave this page: the number appears in the list when it is yours.",
                    icon=":material/hourglass_top:",
                )

        watch()
        said("papers")
        st.button("Check now", icon=":material/refresh:", on_click=lambda: self._check(order_id))

    def _check(self, order_id: int) -> None:
        def look() -> str:
            with self.opener() as session:
                orders.may_settle(session, self.actor, order_id)
            durable.look_now(order_id)
            return ""

        outcome(look, "papers")
