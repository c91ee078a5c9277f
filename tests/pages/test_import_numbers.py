"""Numbers brought in by the file, as a page: columns, a check that writes nothing, and what came of every row."""

from typing import Any

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from components.jobs.import_tray import Act
from db.base.scope import Slice
from db.numbers.queries import NumberQuery
from services.numbers import numbers
from services.text import files
from services.text.files import Sheet
from services.text.numbering import Bare
from tests.conftest import Configure, World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, links, press, signed_in, texts, visit

PAGE = "import_numbers.py"
GOOD = "Number,Connection,Label\n+14155550100,SIP,Desk\n"
MIXED = GOOD + "+14155552671,SIP,Sales\n+15551234567,SIP,\n+14155550101,Nowhere,\n"


def with_file(text: str, username: str = "operator") -> AppTest:
    tab = visit(signed_in(username), PAGE)
    tab.file_uploader(key="numbers_file").set_value(("moved.csv", text.encode(), "text/csv"))
    return tab.run()


def shown(tab: AppTest) -> list[tuple[Any, ...]]:
    """Return row, number, outcome and reason of the table of outcomes."""
    table: Any = tab.dataframe[-1].value
    return [
        (row.Row, row.Number, list(row.Outcome), row.Reason) for row in table.itertuples() if "Outcome" in table.columns
    ]


def held(session: Session, world: World) -> list[str]:
    session.rollback()
    return [row.e164 for row in numbers.search(session, world.operator, NumberQuery(), Slice())]


def test_the_list_and_the_wizard_lead_to_it(world: World, stock: Stock) -> None:
    tab = signed_in("operator")
    press(tab, "Import from a file")
    assert tab.title[0].value == "Import numbers"
    assert "Back to the list" in links(tab)
    assert "Import from a file" in links(visit(tab, "add_number.py"))
    assert "Import from a file" not in buttons(signed_in("viewer"))


def test_a_check_shows_every_row_with_the_refused_ones_first_and_writes_nothing(
    session: Session, world: World, stock: Stock
) -> None:
    before = held(session, world)
    tab = press(with_file(MIXED), "Check")
    assert not tab.exception
    assert texts(tab, "info") == ["Check only: 1 can be added, 1 already here, 1 needs review, 1 refused."]
    assert [row[:3] for row in shown(tab)] == [
        (5, "+1 415 555 0101", ["Refused"]),
        (4, "+1 555 123 4567", ["Needs review"]),
        (2, "+1 415 555 0100", ["Will be added"]),
        (3, "+1 415 555 2671", ["Already here"]),
    ]
    assert [row[3] for row in shown(tab)][::3] == ["Connection “Nowhere” not found.", "—"]
    assert list(tab.dataframe[-1].value.Column) == ["Connection", "Number", "—", "—"]
    assert held(session, world) == before


def test_a_number_that_the_file_has_otherwise_is_told_so_and_stays_as_it_is(
    session: Session, world: World, stock: Stock
) -> None:
    rows = ("+14155552671,SIP,*Till*,", "+12125552368,SIP,Support,west", "+919876543210,mCube,Mumbai,")
    tab = press(with_file("\n".join(["Number,Connection,Name,Tags", *rows])), "Import 3 rows")
    assert texts(tab, "success") == ["moved.csv: 0 added, 1 already here, 2 differ."]
    unchanged = "Not changed: an import only adds numbers. Edit it on the number's page."
    assert shown(tab) == [
        (2, "+1 415 555 2671", ["Differs"], f"Label: here “Sales”, in the file “*Till*”. {unchanged}"),
        (3, "+1 212 555 2368", ["Differs"], f"Tags: here none, in the file “west”. {unchanged}"),
        (4, "+91 98765 43210", ["Already here"], "—"),
    ]
    assert list(tab.dataframe[-1].value.Column) == ["Label", "Tags", "—"]
    text = "Differences are not applied: an import only adds numbers. Edit them on the number's page."
    assert text in texts(tab, "caption")
    assert numbers.get(session, world.viewer, stock.sales).label == "Sales"


