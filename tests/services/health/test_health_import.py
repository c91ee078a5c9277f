"""Campaign health that comes in: every row has an outcome, and nothing is half-written."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from db.models import AuditEvent, CampaignHealth, PhoneNumber
from services.campaigns import campaigns
from services.core.access import Actor
from services.core.errors import Forbidden, NotFound
from services.health.health_import import HealthImport
from services.jobs import import_jobs, imports, jobs
from services.jobs.imports import Outcome, Refused, Report, Result, Row
from services.setup import builder
from services.text import exports
from services.text.days import DayOrder
from tests.conftest import Configure, World
from tests.world import importing, make
from tests.world.rows import fact_row, rows_of

TODAY = date(2026, 3, 10)
NUMBER = "+14155552671"


@pytest.fixture
def campaign(session: Session, world: World) -> int:
    spring = builder.campaign(session, world.tenant, "Spring").id
    builder.campaign(session, world.other_tenant, "Theirs")
    session.commit()
    make.number(session, world, NUMBER)
    return spring


def save(session: Session, actor: Actor, *rows: Row, keep_good: bool = False, order: DayOrder | None = None) -> Report:
    return imports.save(session, actor, HealthImport(order, TODAY), rows, source="test", keep_good=keep_good)


def counted(report: Report) -> tuple[int, int]:
    """Return how many facts are new, and how many took another's place."""
    return report.count(Outcome.ADDED), report.count(Outcome.REPLACED)


def refused(report: Report) -> list[Result]:
    return report.having(Outcome.REFUSED)


def facts(session: Session) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for row in session.execute(
            sa.select(
                CampaignHealth.day, CampaignHealth.attempts, CampaignHealth.answered, CampaignHealth.completed
            ).order_by(CampaignHealth.day)
        )
    ]


def row(**given: Any) -> Row:
    cells: dict[str, Any] = {"campaign": "Spring", "number": NUMBER, "day": "2026-03-09", "attempts": 9, "answered": 3}
    return fact_row(**(cells | given))


def test_rows_are_written_and_written_down(session: Session, world: World, campaign: int) -> None:
    saved = save(session, world.operator, row(), row(day=date(2026, 3, 8), campaign=str(campaign), completed=2))
    assert (counted(saved), refused(saved)) == ((2, 0), [])
    assert facts(session) == [(date(2026, 3, 8), 9, 3, 2), (date(2026, 3, 9), 9, 3, 3)]
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "health:import")).one()
    assert event.after == {
        "source": "test",
        "added": 2,
        "replaced": 0,
        "refused": 0,
        "first_day": "2026-03-08",
        "last_day": "2026-03-09",
    }


def test_the_same_rows_again_change_nothing_and_others_replace_them(
    session: Session, world: World, campaign: int
) -> None:
    save(session, world.operator, row())
    again = save(session, world.operator, row())
    assert counted(again) == (0, 1)
    assert len(facts(session)) == 1
    save(session, world.operator, row(attempts=20, answered=4))
    assert facts(session) == [(date(2026, 3, 9), 20, 4, 4)]


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"answered": 10}, "answered", "10 answered is more than 9 attempts."),
        ({"attempts": -1}, "attempts", "-1 is negative."),
        ({"answered": "-2"}, "answered", "-2 is negative."),
        ({"attempts": "many"}, "attempts", "many is not a whole number."),
        ({"attempts": 2.5}, "attempts", "2.5 is not a whole number."),
        ({"attempts": None}, "attempts", "This count is missing."),
        ({"attempts": 2_000_000}, "attempts", "More than 1,000,000 calls in a day is impossible."),
        ({"completed": 4}, "completed", "4 is more than 3 answered calls."),
        ({"short_calls": 4}, "short_calls", "4 is more than 3 answered calls."),
        ({"spam_reports": -1}, "spam_reports", "-1 is negative."),
        ({"day": "2026-03-11"}, "day", "2026-03-11 is in the future."),
        ({"day": "1926-03-11"}, "day", "1926-03-11 is too long ago."),
        ({"day": "09.03.2026"}, "day", "Choose whether the day or the month comes first in 09.03.2026"),
        ({"day": None}, "day", "Nothing is not a day written YYYY-MM-DD."),
        ({"campaign": "Theirs"}, "campaign", "Campaign “Theirs” not found."),
        ({"campaign": ""}, "campaign", "Campaign is missing."),
        ({"campaign": "9" * 40}, "campaign", f"Campaign “{'9' * 40}” not found."),
        ({"number": "+13055552671"}, "number", "+13055552671 is not one of this tenant's numbers."),
        ({"number": "1.41556E+10"}, "number", "A spreadsheet has shortened this number to 1.41556E+10"),
        ({"number": float("nan")}, "number", "Number is missing."),
    ],
)
def test_a_wrong_row_is_refused_with_field_and_reason_and_nothing_is_written(
    session: Session, world: World, campaign: int, given: dict[str, object], field: str, reason: str
) -> None:
    make.number(session, world, "+13055552671", world.stranger)
    with pytest.raises(Refused) as refusal:
        save(session, world.operator, row(day="2026-03-07"), row(**given))
    (problem,) = refused(refusal.value.report)
    assert (problem.row, problem.field) == (2, field)
    assert problem.reason.startswith(reason)
    assert facts(session) == []
    assert not session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "health:import")).all()


