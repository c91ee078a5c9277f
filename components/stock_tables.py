"""Tables of what providers have: numbers for sale, owned numbers, webhooks old and new, outcomes."""

from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from components.markdown import plain
from services import numbering, webhook_orders, words
from services.connections import ConnectionRow, vendor
from services.orders import OrderRow, OrderState
from services.stock import AvailableNumber, OwnedNumber, OwnedRow, Prices, Regulation, Webhooks

_CAPABILITIES = ("voice", "sms", "mms", "fax")
_URLS = ("voice_url", "status_callback")
_ADDRESS = {"none": "None", "any": "Any address", "local": "Local address", "foreign": "Foreign address"}


def for_sale(rows: Sequence[AvailableNumber], prices: Prices) -> AvailableNumber | None:
    """Draw numbers for sale; return the one that is selected."""
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.e164) for row in rows],
            "Locality": [", ".join(part for part in (row.locality, row.region) if part) or "—" for row in rows],
            "Capabilities": [_capabilities(row.features) for row in rows],
            "Address": [_ADDRESS[row.address_requirement.value] for row in rows],
            "Monthly price": [_price(prices, row) for row in rows],
        }
    )
    st.caption(f"{words.amount(len(rows), 'number')}. Select one.")
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="add_for_sale",
        alt="Numbers for sale",
    )
    chosen = [rows[i] for i in event.selection.rows if i < len(rows)]
    return chosen[0] if chosen else None


def owned(rows: Sequence[OwnedRow]) -> list[OwnedRow]:
    """Draw numbers of the account; return those that are selected."""
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.number.e164) for row in rows],
            "Here": [["Already imported" if row.number_id is not None else "Not in app yet"] for row in rows],
            "Label at Twilio": [row.number.label or "—" for row in rows],
            "Capabilities": [_capabilities(row.number.features) for row in rows],
            "Voice URL now": [row.number.webhooks.voice_url or "—" for row in rows],
        }
    )
    if not rows:
        st.info("The account has no number that matches.")
        return []
    st.caption("Select one, or several to import them with one configuration.")
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        key="add_owned",
        alt="Numbers of the account",
        column_config={
            "Here": st.column_config.MultiselectColumn(
                options=["Already imported", "Not in app yet"], color=["gray", "green"], width=140
            )
        },
    )
    return [rows[i] for i in event.selection.rows if i < len(rows)]


def webhooks(connection: ConnectionRow) -> None:
    """Draw the webhooks that a number of the connection gets."""
    st.table(
        pd.DataFrame(
            {
                "Webhook": ["Voice URL", "Status callback"],
                "Value": [plain(connection.voice_url or "—"), plain(connection.status_callback_url or "—")],
            }
        ).set_index("Webhook"),
        alt="Webhooks of the connection",
    )


def replaced(numbers: Iterable[OwnedNumber], connection: ConnectionRow) -> None:
    """Draw the webhooks at the provider now beside the new ones: both URLs, and of the rest what changes."""
    rows = [
        (numbering.display(number.e164), *row)
        for number in numbers
        for row in _beside(connection.provider, number.webhooks, webhook_orders.ours(connection))
    ]
    frame = pd.DataFrame(rows, columns=["Number", "Webhook", "At Twilio now", "New"])
    st.dataframe(frame, hide_index=True, alt="Webhooks now and new")


def agreement(key: str, numbers: Iterable[tuple[str, Webhooks]], wanted: Webhooks) -> bool:
    """Ask whether trunks and applications shall lose the calls of *numbers*, where they have them; return the answer.

    It stands for numbers without any as well: nothing of theirs is stopped.
    """
    stopped = [(e164, now) for e164, now in numbers if webhook_orders.stops(now, wanted)]
    if not stopped:
        return True
    each = sorted({webhook_orders.routing(now) for _, now in stopped})
    what = each[0] if len(each) == 1 else f"{len(each)} trunks and applications"
    which = ", ".join(numbering.display(e164) for e164, _ in stopped)
    st.warning(
        f"Calls to {plain(which)} are taken by {plain(', '.join(each))}, not by the Voice URL. As long as "
        "that is so, none reaches the new Voice URL: such a number is changed only if you agree."
    )
    return st.checkbox(f"Stop routing by {plain(what)}", key=key)


