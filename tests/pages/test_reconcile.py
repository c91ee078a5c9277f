"""The reconcile page: what it offers to whom, what it shows, and when it forgets."""

from collections.abc import Iterator

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import db.base.named
import db.jobs.queries
from db.base.engine import open_session
from db.base.scope import Scope
from db.models import Connection
from providers.sandbox.accounts import MAIN, SMALL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import OwnedSeed
from services.core import settings
from services.jobs import engine, jobs
from services.numbers import numbers
from services.numbers.numbers import NumberQuery
from services.setup import builder
from tests.conftest import World
from tests.pages.tab import buttons, links, listing, listings, press, signed_in, texts, tick, title, visit
from tests.world.waiting import until

AREA = "+17208"
NUMBERS = [f"{AREA}00{place:04d}" for place in range(3)]


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox, with three numbers in an area where it has no others; what is left of them is taken away."""
    with sandbox.store.writing() as state:
        state.execute("DELETE FROM seeded WHERE what LIKE ?", (f"owned {AREA}%",))
    sandbox.seed_owned([OwnedSeed(e164, MAIN.sid, label=f"Desk {e164[-1]}") for e164 in NUMBERS])
    yield sandbox
    with sandbox.store.writing() as state:
        state.execute("DELETE FROM owned WHERE e164 LIKE ?", (f"{AREA}%",))


def compared(username: str = "operator", **query: str) -> AppTest:
    """Return a tab that has compared the numbers in the area."""
    tab = visit(signed_in(username), "reconcile.py", reconcile_number=AREA, **query)
    return compare(tab)


def compare(tab: AppTest, label: str = "Compare") -> AppTest:
    """Compare, and have the job done that reads the account."""
    press(tab, label)
    assert not tab.exception
    with open_session() as session:
        for job, *_ in db.jobs.queries.to_be_done(session):
            while engine.advance(job) is not engine.Step.END:
                pass
    tab.run()
    assert not tab.exception
    return tab


def test_nothing_is_shown_before_it_is_compared(world: World, account: Sandbox) -> None:
    tab = visit(signed_in("operator"), "reconcile.py")
    assert "Compare" in buttons(tab)
    assert not listings(tab)
    assert any("Nothing changes until you choose it" in text for text in texts(tab, "markdown"))


def test_what_is_not_on_record_is_listed_with_the_label_that_it_has_there(world: World, account: Sandbox) -> None:
    tab = compared()
    (table,) = listings(tab)
    assert table.columns["label"] == ["Desk 2", "Desk 1", "Desk 0"]
    assert "**Only in Twilio**" in texts(tab, "markdown")
    assert any("**3 numbers** with +17208 in the account at Twilio" in text for text in texts(tab, "markdown"))
    assert tab.button(key="reconcile_act_only_there_0").disabled
    assert "Compare again" in buttons(tab)


def test_what_agrees_is_said_with_how_many_numbers_and_when(world: World, account: Sandbox) -> None:
    tab = visit(signed_in("operator"), "reconcile.py", reconcile_number=f"{AREA}9")
    compare(tab)
    (told,) = texts(tab, "success")
    assert told.startswith("Nothing to reconcile: 0 numbers compared, ")
    assert told.endswith("UTC.")
    assert not listings(tab)


def test_without_a_connection_that_can_be_compared_it_says_what_to_do(session: Session, world: World) -> None:
    _change(session, world, is_active=False)
    tab = visit(signed_in("admin"), "reconcile.py")
    assert not tab.selectbox
    assert "Add a Twilio connection" in links(tab)
    tab = visit(signed_in("operator"), "reconcile.py")
    assert "Add a Twilio connection" not in links(tab)
    assert any("An admin can add" in text for text in texts(tab, "caption"))


def test_a_comparison_is_forgotten_when_another_account_is_chosen(
    session: Session, world: World, account: Sandbox
) -> None:
    small = builder.at_sandbox(settings.current(), "twilio", SMALL)
    builder.connection(session, world.tenant, "Second", "twilio", **small)
    session.commit()
    tab = visit(signed_in("operator"), "reconcile.py", reconcile_connection="Twilio · Twilio", reconcile_number=AREA)
    compare(tab)
    assert len(listings(tab)) == 1
    tab.selectbox(key="reconcile_connection").select_index(0).run()
    assert not listings(tab)
    assert "Compare" in buttons(tab)


def test_a_provider_that_fails_shows_an_error_above_the_last_comparison(world: World, account: Sandbox) -> None:
    tab = compared()
    account.fault(Fault(Kind.TOO_MANY, "GET", "/IncomingPhoneNumbers", times=None, retry_after=0.01))
    compare(tab, "Compare again")
    (told,) = texts(tab, "error")
    assert "list the account's numbers" in told
    assert len(listings(tab)) == 1


def test_what_is_imported_is_a_job_and_hidden_from_the_comparison(
    session: Session, world: World, account: Sandbox, engine: None
) -> None:
    tab = compared()
    tick(tab, "Only in Twilio", 0, 1)
    press(tab, "Import 2 numbers")
    press(tab, "Import")
    assert not tab.exception
    assert title(tab) == "Import from Twilio"

    def is_over() -> bool:
        session.rollback()
        return not jobs.unfinished(session, world.operator)

    until(is_over)
    assert numbers.count(session, world.operator, NumberQuery()) == 2
    visit(tab, "reconcile.py", reconcile_number=AREA)
    assert any("2 numbers given to jobs since this comparison" in text for text in texts(tab, "info"))
    assert listing(tab, "Only in Twilio").columns["label"] == ["Desk 0"]
    compare(tab, "Compare again")
    assert not texts(tab, "info")
    assert listing(tab, "Only in Twilio").columns["label"] == ["Desk 0"]


def test_all_of_a_kind_can_be_selected_at_once(world: World, account: Sandbox) -> None:
    tab = compared()
    press(tab, "Select all 3")
    assert "Import 3 numbers" in buttons(tab)
    press(tab, "Clear selection")
    assert tab.button(key="reconcile_act_only_there_0").disabled


def test_what_is_refused_is_told_and_stays_in_the_list(session: Session, world: World, account: Sandbox) -> None:
    tab = compared()
    tick(tab, "Only in Twilio", 0)
    press(tab, "Import 1 number")
    _change(session, world, voice_url="https://voice.example.com/v2")
    press(tab, "Import")
    assert any("The connection has changed in the meantime" in text for text in texts(tab, "error"))
    assert not jobs.unfinished(session, world.operator)


def _change(session: Session, world: World, **values: object) -> None:
    found = db.base.named.find(session, Connection, Scope(world.tenant), world.twilio)
    assert found
    for name, value in values.items():
        setattr(found, name, value)
    session.commit()
