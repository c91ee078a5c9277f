"""What every import by file does, shown on the smallest kind: agents by their names."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from db.models import Agent, AuditEvent
from services.audit.audit import Action
from services.core import validation
from services.core.access import Actor, Permission, require_tenant
from services.core.errors import Conflict, Forbidden, InvalidInput
from services.jobs import imports
from services.jobs.imports import Field, ImportKind, Judged, Outcome, ReadRow, Refused, Report, Result, Row, RowReader
from services.text import files
from tests.conftest import World
from tests.world.rows import rows_of


class AgentReader(RowReader[str]):
    def read(self, row: Row) -> ReadRow[str]:
        try:
            imports.understood(row)
            return ReadRow(row, "", imports.values(AgentImport.fields, self, row)["name"])
        except InvalidInput as exc:
            return ReadRow(row, "", problem=exc)

    def judge(self, session: Session, read: Sequence[ReadRow[str]]) -> list[Judged[str]]:
        return [
            (row.wrong(row.problem) if row.problem else Result(row.row.at, Outcome.ADDED, ""), row.item) for row in read
        ]


class AgentImport(ImportKind[str]):
    """Agents, without a look at whether their names are free."""

    fields = (
        Field(
            "name",
            "Name",
            ("Agent",),
            required=True,
            example="Maya",
            read=lambda _reader, cell: validation.name(files.text(cell), "agent"),
        ),
        Field("team", "Team"),
    )
    permission = Permission.AGENTS_WRITE
    action = Action.AGENTS_ADD
    subject = "agent"
    most_rows = 5_000
    lost = "An agent was added in the meantime."
    counted: ClassVar[Mapping[str, Sequence[Outcome]]] = {"added": (Outcome.ADDED,), "refused": imports.WRONG}

    @classmethod
    def chosen(cls, choices: Mapping[str, Any]) -> "AgentImport":
        return cls()

    def reader(self, session: Session, actor: Actor, rows: Sequence[Row]) -> AgentReader:
        return AgentReader()

    def write(self, session: Session, actor: Actor, items: Sequence[str], job: int | None = None) -> list[None]:
        session.add_all(Agent(tenant_id=require_tenant(actor), name=name) for name in items)
        session.flush()
        return [None] * len(items)


KIND = AgentImport()
TWO_BATCHES = [f"Agent {at}" for at in range(imports.BATCH + 1)]


def rows(*names: str) -> list[Row]:
    return [Row({"name": name}) for name in names]


def save(session: Session, world: World, *names: str, keep_good: bool = False) -> Report:
    return imports.save(session, world.operator, KIND, rows(*names), source="agents.csv", keep_good=keep_good)


def added(session: Session) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count(Agent.id)).where(Agent.name.like("Agent %"))) or 0


def test_all_rows_are_written_and_written_down_once(session: Session, world: World) -> None:
    assert save(session, world, *TWO_BATCHES).count(Outcome.ADDED) == added(session) == imports.BATCH + 1
    (event,) = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "agents:add"))
    assert event.after == {"source": "agents.csv", "added": imports.BATCH + 1, "refused": 0}


def test_a_batch_that_fails_takes_the_others_back(session: Session, world: World) -> None:
    with pytest.raises(Conflict, match=r"^An agent was added in the meantime\. Nothing was written; try again\.$"):
        save(session, world, *TWO_BATCHES, "Agent 1")
    assert added(session) == 0
    assert not session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "agents:add")).all()


def test_a_check_writes_nothing(session: Session, world: World) -> None:
    report = imports.check(session, world.operator, KIND, rows("Agent 1", ""))
    assert [(one.row, one.outcome, one.field) for one in report.results] == [
        (1, Outcome.ADDED, ""),
        (2, Outcome.REFUSED, "name"),
    ]
    assert added(session) == 0


@pytest.mark.parametrize(("names", "keep_good"), [(("Agent 1", ""), False), (("", ""), True)])
def test_nothing_is_written_while_a_row_is_wrong_or_none_is_good(
    session: Session, world: World, names: tuple[str, ...], keep_good: bool
) -> None:
    with pytest.raises(
        Refused, match=r"^Nothing was written: [12] of 2 rows cannot be imported. Row [12]: Enter a name"
    ):
        save(session, world, *names, keep_good=keep_good)
    assert added(session) == 0


def test_whoever_may_not_write_may_not_check_either(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        imports.check(session, world.viewer, KIND, rows("Agent 1"))
    with pytest.raises(Forbidden):
        imports.save(session, world.viewer, KIND, rows("Agent 1"), source="agents.csv")


def test_the_template_is_a_file_that_can_be_imported(session: Session, world: World) -> None:
    (row,) = rows_of(AgentImport, imports.template(AgentImport, team="West"))
    assert row == Row({"name": "Maya", "team": "West"}, 2)
