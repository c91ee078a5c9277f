"""Importing in the wizard what the tenant's own Twilio account holds."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

from db.base.scope import Slice
from db.jobs.queries import JobQuery
from db.models import Connection
from providers.records import Webhooks
from providers.sandbox.accounts import MAIN
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.jobs import jobs
from services.numbers import numbers, registration
from services.numbers.numbers import NumberQuery, NumberRow
from services.orders import orders, webhook_orders
from services.text import numbering
from tests.conftest import World
from tests.pages.tab import buttons, listings, press, signed_in, texts, tick, title, visit
from tests.world import ordering
from tests.world.waiting import until

AREA = "+17209"
NUMBERS = [f"{AREA}00{place:04d}" for place in range(3)]


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, with three numbers in an area where it has no others, the last without a name of its own."""
    with sandbox.store.writing() as state:
        state.execute("DELETE FROM seeded WHERE what LIKE ?", (f"owned {AREA}%",))
    sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, label=f"Desk {e164[-1]}") for e164 in NUMBERS])
    yield sandbox
    with sandbox.store.writing() as state:
        state.execute("DELETE FROM owned WHERE e164 LIKE ?", (f"{AREA}%",))


def in_account() -> AppTest:
    """Return a wizard that has loaded the numbers of the area."""
    tab = press(visit(signed_in("operator"), "add_number.py"), "Purchase from Twilio")
    tab.session_state["add_tab"] = "In your Twilio account"
    tab.run()
    tab.text_input(key="add_matching").set_value(AREA).run()
    assert not listings(tab)
    press(tab, "Load my Twilio numbers")
    assert not tab.exception
    return tab


def shown(tab: AppTest) -> dict[str, list[str]]:
    """Return the numbers in each table, by whether they can be ticked."""
    return {
        "on record" if one.selected is None else "new": [number[-4:] for number in one.columns["number"]]
        for one in listings(tab)
    }


def added(session: Session, world: World) -> list[NumberRow]:
    session.rollback()
    found = numbers.search(session, world.viewer, NumberQuery(search=numbering.search_text(AREA)), Slice())
    return sorted((numbers.get(session, world.viewer, row.id) for row in found), key=lambda number: number.e164)


def imported(tab: AppTest) -> AppTest:
    tab.button(key="wizard_search_forward").click().run()
    press(tab, "Import & configure")
    return press(tab, "Confirm import")


def test_what_is_imported_already_is_left_out_and_cannot_be_ticked(
    session: Session, world: World, account: Sandbox
) -> None:
    registration.register(session, world.operator, NUMBERS[1], world.sip, registration.Configuration())
    tab = in_account()
    assert shown(tab) == {"new": ["0002", "0000"]}
    assert set(listings(tab)[0].columns["here"]) == {"Not in app yet"}
    tab.segmented_control(key="add_which").set_value("All").run()
    assert shown(tab) == {"new": ["0002", "0000"], "on record": ["0001"]}
    assert listings(tab)[1].columns["here"] == ["Already imported"]


def test_a_number_put_on_record_meanwhile_is_let_go_when_the_account_is_read_again(
    session: Session, world: World, account: Sandbox
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 0, 2)
    registration.register(session, world.operator, NUMBERS[2], world.sip, registration.Configuration())
    press(tab, "Refresh")
    tab.segmented_control(key="add_which").set_value("All").run()
    assert shown(tab) == {"new": ["0001", "0000"], "on record": ["0002"]}
    assert tab.button(key="wizard_search_forward").label == f"Continue with {numbering.display(NUMBERS[0])}"


def test_one_that_is_imported_without_a_label_keeps_the_name_it_has_at_twilio(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 1)
    tab = imported(tab)
    assert not tab.exception
    assert title(tab) == "Number added"
    (number,) = added(session, world)
    assert (number.e164, number.label, number.is_managed) == (NUMBERS[1], "Desk 1", True)
    told = texts(tab, "markdown")
    assert {"Label: **Desk 1**", "Inbound call agent: **No agent**", "Connection: **Twilio**"} <= set(told)
    assert "Webhooks: **Set from the connection**" in told
    press(tab, "View number")
    assert "Restore previous" in buttons(tab)
    assert "Configure webhooks on Twilio" in buttons(tab)


