"""The demo workspace: believable, whole, and the same every time."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from db.models import CampaignHealth, PhoneNumber
from db.numbers.matching import NumberQuery
from services.core import credentials
from services.core.settings import Settings
from services.numbers import numbers
from services.people import sign_in
from services.setup import demo
from services.text import numbering

TODAY = date(2026, 5, 4)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(data_dir=tmp_path, demo=True)
    credentials.prepare(found, [])
    return found


def test_the_demo_has_its_people_and_about_400_valid_numbers(session: Session, settings: Settings) -> None:
    assert demo.is_wanted(session, settings)
    demo.fill(session, settings, TODAY)
    assert not demo.is_wanted(session, settings)
    held = list(session.scalars(sa.select(PhoneNumber)))
    assert 380 <= len(held) <= 420
    assert len({number.country for number in held}) >= 12
    assert len({number.number_type for number in held}) == 7
    assert all(numbering.read(number.e164).is_valid for number in held)
    for username in demo.USERS:
        assert sign_in.attempt(session, username).name == demo.USERS[username]


def told(session: Session) -> tuple[list[object], object]:
    numbers_told = session.execute(sa.select(PhoneNumber.e164, PhoneNumber.label).order_by(PhoneNumber.e164)).all()
    calls = sa.select(sa.func.sum(CampaignHealth.attempts), sa.func.sum(CampaignHealth.answered))
    return [tuple(row) for row in numbers_told], tuple(int(total) for total in session.execute(calls).one())


def test_the_demo_is_the_same_every_time(session: Session, settings: Settings, tmp_path: Path) -> None:
    demo.fill(session, settings, TODAY)
    engine = db.base.engine.make_engine(f"sqlite:///{tmp_path / 'second.db'}")
    db.base.engine.migrate(engine)
    with Session(engine) as second:
        demo.fill(second, settings, TODAY)
        assert told(session) == told(second)
    engine.dispose()


def test_kept_counts_are_right_after_a_bulk_fill(session: Session, settings: Settings) -> None:
    demo.fill(session, settings, TODAY)
    actor = sign_in.load_actor(session, "superadmin", datetime.now(UTC), sign_in.ALL_TENANTS)
    assert actor
    held = session.scalar(sa.select(sa.func.count()).where(PhoneNumber.status.in_(["active", "inactive"])))
    assert numbers.count(session, actor, NumberQuery()) == held
