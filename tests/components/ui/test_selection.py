"""Rows that are ticked: held by what they are, whatever becomes of the table."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from components.ui import selection
from tests.pages.tab import buttons, press, table, texts, tick


def shown() -> None:
    import pandas as pd
    import streamlit as st

    from components.ui import selection

    held, rows = selection.held("ticked"), st.session_state.get("rows", ["a", "b", "c"])
    single = st.session_state.get("single", False)
    chosen = selection.table(
        held, rows, lambda row: row, pd.DataFrame({"row": rows}), key="grid", alt="Rows", single=single
    )
    fits = selection.bar(held, "ticked", str.upper, most=3)
    st.markdown(",".join(chosen))
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
    """Return the rows that the grid itself shows as ticked."""
    grid = table(tab, "grid")
    places = tab.session_state[grid.key]["selection"]["rows"]
    return [grid.value["row"][place] for place in places]


def test_other_rows_are_not_ticked_by_those_before_them(tab: AppTest) -> None:
    assert chosen(tick(tab, "grid", 1)) == "b"
    list_instead(tab, "x", "y", "z")
    assert (chosen(tab), ticked(tab)) == ("b", [])
    assert "1 selected, 1 of them not shown" in texts(tab, "caption")
    assert chosen(tick(tab, "grid", 2)) == "b,z"
    list_instead(tab, "c", "b", "z")
    assert (chosen(tab), ticked(tab)) == ("b,z", ["b", "z"])
    assert "2 selected" in texts(tab, "caption")


def test_a_row_that_is_gone_from_the_same_place_does_not_hand_its_tick_on(tab: AppTest) -> None:
    tick(tab, "grid", 0)
    list_instead(tab, "b", "c")
    assert (chosen(tab), ticked(tab)) == ("a", [])


def test_rows_in_another_order_keep_their_ticks(tab: AppTest) -> None:
    tick(tab, "grid", 0, 2)
    list_instead(tab, "c", "b", "a")
    assert (chosen(tab), ticked(tab)) == ("a,c", ["c", "a"])


def test_what_is_let_go_here_stays_let_go_there(tab: AppTest) -> None:
    tick(tab, "grid", 0, 1)
    assert chosen(tick(tab, "grid", 1)) == "b"
    list_instead(tab, "x")
    list_instead(tab, "a", "b", "c")
    assert (chosen(tab), ticked(tab)) == ("b", ["b"])


def test_everything_is_let_go_at_once_also_in_the_grid(tab: AppTest) -> None:
    tick(tab, "grid", 0, 1)
    press(tab, "Clear selection")
    assert (chosen(tab), ticked(tab)) == ("", [])
    assert "Clear selection" not in buttons(tab)
    assert tab.button[0].disabled
    assert chosen(tick(tab, "grid", 2)) == "c"


def test_where_one_is_chosen_it_is_one_of_those_shown(tab: AppTest) -> None:
    tab.session_state["single"] = True
    tab.run()
    assert chosen(tick(tab, "grid", 1)) == "b"
    assert chosen(list_instead(tab, "c", "b")) == "b"
    assert chosen(list_instead(tab, "x", "y")) == ""
    assert chosen(list_instead(tab, "c", "b")) == ""


def test_more_than_can_be_done_at_once_are_not_acted_on(tab: AppTest) -> None:
    tick(tab, "grid", 0, 1, 2)
    assert not tab.button[1].disabled
    tick(list_instead(tab, "d"), "grid", 0)
    assert "4 selected, 3 of them not shown, at most 3 at once" in texts(tab, "caption")
    assert tab.button[1].disabled


@pytest.mark.parametrize("other", [["a", "c", "b"], ["a", "b"], [], ["ab", "c"], [1, 2]])
def test_each_set_of_rows_has_a_grid_of_its_own(other: list[object]) -> None:
    assert selection.digest(["a", "b", "c"]) == selection.digest(("a", "b", "c"))
    assert selection.digest(other) != selection.digest(["a", "b", "c"])


def test_a_late_click_is_about_the_row_that_it_was_made_on() -> None:
    opened: list[str] = []
    before, after = (selection.click("opened", rows, opened.append) for rows in (["a", "b"], ["b", "c"]))
    assert before["key"] != after["key"]
    st.session_state[before["key"]] = {"row": 1}
    before["on_click"]()
    assert opened == ["b"]
