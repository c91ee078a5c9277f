"""Files that would end or stall who reads them: each is refused in words, and the app neither grows nor waits long."""

import io
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from services.core import settings
from services.core.errors import Busy, InvalidInput
from services.jobs import imports
from services.numbers.number_import import NumberImport
from services.text import files
from services.text.tables import limits
from services.text.tables.limits import LARGEST
from tests.conftest import Configure
from tests.world import workbooks

GROWTH = 160 * 2**20
"""Bytes by which the app may grow: a file comes as bytes of its own, and nothing of what it unpacks to."""

_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(sheet: bytes, strings: bytes | None = None) -> bytes:
    """Return a workbook of one sheet `S` with the XML given."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        archive.writestr(
            "_rels/.rels",
            f'{_RELATIONS}<Relationship Id="rId1" Type="{_RELATION}/officeDocument" Target="xl/workbook.xml"/>'
            "</Relationships>",
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {_MAIN} xmlns:r="{_RELATION}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets>'
            "</workbook>",
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{_RELATIONS}<Relationship Id="rId1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{_RELATION}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings is not None:
            archive.writestr("xl/sharedStrings.xml", strings)
    return out.getvalue()


def sheet(rows: bytes) -> bytes:
    return f"<worksheet {_MAIN}><sheetData>".encode() + rows + b"</sheetData></worksheet>"


def two_cells(end: str, quote: str = '"') -> bytes:
    row = end.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row r="{row}"><c r="{end}"><v>1</v></c></row>'
    return workbook(sheet(rows.replace('"', quote).encode()))


def one_text_in_every_cell() -> bytes:
    text = f"<sst {_MAIN}><si><t>{'x' * 32_000}</t></si></sst>".encode()
    return workbook(
        sheet(b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 60_000))), text
    )


def a_text_in_every_cell() -> bytes:
    """Return a workbook whose cells are none of them long, and 70 MB together."""
    text = f"<sst {_MAIN}><si><t>{'x' * 250}</t></si></sst>".encode()
    row = "".join(f'<c r="{letter}%(n)d" t="s"><v>0</v></c>' for letter in "ABCDEFGHIJ")
    rows = b"".join((f'<row r="{n}">' + row % {"n": n} + "</row>").encode() for n in range(1, 28_001))
    return workbook(sheet(rows), text)


def merged_cells() -> bytes:
    rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (n, n) for n in range(1, 50_000))
    merged = b'<mergeCell ref="A1:A50000"/>' * 1_000
    return workbook(sheet(rows).replace(b"</worksheet>", b"<mergeCells>" + merged + b"</mergeCells></worksheet>"))


def open_document() -> bytes:
    wide = (
        '<table:table-cell office:value-type="string" table:number-columns-repeated="1000"><text:p>x</text:p>'
        "</table:table-cell>"
    )
    return workbooks.ods(workbooks.ods_row(wide, repeated=20_000))


def understated() -> bytes:
    """Return a workbook that says of its sheet to be small, and whose sheet unpacks to 300 MB."""
    data = bytearray(workbook(sheet(b"<row><c><v>1</v></c></row>" * 12_000_000)))
    entry = data.rindex(b"PK\x01\x02", 0, data.rindex(b"xl/worksheets/sheet1.xml"))
    data[entry + 24 : entry + 28] = (1_000).to_bytes(4, "little")
    return bytes(data)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "two cells far apart": (lambda: two_cells("XFD1048576"), "reaches to column XFD; at most 500 columns"),
    "the same in another writing": (lambda: two_cells("XFD1048576", "'"), "reaches to column XFD"),
    "far down": (lambda: two_cells("SF1048576"), "reaches to column SF and row 1,048,576"),
    "unpacks to a thousandfold": (lambda: workbook(sheet(b"<row/>" * 50_000_000)), "Unpacked, the workbook has 286 MB"),
    "says to be small": (understated, "damaged|memory|too long"),
    "one long text in every cell": (one_text_in_every_cell, "memory|more text"),
    "a text in every cell": (a_text_in_every_cell, "memory|more text"),
    "merged cells over each other": (merged_cells, "merged cells"),
    "deep": (lambda: workbook(sheet(b"<a>" * 5_000_000)), "no rows|damaged|too long|memory|empty"),
    "an entity in an entity": (
        lambda: workbook(
            b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
            + b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%s;" % (b"%d" % (n - 1) if n else b"") * 10) for n in range(9))
            + b"]>"
            + sheet(b'<row r="1"><c r="A1" t="str"><v>&a8;</v></c></row>')
        ),
        "damaged|no rows|empty",
    ),
    "repeated rows": (open_document, "memory|reaches to column ALL"),
    "commas": (lambda: b"," * 20_000 + b"x\n1\n", "Line 1 has 20,001 columns; at most 500"),
    "the same name in each column": (lambda: b"Number," * 400_000 + b"x\n1\n", "columns; at most 500"),
    "lines": (lambda: b"1\n" * 25_000_000, "25,000,000 lines; at most 300,000"),
    "cells": (lambda: b"1,2,3,4,5,6,7,8,9,10,11,12\n" * 290_000, "more than 3,000,000 cells"),
    "open quotes": (lambda: b'a,b\n"x,1\n' * 2_000_000, "lines; at most|quotes of over 1,000 rows"),
    "quotes in quotes": (lambda: b'a,b\n"x"y"z,1\n' * 100_000, "quotes of over 1,000 rows"),
    "one row of quotes": (lambda: b"a,b\n" + b'"x\n",' * 200_000, "quotes|cells"),
    "a page of open tags": (lambda: b"<table><tr>" + b"<td colspan=400>" * 2_000_000, "columns|cells|memory|too long"),
    "tables in tables": (lambda: b"<table><tr><td>" * 1_000_000, "more than 100 deep"),
    "a page of comments": (lambda: b"<table>" + b"<!--" * 2_000_000, "no table|too long"),
    "zeros": (lambda: b"\0" * 40_000_000, "neither text nor|cannot be read"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_file_ends_or_stalls_the_app(kind: str) -> None:
    make, told = HOSTILE[kind]
    data = make()
    assert len(data) <= LARGEST
    own = psutil.Process()
    children, before, began = set(own.children()), own.memory_info().rss, time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidInput, match=told):
        files.read("numbers.xlsx", data, imports.names(NumberImport))
    assert own.memory_info().rss - before < GROWTH
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024 < GROWTH
    assert time.monotonic() - began < settings.current().file_seconds
    assert set(own.children()) <= children, "its reader has ended"


@pytest.mark.skipif(sys.platform != "linux", reason="macOS does not hold to a limit of address space")
def test_a_reader_is_confined() -> None:
    ask = (
        "import resource; from services.text.tables import limits; limits.confine();"
        "kinds = [getattr(resource, f'RLIMIT_{kind}') for kind in ('AS', 'CPU', 'FSIZE', 'CORE')];"
        "print(*(resource.getrlimit(kind)[1] for kind in kinds))"
    )
    said = subprocess.run(
        [sys.executable, "-c", ask], cwd=Path(files.__file__).parents[2], capture_output=True, check=True
    )
    assert [int(one) for one in said.stdout.split()] == [limits.MEMORY, limits.CPU_SECONDS, 0, 0]
    assert settings.current().file_seconds > limits.CPU_SECONDS


def test_files_that_come_at_once_are_each_read() -> None:
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: files.read("a.csv", f"Number\n+1415555010{n}\n".encode()), range(6)))
    assert [sheet.rows[0].cells for sheet in found] == [[f"+1415555010{n}"] for n in range(6)]


def test_a_file_whose_turn_does_not_come_is_refused_in_words_and_can_be_read_later(configure: Configure) -> None:
    configure(file_seconds=0.1)
    assert not files.is_busy()
    for _ in range(files.AT_ONCE):
        files._reading.acquire()
    try:
        assert files.is_busy()
        with pytest.raises(Busy, match="Try again in a minute"):
            files.read("a.csv", b"Number\n+14155550100\n")
    finally:
        files._reading.release(files.AT_ONCE)
    configure(file_seconds=60)
    assert files.read("a.csv", b"Number\n+14155550100\n").rows


def test_a_reader_is_given_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBERDESK_COOKIE_KEY", "secret")
    seen: list[object] = []
    started = subprocess.Popen

    def start(*args: object, **kwargs: object) -> object:
        seen.append(kwargs["env"])
        return started(*args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "Popen", start)
    files.read("a.csv", b"Number\n1\n")
    assert seen
    assert "secret" not in str(seen)
