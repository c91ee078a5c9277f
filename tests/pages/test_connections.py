"""Connections, agents and campaigns as pages: who is offered what, and lists that do not mix."""

import pytest
import streamlit as st
from sqlmodel import Session

from services.campaigns import campaigns
from services.connections import connections
from services.people.sign_in import ALL_TENANTS
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import act, buttons, links, listed, listings, signed_in, tables, texts, visit

ADD = {"connections.py": "Add connection", "agents.py": "Add agent", "campaigns.py": "Add campaign"}
MAY_ADD = {
    "admin": set(ADD.values()),
    "operator": {"Add agent", "Add campaign"},
    "viewer": set(),
}


@pytest.mark.parametrize("username", MAY_ADD)
def test_each_role_is_offered_what_it_may(username: str, world: World, stock: Stock) -> None:
    tab = signed_in(username)
    for page, label in ADD.items():
        visit(tab, page)
        assert (label in buttons(tab)) == (label in MAY_ADD[username]), page
    visit(tab, "campaign.py", id=str(stock.campaign))
    assert ("Edit campaign" in buttons(tab)) == (username != "viewer")


def test_in_all_tenants_nothing_is_added_and_tenants_are_named(world: World, stock: Stock) -> None:
    tab = signed_in("superadmin", ALL_TENANTS)
    for page, label in ADD.items():
        visit(tab, page)
        assert label not in buttons(tab)
        assert "Acme" in listed(tab, "tenant")


def test_each_tenant_lists_its_own(world: World, stock: Stock) -> None:
    tab = visit(signed_in("stranger"), "connections.py")
    assert listed(tab, "name") == ["Other SIP"]
    assert listed(visit(tab, "agents.py"), "name") == ["Zoe"]
    assert not tables(visit(tab, "campaigns.py"))


def test_another_tenants_campaign_is_not_available(world: World, stock: Stock) -> None:
    for campaign in (str(stock.campaign), "4711", "", "abc"):
        tab = visit(signed_in("stranger"), "campaign.py", id=campaign)
        assert not tab.exception
        assert texts(tab, "warning") == ["Resource not available"]


def test_lists_do_not_read_each_others_filters(world: World, stock: Stock) -> None:
    tab = signed_in("operator", search="Sales")
    assert listed(tab) == ["+1 415 555 2671"]
    visit(tab, "agents.py")
    assert listed(tab, "name") == ["Leo", "Maya", "Rita"]
    tab.text_input(key="agents_search").set_value("Leo").run()
    assert listed(tab, "name") == ["Leo"]
    visit(tab, "connections.py")
    assert len(listed(tab, "name")) == 5
    tab.multiselect(key="connections_status").set_value([False]).run()
    assert listed(tab, "name") == ["Retired"]
    visit(tab, "campaigns.py")
    assert listed(tab, "name") == ["Renewals"]
    assert listed(visit(tab, "agents.py"), "name") == ["Leo"]
    assert listed(visit(tab, "numbers.py")) == ["+1 415 555 2671"]


def test_a_search_that_finds_nothing_offers_to_clear_it(world: World, stock: Stock) -> None:
    for page in ADD:
        place = page.removesuffix(".py")
        tab = visit(signed_in("operator"), page, **{f"{place}_search": "no such name"})
        assert not tables(tab)
        tab.button(key="empty_clear").click().run()
        assert tables(tab)


def test_a_campaigns_pool_shows_its_numbers(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("viewer"), "campaign.py", id=str(stock.campaign))
    assert any("No numbers in the pool yet." in text for text in texts(tab, "markdown"))
    campaigns.add_numbers(session, world.operator, stock.campaign, [stock.sales], version=1)
    st.cache_data.clear()
    tab.run()
    assert listed(tab) == ["+1 415 555 2671"]
    assert listed(tab, "rate") == ["—"]
    assert "edit" not in listings(tab)[0].columns
    assert "edit" in listings(visit(signed_in("operator"), "campaign.py", id=str(stock.campaign)))[0].columns


def test_the_wizard_without_twilio_leads_admins_to_the_connections(session: Session, world: World) -> None:
    connections.set_active(session, world.admin, world.twilio, False, version=1)
    for username, led in (("admin", True), ("operator", False)):
        tab = visit(signed_in(username), "add_number.py")
        assert any("add a Twilio telephony connection first" in text for text in texts(tab, "caption"))
        assert ("Telephony connections" in links(tab)) == led


def test_a_click_on_a_name_opens_the_dialog_of_that_row(world: World, stock: Stock) -> None:
    tab = visit(signed_in("operator"), "agents.py")
    place = listed(tab, "name").index("Maya")
    act(tab, "name", place)
    assert not tab.exception
    assert [field.value for field in tab.text_input if field.label == "Name"] == ["Maya"]
