"""The account that is asked: chosen by the reader where there are several, named, and doubted until it was tested."""

from collections.abc import Callable

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import db.base.named
from db.base.scope import Scope
from db.models import Connection
from providers.sandbox.accounts import SMALL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.connections import connection_tests, provider_access
from services.core import settings
from services.setup import builder
from tests.conftest import World
from tests.pages.tab import buttons, links, listing, press, signed_in, tables, texts, visit
from tests.pages.test_reconcile import compare

Asked = Callable[[], bool]


@pytest.fixture
def asked(sandbox: Sandbox) -> Asked:
    """Says whether Twilio was asked for anything since it was last said; the one who asks is refused."""

    def was_asked() -> bool:
        left = bool(sandbox.faults.listing())
        sandbox.faults.clear()
        sandbox.fault(Fault(Kind.TOO_MANY, times=provider_access.ATTEMPTS, retry_after=0.01))
        return not left

    was_asked()
    return was_asked


@pytest.fixture
def second(session: Session, world: World) -> int:
    """Another Twilio account of the tenant, before the first one by name."""
    small = builder.at_sandbox(settings.current(), "twilio", SMALL)
    other = builder.connection(session, world.tenant, "Another *account*", "twilio", **small)
    session.commit()
    return other.id


def at_search(username: str = "operator") -> AppTest:
    tab = press(visit(signed_in(username), "add_number.py"), "Purchase from Twilio")
    assert not tab.exception
    return tab


def test_of_several_accounts_none_is_chosen_and_none_is_asked(world: World, second: int, asked: Asked) -> None:
    tab = visit(signed_in("operator"), "add_number.py")
    tab = press(tab, "Purchase from Twilio")
    assert tab.selectbox(key="add_account").value is None
    assert not {"Search available", "Load my Twilio numbers"} & set(buttons(tab))
    assert tab.button(key="wizard_search_forward").disabled
    assert not asked()
    tab.selectbox(key="add_account").set_value(world.twilio).run()
    assert asked()
    assert any("**Twilio**" in text for text in texts(tab, "caption"))


def test_the_account_of_one_tab_is_not_asked_for_the_catalogue_of_the_other(world: World, asked: Asked) -> None:
    tab = at_search()
    assert asked()  # the only account, chosen with its card
    tab.session_state["add_tab"] = "In your Twilio account"
    tab.run()
    assert not asked()
    assert "Load my Twilio numbers" in buttons(tab)
    assert not {"Country", "Number type", "Area code"} & {box.label for box in (*tab.selectbox, *tab.text_input)}


def test_a_catalogue_that_fails_is_asked_for_again_on_demand_alone(world: World, asked: Asked) -> None:
    tab = at_search()
    assert asked()
    assert texts(tab, "error")
    tab.run()
    assert texts(tab, "error")
    assert not asked()
    press(tab, "Try again")
    assert asked()


def test_what_was_found_in_one_account_is_forgotten_with_it(world: World, second: int, sandbox: Sandbox) -> None:
    tab = at_search()
    tab.selectbox(key="add_account").set_value(world.twilio).run()
    press(tab, "Search available")
    listing(tab, "Numbers for sale")
    tab.selectbox(key="add_account").set_value(second).run()
    assert not tables(tab)
    assert any("**Another \\*account\\***" in text for text in texts(tab, "caption"))


def test_reconcile_chooses_no_account_of_several_and_asks_none(world: World, second: int, asked: Asked) -> None:
    tab = visit(signed_in("operator"), "reconcile.py")
    assert tab.selectbox(key="reconcile_connection").value is None
    assert tab.button(key="reconcile_compare").disabled
    tab.selectbox(key="reconcile_connection").set_value(world.twilio).run()
    assert not asked()
    compare(tab)
    assert asked()


@pytest.mark.parametrize("page", ["add_number.py", "reconcile.py"])
def test_an_account_that_was_never_tested_or_failed_says_so(
    session: Session, world: World, sandbox: Sandbox, page: str
) -> None:
    def told(username: str) -> tuple[str, bool]:
        tab = at_search(username) if page == "add_number.py" else visit(signed_in(username), page)
        lines = [text for text in texts(tab, "markdown") if "tested" in text or "last test" in text]
        return (lines or [""])[0], "Test connection" in links(tab)

    assert told("operator") == (":orange[:material/help:] **Twilio** was never tested.", False)
    assert told("admin")[1]
    connection = db.base.named.find(session, Connection, Scope(world.tenant), world.twilio)
    assert connection
    connection.test_passed = False
    session.commit()
    assert "failed its last test" in told("admin")[0]
    assert connection_tests.test(session, world.admin, world.twilio).passed
    assert told("admin") == ("", False)
