"""The demo's sandbox: its accounts have made the calls that the demo tells of."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.health.call_logs import Counts
from db.models import Campaign, CampaignHealth
from services.core import settings
from services.core.access import Actor
from services.health import call_logs
from services.orders import bulk, comparisons
from services.orders.orders import Configuration
from services.people import sign_in
from services.setup import demo, demo_story
from services.setup.sandbox import running_for_demo
from tests.conftest import Configure
from tests.world import reconciling
from tests.world.working import finished, run

NOW = datetime.now(UTC)


@pytest.fixture
def operator(session: Session, configure: Configure) -> Iterator[Actor]:
    """The demo's operator, with its sandbox running."""
    configure(demo=1)
    demo.fill(session, settings.current(), NOW.date())
    actor = sign_in.load_actor(session, "operator", datetime.now(UTC), None)
    session.rollback()
    assert actor
    with running_for_demo(settings.current()):
        yield actor


def read(session: Session, operator: Actor) -> Counts:
    log = next(log for log in call_logs.search(session, operator) if log.is_active)
    finished(session, operator, call_logs.begin(session, operator, log.connection_id))
    return call_logs.get(session, operator, log.connection_id).counts


def test_reading_the_log_gives_health_to_the_campaign_that_no_dialer_reports(session: Session, operator: Actor) -> None:
    health = (
        sa.select(Campaign.name, sa.func.count(sa.distinct(CampaignHealth.day)))
        .join(CampaignHealth, CampaignHealth.campaign_id == Campaign.id)
        .group_by(Campaign.name)
    )
    before = dict(session.execute(health).all())
    (alone,) = demo_story.NO_DIALER
    assert alone not in before
    counts = read(session, operator)
    assert counts.days == 30
    assert counts.added
    assert counts.kept
    assert counts.in_several_pools
    assert counts.not_on_record
    after = dict(session.execute(health).all())
    assert after.pop(alone) >= 29  # the sandbox's days are those of UTC
    assert after == before


def test_the_largest_account_has_something_of_every_kind_to_reconcile(session: Session, operator: Actor) -> None:
    found = compared(session, operator)
    assert len(found.only_there) > 1000
    assert len(found.only_here) == len(demo_story.RELEASED_AT_TWILIO)
    renamed = [row.differences[0].theirs for row in found.label]
    assert sorted(renamed) == sorted(demo_story.RENAMED_AT_TWILIO.values())
    moved = {one.theirs for row in found.webhooks for one in row.differences}
    by_hand = {value for settings in demo_story.ROUTED_AT_TWILIO.values() for value in settings.values()}
    assert moved == by_hand | set(demo_story.OLD_WEBHOOKS.values())
    assert found.comparison.same > 100


def test_the_demo_starts_again_with_a_number_that_was_imported_meanwhile(session: Session, operator: Actor) -> None:
    found = compared(session, operator, "+1202")
    job = bulk.draft_import(session, operator, found.connection.id, [found.only_there[0].number], Configuration())
    assert run(session, operator, job).changed == 1
    with running_for_demo(settings.current()):
        again = compared(session, operator, "+1202")
    assert again.comparison.same == found.comparison.same + 1


def compared(session: Session, operator: Actor, matching: str = "") -> reconciling.Found:
    (connection,) = comparisons.connection_options(session, operator)
    job = comparisons.start(session, operator, connection.id, matching=matching)
    finished(session, operator, job)
    return reconciling.listed(session, operator, job)


def test_a_restart_of_the_sandbox_adds_no_call_twice(session: Session, operator: Actor) -> None:
    with running_for_demo(settings.current()):
        calls = read(session, operator).calls
    assert 10_000 < calls < 14_000
