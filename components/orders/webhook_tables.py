"""Webhooks at a provider: those that numbers get, now beside new, and what is lost with those that are replaced."""

import zlib
from collections.abc import Sequence

import streamlit as st

from components.ui import notices
from components.ui.listing.table import Column, number, table, text
from components.ui.markdown import code, plain
from db.connections import ConnectionRow
from providers.base import Provider
from services.orders import webhook_orders
from services.orders.catalogue import Webhooks
from services.text import numbering

_MOST_SHOWN = 200
_Line = tuple[str, str, str, str]
"""A number, a webhook of it, its value now, and the new one."""


def of_connection(connection: ConnectionRow) -> None:
    """Draw the webhooks that a number of the connection gets."""
    columns: list[Column[tuple[str, str | None]]] = [
        text("webhook", "Webhook", lambda row: row[0]),
        text("value", "Value", lambda row: row[1] or "—", wide=True),
    ]
    rows = [("Voice URL", connection.voice_url), ("Status callback", connection.status_callback_url)]
    table("Webhooks of the connection", rows, columns, key="webhooks_of_connection", of=lambda row: row[0])


def replacing(provider: type[Provider], numbers: Sequence[tuple[str, Webhooks]], target: Webhooks) -> bool:
    """Draw the webhooks of *numbers* now beside the new ones: both URLs, and of the rest what changes.

    Return whether trunks and applications may lose the calls to them, which is asked where they would.
    """
    rows = [(e164, *change) for e164, now in numbers for change in _changes(provider, now, target)]
    columns: list[Column[_Line]] = [
        number("number", lambda row: numbering.display(row[0])),
        text("webhook", "Webhook", lambda row: row[1]),
        text("now", f"At {provider.name} now", lambda row: row[2], wide=True),
        text("new", "New", lambda row: row[3], wide=True),
    ]
    shown = rows[:_MOST_SHOWN]
    table("Webhooks now and new", shown, columns, key="webhooks_replaced", of=lambda row: " ".join(row[:2]))
    if len(rows) > len(shown):
        st.caption(f"The first {len(shown):,} of {len(rows):,} webhooks are shown.")
    if not target.voice_fallback_url and any(now.voice_fallback_url for _, now in numbers):
        st.caption("Fallbacks are removed: if our URL failed, they would take calls unnoticed. They can be restored.")
    return _agreement([(e164, now) for e164, now in numbers if webhook_orders.stops(now, target)])


def how(provider: type[Provider], now: Webhooks, ours: Webhooks) -> None:
    """Draw how calls are told to the webhooks, at the provider now and as we have it: all but the two URLs."""
    name = plain(provider.name)
    differing = [field for field in webhook_orders.differing(provider, now, ours) if field not in webhook_orders.URLS]
    if not differing:
        st.caption(f"{name} uses POST, without a fallback, a trunk or a voice application, as expected.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Methods, fallback and routing", width="content")
        st.badge(f"Differ at {name}", color="orange")
    for field in differing:
        st.caption(
            f"{plain(webhook_orders.NAMES[field])} at {name} now: {code(getattr(now, field) or 'nothing')}, "
            f"ours: {code(getattr(ours, field) or 'nothing')}"
        )


def _changes(provider: type[Provider], now: Webhooks, target: Webhooks) -> list[tuple[str, str, str]]:
    urls = webhook_orders.URLS if provider.keeps_status_callback else webhook_orders.URLS[:1]
    shown = {*webhook_orders.differing(provider, now, target), *urls}
    return [
        (title, getattr(now, name) or "none", getattr(target, name) or "none")
        for name, title in webhook_orders.NAMES.items()
        if name in shown
    ]


def _agreement(stopped: Sequence[tuple[str, Webhooks]]) -> bool:
    """Ask whether calls are to be taken from trunks and applications; return the answer.

    An answer is about these numbers and their routing alone: for others it is asked anew.
    """
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
    return st.checkbox(f"Stop routing by {plain(what)}", key=f"stop_routing_{about:x}")
