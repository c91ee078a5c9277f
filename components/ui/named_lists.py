"""The toolbar that lists of named things share: search by name, filters, chips, all in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import streamlit as st

from components.ui import lists, navigation
from components.ui.lists import Day, Filter
from components.ui.selection import click
from components.ui.streamlit_internals import DeltaGenerator
from db.base.scope import Slice

ACTIVE = {True: "Active", False: "Inactive"}
_PAGING = ("search", "sort", "page", "per_page")


@dataclass(frozen=True)
class Wanted:
    """What the toolbar asks for: the typed text, what is chosen in each filter, the order, and the row's end."""

    text: str
    chosen: Mapping[str, Sequence[Any]]
    sort: Any
    end: DeltaGenerator
    place: str
    offered: Sequence[Filter | Day]

    @property
    def is_all(self) -> bool:
        """Whether nothing is filtered."""
        return not self.text and not any(self.chosen.values())

    def clear_button(self) -> None:
        """Draw the button that clears the filters of an empty list."""
        lists.clear_filters_button(self.offered, f"{self.place}_")

    def pager(self, total: int, noun: str, *, capped_at: int | None = None) -> Slice:
        """Draw count and pager for *total* rows; return the slice to show."""
        return lists.pager(total, noun, capped_at=capped_at, prefix=f"{self.place}_")

    def active(self, key: str) -> bool | None:
        """Return what a filter over ACTIVE asks for; None for both."""
        found = self.chosen[key]
        return found[0] if len(found) == 1 else None


def toolbar(
    place: str, placeholder: str, offered: Sequence[Filter | Day], sorts: Mapping[Any, str] | None = None
) -> Wanted:
    """Draw search, filters and sort in one row, and what is active below.

    The keys in the address begin with *place*, as those of the filters must.
    """
    keys = [*(item.key for item in offered), *(f"{place}_{key}" for key in _PAGING)]
    lists.keep(keys, place)
    prefix = f"{place}_"
    with st.container(horizontal=True, vertical_alignment="center", key=f"{place}_toolbar"):
        with st.container(width=380):
            search = lists.search_box(placeholder, prefix)
        active = sum(bool(item.chosen) for item in offered)
        with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/filter_list:"):
            chosen = {item.key: item.draw() for item in offered}
        sort = None
        if sorts:
            sort = st.selectbox(
                "Sort",
                list(sorts),
                format_func=lambda value: sorts[value],
                key=f"{place}_sort",
                bind="query-params",
                on_change=lists.to_first_page,
                args=(prefix,),
                label_visibility="collapsed",
                width=170,
            )
        end = st.container(horizontal=True, vertical_alignment="center", width="content")
    lists.chips(offered, search, prefix)
    lists.remember(keys, place)
    return Wanted(" ".join(search.split()), chosen, sort, end, place, offered)


def counted(n: int, limit: int) -> str:
    """Return a count that goes no further than *limit*: `1,000+`."""
    return f"{n:,}" if n <= limit else f"{limit:,}+"


class Named(Protocol):
    """A row with a name, of a tenant."""

    @property
    def name(self) -> str: ...
    @property
    def tenant(self) -> str: ...


def of_tenant(row: Named, with_tenant: bool) -> str:
    """Return how the filters of the list call a thing: by name, over several tenants with its tenant."""
    return f"{row.name} · {row.tenant}" if with_tenant else row.name


def name_column(place: str, key: str, ids: Sequence[int], width: int | None = None) -> Any:
    """Return the column of the rows' names; a click opens the dialog of the row."""
    return st.column_config.ButtonColumn(
        "Name",
        type="tertiary",
        alignment="left",
        pinned=True,
        width=width,
        **click(key, ids, partial(open_row, place)),
    )


def numbers_column(key: str, names: Sequence[str], filter: str) -> Any:
    """Return a column of how many numbers a row has; a click lists them, by the *filter* set to the row's name."""
    return st.column_config.ButtonColumn(
        "Numbers",
        type="tertiary",
        alignment="right",
        width=90,
        help="Click to list them",
        **click(key, names, lambda name: navigation.open_numbers(**{filter: name})),
    )


def open_row(place: str, row_id: int) -> None:
    """Have the dialog of a row opened in the run that follows this click."""
    st.session_state[f"{place}_open"] = row_id


def opened(place: str) -> int | None:
    """Return the row whose dialog is to be opened in this run, once."""
    row_id: int | None = st.session_state.pop(f"{place}_open", None)
    return row_id
