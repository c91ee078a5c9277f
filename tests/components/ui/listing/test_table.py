"""The table of a list: what its browser is told, and what becomes of what it says."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.pages.tab import Listing, act, listings, sort, tell, texts


def shown() -> None:
    import streamlit as st

    from components.ui import selection
    from components.ui.listing.table import Column, badges, link, table, text

    state = st.session_state
    state.setdefault("sort", "newest")
    held = selection.held("held")
    if st.button("Clear"):
        held.clear()
    columns: list[Column[dict[str, str]]] = [
        link(
            "name",
            "Name",
            lambda row: row["name"],
            lambda row: state.update(opened=row["id"]),
            address=lambda row: f"/thing?id={row['id']}&tenant=1",
            sorts={"newest": "descending", "oldest": "ascending"},
        ),
        text("note", "Note", lambda row: row["note"], sorts={"note": "ascending"}),
        badges("status", "Status", lambda row: ["Active"], {"Active": "green"}),
    ]
    rows = state.get("rows") or [{"id": n, "name": f"Thing {n}", "note": "<b>"} for n in (7, 8, 9)]
    table("Things", rows, columns, key="things", of=lambda row: row["id"], sort=state["sort"], selection=held)
    st.markdown(",".join(str(one) for one in held.rows))


@pytest.fixture
def tab() -> AppTest:
    return AppTest.from_function(shown).run()


def list_instead(tab: AppTest, *ids: int) -> Listing:
    tab.session_state["rows"] = [{"id": n, "name": f"Thing {n}", "note": ""} for n in ids]
    tab.run()
    return listings(tab)[0]


def tick(tab: AppTest, shown: list[int], on: list[int], turn: int = 1) -> None:
    tell(tab, 0, state={"ticked": {"shown": shown, "on": on, "turn": turn}})
    assert not tab.exception


def held(tab: AppTest) -> str:
    return texts(tab, "markdown")[0]


def test_columns_are_sent_as_arrays_and_addresses_without_what_they_share(tab: AppTest) -> None:
    told: dict[str, Any] = json.loads(tab.get("bidi_component")[0].proto.json)
    assert told["ids"] == [7, 8, 9]
    name = told["columns"][0]
    assert name["cells"] == ["Thing 7", "Thing 8", "Thing 9"]
    assert (name["base"], name["hrefs"]) == ("/thing?id=", ["7&tenant=1", "8&tenant=1", "9&tenant=1"])


def test_the_script_is_not_sent_with_the_rows(tab: AppTest) -> None:
    proto = tab.get("bidi_component")[0].proto
    assert not proto.js_content
    assert proto.js_source_path == "listing.js"


def test_a_click_acts_on_its_row_and_a_late_one_on_none(tab: AppTest) -> None:
    assert act(tab, "name", 1).session_state["opened"] == 8
    tab.session_state["opened"] = None
    late = [{"event": "act", "value": ["name", 99]}]
    assert tell(tab, 0, events=late).session_state["opened"] is None
    assert not tab.exception


def test_a_click_on_a_header_sorts_and_another_one_turns_the_order(tab: AppTest) -> None:
    assert listings(tab)[0].sorts == {"name": "descending", "note": ""}
    tab.session_state["page"] = 4
    assert listings(sort(tab, "name"))[0].sorts == {"name": "ascending", "note": ""}
    assert tab.session_state["page"] == 1
    assert listings(sort(tab, "note"))[0].sorts == {"name": "", "note": "ascending"}
    assert listings(sort(tab, "name"))[0].sorts["name"] == "descending"


def test_what_is_ticked_is_held_while_other_rows_are_shown(tab: AppTest) -> None:
    tick(tab, [7, 8, 9], [8])
    assert held(tab) == "8"
    assert listings(tab)[0].selected == [8]
    assert list_instead(tab, 1, 2).selected == []
    tick(tab, [1, 2], [2], turn=2)
    assert held(tab) == "8,2"
    assert list_instead(tab, 2, 8).selected == [2, 8]
    tick(tab, [2, 8], [2], turn=3)
    assert held(tab) == "2"


def test_a_row_that_was_never_shown_is_not_ticked(tab: AppTest) -> None:
    tick(tab, [7, 8, 9], [7, 12345])
    assert held(tab) == "7"


def test_the_same_tick_counts_again_after_all_was_let_go(tab: AppTest) -> None:
    tick(tab, [7, 8, 9], [8])
    tab.button[0].click().run()
    assert listings(tab)[0].selected == []
    tick(tab, [7, 8, 9], [8], turn=2)
    assert held(tab) == "8"
