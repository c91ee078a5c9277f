"""Every page opens for everybody: with its header, or with a refusal in the reader's words."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from services.people.sign_in import ALL_TENANTS
from tests.conftest import PASSWORD, World
from tests.pages.conftest import Stock
from tests.pages.tab import (
    PAGES,
    buttons,
    fill_sign_in,
    links,
    listed,
    press,
    signed_in,
    signed_out,
    tables,
    texts,
    title,
    visit,
)

HEADERS = {
    "numbers.py": "Phone numbers",
    "activity.py": "Activity",
    "add_number.py": "Add phone number",
    "number.py": ":material/call: `+1 415 555 2671`",
    "edit_number.py": "Edit phone number",
    "agents.py": "Agents",
    "campaign.py": ":material/campaign: Renewals",
    "campaigns.py": "Campaigns",
    "connections.py": "Telephony connections",
    "profile.py": "Your account",
    "jobs.py": "Jobs",
    "reconcile.py": "Reconcile",
    "tenants.py": "Tenants",
    "users.py": "Users",
    "import_health.py": "Import health",
    "import_numbers.py": "Import numbers",
    "number_health.py": "Number health",
    "settings.py": "Settings",
    "tenant_audit.py": "Tenant audit",
}
WITHOUT_A_TENANT = ("profile.py", "tenants.py")
NOT_ALLOWED = "Your role does not allow this. Ask an admin of the tenant."
NO_TENANT = "Choose one tenant in the sidebar first."
CHOOSE = "Select a tenant to view and manage phone numbers."

READERS: dict[str, Callable[[World], AppTest]] = {
    "admin": lambda world: signed_in("admin"),
    "operator": lambda world: signed_in("operator"),
    "viewer": lambda world: signed_in("viewer"),
    "superadmin in a tenant": lambda world: signed_in("superadmin", world.tenant),
    "superadmin in all tenants": lambda world: signed_in("superadmin", ALL_TENANTS),
}
REFUSED = {
    ("viewer", "add_number.py"): NOT_ALLOWED,
    ("viewer", "edit_number.py"): NOT_ALLOWED,
    ("viewer", "import_health.py"): NOT_ALLOWED,
    ("viewer", "reconcile.py"): NOT_ALLOWED,
    ("viewer", "import_numbers.py"): NOT_ALLOWED,
    ("viewer", "users.py"): NOT_ALLOWED,
    ("operator", "users.py"): NOT_ALLOWED,
    ("admin", "tenants.py"): NOT_ALLOWED,
    ("operator", "tenants.py"): NOT_ALLOWED,
    ("viewer", "tenants.py"): NOT_ALLOWED,
    ("superadmin in all tenants", "add_number.py"): NO_TENANT,
    ("superadmin in all tenants", "import_health.py"): NO_TENANT,
    ("superadmin in all tenants", "reconcile.py"): NO_TENANT,
    ("superadmin in all tenants", "import_numbers.py"): NO_TENANT,
    ("superadmin in all tenants", "settings.py"): NO_TENANT,
}


def test_no_page_is_left_out() -> None:
    assert {path.name for path in PAGES.glob("*.py")} - {"frame.py"} == set(HEADERS)


@pytest.mark.parametrize("reader", READERS)
def test_every_page_opens_or_refuses(reader: str, world: World, stock: Stock, subtests: pytest.Subtests) -> None:
    tab = READERS[reader](world)
    for page, header in HEADERS.items():
        with subtests.test(page=page):
            visit(tab, page, id=stock.shown_on(page))
            assert not tab.exception
            assert title(tab) == header
            refusal = REFUSED.get((reader, page))
            assert texts(tab, "error", "warning") == ([refusal] if refusal else [])


def test_who_has_not_signed_in_sees_the_form_and_nothing_else(stock: Stock, subtests: pytest.Subtests) -> None:
    tab = signed_out()
    for page in HEADERS:
        with subtests.test(page=page):
            visit(tab, page, id=stock.shown_on(page))
            assert not tab.exception
            assert title(tab) == ":material/call: Numberdesk"
            assert buttons(tab) == ["Sign in"]
            assert not tables(tab)
            assert not tab.sidebar.children
            assert "415" not in " ".join(texts(tab))


def test_a_user_of_several_tenants_must_choose_one_first(world: World, stock: Stock, subtests: pytest.Subtests) -> None:
    tab = signed_in("both")
    for page in set(HEADERS) - set(WITHOUT_A_TENANT):
        with subtests.test(page=page):
            visit(tab, page, id=stock.shown_on(page))
            assert not tab.exception
            assert texts(tab, "info") == [CHOOSE]
            assert not tables(tab)
            assert set(buttons(tab)) == {"Sign out", "Sign out everywhere"}
    tab.sidebar.selectbox(key="tenant_selector").set_value(world.other_tenant).run()
    visit(tab, "numbers.py")
    assert listed(tab, "name") == ["Secret of the other"]


def test_signing_in_leads_to_the_numbers_and_signing_out_leads_back(world: World, stock: Stock) -> None:
    tab = fill_sign_in(signed_out(), " Operator ", PASSWORD)
    assert not tab.exception
    assert title(tab) == "Phone numbers"
    assert len(listed(tab)) == 3
    press(tab, "Sign out")
    assert not tab.exception
    assert buttons(tab) == ["Sign in"]
    assert not tables(tab)


def test_a_sign_in_that_fails_says_so_and_not_whom_it_knows(world: World) -> None:
    wrong = "User name or password is wrong."
    attempts = (
        ("operator", "wrong", wrong),
        ("nobody", PASSWORD, wrong),
        ("' OR 1=1 --", PASSWORD, wrong),
        ("operator", "", "Enter your user name and password."),
    )
    tab = signed_out()
    for username, password, told in attempts:
        fill_sign_in(tab, username, password)
        assert not tab.exception
        assert texts(tab, "error") == [told]
        assert buttons(tab) == ["Sign in"]


def test_a_viewer_is_offered_nothing_that_writes(world: World, stock: Stock) -> None:
    tab = visit(signed_in("viewer"), "numbers.py")
    assert "Add number" not in buttons(tab)
    visit(tab, "number.py", id=str(stock.sales))
    assert set(buttons(tab)) == {"Sign out", "Sign out everywhere"}
    assert not tab.text_input
    assert "Sales" in texts(tab, "markdown")


def test_an_empty_list_offers_to_add_only_to_those_who_may(world: World) -> None:
    empty = "No phone numbers yet. Buy, import or register one."
    for username, options in (("operator", 2), ("viewer", 0)):
        tab = visit(signed_in(username), "numbers.py")
        assert any(empty in text for text in texts(tab, "markdown"))
        assert buttons(tab).count("Add number") == options


def test_a_refused_wizard_shows_a_way_back(world: World) -> None:
    tab = visit(signed_in("viewer"), "add_number.py")
    assert "Back to the list" in links(tab)
    assert not tab.selectbox
