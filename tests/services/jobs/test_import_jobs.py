"""Files as jobs: kept as a preview, written by the engine, and mended where they are."""

from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.jobs.queries
from db.base.scope import Slice
from db.models import AuditEvent, Job, JobItem, JobState, PhoneNumber
from db.models import Outcome as Done
from services.audit import audit
from services.core.access import Actor
from services.core.errors import Conflict, Forbidden, NotFound
from services.health.health_import import HealthImport
from services.jobs import drafts, engine, import_jobs, imports, jobs
from services.jobs.import_kinds import CHANGED_SINCE
from services.jobs.imports import Outcome
from services.numbers import numbers
from services.numbers.number_import import NumberImport
from services.setup import builder
from services.text import exports, files
from tests.conftest import Configure, World
from tests.world import importing, make
from tests.world.rows import fact_row, number_row

NUMBER, SECOND, THIRD = "+14155552671", "+14155552672", "+14155552673"
DAY = date(2026, 5, 3)
MIXED = f"Phone,Trunk,Colour\n{NUMBER},SIP,red\n{SECOND},Nowhere,blue\n{THIRD},mCube,\n,SIP,a,b\n".encode()


def told(session: Session, job: int) -> list[tuple[int, str, str]]:
    return [(one.row, str(one.outcome), one.reason) for one in importing.report(session, job).results]


def run(session: Session, actor: Actor, job: int) -> db.jobs.queries.JobRow:
    jobs.start(session, actor, job)
    return importing.finished(session, actor, job)


def on_record(session: Session) -> list[str]:
    session.rollback()
    return sorted(session.scalars(sa.select(PhoneNumber.e164)))


def test_a_preview_keeps_the_file_and_nothing_of_the_tab(session: Session, world: World) -> None:
    job = importing.draft_of(session, world.operator, NumberImport(), MIXED, "moved.csv")
    session.expire_all()
    row = jobs.get(session, world.operator, job)
    assert (row.title, row.state, row.total, row.done, row.refused) == (
        "Import numbers: moved.csv",
        JobState.DRAFT,
        4,
        3,
        3,
    )
    assert [item.settings["cells"] for item in jobs.items(session, world.operator, job, (), Slice())] == [
        [NUMBER, "SIP", "red"],
        [SECOND, "Nowhere", "blue"],
        [THIRD, "mCube", ""],
        ["", "SIP", "a", "b"],
    ]
    assert on_record(session) == []
    assert engine.advance(job) is engine.Step.END  # nobody started it
    assert [one.id for one in import_jobs.previews(session, world.operator, NumberImport)] == [job]
    assert import_jobs.previews(session, world.admin, NumberImport) == []


def test_a_preview_that_nobody_starts_is_gone_after_a_day(session: Session, world: World) -> None:
    job = importing.draft_of(session, world.operator, NumberImport(), MIXED, "old.csv")
    session.get_one(Job, job).created_at = datetime.now(UTC) - drafts.KEPT - timedelta(minutes=1)
    session.commit()
    importing.draft_of(session, world.operator, NumberImport(), MIXED, "new.csv")
    (left,) = import_jobs.previews(session, world.operator, NumberImport)
    assert left.settings["source"] == "new.csv"
    assert session.scalar(sa.select(sa.func.count()).select_from(JobItem)) == 4


@pytest.mark.parametrize(
    "cell",
    [
        "a\0b",
        "half \ud800",
        "'=1",
        "=1",
        14155552671.0,
        float("nan"),
        float("inf"),
        10**20,
        True,
        None,
        date(2026, 5, 3),
    ],
)
def test_a_cell_is_kept_as_it_is(session: Session, world: World, cell: object) -> None:
    packed = files.packed(cell)
    session.add(Job(id=77, tenant_id=world.tenant, user_id=world.operator.user_id, kind="x", title="x"))
    session.flush()
    session.add(JobItem(job_id=77, place=1, subject="x", settings={"cells": [packed]}))
    session.commit()
    session.expire_all()
    kept = files.unpacked(session.get_one(JobItem, (77, 1)).settings["cells"][0])
    assert files.text(kept) == files.text(cell)
    assert type(kept) is type(cell)


