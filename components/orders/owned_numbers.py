"""The wizard's tab with the numbers of the tenant's own account, to import them."""

from dataclasses import dataclass, field

import streamlit as st

from components.connections import accounts
from components.orders import catalogue_tables
from components.ui import notices, selection
from components.ui.markdown import plain
from components.ui.page import errors_shown
from components.ui.sections import Opener
from components.ui.selection import Selection
from components.ui.wizard import state
from db.connections import ConnectionRow
from services.connections.connections import provider_named
from services.core.access import Actor
from services.orders import catalogue
from services.orders.catalogue import PAGE, OwnedRow
from services.text import numbering
from services.text.labels import amount

_MOST = 1_000
_HELD = "add_owned_held"
_NEW, _ALL = "Not in app yet", "All"


@dataclass
class _Read:
    """What was read of an account so far, with which numbers in it and whether only new ones. `token` reads on."""

    connection_id: int
    matching: str
    only_new: bool
    rows: list[OwnedRow] = field(default_factory=list)
    token: str | None = None
    page: int = 0

    @property
    def asked(self) -> tuple[int, str, bool]:
        """What was asked for."""
        return self.connection_id, self.matching, self.only_new

    @property
    def shown(self) -> list[OwnedRow]:
        """The rows of the page."""
        return self.rows[self.page * PAGE : (self.page + 1) * PAGE]

    @property
    def ends_here(self) -> bool:
        """Whether no page comes after this one."""
        return self.token is None and len(self.rows) <= (self.page + 1) * PAGE


@dataclass(frozen=True)
class OwnedNumbers:
    """Shows the numbers of *connection*'s account to *actor*. *opener* opens the session in which it is asked."""

    actor: Actor
    connection: ConnectionRow
    opener: Opener

    def draw(self) -> list[OwnedRow]:
        """Draw the account as far as the reader asked for it; return the numbers that are selected to be imported."""
        known, provider = state(), accounts.provider(self.connection)
        with st.container(horizontal=True, vertical_alignment="bottom"):
            typed = st.text_input(
                "Filter", key="add_matching", placeholder="Part of a number", persist_state="page", width=220
            )
            which = st.segmented_control(
                "Which numbers",
                [_NEW, _ALL],
                default=_NEW,
                required=True,
                key="add_which",
                label_visibility="collapsed",
                persist_state="page",
            )
            st.button(
                "Refresh" if "owned" in known else f"Load my {provider} numbers",
                icon=":material/refresh:",
                key="add_load",
                type="secondary" if "owned" in known else "primary",
                on_click=lambda: known.update(owned=None),
            )
        selected: Selection[OwnedRow] = selection.held(_HELD)
        if "owned" not in known:
            st.caption(f"Press the button to load the numbers of {plain(self.connection.name)} from {provider}.")
            return []
        matching = "".join(c for c in typed or "" if c.isdigit() or c in "+*")
        read: _Read | None = known["owned"]
        fresh = _Read(self.connection.id, matching, which == _NEW)
        if read is None or read.asked != fresh.asked:
            read = fresh
            if not self._read_on(read):
                known.pop("owned")
                return []
            known["owned"] = read
        while not read.shown and read.page:  # a page that turned out to be empty
            read.page -= 1
        gone = {row.number.e164 for row in read.rows if row.is_on_record}
        selected.rows = {e164: row for e164, row in selected.rows.items() if e164 not in gone}
        self._tables(selected, read)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                fits = selection.bar(selected, _HELD, lambda row: numbering.display(row.number.e164), most=_MOST)
            self._pager(read)
        return list(selected.rows.values()) if fits else []

    def _tables(self, selected: Selection[OwnedRow], read: _Read) -> None:
        provider = provider_named(self.connection.provider).name
        new = [row for row in read.shown if not row.is_on_record]
        if new:
            catalogue_tables.owned(new, provider, selected)
        else:
            selected.shown = frozenset()
            of_what = f" with {plain(read.matching)}" if read.matching else ""
            notices.info(
                f"Every number{of_what} in the account is already imported."
                if read.only_new
                else f"Every number{of_what} on this page is already imported."
                if read.rows
                else f"The account has no number{of_what}."
            )
        on_record = [row for row in read.shown if row.is_on_record]
        if on_record:
            catalogue_tables.owned(on_record, provider)

    def _pager(self, read: _Read) -> None:
        if read.page == 0 and read.ends_here:
            st.caption(amount(len(read.rows), "number"), width="content")
            return
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            st.button("Previous", disabled=read.page == 0, on_click=lambda: self._turn(read, -1))
            more = "" if read.token is None else "+"
            first = read.page * PAGE + 1
            st.caption(f"{first:,}–{first - 1 + len(read.shown):,} of {len(read.rows):,}{more}")
            if st.button("Next", disabled=read.ends_here) and self._holds(read, read.page + 2):
                self._turn(read, 1)
                st.rerun()

    def _turn(self, read: _Read, by: int) -> None:
        read.page += by

    def _holds(self, read: _Read, pages: int) -> bool:
        """Read on until so many *pages* are filled, where the account has more; return whether that went well."""
        return read.token is None or len(read.rows) >= pages * PAGE or self._read_on(read)

    def _read_on(self, read: _Read) -> bool:
        """Read the next part of the account, and return whether that went well: what was read before stays."""
        place, done = st.empty(), False
        provider = accounts.provider(self.connection)
        status = place.status(f"Searching {provider}…", type="compact")
        with errors_shown(), status, self.opener() as session:

            def progress(n: int) -> None:
                status.update(label=f"Loading from {provider}… {amount(n, 'number')}")

            part = catalogue.owned_page(
                session,
                self.actor,
                self.connection.id,
                matching=read.matching,
                token=read.token,
                only_new=read.only_new,
                progress=progress,
            )
            seen = {row.number.e164 for row in read.rows}
            read.rows += [row for row in part.rows if row.number.e164 not in seen]
            read.token, done = part.next_token, True
        place.empty()
        return done
