"""Bulk changes of numbers: frozen when they are previewed, done by a job, with an outcome for each number."""

from itertools import pairwise

import pytest
from sqlmodel import Session

import db.jobs.queries
from db.audit.queries import AuditQuery
from db.base.scope import Scope, Slice
from db.models import Job, JobState, KeyScope, Membership, NumberStatus, Outcome, Role, Tenant
from db.numbers.matching import NumberQuery
from services.audit import audit
from services.core.access import Actor
from services.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from services.jobs import engine, jobs
from services.numbers import bulk, numbers
from services.numbers.bulk import Chosen
from services.people import api_keys
from services.text import numbering
from tests.conftest import Configure, World
from tests.world import make
from tests.world.waiting import until


def draft(session: Session, actor: Actor, name: str, chosen: Chosen, **values: object) -> int:
    return bulk.draft(name, session, actor, chosen, **values)


def run(session: Session, actor: Actor, job: int, typed: str = "") -> db.jobs.queries.JobRow:
    jobs.start(session, actor, job, typed)
    return finished(session, actor, job)


def finished(session: Session, actor: Actor, job: int) -> db.jobs.queries.JobRow:
    for _ in range(1_000):
        if engine.advance(job) is engine.Step.END:
            session.rollback()
            return jobs.get(session, actor, job)
    raise AssertionError("the job does not end")


def outcomes(session: Session, actor: Actor, job: int) -> dict[str, tuple[Outcome, str]]:
    found = jobs.items(session, actor, job, (), Slice(1, 1_000))
    return {item.subject: (item.outcome, item.reason) for item in found}


def test_a_preview_changes_nothing_and_says_what_would(session: Session, world: World) -> None:
    ids = make.several(session, world, 3)
    numbers.deactivate(session, world.operator, ids[0], version=1)
    numbers.remove(session, world.operator, ids[1], version=1)

    job = draft(session, world.operator, "deactivate", Chosen(ids=tuple(ids)))

    preview = jobs.outcomes(session, world.operator, job)
    assert preview.outcomes == {Outcome.WAITING: 1, Outcome.UNCHANGED: 1, Outcome.REFUSED: 1}
    assert preview.reasons == [(str(numbers.gone()), 1)]
    (item,) = jobs.items(session, world.operator, job, [Outcome.WAITING], Slice())
    assert (item.before, item.after) == ({"status": "active"}, {"status": "inactive"})
    assert engine.advance(job) is engine.Step.END  # nobody started it
    assert numbers.get(session, world.operator, ids[2]).status is NumberStatus.ACTIVE
    assert jobs.count(session, world.operator, db.jobs.queries.JobQuery()) == 0


def test_a_job_changes_all_and_tells_the_log_of_each(session: Session, world: World) -> None:
    ids = make.several(session, world, 5)
    job = draft(session, world.operator, "assign_agent", Chosen(ids=tuple(ids)), agent_id=world.agent)

    done = run(session, world.operator, job)

    assert (done.state, done.total, done.done, done.changed, done.refused) == (JobState.DONE, 5, 5, 5, 0)
    for number_id in ids:
        row = numbers.get(session, world.operator, number_id)
        assert (row.agent_id, row.version) == (world.agent, 2)
        event = audit.history(session, world.operator, "number", number_id, Slice())[0]
        assert (event.action, event.version) == ("numbers:assign_agent", 2)
        assert event.before == {"agent": None}
        assert event.after == {"agent": row.agent, "job": job}
    log = audit.search(session, world.operator, AuditQuery(kinds=("job",)), Slice())
    assert [event.action for event in log] == ["jobs:end", "jobs:start"]


def test_all_that_match_are_meant_without_what_was_unticked(session: Session, world: World) -> None:
    ids = make.several(session, world, 4)
    make.number(session, world, "+14155553999", label="Other")
    query = NumberQuery(search=numbering.search_text("Line"))

    job = draft(session, world.operator, "add_tags", Chosen(query=query, but=frozenset(ids[:1])), tags=["vip"])
    make.number(session, world, "+14155553998", label="Line that came later")
    done = run(session, world.operator, job)

    assert (done.total, done.changed) == (3, 3)
    tagged = numbers.search(session, world.operator, NumberQuery(tags=("vip",)), Slice())
    assert sorted(row.id for row in tagged) == ids[1:]


def test_who_changes_a_number_after_the_preview_is_not_overwritten(session: Session, world: World) -> None:
    ids = make.several(session, world, 2)
    job = draft(session, world.operator, "deactivate", Chosen(ids=tuple(ids)))
    numbers.rename(session, world.admin, ids[0], "Mine", version=1)

    done = run(session, world.operator, job)

    assert (done.changed, done.refused) == (1, 1)
    assert outcomes(session, world.operator, job)["+14155552000"] == (Outcome.REFUSED, bulk.CHANGED_SINCE)
    assert numbers.get(session, world.operator, ids[0]).status is NumberStatus.ACTIVE


