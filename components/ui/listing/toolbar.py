"""What stands around the table of a list: search, filters, sort and pager, all in the address."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import streamlit as st

from components.ui.listing.filters import Day, Filter, chips, clear, to_first_page
from components.ui.markdown import plain
from components.ui.streamlit_internals import DeltaGenerator
from db.base.scope import Slice
from services.core import validation
from services.text.labels import amount

PAGE_SIZES = (25, 50, 100)
Order = TypeVar("Order")
ACTIVE = {True: "Active", False: "Inactive"}
_PAGING = ("search", "sort", "page", "per_page")


@dataclass(frozen=True)
class Wanted:
    """What the toolbar asks for: the typed text, what is chosen in each filter, the order, and the row's end."""

    text: str
    chosen: Mapping[str, Sequence[Any]]
    sort: Any
    end: DeltaGenerator
    prefix: str
    filters: Sequence[Filter | Day]

    @property
    def is_all(self) -> bool:
        """Whether nothing is filtered."""
        return not self.text and not any(self.chosen.values())

    def clear_button(self) -> None:
        """Draw the button that clears the filters of an empty list."""
        st.button(
            "Clear filters",
            key="empty_clear",
            icon=":material/filter_alt_off:",
            on_click=clear,
            args=(self.filters, self.prefix),
        )

    def pager(self, total: int, noun: str, *, capped_at: int | None = None) -> Slice:
        """Draw count and pager for *total* rows; return the slice to show."""
        return pager(total, noun, capped_at=capped_at, prefix=self.prefix)

    def active(self, key: str) -> bool | None:
        """Return what a filter over ACTIVE asks for; None for both."""
        found = self.chosen[key]
        return found[0] if len(found) == 1 else None


def toolbar(
    place: str,
    placeholder: str,
    filters: Sequence[Filter | Day],
    sorts: Mapping[Any, str] | None = None,
    *,
    prefix: str | None = None,
    lead: Callable[[], None] | None = None,
    lead_keys: Sequence[str] = (),
) -> Wanted:
    """Draw search, filters and sort in one row, and what is active below.

    The keys in the address begin with *prefix*, else with *place*, as those of the filters must, so that no list reads
    what was chosen in another one. *lead* draws what stands first in the row, with *lead_keys* in the address.
    """
    prefix = f"{place}_" if prefix is None else prefix
    keys = [*(item.key for item in filters), *(f"{prefix}{key}" for key in _PAGING), *lead_keys]
    keep(keys, place)
    with st.container(horizontal=True, vertical_alignment="center", key=f"{place}_toolbar"):
        if lead is not None:
            lead()
        with st.container(width=300 if lead else 380):
            search = search_box(placeholder, prefix)
        active = sum(item.is_on for item in filters)
        with st.popover(f"Filters · {active}" if active else "Filters", icon=":material/filter_list:"):
            chosen = _in_two_columns(filters, prefix)
        sort = None
        if sorts:
            sort = sort_box(sorts, prefix)
        end = st.container(horizontal=True, vertical_alignment="center", width="content")
    chips(filters, search, prefix)
    remember(keys, place)
    return Wanted(" ".join(search.split()), chosen, sort, end, prefix, filters)


def search_box(placeholder: str, prefix: str) -> str:
    """Draw the search box; return what was typed."""
    typed = st.text_input(
        "Search",
        key=f"{prefix}search",
        type="search",
        placeholder=placeholder,
        label_visibility="collapsed",
        bind="query-params",
        on_change=partial(to_first_page, prefix),
        max_chars=100,
    )
    return "".join(c for c in typed or "" if c.isprintable())


def sort_box(sorts: Mapping[Order, str], prefix: str) -> Order:
    """Draw the choice of an order; return it."""
    return st.selectbox(
        "Sort",
        list(sorts),
        format_func=lambda value: sorts[value],
        key=f"{prefix}sort",
        bind="query-params",
        on_change=to_first_page,
        args=(prefix,),
        label_visibility="collapsed",
        width=170,
    )


