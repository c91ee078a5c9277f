"""What tests of services have besides: a call log to read, and a part of an account to reconcile."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.models import Connection, User
from providers.sandbox.accounts import TRIAL
from providers.sandbox.server import Sandbox
from services.core import credentials
from services.core.settings import Settings
from services.numbers import numbers
from tests.conftest import Configure, World
from tests.world import make, ordering, reconciling
from tests.world.call_logs import OTHER, OURS, SHARED, Log, pool

_areas = iter(range(2_000, 10_000))


@pytest.fixture
def log(session: Session, world: World, sandbox: Sandbox, _settings: Settings) -> Log:
    """An empty call log behind the Twilio connection, and three numbers, two of them in the pool of `Spring`."""
    with sandbox.store.writing() as store:
        store.execute("DELETE FROM calls WHERE account_sid = ?", (TRIAL.sid,))
    connection = session.get_one(Connection, world.twilio)
    connection.credentials = credentials.seal(_settings, {"account_sid": TRIAL.sid, "auth_token": TRIAL.token})
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)  # so far do tests go back
    session.execute(sa.update(User).values(sessions_valid_from=long_ago))
    session.commit()
    pool(session, world, "Spring", OURS, SHARED)
    make.number(session, world, OTHER)
    return Log(sandbox)


@pytest.fixture
def area(sandbox: Sandbox) -> Iterator[str]:
    """The beginning of numbers that no other test has in the account; what is left of them is given back."""
    begin = f"+1719{next(_areas)}"
    yield begin
    with sandbox.store.writing() as store:
        store.execute("DELETE FROM owned WHERE e164 LIKE ?", (f"{begin}%",))


@pytest.fixture
def number(session: Session, world: World, sandbox: Sandbox, area: str) -> numbers.NumberRow:
    """A number that is on record and in the account, the same in both."""
    reconciling.held(sandbox, f"{area}001", label="Front desk")
    found = reconciling.compared(session, world, area)
    row = found.only_there[0]
    return ordering.on_record(session, world, reconciling.imported(session, world, row, found))


@pytest.fixture
def no_grace(configure: Configure) -> None:
    """What was asked takes effect at once or never."""
    configure(settle_seconds=0)