def test_undo_gives_everything_back_but_what_was_changed_since(session: Session, world: World) -> None:
    ids = make.several(session, world, 3)
    numbers.set_tags_and_notes(session, world.operator, ids[1], ["old", "vip"], "", version=1)
    job = draft(session, world.operator, "add_tags", Chosen(ids=tuple(ids)), tags=["vip"])
    assert run(session, world.operator, job).changed == 2
    numbers.rename(session, world.operator, ids[2], "Changed since", version=2)

    undoing = jobs.undo(session, world.operator, job)
    done = finished(session, world.operator, undoing)

    assert (done.total, done.changed, done.refused, done.undoes) == (2, 1, 1, job)
    assert [list(numbers.get(session, world.operator, one).tags) for one in ids] == [[], ["old", "vip"], ["vip"]]
    with pytest.raises(Conflict):
        jobs.undo(session, world.operator, job)


def test_undo_brings_removed_numbers_back_unless_they_were_added_again(session: Session, world: World) -> None:
    ids = make.several(session, world, 2)
    job = draft(session, world.operator, "remove", Chosen(ids=tuple(ids)))
    with pytest.raises(InvalidInput, match="Type 2 to confirm"):
        jobs.start(session, world.operator, job, "3")
    assert run(session, world.operator, job, "2").changed == 2
    make.number(session, world, "+14155552001")

    done = finished(session, world.operator, jobs.undo(session, world.operator, job))

    assert (done.changed, done.refused) == (1, 1)
    assert numbers.get(session, world.operator, ids[0]).status is NumberStatus.INACTIVE
    assert numbers.get(session, world.operator, ids[1]).status is NumberStatus.REMOVED


def test_a_cancelled_job_stops_between_items(session: Session, world: World, configure: Configure) -> None:
    configure(job_batch=2)
    ids = make.several(session, world, 5)
    job = draft(session, world.operator, "deactivate", Chosen(ids=tuple(ids)))
    jobs.start(session, world.operator, job)
    engine.advance(job)
    session.rollback()

    jobs.cancel(session, world.operator, job)
    done = finished(session, world.operator, job)

    assert (done.state, done.changed, done.done) == (JobState.CANCELLED, 2, 2)
    assert [one for one, _ in outcomes(session, world.operator, job).values()].count(Outcome.CANCELLED) == 3
    assert finished(session, world.operator, jobs.undo(session, world.operator, job)).changed == 2


@pytest.mark.parametrize("how", ["role", "tenant", "user"])
def test_who_loses_access_midway_stops_the_job(session: Session, world: World, configure: Configure, how: str) -> None:
    configure(job_batch=1)
    ids = make.several(session, world, 3)
    job = draft(session, world.operator, "deactivate", Chosen(ids=tuple(ids)))
    jobs.start(session, world.operator, job)
    engine.advance(job)
    session.rollback()
    if how == "role":
        session.get_one(Membership, (world.operator.user_id, world.tenant)).role = Role.VIEWER
    elif how == "tenant":
        session.get_one(Tenant, world.tenant).suspended_at = session.get_one(Tenant, world.tenant).created_at
    else:
        session.get_one(db.models.User, world.operator.user_id).is_active = False
    session.commit()

    assert engine.advance(job) is engine.Step.END

    session.rollback()
    done = db.jobs.queries.find(session, Scope(world.tenant), job)
    assert done is not None
    assert (done.state, done.changed, done.done) == (JobState.FAILED, 1, 1)
    assert "no longer allowed" in (done.problem or "")


def test_one_item_that_fails_costs_no_other(session: Session, world: World) -> None:
    ids = make.several(session, world, 3)
    job = draft(session, world.operator, "assign_agent", Chosen(ids=tuple(ids)), agent_id=world.agent)
    run(session, world.operator, job)
    undoing = jobs.undo(session, world.operator, job)
    wrong = db.jobs.queries.next_items(session, undoing, Outcome.WAITING, 2)
    wrong[0].settings, wrong[1].settings = {"agent_id": 987_654, "agent": "Gone"}, {"status": "nonsense"}
    session.commit()

    done = finished(session, world.operator, undoing)

    assert (done.state, done.changed, done.refused) == (JobState.DONE, 1, 2)
    assert numbers.get(session, world.operator, ids[2]).agent_id is None


def test_nothing_of_another_tenant_is_reached(session: Session, world: World) -> None:
    theirs = make.number(session, world, "+14155559999", world.stranger)
    mine = make.number(session, world)
    job = draft(session, world.operator, "deactivate", Chosen(ids=(theirs, mine, mine, 987_654)))

    assert run(session, world.operator, job).changed == 1

    found = outcomes(session, world.operator, job)
    assert found[f"No. {theirs}"] == found["No. 987654"] == (Outcome.REFUSED, "Resource not available")
    for act in (jobs.get, jobs.outcomes, jobs.start, jobs.cancel, jobs.undo, jobs.discard):
        with pytest.raises(NotFound):
            act(session, world.stranger, job)
    assert jobs.search(session, world.stranger, db.jobs.queries.JobQuery(), Slice()) == []


