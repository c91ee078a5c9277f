"""The table of a list: real HTML, drawn in the reader's browser from declared columns."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from os.path import commonprefix
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st

from components.ui import navigation
from components.ui.listing.filters import to_first_page
from components.ui.listing.toolbar import of_tenant
from components.ui.page import exactly, when
from components.ui.selection import Selection
from components.ui.streamlit_internals import component
from db.numbers.held import COUNT_LIMIT
from services.text import numbering

Row = TypeVar("Row")
Order = Literal["ascending", "descending"]
BROWSER = Path(__file__).parent / "browser"
"""The script and the styles that a browser loads."""


@dataclass(frozen=True, kw_only=True)
class Column(Generic[Row]):
    """A column: what stands in the cell of a row, and of which kind that is.

    The first column names the row. A link has the `address` that another tab opens, and `act`, which a plain click
    does in this one; a row without either is text. `sorts` are the orders of the list by this column, as they take
    turns.
    """

    key: str
    title: str
    cell: Callable[[Row], Any]
    kind: Literal["text", "figure", "time", "badges", "trend", "link", "button"] = "text"
    hover: Callable[[Row], str] | None = None
    address: Callable[[Row], str | None] | None = None
    act: Callable[[Row], None] | None = None
    help: str = ""
    sorts: Mapping[Any, Order] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    def payload(self, rows: Sequence[Row], sort: Any) -> dict[str, Any]:
        """Return what the browser is told of the column."""
        found: dict[str, Any] = {"key": self.key, "title": self.title, "kind": self.kind, **self.options}
        found["cells"] = [self.cell(row) for row in rows]
        if self.help:
            found["help"] = self.help
        if self.act:
            found["acts"] = True
        if self.hover:
            found["titles"] = [self.hover(row) for row in rows]
        if self.address:
            addresses = [self.address(row) for row in rows]
            # Any shared characters do, not only whole folders.
            base = found["base"] = commonprefix([one for one in addresses if one])  # noqa: RUF071
            found["hrefs"] = [None if one is None else one[len(base) :] for one in addresses]
        if self.sorts:
            found["sort"] = self.sorts.get(sort, "")
        return found

    def next_sort(self, now: Any) -> Any:
        """Return the order that a click on the header asks for, after that of *now*."""
        turns = list(self.sorts)
        return turns[(turns.index(now) + 1) % len(turns)] if now in turns else turns[0]


def text(key: str, title: str, cell: Callable[[Row], str], *, wide: bool = False, **more: Any) -> Column[Row]:
    """Return a column of text, in three lines at most; whole when it is *wide*."""
    return Column(key=key, title=title, cell=cell, options={"wide": True} if wide else {}, **more)


def figure(key: str, title: str, cell: Callable[[Row], str], **more: Any) -> Column[Row]:
    """Return a column of figures, which stand at the right."""
    return Column(key=key, title=title, cell=cell, kind="figure", **more)


def badges(
    key: str, title: str, cell: Callable[[Row], Sequence[str]], colors: Mapping[str, str], **more: Any
) -> Column[Row]:
    """Return a column of badges: each word has its color, or is an `outline`."""
    return Column(key=key, title=title, cell=cell, kind="badges", options={"colors": dict(colors)}, **more)


def time(key: str, title: str, moment: Callable[[Row], datetime | None], zone: ZoneInfo, **more: Any) -> Column[Row]:
    """Return a column of how long ago something was, with the exact time where the pointer rests."""
    return Column(
        key=key,
        title=title,
        cell=lambda row: when(moment(row), zone),
        hover=lambda row: exactly(moment(row), zone),
        kind="time",
        **more,
    )


def link(key: str, title: str, cell: Callable[[Row], str], act: Callable[[Row], None], **more: Any) -> Column[Row]:
    """Return a column of links; without an `address` they are buttons that look like links."""
    return Column(key=key, title=title, cell=cell, act=act, kind="link", **more)


def number(
    key: str,
    cell: Callable[[Row], str],
    act: Callable[[Row], None] | None = None,
    *,
    title: str = "Number",
    **more: Any,
) -> Column[Row]:
    """Return a column of phone numbers, as links where they have an *act*."""
    return Column(key=key, title=title, cell=cell, act=act, kind="link", options={"mono": True}, **more)


def number_link(
    number_id: Callable[[Row], int | None], *, left: Mapping[str, int] | None = None, **more: Any
) -> Column[Row]:
    """Return a column of the rows' numbers, each of which opens its page where it has an id; see `open_number`."""

    def e164(row: Any) -> str:
        return numbering.display(row.e164)

    def act(row: Row) -> None:
        if one := number_id(row):
            navigation.open_number(one, left)

    def address(row: Row) -> str | None:
        return navigation.number_address(one) if (one := number_id(row)) else None

    return number("number", e164, act, address=address, **more)


