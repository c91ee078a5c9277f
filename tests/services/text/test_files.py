"""Files as programs and spreadsheets write them: each is read as its author meant it, or a row of it is refused."""

import bz2
import datetime
import io
import lzma
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter

from services.core.errors import InvalidInput
from services.health.health_import import HealthImport
from services.jobs import imports
from services.numbers.number_import import NumberImport
from services.text import files
from services.text.tables.grids import Choice, Sheet
from tests.world import workbooks
from tests.world.workbooks import ods_row

HEADER = "Number,Connection,Label\n"


NAMES = imports.names(NumberImport)


def read(data: str | bytes, encoding: str = "utf-8", **choice: object) -> Sheet:
    raw = data.encode(encoding) if isinstance(data, str) else data
    return files.read("numbers.csv", raw, NAMES, Choice(**choice))  # type: ignore[arg-type]


def rows(sheet: Sheet) -> list[tuple[int, list[str], str]]:
    return [(row.number, [files.text(cell) for cell in row.cells], row.problem) for row in sheet.rows]


def numbers(sheet: Sheet) -> list[tuple[int | None, str, str]]:
    """Return row, number and label as they would be imported, where they would."""
    given = imports.rows(NumberImport, sheet, files.guess(sheet, NAMES))
    return [(row.at, files.text(row.get("number")), files.text(row.get("label"))) for row in given if not row.problem]


def book(*sheets: Sequence[Sequence[object]], fill: Callable[..., None] | None = None) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as made:
        for place, lines in enumerate(sheets):
            sheet = made.add_worksheet(f"Sheet {place + 1}")
            for at, cells in enumerate(lines):
                sheet.write_row(at, 0, cells)
            if fill:
                fill(made, sheet)
    return out.getvalue()


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("+14155550101,SIP,Smith, John", "This row has 4 cells, the header has 3 columns."),
        ("+14155550101,SIP", "This row has 2 cells, the header has 3 columns."),
        ('+14155550101,SIP,"Smith "Jo" John"', "A quoted cell of this row contains a quote"),
        ('+14155550101,SIP,"Smith', "A quote in this row is never closed"),
        ('"+14155550101",SIP,"Smith", John', "This row has 4 cells"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_that_does_not_fit_is_refused_by_its_line_and_costs_no_other(bad: str, told: str, place: int) -> None:
    good = ["+14155550100,SIP,A", '+14155550102,SIP,"B, C"']
    sheet = read(HEADER + "\n".join([*good[:place], bad, *good[place:]]) + "\n")
    assert [row.problem[: len(told)] for row in sheet.rows if row.number == place + 2] == [told]
    assert [label for _, _, label in numbers(sheet)] == ["A", "B, C"]
    given = imports.rows(NumberImport, sheet, files.guess(sheet, NAMES))
    assert [row.at for row in given if row.problem] == [place + 2]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('Number, Connection, Label\n+14155550100, SIP, "Doe, A"\n', (2, "+14155550100", "Doe, A")),
        ('Number,Label\n"+14155550100" ,"Doe, ""A""" \n', (2, "+14155550100", 'Doe, "A"')),
        ('Number,Label\n+14155550100,5" pipe\n', (2, "+14155550100", '5" pipe')),
        ("sep=;\nNumber;Label\n+14155550100;A, B\n", (3, "+14155550100", "A, B")),
        ("sep=,\r\nNumber,Label\r\n+14155550100,A;B\r\n", (3, "+14155550100", "A;B")),
        ("SEP=|\nNumber|Label\n+14155550100|A,B\n", (3, "+14155550100", "A,B")),
        ("Number\tLabel\n+14155550100\tA, B; C\n", (2, "+14155550100", "A, B; C")),
        ("Number|Label\n+14155550100|A\n", (2, "+14155550100", "A")),
        ("Number;Label\n+14155550100;1,5\n", (2, "+14155550100", "1,5")),
        ("Number,Label\r+14155550100,A\r", (2, "+14155550100", "A")),
        ("\n\nNumber,Label\n\n+14155550100,A\n", (5, "+14155550100", "A")),
        ("Number,Label,,\n+14155550100,A,,\n", (2, "+14155550100", "A")),
        ("DID inventory,,\nas of May,,\nNumber,Label,\n+14155550100,A,\n", (4, "+14155550100", "A")),
        ("+14155550100,SIP\n", (1, "+14155550100", "")),
        ("Number\n+14155550100\n", (2, "+14155550100", "")),
        ("030 123456\n", (1, "030 123456", "")),
        ('Number,Label\r+14155550100,"A\nB"\r', (2, "+14155550100", "A\nB")),
        ("Number,Label\r\r\n+14155550100,A\r\r\n", (2, "+14155550100", "A")),
        ("Number,Label\r\n+14155550100,A\r\n\x1a", (2, "+14155550100", "A")),
        ('Number,Label\n="+14155550100",="007"\n', (2, "+14155550100", "007")),
        ('Number,Label\n"=""+14155550100""","=""A, B"""\n', (2, "+14155550100", "A, B")),
        ('Number,Label\n+14155550100,\'="x"\n', (2, "+14155550100", '="x"')),
    ],
)
def test_text_is_read_whatever_separates_and_stands_above(text: str, wanted: tuple[int, str, str]) -> None:
    assert numbers(read(text)) == [wanted]


