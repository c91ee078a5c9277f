"""Tables of what providers have: numbers for sale, owned numbers, webhooks old and new, outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from services import numbering, words
from services.connections import ConnectionRow
from services.orders import OrderRow, OrderState
from services.stock import AvailableNumber, OwnedNumber, OwnedRow, Prices

_CAPABILITIES = ("voice", "sms", "mms", "fax")
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
                "Value": [connection.voice_url or "—", connection.status_callback_url or "—"],
            }
        ).set_index("Webhook"),
        alt="Webhooks of the connection",
    )


def replaced(numbers: Iterable[OwnedNumber], connection: ConnectionRow) -> None:
    """Draw the webhooks at the provider now beside the new ones."""
    rows = [
        (numbering.display(number.e164), name, old or "—", new or "—")
        for number in numbers
        for name, old, new in (
            ("Voice URL", number.webhooks.voice_url, connection.voice_url),
            ("Status callback", number.webhooks.status_callback, connection.status_callback_url),
        )
    ]
    frame = pd.DataFrame(rows, columns=["Number", "Webhook", "At Twilio now", "New"])
    st.dataframe(frame, hide_index=True, alt="Webhooks now and new")


def before_and_after(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Draw the webhooks of one number now beside those that it shall have."""
    rows = [
        (name, now[key] or "—", wanted[key] or "—")
        for key, name in (("voice_url", "Voice URL"), ("status_callback", "Status callback"))
    ]
    frame = pd.DataFrame(rows, columns=["Webhook", "Now", "New"]).set_index("Webhook")
    st.table(frame, alt="Webhooks now and new")


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
