"""Reconcile: choose an account, compare, and act on the differences."""

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st
from sqlmodel import Session

from components.connections import accounts
from components.jobs.jobs import JobRunner
from components.orders.reconcile_dialogs import Confirming
from components.ui import navigation, notices, selection
from components.ui.listing import toolbar as listing
from components.ui.markdown import code, plain
from components.ui.page import empty_state, errors_shown, exactly, when
from components.ui.selection import Selection
from db.base.scope import Slice
from db.connections import ConnectionRow
from services.connections.connections import provider_named
from services.core.access import Actor, Permission
from services.orders import reconcile
from services.orders.reconcile import MOST_AT_ONCE, Comparison, Different, Found, MissingHere, MissingThere
from services.text import numbering
from services.text.labels import amount

_KEYS = ("reconcile_connection", "reconcile_number")
_PLACE = "reconcile"

Listed = MissingHere | MissingThere | Different
Row = TypeVar("Row", MissingHere, MissingThere, Different)
_Table = tuple[pd.DataFrame, dict[str, Any]]


@dataclass
class _Tab:
    """What this tab knows: of whom and what, the comparison, and what is being done about it.

    `turn` counts what was compared and done, so that no table keeps the selection of another one.
    """

    about: tuple[object, ...]
    comparison: Comparison | None = None
    runner: JobRunner = field(default_factory=JobRunner)
    turn: int = 0
    changed: int = 0
    selected: dict[str, Selection[Any]] = field(default_factory=dict)

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

    def draw(self, offered: Sequence[ConnectionRow]) -> None:
        """Draw the choice of an account, and what is known about it."""
        if not offered:
            self._nothing_to_compare()
            return
        listing.keep(_KEYS, _PLACE)
        before = _known()
        busy = before is not None and before.runner.job is not None
        with st.container(horizontal=True, vertical_alignment="bottom", key="reconcile_toolbar"):
            connection = accounts.choice(offered, "reconcile_connection", bind="query-params", disabled=busy, width=300)
            typed = st.text_input(
                "Number contains",
                key="reconcile_number",
                bind="query-params",
                placeholder="All numbers",
                help="Compare only a part of a very large account.",
                max_chars=20,
                disabled=busy,
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
                disabled=busy or connection is None,
            )
        listing.remember(_KEYS, _PLACE)
        if connection is not None:
            accounts.doubt(connection, self.actor)
        if known.runner.job is not None:  # begun in a dialog that was left meanwhile
            with errors_shown():
                self._work(known)
                st.rerun()
            st.stop()
        if clicked and connection is not None:
            self._compare(known, connection.id, matching)
        if known.runner.results:
            with st.container(border=True):
                known.runner.draw_results()
                st.button("Close", key="reconcile_close", on_click=known.runner.forget)
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
        known = _known()
        if known is None or known.about != about:
            known = st.session_state[_PLACE] = _Tab(about)
        return known

    def _compare(self, known: _Tab, connection_id: int, matching: str) -> None:
        known.comparison, known.changed = None, 0
        known.runner.forget()
        known.turned()
        with errors_shown():
            with st.status("Reading the account…", type="compact") as status, self.opener() as session:

                def progress(read: int) -> None:
                    status.update(label=f"Reading the account… {amount(read, 'number')}")

                known.comparison = reconcile.compare(session, self.actor, connection_id, progress, matching=matching)
            st.rerun()

    def _work(self, known: _Tab) -> None:
        changed = known.runner.work(self.actor, self.opener)
        if known.comparison is not None:
            known.comparison = known.comparison.without(changed)
        known.changed += len(changed)
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
                f"{amount(known.changed, 'number')} changed since this comparison and hidden. Compare again to see "
                f"the current state.",
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
        self._missing_there(known, found, provider)
        self._to_take_over(known, found, provider)
        self._webhooks(known, found, provider)
        self._missing_here(known, found, provider)

    def _confirming(self, known: _Tab, found: Comparison) -> Confirming:
        known.runner.forget()
        return Confirming(self.actor, self.opener, found, known.runner, lambda: self._work(known))

    def _missing_there(self, known: _Tab, found: Comparison, provider: str) -> None:
        def table(rows: Sequence[MissingThere]) -> _Table:
            values = {"label": ("Label", [row.label or "—" for row in rows])}
            return _with_numbers(f"missing_there_{known.turn}", rows, values)

        def act(chosen: list[MissingThere]) -> None:
            if self.actor.may(Permission.NUMBERS_WRITE) and st.button(
                _label("Mark", chosen, "as released"),
                icon=":material/link_off:",
                key="reconcile_released",
                disabled=not chosen,
            ):
                self._confirming(known, found).releases(chosen)

        _section(
            known,
            "missing_there",
            "Only in Numberdesk",
            f"Released in {provider}'s console or moved to another account. Their records stay until you decide.",
            found.missing_there,
            table,
            act,
        )

    def _to_take_over(self, known: _Tab, found: Comparison, provider: str) -> None:
        def table(rows: Sequence[Different]) -> _Table:
            values = {
                "what": ("Value", [row.differences[0].name for row in rows]),
                "ours": ("Here", [row.differences[0].ours for row in rows]),
                "theirs": (f"At {provider}", [row.differences[0].theirs for row in rows]),
            }
            return _with_numbers(f"to_take_over_{known.turn}", rows, values)

        def act(chosen: list[Different]) -> None:
            if self.actor.may(Permission.NUMBERS_WRITE) and st.button(
                _label("Use", chosen, f"from {provider}", "value") if chosen else f"Use values from {provider}",
                icon=":material/sync:",
                key="reconcile_take_over",
                disabled=not chosen,
            ):
                self._confirming(known, found).take_overs(chosen)

        each = (replace(row, differences=(one,)) for row in found.different.rows for one in row.to_take_over)
        _section(
            known,
            "to_take_over",
            "Different label or SID",
            f"Renamed here or at {provider}; another SID means that the number was released and bought again.",
            Found(tuple(each)),
            table,
            act,
        )

    def _webhooks(self, known: _Tab, found: Comparison, provider: str) -> None:
        def table(rows: Sequence[Different]) -> _Table:
            def there(name: str) -> list[str]:
                return [next((one.theirs for one in row.webhooks if one.name == name), "Same") for row in rows]

            urls = ("Voice URL", "Status callback")
            values = {
                "voice_url": (f"Voice URL at {provider}", there("Voice URL")),
                "status_callback": (f"Status callback at {provider}", there("Status callback")),
                "others": (
                    f"Methods and routing at {provider}",
                    [
                        ", ".join(f"{one.name} {one.theirs}" for one in row.webhooks if one.name not in urls) or "Same"
                        for row in rows
                    ],
                ),
            }
            return _with_numbers(f"webhooks_{known.turn}", rows, values)

        def act(chosen: list[Different]) -> None:
            if self.actor.may(Permission.NUMBERS_WRITE) and st.button(
                _label("Send our webhooks to " + provider, chosen, before="for"),
                icon=":material/webhook:",
                key="reconcile_webhooks",
                disabled=not chosen,
            ):
                self._confirming(known, found).webhooks(chosen)

        ours = found.connection
        _section(
            known,
            "webhooks",
            "Different webhooks",
            f"Calls do not reach the connection's URLs. Expected: Voice URL {code(ours.voice_url or '—')}, status "
            f"callback {code(ours.status_callback_url or '—')}.",
            Found(tuple(row for row in found.different.rows if row.webhooks)),
            table,
            act,
        )

    def _missing_here(self, known: _Tab, found: Comparison, provider: str) -> None:
        def table(rows: Sequence[MissingHere]) -> _Table:
            frame = {
                "Number": [numbering.display(row.e164) for row in rows],
                f"Label at {provider}": [row.label or "—" for row in rows],
                "Voice URL now": [row.number.webhooks.voice_url or "—" for row in rows],
            }
            if any(row.why_not for row in rows):
                frame["Cannot be imported"] = [row.why_not or "—" for row in rows]
            return pd.DataFrame(frame), {"Number": st.column_config.Column(width=145)}

        def act(chosen: list[MissingHere]) -> None:
            fresh = [row for row in chosen if not row.why_not]
            if self.actor.may(Permission.NUMBERS_BUY) and st.button(
                _label("Import", fresh), icon=":material/download:", key="reconcile_import", disabled=not fresh
            ):
                self._confirming(known, found).imports(fresh)
            if len(fresh) < len(chosen):
                st.caption("Numbers that cannot be imported are left out.")

        _section(
            known,
            "missing_here",
            f"Only in {provider}",
            "Bought elsewhere or never imported. Importing adds a number and replaces its webhooks with ours.",
            found.missing_here,
            table,
            act,
        )


