"""Numbers that come in by the file: every row has an outcome, and nothing is half-written."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

import db.base.engine
import db.orders.queries
from db.base.locks import CLAIMED_SINGLY
from db.base.scope import Slice
from db.models import AuditEvent, NumberCount, PhoneNumber
from db.numbers.matching import NumberQuery
from services.audit import audit
from services.connections import connections
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.jobs import engine, import_jobs, imports, jobs
from services.jobs.imports import Outcome, Report, Result, Row
from services.numbers import numbers
from services.numbers.number_import import NumberImport
from services.orders import orders
from services.text import exports
from tests.conftest import Configure, World
from tests.world import importing, make
from tests.world.rows import number_row, rows_of

NUMBER, SECOND, THIRD = "+14155552671", "+14155552672", "+14155552673"


def row(number: object = NUMBER, connection: object = "SIP", **cells: object) -> Row:
    return number_row(number, connection, **cells)  # type: ignore[arg-type]


def save(session: Session, world: World, *rows: Row, **choices: object) -> Report:
    kind = NumberImport(**choices)  # type: ignore[arg-type]
    return importing.bring(session, world.operator, kind, rows, "numbers.csv")


def outcomes(report: Report) -> list[str]:
    return [str(result.outcome) for result in report.results]


def on_record(session: Session) -> list[str]:
    return sorted(session.scalars(sa.select(PhoneNumber.e164)))


def events(session: Session, action: str) -> list[AuditEvent]:
    return list(session.scalars(sa.select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def test_a_row_becomes_a_number_with_everything_that_it_says(session: Session, world: World) -> None:
    given = row(
        "098765 43210",
        "mcube",
        label=" Desk ",
        agent="maya",
        allowed_inbound="India; US",
        allowed_outbound="UK, India",
        tags="west; sales,West",
        notes="From the old console",
        executive_number="98765",
        exophone_sid="of another provider",
    )
    report = save(session, world, given)
    assert report.results == [Result(1, Outcome.ADDED, "+919876543210")]
    (found,) = numbers.search(session, world.viewer, NumberQuery(), Slice())
    seen = numbers.get(session, world.viewer, found.id)
    assert (seen.e164, seen.country, seen.label, seen.agent) == ("+919876543210", "IN", "Desk", "Maya")
    assert (seen.connection, seen.provider, seen.is_managed) == ("mCube", "mcube", False)
    assert (seen.allowed_inbound, seen.allowed_outbound) == (["IN", "US"], ["GB", "IN"])
    assert (seen.tags, seen.notes) == (["sales", "west"], "From the old console")
    assert seen.provider_fields == {"executive_number": "98765"}
    assert timedelta() <= datetime.now(UTC) - seen.created_at < timedelta(minutes=1)
    (event,) = audit.history(session, world.viewer, "number", found.id, Slice())
    assert (event.actor, event.action) == ("Operator", "numbers:add")
    assert event.after == numbers.words(session, session.get_one(PhoneNumber, found.id))


def test_an_import_is_written_down_once_and_each_number_too(session: Session, world: World) -> None:
    make.number(session, world, THIRD)
    save(session, world, row(), row(SECOND), row(THIRD), row("12"))
    (event,) = events(session, "numbers:import_file")
    assert (event.subject_label, event.actor_name, event.tenant_id) == ("numbers.csv", "Operator", world.tenant)
    assert event.after == {
        "source": "numbers.csv",
        "added": 2,
        "updated": 0,
        "already_here": 1,
        "differing": 0,
        "refused": 1,
    }
    assert [found.subject_label for found in events(session, "numbers:add")] == [THIRD, NUMBER, SECOND]


def test_a_check_says_what_would_come_and_writes_nothing(session: Session, world: World) -> None:
    make.number(session, world, SECOND)
    rows = [row(), row(SECOND), row("+15551234567"), row("12")]
    report = imports.check(session, world.operator, NumberImport(), rows)
    assert outcomes(report) == ["added", "here", "doubtful", "refused"]
    assert on_record(session) == [SECOND]
    assert not events(session, "numbers:import_file")


def test_the_same_file_again_changes_nothing(session: Session, world: World) -> None:
    rows = [row(label="Desk", tags="sales"), row(SECOND)]
    assert outcomes(save(session, world, *rows)) == ["added", "added"]
    before = session.execute(sa.select(PhoneNumber.id, PhoneNumber.version, PhoneNumber.updated_at)).all()
    written = session.scalar(sa.select(sa.func.count(AuditEvent.id)))
    assert outcomes(save(session, world, *rows)) == ["here", "here"]
    assert outcomes(save(session, world, row(label="Other", agent="Nobody"))) == ["differs"]
    assert session.execute(sa.select(PhoneNumber.id, PhoneNumber.version, PhoneNumber.updated_at)).all() == before
    assert session.scalar(sa.select(sa.func.count(AuditEvent.id))) == written


@pytest.mark.parametrize(
    ("wrong", "field", "reason"),
    [
        (row(""), "number", "Enter a phone number."),
        (row(None), "number", "Enter a phone number."),
        (row("call me"), "number", "call me has letters. A phone number has only digits."),
        (row("+1415"), "number", "+1415 cannot be a phone number: it is too short."),
        (row("1.41556E+10"), "number", "A spreadsheet has shortened this number to 1.41556E+10 and lost digits"),
        (row("555-2671"), "number", "Start with + and the country calling code"),
        (row(SECOND, "Nowhere"), "connection", "Connection “Nowhere” not found."),
        (row("555 2671", "Nowhere"), "connection", "Connection “Nowhere” not found."),
        (row(SECOND, "Other SIP"), "connection", "Connection “Other SIP” not found."),
        (row(SECOND, ""), "connection", "No connection given. Choose a default connection."),
        (row(SECOND, "Retired"), "connection", "The connection Retired is inactive. Choose an active one."),
        (row(SECOND, agent="Nobody"), "agent", "Agent “Nobody” not found."),
        (row(SECOND, agent="Zoe"), "agent", "Agent “Zoe” not found."),
        (row(SECOND, agent="Rita"), "agent", "The agent Rita is inactive. Choose an active one."),
        (row(SECOND, label="x" * 65), "label", "A label has at most 64 characters; this one has 65."),
        (row(SECOND, allowed_inbound="US; Atlantis"), "allowed_inbound", "Atlantis is not a country"),
        (row(SECOND, tags="x" * 33), "tags", "A tag has at most 32 characters"),
        (row(SECOND, notes="x" * 2001), "notes", "Notes have at most 2,000 characters"),
        (row(SECOND, "mCube"), "executive_number", "Enter the executive number."),
        (row(SECOND, "mCube", executive_number="x"), "executive_number", "An executive number has 4 to 15"),
        (row(NUMBER), "number", "Duplicate of row 1."),
        (row("14155552671", "Twilio"), "number", "Duplicate of row 1."),
        (row("+13055552671"), "number", "+1 305 555 2671 already exists. A number can be added only once."),
        (row("+15551234567"), "number", "+1 555 123 4567 already exists."),
        (row("+12125552368"), "number", "+1 212 555 2368 is already being ordered or changed."),
    ],
)
def test_a_wrong_row_is_refused_with_field_and_reason_and_only_the_others_are_written(
    session: Session, world: World, wrong: Row, field: str, reason: str
) -> None:
    make.number(session, world, "+13055552671", world.stranger)
    make.number(session, world, "+15551234567", world.stranger)
    make.order(session, world, "+12125552368")
    session.commit()
    before = on_record(session)
    good, bad = save(session, world, row(), wrong).results
    assert (good.outcome, bad.outcome, bad.row, bad.field) == (Outcome.ADDED, Outcome.REFUSED, 2, field)
    assert bad.reason.startswith(reason)
    assert not any(name in bad.reason for name in ("Other,", "stranger", "Stranger"))
    assert on_record(session) == sorted([*before, NUMBER])
    (event,) = events(session, "numbers:import_file")
    assert (event.after["added"], event.after["refused"]) == (1, 1)


def test_the_good_rows_are_written_and_nothing_is_started_when_none_is(session: Session, world: World) -> None:
    report = save(session, world, row("12"), row(), row("+15551234567"))
    assert outcomes(report) == ["refused", "added", "doubtful"]
    assert on_record(session) == [NUMBER]
    job = importing.draft(session, world.operator, NumberImport(), [row("12")])
    with pytest.raises(InvalidInput, match="Nothing would change"):
        jobs.start(session, world.operator, job)


def test_a_number_on_no_plan_needs_insisting(session: Session, world: World) -> None:
    (doubted,) = save(session, world, row("+15551234567")).results
    assert (doubted.outcome, on_record(session)) == (Outcome.DOUBTFUL, [])
    assert "not in the numbering plan we know" in doubted.reason
    assert outcomes(save(session, world, row("+15551234567"), insist=True)) == ["added"]


@pytest.mark.parametrize(
    ("written", "connection", "e164"),
    [
        ("14155552671", "SIP", NUMBER),
        (14155552671, "SIP", NUMBER),
        (14155552671.0, "Exotel", NUMBER),
        ("'+1 415 555 2671", "SIP", NUMBER),
        ("(415) 555-2671", "Twilio", NUMBER),
        ("4155552671", "Twilio · Twilio", NUMBER),
        ("9876543210", "Exotel", "+919876543210"),
        ("12345", "mCube", "12345"),
    ],
)
def test_a_number_is_understood_however_a_spreadsheet_left_it(
    session: Session, world: World, written: object, connection: str, e164: str
) -> None:
    save(session, world, row(written, connection, executive_number="98765"))
    assert on_record(session) == [e164]


def test_rows_that_name_no_connection_take_the_chosen_one(session: Session, world: World) -> None:
    save(session, world, row("415 555 2671", ""), row(SECOND, None), row(THIRD), connection_id=world.twilio)
    found = numbers.search(session, world.viewer, NumberQuery(), Slice())
    assert {number.e164: number.connection for number in found} == {NUMBER: "Twilio", SECOND: "Twilio", THIRD: "SIP"}
    (refused,) = save(session, world, row("+14155552674", ""), connection_id=world.other_sip).results
    assert refused.reason.startswith("No connection given")


def test_rows_with_outcomes_can_be_mended_and_imported_again(session: Session, world: World) -> None:
    text = "Number,Connection,Name,Colour\n+14155552671,SIP,=1+1,red\n+14155552672,Nowhere,,blue\n"

    def made(job: int) -> str:
        return exports.text([import_jobs.results(session, world.operator, job)]).decode("utf-8-sig")

    job = importing.draft_of(session, world.operator, NumberImport(), text.encode())
    assert made(job).splitlines()[1] == "2,Will be added,,+14155552671,SIP,'=1+1,red"
    jobs.start(session, world.operator, job)
    importing.finished(session, world.operator, job)
    assert made(job).splitlines() == [
        "Row,Outcome,Reason,Number,Connection,Name,Colour",
        "2,Added,,+14155552671,SIP,'=1+1,red",
        "3,Refused,Connection “Nowhere” not found.,+14155552672,Nowhere,,blue",
    ]
    again = importing.draft_of(
        session, world.operator, NumberImport(), made(job).replace("Nowhere,,", "SIP,,").encode()
    )
    assert outcomes(importing.report(session, again)) == ["here", "added"]
    assert made(again).splitlines()[0] == "Row,Outcome,Reason,Number,Connection,Name,Colour"


def test_the_template_can_be_imported_as_it_is(session: Session, world: World) -> None:
    (found,) = rows_of(NumberImport, imports.template(NumberImport, connection="SIP"))
    assert list(found.cells) == [field.name for field in NumberImport.fields]
    assert outcomes(save(session, world, found)) == ["added"]


def test_who_may_not_add_is_refused_and_so_is_nobodys_tenant(session: Session, world: World) -> None:
    for act in (imports.check, importing.draft):
        with pytest.raises(Forbidden):
            act(session, world.viewer, NumberImport(), [row()])
        with pytest.raises(NotFound):
            act(session, world.everywhere, NumberImport(), [row()])
    assert on_record(session) == []


def test_too_many_rows_are_refused(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match=r"The file has 100,001 rows; at most 100,000 can be imported at once\."):
        save(session, world, *[row()] * 100_001)


MANY = [number_row(f"+1415{2000000 + i}", "SIP") for i in range(imports.BATCH + 1)]


def test_more_rows_than_a_step_are_written_and_written_down_once(session: Session, world: World) -> None:
    importing.bring(session, world.operator, NumberImport(), MANY)
    assert len(on_record(session)) == len(MANY)
    assert [event.after["added"] for event in events(session, "numbers:import_file")] == [len(MANY)]
    counted = sa.select(sa.func.sum(NumberCount.n)).where(NumberCount.tenant_id == world.tenant)
    assert session.scalar(counted) == len(MANY)


@pytest.mark.parametrize("status", ["", "Active", "in service", "IN USE"])
def test_a_row_that_says_to_be_in_use_comes_in(session: Session, world: World, status: str) -> None:
    assert outcomes(save(session, world, row(status=status))) == ["added"]


@pytest.mark.parametrize("status", ["Released", "removed", "Inactive", "Ported out", "0"])
def test_a_row_that_says_to_be_out_of_use_does_not_come_in_as_active(
    session: Session, world: World, status: str
) -> None:
    (result,) = imports.check(session, world.operator, NumberImport(), [row(status=status)]).results
    assert (result.outcome, result.field) == (Outcome.REFUSED, "status")
    assert f"Its status is {status}" in result.reason
    make.number(session, world, NUMBER)
    assert outcomes(save(session, world, row(status=status))) == ["differs"]


def test_rows_are_named_by_their_numbers_in_the_file_and_one_that_did_not_fit_is_refused(
    session: Session, world: World
) -> None:
    report = save(session, world, row(at=3), row(at=7), row(SECOND, at=9, problem="This row has 4 cells."))
    assert [(found.row, found.reason) for found in report.results] == [
        (3, ""),
        (7, "Duplicate of row 3."),
        (9, "This row has 4 cells."),
    ]
    assert on_record(session) == [NUMBER]


def test_rows_are_judged_anew_on_what_is_on_record_when_they_are_written(
    session: Session, world: World, configure: Configure
) -> None:
    configure(job_batch=1)
    job = importing.draft(
        session, world.operator, NumberImport(), [row(), row(SECOND), row(THIRD), row("+14155552674")]
    )
    make.number(session, world, SECOND, world.stranger)
    make.number(session, world, THIRD, label="Mine by now")
    jobs.start(session, world.operator, job)
    engine.advance(job)
    connections.set_active(session, world.admin, world.sip, False, version=1)
    importing.finished(session, world.operator, job)
    assert [(one.outcome, one.reason) for one in importing.report(session, job).results] == [
        (Outcome.ADDED, ""),
        (Outcome.REFUSED, "The connection SIP is inactive. Choose an active one."),
        (Outcome.HERE, ""),
        (Outcome.REFUSED, "The connection SIP is inactive. Choose an active one."),
    ]
    assert len(on_record(session)) == 3


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do *acts* in threads of their own that start together; return what each returned, or its refusal."""
    barrier, done = threading.Barrier(len(acts)), []

    def run(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            done.append(act())
        except InvalidInput as exc:
            done.append(exc)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done


@pytest.mark.parametrize("amount", [20, CLAIMED_SINGLY + 1])
def test_imports_and_single_numbers_at_once_add_each_number_once(session: Session, world: World, amount: int) -> None:
    rows = [row(f"+1415555{2000 + i}") for i in range(amount)]

    def bring(rows: list[Row]) -> int:
        with db.base.engine.open_session() as own:
            return save(own, world, *rows).count(Outcome.ADDED)

    def register() -> int:
        with db.base.engine.open_session() as own:
            return 1 if make.number(own, world, "+14155552010", world.stranger) else 0

    done = at_once(lambda: bring(rows), lambda: bring(rows[::-1]), register, lambda: bring(rows[5:]))
    assert sum(one for one in done if isinstance(one, int)) == amount
    assert len(on_record(session)) == amount
    assert sorted(event.subject_label for event in events(session, "numbers:add")) == on_record(session)


@pytest.mark.parametrize("amount", [20, CLAIMED_SINGLY + 1])
def test_a_number_is_imported_or_ordered_but_never_both(session: Session, world: World, amount: int) -> None:
    wanted = [f"+1415555{2000 + i}" for i in range(amount)]

    def bring() -> Report:
        with db.base.engine.open_session() as own:
            return save(own, world, *map(row, wanted))

    def buy(e164: str) -> int:
        with db.base.engine.open_session() as own:
            return orders.place_purchase(own, world.operator, world.twilio, orders.Purchase(e164))

    done = at_once(bring, *(partial(buy, e164) for e164 in wanted[:6]))
    (report,) = (one for one in done if isinstance(one, Report))
    ordered = db.orders.queries.open_numbers(session)
    assert ordered | set(on_record(session)) == set(wanted)
    assert not ordered & set(on_record(session))
    assert {result.number for result in report.results if result.outcome is Outcome.REFUSED} == ordered


cells = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(),
    st.floats(),
    st.sampled_from(["SIP", "mCube", NUMBER, "14155552671", "Maya", "US; India", "'=1", "Retired"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.lists(st.tuples(*[cells] * 8, st.fixed_dictionaries({"executive_number": cells})), max_size=5), st.booleans())
def test_whatever_comes_has_an_outcome(
    session: Session, world: World, rows: list[tuple[Any, ...]], insist: bool
) -> None:
    fields = [field.name for field in NumberImport.fields[:8]]
    found = [Row(dict(zip(fields, row[:8], strict=True)) | row[8]) for row in rows]
    checked = imports.check(session, world.operator, NumberImport(insist=insist), found)
    assert [result.row for result in checked.results] == list(range(1, len(rows) + 1))
    for result in checked.results:
        wrong = result.outcome in (Outcome.REFUSED, Outcome.DOUBTFUL)
        assert bool(result.field) == wrong
        assert bool(result.reason) == (wrong or result.outcome is Outcome.DIFFERS)
    if found:
        job = importing.draft(session, world.operator, NumberImport(insist=insist), found)
        assert outcomes(importing.report(session, job)) == outcomes(checked)
        jobs.discard(session, world.operator, job)