def test_a_return_that_stands_alone_ends_a_row_too() -> None:
    text = "Number,Label\r\n+14155550100,A\r+14155550101,B\r\n+14155550102,C\n"
    assert numbers(read(text)) == [(2, "+14155550100", "A"), (3, "+14155550101", "B"), (4, "+14155550102", "C")]


def test_rows_count_as_in_the_file_over_empty_rows_and_lines_in_quotes() -> None:
    text = 'Number,Label\n+14155550100,"two\nlines"\n,\n , \n+14155550101,A\n\n+14155550102\n'
    sheet = read(text)
    assert [(row.number, row.problem[:8]) for row in sheet.rows] == [(2, ""), (6, ""), (8, "This row")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_that_says_or_proves_its_encoding_has_no_choice(encoding: str) -> None:
    sheet = read(HEADER + "+14155550100,SIP,Zürich 東京\n", encoding)
    assert (numbers(sheet), list(sheet.encodings)) == ([(2, "+14155550100", "Zürich 東京")], [])


@pytest.mark.parametrize(
    ("encoding", "label", "guessed"),
    [
        ("cp1252", "Größe – Café", True),
        ("cp1252", "Öl", True),
        ("cp1251", "Склад запчастей", True),
        ("cp932", "営業部", True),
        ("cp932", "サポート窓口", True),
        ("koi8_r", "Отдел", False),
        ("gb18030", "客户服务", False),
        ("cp1250", "Příbram", False),
        ("cp1253", "Αθήνα", False),
    ],
)
def test_an_encoding_that_is_guessed_can_be_chosen_beside_what_it_makes(
    encoding: str, label: str, guessed: bool
) -> None:
    data = (HEADER + "+14155550100,SIP,Plain\n" * 2_000 + f"+14155550101,SIP,{label}\n").encode(encoding)
    sheet = read(data)
    assert (numbers(sheet)[-1][2] == label) >= guessed
    samples = {codec: sample for codec, _, sample in sheet.encodings}
    assert samples[encoding].split()[0] == label.split()[0]
    chosen = files.read("a.csv", data, NAMES, Choice(encoding=encoding))
    assert (chosen.encoding, chosen.rows[-1].cells[2]) == (encoding, label)


def test_a_few_bytes_of_another_encoding_refuse_their_row_only() -> None:
    data = (HEADER + "+14155550100,SIP,Zürich\n" * 5).encode() + "+14155550101,SIP,Zürich\n".encode("cp1252")
    sheet = read(data + b'+14155550102,SIP,nul\0\n+14155550103,SIP,"two\nlines\xff"\n+14155550104,SIP,Plain\n')
    assert sheet.encoding == "utf-8"
    assert [row.number for row in sheet.rows if row.problem] == [7, 8, 9]
    assert sheet.rows[-2].cells[2] == "two\nlines\ufffd"
    assert numbers(sheet)[0][2] == "Zürich"


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('cidnum,extension,destination,description\n,+14155550100,"from-did-direct,1",Desk\n', "extension"),
        ("Number,Number,Label\n1,+14155550100,A\n2,+14155550101,B\n", "Number (2)"),
        ("Number,Phone,Label\n1,+14155550100,A\n", "Phone"),
        ("Phone,Number,Label\n+14155550100,1,A\n", "Phone"),
        ("id,line,when\n1001,14155550100,2026-05-31\n", "line"),
        ("Number,Line\n12,+14155550100\n", "Line"),
        ("Number,Backup\n12,x\n", "Number"),
        ("one,other\n+14155550100,+14155550101\n", None),
        ("host,count\n192.168.100.100,12\n", None),
        *((f"{name},Label\n+14155550100,A\n", name) for name in ("TN", "DID", "telephone_number", "MSISDN", "DDI")),
        *((f"{name},Label\n+14155550100,A\n", name) for name in ("phone", "CLI", "E164", "e.164", "PHONE-NUMBER")),
    ],
)
def test_the_column_of_numbers_is_known_by_its_cells_and_then_by_its_name(text: str, column: str | None) -> None:
    assert files.guess(read(text), NAMES)["number"] == column