def finished(tab: AppTest, session: Session, world: World) -> AppTest:
    """Return the tab with the page of the job that was started in it, once that has ended."""
    assert title(tab) == "Import from Twilio"

    def is_over() -> bool:
        session.rollback()
        return not jobs.unfinished(session, world.operator)

    until(is_over)
    (job,) = jobs.search(session, world.operator, JobQuery(), Slice())
    return visit(tab, "jobs.py", job=str(job.id))


def test_several_that_are_imported_keep_their_names_and_end_in_a_job_with_links(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 0, 2)
    tab = finished(imported(tab), session, world)
    assert not tab.exception
    assert title(tab) == "Import from Twilio"
    found = added(session, world)
    assert [(number.e164, number.label) for number in found] == [(NUMBERS[0], "Desk 0"), (NUMBERS[2], "Desk 2")]
    assert listings(tab)[0].columns["outcome"] == [["Changed"], ["Changed"]]
    assert sorted(one.partition("&")[0] for one in listings(tab)[0].addresses["number"]) == sorted(
        f"/number?id={number.id}" for number in found
    )
    press(visit(tab, "add_number.py"), "Purchase from Twilio")
    assert tab.button(key="wizard_search_forward").disabled


def test_nothing_is_imported_with_other_webhooks_than_were_shown(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 1)
    tab.button(key="wizard_search_forward").click().run()
    press(tab, "Import & configure")
    session.get_one(Connection, world.twilio).voice_url = "https://elsewhere.example.com/in"
    session.commit()
    press(tab, "Confirm import")
    assert texts(tab, "error") == [
        "The connection has changed in the meantime. Nothing was ordered: check its webhooks again."
    ]
    assert not added(session, world)
    press(tab, "Import & configure")
    press(tab, "Confirm import")
    assert [number.voice_url for number in added(session, world)] == ["https://elsewhere.example.com/in"]


def test_when_none_of_several_is_imported_each_says_why(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 0, 2)
    tab.button(key="wizard_search_forward").click().run()
    press(tab, "Import & configure")
    for number in (NUMBERS[0], NUMBERS[2]):
        registration.register(session, world.operator, number, world.sip, registration.Configuration())
    press(tab, "Confirm import")
    assert listings(tab)[0].columns["outcome"] == [["Refused"], ["Refused"]]
    assert all("already exists" in reason for reason in listings(tab)[0].columns["reason"])
    assert title(tab) == "Import from Twilio"


def test_webhooks_that_were_restored_are_told_beside_those_of_the_connection(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 1)
    imported(tab)
    (number,) = added(session, world)
    tab = visit(signed_in("operator"), "number.py", id=str(number.id))
    message = "Last set at Twilio: nothing"
    assert message not in texts(tab, "caption")
    press(tab, "Configure webhooks on Twilio")
    assert "Twilio has exactly these webhooks. Nothing to replace." in texts(tab, "success")
    assert "Replace" not in buttons(tab)
    ours = webhook_orders.ours(number)
    ordering.ask(orders.place_webhooks(session, world.operator, number.id, ours, Webhooks()))

    def is_settled() -> bool:  # the engine may be at it too
        session.rollback()
        return not orders.still_open(session, world.operator)

    until(is_settled)
    tab = visit(signed_in("operator"), "number.py", id=str(number.id))
    assert not tab.exception
    assert message in texts(tab, "caption")


def test_a_label_that_is_entered_is_taken(session: Session, world: World, account: Sandbox, engine: None) -> None:
    tab = in_account()
    tick(tab, "Numbers of the account", 0)
    tab.button(key="wizard_search_forward").click().run()
    assert tab.text_input(key="add_label").placeholder == "Optional; defaults to Desk 2"
    tab.text_input(key="add_label").set_value(" Front desk ").run()
    press(tab, "Import & configure")
    press(tab, "Confirm import")
    assert [number.label for number in added(session, world)] == ["Front desk"]
