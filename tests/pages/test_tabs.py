"""A tab belongs to one tenant until its reader changes it: in its address, its links, and in what it writes."""

import itertools
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from db.models import Membership, Role
from services.numbers import numbers
from services.people import sign_in
from services.people.sign_in import ALL_TENANTS
from services.setup import commands
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import PAGES, buttons, listed, listings, press, save, signed_in, texts, visit

SELECT = "Select a tenant to view and manage phone numbers."
GONE = "This tab has switched to another tenant since this page was loaded. Nothing was saved."
DROPPED = "This tab switched to another tenant, so your input was cleared. Start again."
ROOT = Path(__file__).parents[2]


def address(tab: AppTest) -> list[str]:
    """Return what the address of the tab says about its tenant."""
    found = tab.query_params.get("tenant", [])
    return [found] if isinstance(found, str) else list(found)


def choose(tab: AppTest, tenant: int) -> AppTest:
    return tab.selectbox(key="tenant_selector").set_value(tenant).run()


@pytest.fixture
def partner(session: Session, world: World) -> str:
    """Somebody who may write in both tenants."""
    membership = session.get_one(Membership, (world.nowhere.user_id, world.other_tenant))
    membership.role = Role.OPERATOR
    session.commit()
    return "both"


def test_who_has_several_tenants_chooses_first(world: World, stock: Stock) -> None:
    tab = signed_in("both")
    assert texts(tab, "info") == [SELECT]
    assert not address(tab)
    choose(tab, world.tenant)
    assert len(listed(tab)) == 3
    assert address(tab) == [str(world.tenant)]


def test_the_address_says_the_tenant_where_one_can_choose(world: World, stock: Stock) -> None:
    assert address(choose(signed_in("superadmin"), ALL_TENANTS)) == ["all"]
    assert address(choose(signed_in("superadmin"), world.tenant)) == [str(world.tenant)]
    assert not address(signed_in("operator"))


@pytest.mark.parametrize("word", ["1" * 5000, "1" * 25, "2147483648", "0", "-1", "٣", "1.0", "all "])
def test_a_tenant_that_cannot_be_is_answered_as_one_that_is_not_there(word: str, world: World, stock: Stock) -> None:
    tab = signed_in("both", tenant=word)
    assert not tab.exception
    assert texts(tab, "warning") == ["Resource not available"]


def test_a_choice_in_another_tab_moves_no_tab(session: Session, world: World, stock: Stock, partner: str) -> None:
    undecided = signed_in(partner)
    here = visit(choose(signed_in(partner), world.tenant), "number.py", id=str(stock.sales))
    choose(signed_in(partner), world.other_tenant)
    assert texts(undecided.run(), "info") == [SELECT]
    here.text_input(key="number_label").set_value("Saved where it was shown")
    save(here, "label")
    assert not texts(here, "warning", "error")
    assert address(here) == [str(world.tenant)]
    session.rollback()
    assert numbers.get(session, world.admin, stock.sales).label == "Saved where it was shown"
    assert address(signed_in(partner)) == [str(world.other_tenant)]  # a new tab begins where the last choice was


def test_a_click_on_what_was_shown_of_the_former_tenant_saves_nothing(
    session: Session, world: World, stock: Stock, partner: str
) -> None:
    tab = visit(choose(signed_in(partner), world.tenant), "number.py", id=str(stock.sales))
    tab.text_input(key="number_label").set_value("Too late")
    tab.query_params["tenant"] = str(world.other_tenant)  # as the step back into the other tenant does
    save(tab, "label")
    assert not tab.exception
    assert GONE in texts(tab, "error") or texts(tab, "warning") == ["Resource not available"]
    session.rollback()
    assert numbers.get(session, world.admin, stock.sales).label == "Sales"


