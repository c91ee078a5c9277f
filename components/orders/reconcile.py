"""Reconcile: choose an account, compare, and act on the differences."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.orders.catalogue_tables import ROWS_SEEN
from components.orders.reconcile_dialogs import PLACE, Confirming
from components.orders.reconcile_kinds import Kind, kinds, line
from components.ui import navigation, notices, selection
from components.ui.listing import toolbar as listing
from components.ui.listing.table import table
from components.ui.markdown import ours, plain
from components.ui.page import empty_state, errors_shown, exactly, when
from components.ui.selection import Selection
from db.base.scope import Slice
from db.connections import ConnectionRow
from services.connections.connections import provider_named
from services.core.access import Actor, Permission
from services.orders import reconcile
from services.orders.reconcile import Comparison
from services.text import numbering
from services.text.labels import amount

_KEYS = ("reconcile_connection", "reconcile_number")
_PLACE = "reconcile"
_PAGE = 100


@dataclass
class _Tab:
    """What this tab knows: of whom and what, the comparison, for how many numbers jobs were started since, and
    the `job` to open.

    `turn` counts what was compared and done, so that no table keeps the selection of another one.
    """

    about: tuple[object, ...]
    comparison: Comparison | None = None
    turn: int = 0
    changed: int = 0
    job: int | None = None
    selected: dict[str, Selection[Any]] = field(default_factory=lambda: defaultdict(Selection))

    def turned(self) -> None:
        """Forget what is selected, since what is listed has changed."""
        self.turn += 1
        self.selected.clear()


@dataclass(frozen=True)
class Reconciling:
    """Compares and changes as *actor*. *opener* opens the sessions of what a click does."""

    actor: Actor
    zone: ZoneInfo
    opener: Callable[[], AbstractContextManager[Session]]

    def draw(self, options: Sequence[ConnectionRow]) -> None:
        """Draw the choice of an account, and what is known about it."""
        if not options:
            self._nothing_to_compare()
            return
        listing.keep(_KEYS, _PLACE)
        with st.container(horizontal=True, vertical_alignment="bottom", key="reconcile_toolbar"):
            connection = accounts.choice(options, "reconcile_connection", bind="query-params", width=300)
            typed = st.text_input(
                "Number contains",
                key="reconcile_number",
                bind="query-params",
                placeholder="All numbers",
                help="Compare only a part of a very large account.",
                max_chars=20,
                width=180,
            )
            matching = "".join(c for c in typed or "" if c in "+0123456789")
            known = self._tab(connection.id if connection else None, matching)
            label = "Compare again" if known.comparison else "Compare"
            clicked = st.button(
                label,
                type="primary",
                icon=":material/compare_arrows:",
                key="reconcile_compare",
                disabled=connection is None,
            )
        listing.remember(_KEYS, _PLACE)
        notices.show_kept(PLACE)
        if known.job is not None:
            job, known.job = known.job, None
            navigation.open_job(job)
        if connection is not None:
            accounts.doubt(connection, self.actor)
        if clicked and connection is not None:
            self._compare(known, connection.id, matching)
        if known.comparison is not None:
            self._preview(known, known.comparison)
        elif connection is None:
            empty_state("Choose the connection whose account to compare.", "cable")
        elif not clicked:
            empty_state(
                "`Compare` reads the account and shows what differs. Nothing changes until you choose it.",
                "compare_arrows",
            )

    def _nothing_to_compare(self) -> None:
        text = "No active connection can be compared. Add a Twilio connection."
        with empty_state(text, "cable"):
            if self.actor.may(Permission.CONNECTIONS_WRITE):
                navigation.link(navigation.CONNECTIONS, label="Add a Twilio connection", icon=":material/cable:")
            else:
                st.caption("An admin can add a Twilio connection, or activate one.")

    def _tab(self, connection_id: int | None, matching: str) -> _Tab:
        """Return what this tab knows about an account; a comparison of another one is forgotten."""
        about = (self.actor.user_id, self.actor.tenant_id, connection_id, matching)
        known: _Tab | None = st.session_state.get(_PLACE)
        if known is None or known.about != about:
            known = st.session_state[_PLACE] = _Tab(about)
        return known

    def _compare(self, known: _Tab, connection_id: int, matching: str) -> None:
        known.comparison, known.changed = None, 0
        known.turned()
        with errors_shown():
            with st.status("Reading the account…", type="compact") as status, self.opener() as session:

                def progress(read: int) -> None:
                    status.update(label=f"Reading the account… {amount(read, 'number')}")

                known.comparison = reconcile.compare(session, self.actor, connection_id, progress, matching=matching)
            st.rerun()

    def _begun(self, known: _Tab, e164s: Sequence[str], job: int) -> None:
        known.job = job
        if known.comparison is not None:
            known.comparison = known.comparison.without(e164s)
        known.changed += len(set(e164s))
        known.turned()

    def _preview(self, known: _Tab, found: Comparison) -> None:
        provider = plain(provider_named(found.connection.provider).name)
        of_what = f" with {plain(found.matching)}" if found.matching else ""
        st.markdown(
            f"**{amount(found.held, 'number')}**{of_what} in the account at {provider}, **{found.on_record:,}** in "
            f"Numberdesk under {plain(found.connection.name)}, **{found.same:,}** identical in both."
        )
        as_of = f"Compared by {plain(self.actor.name)} {when(found.as_of, self.zone)}."
        if found.elsewhere:
            verb, were, are = ("belongs", "was", "is") if found.elsewhere == 1 else ("belong", "were", "are")
            as_of += (
                f" {amount(found.elsewhere, 'number')} {verb} to another connection or {were} added manually, and "
                f"{are} not compared."
            )
        st.caption(as_of, help=exactly(found.as_of, self.zone))
        if known.changed:
            notices.info(
                f"{amount(known.changed, 'number')} given to jobs since this comparison and hidden. "
                "Compare again to see the current state.",
                icon="update",
            )
        if found.agrees:
            if not known.changed:
                notices.success(
                    f"Nothing to reconcile: {amount(found.held, 'number')} compared, "
                    f"{exactly(found.as_of, self.zone)}.",
                )
            return
        if found.different.more:
            st.caption(
                f"{amount(found.different.more, 'more number')} with differences not listed. Compare a part of "
                f"the account."
            )
        for kind in kinds(found):
            if kind.found.total:
                self._section(known, found, kind)

    def _section(self, known: _Tab, found: Comparison, kind: Kind[Any]) -> None:
        """Draw numbers of one kind, a page at a time, and what can be done with the selected."""
        selected, turn = known.selected[kind.key], f"reconcile_{kind.key}_{known.turn}"
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{plain(kind.title)}**", width="content")
                st.badge(f"{kind.found.total:,}", color="gray")
            st.caption(ours(kind.reason))
            place = st.container()
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                below = st.container(horizontal=True, vertical_alignment="center", width="content")
                pages = -(-len(kind.found.rows) // _PAGE)
                part = Slice(st.pagination(pages, key=f"{turn}_page") if pages > 1 else 1, _PAGE)
            if kind.found.more:
                st.caption(
                    f"The first {len(kind.found.rows):,} are listed. To see the others, compare only numbers that "
                    f"contain a prefix such as +1415."
                )
            rows = kind.found.rows[part.offset : part.offset + part.size]
            with place:
                table(
                    kind.title,
                    rows,
                    kind.columns,
                    key=turn,
                    of=line,
                    selection=selected,
                    rows_seen=ROWS_SEEN,
                )
            with below:
                place = st.container(horizontal=True, vertical_alignment="center", width="content")
                selection.bar(selected, turn, lambda row: numbering.display(row.e164))
                every: dict[Hashable, Any] = {line(row): row for row in kind.found.rows}
                if len(selected.rows) < len(every):
                    take = partial(selected.take, every, list(every), list(every))
                    st.button(f"Select all {len(every):,}", key=f"{turn}_all", type="tertiary", on_click=take)
            with place:
                self._act(known, found, kind, list(selected.rows.values()))

    def _act(self, known: _Tab, found: Comparison, kind: Kind[Any], selected: Sequence[Any]) -> None:
        action = kind.action
        rows = [row for row in selected if not getattr(row, "why_not", "")]
        if self.actor.may(action.permission) and st.button(
            plain(action.named(rows)), icon=action.icon, key=f"reconcile_{kind.key}", disabled=not rows
        ):
            action.ask(Confirming(self.actor, self.opener, found, partial(self._begun, known)), rows)
        if len(rows) < len(selected):
            st.caption("Numbers that cannot be imported are left out.")
