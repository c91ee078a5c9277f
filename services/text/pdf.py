"""A document of tables as PDF: A4, with page numbers, in a font for the scripts of most of the world's names."""

import functools
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from services.text.exports import Cell, Table

MISSING = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that the font has not: it is seen that something is missing."""

_FONT = "Noto Sans"
_SIMPLE = 0x0590
"""From here on are the scripts whose letters must be shaped, and moved, to be read."""

_INK, _QUIET, _RULE, _FILL = (28, 36, 48), (95, 105, 118), (223, 227, 232), (245, 246, 248)
_TEXT, _SMALL, _TITLE, _SUBTITLE = 8.5, 7.5, 18, 12
_NARROWEST, _WIDEST = 9, 40
_CONTROLS = 0x20
_PUNCTUATION = range(0x2000, 0x2100)

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it tells of every table that it cuts down


@dataclass(frozen=True)
class Document:
    """What is printed: a title, lines of what it is about, and tables. `footer` stands on every page."""

    title: str
    about: Sequence[str]
    tables: Sequence[Table]
    footer: str


def render(document: Document) -> bytes:
    """Return *document* as PDF."""
    page = _Page(readable(document.footer))
    page.add_page()
    page.put(document.title, _TITLE, _INK)
    for line in document.about:
        page.put(line, _TEXT, _QUIET)
    for table in document.tables:
        page.draw(table)
    return bytes(page.output())


def readable(text: str) -> str:
    """Return *text* with MISSING for each character that the font cannot show; lines become one."""
    one_line = " ".join(text.replace("→", "->").split())  # the font has no arrows
    return "".join(c if ord(c) >= _CONTROLS and ord(c) in _characters() else MISSING for c in one_line)


class _Page(FPDF):
    def __init__(self, footing: str) -> None:
        super().__init__(format="A4")
        self._footing = footing
        self.add_font(_FONT, "", _font_file())
        self.set_font(_FONT, size=_TEXT)
        self.set_auto_page_break(True, margin=18)
        self.set_title(footing)
        self.set_creator("Numberdesk")

    def footer(self) -> None:
        """Draw what the document is, and the page of how many."""
        self.set_y(-12)
        self.set_font(_FONT, size=_SMALL)
        self.set_text_color(_QUIET)
        self._shape(self._footing)
        self.cell(self.epw * 0.8, text=self._footing)
        self.cell(self.epw * 0.2, text=f"Page {self.page_no()} of {{nb}}", align="R")

    def put(self, text: str, size: float, color: tuple[int, int, int]) -> None:
        """Write a line, or as many as it takes."""
        line = readable(text)
        self._shape(line)
        self.set_font(_FONT, size=size)
        self.set_text_color(color)
        self.multi_cell(0, size * 0.5, line, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")

    def draw(self, table: Table) -> None:
        """Draw a table under its title, with its header again on every page."""
        given = list(table.rows)
        rows = [[_text(cell) for cell in row] for row in given]
        header = [readable(text) for text in table.header]
        if self.will_page_break(30):  # a title does not stand alone at the foot of a page
            self.add_page()
        self.ln(5)
        self.put(table.title, _SUBTITLE, _INK)
        if table.note:
            self.put(table.note, _SMALL, _QUIET)
        if not rows:
            self.put("None.", _TEXT, _INK)
            return
        self._shape(" ".join(cell for row in (header, *rows) for cell in row))
        self.ln(1)
        self.set_font(_FONT, size=_TEXT)
        self.set_text_color(_INK)
        self.set_draw_color(_RULE)
        with self.table(
            col_widths=_widths([header, *rows]),
            text_align=tuple("LEFT" if isinstance(cell, str) else "RIGHT" for cell in given[0]),
            headings_style=FontFace(color=_QUIET, fill_color=_FILL, emphasis="", size_pt=_SMALL),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=_TEXT * 0.5,
            padding=0.8,
        ) as drawn:
            for row in (header, *rows):
                drawn.row(row)

    def _shape(self, text: str) -> None:
        """Have letters shaped where that is needed: it takes three times as long."""
        self.set_text_shaping(any(ord(c) >= _SIMPLE and ord(c) not in _PUNCTUATION for c in text))


def _text(cell: Cell) -> str:
    return readable(cell) if isinstance(cell, str) else f"{cell:,}"


def _widths(rows: Iterable[Sequence[str]]) -> tuple[int, ...]:
    """Return how wide the columns are to each other, by the longest text of each within bounds."""
    return tuple(min(_WIDEST, max(_NARROWEST, *map(len, column))) for column in zip(*rows, strict=True))


def _font_file() -> Path:
    return Path(str(resources.files("fontpkg_noto_sans"))) / "files" / "NotoSans[wdth,wght].ttf"


@functools.cache
def _characters() -> frozenset[int]:
    with TTFont(_font_file(), lazy=True) as font:
        return frozenset(font.getBestCmap())
