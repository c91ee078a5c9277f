"""How many rounds are played, and the ground that they are played on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from providers.sandbox.server import Sandbox
from services.core.settings import Settings
from tests.conftest import World
from tests.crash.rounds import Ground
from tests.crash.traffic import Requests, counted
from tests.crash.worker import Installation, Worker


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("crash")
    group.addoption("--rounds", type=int, default=6, help="rounds of ordering and dying on each database")
    group.addoption("--seed", type=int, default=1, help="which deaths are drawn")


@pytest.fixture
def installation(database: sa.Engine, sandbox: Sandbox, _settings: Settings, tmp_path: Path) -> Installation:
    """The test's database and sandbox as another process reaches them."""
    url = database.url.render_as_string(hide_password=False)
    return Installation(url, sandbox.url, str(_settings.data_dir), str(tmp_path / "processes.log"))


@pytest.fixture(autouse=True)
def _nobody_lives_on() -> Iterator[None]:
    """Kill the processes that a test which failed has left."""
    yield
    for process in list(Worker.living):
        process.kill()


@pytest.fixture
def sent(sandbox: Sandbox) -> Iterator[Requests]:
    """What the sandbox is asked to change during the test."""
    with counted(sandbox) as requests:
        yield requests


@pytest.fixture
def ground(session: Session, world: World, sandbox: Sandbox, installation: Installation) -> Ground:
    """All that rounds need."""
    return Ground(session, world, sandbox, installation)
