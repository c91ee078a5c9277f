"""What every list has: filters that live in the URL, chips that remove them, and a pager."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from components.ui import navigation
from components.ui.markdown import plain
from components.ui.selection import click
from db.base.scope import Slice
from services.core import validation
from services.text import exports
from services.text.labels import amount

PAGE_SIZES = (25, 50, 100)
EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Filter:
    """A multi-select filter stored in the URL under `key`; `words` are its labels.

    Lists other than that of numbers have a *prefix* for their keys, so that no list reads another's filters.
    """

    key: str
    label: str
    words: Mapping[Any, str]
    prefix: str = ""

    @property
    def chosen(self) -> list[Any]:
        """The selected values."""
        return list(st.session_state.get(self.key) or [])

    def draw(self) -> list[Any]:
        """Draw the filter if there is something to choose; return the selection."""
        if len(self.words) < 2 and self.key not in st.query_params:
            return []
        chosen: list[Any] = st.multiselect(
            plain(self.label),
            list(self.words),
            format_func=lambda value: self.words.get(value, str(value)),
            key=self.key,
            bind="query-params",
            on_change=partial(to_first_page, self.prefix),
            placeholder="Any",
        )
        return chosen

    def drop(self, value: Any) -> None:
        """Deselect *value*."""
        st.session_state[self.key] = [other for other in self.chosen if other != value]

    def clear(self) -> None:
        """Deselect everything."""
        st.session_state[self.key] = []


@dataclass(frozen=True)
class Day:
    """A day that bounds what is listed; it lives in the URL under `key`, and beside filters in their chips."""

    key: str
    label: str
    prefix: str = ""

    @property
    def chosen(self) -> list[date]:
        """The day chosen now, or none."""
        found = st.session_state.get(self.key)
        return [found] if found else []

    @property
    def words(self) -> Mapping[date, str]:
        """The day chosen now, as it is written."""
        return {day: f"{day:%-d %b %Y}" for day in self.chosen}

    def draw(self) -> list[date]:
        """Draw the choice of the day; return what is chosen."""
        st.date_input(
            plain(self.label),
            value=None,
            min_value=EARLIEST,
            max_value=LATEST,
            key=self.key,
            bind="query-params",
            on_change=partial(to_first_page, self.prefix),
            format="YYYY-MM-DD",
        )
        return self.chosen

    def drop(self, _value: date) -> None:
        """Clear the day."""
        self.clear()

    def clear(self) -> None:
        """Clear the day."""
        st.session_state[self.key] = None


def to_first_page(prefix: str = "") -> None:
    """Go back to page 1 because the list has changed."""
    st.session_state[f"{prefix}page"] = 1


def search_box(placeholder: str, prefix: str = "") -> str:
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


def chips(filters: Sequence[Filter | Day], search: str, prefix: str = "") -> None:
    """Draw the active filters; a click removes one."""
    active = [(item, value) for item in filters for value in item.chosen if value in item.words]
    if not active and not search:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if search:
            _chip(f"Search: {search}", "search", lambda: _clear((), prefix))
        for item, value in active:
            _chip(f"{item.label}: {item.words[value]}", f"{item.key}_{value}", partial(_drop, item, value))
        st.button("Clear filters", key="chip_clear", type="tertiary", on_click=lambda: _clear(filters, prefix))


def clear_filters_button(filters: Sequence[Filter | Day], prefix: str = "") -> None:
    """Draw the button that clears the filters of an empty list."""
    st.button(
        "Clear filters",
        key="empty_clear",
        icon=":material/filter_alt_off:",
        on_click=lambda: _clear(filters, prefix),
    )


def pager(total: int, noun: str, *, capped_at: int | None = None, prefix: str = "") -> Slice:
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


def downloads(file: Callable[[exports.Writer], bytes], name: str, total: str) -> None:
    """Draw the downloads of what the filters match; each file is made when it is asked for."""
    download(file, name, f"Everything that matches: {total}.")


def download(file: Callable[[exports.Writer], bytes], name: str, caption: str, label: str = "Download") -> None:
    """Draw a menu of the formats in which a file can be taken away; it is made when it is asked for."""
    with st.popover(label, icon=":material/download:"):
        st.caption(caption)
        st.download_button(
            "CSV",
            lambda: file(exports.text),
            f"{name}.csv",
            "text/csv",
            icon=":material/csv:",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "Excel",
            lambda: file(exports.workbook),
            f"{name}.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            icon=":material/table:",
            on_click="ignore",
            width="stretch",
        )


def number_column(key: str, ids: Sequence[int | None], *, campaign_id: int | None = None) -> Any:
    """Return a column of numbers; a click opens the number of the row in this tab, where it has an id."""

    def open_it(number_id: int | None) -> None:
        if number_id is not None:
            navigation.open_number(number_id, campaign_id=campaign_id)

    return st.column_config.ButtonColumn(
        "Number", type="tertiary", alignment="left", width=145, pinned=True, **click(key, ids, open_it)
    )


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


def _chip(text: str, key: str, remove: Callable[[], None]) -> None:
    st.button(
        plain(text),
        key=f"chip_{key}",
        icon=":material/close:",
        icon_position="right",
        on_click=remove,
        help="Remove this filter",
    )


def _drop(item: Filter | Day, value: Any) -> None:
    item.drop(value)
    to_first_page(item.prefix)


def _clear(filters: Sequence[Filter | Day], prefix: str) -> None:
    st.session_state[f"{prefix}search"] = ""
    for item in filters:
        item.clear()
    to_first_page(prefix)