def test_mended_rows_are_checked_anew_in_a_preview_beside_the_others(session: Session, world: World) -> None:
    job = importing.draft_of(session, world.operator, NumberImport(), MIXED)
    rows = import_jobs.wrong(session, world.operator, job, 10)
    assert [(row.place, row.fields, row.cells) for row in rows] == [
        (3, ["connection"], [SECOND, "Nowhere", "blue"]),
        (4, ["executive_number"], [THIRD, "mCube", ""]),
        (5, ["cells"], ["", "SIP", "a", "b"]),
    ]
    mended = {3: {0: NUMBER, 1: "SIP"}, 4: {"executive_number": "98765"}, 5: {0: SECOND, 3: ""}}
    assert import_jobs.mend(session, world.operator, job, mended) == job  # type: ignore[arg-type]
    assert told(session, job) == [
        (2, "added", ""),
        (3, "refused", "Duplicate of row 2."),
        (4, "added", ""),
        (5, "added", ""),
    ]
    assert run(session, world.operator, job).changed == 3
    assert on_record(session) == [NUMBER, SECOND, THIRD]
    header = exports.text([import_jobs.results(session, world.operator, job)]).decode("utf-8-sig").splitlines()[0]
    assert header == "Row,Outcome,Reason,Phone,Trunk,Colour,Executive number"


def test_refused_rows_of_a_job_that_has_ended_become_a_new_preview(session: Session, world: World) -> None:
    job = importing.draft_of(session, world.operator, NumberImport(), MIXED, "moved.csv")
    assert run(session, world.operator, job).changed == 1
    again = import_jobs.mend(session, world.operator, job, {3: {1: "SIP"}})
    assert [one[:2] for one in told(session, again)] == [(3, "added"), (4, "refused"), (5, "refused")]
    assert jobs.get(session, world.operator, again).title == "Import numbers: moved.csv"
    assert run(session, world.operator, again).changed == 1
    assert on_record(session) == [NUMBER, SECOND]
    taken = exports.text([import_jobs.results(session, world.operator, job, [Done.REFUSED])]).decode("utf-8-sig")
    assert [line.split(",")[0] for line in taken.splitlines()] == ["Row", "3", "4", "5"]


def test_only_who_may_import_can_mend_and_not_while_the_job_is_at_work(session: Session, world: World) -> None:
    job = importing.draft_of(session, world.operator, NumberImport(), MIXED)
    for actor, problem in ((world.viewer, NotFound), (world.stranger, NotFound), (world.admin, NotFound)):
        with pytest.raises(problem):
            import_jobs.mend(session, actor, job, {})
    jobs.start(session, world.operator, job)
    with pytest.raises(Conflict, match="still at work"):
        import_jobs.mend(session, world.operator, job, {})
    importing.finished(session, world.operator, job)
    with pytest.raises(Forbidden):
        import_jobs.mend(session, world.viewer, job, {})
    with pytest.raises(NotFound):
        import_jobs.results(session, world.stranger, job)


def test_a_job_that_stops_midway_goes_on_where_it_was(session: Session, world: World, configure: Configure) -> None:
    configure(job_batch=2)
    rows = [number_row(f"+1415555{2000 + at}", "SIP") for at in range(5)]
    job = importing.draft(session, world.operator, NumberImport(), rows)
    jobs.start(session, world.operator, job)
    engine.advance(job)
    assert len(on_record(session)) == 2
    assert len(told(session, job)) == 5
    done = importing.finished(session, world.operator, job)
    assert (done.state, done.changed) == (JobState.DONE, 5)
    assert len(on_record(session)) == 5
    added = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "numbers:add")).all()
    assert len(added) == 5


def test_a_cancelled_import_keeps_what_was_written_and_counts_it(
    session: Session, world: World, configure: Configure
) -> None:
    configure(job_batch=2)
    rows = [number_row(f"+1415555{2000 + at}", "SIP") for at in range(5)]
    job = importing.draft(session, world.operator, NumberImport(), rows)
    jobs.start(session, world.operator, job)
    engine.advance(job)
    jobs.cancel(session, world.operator, job)
    assert importing.finished(session, world.operator, job).state is JobState.CANCELLED
    (event,) = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "numbers:import_file"))
    assert event.after["added"] == 2
    words = [import_jobs.word(item) for item in items(session, world, job)]
    assert words == ["Added", "Added", *["Not done"] * 3]


