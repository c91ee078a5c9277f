"""Tables of what providers have: numbers for sale, owned numbers, webhooks old and new, outcomes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from components import lists, navigation, selection
from components.selection import Selection
from services import numbering, words
from services.connections import ConnectionRow
from services.orders import OrderRow, OrderState
from services.stock import AvailableNumber, OwnedNumber, OwnedRow, Prices

_CAPABILITIES = ("voice", "sms", "mms", "fax")
_ADDRESS = {"none": "None", "any": "Any address", "local": "Local address", "foreign": "Foreign address"}
_IMPORTED = "Imported"
WHY_RELEASED = "Like: released in the provider's console on 3 December"
MARKED = (
    "Nothing changes at {maker}: no number is given back, and where another account holds it, its billing goes on. Its "
    "record stays findable with its history, and cannot be changed any more."
)
"""What it means to mark a number as released."""
_LINK = st.column_config.LinkColumn(display_text="Open in a new tab", width=150)


@dataclass(frozen=True)
class Imported:
    """What came of one number that was to be imported, and its id where it is on record now."""

    e164: str
    text: str
    number_id: int | None = None


def for_sale(held: Selection[AvailableNumber], rows: Sequence[AvailableNumber], prices: Prices, key: str) -> None:
    """Draw numbers for sale, of which one can be *held*."""
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
    selection.table(held, rows, lambda row: row.e164, frame, key=key, alt="Numbers for sale", single=True)


def owned(held: Selection[OwnedRow], rows: Sequence[OwnedRow], key: str) -> None:
    """Draw numbers of the account that are not on record, of which some can be *held*."""
    st.caption("Select one or more. They share one configuration.")
    frame = _owned(rows, "Not in app yet")
    selection.table(held, rows, lambda row: row.number.e164, frame, key=key, alt="Numbers of the account")


def on_record(rows: Sequence[OwnedRow]) -> None:
    """Draw numbers of the account that are on record already, where there are any, with links to this tenant's."""
    if not rows:
        return
    st.caption("On record already, so there is nothing to import.")
    frame = _owned(rows, "Already imported")
    frame.insert(2, "Link", [navigation.number_address(row.number_id) if row.number_id else None for row in rows])
    st.dataframe(frame, hide_index=True, alt="Numbers that are on record already", column_config={"Link": _LINK})


def _owned(rows: Sequence[OwnedRow], where: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Number": [numbering.display(row.number.e164) for row in rows],
            "In Numberdesk": [where for _ in rows],
            "Label at Twilio": [row.number.label or "—" for row in rows],
            "Capabilities": [_capabilities(row.number.features) for row in rows],
            "Voice URL now": [row.number.webhooks.voice_url or "—" for row in rows],
        }
    )


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
        (numbering.display(number.e164), name, old or "none", new or "none")
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
        (name, now[key] or "none", wanted[key] or "none")
        for key, name in (("voice_url", "Voice URL"), ("status_callback", "Status callback"))
    ]
    frame = pd.DataFrame(rows, columns=["Webhook", "Now", "New"]).set_index("Webhook")
    st.table(frame, alt="Webhooks now and new")


def told(rows: Iterable[OrderRow]) -> list[Imported]:
    """Return the outcome of each order in words."""
    says = {
        OrderState.CONFIRMED: _IMPORTED,
        OrderState.PLACED: "Not answered yet; we keep asking",
        OrderState.UNKNOWN: "Not certain yet; we keep asking",
    }
    return [Imported(row.e164, says.get(row.state) or row.problem or "Failed", row.number_id) for row in rows]


def outcomes(rows: Sequence[Imported]) -> None:
    """Draw the outcome of each number of many, those on record now with the ways to open them."""
    done = sum(row.text == _IMPORTED for row in rows)
    icon = ":material/done_all:" if done == len(rows) else ":material/rule:"
    st.subheader(f"{icon} {done:,} of {words.amount(len(rows), 'number')} imported", anchor=False)
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.e164) for row in rows],
            "Outcome": [row.text for row in rows],
            "Link": [navigation.number_address(row.number_id) if row.number_id else None for row in rows],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        alt="Outcome of each number",
        column_config={
            "Number": lists.number_column("add_imported", [row.number_id for row in rows]),
            "Link": _LINK,
        },
    )


def _capabilities(features: Iterable[str]) -> str:
    has = {str(feature) for feature in features}
    return ", ".join(name.upper() if name != "voice" else "Voice" for name in _CAPABILITIES if name in has) or "—"


def _price(prices: Prices, row: AvailableNumber) -> str:
    price = prices.monthly.get(row.type)
    return f"{price} {prices.currency}" if price is not None else "—"
