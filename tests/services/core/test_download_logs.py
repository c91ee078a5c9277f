"""A download is logged even when somebody else wrote while its figures were being read."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from db.audit.queries import AuditQuery
from db.base.scope import Slice
from db.health.number_health import HealthQuery
from db.numbers.matching import NumberQuery
from services import agents
from services.audit import audit, report_files, tenant_audit
from services.core.access import Actor
from services.health import number_health
from services.numbers import numbers
from tests.conftest import World

TODAY = datetime.now(UTC).date()

Download = Callable[[Session, Actor], object]


def add_agent(world: World, name: str) -> None:
    with db.base.engine.open_session() as other:
        agents.add(other, world.operator, name)


def newest_action(world: World) -> str:
    with db.base.engine.open_session() as reader:
        newest, *_ = audit.search(reader, world.admin, AuditQuery(), Slice())
    return newest.action


@pytest.mark.parametrize(
    "download",
    [
        lambda session, actor: list(numbers.export(session, actor, NumberQuery())),
        lambda session, actor: list(audit.export(session, actor, AuditQuery())),
        lambda session, actor: number_health.export(session, actor, HealthQuery(30, TODAY)),
    ],
    ids=["numbers", "activity", "health"],
)
def test_a_download_is_made_and_logged_though_somebody_wrote_since_the_page_was_read(
    session: Session, world: World, download: Download
) -> None:
    numbers.search(session, world.admin, NumberQuery(), Slice())
    add_agent(world, "Somebody else's")
    download(session, world.admin)
    assert newest_action(world).endswith(":export")


def test_a_report_is_made_and_logged_though_somebody_wrote_while_it_was_read(
    database: sa.Engine, session: Session, world: World
) -> None:
    during = tenant_audit.period(*tenant_audit.last_days(TODAY), ZoneInfo("UTC"))
    seen: list[str] = []

    def write_once(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "FROM audit_event" in statement and not seen:
            seen.append(statement)
            add_agent(world, "Somebody else's")

    sa.event.listen(database, "after_cursor_execute", write_once)
    try:
        report_files.excel(session, world.admin, during)
    finally:
        sa.event.remove(database, "after_cursor_execute", write_once)
    assert seen
    assert newest_action(world) == "audit:report"