def test_only_who_may_change_numbers_may_start(session: Session, world: World) -> None:
    number = make.number(session, world)
    with pytest.raises(Forbidden):
        draft(session, world.viewer, "deactivate", Chosen(ids=(number,)))
    job = draft(session, world.operator, "deactivate", Chosen(ids=(number,)))
    with pytest.raises(NotFound):  # a preview is seen by who made it
        jobs.start(session, world.admin, job)
    with pytest.raises(NotFound):
        draft(session, world.everywhere, "deactivate", Chosen(ids=(number,)))


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("add_tags", {"tags": []}, "Enter at least one tag"),
        ("restrict_inbound", {"countries": ["XX"]}, "XX is not a country"),
        ("deactivate", {"reason": "x" * 400}, "at most 300"),
    ],
)
def test_values_that_fit_no_number_are_refused_at_once(
    session: Session, world: World, name: str, values: dict[str, object], reason: str
) -> None:
    number = make.number(session, world)
    with pytest.raises(InvalidInput, match=reason):
        draft(session, world.operator, name, Chosen(ids=(number,)), **values)


def test_values_that_fit_no_number_leave_nothing_to_start(session: Session, world: World) -> None:
    number = make.number(session, world)
    job = draft(session, world.operator, "assign_agent", Chosen(ids=(number,)), agent_id=987_654)
    assert outcomes(session, world.operator, job)["+14155552671"][1] == "Choose an agent of this tenant."
    with pytest.raises(InvalidInput, match="Nothing would change"):
        jobs.start(session, world.operator, job)


def test_no_numbers_are_no_job(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match="at least one number"):
        draft(session, world.operator, "activate", Chosen())


def test_two_jobs_over_the_same_numbers_change_each_once(session: Session, world: World) -> None:
    ids = tuple(make.several(session, world, 3))
    first = draft(session, world.operator, "add_tags", Chosen(ids=ids), tags=["a"])
    second = draft(session, world.operator, "add_tags", Chosen(ids=ids), tags=["b"])
    jobs.start(session, world.operator, first)
    jobs.start(session, world.operator, second)
    jobs.start(session, world.operator, second)  # the second click of a double click

    assert finished(session, world.operator, first).changed == 3
    assert finished(session, world.operator, second).refused == 3


def test_a_discarded_preview_is_gone(session: Session, world: World) -> None:
    job = draft(session, world.operator, "deactivate", Chosen(ids=(make.number(session, world),)))
    jobs.discard(session, world.operator, job)
    with pytest.raises(NotFound):
        jobs.get(session, world.operator, job)


def test_the_engine_does_what_was_started(session: Session, world: World, engine: None) -> None:
    ids = make.several(session, world, 3)
    job = draft(session, world.operator, "deactivate", Chosen(ids=tuple(ids)))

    jobs.start(session, world.operator, job)

    def is_done() -> bool:
        session.rollback()
        return not db.jobs.queries.to_be_done(session)

    until(is_done)
    assert jobs.get(session, world.operator, job).changed == 3


def test_jobs_of_a_tenant_are_done_one_after_another_the_oldest_first(
    session: Session, world: World, engine: None
) -> None:
    ids = tuple(make.several(session, world, 3))
    drafts = [draft(session, world.operator, "add_tags", Chosen(ids=ids), tags=[f"t{n}"]) for n in range(5)]
    for job in drafts:
        jobs.start(session, world.operator, job)

    def are_done() -> bool:
        session.rollback()
        return not db.jobs.queries.to_be_done(session)

    until(are_done, 30)
    rows = [session.get_one(Job, job) for job in drafts]
    for earlier, later in pairwise(rows):
        assert earlier.ended_at
        assert later.started_at
        assert earlier.ended_at <= later.started_at


@pytest.mark.parametrize("how", ["revoked", "creator"])
def test_a_job_of_a_key_does_what_the_key_may_and_stops_with_it(
    session: Session, world: World, configure: Configure, how: str
) -> None:
    configure(job_batch=1)
    ids = make.several(session, world, 2)
    made = api_keys.create(session, world.admin, "Dialer", [KeyScope.WRITE])
    program = api_keys.holder(session, made.secret)
    job = draft(session, program, "deactivate", Chosen(ids=tuple(ids)))
    jobs.start(session, program, job)
    assert engine.advance(job) is engine.Step.MORE

    if how == "revoked":
        api_keys.revoke(session, world.admin, made.id)
    else:
        session.get_one(Membership, (world.admin.user_id, world.tenant)).role = Role.VIEWER
        session.commit()
    done = finished(session, world.operator, job)

    assert (done.state, done.changed) == (JobState.FAILED, 1)
    event = audit.history(session, world.operator, "number", ids[0], Slice())[0]
    assert event.actor == "API key Dialer"


def test_a_key_that_only_reads_starts_nothing(session: Session, world: World) -> None:
    ids = make.several(session, world, 1)
    for scope in (KeyScope.READ, KeyScope.HEALTH):
        program = api_keys.holder(session, api_keys.create(session, world.admin, "Dialer", [scope]).secret)
        with pytest.raises(Forbidden):
            draft(session, program, "deactivate", Chosen(ids=tuple(ids)))
