"""Files of the list: exactly what matches, and nothing that a spreadsheet would run."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
import time_machine
from python_calamine import CalamineWorkbook
from sqlmodel import Session

from db.models import AuditEvent
from db.numbers import NumberQuery
from services import exports, numbering, numbers
from services.errors import Forbidden
from tests.conftest import World
from tests.services import make

TOKYO = ZoneInfo("Asia/Tokyo")


def test_both_files_hold_what_the_filters_match_in_the_readers_zone(session: Session, world: World) -> None:
    with time_machine.travel("2026-05-04T20:00:00Z", tick=False):
        make.number(session, world, "+14155552671", label="Desk A", agent_id=world.agent)
        make.number(session, world, "+14155552672", label="Other")
    query = NumberQuery(search=numbering.search_text("Desk"))
    text = exports.text([exports.numbers(numbers.export(session, world.viewer, query), TOKYO)]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(r["Number"], r["Name"], r["Inbound agent"], r["Created"]) for r in rows] == [
        ("+14155552671", "Desk A", "Maya", "2026-05-05 05:00")
    ]
    book = exports.workbook([exports.numbers(numbers.export(session, world.viewer, query), TOKYO)])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert sheet[0] == list(rows[0])
    assert sheet[1:] == [list(rows[0].values())]


def test_a_download_walks_past_one_batch_and_is_written_down(session: Session, world: World) -> None:
    make.several(session, world, 5)
    rows = list(numbers.db.numbers.walk(session, world.viewer.scope, NumberQuery(), batch=2))
    assert len({row.id for row in rows}) == 5
    list(numbers.export(session, world.viewer, NumberQuery(search=numbering.search_text("Line"))))
    event = session.query(AuditEvent).order_by(AuditEvent.id.desc()).first()
    assert (event.action, event.after["filters"]["search"]) == ("numbers:export", "Line")


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("=1+1", "'=1+1"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2", "'-2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("+14155552671", "+14155552671"),
        ("plain", "plain"),
    ],
)
def test_cells_that_a_spreadsheet_would_run_are_made_harmless(cell: str, safe: str) -> None:
    assert exports.harmless(cell) == safe


def test_nobody_without_a_role_downloads(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        numbers.export(session, world.nowhere, NumberQuery())
