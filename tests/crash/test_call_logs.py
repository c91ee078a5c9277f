"""A process that dies while it reads a call log: the next one goes on, and every day counts once."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from db.models import CampaignHealth, Connection, HealthPull, Job, JobState
from providers.sandbox.accounts import TRIAL
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.sandbox.store import CallSeed
from services.core import credentials, settings
from services.setup import builder
from tests.conftest import World
from tests.crash import worker
from tests.crash.worker import PATIENCE, Installation, Worker
from tests.world import make
from tests.world.waiting import until

OURS = "+14155552671"
EACH = 1010
"""Calls a day: more than a page."""


def test_a_log_whose_reader_was_killed_in_the_midst_of_a_day_is_read_on_by_the_next_start(
    session: Session, world: World, sandbox: Sandbox, installation: Installation
) -> None:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=ago) for ago in (3, 2, 1)]
    with sandbox.store.writing() as store:
        store.execute("DELETE FROM calls WHERE account_sid = ?", (TRIAL.sid,))
    sandbox.store.seed_calls(
        CallSeed(f"CA{at:%d}{index:030x}", TRIAL.sid, OURS, "+13055550100", at, duration=20)
        for at in days
        for index in range(EACH)
    )
    connection = session.get_one(Connection, world.twilio)
    connection.credentials = credentials.seal(settings.current(), {"account_sid": TRIAL.sid, "auth_token": TRIAL.token})
    session.commit()
    number, long_ago = make.number(session, world, OURS), today - timedelta(days=99)
    builder.pooled(session, builder.campaign(session, world.tenant, "Spring"), number, added_at=long_ago)
    session.commit()

    before = 2 + 2 + 1  # a page of each empty day, two of the first day with calls, one of the second
    sandbox.fault(Fault(Kind.DELAY, "GET", "/Calls.json", times=before))
    sandbox.fault(Fault(Kind.LATE, "GET", "/Calls.json", times=1, seconds=30))
    first = (today - timedelta(days=5)).date()
    dying = Worker(worker.read_calls, installation, world.operator, world.twilio, first)
    job_id = dying.awaits("reading")
    until(lambda: not sandbox.faults.listing(), PATIENCE)
    dying.kill()
    assert dying.was_killed
    session.rollback()
    pull = session.get_one(HealthPull, world.twilio)
    assert (pull.done_until, session.get_one(Job, job_id).state) == (days[0].date(), JobState.RUNNING)

    following = Worker(worker.start, installation)
    following.awaits("worked")
    following.kill()
    session.rollback()
    session.refresh(pull)
    job = session.get_one(Job, job_id)
    assert (job.state, job.problem, job.done, job.changed) == (JobState.DONE, None, 5, 3)
    assert (pull.done_until, pull.counts["days"]) == (days[2].date(), 5)
    assert (pull.counts["calls"], pull.counts["added"]) == (3 * EACH, 3)
    facts = session.execute(sa.select(CampaignHealth.day, CampaignHealth.completed).order_by(CampaignHealth.day))
    assert [tuple(fact) for fact in facts] == [(at.date(), EACH) for at in days]
