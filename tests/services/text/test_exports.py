"""Files of the list: exactly what matches, and nothing that a spreadsheet would run."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sqlmodel import Session, select

import db.numbers.queries
from db.models import AuditEvent
from db.numbers.matching import NumberQuery
from services.core.errors import Forbidden
from services.numbers import numbers
from services.text import exports, files, numbering
from tests.conftest import World
from tests.world import make

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
    rows = list(db.numbers.queries.walk(session, world.viewer.scope, NumberQuery(), batch=2))
    assert len({row.id for row in rows}) == 5
    list(numbers.export(session, world.viewer, NumberQuery(search=numbering.search_text("Line"))))
    event = session.exec(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event
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
        ("＝1+1", "'＝1+1"),
        ("＠SUM(A1)", "'＠SUM(A1)"),
        (" =1", "' =1"),
        ("\u200b=1", "'\u200b=1"),
        ('"=1', "'\"=1"),
        ("a;=1", "a;'=1"),
        ('a;  "=1"', 'a;\'  "=1"'),
        ("a\n=1", "a\n'=1"),
        ("a\t@b", "a\t'@b"),
        ("'=1", "''=1"),
        ("'5", "'5"),
        ("'Til dawn", "'Til dawn"),
        ("2026-05-04", "2026-05-04"),
    ],
)
def test_cells_that_a_spreadsheet_would_run_are_made_harmless(cell: str, safe: str) -> None:
    assert exports.harmless(cell) == safe


def test_nobody_without_a_role_downloads(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        numbers.export(session, world.nowhere, NumberQuery())


SIGNS = list("=+-@'\";\t\n,|ab1 0＝＋－＠−\u200b\u00a0")
WILD = st.text(st.sampled_from(SIGNS) | st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=12)
WILD_CELLS = [f"{first}{second}{third}1" for first in SIGNS for second in SIGNS for third in ("", "=", "'")]


def cells_of(name: str, data: bytes) -> list[list[object]]:
    """Return the cells of a file below its header, as an import reads them."""
    return [list(row.cells) for row in files.read(name, data).rows]


@pytest.mark.parametrize("write", [exports.text, exports.workbook])
def test_a_download_reads_back_as_exactly_the_same_cells(write: exports.Writer) -> None:
    rows = [("x", one, other) for one, other in zip(WILD_CELLS, reversed(WILD_CELLS), strict=True)]
    data = write([exports.Table("Cells", ("First", "Second", "Third"), rows)])
    read = cells_of("cells.csv" if write is exports.text else "cells.xlsx", data)
    assert [[files.text(cell).strip() for cell in row] for row in read] == [
        [cell.strip() for cell in row] for row in rows
    ]


@given(st.lists(st.tuples(WILD, WILD), min_size=1, max_size=5))
def test_a_csv_file_reads_back_as_what_was_written(rows: list[tuple[str, str]]) -> None:
    text = exports.text([exports.Table("Cells", ("First", "Second"), rows)]).decode("utf-8-sig")
    _header, *read = csv.reader(io.StringIO(text, newline=""))
    assert [tuple(map(exports.unescaped, row)) for row in read] == rows


@given(WILD)
def test_what_is_made_harmless_is_taken_back_exactly(cell: str) -> None:
    assert exports.unescaped(exports.harmless(cell)) == cell


@given(st.lists(WILD, min_size=1, max_size=4), st.sampled_from(",;\t"))
def test_no_cell_of_a_file_begins_a_formula_whatever_parts_its_cells(cells: list[str], separator: str) -> None:
    text = exports.text([exports.Table("Cells", ("First",), [cells])]).decode("utf-8-sig")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        for cell in row:
            start = cell.lstrip('"').lstrip()
            assert not start.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")) or start.strip('+"').isdecimal()
