"""Tables of web pages, which many systems save with the ending `.xls`."""

import re
from html.parser import HTMLParser

from services.tables import limits
from services.tables.grids import Grid, Line, is_filled
from services.tables.limits import Unreadable

_UNSHOWN = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_ROWS_OF_A_CELL = 10_000


def is_markup(text: str) -> bool:
    """Return whether *text* is a web page with a table in it."""
    begin = text[: 64 * 1024].lstrip("\ufeff \t\r\n").lower()
    return begin.startswith("<") and "<table" in begin


def grids(text: str) -> list[Grid]:
    """Return the tables of a page that have anything in them; a cell over several rows is in each of them."""
    reader = _Reader()
    reader.feed(_UNSHOWN.sub(" ", text))  # what is not shown, and what the parser is slow at
    reader.close()
    found = [Grid(lines, ends_itself=False, title=f"Table {n}") for n, lines in enumerate(reader.tables, 1) if lines]
    if not found:
        raise Unreadable("The page has no table with anything in it.")
    return found[: limits.MOST_SHEETS]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[Line]] = []
        self._depth, self._number, self._cells_left = 0, 0, limits.MOST_CELLS
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._below: dict[int, tuple[int, str]] = {}  # column: rows to come, and what stands in them

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self._depth += 1
            if self._depth == 1:
                self.tables.append([])
                self._number, self._below = 0, {}
        elif self._depth != 1:
            return
        elif tag == "tr":
            self._end_row()
            self._row = []
        elif tag in ("td", "th"):
            self._end_cell()
            if self._row is None:
                self._row = []
            said = dict(attrs)
            self._cell, self._span = [], (_whole(said.get("colspan")), _whole(said.get("rowspan")))
        elif tag == "br" and self._cell is not None:
            self._cell.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._depth:
            if self._depth == 1:
                self._end_row()
            self._depth -= 1
        elif self._depth == 1 and tag in ("td", "th"):
            self._end_cell()
        elif self._depth == 1 and tag == "tr":
            self._end_row()

    def handle_data(self, data: str) -> None:
        if self._cell is not None and self._depth == 1:
            self._cell.append(data)

    def close(self) -> None:
        super().close()
        self._end_row()

    def _end_cell(self) -> None:
        if self._cell is None or self._row is None:
            return
        text, (across, down) = " ".join("".join(self._cell).split()), self._span
        self._cell = None
        self._from_above()
        limits.expect_size(1, len(self._row) + across)
        for cell in (text, *[""] * (across - 1)):
            if down > 1:
                self._below[len(self._row)] = (down - 1, cell)
            self._row.append(cell)

    def _from_above(self) -> None:
        """Put the cells that reach down into this row at its end."""
        assert self._row is not None
        while len(self._row) in self._below:
            rows, text = self._below.pop(len(self._row))
            if rows > 1:
                self._below[len(self._row)] = (rows - 1, text)
            self._row.append(text)

    def _end_row(self) -> None:
        self._end_cell()
        if self._row is None or not self.tables:
            return
        self._from_above()
        self._number += 1
        self._cells_left -= len(self._row)
        if self._cells_left < 0 or self._number > limits.MOST_ROWS:
            limits.expect_size(limits.MOST_ROWS + 1, 1)
        if is_filled(self._row):
            self.tables[-1].append(Line(self._number, self._row))
        self._row = None


def _whole(given: str | None) -> int:
    """Return a span as it can be taken: a page may say any."""
    digits = (given or "").strip()[:6]
    return min(max(1, int(digits)), _ROWS_OF_A_CELL) if digits.isascii() and digits.isdigit() else 1