def test_a_duplicate_in_one_file_is_refused_and_names_the_first(session: Session, world: World, campaign: int) -> None:
    with pytest.raises(Refused, match="Duplicate of row 1: same campaign, number and day\\."):
        save(session, world.operator, row(), row(number="14155552671", attempts=5))


def test_the_good_rows_are_kept_when_that_is_said(session: Session, world: World, campaign: int) -> None:
    saved = save(session, world.operator, row(answered=10), row(day="2026-03-08"), keep_good=True)
    assert (counted(saved), [result.row for result in refused(saved)]) == ((1, 0), [1])
    assert len(facts(session)) == 1
    with pytest.raises(Refused):
        save(session, world.operator, row(answered=10), keep_good=True)


@pytest.mark.parametrize(
    "written",
    [NUMBER, "14155552671", 14155552671, 14155552671.0, "+1 (415) 555-2671", "0014155552671", "'+14155552671"],
)
def test_a_number_is_known_without_its_plus_and_however_it_is_written(
    session: Session, world: World, campaign: int, written: object
) -> None:
    assert counted(save(session, world.operator, row(number=written))) == (1, 0)


@pytest.mark.parametrize(
    ("day", "order"),
    [
        (datetime(2026, 3, 9, 12, tzinfo=UTC), None),
        ("2026-03-09 00:00:00", None),
        ("2026-03-09", DayOrder.MONTH_FIRST),
        ("09/03/2026", DayOrder.DAY_FIRST),
        ("9.3.2026", DayOrder.DAY_FIRST),
        ("03/09/2026", DayOrder.MONTH_FIRST),
    ],
)
def test_a_day_is_read_as_it_was_said_to_be_written(
    session: Session, world: World, campaign: int, day: object, order: DayOrder | None
) -> None:
    save(session, world.operator, row(day=day), order=order)
    assert facts(session)[0][0] == date(2026, 3, 9)


def test_who_may_not_write_is_refused_and_so_is_nobodys_tenant(session: Session, world: World, campaign: int) -> None:
    with pytest.raises(Forbidden):
        save(session, world.viewer, row())
    with pytest.raises(NotFound):
        save(session, world.everywhere, row())
    with pytest.raises(Refused):
        save(session, world.stranger, row())
    assert facts(session) == []


def test_more_rows_than_a_batch_are_one_transaction(session: Session, world: World, campaign: int) -> None:
    first = TODAY - timedelta(days=imports.BATCH + 1)
    rows = [row(day=first + timedelta(days=at)) for at in range(imports.BATCH + 1)]
    imports.save(session, world.operator, HealthImport(today=TODAY), rows, source="test")
    assert len(facts(session)) == len(rows)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text(max_size=12), st.integers(), st.floats())] * 9), max_size=5))
def test_whatever_comes_has_an_outcome(
    session: Session, world: World, campaign: int, rows: list[tuple[object, ...]]
) -> None:
    checked = imports.check(session, world.operator, HealthImport(today=TODAY), [fact_row(*row) for row in rows])
    assert [result.row for result in checked.results] == list(range(1, len(rows) + 1))
    assert all(result.field and result.reason for result in refused(checked))


def test_short_and_completed_calls_exclude_one_another(session: Session, world: World, campaign: int) -> None:
    with pytest.raises(Refused, match="6 completed and 5 short calls are more than 10 answered"):
        save(session, world.operator, row(attempts=12, answered=10, completed=6, short_calls=5))
    assert counted(save(session, world.operator, row(attempts=12, answered=10, completed=5, short_calls=5))) == (1, 0)