def _known() -> _Tab | None:
    known: _Tab | None = st.session_state.get(_PLACE)
    return known


def _section(
    known: _Tab,
    name: str,
    title: str,
    reason: str,
    found: Found[Row],
    table: Callable[[Sequence[Row]], _Table],
    act: Callable[[list[Row]], None],
) -> None:
    """Draw numbers of one kind, where there are any, a page at a time; *act* draws what to do with the selected."""
    if not found.total:
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{title}**", width="content")
            st.badge(f"{found.total:,}", color="gray")
        st.caption(reason)
        place = st.container()
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            below = st.container(horizontal=True, vertical_alignment="center", width="content")
            pages = max(1, -(-len(found.rows) // MOST_AT_ONCE))
            turn = f"reconcile_{name}_{known.turn}"
            page = st.pagination(pages, key=f"{turn}_page") if pages > 1 else 1
        if found.more:
            st.caption(
                f"The first {len(found.rows):,} are listed. To see the others, compare only numbers that contain a "
                f"prefix such as +1415."
            )
        part = Slice(page, MOST_AT_ONCE)
        rows = found.rows[part.offset : part.offset + part.size]
        frame, config = table(rows)
        selected: Selection[Row] = known.selected.setdefault(name, Selection())
        with place:
            selection.table(selected, rows, _id, frame, key=turn, config=config, alt=title)
        with below:
            place = st.container(horizontal=True, vertical_alignment="center", width="content")
            fits = selection.bar(selected, turn, lambda row: numbering.display(row.e164), most=MOST_AT_ONCE)
            if not selected.rows:
                st.caption(f"Select up to {MOST_AT_ONCE} at once.")
        with place:
            act(list(selected.rows.values()) if fits else [])


def _id(row: Listed) -> Hashable:
    """Return what a line of a table is about: a number, and the value of it where there is a line for each."""
    fields = tuple(one.field for one in row.differences) if isinstance(row, Different) else ()
    return row.e164, fields


def _with_numbers(
    key: str, rows: Sequence[MissingThere | Different], values: dict[str, tuple[str, list[str]]]
) -> _Table:
    """Return a table of numbers on record, each of which opens its page, and of *values*: title and cells by column."""
    columns = {"number": [numbering.display(row.e164) for row in rows]}
    frame = pd.DataFrame(columns | {name: cells for name, (_, cells) in values.items()})
    config = {name: st.column_config.Column(title) for name, (title, _) in values.items()}
    number = selection.number_column(f"reconcile_{key}_number", [row.number_id for row in rows])
    return frame, {"number": number} | config


def _code(url: str | None) -> str:
    """Return an address as it is, and not as a link: it is for machines."""
    return "`{}`".format(url.replace("`", "%60")) if url else "—"


def _label(verb: str, chosen: Sequence[object], rest: str = "", noun: str = "number", *, before: str = "") -> str:
    """Return what a button does: `Import` before anything is selected, then `Import 2 numbers`."""
    counted = (before, amount(len(chosen), noun)) if chosen else ()
    return " ".join(part for part in (verb, *counted, rest) if part)
