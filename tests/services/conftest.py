"""What tests of services have besides: a call log to read."""

import pytest
from sqlmodel import Session

from db.models import Connection
from providers.sandbox.accounts import TRIAL
from providers.sandbox.server import Sandbox
from services import credentials
from services.settings import Settings
from tests.conftest import World
from tests.services import make
from tests.services.logs import OTHER, OURS, SHARED, Log, pool


@pytest.fixture
def log(session: Session, world: World, sandbox: Sandbox, _settings: Settings) -> Log:
    """An empty call log behind the Twilio connection, and three numbers, two of them in the pool of `Spring`."""
    with sandbox.store.writing() as store:
        store.execute("DELETE FROM calls WHERE account_sid = ?", (TRIAL.sid,))
    connection = session.get_one(Connection, world.twilio)
    connection.credentials = credentials.seal(_settings, {"account_sid": TRIAL.sid, "auth_token": TRIAL.token})
    session.commit()
    pool(session, world, "Spring", OURS, SHARED)
    make.number(session, world, OTHER)
    return Log(sandbox)
