"""Workbooks of Excel and LibreOffice: looked through before they are opened: a few bytes can name a vast sheet."""

import html
import io
import re
import struct
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from services.text.tables import binary, limits, opendocument
from services.text.tables.grids import LOOKED_AT, Grid, Line, Names, header, is_filled
from services.text.tables.headers import letters
from services.text.tables.limits import Unreadable
from services.text.tables.seen import Seen

_TEXTS = (".xml", ".bin", ".rels")
_MOST_MEMBERS = 5_000
_SHEET = re.compile(rb"<(?:\w+:)?sheet\s([^>]*)>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\s([^>]*)>")
_ATTRIBUTE = re.compile(rb"""([\w:]+)=["']([^"']*)["']""")
_FILLED = re.compile(rb"""\sr=["']([A-Z]{1,3}[0-9]{1,7})["'](?:[^<>]*[^<>/])?>""")
_COMPUTED = rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"
_WRONG = re.compile(
    rb"""<(?:\w+:)?c\s+([^<>]*\bt=["']e["'][^<>]*)>\s*(?:%s)?\s*<(?:\w+:)?v(?:\s[^<>]*)?>([^<]*)""" % _COMPUTED
)
_FORMULA = re.compile(rb"<(?:\w+:)?c\s([^<>]*)>\s*%s\s*(?:<(?:\w+:)?v(?:\s*/>|>([^<]*)</))?" % _COMPUTED)
_NEVER_COMPUTED = re.compile(rb'<(?:\w+:)?calcPr\s[^>]*fullCalcOnLoad="(?:1|true)"')
_TEXT = re.compile(rb"""\bt=["']str["']""")
_DIGITS, _LETTERS = b"0123456789", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CELL = re.compile("([A-Z]+)([0-9]+)")


def is_packed(data: bytes) -> bool:
    """Return whether *data* is a ZIP archive, as newer workbooks are."""
    return data.startswith(b"PK\x03\x04")


def is_old(data: bytes) -> bool:
    """Return whether *data* is a compound file, as older workbooks are, and those with a password."""
    return data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")


def read(data: bytes, names: Names, chosen: str | None) -> tuple[Grid, list[str]]:
    """Return the sheet *chosen*, or the one whose header names most fields, and what all sheets are called."""
    seen = _looked_through(data) if is_packed(data) else {}
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        known = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
        visible = [sheet.name for sheet in known if sheet.visible == SheetVisibleEnum.Visible]
        titles = [*visible, *(sheet.name for sheet in known if sheet.name not in visible)]
        if not titles:
            raise Unreadable("The workbook has no sheets.")
        if chosen not in titles:
            chosen = _best(book, titles[: limits.MOST_SHEETS], len(visible), seen, names)
        about = seen.get(chosen, Seen())
        about.expect_reach(chosen)
        return Grid(list(_lines(book, chosen, about)), ends_itself=False, title=chosen), titles
    except PasswordError as exc:
        raise Unreadable("The workbook is password-protected. Save it without a password.") from exc
    except CalamineError as exc:
        raise Unreadable("The workbook is damaged or of an unsupported kind. Save it again as .xlsx.") from exc


def _best(book: CalamineWorkbook, titles: list[str], visible: int, seen: dict[str, Seen], names: Names) -> str:
    """Return the sheet that names most fields in its header; among those that name none, the first with rows."""
    found = []
    for place, title in enumerate(titles):
        about = seen.get(title, Seen())
        try:
            about.expect_reach(title)
            lines = list(_lines(book, title, about, LOOKED_AT * 2))
        except Unreadable:
            if len(titles) == 1:
                raise
            continue
        if lines:
            found.append((header(lines, names).named, place < visible, len(lines) > 1, -place))
    return titles[-max(found)[-1]] if found else titles[0]


def _lines(book: CalamineWorkbook, title: str, seen: Seen, most: int | None = None) -> Iterator[Line]:
    sheet = book.get_sheet_by_name(title)
    if sheet.end is None:
        return
    Seen(sheet.end[0] + 1, sheet.end[1] + 1).expect_reach(title)
    rows = sheet.to_python(skip_empty_area=False, nrows=most)
    _fill_merged(sheet, seen, rows)
    wrong: dict[int, list[tuple[int, str]]] = {}
    for (row, column), why in seen.wrong.items():
        wrong.setdefault(row, []).append((column, why))
    filled = 0
    for at, cells in enumerate(rows):
        problem = ""
        if at in wrong:
            column, why = min(wrong[at])
            problem = f"Cell {letters(column)}{at + 1} {why}"
        if problem or is_filled(cells):
            filled += 1
            if filled > limits.MOST_ROWS + LOOKED_AT:
                limits.expect_size(limits.MOST_ROWS + 1, 1, f"The sheet {title}")
            yield Line(at + 1, cells, problem)


