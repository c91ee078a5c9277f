"""The ways in which health comes in, as a page: tabs in the address, and a call log that is read on it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from streamlit.testing.v1 import AppTest

import db.jobs.queries
from db.models import CampaignHealth, Connection, Job
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from services.connections import connections
from services.health import call_logs
from services.setup import builder
from services.text.days import DayOrder
from tests.conftest import World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, job_of, links, listing, press, signed_in, texts, visit
from tests.world import importing, make, working
from tests.world.waiting import until

PAGE = "import_health.py"
LOG = {"health_from": "Twilio call log"}
EXPLAINED = "Reads each finished day"


def outcomes(tab: AppTest) -> list[tuple[Any, ...]]:
    """Return row, outcome and column of the rows of the job in the tab."""
    found = listing(tab, "Numbers").columns
    return [
        (int(row), *outcome, column)
        for row, outcome, column in zip(found["row"], found["outcome"], found["column"], strict=True)
    ]


def check(tab: AppTest) -> AppTest:
    """Check the file in the tab, which leads to the job."""
    press(tab, "Check")
    return visit(tab, "jobs.py", job=str(job_of(tab)))  # AppTest (1.67) does not stay where a switch of pages led


def bring(session: Session, world: World, tab: AppTest, start: str) -> AppTest:
    """Check the file in the tab, *start* its job and have it done."""
    press(check(tab), start)
    importing.finished(session, world.operator, job_of(tab))
    return tab.run()


def under_way(session: Session) -> bool:
    session.rollback()
    return bool(db.jobs.queries.to_be_done(session))


def holds(tab: AppTest, text: str) -> bool:
    return any(text in found for found in texts(tab))


def test_only_the_open_way_is_drawn_and_the_address_says_which(world: World) -> None:
    tab = visit(signed_in("operator"), PAGE)
    assert holds(tab, "One row per campaign")
    assert not holds(tab, EXPLAINED)
    visit(tab, PAGE, **LOG)
    assert holds(tab, EXPLAINED)
    assert not holds(tab, "One row per campaign")
    visit(tab, PAGE, health_from="HTTP API")
    assert holds(tab, "/api/v1/campaign-health")
    assert not tab.exception


def test_a_file_names_its_rows_by_their_numbers_and_refuses_what_does_not_fit(
    session: Session, world: World, stock: Stock
) -> None:
    tab = visit(signed_in("operator"), PAGE)
    text = (
        "Calls of May,,,,\ncampaign,DDI,date,calls,answered\nRenewals,+14155552671,2026-05-30,40,12\n,,,,\n"
        "Renewals,+14155552671,2026-05-31,12,000,400\nRenewals,+12125552368,2026-05-31,50,13\n"
    )
    tab.file_uploader(key="health_file").set_value(("calls.csv", text.encode(), "text/csv"))
    check(tab.run())
    assert "Check only: 2 can be added, 1 refused." in texts(tab, "info")
    assert outcomes(tab) == [
        (3, "Will be added", "Number"),
        (5, "Refused", "Cells"),
        (6, "Will be added", "Number"),
    ]
    press(tab, "Import 2 rows")
    importing.finished(session, world.operator, job_of(tab))
    assert texts(tab.run(), "success") == ["calls.csv: 2 added, 1 refused."]
    assert "Not in the pool of their campaign: 2 rows." in texts(tab, "caption")
    assert [row[:2] for row in outcomes(tab)] == [(3, "Added"), (5, "Refused"), (6, "Added")]
    assert "Number health" in links(tab)


@pytest.mark.parametrize(("username", "led"), [("admin", True), ("operator", False)])
def test_who_makes_api_keys_is_led_to_them(world: World, username: str, led: bool) -> None:
    tab = visit(signed_in(username), PAGE, health_from="HTTP API")
    assert ("API keys" in links(tab)) == led
    assert holds(tab, "An admin of the tenant creates the keys.") != led


def test_a_log_is_read_and_what_came_of_it_is_seen_by_others(
    session: Session, world: World, sandbox: Sandbox, engine: None
) -> None:
    tab = visit(signed_in("operator"), PAGE, **LOG)
    assert holds(tab, "Not read yet.")
    press(tab, "Read call log")
    assert not tab.exception
    until(lambda: not under_way(session))
    tab.run()
    other = visit(signed_in("admin"), PAGE, **LOG)
    for one in (tab, other):
        assert not one.exception
        assert holds(one, "up to date")
        assert holds(one, "30 days with")
        assert holds(one, "Operator, ")
        assert holds(one, "from numbers that are not in Numberdesk")
        assert "Read call log" not in buttons(one)
        assert "Open job" in links(one)
    job = visit(other, "jobs.py", job=str(session.scalars(sa.select(Job.id)).one()))
    assert not job.exception
    assert len(listing(job, "Days").columns["subject"]) == 25


def test_a_run_shows_how_far_it_is_and_nobody_can_begin_another(session: Session, world: World) -> None:
    stale = visit(signed_in("admin"), PAGE, **LOG)
    call_logs.begin(session, world.operator, world.twilio)
    tab = visit(signed_in("operator"), PAGE, **LOG)
    assert holds(tab, "Operator started")
    assert "Open job" in links(tab)
    assert "Read call log" not in buttons(tab)
    press(stale, "Read call log")
    assert texts(stale, "error") == ["The call log of Twilio is already being read."]
    assert holds(stale, "Operator started")


def test_a_run_that_stopped_says_why_and_can_go_on(
    session: Session, world: World, sandbox: Sandbox, engine: None
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    sandbox.fault(Fault(Kind.DELAY, "GET", "/Calls.json"))
    sandbox.fault(Fault(Kind.ERROR, "GET", "/Calls.json", status=401, code=20003))
    job = call_logs.begin(session, world.operator, world.twilio, first_day=yesterday - timedelta(days=1))
    working.finished(session, world.operator, job)
    tab = visit(signed_in("operator"), PAGE, **LOG)
    (told,) = texts(tab, "warning")
    assert "does not accept the Account SID and auth token" in told
    assert holds(tab, "1 day to read.")
    press(tab, "Continue")
    assert not texts(tab, "error")
    until(lambda: not under_way(session))
    assert holds(tab.run(), "up to date")


def test_an_inactive_connection_is_named_as_such_and_cannot_be_read(session: Session, world: World) -> None:
    connections.set_active(session, world.admin, world.twilio, False, version=1)
    tab = visit(signed_in("operator"), PAGE, **LOG)
    assert holds(tab, "An inactive connection is not read.")
    assert "Read call log" not in buttons(tab)


@pytest.mark.parametrize(("username", "led"), [("admin", True), ("operator", False)])
def test_without_a_twilio_connection_those_who_may_are_led_to_add_one(
    session: Session, world: World, username: str, led: bool
) -> None:
    session.execute(sa.delete(Connection).where(Connection.id == world.twilio))
    session.commit()
    tab = visit(signed_in(username), PAGE, **LOG)
    assert holds(tab, "No Twilio connection yet")
    assert ("Telephony connections" in links(tab)) == led


def with_file(text: str) -> AppTest:
    tab = visit(signed_in("operator"), PAGE)
    tab.file_uploader(key="health_file").set_value(("calls.csv", text.encode(), "text/csv"))
    return tab.run()


def test_the_order_of_day_and_month_is_asked_for_and_never_guessed(session: Session, world: World) -> None:
    builder.campaign(session, world.tenant, "Spring")
    session.commit()
    make.number(session, world)
    head = "campaign,number,day,attempts,answered\n"
    assert "Day order" not in [box.label for box in with_file(f"{head}Spring,+14155552671,2026-03-04,9,3\n").selectbox]
    tab = with_file(f"{head}Spring,+14155552671,03/04/2026,9,3\n")
    press(tab, "Check")
    assert (
        "Choose whether the day or the month comes first in 03/04/2026" in listing(tab, "Numbers").columns["reason"][0]
    )
    tab = with_file(f"{head}Spring,+14155552671,03/04/2026,9,3\n")
    tab.selectbox(key="health_day_order").set_value(DayOrder.DAY_FIRST)
    bring(session, world, tab.run(), "Import 1 row")
    assert not texts(tab, "error")
    assert session.scalars(sa.select(CampaignHealth.day)).all() == [date(2026, 4, 3)]
