"""Confirmation dialogs of reconcile: which numbers, what is replaced, and what is attached to them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TypeVar

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.jobs.jobs import JobRunner
from components.orders import webhook_tables
from components.orders.catalogue_tables import ROWS_SEEN
from components.orders.releases import why_released
from components.ui import notices
from components.ui.dialogs import confirmed
from components.ui.listing.table import Column, number, table, text
from components.ui.markdown import ours, plain
from components.ui.page import errors_shown
from providers.base import Provider
from services.connections.connections import provider_named
from services.core.access import Actor
from services.orders import reconcile, webhook_orders
from services.orders.catalogue import OwnedNumber
from services.orders.reconcile import Comparison, Difference, Different, MissingHere, MissingThere
from services.text import numbering
from services.text.labels import amount

Row = TypeVar("Row")


@dataclass(frozen=True)
class Confirming:
    """Asks *actor* about what was *found*, and does it on the *runner*, by *work*."""

    actor: Actor
    opener: Callable[[], AbstractContextManager[Session]]
    found: Comparison
    runner: JobRunner
    work: Callable[[], None]

    @property
    def provider(self) -> type[Provider]:
        """The provider of the account."""
        return provider_named(self.found.connection.provider)

    @property
    def account(self) -> str:
        """The connection whose account it is, and its provider, as Markdown."""
        return f"**{plain(accounts.name(self.found.connection))}**"

    @st.dialog("Import", width="large", on_dismiss="rerun")
    def imports(self, rows: Sequence[MissingHere]) -> None:
        """Ask whether numbers are to be imported, showing the webhooks that this replaces."""
        if self._seen():
            return
        st.markdown(
            f"{amount(len(rows), 'number')} will be added under {ours(self.account)}. "
            "The voice webhook and the status callback **will be replaced**, and other integrations that use them may "
            "break. The old values are kept and can be restored from each number's page."
        )
        agreed = self._replacing([row.number for row in rows])
        st.caption("Labels are copied. Agent and countries can be set on each number's page.")
        self._buttons(
            "Import",
            lambda: self.runner.begin(
                "Importing",
                "imported",
                rows,
                lambda s, row: reconcile.place_import(s, self.actor, self.found, row, stop_routing=agreed),
            ),
        )

    @st.dialog("Mark as released", width="large", on_dismiss="rerun")
    def releases(self, rows: Sequence[MissingThere]) -> None:
        """Ask whether numbers are to be marked as released, showing the campaigns that they leave."""
        if self._seen():
            return
        st.markdown(
            f"{amount(len(rows), 'number')} will be marked as released and leave the list and the campaigns below. "
            f"Each is checked once more in the account of {ours(self.account)}; numbers that are there again stay as "
            f"they are."
        )
        with errors_shown():
            with self.opener() as session:
                uses = reconcile.attached(session, self.actor, rows)
            columns: list[Column[MissingThere]] = [
                number("number", lambda row: numbering.display(row.e164)),
                text("label", "Label", lambda row: row.label or "—"),
                text("campaigns", "Campaigns", lambda row: ", ".join(uses.get(row.number_id, [])) or "—", wide=True),
            ]
            self._table("Numbers that leave the list", rows, columns, of=lambda row: row.e164)
            reason = why_released(self.provider.name, "reconcile_reason")
            self._buttons(
                "Mark as released",
                lambda: self.runner.begin(
                    "Marking",
                    "marked as released",
                    rows,
                    lambda s, row: reconcile.mark_released(s, self.actor, row, reason),
                ),
                red=True,
                disabled=not reason,
            )

    @st.dialog("Use values from the provider", width="large", on_dismiss="rerun")
    def take_overs(self, rows: Sequence[Different]) -> None:
        """Ask whether what the provider has is to replace what is on record."""
        if self._seen():
            return
        st.markdown(
            f"Values from the account of {ours(self.account)} replace those in Numberdesk. Nothing changes at "
            f"{plain(self.provider.name)}."
        )
        columns: list[Column[tuple[str, Difference]]] = [
            number("number", lambda row: numbering.display(row[0])),
            text("what", "Value", lambda row: row[1].name),
            text("ours", "Here now", lambda row: row[1].ours, wide=True),
            text("theirs", f"New, from {self.provider.name}", lambda row: row[1].theirs, wide=True),
        ]
        each = [(row.e164, one) for row in rows for one in row.differences]
        self._table("Values here now and new", each, columns, of=lambda row: f"{row[0]} {row[1].field}")
        merged: dict[int, Different] = {}
        for row in rows:
            before = merged.get(row.number_id)
            merged[row.number_id] = replace(
                row, differences=(*(before.differences if before else ()), *row.differences)
            )
        self._buttons(
            f"Use values from {plain(self.provider.name)}",
            lambda: self.runner.begin(
                "Updating",
                "updated",
                list(merged.values()),
                lambda s, row: reconcile.take_over(s, self.actor, row, row.differences),
            ),
        )

    @st.dialog("Set webhooks", width="large", on_dismiss="rerun")
    def webhooks(self, rows: Sequence[Different]) -> None:
        """Ask whether our webhooks are to replace those at the provider."""
        if self._seen():
            return
        st.markdown(
            f"The current values in the account of {ours(self.account)} **will be replaced**. The old values are kept "
            f"and "
            f"can be restored from each number's page."
        )
        agreed = self._replacing([row.there for row in rows])
        self._buttons(
            "Replace",
            lambda: self.runner.begin(
                "Setting webhooks",
                "updated",
                rows,
                lambda s, row: reconcile.place_webhooks(s, self.actor, row, stop_routing=agreed),
            ),
        )

    def _replacing(self, numbers: Sequence[OwnedNumber]) -> bool:
        """Draw what is replaced; return whether trunks and applications may lose the calls to it."""
        connection = self.found.connection
        agreed = webhook_tables.replacing(
            self.provider, [(number.e164, number.webhooks) for number in numbers], webhook_orders.ours(connection)
        )
        if not connection.voice_url:
            notices.warning(
                f"{plain(connection.name)} has no Voice URL yet: calls to these numbers will not be answered."
            )
        return agreed

    def _table(self, name: str, rows: Sequence[Row], columns: Sequence[Column[Row]], of: Callable[[Row], str]) -> None:
        table(name, rows, columns, key="reconcile_confirming", of=of, rows_seen=ROWS_SEEN)

    def _seen(self) -> bool:
        """Draw what came of what was confirmed, once it is done; return whether it is."""
        if not self.runner.results:
            return False
        self.runner.draw_results("reconcile_confirmed")
        with st.container(horizontal=True, horizontal_alignment="right"):
            if st.button("Close", type="primary"):
                self.runner.forget()
                st.rerun()
        return True

    def _buttons(self, label: str, begin: Callable[[], None], *, red: bool = False, disabled: bool = False) -> None:
        place = st.empty()
        with place.container():
            clicked = confirmed(label, on_click=begin, red=red, disabled=disabled)
        if clicked:
            place.empty()  # what has begun is not cancelled any more
            with errors_shown():
                self.work()
                st.rerun(scope="fragment")
