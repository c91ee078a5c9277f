"""The audit log as readers see it: in words, within their tenant, by what the address says."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from services import agents
from services.audit import audit
from services.audit.audit import Action, Subject
from services.numbers import numbers
from services.people.sign_in import ALL_TENANTS
from tests.analysis.statements import queries_of
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, elements, links, press, signed_in, texts, visit

PAGE = "activity.py"
SENTENCES = ("**Operator** added the number", "**Operator** added the campaign")
NOTHING = "No events match the search and filters."


def opened(username: str = "viewer", works_in: int | None = None, **query: str | list[str]) -> AppTest:
    tab = visit(signed_in(username, works_in), PAGE, **query)
    assert not tab.exception
    return tab


def events(tab: AppTest) -> list[str]:
    """Return what was done, newest first, with its values."""
    return [str(told.value) for told in elements(tab.main, "markdown") if str(told.value).startswith("**")]


def subjects(tab: AppTest) -> list[str]:
    return [text.removeprefix(":primary[").removesuffix("]") for text in links(tab) if text.startswith(":primary[")]


def test_a_change_is_told_in_words_with_a_link_to_what_it_is_about(
    session: Session, world: World, stock: Stock
) -> None:
    numbers.rename(session, world.admin, stock.sales, "Front *desk*", version=1)
    agents.rename(session, world.admin, world.agent, "Mia", version=1)
    tab = opened()
    renamed, changed, *rest = events(tab)
    assert renamed == "**Admin** renamed the agent  \n:small[Name: Maya → **Mia**]"
    assert changed == "**Admin** changed the label  \n:small[Label: Sales → **Front \\*desk\\***]"
    assert len(rest) == 4
    assert all(text.startswith(SENTENCES) for text in rest)
    assert subjects(tab)[:3] == ["+1 415 555 2671", "Renewals", "+91 98765 43210"]
    assert any("Mia" in text and "support_agent" in text for text in texts(tab, "markdown"))
    assert any(text.startswith("just now") or "second" in text for text in texts(tab, "caption"))


READERS: dict[str, Callable[[World], tuple[str, int | None]]] = {
    "a viewer": lambda world: ("viewer", None),
    "an operator": lambda world: ("operator", None),
    "an admin": lambda world: ("admin", None),
    "a superadmin in the tenant": lambda world: ("superadmin", world.tenant),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_tenants_log_shows_nothing_of_others(reader: str, session: Session, world: World, stock: Stock) -> None:
    audit.record(session, world.admin, Action.USERS_SIGN_IN, Subject("user", 1, "Admin", None))
    session.commit()
    tab = opened(*READERS[reader](world))
    assert len(events(tab)) == 4
    assert "305" not in " ".join([*texts(tab), *links(tab)])
    assert "Tenant" not in [choice.label for choice in tab.multiselect]
    assert tab.get("download_button")
    tab = opened(*READERS[reader](world), activity_search="+13055552671")
    assert any(NOTHING in text for text in texts(tab, "markdown"))


def test_a_superadmin_over_all_tenants_sees_everything_and_filters_by_tenant(
    session: Session, world: World, stock: Stock
) -> None:
    audit.record(session, world.admin, Action.USERS_SIGN_IN, Subject("user", 1, "Admin", None))
    session.commit()
    tab = opened("superadmin", ALL_TENANTS)
    assert len(events(tab)) == 6
    for tenant, amount in (("Acme", 4), ("Other", 1), ("No tenant", 1)):
        tab = opened("superadmin", ALL_TENANTS, activity_tenant=tenant)
        assert len(events(tab)) == amount
        assert f"Tenant: {tenant}" in buttons(tab)
        assert sum(f"{tenant}]]" in text for text in texts(tab, "markdown")) == amount


def test_filters_come_from_the_address_and_their_chips_remove_them(
    session: Session, world: World, stock: Stock
) -> None:
    numbers.rename(session, world.admin, stock.sales, "A", version=1)
    numbers.rename(session, world.operator, stock.sales, "B", version=2)
    query: dict[str, Any] = {"activity_search": "(415) 555-2671", "activity_who": "Admin", "activity_kind": "Number"}
    tab = opened(**query, activity_action="Numbers: changed the label")
    assert events(tab) == ["**Admin** changed the label  \n:small[Label: Sales → **A**]"]
    for chip, amount in (
        ("Who: Admin", 2),
        ("Action: Numbers: changed the label", 3),
        ("Search: (415) 555-2671", 5),
        ("Kind: Number", 6),
    ):
        press(tab, chip)
        assert not tab.exception
        assert len(events(tab)) == amount
        assert chip not in buttons(tab)
    assert "Clear filters" not in buttons(tab)


def test_a_period_that_ends_before_it_starts_says_so_and_shows_nothing(world: World, stock: Stock) -> None:
    tab = opened(activity_from="2026-05-04", activity_to="2026-05-03")
    assert texts(tab, "error") == ["The period ends before it starts. Choose a last day on or after the first."]
    assert not events(tab)
    assert not tab.get("download_button")
    press(tab, "To: 3 May 2026")
    assert not texts(tab, "error")
    assert tab.date_input(key="activity_from").value == date(2026, 5, 4)
    tab.button(key="chip_clear").click().run()
    assert tab.date_input(key="activity_from").value is None
    assert len(events(tab)) == 4


def test_the_usual_periods_set_the_day_to_start_on(world: World, stock: Stock) -> None:
    tab = opened(activity_to="2020-05-04")
    assert any(NOTHING in text for text in texts(tab, "markdown"))
    (period,) = [group for group in elements(tab, "button_group") if group.label == "Period"]
    assert period.value is None
    for days in (1, 7, 30):
        tab.segmented_control(key="activity_period").set_value(days).run()
        first = tab.date_input(key="activity_from").value
        assert isinstance(first, date)
        assert date.today() - first in (timedelta(days=days - 1), timedelta(days=days))  # noqa: DTZ011
        assert tab.date_input(key="activity_to").value is None
        assert len(events(tab)) == 4
    tab.segmented_control(key="activity_period").set_value(0).run()
    assert tab.date_input(key="activity_from").value is None


def test_nonsense_in_the_address_shows_what_the_defaults_show(
    world: World, stock: Stock, subtests: pytest.Subtests
) -> None:
    addresses: tuple[dict[str, Any], ...] = (
        {"activity_from": "abc", "activity_to": "9999-12-31"},
        {"activity_from": "0001-01-01", "activity_page": "-1"},
        {"activity_who": "Nobody", "activity_action": "' OR 1=1 --", "activity_kind": "star"},
        {"activity_tenant": "Other", "activity_per_page": "1000000", "activity_page": "99999999999999999999"},
        {"id": "abc"},
    )
    for address in addresses:
        with subtests.test("&".join(address)):
            assert len(events(opened(**address))) == 4


def test_an_empty_log_says_so(world: World) -> None:
    tab = opened()
    assert any("No activity yet." in text for text in texts(tab, "markdown"))


def test_the_log_comes_back_as_it_was_left_unless_the_address_says_something(world: World, stock: Stock) -> None:
    tab = opened(activity_search="Renewals", activity_from="2020-01-01")
    visit(tab, "campaign.py", id=str(stock.campaign))
    visit(tab, PAGE)
    assert subjects(tab) == ["Renewals"]
    assert tab.date_input(key="activity_from").value == date(2020, 1, 1)
    visit(tab, "number.py", id=str(stock.sales))
    visit(tab, PAGE, activity_search="+14155552671")
    assert subjects(tab) == ["+1 415 555 2671"]
    assert tab.date_input(key="activity_from").value is None


def test_a_numbers_page_leads_to_all_of_its_history(session: Session, world: World, stock: Stock) -> None:
    tab = visit(signed_in("viewer"), "number.py", id=str(stock.sales))
    assert "Show all" in links(tab)
    assert "**Operator** added the number" in texts(tab, "markdown")
    (told,) = [text for text in texts(tab, "caption") if "Status: Active" in text]
    assert told.startswith("Label: Sales  \n")


def test_a_warm_rerun_asks_few_questions(database: sa.Engine, world: World, stock: Stock) -> None:
    tab = opened()
    with queries_of(database) as seen:
        tab.run()
    assert any("audit_event" in statement for statement in seen)
    assert len(seen) <= 3, "\n".join(seen)
