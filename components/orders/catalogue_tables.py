"""Tables of the wizard: numbers for sale, numbers of an account, what became of them, and what a regulator asks for."""

from collections.abc import Iterable, Sequence

import streamlit as st

from components.ui import navigation
from components.ui.listing.table import Column, figure, number, table, text
from components.ui.markdown import plain
from components.ui.selection import Selection
from db.base.money import Money
from services.orders.catalogue import AvailableNumber, OwnedRow, Prices, Regulation, Requirement
from services.text import labels, numbering

ROWS_SEEN = 10
_CAPABILITIES = {"voice": "Voice", "sms": "SMS", "mms": "MMS", "fax": "FAX"}
_FOR = {"individual": "For a person", "business": "For a business"}
_ADDRESS = {"none": "None", "any": "Any address", "local": "Local address", "foreign": "Foreign address"}


def for_sale(selection: Selection[AvailableNumber], rows: Sequence[AvailableNumber], prices: Prices) -> None:
    """Draw numbers for sale, of which one can be selected into *selection*."""

    def price(row: AvailableNumber) -> str:
        found = Money.of(prices.monthly.get(row.type), prices.currency)
        return labels.money(found) if found else "—"

    columns = [
        number("number", lambda row: numbering.display(row.e164)),
        text("locality", "Locality", lambda row: ", ".join(filter(None, (row.locality, row.region))) or "—"),
        text("capabilities", "Capabilities", lambda row: _capabilities(row.features)),
        text("address", "Address", lambda row: _ADDRESS[row.address_requirement.value]),
        figure("price", "Monthly price", price),
    ]
    st.caption(f"{labels.amount(len(rows), 'number')}. Select one.")
    table(
        "Numbers for sale",
        rows,
        columns,
        key="add_for_sale",
        of=lambda row: row.e164,
        selection=selection,
        single=True,
        rows_seen=ROWS_SEEN,
    )


def owned(rows: Sequence[OwnedRow], provider: str, selection: Selection[OwnedRow] | None = None) -> None:
    """Draw numbers of the account that can be selected, or without *selection* those on record, which can be opened."""
    on_record = selection is None
    columns: list[Column[OwnedRow]] = [
        number(
            "number",
            lambda row: numbering.display(row.number.e164),
            address=lambda row: navigation.number_address(row.number_id) if row.number_id else None,
            hover=lambda row: "Open in a new tab" if row.number_id else "",
        ),
        text("here", "In Numberdesk", lambda row: "Already imported" if on_record else "Not in app yet"),
        text("label", f"Label at {provider}", lambda row: row.number.label or "—"),
        text("capabilities", "Capabilities", lambda row: _capabilities(row.number.features)),
        text("voice_url", "Voice URL now", lambda row: row.number.webhooks.voice_url or "—"),
    ]
    st.caption(
        "Already imported, so there is nothing to do."
        if on_record
        else "Select one or more. They share one configuration."
    )
    table(
        "Numbers already imported" if on_record else "Numbers of the account",
        rows,
        columns,
        key="add_on_record" if on_record else "add_owned",
        of=lambda row: row.number.e164,
        selection=selection,
        rows_seen=ROWS_SEEN,
    )


def regulations(asked: Sequence[Regulation] | None, provider: str) -> None:
    """Draw the regulatory requirements by kind of end user; None if unknown."""
    if asked is None:
        st.caption(f"{plain(provider)} did not say what the regulator requires for such a number.")
        return
    if not asked:
        return
    with st.container(border=True):
        st.markdown("**Regulatory requirements**")
        for regulation in asked:
            needs = "; ".join(_need(one) for one in regulation.requirements)
            st.markdown(f"{_FOR[regulation.end_user.value]}: {plain(needs or 'nothing')}")
        st.caption(f"Submitted as a bundle at {plain(provider)}, which must be approved before the purchase.")


def _need(one: Requirement) -> str:
    details = one.to_tell or one.documents
    several = " or ".join((", ".join(details[:-1]), details[-1])) if len(details) > 1 and one.documents else ""
    return f"{one.name} ({several or ', '.join(details)})" if details else one.name


def _capabilities(features: Iterable[str]) -> str:
    has = {str(feature) for feature in features}
    return ", ".join(word for name, word in _CAPABILITIES.items() if name in has) or "—"
