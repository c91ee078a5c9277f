"""What columns are called, whatever the writing, and cells that tell by themselves that they hold phone numbers."""

import re
from collections.abc import Iterable

_BETWEEN = re.compile(r"[\W_]+")
_WRAPPED = re.compile(r"^(?:=?[\"']+|(?:tel|sip):)|[\"']+$")
_PUNCTUATION = re.compile(r"[\s()./\-\[\]\u2010-\u2015\u2212\u00ad\u200b-\u200f\u202a-\u202f\u2060-\u2069\ufeff]+")
_NUMBER = re.compile(r"(\+?)([0-9]{7,15})(?:\.0)?")
_DAY_OR_ADDRESS = re.compile(r"\d{4}-\d\d?-\d\d?.*|\d\d?[./-]\d\d?[./-]\d\d(\d\d)?.*|\d{1,3}(\.\d{1,3}){2,3}")


def folded(name: str) -> str:
    """Return a header without case, spaces, underscores, dashes and dots: `Phone_Number` is `phonenumber`."""
    return _BETWEEN.sub("", name.casefold())


def as_number(cell: object) -> float:
    """Return how much a cell looks like a phone number: 1 with its plus, less by its digits alone, 0 not at all."""
    if isinstance(cell, bool) or not isinstance(cell, str | int | float):
        return 0
    written = _WRAPPED.sub("", str(cell).strip())
    if _DAY_OR_ADDRESS.fullmatch(written):
        return 0
    found = _NUMBER.fullmatch(_PUNCTUATION.sub("", written) if not written.endswith(".0") else written)
    if not found:
        return 0
    return 1 if found[1] else 0.7 if len(found[2]) >= 9 else 0.4


def share_of_numbers(cells: Iterable[object]) -> float:
    """Return how much the filled ones of *cells* look like phone numbers, from 0 to 1."""
    seen = [as_number(cell) for cell in cells if str("" if cell is None else cell).strip()]
    return sum(seen) / len(seen) if seen else 0


def told_apart(names: Iterable[str]) -> list[str]:
    """Return *names* with the second of the same name called `name (2)`, and so on."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    found = []
    for name in names:
        own = name
        while own in taken:
            counts[name] = counts.get(name, 1) + 1
            own = f"{name} ({counts[name]})"
        taken.add(own)
        found.append(own)
    return found


def letters(column: int) -> str:
    """Return what a spreadsheet calls a column, counted from 0: `A`, `Z`, `AA`."""
    found, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
