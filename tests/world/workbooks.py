"""Workbooks that no library at hand writes: of LibreOffice (.ods), and of Excel in its binary form (.xlsb)."""

import io
import struct
import zipfile
from collections.abc import Sequence

_NAMES = "urn:oasis:names:tc:opendocument:xmlns"
_SCHEMAS = "http://schemas.openxmlformats.org"
_RELATION = f"{_SCHEMAS}/officeDocument/2006/relationships"
_RELATIONS = f'<Relationships xmlns="{_SCHEMAS}/package/2006/relationships">'


def ods(rows: str) -> bytes:
    """Return a sheet `S` of LibreOffice with the XML of *rows*."""
    content = (
        f'<office:document-content xmlns:office="{_NAMES}:office:1.0" xmlns:table="{_NAMES}:table:1.0" '
        f'xmlns:text="{_NAMES}:text:1.0" xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:'
        'calcext:1.0"><office:body><office:spreadsheet><table:table table:name="S">'
        f"{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{_NAMES}:manifest:1.0"/>')
        archive.writestr("content.xml", content)
    return out.getvalue()


def ods_row(*cells: str, repeated: int = 1) -> str:
    """Return a row of texts; a cell that is XML already stays as it is."""
    made = "".join(
        cell
        if cell.startswith("<")
        else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
        for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{made}</table:table-row>'


def xlsb(rows: Sequence[Sequence[str | float | None]]) -> bytes:
    """Return a workbook of one sheet `S` in Excel's binary form (MS-XLSB). A cell that is None holds `#N/A`."""
    cells = b""
    for at, row in enumerate(rows):
        cells += _record(0, struct.pack("<IIHHB", at, 0, 300, 0, 0))
        for column, cell in enumerate(row):
            place = struct.pack("<II", column, 0)
            if cell is None:
                cells += _record(3, place + b"\x2a")
            else:
                cells += _record(6, place + _text(cell)) if isinstance(cell, str) else _record(5, place + _float(cell))
    width = max(map(len, rows))
    area = struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1)
    sheet = _record(129) + _record(148, area) + _record(145) + cells + _record(146) + _record(130)
    named = _record(156, struct.pack("<II", 0, 1) + _text("rId1") + _text("S"))
    book = _record(131) + _record(143) + named + _record(144) + _record(132)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{_SCHEMAS}/package/2006/content-types">'
            '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            f'{_RELATIONS}<Relationship Id="rId1" Type="{_RELATION}/worksheet" Target="worksheets/sheet1.bin"/>'
            "</Relationships>",
        )
        archive.writestr("xl/workbook.bin", book)
        archive.writestr("xl/worksheets/sheet1.bin", sheet)
    return out.getvalue()


def _record(kind: int, data: bytes = b"") -> bytes:
    return (bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])) + _size(len(data)) + data


def _size(size: int) -> bytes:
    made = b""
    while size > 127:
        made, size = made + bytes([size & 127 | 128]), size >> 7
    return made + bytes([size])


def _text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _float(value: float) -> bytes:
    return struct.pack("<d", value)