def _fill_merged(sheet: CalamineSheet, seen: Seen, rows: list[list[Any]]) -> None:
    """Give every row of a merged cell its value. Across it fills nothing: one value is not that of two columns."""
    left = limits.MOST_CELLS
    known = [(top, column, bottom) for (top, column), (bottom, _) in sheet.merged_cell_ranges or ()]
    for top, column, bottom in known or seen.merged:
        if top >= len(rows) or column >= len(rows[top]):
            continue
        for row in rows[top + 1 : bottom + 1]:
            row[column] = rows[top][column]
            left -= 1
        if left < 0:
            raise Unreadable("The sheet's merged cells contain more than can be read. Save it without merged cells.")


def _looked_through(data: bytes) -> dict[str, Seen]:
    """Return what was seen in each sheet of a packed workbook. Raises Unreadable when there is too much to unpack."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
        if len(members) > _MOST_MEMBERS:
            raise Unreadable(f"The workbook has {len(members):,} parts; at most {_MOST_MEMBERS:,} can be read.")
        size = sum(member.file_size for member in members if member.filename.lower().endswith(_TEXTS))
        if size > limits.UNPACKED:
            raise Unreadable(
                f"Unpacked, the workbook has {size / 2**20:,.0f} MB of cells; at most {limits.UNPACKED // 2**20} MB "
                "can be read. Split it, or delete everything outside the table."
            )
        known = set(archive.namelist())
        if not known & {"xl/workbook.xml", "xl/workbook.bin", "content.xml"}:
            raise Unreadable("The file is an archive, not a workbook. Unpack it and upload the file inside.")
        if "content.xml" in known:
            return opendocument.looked_through(archive.read("content.xml"))
        if "xl/workbook.bin" in known:
            targets = _targets(archive.read("xl/_rels/workbook.bin.rels"))
            places = {
                title: targets.get(relation.encode(), "")
                for title, relation in binary.sheets(archive.read("xl/workbook.bin")).items()
            }
            return {
                title: binary.survey(archive.read(place))
                for title, place in list(places.items())[: limits.MOST_SHEETS]
                if place in known
            }
        book = archive.read("xl/workbook.xml")
        computed = not _NEVER_COMPUTED.search(book)
        places = _places(book, archive.read("xl/_rels/workbook.xml.rels"))
        return {
            title: _survey(archive.read(place), computed)
            for title, place in list(places.items())[: limits.MOST_SHEETS]
            if place in known
        }
    except (
        zipfile.BadZipFile,
        KeyError,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ExpatError,
        IndexError,
        struct.error,
    ) as exc:
        raise Unreadable("The workbook is damaged or protected. Save it again as .xlsx without a password.") from exc


def _places(book: bytes, relations: bytes) -> dict[str, str]:
    """Return where in the archive each sheet stands, by what it is called."""
    targets = _targets(relations)
    places = {}
    for found in _SHEET.finditer(book):
        said = dict(_ATTRIBUTE.findall(found[1]))
        target = next((targets.get(value) for name, value in said.items() if name.endswith(b":id")), None)
        if target:
            places[html.unescape(said.get(b"name", b"").decode("utf-8", "replace"))] = target
    return places


def _targets(relations: bytes) -> dict[bytes | None, str]:
    """Return where in the archive each part stands, by its relation."""
    targets = {}
    for found in _RELATION.finditer(relations):
        said = dict(_ATTRIBUTE.findall(found[1]))
        target = said.get(b"Target", b"").decode("utf-8", "replace")
        targets[said.get(b"Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return targets


def _survey(sheet: bytes, computed: bool) -> Seen:
    seen = Seen()
    filled = _FILLED.findall(sheet)
    seen.columns = max(
        (_at(f"{column.decode()}1")[1] + 1 for column in {one.rstrip(_DIGITS) for one in filled}), default=0
    )
    seen.rows = max((int(one.lstrip(_LETTERS)) for one in filled), default=0)
    if b't="e"' in sheet or b"t='e'" in sheet:
        for found in _WRONG.finditer(sheet):
            _note(seen, found[1], f"contains the error {found[2][:20].decode('utf-8', 'replace')}.")
    if b"<f" in sheet or b":f" in sheet:
        for found in _FORMULA.finditer(sheet):
            is_text = _TEXT.search(found[1]) and found[2] is not None
            if (not found[2] and not is_text) or (found[2] == b"0" and not computed):
                _note(seen, found[1], Seen.NEVER_COMPUTED)
    return seen


def _note(seen: Seen, attributes: bytes, why: str) -> None:
    reference = dict(_ATTRIBUTE.findall(attributes)).get(b"r", b"").decode("ascii", "replace")
    if _CELL.fullmatch(reference):
        seen.wrong[_at(reference)] = why


def _at(reference: str) -> tuple[int, int]:
    """Return row and column of a cell such as `B2`, from 0."""
    found = _CELL.fullmatch(reference)
    assert found
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1
