"""Reconcile: choose an account, compare it or open an earlier comparison, and act on the differences."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.orders.catalogue_tables import ROWS_SEEN
from components.orders.reconcile_dialogs import PLACE, Confirming
from components.orders.reconcile_kinds import Action, Kind, kinds
from components.ui import cache, navigation, notices, selection
from components.ui.listing import toolbar as listing
from components.ui.listing.table import table
from components.ui.markdown import ours, plain
from components.ui.page import empty_state, errors_shown, exactly, when
from components.ui.sections import Opener
from components.ui.selection import Selection
from db.base.scope import Slice
from db.connections import ConnectionRow
from db.jobs.queries import JobRow
from db.models import JobState
from db.orders.comparisons import Section
from services.connections.connections import provider_named
from services.core.access import Actor, Permission
from services.core.errors import NotFound
from services.jobs import jobs
from services.orders import comparisons
from services.orders.comparisons import Comparison
from services.orders.reconcile import Drift
from services.text import labels, numbering
from services.text.labels import amount

_KEYS = ("reconcile_connection", "reconcile_number")
_PLACE = "reconcile"
_OPENED = navigation.COMPARISON
_CHOSEN = "reconcile_chosen"
_PAGE = 100
_EVERY = 1.0


@dataclass
class _Tab:
    """What this tab knows: of whose comparison, the `job` to open, and what is selected.

    `turn` counts what was done, so that no table keeps the selection of another one.
    """

    about: tuple[object, ...]
    turn: int = 0
    job: int | None = None
    selected: dict[Section, Selection[Drift]] = field(default_factory=lambda: defaultdict(Selection))

    def turned(self) -> None:
        """Forget what is selected, since what is listed has changed."""
        self.turn += 1
        self.selected.clear()


@dataclass(frozen=True)
class Reconciling:
    """Compares and changes as *actor*. *opener* opens the sessions of what a click does."""

    actor: Actor
    zone: ZoneInfo
    opener: Opener

    def draw(self, session: Session, options: Sequence[ConnectionRow]) -> None:
        """Draw the choice of an account, and what is known about it."""
        if not options:
            self._nothing_to_compare()
            return
        listing.keep(_KEYS, _PLACE)
        opened = self._opened(session)
        self._choose(opened, options)
        with st.container(horizontal=True, vertical_alignment="bottom", key="reconcile_toolbar"):
            connection = accounts.choice(
                options, "reconcile_connection", bind="query-params", width=300, on_change=_open_newest
            )
            typed = st.text_input(
                "Number contains",
                key="reconcile_number",
                bind="query-params",
                placeholder="All numbers",
                help="Compare only a part of a very large account.",
                max_chars=20,
                width=180,
                on_change=_open_newest,
            )
            matching = "".join(c for c in typed or "" if c in "+0123456789")
            found = self._find(session, opened, connection, matching) if connection else None
            st.button(
                "Compare again" if found else "Compare",
                type="primary",
                icon=":material/compare_arrows:",
                key="reconcile_compare",
                disabled=connection is None or (found is not None and found.job.is_unfinished),
                on_click=self._compare,
                args=(connection, matching),
            )
            if connection is not None:
                self._automatically(connection)
        listing.remember(_KEYS, _PLACE)
        notices.show_kept(PLACE)
        if connection is None:
            self._accounts(session, options)
            return
        accounts.doubt(connection, self.actor)
        if found is None:
            empty_state(
                "`Compare` reads the account and shows what differs. Nothing changes until you choose it.",
                "compare_arrows",
            )
            return
        self._kept(session, connection, found)
        if found.job.is_unfinished:
            st.fragment(self._progress, run_every=_EVERY)(found)
            return
        shown: Comparison | None = found
        if found.job.state is not JobState.DONE:
            self._came_to_nothing(found)
            shown = comparisons.find(session, self.actor, connection.id, found.matching, complete=True)
        if shown is not None:
            known = self._tab(shown)
            if known.job is not None:
                job, known.job = known.job, None
                navigation.open_job(job)
            self._differences(session, known, shown)

    def _came_to_nothing(self, found: Comparison) -> None:
        if found.job.problem:
            notices.error(plain(found.job.problem))
        else:
            notices.info(f"This comparison was cancelled {when(found.job.ended_at, self.zone)}. Compare again.")

    def _accounts(self, session: Session, options: Sequence[ConnectionRow]) -> None:
        """Draw the choice of an account, and what the last comparison of each has found."""
        empty_state("Choose the connection whose account to compare.", "cable")
        for row in options:
            last = comparisons.find(session, self.actor, row.id, complete=True)
            if last is not None:
                with st.container(border=True, horizontal=True, vertical_alignment="center"):
                    left = amount(sum(last.open.values()), "difference")
                    text = f"**{plain(row.name)}** · {left} · {when(last.job.started_at, self.zone)}"
                    st.markdown(text, width="stretch")
                    query = {_OPENED: str(last.job.id)}
                    icon = ":material/compare_arrows:"
                    navigation.link(navigation.RECONCILE, label="Open", icon=icon, query_params=query)

    def _opened(self, session: Session) -> Comparison | None:
        """Return the comparison that the address asks for, if it is there."""
        asked = st.query_params.get(_OPENED)
        if not asked:
            return None
        try:
            return comparisons.get(session, self.actor, asked)
        except NotFound as exc:
            notices.warning(plain(str(exc)), icon="search_off")
            _open_newest()
            return None

    def _choose(self, opened: Comparison | None, options: Sequence[ConnectionRow]) -> None:
        """Choose the account and the digits of a comparison that was opened just now."""
        if opened is None or st.session_state.get(_CHOSEN) == opened.job.id:
            return
        st.session_state[_CHOSEN] = opened.job.id
        if opened.connection.id not in {row.id for row in options}:
            notices.warning(f"{plain(opened.connection.name)} is inactive. Its comparisons are listed under Jobs.")
            _open_newest()
            return
        st.session_state["reconcile_connection"] = opened.connection.id
        st.session_state["reconcile_number"] = opened.matching

    def _nothing_to_compare(self) -> None:
        text = "No active connection can be compared. Add a Twilio connection."
        with empty_state(text, "cable"):
            if self.actor.may(Permission.CONNECTIONS_WRITE):
                navigation.link(navigation.CONNECTIONS, label="Add a Twilio connection", icon=":material/cable:")
            else:
                st.caption("An admin can add a Twilio connection, or activate one.")

    def _find(
        self, session: Session, opened: Comparison | None, connection: ConnectionRow, matching: str
    ) -> Comparison | None:
        """Return the comparison that was opened, else the newest one of what is chosen."""
        if opened is not None and opened.connection.id == connection.id:
            return opened
        return comparisons.find(session, self.actor, connection.id, matching)

    def _tab(self, found: Comparison) -> _Tab:
        """Return what this tab knows about a comparison; what it knew of another one is forgotten."""
        about = (self.actor.user_id, self.actor.tenant_id, found.job.id)
        known: _Tab | None = st.session_state.get(_PLACE)
        if known is None or known.about != about:
            known = st.session_state[_PLACE] = _Tab(about)
        return known

    def _kept(self, session: Session, connection: ConnectionRow, found: Comparison) -> None:
        """Draw the choice of an earlier comparison."""
        earlier = comparisons.kept(session, self.actor, connection.id)
        if len(earlier) < 2:
            return
        by_id = {row.id: row for row in earlier} | {found.job.id: found.job}
        opened = f"reconcile_opened_{found.job.id}_{found.job.state}_{len(by_id)}"
        st.selectbox(
            "Comparison",
            list(by_id),
            index=list(by_id).index(found.job.id),
            format_func=lambda job_id: self._named(by_id[job_id]),
            key=opened,
            width=600,
            on_change=lambda: st.query_params.update({_OPENED: str(st.session_state[opened])}),
        )

    def _automatically(self, connection: ConnectionRow) -> None:
        """Draw how often the clock compares an account."""
        every = f"reconcile_every_{connection.id}"
        st.session_state[every] = connection.compare_days or 0  # as it is now, whoever set it
        st.selectbox(
            "Compare automatically",
            list(labels.COMPARE_DAYS),
            format_func=lambda days: labels.COMPARE_DAYS[days],
            key=every,
            width=180,
            help="After 03:00 in the tenant's time zone. What differs is shown here and on the tenant audit.",
            on_change=lambda: self._schedule(connection, st.session_state[every]),
        )

    def _named(self, job: JobRow) -> str:
        """Return what a comparison is called; its number tells apart those of the same minute."""
        different = amount(job.settings["different"], "difference")
        what = different if job.state is JobState.DONE else labels.JOB_STATE[job.state].lower()
        part = [f"with {job.settings['matching']}"] if job.settings["matching"] else []
        return " · ".join([exactly(job.created_at, self.zone), job.who, *part, what, f"job {job.id}"])

    def _compare(self, connection: ConnectionRow, matching: str) -> None:
        def act() -> str:
            with self.opener() as session:
                comparisons.start(session, self.actor, connection.id, matching=matching)
            return ""

        if notices.outcome(act, PLACE) is None:
            _open_newest()

    def _schedule(self, connection: ConnectionRow, every_days: int) -> None:
        def act() -> str:
            with self.opener() as session:
                comparisons.schedule(session, self.actor, connection.id, every_days or None)
            if not every_days:
                return f"{connection.name} is no longer compared automatically."
            return f"{connection.name} is compared {labels.COMPARE_DAYS[every_days].lower()} from now on."

        notices.outcome(act, PLACE)

    def _progress(self, before: Comparison) -> None:
        with errors_shown(), self.opener() as session:
            found = comparisons.get(session, self.actor, before.job.id)
            if not found.job.is_unfinished:
                cache.forget()
                st.rerun()
            with st.container(border=True, horizontal=True, vertical_alignment="center"):
                waits = found.job.state is JobState.WAITING
                text = "Waiting for its turn…" if waits else f"Reading the account… {amount(found.held, 'number')}"
                st.markdown(f":material/progress_activity: {plain(text)}", width="content")
                if found.job.cancelled_at is None:
                    st.button("Cancel", key="reconcile_cancel", on_click=self._cancel, args=(found,))

    def _cancel(self, found: Comparison) -> None:
        def act() -> str:
            with self.opener() as session:
                jobs.cancel(session, self.actor, found.job.id)
            return ""

        notices.outcome(act, PLACE)

    def _begun(self, known: _Tab, job: int) -> None:
        known.job = job
        known.turned()

    def _differences(self, session: Session, known: _Tab, found: Comparison) -> None:
        provider = plain(provider_named(found.connection.provider).name)
        of_what = f" with {plain(found.matching)}" if found.matching else ""
        st.markdown(
            f"**{amount(found.held, 'number')}**{of_what} in the account at {provider}, **{found.on_record:,}** in "
            f"Numberdesk under {plain(found.connection.name)}, **{found.same:,}** identical in both."
        )
        as_of = f"Compared by {plain(found.job.who)} {when(found.job.started_at, self.zone)}."
        if found.elsewhere:
            verb, were, are = ("belongs", "was", "is") if found.elsewhere == 1 else ("belong", "were", "are")
            as_of += (
                f" {amount(found.elsewhere, 'number')} {verb} to another connection or {were} added manually, and "
                f"{are} not compared."
            )
        st.caption(as_of, help=exactly(found.job.started_at, self.zone))
        if found.given:
            notices.info(
                f"{amount(found.given, 'number')} given to jobs since this comparison and hidden. "
                "Compare again to see the current state.",
                icon="update",
            )
        if found.agrees:
            notices.success(
                f"Nothing to reconcile: {amount(found.held, 'number')} compared, "
                f"{exactly(found.job.started_at, self.zone)}.",
            )
        for kind in kinds(found):
            if kind.total:
                self._section(session, known, found, kind)

    def _section(self, session: Session, known: _Tab, found: Comparison, kind: Kind) -> None:
        """Draw numbers of one kind, a page at a time, and what can be done with the selected."""
        selected, turn = known.selected[kind.section], f"reconcile_{kind.section}_{found.job.id}_{known.turn}"
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(f"**{plain(kind.title)}**", width="content")
                st.badge(f"{kind.total:,}", color="gray")
            st.caption(ours(kind.reason))
            place = st.container()
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                below = st.container(horizontal=True, vertical_alignment="center", width="content")
                pages = -(-kind.total // _PAGE)
                part = Slice(st.pagination(pages, key=f"{turn}_page") if pages > 1 else 1, _PAGE)
            rows = comparisons.rows(session, self.actor, found.job.id, kind.section, part)
            with place:
                table(
                    kind.title,
                    rows,
                    kind.columns(rows),
                    key=turn,
                    of=lambda row: row.place,
                    selection=selected,
                    rows_seen=ROWS_SEEN,
                )
            chosen = len(selected.rows) if selected.query is None else kind.total - len(selected.but)
            with below:
                place = st.container(horizontal=True, vertical_alignment="center", width="content")
                selection.bar(selected, turn, lambda row: numbering.display(row.e164), total=kind.total)
                if chosen < kind.total > 1:
                    every = f"Select all {kind.total:,}"
                    take = partial(selected.take_all, kind.section)
                    st.button(every, key=f"{turn}_all", type="tertiary", on_click=take)
            with place:
                for at, action in enumerate(kind.actions):
                    self._act(session, known, found, kind, action, chosen, f"reconcile_act_{kind.section}_{at}")

    def _act(
        self, session: Session, known: _Tab, found: Comparison, kind: Kind, action: Action, chosen: int, key: str
    ) -> None:
        if not self.actor.may(action.permission):
            return
        if st.button(plain(action.named(chosen)), icon=action.icon, key=key, disabled=not chosen):
            selected = known.selected[kind.section]
            rows = list(selected.rows.values())
            if selected.query is not None:
                every = comparisons.rows(session, self.actor, found.job.id, kind.section)
                rows = [row for row in every if row.place not in selected.but]
            confirming = Confirming(self.actor, self.opener, found, lambda job: self._begun(known, job))
            action.ask(confirming, rows)


def _open_newest() -> None:
    """Leave the comparison that was opened: the newest one of what is chosen is shown."""
    st.query_params.pop(_OPENED, None)
    st.session_state.pop(_CHOSEN, None)
