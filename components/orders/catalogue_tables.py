"""Tables for orders: numbers for sale, owned numbers, webhooks before and after, outcomes."""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from components.ui import navigation, notices, selection
from components.ui.markdown import code, plain
from components.ui.selection import Selection
from db.base.money import Money
from services.connections.connections import ConnectionRow, provider_named
from services.orders import webhook_orders
from services.orders.catalogue import AvailableNumber, OwnedNumber, OwnedRow, Prices, Regulation, Requirement, Webhooks
from services.orders.orders import OrderRow, OrderState
from services.text import labels, numbering

_CAPABILITIES = ("voice", "sms", "mms", "fax")
_FOR = {"individual": "For a person", "business": "For a business"}
_URLS = ("voice_url", "status_callback")
_ADDRESS = {"none": "None", "any": "Any address", "local": "Local address", "foreign": "Foreign address"}
_IMPORTED = "Imported"
WHY_RELEASED = "Example: released in the provider's console on 3 December"
MARKED = (
    "Nothing changes at {provider}: nothing is released there, and a number in another account is still billed. The "
    "record and its history stay searchable but can no longer be changed."
)
"""What it means to mark a number as released."""
_LINK = st.column_config.LinkColumn(display_text="Open in a new tab", width=150)


@dataclass(frozen=True)
class Imported:
    """The outcome of importing one number, with its id once added."""

    e164: str
    text: str
    number_id: int | None = None


def for_sale(held: Selection[AvailableNumber], rows: Sequence[AvailableNumber], prices: Prices, key: str) -> None:
    """Draw numbers for sale, of which one can be selected into *held*."""
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.e164) for row in rows],
            "Locality": [", ".join(part for part in (row.locality, row.region) if part) or "—" for row in rows],
            "Capabilities": [_capabilities(row.features) for row in rows],
            "Address": [_ADDRESS[row.address_requirement.value] for row in rows],
            "Monthly price": [_price(prices, row) for row in rows],
        }
    )
    st.caption(f"{labels.amount(len(rows), 'number')}. Select one.")
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
    st.caption("Already imported, so there is nothing to do.")
    frame = _owned(rows, "Already imported")
    frame.insert(2, "Link", navigation.number_addresses([row.number_id for row in rows]))
    st.dataframe(frame, hide_index=True, alt="Numbers already imported", column_config={"Link": _LINK})


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
                "Value": [_coded(connection.voice_url), _coded(connection.status_callback_url)],
            }
        ).set_index("Webhook"),
        alt="Webhooks of the connection",
    )


def replaced(numbers: Sequence[OwnedNumber], connection: ConnectionRow) -> None:
    """Draw the webhooks at the provider now beside the new ones: both URLs, and of the rest what changes."""
    rows = [
        (numbering.display(number.e164), *row)
        for number in numbers
        for row in _beside(connection.provider, number.webhooks, webhook_orders.ours(connection))
    ]
    frame = pd.DataFrame(rows, columns=["Number", "Webhook", "At Twilio now", "New"])
    st.dataframe(frame, hide_index=True, alt="Webhooks now and new")
    _lost_fallback((number.webhooks for number in numbers), webhook_orders.ours(connection))


def agreement(key: str, numbers: Iterable[tuple[str, Webhooks]], target: Webhooks) -> bool:
    """Ask whether to replace routing of *numbers* by trunks and applications; return the answer.

    An answer is about these numbers and their routing alone: for others it is asked anew.
    """
    stopped = [(e164, now) for e164, now in numbers if webhook_orders.stops(now, target)]
    if not stopped:
        return False
    each = sorted({webhook_orders.routing(now) for _, now in stopped})
    what = each[0] if len(each) == 1 else f"{len(each)} trunks and applications"
    which = ", ".join(numbering.display(e164) for e164, _ in stopped)
    notices.warning(
        f"Calls to {plain(which)} are taken by {plain(', '.join(each))}, not by the Voice URL, and would not reach "
        f"the new Voice URL. Confirm below to change such numbers too."
    )
    about = zlib.crc32(repr([(e164, now.routed_by) for e164, now in stopped]).encode())
    return st.checkbox(f"Stop routing by {plain(what)}", key=f"{key}_{about:x}")


def before_and_after(key: str, now: Webhooks, target: Webhooks) -> None:
    """Draw the webhooks of one number now beside those that it shall have."""
    rows = [(plain(title), code(there), code(new)) for title, there, new in _beside(key, now, target)]
    frame = pd.DataFrame(rows, columns=["Webhook", "Now", "New"]).set_index("Webhook")
    st.table(frame, alt="Webhooks now and new")
    _lost_fallback([now], target)


