"""Confirmation dialogs of reconcile: which numbers, what is replaced, and what is attached to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.orders import webhook_tables
from components.orders.catalogue_tables import ROWS_SEEN
from components.orders.releases import why_released
from components.ui import notices
from components.ui.dialogs import confirmed
from components.ui.listing.table import Column, number, table, text
from components.ui.markdown import ours, plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from providers.base import Provider
from services.connections.connections import provider_named
from services.core.access import Actor
from services.jobs import jobs
from services.numbers.bulk import Chosen
from services.orders import bulk, comparisons, reconcile_jobs, webhook_orders
from services.orders.catalogue import OwnedNumber
from services.orders.comparisons import Comparison
from services.orders.orders import Configuration
from services.orders.reconcile import Drift
from services.orders.resync import Difference
from services.text import numbering
from services.text.labels import amount

Row = TypeVar("Row")
PLACE = "reconciling"
_MOST_SHOWN = 200


@dataclass(frozen=True)
class Confirming:
    """Asks *actor* about what was *found*, and starts the job that does it; *begun* is told its id."""

    actor: Actor
    opener: Opener
    found: Comparison
    begun: Callable[[int], None]

    @property
    def provider(self) -> type[Provider]:
        """The provider of the account."""
        return provider_named(self.found.connection.provider)

    @property
    def account(self) -> str:
        """The connection whose account it is, and its provider, as Markdown."""
        return f"**{plain(accounts.name(self.found.connection))}**"

    @st.dialog("Import", width="large", on_dismiss="rerun")
    def imports(self, rows: Sequence[Drift]) -> None:
        """Ask whether numbers are to be imported, showing the webhooks that this replaces."""
        left_out = sum(bool(row.why_not) for row in rows)
        st.markdown(
            f"{amount(len(rows) - left_out, 'number')} will be added under {ours(self.account)}. "
            "The voice webhook and the status callback **will be replaced**, and other integrations that use them may "
            "break. The old values are kept and can be restored from each number's page."
        )
        if left_out:
            st.caption(f"{amount(left_out, 'number')} can't be imported and will be left out.")
        agreed = self._replacing([row.number for row in rows if not row.why_not])
        st.caption("Labels are copied. Agent and countries can be set on each number's page.")
        self._buttons(
            "Import",
            rows,
            lambda session: bulk.draft_import(
                session,
                self.actor,
                self.found.connection.id,
                [row.number for row in rows],
                Configuration(),
                stop_routing=agreed,
                agreed=webhook_orders.ours(self.found.connection),
            ),
            disabled=left_out == len(rows),
        )

    @st.dialog("Mark as released", width="large", on_dismiss="rerun")
    def releases(self, rows: Sequence[Drift]) -> None:
        """Ask whether numbers are to be marked as released, showing the campaigns that they leave."""
        st.markdown(
            f"{amount(len(rows), 'number')} will be marked as released and leave the list and the campaigns below. "
            f"Each is checked once more in the account of {ours(self.account)}; numbers that are there again stay as "
            f"they are."
        )
        with errors_shown():
            with self.opener() as session:
                uses = comparisons.attached(session, self.actor, rows)

            columns: list[Column[Drift]] = [
                number("number", lambda row: numbering.display(row.e164)),
                text("label", "Label", lambda row: row.label or "—"),
                text(
                    "campaigns", "Campaigns", lambda row: ", ".join(uses.get(row.number_id or 0, [])) or "—", wide=True
                ),
            ]
            self._table("Numbers that leave the list", rows, columns, of=lambda row: row.e164)
            reason = why_released(self.provider.name, "reconcile_reason")
            self._buttons(
                "Mark as released",
                rows,
                lambda session: reconcile_jobs.draft_released(session, self.actor, rows, reason),
                red=True,
                disabled=not reason,
            )

    @st.dialog("Use values from the provider", width="large", on_dismiss="rerun")
    def take_overs(self, rows: Sequence[Drift]) -> None:
        """Ask whether what the provider has is to replace what is on record."""
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
        self._buttons(
            f"Use values from {plain(self.provider.name)}",
            rows,
            lambda session: reconcile_jobs.draft_take_over(session, self.actor, rows, self.provider.name),
        )

    @st.dialog("Send labels", width="large", on_dismiss="rerun")
    def labels(self, rows: Sequence[Drift]) -> None:
        """Ask whether labels on record are to replace those that the provider has."""
        st.markdown(
            f"Labels from Numberdesk replace those in the account of {ours(self.account)}. Nothing changes here, and "
            "calls are not affected."
        )
        columns: list[Column[Drift]] = [
            number("number", lambda row: numbering.display(row.e164)),
            text("theirs", f"At {self.provider.name} now", lambda row: row.differences[0].theirs, wide=True),
            text("ours", "New, from Numberdesk", lambda row: row.differences[0].ours, wide=True),
        ]
        self._table("Labels there now and new", rows, columns, of=lambda row: row.e164)
        self._buttons(
            f"Send labels to {plain(self.provider.name)}",
            rows,
            lambda session: reconcile_jobs.draft_labels(session, self.actor, rows, self.provider.name),
        )

    @st.dialog("Set webhooks", width="large", on_dismiss="rerun")
    def webhooks(self, rows: Sequence[Drift]) -> None:
        """Ask whether our webhooks are to replace those at the provider."""
        st.markdown(
            f"The current values in the account of {ours(self.account)} **will be replaced**. The old values are kept "
            f"and "
            f"can be restored from each number's page."
        )
        seen = {row.number_id: row.number for row in rows if row.number_id is not None}
        agreed = self._replacing(list(seen.values()))
        self._buttons(
            "Replace",
            rows,
            lambda session: bulk.draft_webhooks(
                session,
                self.actor,
                Chosen(tuple(seen)),
                stop_routing=agreed,
                seen=seen,
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
        table(name, rows[:_MOST_SHOWN], columns, key="reconcile_confirming", of=of, rows_seen=ROWS_SEEN)
        if len(rows) > _MOST_SHOWN:
            st.caption(f"The first {_MOST_SHOWN:,} of {len(rows):,} are shown; the job has an outcome for each.")

    def _buttons(
        self,
        label: str,
        rows: Sequence[Drift],
        draft: Callable[[Session], int],
        *,
        red: bool = False,
        disabled: bool = False,
    ) -> None:
        def start() -> None:
            notices.outcome(act, PLACE)

        def act() -> str:
            with self.opener() as session:
                job = draft(session)
                jobs.start_what_can(session, self.actor, job)
                comparisons.give(session, self.actor, self.found.job.id, rows, job)
            self.begun(job)
            return ""

        if confirmed(label, on_click=start, red=red, disabled=disabled):
            st.rerun()