def test_the_page_of_one_thing_gives_way_to_the_list_of_the_chosen_tenant(
    world: World, stock: Stock, partner: str
) -> None:
    tab = visit(choose(signed_in(partner), world.tenant), "number.py", id=str(stock.sales))
    choose(tab, world.other_tenant)
    assert not tab.exception
    assert listed(tab, "name") == ["Secret of the other"]


def test_the_wizard_begins_anew_in_another_tenant(world: World, partner: str) -> None:
    tab = press(visit(choose(signed_in(partner), world.tenant), "add_number.py"), "Add manually")
    tab.text_input(key="add_number").set_value("+14155552671")
    tab.selectbox(key="add_connection").set_value(world.sip).run()
    press(tab, "Next: Configure number")
    choose(tab, world.other_tenant)
    assert texts(tab, "info") == [DROPPED]
    press(tab, "Add manually")
    assert not texts(tab, "info")
    assert tab.text_input(key="add_number").value == ""
    assert tab.selectbox(key="add_connection").options == ["Other SIP · Generic SIP"]


def test_add_another_offers_the_connections_of_the_tab_whatever_is_chosen_elsewhere(
    session: Session, world: World, partner: str
) -> None:
    tab = press(visit(choose(signed_in(partner), world.tenant), "add_number.py"), "Add manually")
    tab.text_input(key="add_number").set_value("+14155552671")
    tab.selectbox(key="add_connection").set_value(world.sip).run()
    press(tab, "Next: Configure number")
    choose(signed_in(partner), world.other_tenant)
    press(tab, "Add number")
    press(press(tab, "Add another"), "Add manually")
    options = tab.selectbox(key="add_connection").options
    assert "Other SIP · Generic SIP" not in options
    assert len(options) == 4
    session.rollback()
    assert numbers.count(session, world.admin, numbers.NumberQuery()) == 1
    assert numbers.count(session, world.stranger, numbers.NumberQuery()) == 0


def test_every_link_stays_in_the_tenant(world: World, stock: Stock) -> None:
    for username, works_in in (("both", world.tenant), ("superadmin", world.tenant), ("superadmin", ALL_TENANTS)):
        tab = signed_in(username, works_in)
        for path in sorted(PAGES.glob("[!f]*.py")):
            visit(tab, path.name, id=stock.shown_on(path.name))
            assert not tab.exception
            word = "all" if works_in == ALL_TENANTS else str(works_in)
            assert address(tab) == [word], path.name
            assert len(tab.page_link) > 5
            for link in tab.page_link:
                assert parse_qs(link.proto.query_string)["tenant"] == [word], (path.name, link.proto.label)
            for listing in listings(tab):
                for found in itertools.chain(*listing.addresses.values()):
                    assert re.search(r"[?&]tenant=(all|\d+)\b", found), (path.name, found)


def test_pages_are_linked_in_one_way() -> None:
    for path in [*(ROOT / "components").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        if path.name != "navigation.py":
            found = re.findall(r"st\.(page_link|switch_page)\(", path.read_text())
            assert not found, f"{path.name}: the helpers in components/ui/navigation.py keep the tenant"


def test_the_first_superadmin_is_led_to_the_first_tenant(session: Session, database: object) -> None:
    commands.create_superadmin(session, "root", "a-long-enough-passphrase")
    tab = signed_in("root")
    assert not tab.sidebar.selectbox
    assert "Create the first tenant" in buttons(tab)
    press(tab, "Create the first tenant")
    assert [title.value for title in tab.title] == ["Tenants"]
    assert "Add tenant" in buttons(tab)


def test_who_chose_before_is_there_in_a_new_tab_only(session: Session, world: World) -> None:
    sign_in.choose_tenant(session, world.nowhere, world.tenant)
    now = sign_in.now()
    fresh = sign_in.load_actor(session, "both", now, None, first=True)
    later = sign_in.load_actor(session, "both", now, None)
    assert fresh
    assert fresh.tenant_id == world.tenant
    assert later
    assert later.tenant_id is None