def how(key: str, now: Webhooks, ours: Webhooks) -> None:
    """Draw how calls are told to the webhooks, at the provider now and as we have it: all but the two URLs."""
    provider = provider_named(key)
    differing = [name for name in webhook_orders.differing(provider, now, ours) if name not in _URLS]
    if not differing:
        st.caption(
            f"{plain(provider.name)} uses POST, without a fallback, a trunk or a voice application, as expected."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Methods, fallback and routing", width="content")
        st.badge(f"Differ at {plain(provider.name)}", color="orange")
    for name in differing:
        st.caption(
            f"{plain(webhook_orders.NAMES[name])} at {plain(provider.name)} now: "
            f"{code(getattr(now, name) or 'nothing')}, ours: {code(getattr(ours, name) or 'nothing')}"
        )


def _coded(url: str | None) -> str:
    """Return an address as it is, and not as a link: it is for machines."""
    return code(url) if url else "—"


def _lost_fallback(now: Iterable[Webhooks], target: Webhooks) -> None:
    if not target.voice_fallback_url and any(one.voice_fallback_url for one in now):
        st.caption("Fallbacks are removed: if our URL failed, they would take calls unnoticed. They can be restored.")


def _beside(key: str, now: Webhooks, target: Webhooks) -> list[tuple[str, str, str]]:
    provider = provider_named(key)
    columns = {
        *webhook_orders.differing(provider, now, target),
        *(_URLS if provider.keeps_status_callback else _URLS[:1]),
    }
    return [
        (title, getattr(now, name) or "none", getattr(target, name) or "none")
        for name, title in webhook_orders.NAMES.items()
        if name in columns
    ]


def regulations(asked: Sequence[Regulation] | None) -> None:
    """Draw the regulatory requirements by kind of end user; None if unknown."""
    if asked is None:
        st.caption("Twilio did not say what the regulator requires for such a number.")
        return
    if not asked:
        return
    with st.container(border=True):
        st.markdown("**Regulatory requirements**")
        for regulation in asked:
            needs = "; ".join(_need(one) for one in regulation.requirements)
            st.markdown(f"{_FOR[regulation.end_user.value]}: {plain(needs or 'nothing')}")
        st.caption("Submitted as a bundle at Twilio, which must be approved before the purchase.")


def _need(one: Requirement) -> str:
    details = one.to_tell or one.documents
    several = " or ".join((", ".join(details[:-1]), details[-1])) if len(details) > 1 and one.documents else ""
    return f"{one.name} ({several or ', '.join(details)})" if details else one.name


def import_outcomes(rows: Iterable[OrderRow]) -> list[Imported]:
    """Return the outcome of each order as text."""
    says = {
        OrderState.CONFIRMED: _IMPORTED,
        OrderState.PLACED: "No answer yet; we keep checking",
        OrderState.UNKNOWN: "Pending confirmation; we keep checking",
    }
    waits = "Queued at the provider; it is sent automatically"
    return [
        Imported(row.e164, waits if row.is_waiting else says.get(row.state) or row.problem or "Failed", row.number_id)
        for row in rows
    ]


def outcomes(rows: Sequence[Imported]) -> None:
    """Draw the outcome of each number of many, those on record now with the ways to open them."""
    done = sum(row.text == _IMPORTED for row in rows)
    icon = ":material/done_all:" if done == len(rows) else ":material/rule:"
    st.subheader(f"{icon} {done:,} of {labels.amount(len(rows), 'number')} imported", anchor=False)
    frame = pd.DataFrame(
        {
            "Number": [numbering.display(row.e164) for row in rows],
            "Outcome": [row.text for row in rows],
            "Link": navigation.number_addresses([row.number_id for row in rows]),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        alt="Result for each number",
        column_config={
            "Number": selection.number_column("add_imported", [row.number_id for row in rows]),
            "Link": _LINK,
        },
    )


def _capabilities(features: Iterable[str]) -> str:
    has = {str(feature) for feature in features}
    return ", ".join(name.upper() if name != "voice" else "Voice" for name in _CAPABILITIES if name in has) or "—"


def _price(prices: Prices, row: AvailableNumber) -> str:
    price = Money.of(prices.monthly.get(row.type), prices.currency)
    return labels.money(price) if price else "—"
