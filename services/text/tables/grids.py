"""Grids of cells: which one holds the table, where its header is, and which rows do not fit it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.text.tables import limits
from services.text.tables.headers import as_number, folded, letters, told_apart
from services.text.tables.limits import Unreadable

LOOKED_AT = 30
"""Rows among which a header is looked for."""

_SHOWN = 80
_NO_HEADER = 0

Names = Mapping[str, frozenset[str]]
"""What the columns of each field may be called, folded."""


class Line(NamedTuple):
    """One row that has anything in it, its number as in the file, and why it cannot be taken as it is."""

    number: int
    cells: Sequence[Any]
    problem: str = ""


@dataclass
class Grid:
    """Rows under each other. `ends_itself` says that a row's own length counts, as in text; in a sheet it does not."""

    lines: list[Line]
    ends_itself: bool
    title: str = ""


@dataclass
class Found:
    """Where the header of a grid is: the index among its lines, None for none; and how many fields it names."""

    at: int | None
    named: int


@dataclass
class Choice:
    """What the reader chose: `header` is a row's number in the file, 0 for no header."""

    sheet: str | None = None
    header: int | None = None
    encoding: str | None = None


@dataclass(frozen=True)
class Sheet:
    """The rows of a file below its header, and alternative readings.

    `columns` are told apart (`Number`, `Number (2)`); `titles` are as they stand. `header` is the header's row,
    0 for none, out of `headers` (row and text). `encodings` are codec, name and a sample, where it had to be guessed.
    `named` is how many fields the header names.
    """

    columns: Sequence[str]
    titles: Sequence[str]
    rows: Sequence[Line]
    header: int = 1
    headers: Sequence[tuple[int, str]] = ()
    named: int = 0
    sheet: str = ""
    sheets: Sequence[str] = ()
    encoding: str = ""
    encodings: Sequence[tuple[str, str, str]] = ()

    def column(self, name: str, most: int | None = None) -> list[object]:
        """Return the cells of a column, of all rows or the first *most*; None where a row is too short."""
        at = self.columns.index(name)
        return [row.cells[at] if at < len(row.cells) else None for row in self.rows[:most]]


def is_filled(cells: Sequence[Any]) -> bool:
    """Return whether there is anything in a row but blanks."""
    return any(cell is not None and (not isinstance(cell, str) or (cell and not cell.isspace())) for cell in cells)


def header(lines: Sequence[Line], names: Names) -> Found:
    """Find the header among the first lines: the one that names most fields, else the first that is as wide as any.

    Lines of numbers without a header have none: their first is a row like the others.
    """
    first = lines[:LOOKED_AT]
    best, most = None, 0
    for at, line in enumerate(first):
        called = {folded(cell) for cell in line.cells if isinstance(cell, str)} - {""}
        named = sum(bool(called & known) for known in names.values())
        if named > most and not any(as_number(cell) for cell in line.cells):
            best, most = at, named
    if best is not None:
        return Found(best, most)
    widths = [sum(is_filled([cell]) for cell in line.cells) for line in first]
    wide = next((at for at, width in enumerate(widths) if width * 2 >= max(widths)), 0)
    holds_number = bool(first) and any(as_number(cell) for cell in first[wide].cells)
    return Found(None if holds_number else wide, 0)


def table(grid: Grid, names: Names, chosen: int | None) -> Sheet:
    """Return the rows of *grid* below its header, or below the one *chosen*. Raises Unreadable when there are none."""
    lines = grid.lines
    if not lines:
        raise Unreadable(f"The sheet {grid.title} is empty." if grid.title else "The file is empty.")
    found = header(lines, names)
    if chosen is not None:
        at = next((at for at, line in enumerate(lines) if line.number == chosen), None)
        found = Found(at, found.named if at == found.at else 0)
    below = lines if found.at is None else lines[found.at + 1 :]
    if not below:
        raise Unreadable("The file has no rows below its header.")
    titles = _titles(grid, found.at, below)
    limits.expect_size(len(below), len(titles))
    return Sheet(
        columns=told_apart(titles),
        titles=titles,
        rows=_fitted(below, len(titles), grid.ends_itself),
        header=_NO_HEADER if found.at is None else lines[found.at].number,
        headers=[(line.number, _summary(line.cells)) for line in lines[:LOOKED_AT]],
        named=found.named,
        sheet=grid.title,
    )


def _titles(grid: Grid, at: int | None, below: Sequence[Line]) -> list[str]:
    if at is None:
        titles: list[str] = []
        width = Counter(len(line.cells) for line in below).most_common(1)[0][0]
    else:
        titles = [_text(cell)[:_SHOWN] for cell in grid.lines[at].cells]
        while titles and not titles[-1]:
            titles.pop()
        width = len(titles)
    limits.expect_size(1, width)
    if not grid.ends_itself:
        width = max([width, *(_width(line.cells) for line in below)])
    titles += [""] * (width - len(titles))
    return [name or f"Column {letters(place)}" for place, name in enumerate(titles)]


def _width(cells: Sequence[Any]) -> int:
    """Return how many cells there are up to the last one that has anything in it."""
    width = len(cells)
    while width and not is_filled(cells[width - 1 : width]):
        width -= 1
    return width


def _fitted(lines: Sequence[Line], width: int, ends_itself: bool) -> list[Line]:
    """Return each line with as many cells as columns; one of text with more or fewer keeps them and has a problem."""
    rows, left = [], limits.MOST_CHARACTERS
    for number, cells, said in lines:
        problem = said
        if len(cells) > width and _width(cells) <= width:
            cells = cells[:width]
        if not problem and len(cells) != width and ends_itself:
            text = f"{len(cells)} cell" if len(cells) == 1 else f"{len(cells)} cells"
            of = "1 column" if width == 1 else f"{width} columns"
            hint = " Put cells that contain the separator in quotes." if len(cells) > width else ""
            problem = f"This row has {text}, the header has {of}.{hint}"
        sizes = [len(cell) for cell in cells if isinstance(cell, str)]
        if sizes and max(sizes) > limits.LONGEST_CELL:
            cells = [cell[: limits.LONGEST_CELL] if isinstance(cell, str) else cell for cell in cells]
            problem = problem or f"A cell of this row has more than {limits.LONGEST_CELL:,} characters."
        left -= sum(sizes)
        if left < 0:
            raise Unreadable("The table has more text than can be read at once. Split the file.")
        filler = [""] * (width - len(cells)) if not ends_itself else []
        rows.append(Line(number, [*cells, *filler], problem))
    return rows


def _summary(cells: Sequence[Any]) -> str:
    words = ", ".join(text for text in map(_text, cells[: limits.MOST_COLUMNS]) if text)
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


def _text(cell: Any) -> str:
    return "" if cell is None else " ".join(str(cell).split())
