"""The list: few queries, and an address that anybody may have written."""

import json
from typing import Any

import pytest
import sqlalchemy as sa

from db.numbers.matching import Sort
from services.people.sign_in import ALL_TENANTS
from tests.analysis.statements import queries_of
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, listed, listings, press, signed_in, sort, tables, texts, visit

MOST_QUERIES = 5
NONSENSE: tuple[dict[str, Any], ...] = (
    {"page": "abc", "per_page": "abc", "sort": "sideways"},
    {"page": "-1", "per_page": "-5"},
    {"page": "0", "per_page": "0"},
    {"page": "1.5", "per_page": "25.0"},
    {"per_page": "1000000"},
    {"status": "nonsense", "type": "nonsense", "country": "ZZ", "provider": "' OR 1=1 --"},
    {"connection": "99999999999999999999", "agent": "Nobody", "managed": "perhaps", "tag": "no such tag"},
    {"status": ["nonsense", "nonsense"], "page": ["1", "2"]},
    {"window": "999", "id": "abc", "unheard_of": "1"},
)
SEARCHES = ("x" * 5000, "\x00", "%", "_", "'; DROP TABLE phone_number; --", "+", "٤١٥", "🙂")


def test_a_warm_rerun_asks_the_database_at_most_five_times(
    database: sa.Engine, world: World, stock: Stock, subtests: pytest.Subtests
) -> None:
    for username, works_in in (("operator", None), ("superadmin", world.tenant), ("superadmin", ALL_TENANTS)):
        with subtests.test(username, works_in=works_in):
            tab = signed_in(username, works_in)
            assert tables(tab)
            with queries_of(database) as seen:
                tab.run()
            assert any("phone_number" in statement for statement in seen)
            assert len(seen) <= MOST_QUERIES, "\n".join(seen)


def test_a_search_asks_no_more_than_a_list(database: sa.Engine, world: World, stock: Stock) -> None:
    tab = signed_in("operator", search="Sales")
    with queries_of(database) as seen:
        tab.run()
    assert listed(tab) == ["+1 415 555 2671"]
    assert len(seen) <= MOST_QUERIES, "\n".join(seen)


def test_each_tenant_lists_its_own_and_a_superadmin_all(world: World, stock: Stock) -> None:
    own = ["+91 98765 43210", "+1 212 555 2368", "+1 415 555 2671"]
    assert listed(signed_in("operator")) == own
    assert listed(signed_in("stranger")) == ["+1 305 555 2671"]
    everywhere = signed_in("superadmin", ALL_TENANTS)
    assert listed(everywhere) == ["+1 305 555 2671", *own]
    assert listed(everywhere, "tenant") == ["Other", "Acme", "Acme", "Acme"]


def test_nonsense_in_the_address_lists_what_the_defaults_list(
    world: World, stock: Stock, subtests: pytest.Subtests
) -> None:
    for address in NONSENSE:
        with subtests.test("&".join(address)):
            tab = signed_in("operator", **address)
            assert not tab.exception
            assert len(listed(tab)) == 3
            assert tab.selectbox(key="per_page").value == 25


def test_a_page_beyond_the_end_says_so_and_shows_the_last_one(world: World, stock: Stock) -> None:
    for page in ("2", "99999", "9" * 20, "1" * 60, "²", "٢", "0", "-1", "+1", "1.5", "x"):
        tab = signed_in("operator", page=page)
        assert not tab.exception
        assert len(listed(tab)) == 3
        assert any("There is no page" in text and "this is page 1 of 1" in text for text in texts(tab, "caption"))


def test_any_search_is_answered(world: World, stock: Stock, subtests: pytest.Subtests) -> None:
    for search in SEARCHES:
        with subtests.test(search[:20]):
            tab = signed_in("operator", search=search)
            assert not tab.exception
            assert not texts(tab, "error")
            assert tables(tab) or "Clear filters" in buttons(tab)


def test_a_search_that_finds_nothing_offers_to_clear_it(world: World, stock: Stock) -> None:
    tab = signed_in("operator", search="no such label")
    assert not tables(tab)
    assert any("No numbers match the search and filters." in text for text in texts(tab, "markdown"))
    tab.button(key="empty_clear").click().run()
    assert len(listed(tab)) == 3
    assert tab.text_input(key="search").value == ""


def test_filters_narrow_the_list_and_their_chips_widen_it(world: World, stock: Stock) -> None:
    tab = signed_in("operator", provider="mCube")
    assert listed(tab, "name") == ["Mumbai"]
    press(tab, "Provider: mCube")
    assert len(listed(tab)) == 3
    tab.multiselect(key="country").set_value(["US"]).run()
    assert sorted(listed(tab, "name")) == ["Sales", "Support"]
    tab.multiselect(key="provider").set_value(["mcube"]).run()
    assert not tables(tab)
    tab.button(key="chip_clear").click().run()
    assert len(listed(tab)) == 3


def test_the_add_button_leads_to_the_wizard(world: World, stock: Stock) -> None:
    tab = press(signed_in("operator"), "Add number")
    assert not tab.exception
    assert tab.title[0].value == "Add phone number"
    assert tab.query_params == {}


def test_the_list_comes_back_as_it_was_left(world: World, stock: Stock) -> None:
    tab = signed_in("operator", search="Sales")
    visit(tab, "number.py", id=str(stock.sales))
    visit(tab, "numbers.py")
    assert not tab.exception
    assert listed(tab, "name") == ["Sales"]


def test_a_click_on_a_header_sorts_by_the_address_from_the_first_page(world: World, stock: Stock) -> None:
    tab = signed_in("operator", sort="By name")
    assert listings(tab)[0].sorts == {"number": "", "name": "ascending", "created": ""}
    sort(tab, "number")
    assert listed(tab) == ["+1 212 555 2368", "+1 415 555 2671", "+91 98765 43210"]
    assert tab.selectbox(key="sort").value == Sort.NUMBER
    newest = listed(sort(tab, "created"))
    assert listed(sort(tab, "created")) == newest[::-1]


def test_a_managed_number_has_a_second_badge_as_an_outline(world: World, stock: Stock) -> None:
    told = json.loads(signed_in("operator").get("bidi_component")[0].proto.json)
    (status,) = [column for column in told["columns"] if column["key"] == "status"]
    assert status["colors"]["Active"] == "green"
    assert status["colors"]["Twilio"] == "outline"