@pytest.mark.parametrize("title", ["inbound countries", "Inbound_Countries", "INBOUND-COUNTRIES", "Inbound.Countries"])
def test_headers_are_known_in_any_writing(title: str) -> None:
    sheet = read(f"Number,{title}\n+14155550100,US\n")
    assert files.guess(sheet, NAMES)["allowed_inbound"] == title
    assert (
        files.guess(read(f"Spam_Reports,{title}\n1,2\n"), imports.names(HealthImport))["spam_reports"] == "Spam_Reports"
    )


def test_a_header_can_be_chosen_or_there_is_none() -> None:
    text = "Label,Number\nOld,Phone\nA,+14155550100\n"
    assert read(text).header == 1
    assert read(text, header=2).columns == ["Old", "Phone"]
    none = read(text, header=0)
    assert (none.header, none.columns, len(none.rows)) == (0, ["Column A", "Column B"], 3)
    assert (1, "Label, Number") in [tuple(one) for one in none.headers]


def test_the_sheet_that_holds_the_columns_is_found_and_another_can_be_chosen() -> None:
    data = book([["How to use this file"]], [["Number", "Label"], ["+14155550100", "A"]], [["Colour"], ["red"]])
    sheet = read(data)
    assert (sheet.sheet, sheet.sheets) == ("Sheet 2", ["Sheet 1", "Sheet 2", "Sheet 3"])
    assert numbers(sheet) == [(2, "+14155550100", "A")]
    assert read(data, sheet="Sheet 3").columns == ["Colour"]


def test_a_merged_cell_is_in_every_row_and_in_no_other_column() -> None:
    def merge(made: xlsxwriter.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        sheet.merge_range("B2:B4", "SIP")
        sheet.merge_range("C2:D2", "Wide")

    sheet = read(
        book([["Number", "Connection", "Label", "Notes"], *([f"+1415555010{n}"] for n in range(3))], fill=merge)
    )
    assert [row[1][1:] for row in rows(sheet)] == [["SIP", "Wide", ""], ["SIP", "", ""], ["SIP", "", ""]]


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("<f>B2</f>", "without a computed value"),
        ("<f>B2</f><v/>", "without a computed value"),
        ("<f>B2</f><v></v>", "without a computed value"),
        ("<f>IF(1,VLOOKUP(1,A1:B2,2))</f><v>7</v>", ""),
        ('"e"<f>1/0</f><v>#DIV/0!</v>', "contains the error #DIV/0!"),
        ('"str"<f>IF(1,"")</f><v></v>', ""),
        ("<v>7</v>", ""),
    ],
)
def test_a_formula_without_a_value_and_an_error_refuse_their_row(cell: str, told: str) -> None:
    kind, _, inside = cell.rpartition('"<') if cell.startswith('"') else ("", "", cell)
    typed = f' t={kind}"' if kind else ""
    inside = f"<{inside}" if kind else inside
    made = _with_cell(f'<c r="C2"{typed}>{inside}</c>')
    sheet = read(made)
    assert [bool(row.problem) for row in sheet.rows] == [bool(told), False]
    assert told in sheet.rows[0].problem
    assert not told or sheet.rows[0].problem.startswith("Cell C2 ")


