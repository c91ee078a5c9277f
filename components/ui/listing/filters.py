"""Filters that live in the URL, and chips that remove them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import streamlit as st

from components.ui.markdown import plain

EARLIEST, LATEST = date(2000, 1, 1), date(2100, 12, 31)


@dataclass(frozen=True)
class Filter:
    """A multi-select filter stored in the URL under `key`; `words` are its labels."""

    key: str
    label: str
    words: Mapping[Any, str]

    @property
    def chosen(self) -> list[Any]:
        """The selected values."""
        return list(st.session_state.get(self.key) or [])

    @property
    def has_choice(self) -> bool:
        """Whether there is something to choose, or something is chosen by the address."""
        return len(self.words) > 1 or self.key in st.query_params

    @property
    def is_on(self) -> bool:
        """Whether something is chosen, or will be by the address, once the filter is drawn."""
        if self.key in st.session_state:
            return bool(self.chosen)
        return not set(self.words.values()).isdisjoint(st.query_params.get_all(self.key))

    def draw(self, prefix: str) -> list[Any]:
        """Draw the filter; return the selection."""
        chosen: list[Any] = st.multiselect(
            plain(self.label),
            list(self.words),
            format_func=lambda value: self.words.get(value, str(value)),
            key=self.key,
            bind="query-params",
            on_change=partial(to_first_page, prefix),
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
    has_choice = True

    @property
    def chosen(self) -> list[date]:
        """The day chosen now, or none."""
        found = st.session_state.get(self.key)
        return [found] if found else []

    @property
    def is_on(self) -> bool:
        """Whether a day is chosen, or will be by the address, once it is drawn."""
        return bool(self.chosen) if self.key in st.session_state else bool(st.query_params.get(self.key))

    @property
    def words(self) -> Mapping[date, str]:
        """The day chosen now, as it is written."""
        return {day: f"{day:%-d %b %Y}" for day in self.chosen}

    def draw(self, prefix: str) -> list[date]:
        """Draw the choice of the day; return what is chosen."""
        st.date_input(
            plain(self.label),
            value=None,
            min_value=EARLIEST,
            max_value=LATEST,
            key=self.key,
            bind="query-params",
            on_change=partial(to_first_page, prefix),
            format="YYYY-MM-DD",
        )
        return self.chosen

    def drop(self, _value: date) -> None:
        """Clear the day."""
        self.clear()

    def clear(self) -> None:
        """Clear the day."""
        st.session_state[self.key] = None


def to_first_page(prefix: str) -> None:
    """Go back to page 1 of the list whose keys begin with *prefix*, because the list has changed."""
    st.session_state[f"{prefix}page"] = 1


def chips(filters: Sequence[Filter | Day], search: str, prefix: str) -> None:
    """Draw the active filters; a click removes one."""
    active = [(item, value) for item in filters for value in item.chosen if value in item.words]
    if not active and not search:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if search:
            _chip(f"Search: {search}", "search", partial(clear, (), prefix))
        for item, value in active:
            _chip(f"{item.label}: {item.words[value]}", f"{item.key}_{value}", partial(_drop, item, value, prefix))
        st.button("Clear filters", key="chip_clear", type="tertiary", on_click=clear, args=(filters, prefix))


def clear(filters: Sequence[Filter | Day], prefix: str) -> None:
    """Choose nothing in *filters*, and search for nothing."""
    st.session_state[f"{prefix}search"] = ""
    for item in filters:
        item.clear()
    to_first_page(prefix)


def _chip(text: str, key: str, remove: Callable[[], None]) -> None:
    st.button(
        plain(text),
        key=f"chip_{key}",
        icon=":material/close:",
        icon_position="right",
        on_click=remove,
        help="Remove this filter",
    )


def _drop(item: Filter | Day, value: Any, prefix: str) -> None:
    item.drop(value)
    to_first_page(prefix)