def numbers(filter: str, *, with_tenant: bool) -> Column[Any]:
    """Return a column of how many numbers a row has, `1,000+` at most; a click lists them by the *filter*."""

    def name(row: Any) -> str:
        return of_tenant(row, with_tenant)

    return Column(
        key="numbers",
        title="Numbers",
        cell=lambda row: f"{row.numbers:,}" if row.numbers <= COUNT_LIMIT else f"{COUNT_LIMIT:,}+",
        hover=lambda row: f"Numbers of {row.name}",
        act=lambda row: navigation.open_numbers(**{filter: name(row)}),
        address=lambda row: navigation.numbers_address(**{filter: name(row)}),
        kind="link",
        options={"right": True},
    )


def trend(
    key: str, title: str, cell: Callable[[Row], list[float]], told: Callable[[Row], str], **more: Any
) -> Column[Row]:
    """Return a column of small lines over shares by day, which *told* says in words."""

    def rounded(row: Row) -> list[float]:
        return [round(value, 3) for value in cell(row)]

    return Column(key=key, title=title, cell=rounded, hover=told, kind="trend", **more)


def button(key: str, title: str, icon: str, act: Callable[[Row], None], name: Callable[[Row], str]) -> Column[Row]:
    """Return a column of buttons with an *icon* of Material, each with a *name* of its own."""
    return Column(key=key, title=title, cell=name, act=act, kind="button", options={"icon": icon})


def table(
    name: str,
    rows: Sequence[Row],
    columns: Sequence[Column[Row]],
    *,
    key: str,
    of: Callable[[Row], Hashable],
    sort: Any = None,
    prefix: str = "",
    selection: Selection[Row] | None = None,
    single: bool = False,
    rows_seen: int | None = None,
) -> None:
    """Draw *rows*, each with the id that *of* returns: a number or a text. Of *rows_seen* on, they scroll.

    *sort* is the order now, which a click on a header changes in the address; its keys there begin with *prefix*. With
    a *selection* each row has a box; what is ticked is held by id. A *single* one holds one of the rows shown at most.
    """
    by_id = {of(row): row for row in rows}
    rows = list(by_id.values())  # an id stands once, so that each id belongs to its row
    by_key = {column.key: column for column in columns}

    def act() -> None:
        column, row_id = st.session_state[key]["act"]
        if (do := by_key[column].act) and row_id in by_id:  # a late click, on rows that have gone, does nothing
            do(by_id[row_id])

    def sort_anew() -> None:
        st.session_state[f"{prefix}sort"] = by_key[st.session_state[key]["sort"]].next_sort(sort)
        to_first_page(prefix)

    def ticked() -> None:
        assert selection is not None
        found = st.session_state[key]["ticked"]
        selection.take(by_id, found["shown"], found["on"])
        selection.turn = found["turn"]

    data: dict[str, Any] = {
        "name": name,
        "ids": list(by_id),
        "columns": [column.payload(rows, sort) for column in columns],
    }
    if rows_seen is not None:
        data["seen"] = rows_seen
    if selection is not None:
        selection.shown = frozenset(by_id)
        if single:
            selection.rows = {one: row for one, row in selection.rows.items() if one in by_id}
        data |= {
            "ticked": [one for one in by_id if selection.has(one)],
            "turn": selection.turn,
            "cleared": selection.clears,
            "single": single,
        }
    mount = component("listing", BROWSER)
    mount(key=key, data=data, on_act_change=act, on_sort_change=sort_anew, on_ticked_change=ticked)
