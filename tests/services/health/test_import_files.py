"""Files of campaign health in the shapes that they come in."""

import io

import pandas as pd
import pytest

from services.core.errors import InvalidInput
from services.health.health_import import HealthImport
from services.text import files
from services.text.tables.limits import LARGEST
from tests.world.rows import rows_of

ROWS = [("Spring", "+14155552671", "2026-05-03", "40", "12"), ("Zürich", "+41445551234", "2026-05-03", "10", "4")]
HEADER = ("Campaign name", "Phone number", "Date", "Calls", "Answered")


def text(delimiter: str) -> str:
    return "\n".join(delimiter.join(row) for row in (HEADER, *ROWS)) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_every_writing(encoding: str, delimiter: str) -> None:
    given = rows_of(HealthImport, text(delimiter).encode(encoding))
    assert [tuple(row.cells.values()) for row in given] == ROWS
    assert list(given[0].cells) == ["campaign", "number", "day", "attempts", "answered"]


def test_excel_is_read_with_its_numbers_and_days() -> None:
    out = io.BytesIO()
    frame = pd.DataFrame([ROWS[0]], columns=list(HEADER))
    frame["Phone number"], frame["Date"] = 14155552671, pd.Timestamp("2026-05-03")
    frame.to_excel(out, index=False, engine="xlsxwriter")
    (given,) = rows_of(HealthImport, out.getvalue(), "calls.xlsx")
    assert str(given.get("number")).startswith("14155552671")
    assert str(given.get("day")).startswith("2026-05-03")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"  \n", "empty"),
        ("a.csv", b"campaign,number\n", "no rows"),
        ("a.xlsx", b"not a workbook", "no rows"),
        ("a.csv", b"x" * (LARGEST + 1), "at most"),
    ],
)
def test_what_cannot_be_read_is_said_so(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        files.read(name, data)


def test_empty_rows_are_no_rows_and_the_others_keep_their_numbers() -> None:
    frame = files.read("a.csv", b"campaign,number\nSpring,+14155552671\n,\nAutumn,\n,\n,\n")
    assert [(row.number, row.cells[0]) for row in frame.rows] == [(2, "Spring"), (4, "Autumn")]


def test_a_column_that_no_name_tells_is_asked_for() -> None:
    with pytest.raises(InvalidInput, match="answered"):
        rows_of(HealthImport, b"campaign,number,day,dials\nSpring,+14155552671,2026-05-03,4\n")
