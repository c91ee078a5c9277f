"""Files of campaign health in the shapes that they come in."""

import io

import pandas as pd
import pytest

from services.core.errors import InvalidInput
from services.health import import_files
from services.text import files

ROWS = [("Spring", "+14155552671", "2026-05-03", "40", "12"), ("Zürich", "+41445551234", "2026-05-03", "10", "4")]
HEADER = ("Campaign name", "Phone number", "Date", "Calls", "Answered")


def text(delimiter: str) -> str:
    return "\n".join(delimiter.join(row) for row in (HEADER, *ROWS)) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_in_every_writing(encoding: str, delimiter: str) -> None:
    frame = files.read("calls.csv", text(delimiter).encode(encoding))
    given = import_files.rows(frame, files.guess(frame, import_files.NAMES))
    assert [(g.campaign, g.number, g.day, g.attempts, g.answered) for g in given] == ROWS
    assert given[0].completed is None


def test_excel_is_read_with_its_numbers_and_days() -> None:
    out = io.BytesIO()
    frame = pd.DataFrame([ROWS[0]], columns=list(HEADER))
    frame["Phone number"], frame["Date"] = 14155552671, pd.Timestamp("2026-05-03")
    frame.to_excel(out, index=False, engine="xlsxwriter")
    read = files.read("calls.xlsx", out.getvalue())
    (given,) = import_files.rows(read, files.guess(read, import_files.NAMES))
    assert str(given.number).startswith("14155552671")
    assert str(given.day).startswith("2026-05-03")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.csv", b"", "empty"),
        ("a.csv", b"  \n", "empty"),
        ("a.csv", b"campaign,number\n", "no rows"),
        ("a.xlsx", b"not a workbook", "no rows"),
        ("a.csv", b"x" * (files.LARGEST + 1), "at most"),
    ],
)
def test_what_cannot_be_read_is_said_so(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        files.read(name, data)


def test_empty_rows_are_no_rows_and_the_others_keep_their_numbers() -> None:
    frame = files.read("a.csv", b"campaign,number\nSpring,+14155552671\n,\nAutumn,\n,\n,\n")
    assert [(row.number, row.cells[0]) for row in frame.rows] == [(2, "Spring"), (4, "Autumn")]


def test_a_column_that_no_name_tells_is_asked_for() -> None:
    frame = files.read("a.csv", b"campaign,number,day,dials\nSpring,+14155552671,2026-05-03,4\n")
    with pytest.raises(InvalidInput, match="answered"):
        import_files.rows(frame, files.guess(frame, import_files.NAMES))