def before_and_after(provider: str, now: Webhooks, wanted: Webhooks) -> None:
    """Draw the webhooks of one number now beside those that it shall have."""
    frame = pd.DataFrame(_beside(provider, now, wanted), columns=["Webhook", "Now", "New"]).set_index("Webhook")
    st.table(frame, alt="Webhooks now and new")


def how(provider: str, now: Webhooks, ours: Webhooks) -> None:
    """Draw how calls are told to the webhooks, at the provider now and as we have it: all but the two URLs."""
    differing = webhook_orders.differing(vendor(provider), now, ours)
    rows = [
        (
            plain(title),
            plain(getattr(now, name) or "—"),
            plain(getattr(ours, name) or "—"),
            "Differs" if name in differing else "Same",
        )
        for name, title in webhook_orders.NAMES.items()
        if name not in _URLS
    ]
    maker = plain(vendor(provider).name)
    frame = pd.DataFrame(rows, columns=["How", f"At {maker} now", "Ours", ""]).set_index("How")
    st.table(frame, border="horizontal", alt="Methods, fallback and routing now and ours")


def _beside(provider: str, now: Webhooks, wanted: Webhooks) -> list[tuple[str, str, str]]:
    differing = webhook_orders.differing(vendor(provider), now, wanted)
    return [
        (plain(title), plain(getattr(now, name) or "—"), plain(getattr(wanted, name) or "—"))
        for name, title in webhook_orders.NAMES.items()
        if name in differing or name in _URLS
    ]


def regulations(asked: Sequence[Regulation] | None) -> None:
    """Draw what the regulator asks for with a number, of each kind of end user; None is what Twilio did not say."""
    if asked is None:
        st.caption("Twilio did not say what the regulator asks for with such a number.")
        return
    if not asked:
        return
    with st.container(border=True):
        st.markdown("**What the regulator asks for**")
        for regulation in asked:
            needs = [
                plain(one.name) + (f" ({plain(', '.join(one.documents))})" if one.documents else "")
                for one in regulation.requirements
            ]
            st.markdown(f"{plain(regulation.end_user.value.capitalize())}: {'; '.join(needs) or 'nothing'}")
        st.caption("Put together in a bundle at Twilio, which has to be approved before the purchase.")


def told(rows: Iterable[OrderRow]) -> list[tuple[str, str]]:
    """Return the outcome of each order in words, by number."""
    says = {
        OrderState.CONFIRMED: "Imported",
        OrderState.PLACED: "Not answered yet; we keep looking",
        OrderState.UNKNOWN: "Not certain yet; we keep looking",
    }
    waits = "Waits its turn at the provider; it is sent by itself"
    return [(row.e164, waits if row.is_waiting else says.get(row.state) or row.problem or "Failed") for row in rows]


def outcomes(rows: Iterable[tuple[str, str]]) -> None:
    """Draw the outcome of each number of many."""
    rows = list(rows)
    done = sum(outcome == "Imported" for _, outcome in rows)
    st.subheader(f":material/done_all: {words.amount(done, 'number')} of {len(rows):,} imported", anchor=False)
    frame = pd.DataFrame([(numbering.display(e164), outcome) for e164, outcome in rows], columns=["Number", "Outcome"])
    st.dataframe(frame, hide_index=True, alt="Outcome of each number")


def _capabilities(features: Iterable[str]) -> str:
    has = {str(feature) for feature in features}
    return ", ".join(name.upper() if name != "voice" else "Voice" for name in _CAPABILITIES if name in has) or "—"


def _price(prices: Prices, row: AvailableNumber) -> str:
    price = prices.monthly.get(row.type)
    return f"{price} {prices.currency}" if price is not None else "—"
