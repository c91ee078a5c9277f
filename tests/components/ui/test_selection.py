"""Rows that are ticked: held by what they are, whatever becomes of the table."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tab import buttons, listing, press, texts, tick


def shown() -> None:
    import streamlit as st

    from components.ui import selection
    from components.ui.listing.table import table, text

    held, rows = selection.held("ticked"), st.session_state.get("rows", ["a", "b", "c"])
    single = st.session_state.get("single", False)
    columns = [text("row", "Row", str)]
    table("Rows", rows, columns, key="rows_table", of=lambda row: row, selection=held, single=single)
    fits = selection.bar(held, "ticked", str.upper, most=3)
    st.markdown(",".join(str(row) for row in held.rows))
    st.button("Act", disabled=not fits)


@pytest.fixture
def tab() -> AppTest:
    return AppTest.from_function(shown).run()


def chosen(tab: AppTest) -> str:
    assert not tab.exception
    return str(tab.markdown[0].value)


def list_instead(tab: AppTest, *rows: str) -> AppTest:
    tab.session_state["rows"] = list(rows)
    return tab.run()


def ticked(tab: AppTest) -> list[str]:
    """Return the rows that the table itself shows as ticked."""
    return listing(tab, "Rows").selected or []


def test_other_rows_are_not_ticked_by_those_before_them(tab: AppTest) -> None:
    assert chosen(tick(tab, "Rows", 1)) == "b"
    list_instead(tab, "x", "y", "z")
    assert (chosen(tab), ticked(tab)) == ("b", [])
    assert "1 selected, 1 of them not shown" in texts(tab, "caption")
    assert chosen(tick(tab, "Rows", 2)) == "b,z"
    list_instead(tab, "c", "b", "z")
    assert (chosen(tab), ticked(tab)) == ("b,z", ["b", "z"])
    assert "2 selected" in texts(tab, "caption")


def test_a_row_that_is_gone_from_the_same_place_does_not_hand_its_tick_on(tab: AppTest) -> None:
    tick(tab, "Rows", 0)
    list_instead(tab, "b", "c")
    assert (chosen(tab), ticked(tab)) == ("a", [])


def test_rows_in_another_order_keep_their_ticks(tab: AppTest) -> None:
    tick(tab, "Rows", 0, 2)
    list_instead(tab, "c", "b", "a")
    assert (chosen(tab), ticked(tab)) == ("a,c", ["c", "a"])


def test_what_is_let_go_here_stays_let_go_there(tab: AppTest) -> None:
    tick(tab, "Rows", 0, 1)
    assert chosen(tick(tab, "Rows", 1)) == "b"
    list_instead(tab, "x")
    list_instead(tab, "a", "b", "c")
    assert (chosen(tab), ticked(tab)) == ("b", ["b"])


def test_everything_is_let_go_at_once_also_in_the_table(tab: AppTest) -> None:
    tick(tab, "Rows", 0, 1)
    press(tab, "Clear selection")
    assert (chosen(tab), ticked(tab)) == ("", [])
    assert "Clear selection" not in buttons(tab)
    assert tab.button[0].disabled
    assert chosen(tick(tab, "Rows", 2)) == "c"


def test_where_one_is_chosen_it_is_one_of_those_shown(tab: AppTest) -> None:
    tab.session_state["single"] = True
    tab.run()
    assert chosen(tick(tab, "Rows", 1)) == "b"
    assert chosen(list_instead(tab, "c", "b")) == "b"
    assert chosen(list_instead(tab, "x", "y")) == ""
    assert chosen(list_instead(tab, "c", "b")) == ""


def test_more_than_can_be_done_at_once_are_not_acted_on(tab: AppTest) -> None:
    tick(tab, "Rows", 0, 1, 2)
    assert not tab.button[1].disabled
    tick(list_instead(tab, "d"), "Rows", 0)
    assert "4 selected, 3 of them not shown, at most 3 at once" in texts(tab, "caption")
    assert tab.button[1].disabled