def items(session: Session, world: World, job: int) -> list[db.jobs.queries.ItemRow]:
    return jobs.items(session, world.operator, job, (), Slice())


def test_a_reason_of_many_words_is_kept_whole(session: Session, world: World) -> None:
    make.number(session, world, NUMBER, notes="x" * 200, label="a" * 60, tags=["t" * 32])
    row = number_row(NUMBER, "SIP", notes="y" * 200, label="b" * 60, tags="u" * 32, allowed_inbound="US", agent="Maya")
    job = importing.draft(session, world.operator, NumberImport(), [row])
    ((_, outcome, reason),) = told(session, job)
    assert (outcome, reason) == (
        "differs",
        imports.check(session, world.operator, NumberImport(), [row]).results[0].reason,
    )
    assert len(reason) > 300


def test_numbers_on_record_are_updated_when_that_is_said(session: Session, world: World) -> None:
    first = make.number(session, world, NUMBER, label="Desk", tags=["old"], notes="Mine", allowed_inbound=["CA", "US"])
    second, third = make.number(session, world, SECOND), make.number(session, world, THIRD)
    rows = [
        number_row(NUMBER, "SIP", label="Till", agent="maya", tags="new", notes="Theirs", allowed_inbound="US; Canada"),
        number_row(SECOND, "SIP", label="", agent="Rita", tags="", notes="", allowed_inbound=""),
        number_row(THIRD, "SIP", label="Third", agent="", tags="", notes="", allowed_inbound=""),
        number_row(THIRD, "SIP", label="Other", agent="", tags="", notes="", allowed_inbound=""),
    ]
    job = importing.draft(session, world.operator, NumberImport(update=True), rows)
    assert told(session, job) == [
        (
            1,
            "updated",
            "Notes: here “Mine”, in the file “Theirs”. "
            "Not changed: an import updates label, agent, countries and tags.",
        ),
        (2, "refused", "The agent Rita is inactive. Choose an active one."),
        (3, "updated", ""),
        (4, "refused", "Duplicate of row 3."),
    ]
    (item, *_) = items(session, world, job)
    assert (item.before, item.after) == (
        {"label": "Desk", "agent": None, "tags": ["old"]},
        {"label": "Till", "agent": "Maya", "tags": ["new"]},
    )
    numbers.rename(session, world.admin, third, "Changed since", version=1)

    done = run(session, world.operator, job)

    assert (done.changed, done.refused) == (1, 3)
    assert told(session, job)[2] == (3, "refused", CHANGED_SINCE)
    row = numbers.get(session, world.operator, first)
    assert (row.label, row.agent_id, list(row.tags), row.notes, row.version) == (
        "Till",
        world.agent,
        ["new"],
        "Mine",
        2,
    )
    event = audit.history(session, world.operator, "number", first, Slice())[0]
    assert (event.action, event.version) == ("numbers:update_by_file", 2)
    assert (event.before, event.after) == (item.before, item.after | {"job": job})
    assert numbers.get(session, world.operator, second).version == 1
    assert numbers.get(session, world.operator, third).label == "Changed since"


def test_facts_that_are_there_are_replaced_and_a_duplicate_never_replaces_its_twin(
    session: Session, world: World, configure: Configure
) -> None:
    configure(job_batch=1)
    builder.campaign(session, world.tenant, "Spring")
    session.commit()
    make.number(session, world, NUMBER)
    rows = [fact_row("Spring", NUMBER, "2026-03-09", 9, 3), fact_row("Spring", NUMBER, "2026-03-09", 8, 3)]
    job = importing.draft(session, world.operator, HealthImport(), rows)
    assert run(session, world.operator, job).changed == 1
    assert [one[1] for one in told(session, job)] == ["added", "refused"]
    again = importing.bring(session, world.operator, HealthImport(), rows[1:])
    assert [one.outcome for one in again.results] == [Outcome.REPLACED]
