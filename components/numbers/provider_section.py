"""A number at its provider: open orders, webhooks now and before, re-sync, release."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.numbers import number_page as draw
from components.orders import open_orders, webhook_tables
from components.orders.releases import why_released
from components.ui import cache, notices
from components.ui.dialogs import confirmed
from components.ui.markdown import code, plain
from components.ui.page import errors_shown, exactly, when
from db.numbers.rows import CampaignUse, NumberRow
from providers.base import Capability
from services.connections.connections import provider_named
from services.core.access import Actor
from services.jobs import workflows
from services.numbers import numbers
from services.orders import catalogue, orders, resync, webhook_orders
from services.orders.catalogue import Webhooks
from services.orders.orders import OrderKind, OrderRow, OrderState
from services.orders.resync import Difference
from services.text import labels, numbering

_WAIT_SECONDS = 20.0
_FOUND, _SET_OURS = "resync_found", "webhooks_to_set"
_DOING = {
    OrderKind.PURCHASE: "The purchase",
    OrderKind.IMPORT: "The import",
    OrderKind.RELEASE: "The release",
    OrderKind.WEBHOOKS: "The webhook change",
}


@dataclass(frozen=True)
class AtProvider:
    """Actions of *actor* on *number* at its provider."""

    actor: Actor
    number: NumberRow
    zone: ZoneInfo
    opener: Callable[[], AbstractContextManager[Session]]

    def pending(self, ordered: Sequence[OrderRow], *, writes: bool) -> None:
        """Draw open orders, and why the last order failed."""
        notices.show_kept("order")
        for order in ordered:
            if order.is_open:
                self._watch(order, writes=writes)
        if ordered and ordered[-1].state is OrderState.FAILED:
            text = f"{_DOING[ordered[-1].kind]} failed, {when(ordered[-1].settled_at, self.zone)}: "
            notices.error(text + plain(ordered[-1].problem or ""))

    def webhooks(self, ordered: Sequence[OrderRow], *, writes: bool) -> None:
        """Draw the section of webhooks: ours, those at the provider now, and those that were replaced."""
        provider = provider_named(self.number.provider)
        if self.number.is_gone or not numbers.sid_of(self.number) or not provider.can(Capability.READ_WEBHOOKS):
            return
        with st.container(border=True):
            st.markdown("**Webhooks**")
            last = next((o for o in reversed(ordered) if o.state is OrderState.CONFIRMED and _sets(o)), None)
            if last is not None:
                hover = exactly(last.settled_at, self.zone)
                st.caption(f"Set by {plain(last.placed_by)} {when(last.settled_at, self.zone)}", help=hover)
            read: dict[int, Webhooks] = st.session_state.setdefault("webhooks_read", {})
            st.button(
                f"Read from {plain(provider.name)}",
                icon=":material/refresh:",
                key="read_webhooks",
                on_click=self._read_webhooks,
            )
            notices.show_kept("webhooks")
            now = read.get(self.number.id)
            ours = webhook_orders.ours(self.number)
            self._compared(now, webhook_orders.stored(last.configuration, ours) if last else None, ours)
            if not writes:
                return
            asked = st.session_state.pop(_SET_OURS, None) == self.number.id
            with st.container(horizontal=True):
                if st.button(f"Configure webhooks on {plain(provider.name)}", key="configure_webhooks") or asked:
                    read.pop(self.number.id, None)
                    self._confirm_webhooks(ours)
                before = _replaced(last, now)
                if before and st.button("Restore previous", icon=":material/undo:", key="restore_webhooks"):
                    read.pop(self.number.id, None)
                    self._confirm_webhooks(before)
            if before:
                st.caption(
                    f"Previously: Voice URL {_url(before.voice_url)}, status callback {_url(before.status_callback)}."
                )

    def resync(self) -> None:
        """Draw the re-sync button and the differences."""
        provider = provider_named(self.number.provider)
        if not numbers.sid_of(self.number) or not provider.can(Capability.FIND_OWNED) or self.number.is_gone:
            return
        if st.button(f"Re-sync from {plain(provider.name)}", icon=":material/sync:", key="resync"):
            st.session_state.pop(_FOUND, None)
            self._show_differences()

    def release(self, uses: Sequence[CampaignUse]) -> None:
        """Draw the release of the number, apart from the rest."""
        with st.container(border=True):
            st.markdown(":red[**Release number**]")
            provider = provider_named(self.number.provider)
            st.caption(
                f"Releases the number to {plain(provider.name)} and stops its billing. You can buy it back for "
                f"{provider.buy_back_days:d} days."
            )
            if st.button(":red[Release number]", icon=":material/delete_forever:", key="release"):
                self._confirm_release(uses)

    def buy_back(self) -> None:
        """Draw the buy-back of a recently released number."""
        if not orders.may_be_bought_back(self.number):
            return
        with st.container(border=True):
            st.markdown("**Buy back**")
            until = exactly(self.number.buy_back_until, self.zone)
            st.caption(
                f"You can until {until}, unless someone else buys it first. Its settings come back with it, except "
                f"its place in campaigns."
            )
            if st.button("Buy back", icon=":material/shopping_cart:", key="buy_back"):
                self._confirm_buy_back()

    @st.dialog("Buy back", width="medium")
    def _confirm_buy_back(self) -> None:
        number = self.number
        label = plain(numbering.display(number.e164))
        price = f"**{plain(labels.money(number.monthly))} a month**" if number.monthly else "its monthly price"
        account = plain(number.connection or "—")
        st.markdown(f"Twilio will charge {price} for **{label}** again, to the account of **{account}**.")
        with self.opener() as session:
            left = numbers.left_campaigns(session, self.actor, number.id)
        st.markdown(
            "- Label, agent, countries, tags, notes and history stay as they are.\n"
            "- Voice URL and Status Callback are set to those of the connection.\n"
            "- It is not added back to campaigns."
            + (f" It was in **{plain(', '.join(left))}**: add it there again." if left else "")
        )
        self._do("Buy back", lambda s: orders.place_buy_back(s, self.actor, number.id))

    def _compared(self, now: Webhooks | None, last_set: Webhooks | None, ours: Webhooks) -> None:
        """Draw the URLs of the connection beside those at the provider now, or else those that were set last."""
        provider = plain(provider_named(self.number.provider).name)
        known = now or last_set or ours
        for name, our, there in (
            ("Voice URL", ours.voice_url, known.voice_url),
            ("Status callback", ours.status_callback, known.status_callback),
        ):
            with st.container(horizontal=True, vertical_alignment="center"):
                st.caption(name, width="content")
                if now is not None:
                    st.badge(
                        f"Same at {provider}" if there == our else f"Differs at {provider}", color=_color(there == our)
                    )
            if our:
                st.code(our, language=None, wrap_lines=True)
            else:
                st.markdown("—")
            if there != our:
                which = f"At {provider} now" if now is not None else f"Last set at {provider}"
                st.caption(f"{which}: {code(there) if there else 'nothing'}")
        if now is not None and provider_named(self.number.provider).routes_calls:
            webhook_tables.how(provider_named(self.number.provider), now, ours)
        if now is not None and now.routed_by:
            notices.warning(f"Routed by {plain(webhook_orders.routing(now))}, so the Voice URL is not used.")

    def _read_webhooks(self) -> None:
        def read() -> str:
            with self.opener() as session:
                now = catalogue.webhooks_now(session, self.actor, self.number.id)
            st.session_state["webhooks_read"][self.number.id] = now
            return ""

        notices.outcome(read, "webhooks")

    @st.dialog("Configure webhooks", width="large")
    def _confirm_webhooks(self, target: Webhooks) -> None:
        provider, read = plain(provider_named(self.number.provider).name), st.session_state["webhooks_read"]
        if self.number.id not in read:  # read once, so that what is confirmed is what was shown
            with st.spinner(f"Reading from {provider}…"):
                self._read_webhooks()
            notices.show_kept("webhooks")
        now = read.get(self.number.id)
        if now is None:
            return
        account = plain(self.number.connection or "—")
        if not webhook_orders.differing(provider_named(self.number.provider), now, target):
            notices.success(f"{provider} has exactly these webhooks. Nothing to replace.")
            return
        st.markdown(
            f"The current values at {provider}, in the account of **{account}**, will be replaced. The old values are "
            "kept and can be restored."
        )
        agreed = webhook_tables.replacing(provider_named(self.number.provider), [(self.number.e164, now)], target)
        self._do(
            "Replace",
            lambda s: orders.place_webhooks(s, self.actor, self.number.id, now, target, stop_routing=agreed),
        )

    @st.dialog("Re-sync", width="large")
    def _show_differences(self) -> None:
        provider, state = plain(provider_named(self.number.provider).name), st.session_state
        with errors_shown(), self.opener() as session:
            if _FOUND not in state:  # once, so that what is taken over is what was shown
                with st.spinner(f"Reading from {provider}…"):
                    state[_FOUND] = resync.differences(session, self.actor, self.number.id)
            found: list[Difference] = state[_FOUND]
            st.caption(f"Connection: **{plain(self.number.connection or '—')}**")
            if not found:
                notices.success(f"{provider} and Numberdesk match. Nothing to update.")
                return
            st.markdown(f"Nothing has changed yet. Choose which of {provider}'s values to keep here.")
            for difference in found:
                with st.container(border=True, horizontal=True, vertical_alignment="center"):
                    st.markdown(
                        f"**{plain(difference.name)}**  \nHere: {plain(difference.ours)}  \n"
                        f"At {provider}: {plain(difference.theirs)}"
                    )
                    if difference.field == resync.GONE:
                        continue
                    if difference.field and st.button(f"Use {provider}'s value", key=f"take_{difference.field}"):
                        self._take_over(session, difference)
            if any(not difference.field for difference in found) and st.button(
                f"Configure webhooks on {provider}", icon=":material/webhook:", key="resync_webhooks"
            ):
                state[_SET_OURS] = self.number.id
                st.rerun()
            for difference in found:
                if difference.field == resync.GONE:
                    self._mark_released(session, difference)

    def _mark_released(self, session: Session, gone: Difference) -> None:
        """Draw what marking as released means, and its button."""
        left_out = plain(numbering.display(self.number.e164))
        st.markdown(f"Marked as released, **{left_out}** leaves the list of numbers and its campaigns. Attached to it:")
        draw.attached(numbers.attachments(session, self.actor, self.number.id), self.number)
        reason = why_released(provider_named(self.number.provider).name, "released_reason")
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button(":red[Mark as released]", key=f"take_{gone.field}", disabled=not reason):
                self._take_over(session, gone, reason)

    def _take_over(self, session: Session, difference: Difference, reason: str = "") -> None:
        version = st.session_state["number_version"]
        st.session_state["number_version"] = resync.apply(
            session, self.actor, self.number.id, difference, version=version, reason=reason
        )
        st.session_state["number_edited"] = None
        st.rerun()

    @st.dialog("Release number", width="medium")
    def _confirm_release(self, uses: Sequence[CampaignUse]) -> None:
        number = self.number
        label = numbering.display(number.e164)
        provider = provider_named(number.provider)
        until = exactly(datetime.now(UTC) + timedelta(days=provider.buy_back_days), self.zone)
        account = plain(number.connection or "—")
        st.markdown(
            f"**{plain(label)}** will be released to {plain(provider.name)}, from the account of **{account}**. "
            "Attached to it:"
        )
        draw.attached(uses, number)
        price = f" ({plain(labels.money(number.monthly))} a month)" if number.monthly else ""
        st.markdown(
            f"- {plain(provider.name)} billing{price} stops.\n- Calls to it stop being answered immediately.\n"
            f"- You can buy it back until **{until}**, unless someone else buys it first."
        )
        typed = st.text_input(f"Type {plain(label)} to confirm", key="release_typed", live=True)
        version = st.session_state["number_version"]
        self._do(
            "Release",
            lambda s: orders.place_release(s, self.actor, number.id, typed or "", version=version),
            red=True,
            disabled=not orders.is_typed(number.e164, typed or ""),
        )

    def _do(self, label: str, place: Callable[[Session], int], *, red: bool = False, disabled: bool = False) -> None:
        """Draw the buttons of a dialog that places an order, and wait a while for its outcome."""
        if confirmed(label, red=red, disabled=disabled):
            with errors_shown():
                with self.opener() as session:
                    order = place(session)
                with st.spinner(f"Waiting for {plain(provider_named(self.number.provider).name)}…"):
                    workflows.await_outcome(order, _WAIT_SECONDS)
                self._forget()
                st.rerun()

    def _watch(self, order: OrderRow, *, writes: bool) -> None:
        @st.fragment(run_every="3s")
        def watch() -> None:
            with errors_shown(), self.opener() as session:
                now = orders.get(session, self.actor, order.id)
                if not now.is_open:
                    self._forget()
                    st.rerun()
                state = "waits" if now.is_waiting else "is pending confirmation"
                notices.warning(f"{_DOING[now.kind]} {state}. {open_orders.progress(now)}", icon="hourglass_top")
                open_orders.buttons(now, self.actor, self.opener, "order", checks=writes, cancelled="Cancelled.")

        watch()

    def _forget(self) -> None:
        """Reload what the order may have changed: the number and its webhooks at the provider."""
        st.session_state["number_edited"] = None
        st.session_state.get("webhooks_read", {}).pop(self.number.id, None)
        cache.forget()


def _replaced(last: OrderRow | None, now: Webhooks | None) -> Webhooks | None:
    """Return the webhooks that the last change replaced, also when there were none; None when it replaced nothing."""
    if last is None or last.kind is OrderKind.PURCHASE:
        return None
    before, after = webhook_orders.stored(last.previous, now), webhook_orders.stored(last.configuration, now)
    return None if webhook_orders.words(before) == webhook_orders.words(after) else before


def _url(url: str) -> str:
    return plain(url) if url else "none"


def _sets(order: OrderRow) -> bool:
    return order.kind in (OrderKind.PURCHASE, OrderKind.IMPORT, OrderKind.WEBHOOKS)


def _color(good: bool) -> Literal["green", "orange"]:
    return "green" if good else "orange"
