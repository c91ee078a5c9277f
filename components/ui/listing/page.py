"""The page of a list: title, button to add, filters, the table over its pager or why it is empty, and dialogs."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import streamlit as st
from sqlmodel import Session

from components.ui import notices
from components.ui.dialogs import Dialog
from components.ui.listing.table import Column, table
from components.ui.listing.toolbar import Wanted, opened
from components.ui.page import empty_state, errors_shown, header
from components.ui.session import current_actor, reader_zone, rechecked
from db.base.scope import Slice
from services.core.access import Actor

Query = TypeVar("Query")
Row = TypeVar("Row", bound=Any)


def list_page(
    opener: Callable[[], AbstractContextManager[Session]],
    noun: str,
    *,
    title: str,
    told: str,
    none_yet: str,
    icon: str,
    toolbar: Callable[[], tuple[Query, Wanted]],
    count: Callable[[Session, Actor, Query], int],
    search: Callable[[Session, Actor, Query, Slice], Sequence[Row]],
    columns: Callable[[bool, ZoneInfo], Sequence[Column[Row]]],
    add: Callable[[Dialog], object] | None,
    edit: Callable[[Session, Dialog, int], None] | None = None,
    adds: str = "",
    add_icon: str = "add",
) -> None:
    """Draw the page of all rows of a *noun*, whose plural is the list's place.

    *columns* are asked whether rows of several tenants are shown. *add* opens the dialog that adds a row, if the reader
    may, from a button that names the *noun*, or what it *adds*; *edit* opens that of a row. *none_yet* says what to do
    while there are no rows at all.
    """
    actor, zone, place = current_actor(), reader_zone(), f"{noun}s"
    dialog = Dialog(actor, zone, rechecked(opener), place)

    def add_button(key: str) -> None:
        label = f"Add {adds or noun}"
        if add and st.button(label, type="primary", icon=f":material/{add_icon}:", key=key):
            add(dialog)

    with header(title, told):
        add_button("add")
    notices.show_kept(place)
    with errors_shown(), opener() as session:
        query, wanted = toolbar()

        def draw(part: Slice) -> None:
            rows, shown = search(session, actor, query, part), columns(actor.all_tenants, zone)
            key, prefix = f"{place}_table", wanted.prefix
            table(title, rows, shown, key=key, of=lambda row: row.id, sort=wanted.sort, prefix=prefix)

        listed(wanted, noun, count(session, actor, query), draw, none_yet, icon, add_button)
        row_id = opened(place)
        if edit and row_id is not None:
            edit(session, dialog, row_id)


def listed(
    wanted: Wanted,
    noun: str,
    total: int,
    draw: Callable[[Slice], None],
    none_yet: str,
    icon: str,
    add_button: Callable[[str], None],
    *,
    capped_at: int | None = None,
) -> None:
    """Have *draw* show the part of *total* rows that the pager below asks for, or say why there are none."""
    place = st.container()
    part = wanted.pager(total, noun, capped_at=capped_at)
    with place:
        if total:
            draw(part)
        elif wanted.is_all:
            with empty_state(none_yet, icon):
                add_button("add_first")
        else:
            with empty_state(f"No {noun}s match the search and filters.", "search_off"):
                wanted.clear_button()
