"""What the reader of workbooks does not tell of LibreOffice's sheets: cells over several rows, or without a value."""

from xml.parsers import expat

from services.text.tables import limits
from services.text.tables.seen import Seen

_MOST = 1_048_576
"""Rows of the largest sheet: what repeats further is cut there."""


def looked_through(content: bytes) -> dict[str, Seen]:
    """Return what was seen in each sheet of `content.xml`, by its name. Raises expat.ExpatError for no XML."""
    look = _Look()
    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = look.begins, look.ends
    parser.CharacterDataHandler = look.says
    parser.Parse(content, True)
    return look.found


class _Look:
    def __init__(self) -> None:
        self.found: dict[str, Seen] = {}
        self._seen = Seen()
        self._row, self._column, self._depth, self._repeated = 0, 0, 0, 1
        self._formula: tuple[int, int] | None = None  # of which no text came yet

    def begins(self, tag: str, said: dict[str, str]) -> None:
        if tag == "table:table":
            self._depth += 1
            if self._depth == 1 and len(self.found) < limits.MOST_SHEETS:
                self._seen = self.found.setdefault(said.get("table:name", ""), Seen())
                self._row = self._column = 0
        elif self._depth == 1 and tag in ("table:table-cell", "table:covered-table-cell"):
            self._cell(said)
            self._column += _times(said.get("table:number-columns-repeated"))
        elif self._depth == 1 and tag == "table:table-row":
            self._column, self._repeated = 0, _times(said.get("table:number-rows-repeated"))

    def ends(self, tag: str) -> None:
        if tag == "table:table":
            self._depth -= 1
        elif self._depth == 1 and tag == "table:table-row":
            self._row += self._repeated
        elif self._formula and tag == "table:table-cell":
            self._seen.wrong[self._formula] = Seen.NEVER_COMPUTED
            self._formula = None

    def says(self, _text: str) -> None:
        self._formula = None

    def _cell(self, said: dict[str, str]) -> None:
        if (down := _times(said.get("table:number-rows-spanned"))) > 1:
            self._seen.merged.append((self._row, self._column, self._row + down - 1))
        if said.get("calcext:value-type") == "error":
            self._seen.wrong[self._row, self._column] = "contains an error."
        elif "table:formula" in said and "office:value-type" not in said:
            self._formula = self._row, self._column


def _times(said: str | None) -> int:
    return min(int(said), _MOST) if said and said.isascii() and said.isdigit() and len(said) < 8 else 1