def test_counts_in_usual_writings_come_in_as_they_are(session: Session, world: World, campaign: int) -> None:
    save(session, world.operator, row(attempts="1,234", answered="1 000.0", completed="'12"))
    assert facts(session) == [(date(2026, 3, 9), 1234, 1000, 12)]
    for wrong in (True, "1.234", "12 calls", "1_000"):
        with pytest.raises(Refused):
            save(session, world.operator, row(attempts=wrong, answered=0))


@pytest.mark.parametrize("written", ["spring", " Spring ", "SPRING\n"])
def test_a_campaign_is_known_as_it_is_stored(session: Session, world: World, campaign: int, written: str) -> None:
    assert counted(save(session, world.operator, row(campaign=written))) == (1, 0)


def test_rows_with_outcomes_can_be_mended_and_imported_again(session: Session, world: World, campaign: int) -> None:
    text = f"Campaign,Number,Day,Calls,Answered\nSpring,{NUMBER},2026-03-08,9,3\nSprung,{NUMBER},2026-03-09,9,3\n"
    kind = HealthImport(today=TODAY)
    job = importing.draft_of(session, world.operator, kind, text.encode())
    jobs.start(session, world.operator, job)
    importing.finished(session, world.operator, job)
    results = exports.text([import_jobs.results(session, world.operator, job)]).decode("utf-8-sig")
    assert results.splitlines() == [
        "Row,Outcome,Reason,Campaign,Number,Day,Calls,Answered",
        f"2,Added,The number is not in the pool of this campaign.,Spring,{NUMBER},2026-03-08,9,3",
        f"3,Refused,Campaign “Sprung” not found.,Sprung,{NUMBER},2026-03-09,9,3",
    ]
    assert imports.titles(HealthImport, importing.report(session, job).results[1].fields) == "Campaign"
    mended = rows_of(HealthImport, results.replace("Refused", "").replace(",Sprung", ",Spring").encode())
    report = importing.bring(session, world.operator, kind, mended)
    assert [result.outcome for result in report.results] == ["replaced", "added"]
    assert len(facts(session)) == 2


def test_a_file_writes_what_a_program_would_and_is_written_down_once(
    session: Session, world: World, campaign: int, configure: Configure
) -> None:
    configure(job_batch=2)
    rows = [row(day=f"2026-03-0{day}") for day in (3, 4, 5, 6, 7)]
    report = importing.bring(session, world.operator, HealthImport(today=TODAY), [*rows, row(answered=10)], "calls.csv")
    assert (counted(report), [one.reason for one in refused(report)]) == (
        (5, 0),
        ["10 answered is more than 9 attempts."],
    )
    assert [day for day, *_ in facts(session)] == [date(2026, 3, day) for day in (3, 4, 5, 6, 7)]
    event = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "health:import")).one()
    assert event.after == {
        "source": "calls.csv",
        "added": 5,
        "replaced": 0,
        "refused": 1,
        "first_day": "2026-03-03",
        "last_day": "2026-03-07",
    }


def test_a_check_tells_what_would_be_replaced_and_what_is_outside_of_the_pool(
    session: Session, world: World, campaign: int
) -> None:
    save(session, world.operator, row())
    number = session.scalars(sa.select(PhoneNumber.id).where(PhoneNumber.e164 == NUMBER)).one()
    rows = [row(), row(day="2026-03-08"), row(campaign="Nowhere")]
    kind = HealthImport(today=TODAY)
    before = imports.check(session, world.operator, kind, rows)
    campaigns.add_numbers(session, world.operator, campaign, [number], version=1)
    after = imports.check(session, world.operator, kind, rows)
    for report, reason in ((before, "The number is not in the pool of this campaign."), (after, "")):
        assert [one.outcome for one in report.results] == ["replaced", "added", "refused"]
        assert [one.reason for one in report.results[:2]] == [reason] * 2
    assert len(facts(session)) == 1


def test_an_id_of_too_many_digits_is_no_campaign(session: Session, world: World, campaign: int) -> None:
    for written in (f"{campaign:018d}{'9' * 18}", "9" * 5000, f"{campaign}.5", "²"):
        saved = save(session, world.operator, row(campaign=written), row(), keep_good=True)
        assert [result.field for result in refused(saved)] == ["campaign"]
