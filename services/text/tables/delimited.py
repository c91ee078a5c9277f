"""Text whose cells are separated: which separator, its quotes, and rows that keep the line at which they begin."""

import csv
import re

from services.text.tables import encodings, limits
from services.text.tables.grids import LOOKED_AT, Grid, Line, Names, header, is_filled
from services.text.tables.limits import Unreadable

SEPARATORS = (",", ";", "\t", "|")

_SAID = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE | re.DOTALL)
_LONE_RETURN = re.compile(r"\r(?!\n)")
_WRAPPED = re.compile(r'="([^"]*)"\s*')
_MOST_BROKEN = 1_000
_LINES_IN_A_CELL = 2_000  # notes have no more
_UNCLOSED = "A quote in this row is never closed."
_INSIDE = "A quoted cell of this row contains a quote. Double it or remove it."


def grid(text: str, names: Names) -> Grid:
    """Return the rows of *text*; a row that cannot be read has a problem, and costs no other row."""
    text = text.lstrip("\ufeff").rstrip("\x1a")  # DOS ends a text with Ctrl-Z
    if "\r" in text:
        text = _LONE_RETURN.sub("\n", text.replace("\r\r\n", "\r\n"))
    amount = text.count("\n")
    if amount > 2 * limits.MOST_ROWS:
        raise Unreadable(
            f"The file has {amount:,} lines; at most {limits.MOST_ROWS:,} rows can be read at once. Split it."
        )
    lines = text.split("\n")
    said = _SAID.fullmatch(lines[0].strip('"') if lines else "")
    start = 1 if said else 0
    separator = said[1] if said else _separator(lines[: LOOKED_AT * 2], names)
    return Grid(_rows(lines, start, separator), ends_itself=True)


def _separator(lines: list[str], names: Names) -> str:
    """Return what separates: it makes a header that names fields, and rows of one length, the longer the better."""

    def fitness(separator: str) -> tuple[int, float, int]:
        rows = _rows([line for line in lines if line.count(separator) < limit], 0, separator)
        widths = [len(row.cells) for row in rows]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=1)
        agreed = widths.count(usual) / len(widths) if usual > 1 else 0
        return header(rows, names).named if usual > 1 or names else 0, agreed, usual

    lines = [line for line in lines if line.strip()]
    limit = limits.MOST_COLUMNS  # a line with more is not read for a guess
    widest = max((line.count(separator) for line in lines for separator in SEPARATORS), default=0)
    found = {separator: fitness(separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=lambda separator: found[separator])
    if widest > limit and not found[best][0]:
        return max(SEPARATORS, key=lambda separator: sum(line.count(separator) for line in lines))
    return best


def _rows(lines: list[str], start: int, separator: str) -> list[Line]:
    found: list[Line] = []
    at, broken, cells_left = start, 0, limits.MOST_CELLS
    while at < len(lines):
        line = lines[at]
        begun, number, problem = at, at + 1, ""
        if '"' not in line:
            cells = line.rstrip("\r").split(separator)
            at += 1
        elif (simple := _simple(line, separator)) is not None:
            cells = simple
            at += 1
        else:
            cells, used, problem = _quoted(lines, at, separator)
            at += used
            broken += bool(problem)
            if broken > _MOST_BROKEN:
                raise Unreadable(f"The quotes of over {_MOST_BROKEN:,} rows do not match. Save the file again as CSV.")
        if not problem and not is_filled(cells):
            continue
        if '="' in line:  # how programs keep a spreadsheet from making a number of a text
            cells = [_WRAPPED.sub(r"\1", cell) if _WRAPPED.fullmatch(cell) else cell for cell in cells]
        cells_left -= len(cells)
        if len(cells) > limits.MOST_COLUMNS:
            if not found:
                limits.expect_size(1, len(cells), f"Line {number:,}")
            problem = problem or f"This row has {len(cells):,} cells; at most {limits.MOST_COLUMNS} can be read."
            cells = cells[: limits.MOST_COLUMNS + 1]
        if cells_left < 0:
            raise Unreadable(
                f"The file has more than {limits.MOST_CELLS:,} cells; no more can be read at once. Split it, or "
                f"remove columns."
            )
        if any(map(encodings.is_broken, lines[begun:at])):
            cells = [encodings.mended(cell) for cell in cells]
            problem = problem or "This row has bytes that are not text in the file's encoding."
        found.append(Line(number, cells, problem))
    return found


def _simple(line: str, separator: str) -> list[str] | None:
    """Return the cells of a row that is one line with its quotes as they should be; None for any other."""
    try:
        return next(csv.reader((line.rstrip("\r"),), delimiter=separator, skipinitialspace=True, strict=True))
    except csv.Error:
        return None


def _quoted(lines: list[str], at: int, separator: str) -> tuple[list[str], int, str]:
    """Return the cells of the row that begins at a line, how many lines it has, and what is wrong with its quotes."""
    cells: list[str] = []
    text, used, place = lines[at], 1, 0
    while True:
        begin = place
        while begin < len(text) and text[begin] == " ":
            begin += 1
        if text[begin : begin + 1] != '"':
            end = text.find(separator, place)
            cells.append(text[place:].rstrip("\r") if end < 0 else text[place:end])
        else:
            text, used, closed = _closing(lines, at, text, used, begin + 1)
            if closed < 0:
                return lines[at].rstrip("\r").split(separator), 1, _UNCLOSED
            cells.append(text[begin + 1 : closed].replace('""', '"').replace("\r\n", "\n"))
            end = text.find(separator, closed)
            rest = text[closed + 1 :] if end < 0 else text[closed + 1 : end]
            if rest.strip(" \r"):
                return lines[at].rstrip("\r").split(separator), 1, _INSIDE if used == 1 else _UNCLOSED
        if end < 0:
            return cells, used, ""
        if len(cells) > limits.MOST_COLUMNS:
            return cells, 1, f"This row has more than {limits.MOST_COLUMNS} cells."
        place = end + len(separator)


def _closing(lines: list[str], at: int, text: str, used: int, place: int) -> tuple[str, int, int]:
    """Return the row's text with as many lines as its open quote needs, their number, and where it closes; else -1."""
    parts, size = [text], len(text)
    most = used + _LINES_IN_A_CELL
    while True:
        piece = parts[-1]
        look = place if len(parts) == 1 else 0
        while True:
            quote = piece.find('"', look)
            if quote < 0:
                break
            if piece[quote + 1 : quote + 2] != '"':
                return "\n".join(parts), used, size - len(piece) + quote
            look = quote + 2
        if used >= most or at + used >= len(lines) or size - place > limits.LONGEST_CELL:
            return text, used, -1
        parts.append(lines[at + used])
        size += 1 + len(parts[-1])
        used += 1