def pager(total: int, noun: str, *, capped_at: int | None = None, prefix: str) -> Slice:
    """Draw count and pager for *total* rows; return the slice to show.

    Call it before loading the rows. A *total* over *capped_at* reads as `1,000+`.
    """
    shown = min(total, capped_at) if capped_at else total
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"{prefix}pager"
    ):
        words = st.empty()
        asked = st.query_params.get(f"{prefix}page", "")
        sizes = st.container(horizontal=True, vertical_alignment="center", width="content")
        with sizes:
            place = st.container(width=400, horizontal_alignment="right")
            size = st.selectbox(
                "Rows per page",
                PAGE_SIZES,
                key=f"{prefix}per_page",
                bind="query-params",
                format_func=str,
                label_visibility="collapsed",
                on_change=partial(to_first_page, prefix),
                width=90,
            )
        pages = max(1, -(-shown // size))
        with place:
            page = st.pagination(pages, key=f"{prefix}page", bind="query-params") if pages > 1 else 1
        part = Slice(page, size)
        first, last = part.offset + 1, min(part.offset + size, shown)
        text = plain(amount(shown, noun) if shown == total else f"{shown:,}+ {noun}s")
        words.caption(f"{first:,}–{last:,} of {text}" if pages > 1 else text)
    wanted = validation.as_whole(asked)
    if asked and not (wanted is not None and 0 < wanted <= pages):
        which = "like that" if wanted is None else f"{wanted:,}"
        st.caption(f":material/info: There is no page {which}; this is page {page:,} of {pages:,}.")
    return part


def keep(keys: Sequence[str], place: str) -> None:
    """Restore a list's filters when the reader returns to it in this tab.

    Streamlit drops them from the history entry that browser-back returns to; the address always wins.
    """
    state = st.session_state
    saved, entering = state.get(f"{place}_kept"), state.get("entered_page")
    present = [key for key in keys if key in st.query_params]
    if entering and present:  # a link with filters shows only those
        for key in keys:
            if key not in present:
                state.pop(key, None)
    elif entering and saved:
        state[f"{place}_restore"] = saved
        state[f"{place}_kept"] = None
        if "id" in st.query_params:
            del st.query_params["id"]
        st.rerun()  # a value set in the same run as a history step would lose against the address
    for key, value in (state.pop(f"{place}_restore", None) or {}).items():
        state[key] = value


def remember(keys: Sequence[str], place: str) -> None:
    """Remember the filters as they are now, for `keep`. Call it once they are drawn."""
    st.session_state[f"{place}_kept"] = {key: st.session_state[key] for key in keys if st.session_state.get(key)}


def _in_two_columns(filters: Sequence[Filter | Day], prefix: str) -> dict[str, list[Any]]:
    """Draw the filters that have a choice, half of them in each column; return what is chosen in all."""
    shown = [item for item in filters if item.has_choice]
    chosen: dict[str, list[Any]] = {item.key: [] for item in filters}
    columns = st.columns(2 if len(shown) > 3 else 1)
    for at, item in enumerate(shown):
        with columns[at * len(columns) // len(shown)]:
            chosen[item.key] = item.draw(prefix)
    return chosen


class Named(Protocol):
    """A row with a name, of a tenant."""

    @property
    def name(self) -> str: ...
    @property
    def tenant(self) -> str: ...


def of_tenant(row: Named, with_tenant: bool) -> str:
    """Return how the filters of the list call a thing: by name, over several tenants with its tenant."""
    return f"{row.name} · {row.tenant}" if with_tenant else row.name


def open_row(place: str, row_id: int) -> None:
    """Have the dialog of a row opened in the run that follows this click."""
    st.session_state[f"{place}_open"] = row_id


def opened(place: str) -> int | None:
    """Return the row whose dialog is to be opened in this run, once."""
    row_id: int | None = st.session_state.pop(f"{place}_open", None)
    return row_id