def test_wrong_rows_stop_an_import_but_not_one_of_the_good_rows(session: Session, world: World, stock: Stock) -> None:
    before = held(session, world)
    tab = press(with_file(MIXED), "Import 4 rows")
    (refusal,) = texts(tab, "error")
    assert refusal.replace("\\", "").startswith(
        "Nothing was written: 2 of 4 rows cannot be imported. Row 4: +1 555 123 4567 is not in"
    )
    assert shown(tab)[2][2] == ["Will be added"]
    assert held(session, world) == before
    press(tab, "Import the good rows only")
    assert texts(tab, "success") == ["moved.csv: 1 added, 1 already here, 1 needs review, 1 refused."]
    assert shown(tab)[2][1:3] == ("+1 415 555 0100", ["Added"])
    assert held(session, world) == ["+14155550100", *before]
    press(tab, "Import the good rows only")
    assert texts(tab, "success") == ["moved.csv: 0 added, 2 already here, 1 needs review, 1 refused."]


def test_doubted_numbers_and_rows_without_a_connection_come_in_when_that_is_chosen(
    session: Session, world: World
) -> None:
    tab = with_file("Phone\n+15551234567\n(415) 555-0100\n")
    tab.checkbox(key="numbers_insist").check()
    tab.selectbox(key="numbers_connection").set_value(world.twilio)
    press(tab.run(), "Import 2 rows")
    assert not texts(tab, "error")
    assert sorted(held(session, world)) == ["+14155550100", "+15551234567"]


def test_a_column_that_no_name_tells_is_chosen(session: Session, world: World) -> None:
    tab = with_file("Line,Backup,Trunk\n+14155550100,+14155550101,SIP\n")
    assert texts(tab, "error") == ["Choose the column for the number."]
    column(tab, "Number").set_value("Line")
    press(tab.run(), "Import 1 row")
    assert texts(tab, "success") == ["moved.csv: 1 added."]
    assert "Columns ignored: Backup." in texts(tab, "caption")


def test_a_file_whose_turn_did_not_come_is_read_when_that_is_asked_again(world: World, configure: Configure) -> None:
    configure(file_seconds=0.1)
    for _ in range(files.AT_ONCE):
        files._reading.acquire()
    try:
        tab = with_file(GOOD)
        assert "Too many files are being read" in texts(tab, "error")[0]
    finally:
        files._reading.release(files.AT_ONCE)
    configure(file_seconds=60)
    press(tab, "Try again")
    assert not texts(tab, "error")
    assert "Import 1 row" in buttons(tab)


def column(tab: AppTest, title: str) -> Selectbox[Any]:
    """Return the choice of the column that holds *title*."""
    return next(box for box in tab.selectbox if box.label == title)


def test_a_column_can_be_left_out_and_another_file_is_matched_anew(session: Session, world: World) -> None:
    tab = with_file(GOOD)
    column(tab, "Label").set_value("")
    press(tab.run(), "Import 1 row")
    (row,) = numbers.search(session, world.operator, NumberQuery(), Slice())
    assert row.label == ""
    text = "Number,Connection,Inbound agent,Label\n+14155550101,SIP,Maya,Desk\n"
    tab.file_uploader(key="numbers_file").set_value(("other.csv", text.encode(), "text/csv"))
    assert [column(tab.run(), title).value for title in ("Agent", "Label", "Notes")] == ["Inbound agent", "Label", ""]


