"""A process that dies in the midst of a job of any kind: rows in are outcomes, and each effect is one."""

import sys
from collections import Counter
from random import Random

import pytest
from sqlmodel import Session

from db.models import JobState
from providers.sandbox.server import Sandbox
from services.jobs.registry import KINDS
from tests.conftest import Configure, World
from tests.crash import worker
from tests.crash.every_kind import Kinds, verdict
from tests.crash.worker import Installation, Worker
from tests.world.working import finished

BATCH = 4


def test_every_kind_of_job_is_done_once_wherever_the_process_dies(
    session: Session,
    world: World,
    sandbox: Sandbox,
    installation: Installation,
    configure: Configure,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(settle_seconds=0)  # what was asked takes effect at once or never
    begin = Kinds(session, world, sandbox).all()
    chance, rounds = Random(pytestconfig.getoption("--seed")), pytestconfig.getoption("--rounds")
    moments = dict.fromkeys(begin, 60)
    wrong, killed, items, played = [], 0, 0, Counter[str]()
    for index in range(rounds):
        name = sorted(begin)[(index + pytestconfig.getoption("--seed")) % len(begin)]
        begun = begin[name]()
        dying = Worker(worker.advance, installation, begun.job, BATCH, chance.randrange(moments[name]))
        said = dying.says()
        dying.kill()
        killed += said is None and dying.was_killed
        if said is not None:
            moments[name] = said[1]
        done = finished(session, world.superadmin, begun.job)
        if done.state is not JobState.DONE:
            wrong.append(f"round {index}, {name}: {done.state} {done.problem}")
        wrong += [f"round {index}, {name}: {what}" for what in verdict(session, begun)]
        items, played = items + done.total, played + Counter([name])
    assert not wrong
    assert killed > rounds / 2, "most rounds are to die in the midst"
    with capsys.disabled():
        sys.stdout.write(
            f"\n{rounds} rounds over {len(played)} kinds, {killed} killed in the midst, {items} items: "
            "0 lost, 0 twice, 0 unexplained\n"
        )


def test_no_kind_of_job_is_left_out(session: Session, world: World, sandbox: Sandbox) -> None:
    begin = Kinds(session, world, sandbox).all()
    assert len(begin) == len(KINDS)
