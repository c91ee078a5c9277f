"""Tables of web pages, which many systems save with the ending `.xls`, and of Excel's XML of 2003."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from services.text.tables import limits
from services.text.tables.grids import Grid, Line, is_filled
from services.text.tables.limits import Unreadable

_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style|comment)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TABLE = re.compile(r"<(?:\w+:)?table\b", re.IGNORECASE)
_ROWS_OF_A_CELL = 10_000
_MOST_NESTED = 100
_TAGS = {"tr": "tr", "row": "tr", "td": "td", "th": "td", "cell": "td", "table": "table"}
"""What begins and ends rows and cells, in HTML and in Excel's XML."""


def is_markup(text: str) -> bool:
    """Return whether *text* is a web page, or XML, with a table in it."""
    return text[:1024].lstrip("\ufeff \t\r\n").startswith("<") and _TABLE.search(text) is not None


def grids(text: str) -> list[Grid]:
    """Return the tables of a page that have anything in them; a cell over several rows is in each of them."""
    reader = _Reader()
    reader.feed(_UNSHOWN.sub(" ", text))  # what is not shown, and what the parser is slow at
    reader.close()
    found = [Grid(lines, ends_itself=False, title=f"Table {n}") for n, lines in enumerate(reader.tables, 1) if lines]
    if not found:
        raise Unreadable("The page has no table with content.")
    return found[: limits.MOST_SHEETS]


@dataclass
class _Table:
    """A table whose end was not met yet: its lines, and the row and the cell under way."""

    lines: list[Line]
    number: int = 0
    row: list[str] | None = None
    cell: list[str] | None = None
    span: tuple[int, int] = (1, 1)
    below: dict[int, tuple[int, str]] = field(default_factory=dict)
    """By column the rows to come that a cell reaches into, and what stands in it."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[Line]] = []
        self._open: list[_Table] = []
        self._cells_left = limits.MOST_CELLS

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        tag = _TAGS.get(tag.rpartition(":")[2], tag)
        if tag == "table":
            if len(self._open) >= _MOST_NESTED:
                raise Unreadable(f"The page has nested tables more than {_MOST_NESTED} deep. Save it as CSV.")
            self.tables.append([])
            self._open.append(_Table(self.tables[-1]))
        elif not self._open:
            return
        elif tag == "tr":
            self._end_row()
            table = self._open[-1]
            table.row = []
            if place := _attributes(attrs).get("index"):
                table.number = max(table.number, _whole(place) - 1)
        elif tag == "td":
            self._begin_cell(_attributes(attrs))
        elif tag == "br":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        tag = _TAGS.get(tag.rpartition(":")[2], tag)
        if not self._open:
            return
        if tag == "table":
            self._end_row()
            self._open.pop()
        elif tag == "td":
            self._end_cell()
        elif tag == "tr":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1].cell is not None:
            self._open[-1].cell.append(data)

    def close(self) -> None:
        super().close()
        while self._open:
            self._end_row()
            self._open.pop()

    def _begin_cell(self, said: dict[str, str | None]) -> None:
        self._end_cell()
        table = self._open[-1]
        if table.row is None:
            table.row = []
        if "index" in said:  # Excel's XML leaves empty cells out
            self._from_above()
            skipped = _whole(said["index"]) - 1 - len(table.row)
            limits.expect_size(1, len(table.row) + skipped)
            table.row += [""] * skipped
        across, down = (
            (1 + _whole(said[name], 0) if name in said else _whole(said.get(other)))
            for name, other in (("mergeacross", "colspan"), ("mergedown", "rowspan"))
        )
        table.cell, table.span = [], (across, down)

    def _end_cell(self) -> None:
        table = self._open[-1]
        if table.cell is None or table.row is None:
            return
        text, (across, down) = " ".join("".join(table.cell).split()), table.span
        table.cell = None
        self._from_above()
        limits.expect_size(1, len(table.row) + across)
        for cell in (text, *[""] * (across - 1)):
            if down > 1:
                table.below[len(table.row)] = (down - 1, cell)
            table.row.append(cell)

    def _from_above(self) -> None:
        """Put the cells that reach down into this row at its end."""
        table = self._open[-1]
        assert table.row is not None
        while len(table.row) in table.below:
            rows, text = table.below.pop(len(table.row))
            if rows > 1:
                table.below[len(table.row)] = (rows - 1, text)
            table.row.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        table = self._open[-1]
        if table.row is None:
            return
        self._from_above()
        table.number += 1
        self._cells_left -= len(table.row)
        if self._cells_left < 0 or table.number > limits.MOST_ROWS:
            limits.expect_size(limits.MOST_ROWS + 1, 1)
        if is_filled(table.row):
            table.lines.append(Line(table.number, table.row))
        table.row = None


def _attributes(attrs: list[tuple[str, str | None]]) -> dict[str, str | None]:
    """Return attributes by their names without a prefix."""
    return {name.rpartition(":")[2]: value for name, value in attrs}


def _whole(given: str | None, least: int = 1) -> int:
    """Return a span or a place as it can be taken: a page may say any."""
    digits = (given or "").strip()[:6]
    return min(max(least, int(digits)), _ROWS_OF_A_CELL) if digits.isascii() and digits.isdigit() else least
