"""Open orders: their status and actions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import humanize
import streamlit as st

from components.ui import cache, notices
from components.ui.dialogs import confirmed
from components.ui.markdown import plain
from components.ui.page import when
from components.ui.sections import Opener
from db.models import OrderKind
from db.orders.queries import OrderRow
from services.core.access import Actor, Permission
from services.jobs import workflows
from services.orders import orders
from services.text import labels, numbering

_NAMED = 3
_LISTED = 10


def looked(rows: Sequence[OrderRow]) -> str:
    """Return when orders were last checked and when they will be next."""
    now = datetime.now(UTC)
    last = max((row.last_looked_at for row in rows if row.last_looked_at), default=None)
    coming = min((row.next_look_at for row in rows if row.next_look_at), default=None)
    parts = [] if last is None else [f"Last checked {when(last, ZoneInfo('UTC'))}"]
    if coming is not None:
        soon = coming <= now
        parts.append("next check shortly" if soon else f"next check in {humanize.naturaldelta(coming - now)}")
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def progress(row: OrderRow) -> str:
    """Return the status of an open order, as Markdown."""
    if row.is_waiting:
        how = plain(row.problem) if row.problem else "It is queued at the provider."
        price = " at the agreed price" if row.kind is OrderKind.PURCHASE and row.price is not None else ""
        how += f" It is sent{price} as soon as the provider accepts it, unless someone cancels it."
    else:
        how = plain(row.problem) if row.problem else "The provider has not answered yet."
        how += " We keep checking until it is certain."
    return f"{how} {looked([row])}".strip()


def buttons(
    row: OrderRow,
    actor: Actor,
    opener: Opener,
    place: str,
    *,
    checks: bool = True,
    cancelled: str = "",
) -> None:
    """Draw the buttons that check an open order now and cancel it while it is unsent; *place* shows what came of it."""

    def check() -> str:
        with opener() as session:
            orders.may_settle(session, actor, row.id)
        workflows.look_now(row.id)
        return ""

    def cancel() -> str:
        with opener() as session:
            orders.cancel(session, actor, row.id)
        return cancelled

    def run(act: Callable[[], str]) -> None:
        notices.outcome(act, place)

    with st.container(horizontal=True):
        if checks:
            st.button("Check now", key=f"check_{row.id}", icon=":material/refresh:", on_click=run, args=(check,))
        if orders.may_cancel(actor, row):
            st.button("Cancel", key=f"cancel_{row.id}", icon=":material/cancel:", on_click=run, args=(cancel,))


def banner(rows: Sequence[OrderRow], actor: Actor, opener: Opener) -> None:
    """Draw a banner while orders are open, with buttons to check them and to cancel unsent ones."""
    notices.show_kept("orders")
    if not rows:
        return

    def check() -> str:
        with opener() as session:
            return workflows.look_at_all(session, actor)

    def cancel(chosen: Sequence[OrderRow]) -> str:
        with opener() as session:
            return orders.cancel_all(session, actor, [row.id for row in chosen])

    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
        waiting = sum(row.is_waiting for row in rows)
        is_unsent = waiting == len(rows)
        some = f" {waiting:,} of them not sent yet." if waiting and not is_unsent else ""
        state, why = (
            ("waiting to be sent", "They are sent as soon as the provider accepts them.")
            if is_unsent
            else ("pending confirmation", "We are checking with the provider; nothing will be bought twice.")
        )
        st.markdown(
            f":material/hourglass_top: {labels.amount(len(rows), 'order')} {state}: "
            f"{_names(rows[:_NAMED])}{more}.{some} {looked(rows)} {why}",
            width="stretch",
        )
        with st.container(horizontal=True, width="content"):
            if actor.may(Permission.NUMBERS_WRITE):
                st.button("Check now", icon=":material/refresh:", key="check_orders", on_click=lambda: _do(check))
            mine = [row for row in rows if orders.may_cancel(actor, row)]
            if mine and st.button("Cancel", icon=":material/cancel:", key="cancel_orders"):
                _confirm_cancel(mine, lambda: cancel(mine))


@st.dialog("Cancel orders", width="medium")
def _confirm_cancel(rows: Sequence[OrderRow], cancel: Callable[[], str]) -> None:
    more = f" and {len(rows) - _LISTED:,} more" if len(rows) > _LISTED else ""
    st.markdown(f"The provider has not accepted {'this order' if len(rows) == 1 else 'these orders'} yet:")
    st.markdown(f"{_names(rows[:_LISTED])}{more}.")
    st.markdown("Nothing has happened and nothing was charged. Orders sent in the meantime are not cancelled.")
    label = f"Cancel {labels.amount(len(rows), 'order')}"
    if confirmed(label, on_click=lambda: _do(cancel), close="Keep", key="confirm_cancel_orders"):
        st.rerun()


def _names(rows: Sequence[OrderRow]) -> str:
    return ", ".join(f"{labels.ORDER[row.kind].lower()} of {numbering.display(row.e164)}" for row in rows)


def _do(act: Callable[[], str]) -> None:
    notices.outcome(act, "orders")
    cache.forget()
