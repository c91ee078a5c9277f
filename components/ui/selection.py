"""Rows that a reader has ticked, held by what they are: they stay so while others are shown."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import streamlit as st

from components.ui.markdown import plain

Row = TypeVar("Row")
_MOST_NAMED = 50


@dataclass
class Selection(Generic[Row]):
    """The rows that are ticked, by id, in the order in which they were; or all that match a query, without some.

    `clears` counts how often all were let go; `turn` is the browser's when it last said what is ticked. `query` is what
    all selected rows match, and `but` those that were unticked since; without a query, `rows` are those selected.
    """

    rows: dict[Hashable, Row] = field(default_factory=dict)
    clears: int = 0
    turn: int = 0
    shown: frozenset[Hashable] = frozenset()
    query: Any = None
    but: set[Hashable] = field(default_factory=set)

    def has(self, one: Hashable) -> bool:
        """Return whether a row is selected."""
        return one in self.rows if self.query is None else one not in self.but

    def take(self, known: Mapping[Hashable, Row], shown: Sequence[Hashable], on: Sequence[Hashable]) -> None:
        """Select those of the *shown* rows that are *on*, and let go of the others."""
        let_go = set(shown) - set(on)
        if self.query is not None:
            self.but = (self.but | let_go) - set(on)
            return
        every = {**self.rows, **known}
        kept = {one: row for one, row in self.rows.items() if one not in let_go}
        self.rows = kept | {one: every[one] for one in on if one in every}

    def take_all(self, query: Any) -> None:
        """Select all that match a query."""
        self.clear()
        self.query = query

    def clear(self) -> None:
        """Let all go."""
        self.rows.clear()
        self.but.clear()
        self.query = None
        self.clears += 1


def held(key: str) -> Selection[Any]:
    """Return the selection that this tab keeps under *key*."""
    found: Selection[Any] = st.session_state.setdefault(key, Selection())
    return found


def bar(
    selection: Selection[Row],
    key: str,
    name: Callable[[Row], str],
    *,
    most: int | None = None,
    total: int = 0,
) -> bool:
    """Draw how many rows are selected, by *name* those not shown, and the way to let them go.

    Of all that match a query there are *total*. Return whether there are any, and not more than *most*.
    """
    if selection.query is not None:
        st.caption(f"{total - len(selection.but):,} selected", width="content")
        st.button("Clear selection", key=f"{key}_clear", type="tertiary", on_click=selection.clear)
        return True
    if not selection.rows:
        return False
    hidden = [plain(name(row)) for one, row in selection.rows.items() if one not in selection.shown]
    too_many = most is not None and len(selection.rows) > most
    parts = [f"{len(selection.rows):,} selected", *([f"{len(hidden):,} of them not shown"] if hidden else [])]
    parts += [f"at most {most:,} at once"] if too_many else []
    st.caption(", ".join(parts), width="content", help="  \n".join(hidden[:_MOST_NAMED]) or None)
    st.button("Clear selection", key=f"{key}_clear", type="tertiary", on_click=selection.clear)
    return not too_many
