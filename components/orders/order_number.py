"""The last steps of a purchase or an import in the wizard: configure, confirm, and wait for the outcome."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.numbers import number_fields as draw
from components.orders import catalogue_tables, open_orders, webhook_tables
from components.ui import cache, notices, wizard
from components.ui.dialogs import confirmed
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from components.ui.wizard import go, state
from db.connections import ConnectionRow
from db.models import OrderKind, OrderState
from services import agents
from services.connections import connections
from services.connections.connections import provider_named
from services.core.access import Actor
from services.core.errors import Conflict
from services.jobs import jobs, workflows
from services.numbers import numbers
from services.orders import bulk, catalogue, orders, resync, webhook_orders
from services.orders.catalogue import AvailableNumber, OwnedNumber
from services.orders.orders import Configuration, Purchase
from services.text import labels, numbering

_WAIT_SECONDS = 25.0


@dataclass(frozen=True)
class Ordering:
    """Orders what the wizard has chosen, as *actor*. *opener* opens the session in which an order is placed."""

    actor: Actor
    opener: Opener

    def configure(self, session: Session, options: Sequence[ConnectionRow]) -> None:
        """Draw the configuration of what was chosen, and the way to its confirmation."""
        known = state()
        known["connection"] = next((row for row in options if row.id == known["connection"].id), known["connection"])
        chosen: list[AvailableNumber | OwnedNumber] = known["chosen"]
        connection: ConnectionRow = known["connection"]
        provider = accounts.provider(connection)
        buying = known["kind"] is OrderKind.PURCHASE
        one = len(chosen) == 1
        number = {"Number": numbering.display(chosen[0].e164)} if one else {"Numbers": f"{len(chosen):,}"}
        summary = number | {"Connection": connection.name}
        if buying and known["price"] is not None:
            summary["Price"] = f"{labels.money(known['price'])} a month"
        wizard.step("Configure number", 2, 3, summary)
        notices.info(
            f"**{provider} webhook configuration**  \nVoice URL and Status Callback are set automatically from the "
            "connection. " + ("" if buying else "Importing may replace existing integrations."),
            icon="webhook",
        )
        if not connection.voice_url:
            notices.warning(f"{plain(connection.name)} has no Voice URL yet: calls will not be answered.")
        label = "Optional" if buying else _kept_label(provider, chosen)
        draw.configuration(agents.choices(session, self.actor), label)
        missing = self._papers(session, connection, chosen[0]) if buying else ""
        if missing:
            st.caption(f":material/info: {missing}")
        notices.show_kept("papers")
        action = "Purchase & configure" if buying else "Import & configure"
        with st.container(horizontal=True, horizontal_alignment="distribute"):
            wizard.back("search")
            if st.button(action, key="wizard_confirm", type="primary", disabled=bool(missing)):
                known.pop("fresh", None)
                confirm = self._confirm_purchase if buying else self._confirm_import
                confirm()

    def _papers(self, session: Session, connection: ConnectionRow, number: Any) -> str:
        """Draw the choice of an address or a bundle, where the account has or needs one; return what is missing."""
        missing, provider = "", accounts.provider(connection)
        none_there = f"No address in the account. Add one at {provider}."
        with errors_shown(), st.spinner(f"Checking {provider}'s regulatory requirements…"):
            papers = catalogue.papers(session, self.actor, connection.id, number.country, number.type)
            if number.address_requirement.value != "none":
                addresses = {a.sid: f"{a.name}, {a.lines}" for a in papers.addresses}
                st.selectbox(
                    f"Regulatory address ({plain(number.address_requirement.value)})",
                    list(addresses),
                    format_func=lambda sid: addresses[sid],
                    key="add_address",
                    index=None,
                    placeholder="Required here" if addresses else none_there,
                    persist_state="page",
                )
                if not st.session_state.get("add_address"):
                    missing = "This number requires a regulatory address. Choose one above."
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
                    st.caption(f"Not usable yet: {plain(', '.join(waiting))}.")
            catalogue_tables.regulations(papers.regulations, provider_named(connection.provider).name)
        return missing

    @st.dialog("Confirm purchase")
    def _confirm_purchase(self) -> None:
        known = state()
        number: AvailableNumber = known["chosen"][0]
        price = (
            f"**{plain(labels.money(known['price']))} a month**" if known["price"] is not None else "its monthly price"
        )
        st.markdown(
            f"{accounts.provider(known['connection'])} will charge {price} for "
            f"**{plain(numbering.display(number.e164))}** to the account of **{plain(known['connection'].name)}**."
        )
        st.markdown("These webhooks will be set:")
        webhook_tables.of_connection(known["connection"])
        if confirmed("Confirm purchase", on_click=self._buy):
            st.rerun()

    @st.dialog("Confirm import", width="large")
    def _confirm_import(self) -> None:
        known = state()
        with errors_shown(), self.opener() as session:
            if len(known["chosen"]) > 1:  # as they were listed: those that changed since are refused one by one
                known["fresh"] = known["chosen"]
            if "fresh" not in known:  # read once, so that what is confirmed is what was shown
                with st.spinner(f"Reading the webhooks at {accounts.provider(known['connection'])}…"):
                    known["fresh"] = [
                        catalogue.owned_by_sid(session, self.actor, known["connection"].id, number.sid, number.e164)
                        for number in known["chosen"]
                    ]
            fresh = known["fresh"]
            where = "the number's page" if len(fresh) == 1 else "each number's page"
            st.markdown(
                f"{labels.amount(len(fresh), 'number')} will be added under **{plain(known['connection'].name)}**. "
                "The voice webhook and the status callback **will be replaced**, and other integrations that use them "
                f"may break. The old values are kept and can be restored from {where}."
            )
            known["stop_routing"] = webhook_tables.replacing(
                provider_named(known["connection"].provider),
                [(number.e164, number.webhooks) for number in fresh],
                webhook_orders.ours(known["connection"]),
            )
            if confirmed("Confirm import", on_click=self._import):
                st.rerun()

    def _configuration(self) -> Configuration:
        known = st.session_state
        address, bundle = known.get("add_address"), known.get("add_bundle")
        return Configuration(**draw.configured(), address_sid=address, bundle_sid=bundle)

    def _as_shown(self, session: Session) -> int:
        """Return the connection's id. Raises Conflict when its webhooks have changed since they were shown."""
        before: ConnectionRow = state()["connection"]
        now = next((row for row in connections.choices(session, self.actor) if row.id == before.id), None)
        if now is None or webhook_orders.ours(now) != webhook_orders.ours(before):
            raise Conflict("The connection has changed in the meantime. Nothing was ordered: check its webhooks again.")
        return now.id

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
                known["price"],
                self._configuration(),
            )
            with self.opener() as session:
                order = orders.place_purchase(session, self.actor, self._as_shown(session), purchase)
            go("waiting", orders=[order])
            return ""

        notices.outcome(place, "papers")

    def _import(self) -> None:
        known = state()
        if known["step"] != "papers":
            return
        found: list[OwnedNumber] = known["fresh"]
        configuration, stop_routing = self._configuration(), known.get("stop_routing", False)

        def place() -> str:
            with self.opener() as session:
                connection_id = self._as_shown(session)
                if len(found) > 1:
                    job = bulk.draft_import(
                        session, self.actor, connection_id, found, configuration, stop_routing=stop_routing
                    )
                    jobs.start_what_can(session, self.actor, job)
                    go("job", job=job)
                    return ""
                number = found[0]
                label = configuration.label.strip() or resync.label_of(number)
                order = orders.place_import(
                    session,
                    self.actor,
                    connection_id,
                    number.e164,
                    number.sid,
                    number.webhooks,
                    replace(configuration, label=label),
                    stop_routing=stop_routing,
                )
            go("waiting", orders=[order])
            return ""

        notices.outcome(place, "papers")

    def wait(self) -> None:
        """Wait for the order's outcome; continue once it is certain."""
        known = state()
        (order,) = known["orders"]
        wizard.step("Result", 3, 3, {"Connection": known["connection"].name})
        with st.spinner(f"Waiting for {accounts.provider(known['connection'])}…"):
            workflows.await_outcome(order, _WAIT_SECONDS)
        cache.forget()
        with self.opener() as session:  # a fresh look: the outcome was written while we waited
            row = orders.get(session, self.actor, order)
            number = None if row.number_id is None else numbers.get(session, self.actor, row.number_id)
        if number is not None:
            go("done", number_id=number.id, summary=wizard.facts(number, "Set from the connection"))
            st.rerun()
        if row.state is OrderState.FAILED:
            notices.error(plain(row.problem or "The request failed."))
            wizard.buttons("search", "Edit configuration", lambda: go("papers"))
            return
        self._uncertain(row.id)

    def _uncertain(self, order_id: int) -> None:
        """Show that the outcome is pending, and check every few seconds."""

        @st.fragment(run_every="2s")
        def watch() -> None:
            with errors_shown(), self.opener() as session:
                row = orders.get(session, self.actor, order_id)
                if not row.is_open:
                    st.rerun()
                notices.warning(
                    f"{open_orders.progress(row)} Nothing will be bought twice. You can leave this page: the number "
                    f"appears in the list once it is yours.",
                    icon="hourglass_top",
                )
                open_orders.buttons(row, self.actor, self.opener, "papers")

        watch()
        notices.show_kept("papers")


def _kept_label(provider: str, chosen: Sequence[Any]) -> str:
    """Return what an empty label means for numbers that are imported: the name that each has at the *provider*."""
    names = {resync.label_of(number) for number in chosen}
    if names == {""}:
        return "Optional"
    return f"Optional; defaults to {names.pop() if len(names) == 1 else f'the label at {provider}'}"
