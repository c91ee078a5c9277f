"""Tables of what providers have: numbers for sale, owned numbers, webhooks old and new, outcomes."""

import zlib
from collections.abc import Iterable, Sequence

import pandas as pd
import streamlit as st

from components import audit
from services import numbering, webhook_orders, words
from services.connections import ConnectionRow, vendor
from services.orders import OrderRow, OrderState
from services.stock import AvailableNumber, OwnedNumber, OwnedRow, Prices, Regulation, Requirement, Webhooks

_CAPABILITIES = ("voice", "sms", "mms", "fax")
_FOR = {"individual": "For a person", "business": "For a business"}
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
                "Value": [_code(connection.voice_url or ""), _code(connection.status_callback_url or "")],
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


def agreement(key: str, numbers: Iterable[tuple[str, Webhooks]], wanted: Webhooks) -> bool:
    """Ask whether trunks and applications shall lose the calls of *numbers*, where they have them; return the answer.

    An answer is about these numbers and their routing alone: for others it is asked anew.
    """
    stopped = [(e164, now) for e164, now in numbers if webhook_orders.stops(now, wanted)]
    if not stopped:
        return False
    each = sorted({webhook_orders.routing(now) for _, now in stopped})
    what = each[0] if len(each) == 1 else f"{len(each)} trunks and applications"
    which = ", ".join(numbering.display(e164) for e164, _ in stopped)
    st.warning(
        f"Calls to {audit.plain(which)} are taken by {audit.plain(', '.join(each))}, not by the Voice URL. As long as "
        "that is so, none reaches the new Voice URL: such a number is changed only if you agree."
    )
    about = zlib.crc32(repr([(e164, now.routed_by) for e164, now in stopped]).encode())
    return st.checkbox(f"Stop routing by {audit.plain(what)}", key=f"{key}_{about:x}")


def before_and_after(provider: str, now: Webhooks, wanted: Webhooks) -> None:
    """Draw the webhooks of one number now beside those that it shall have."""
    rows = [(title, _code(there), _code(new)) for title, there, new in _beside(provider, now, wanted)]
    frame = pd.DataFrame(rows, columns=["Webhook", "Now", "New"]).set_index("Webhook")
    st.table(frame, alt="Webhooks now and new")
    _lost_fallback([now], wanted)


def how(provider: str, now: Webhooks, ours: Webhooks) -> None:
    """Draw how calls are told to the webhooks, at the provider now and as we have it: all but the two URLs."""
    maker = vendor(provider)
    differing = [name for name in webhook_orders.differing(maker, now, ours) if name not in _URLS]
    if not differing:
        st.caption(f"{maker.name} tells it by POST, without a fallback, a trunk or a voice application: as we want it.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Methods, fallback and routing", width="content")
        st.badge(f"Differ at {maker.name}", color="orange")
    for name in differing:
        st.caption(
            f"{webhook_orders.NAMES[name]} at {maker.name} now: {_code(getattr(now, name) or 'nothing')}, ours: "
            f"{_code(getattr(ours, name) or 'nothing')}"
        )


def _lost_fallback(now: Iterable[Webhooks], wanted: Webhooks) -> None:
    if not wanted.voice_fallback_url and any(one.voice_fallback_url for one in now):
        st.caption("A fallback is taken out: when ours failed, it would answer the calls unseen. It can be restored.")


def _code(text: str) -> str:
    """Return an address or a SID as it is, and not as a link: it is for machines."""
    return "—" if text in ("", "—") else "`{}`".format(text.replace("`", "%60"))


def _beside(provider: str, now: Webhooks, wanted: Webhooks) -> list[tuple[str, str, str]]:
    maker = vendor(provider)
    shown = {*webhook_orders.differing(maker, now, wanted), *(_URLS if maker.keeps_status_callback else _URLS[:1])}
    return [
        (title, getattr(now, name) or "—", getattr(wanted, name) or "—")
        for name, title in webhook_orders.NAMES.items()
        if name in shown
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
            needs = "; ".join(_need(one) for one in regulation.requirements)
            st.markdown(f"{_FOR[regulation.end_user.value]}: {audit.plain(needs or 'nothing')}")
        st.caption("Put together in a bundle at Twilio, which has to be approved before the purchase.")


def _need(one: Requirement) -> str:
    details = one.to_tell or one.documents
    several = " or ".join((", ".join(details[:-1]), details[-1])) if len(details) > 1 and one.documents else ""
    return f"{one.name} ({several or ', '.join(details)})" if details else one.name


def told(rows: Iterable[OrderRow]) -> list[tuple[str, str]]:
    """Return the outcome of each order in words, by number."""
    says = {
        OrderState.CONFIRMED: "Imported",
        OrderState.PLACED: "Not answered yet; we keep asking",
        OrderState.UNKNOWN: "Not certain yet; we keep asking",
    }
    return [(row.e164, says.get(row.state) or row.problem or "Failed") for row in rows]


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