def _with_cell(cell: str) -> bytes:
    """Return a workbook whose cell C2 is the XML given."""
    plain, out = (
        book([["Number", "Label", "Notes"], ["+14155550100", "A", 1234], ["+14155550101", "B", 2]]),
        io.BytesIO(),
    )
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("sheet1.xml"):
                assert b'<c r="C2"><v>1234</v></c>' in data
                data = data.replace(b'<c r="C2"><v>1234</v></c>', cell.encode())
            new.writestr(name, data)
    return out.getvalue()


def test_a_formula_that_its_program_never_computed_is_refused_though_it_says_nought() -> None:
    sheet = read(book([["Number", "Label"], ["+14155550100", "=1+1"]]))
    assert "Cell B2 contains a formula without a computed value" in sheet.rows[0].problem


def test_cells_keep_their_kind() -> None:
    moment, day = datetime.datetime(2026, 5, 31, 12, 30), datetime.date(2026, 5, 31)  # noqa: DTZ001 - a sheet has no zones

    def fill(made: xlsxwriter.Workbook, sheet: xlsxwriter.workbook.Worksheet) -> None:
        sheet.write_datetime(1, 2, moment, made.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_datetime(1, 3, day, made.add_format({"num_format": "yyyy-mm-dd"}))

    (row,) = read(book([["Number", "Label", "At", "Day"], [14155550100, True]], fill=fill)).rows
    assert row.cells == [14155550100, True, moment, day]


PAGE = (
    "<html><head><meta charset=utf-8><style>td {}</style></head><body><table><tr><td>Menu</table>"
    "<table border=1><tr><th>Number</th><th>Connection<th>Label</tr><!-- <tr><td>no -->"
    "<tr><td>+14155550100<td rowspan=2>SIP<td>Zürich &amp; <b>more</b></tr>"
    "<tr><td>+14155550101</td><td>B</td></tr></table></body></html>"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_web_page_that_calls_itself_a_workbook_is_read(encoding: str) -> None:
    sheet = files.read("export.xls", PAGE.encode(encoding), NAMES)
    assert sheet.sheets == ["Table 1", "Table 2"]
    assert rows(sheet) == [(2, ["+14155550100", "SIP", "Zürich & more"], ""), (3, ["+14155550101", "SIP", "B"], "")]


def test_a_table_within_a_table_is_a_table() -> None:
    inside = PAGE[PAGE.index("<table border") : PAGE.index("</body>")]
    page = f"<html><body>{' ' * 100_000}<table><tr><td>Menu<td>{inside}</tr></table></body></html>"
    sheet = files.read("export.xls", page.encode(), NAMES)
    assert (sheet.sheet, [row.number for row in sheet.rows]) == ("Table 2", [2, 3])
    assert sheet.rows[1].cells == ["+14155550101", "SIP", "B"]


XML_2003 = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Worksheet ss:Name="S"><ss:Table>
<Row><Cell><Data ss:Type="String">Number</Data></Cell><Cell><Data>Connection</Data></Cell>
<Cell><Data>Label</Data></Cell></Row>
<Row ss:Index="4"><Cell><Data>+14155550100</Data><Comment><ss:Data>no</ss:Data></Comment></Cell>
<Cell ss:MergeDown="1"><Data>SIP</Data></Cell><Cell><Data>A &amp; B</Data></Cell></Row>
<Row><Cell><Data>+14155550101</Data></Cell><Cell ss:Index="3"><Data>C</Data></Cell></Row>
</ss:Table></Worksheet></Workbook>"""


def test_the_xml_of_older_excel_is_read() -> None:
    sheet = files.read("export.xls", XML_2003.encode(), NAMES)
    assert rows(sheet) == [(4, ["+14155550100", "SIP", "A & B"], ""), (5, ["+14155550101", "SIP", "C"], "")]


def test_a_workbook_of_libreoffice_is_read_with_its_merged_cells_and_errors() -> None:
    over_two = (
        '<table:table-cell office:value-type="string" table:number-rows-spanned="2"><text:p>SIP</text:p>'
        "</table:table-cell>"
    )
    error = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
    )
    made = [
        ods_row("Number", "Connection", "Label"),
        ods_row("+14155550100", over_two, "Zürich"),
        ods_row("+14155550101", "<table:covered-table-cell/>", "B"),
        ods_row("", repeated=3),
        ods_row("+14155550102", "SIP", error),
        ods_row("+14155550103", "SIP", '<table:table-cell table:formula="of:=1+1"/>'),
        ods_row("+14155550104", "SIP", "C"),
    ]
    sheet = read(workbooks.ods("".join(made)))
    assert [(row.number, row.cells[1], row.problem[:20]) for row in sheet.rows] == [
        (2, "SIP", ""),
        (3, "SIP", ""),
        (7, "SIP", "Cell C7 contains an "),
        (8, "SIP", "Cell C8 contains a f"),
        (9, "SIP", ""),
    ]
    assert numbers(sheet)[0] == (2, "+14155550100", "Zürich")


@pytest.mark.parametrize(
    "data",
    [
        (Path(__file__).parent / "files" / "numbers.xls").read_bytes(),
        workbooks.xlsb(
            [
                ["Number", "Connection", "Label"],
                [14155550100.0, "SIP", "Zürich"],
                ["+14155550101", "SIP", "東京"],
            ]
        ),
    ],
    ids=["xls", "xlsb"],
)
def test_other_kinds_of_workbooks_are_read(data: bytes) -> None:
    assert rows(read(data)) == [(2, ["14155550100", "SIP", "Zürich"], ""), (3, ["+14155550101", "SIP", "東京"], "")]


def test_an_error_in_a_binary_workbook_refuses_its_row() -> None:
    sheet = read(workbooks.xlsb([["Number", "Label"], ["+14155550100", None], ["+14155550101", "B"]]))
    assert [(row.number, row.problem) for row in sheet.rows] == [(2, "Cell B2 contains an error."), (3, "")]


def test_what_a_file_is_its_content_says() -> None:
    assert numbers(files.read("a.xls", b"Number\tLabel\n+14155550100\tA\n", NAMES)) == [(2, "+14155550100", "A")]
    assert numbers(files.read("a.csv", book([["Number"], ["+14155550100"]]), NAMES))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("numbers.csv", HEADER)
    for data, told in (
        (b"%PDF-1.7 ...", "is a PDF"),
        (archive.getvalue(), "is an archive"),
        (book([["Number"]])[:400], "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b'[{"number": "+14155550100"}]', "is JSON"),
        (b"<html><body>Signed out</body></html>", "a web page or XML without a table"),
        (bz2.compress(HEADER.encode()), "is an archive"),
        (lzma.compress(HEADER.encode()), "is an archive"),
        (workbooks.xlsb([["Number"]]), "no rows below"),
        (bytes(range(1, 256)) * 9, "neither text nor"),
        ((HEADER + "+14155550100,SIP,A\n").encode("utf-32-le"), "neither text nor"),
    ):
        with pytest.raises(InvalidInput, match=told):
            files.read("a.csv", data)
