"""A process that dies anywhere in an order, and the next one that finishes it."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from providers.sandbox.server import Sandbox
from tests.crash.rounds import Ground, play_all, summary
from tests.crash.traffic import Requests
from tests.crash.verdict import judge


def test_whenever_a_process_dies_the_next_one_leaves_nothing_lost_bought_twice_or_unexplained(
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
    database: sa.Engine,
    session: Session,
    sandbox: Sandbox,
    ground: Ground,
    sent: Requests,
) -> None:
    amount, seed = pytestconfig.getoption("--rounds", 6), pytestconfig.getoption("--seed", 1)
    played = play_all(ground, amount, seed)
    verdict = judge(session, sandbox, sent, ground.given)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{database.dialect.name}, seed {seed}: {len(played)} rounds, {len(verdict.lost)} lost, "
            f"{len(verdict.bought_twice)} bought twice, {len(verdict.unexplained)} unexplained "
            f"({summary(played)})"
        )
    by_number = {one.wish.e164: str(one) for one in played}
    findings = [
        f"{kind}: {number}: {found} [{by_number.get(number, 'no single round')}]"
        for kind, some in vars(verdict).items()
        for number, found in some.items()
    ]
    log = Path(ground.installation.log).read_text()
    assert verdict.is_clean, "\n".join((f"seed {seed}", *findings, log[-3000:]))
    expected = ("search.no_trigrams", "order.changed")
    noise = [line for line in log.splitlines() if not any(event in line for event in expected)]
    assert not noise, "dying is nothing to warn of:\n" + "\n".join(noise[:20])
