"""What is selected in the wizard and in a comparison stays what the reader ticked, whatever becomes of the table."""

from streamlit.testing.v1 import AppTest

from db.models import OrderKind
from providers.sandbox.server import Sandbox
from tests.conftest import World
from tests.pages.tab import buttons, listing, press, signed_in, texts, tick, visit
from tests.pages.test_reconcile import compare

FOR_SALE, IN_ACCOUNT = "Numbers for sale", "Numbers of the account"


def at_search(username: str = "operator") -> AppTest:
    return press(visit(signed_in(username), "add_number.py"), "Purchase from Twilio")


def continues(tab: AppTest) -> tuple[str, bool]:
    """Return what the way on says, and whether it can be gone."""
    button = tab.button(key="wizard_search_forward")
    return button.label, not button.disabled


def test_a_second_search_never_sells_another_number(world: World, sandbox: Sandbox) -> None:
    tab = press(at_search(), "Search available")
    assert continues(tab) == ("Continue", False)
    tick(tab, FOR_SALE, 0)
    number = listing(tab, FOR_SALE).columns["number"][0]
    assert continues(tab) == (f"Continue with {number}", True)
    tab.text_input(key="add_contains").set_value("415").run()
    assert continues(tab) == (f"Continue with {number}", True)  # it is shown still
    press(tab, "Search available")
    assert number not in listing(tab, FOR_SALE).columns["number"]
    assert continues(tab) == ("Continue", False)


def in_account(tab: AppTest) -> AppTest:
    tab.session_state["add_tab"] = "In your Twilio account"
    tab.run()
    return press(tab, "Load my Twilio numbers")


def numbers_of(tab: AppTest) -> list[str]:
    return list(listing(tab, IN_ACCOUNT).columns["number"])


def test_numbers_of_the_account_stay_selected_over_pages_and_filters(world: World, sandbox: Sandbox) -> None:
    tab = in_account(at_search())
    wanted = [numbers_of(tab)[3]]
    tick(tab, IN_ACCOUNT, 3)
    press(tab, "Next")
    assert wanted[0] not in numbers_of(tab)
    assert "1 selected, 1 of them not shown" in texts(tab, "caption")
    wanted.append(numbers_of(tab)[0])
    tick(tab, IN_ACCOUNT, 0)
    tab.text_input(key="add_matching").set_value("+1202").run()
    assert not set(wanted) & set(numbers_of(tab))
    assert continues(tab) == ("Continue with 2 numbers", True)
    tab.text_input(key="add_matching").set_value("").run()
    assert wanted[0] in numbers_of(tab)
    assert "2 selected, 1 of them not shown" in texts(tab, "caption")
    tab.button(key="wizard_search_forward").click().run()
    state = tab.session_state["wizard"]
    assert (state["step"], state["kind"]) == ("papers", OrderKind.IMPORT)
    assert sorted(f"+{number.e164[1:]}" for number in state["chosen"]) == sorted(
        number.replace(" ", "").replace("-", "") for number in wanted
    )


def test_numbers_to_reconcile_stay_selected_over_pages(world: World, sandbox: Sandbox) -> None:
    tab = visit(signed_in("operator"), "reconcile.py", reconcile_number="+44")
    compare(tab)
    shown = [list(listing(tab, "Only in Twilio").columns["number"])]
    assert len(shown[0]) == 100
    tick(tab, "Only in Twilio", 7)
    assert "Import 1 number" in buttons(tab)
    tab.pagination[0].select(2).run()
    shown.append(list(listing(tab, "Only in Twilio").columns["number"]))
    assert not set(shown[0]) & set(shown[1])
    assert "1 selected, 1 of them not shown" in texts(tab, "caption")
    (held,) = tab.session_state["reconcile"].selected["only_there"].rows.values()
    assert held.e164 == shown[0][7].replace(" ", "").replace("-", "")
    compare(tab, "Compare again")
    assert not any("selected" in text for text in texts(tab, "caption"))