def test_a_file_is_read_once_and_not_at_every_click(world: World, stock: Stock) -> None:
    tab = with_file("Stock\n" + MIXED)

    def read() -> Sheet:
        reading = tab.session_state["numbers_tray"].reading
        return reading[1]  # type: ignore[no-any-return]

    first = read()
    press(tab, "Check")
    tab.checkbox(key="numbers_insist").check().run()
    assert read() is first
    column(tab, "Header").set_value(1).run()
    second = read()
    assert second is not first
    press(tab, "Check")
    assert read() is second
    tab.file_uploader(key="numbers_file").set_value(("other.csv", GOOD.encode(), "text/csv"))
    press(tab.run(), "Check")
    assert read().titles == ["Number", "Connection", "Label"]
    assert [row[:2] for row in shown(tab)] == [(2, "+1 415 555 0100")]


def test_a_row_that_does_not_fit_is_told_at_once_and_refused(session: Session, world: World) -> None:
    tab = with_file("Number,Connection,Label\n+14155550100,SIP,Smith, John\n\n+14155550101,SIP,Desk\n")
    (told,) = texts(tab, "warning")
    assert told.startswith("1 row cannot be imported as it is. Row 2: This row has 4 cells")
    press(tab, "Import the good rows only")
    assert [row[:3] for row in shown(tab)] == [(2, "+1 415 555 0100", ["Refused"]), (4, "+1 415 555 0101", ["Added"])]
    assert held(session, world) == ["+14155550101"]


def test_what_was_asked_of_one_file_is_not_done_to_another(session: Session, world: World) -> None:
    tab = with_file(GOOD)
    tab.session_state["numbers_tray"].ask(Act.ALL, ("another file",))  # as a click that a choice came after
    tab.run()
    assert texts(tab, "warning") == [
        "The import was interrupted by another click. Nothing was written; start it again."
    ]
    assert held(session, world) == []
    assert not texts(tab.run(), "warning")


def test_what_came_of_an_import_is_for_its_tenant(session: Session, world: World) -> None:
    tab = press(with_file(GOOD), "Import 1 row")
    assert texts(tab, "success")
    assert texts(tab.run(), "success")
    tray = tab.session_state["numbers_tray"]
    tray.owner = (tray.owner[0], world.other_tenant)  # as it is after another tenant was chosen
    assert not texts(tab.run(), "success")


@pytest.mark.parametrize("text", ["", "Number,Connection\n"])
def test_a_file_without_rows_is_told_so(world: World, text: str) -> None:
    tab = with_file(text)
    assert not tab.exception
    assert "The file" in texts(tab, "error")[0]
    assert "Check" not in buttons(tab)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_too_many_rows_are_told_before_anything_is_pressed(world: World) -> None:
    tab = with_file("Number\n" + "1\n" * 100_001)
    assert texts(tab, "error") == ["The file has 100,001 rows; at most 100,000 can be imported at once. Split it."]
    assert "Check" not in buttons(tab)


def test_a_long_table_says_how_many_rows_there_are(world: World) -> None:
    text = "Number,Connection\n" + "".join(f"+1415555{i:04d},SIP\n" for i in range(310))
    tab = press(with_file(text), "Check")
    assert len(tab.dataframe[-1].value) == 300
    assert "The first 300 of 310 rows, worst first." in texts(tab, "caption")


def test_a_number_of_another_tenant_is_refused_without_naming_it(world: World, stock: Stock) -> None:
    tab = press(with_file("Number,Connection\n+13055552671,SIP\n"), "Check")
    assert shown(tab)[0][3] == "+1 305 555 2671 already exists. A number can be added only once."
    assert "Other" not in " ".join(texts(tab))


def test_numbers_without_plus_need_a_look_until_it_is_said_what_they_are(session: Session, world: World) -> None:
    tab = press(with_file("Number,Connection\n4792345678,Twilio\n"), "Check")
    assert shown(tab)[0][2] == ["Needs review"]
    assert "+1 479 234 5678 (United States) or +47 92 34 56 78 (Norway)" in shown(tab)[0][3]
    tab.selectbox(key="numbers_bare").set_value(Bare.INTERNATIONAL)
    press(tab.run(), "Import 1 row")
    assert held(session, world) == ["+4792345678"]
