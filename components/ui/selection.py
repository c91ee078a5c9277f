"""Rows that a reader has ticked, held by what they are: never by their place in a table.

Streamlit's grid keeps the places that are ticked when its rows change, so it would act on other rows. Here each set of
rows gets a grid of its own, ticked by what is held; so a selection survives paging, sorting of the list, and searching.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import pandas as pd
import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain

Row = TypeVar("Row")
_MOST_NAMED = 50


@dataclass
class Selection(Generic[Row]):
    """The rows that are ticked, by id, in the order in which they were.

    `turn` counts how often they were let go; `told` is when the browser last said what is ticked.
    """

    rows: dict[Hashable, Row] = field(default_factory=dict)
    turn: int = 0
    told: int = 0
    shown: frozenset[Hashable] = frozenset()

    def clear(self) -> None:
        """Let all go. The grid is drawn anew: its own ticks cannot be taken away."""
        self.rows.clear()
        self.turn += 1


def held(key: str) -> Selection[Any]:
    """Return the selection that this tab keeps under *key*."""
    found: Selection[Any] = st.session_state.setdefault(key, Selection())
    return found


def digest(ids: Sequence[object]) -> str:
    """Return a short text that stands for exactly these ids in this order."""
    return hashlib.blake2b(repr(list(ids)).encode(), digest_size=8).hexdigest()


def click(key: str, ids: Sequence[Row], act: Callable[[Row], None]) -> dict[str, Any]:
    """Return what makes a column of buttons do *act* to the id of the row that was clicked on.

    Each set of rows has a key of its own, so that a late click never meets a row that has taken the place of its own.
    """
    own = f"{key}_{digest(ids)}"
    return {"key": own, "on_click": lambda: act(ids[st.session_state[own]["row"]])}


def number_column(key: str, ids: Sequence[int | None], *, campaign_id: int | None = None) -> Any:
    """Return a column of numbers; a click opens the number of the row in this tab, where it has an id."""

    def open_it(number_id: int | None) -> None:
        if number_id is not None:
            navigation.open_number(number_id, campaign_id=campaign_id)

    return st.column_config.ButtonColumn(
        "Number", type="tertiary", alignment="left", width=145, pinned=True, **click(key, ids, open_it)
    )


def table(
    selection: Selection[Row],
    rows: Sequence[Row],
    of: Callable[[Row], Hashable],
    frame: pd.DataFrame,
    *,
    key: str,
    alt: str,
    single: bool = False,
    config: Mapping[str, Any] | None = None,
    height: int | Literal["auto", "content"] = "auto",
) -> list[Row]:
    """Draw *frame*, of which each line is one of *rows* with the id that *of* returns; return what is selected.

    That are also rows of other pages and searches, in the order in which they were ticked; with *single* the one that
    is ticked here, or none.
    """
    ids = [of(row) for row in rows]
    by_id = dict(zip(ids, rows, strict=True))
    if single:
        selection.rows = {one: row for one, row in selection.rows.items() if one in by_id}
    selection.shown = frozenset(ids)
    event = st.dataframe(
        frame,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row" if single else "multi-row",
        selection_default={"selection": {"rows": [at for at, one in enumerate(ids) if one in selection.rows]}},
        key=f"{key}_{digest(ids)}_{selection.turn}",
        column_config=config,
        alt=alt,
        height=height,
    )
    ticked = {ids[at]: rows[at] for at in event.selection.rows if at < len(ids)}
    let_go = selection.shown - ticked.keys()
    selection.rows = {one: row for one, row in selection.rows.items() if one not in let_go} | ticked
    return list(selection.rows.values())


def bar(selection: Selection[Row], key: str, name: Callable[[Row], str], *, most: int | None = None) -> bool:
    """Draw how many rows are selected, by *name* those not shown, and the way to let them go.

    Return whether there are any, and not more than *most*.
    """
    if not selection.rows:
        return False
    hidden = [plain(name(row)) for one, row in selection.rows.items() if one not in selection.shown]
    too_many = most is not None and len(selection.rows) > most
    parts = [f"{len(selection.rows):,} selected", *([f"{len(hidden):,} of them not shown"] if hidden else [])]
    parts += [f"at most {most:,} at once"] if too_many else []
    st.caption(", ".join(parts), width="content", help="  \n".join(hidden[:_MOST_NAMED]) or None)
    st.button("Clear selection", key=f"{key}_clear", type="tertiary", on_click=selection.clear)
    return not too_many
