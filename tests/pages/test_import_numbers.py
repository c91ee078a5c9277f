"""Numbers brought in by the file, as a page: columns, a check that writes nothing, and what came of every row."""

from typing import Any

import pytest
from sqlmodel import Session
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from db.base.scope import Slice
from db.numbers.matching import NumberQuery
from services.numbers import numbers
from services.text import files
from services.text.numbering import Bare
from services.text.tables.grids import Sheet
from tests.conftest import Configure, World
from tests.pages.conftest import Stock
from tests.pages.tab import buttons, job_of, links, listing, press, signed_in, texts, visit
from tests.world import importing

PAGE = "import_numbers.py"
GOOD = "Number,Connection,Label\n+14155550100,SIP,Desk\n"
MIXED = GOOD + "+14155552671,SIP,Sales\n+15551234567,SIP,\n+14155550101,Nowhere,\n"


def with_file(text: str, username: str = "operator") -> AppTest:
    tab = visit(signed_in(username), PAGE)
    tab.file_uploader(key="numbers_file").set_value(("moved.csv", text.encode(), "text/csv"))
    return tab.run()


def shown(tab: AppTest) -> list[tuple[Any, ...]]:
    """Return row, number, outcome and reason of the rows of the job in the tab."""
    found = listing(tab, "Numbers").columns
    return list(zip(map(int, found["row"]), found["number"], found["outcome"], found["reason"], strict=True))


def check(tab: AppTest) -> AppTest:
    """Check the file in the tab, which leads to the job."""
    press(tab, "Check")
    assert not tab.exception
    assert not texts(tab, "error")
    return visit(tab, "jobs.py", job=str(job_of(tab)))  # AppTest (1.67) does not stay where a switch of pages led


def bring(session: Session, world: World, tab: AppTest, start: str) -> AppTest:
    """Check the file in the tab, *start* its job and have it done."""
    press(check(tab), start)
    importing.finished(session, world.operator, job_of(tab))
    return tab.run()


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


def test_a_check_shows_every_row_and_writes_nothing(session: Session, world: World, stock: Stock) -> None:
    before = held(session, world)
    tab = check(with_file(MIXED))
    assert tab.title[0].value == "Import numbers: moved.csv"
    assert "Check only: 1 can be added, 1 already here, 1 needs review, 1 refused." in texts(tab, "info")
    assert [row[:3] for row in shown(tab)] == [
        (2, "+1 415 555 0100", ["Will be added"]),
        (3, "+1 415 555 2671", ["Already here"]),
        (4, "+1 555 123 4567", ["Needs review"]),
        (5, "+1 415 555 0101", ["Refused"]),
    ]
    assert [row[3] for row in shown(tab)][::3] == ["—", "Connection “Nowhere” not found."]
    assert listing(tab, "Numbers").columns["column"] == ["—", "—", "Number", "Connection"]
    assert held(session, world) == before


def test_a_check_waits_for_who_left_it_and_for_nobody_else(session: Session, world: World, stock: Stock) -> None:
    check(with_file(MIXED))
    tab = visit(signed_in("operator"), PAGE)
    assert "moved.csv: 4 rows" in links(tab)
    assert "moved.csv: 4 rows" not in links(visit(signed_in("admin"), PAGE))


def test_a_number_that_the_file_has_otherwise_is_told_so_and_stays_as_it_is(
    session: Session, world: World, stock: Stock
) -> None:
    rows = ("+14155552671,SIP,*Till*,", "+12125552368,SIP,Support,west", "+919876543210,mCube,Mumbai,")
    tab = check(with_file("\n".join(["Number,Connection,Name,Tags", *rows])))
    assert "Check only: 0 can be added, 1 already here, 2 differ." in texts(tab, "info")
    unchanged = "Not changed: an import only adds numbers. Edit it on the number's page."
    assert shown(tab) == [
        (2, "+1 415 555 2671", ["Differs"], f"Label: here “Sales”, in the file “*Till*”. {unchanged}"),
        (3, "+1 212 555 2368", ["Differs"], f"Tags: here none, in the file “west”. {unchanged}"),
        (4, "+91 98765 43210", ["Already here"], "—"),
    ]
    assert listing(tab, "Numbers").columns["column"] == ["Label", "Tags", "—"]
    text = "Differences are not applied: an import only adds numbers. Edit them on the number's page."
    assert text in texts(tab, "caption")
    assert tab.button(key="job_start").disabled
    assert numbers.get(session, world.viewer, stock.sales).label == "Sales"


def test_numbers_on_record_are_updated_when_that_is_chosen(session: Session, world: World, stock: Stock) -> None:
    tab = with_file("Number,Connection,Name\n+14155552671,SIP,Till\n+14155550100,SIP,Desk\n")
    tab.checkbox(key="numbers_update").check()
    tab = check(tab.run())
    assert "Check only: 1 can be added, 1 can be updated." in texts(tab, "info")
    assert listing(tab, "Numbers").columns["change"] == ["Label: Sales → Till", "—"]
    press(tab, "Import 2 rows")
    importing.finished(session, world.operator, job_of(tab))
    assert "moved.csv: 1 added, 1 updated." in texts(tab.run(), "success")
    assert numbers.get(session, world.viewer, stock.sales).label == "Till"


def test_only_the_good_rows_are_imported_and_the_others_can_be_mended(
    session: Session, world: World, stock: Stock
) -> None:
    before = held(session, world)
    tab = bring(session, world, with_file(MIXED), "Import 1 row")
    assert texts(tab, "success") == ["moved.csv: 1 added, 1 already here, 1 needs review, 1 refused."]
    assert shown(tab)[0][1:3] == ("+1 415 555 0100", ["Added"])
    assert held(session, world) == ["+14155550100", *before]
    assert "Phone numbers" in links(tab)
    tab.toggle[0].set_value(True).run()
    (table,) = tab.dataframe
    assert [list(row) for row in table.value[["row", "0", "1"]].itertuples(index=False)] == [
        [4, "+15551234567", "SIP"],
        [5, "+14155550101", "Nowhere"],
    ]
    first = job_of(tab)
    press(tab, "Check again")
    assert job_of(tab) != first
    assert "Check only: 0 can be added, 1 needs review, 1 refused." in texts(tab, "info")


def test_doubted_numbers_and_rows_without_a_connection_come_in_when_that_is_chosen(
    session: Session, world: World
) -> None:
    tab = with_file("Phone\n+15551234567\n(415) 555-0100\n")
    tab.checkbox(key="numbers_insist").check()
    tab.selectbox(key="numbers_connection").set_value(world.twilio)
    bring(session, world, tab.run(), "Import 2 rows")
    assert sorted(held(session, world)) == ["+14155550100", "+15551234567"]


def test_a_column_that_no_name_tells_is_chosen(session: Session, world: World) -> None:
    tab = with_file("Line,Backup,Trunk\n+14155550100,+14155550101,SIP\n")
    assert texts(tab, "error") == ["Choose the column for the number."]
    column(tab, "Number").set_value("Line")
    assert "Columns ignored: Backup." in texts(tab.run(), "caption")
    bring(session, world, tab, "Import 1 row")
    assert texts(tab, "success") == ["moved.csv: 1 added."]


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
    assert "Check" in buttons(tab)


def column(tab: AppTest, title: str) -> Selectbox[Any]:
    """Return the choice of the column that holds *title*."""
    return next(box for box in tab.selectbox if box.label == title)


def test_a_column_can_be_left_out_and_another_file_is_matched_anew(session: Session, world: World) -> None:
    tab = with_file(GOOD)
    column(tab, "Label").set_value("")
    bring(session, world, tab.run(), "Import 1 row")
    (row,) = numbers.search(session, world.operator, NumberQuery(), Slice())
    assert row.label == ""
    tab = with_file(GOOD)
    column(tab, "Label").set_value("")
    text = "Number,Connection,Inbound agent,Label\n+14155550101,SIP,Maya,Desk\n"
    tab.file_uploader(key="numbers_file").set_value(("other.csv", text.encode(), "text/csv"))
    assert [column(tab.run(), title).value for title in ("Agent", "Label", "Notes")] == ["Inbound agent", "Label", ""]


def test_a_file_is_read_once_and_not_at_every_click(world: World, stock: Stock) -> None:
    tab = with_file("Stock\n" + MIXED)

    def read() -> Sheet:
        reading = tab.session_state["numbers_tray"].reading
        return reading[1]  # type: ignore[no-any-return]

    first = read()
    tab.checkbox(key="numbers_insist").check().run()
    assert read() is first
    column(tab, "Header").set_value(1).run()
    second = read()
    assert second is not first
    tab.checkbox(key="numbers_insist").uncheck().run()
    assert read() is second
    tab.file_uploader(key="numbers_file").set_value(("other.csv", GOOD.encode(), "text/csv"))
    tab.run()
    assert read().titles == ["Number", "Connection", "Label"]
    assert [row[:2] for row in shown(check(tab))] == [(2, "+1 415 555 0100")]


def test_a_row_that_does_not_fit_is_told_at_once_and_refused(session: Session, world: World) -> None:
    tab = with_file("Number,Connection,Label\n+14155550100,SIP,Smith, John\n\n+14155550101,SIP,Desk\n")
    (told,) = texts(tab, "warning")
    assert told.startswith("1 row cannot be imported as it is. Row 2: This row has 4 cells")
    bring(session, world, tab, "Import 1 row")
    assert [row[:3] for row in shown(tab)] == [(2, "+1 415 555 0100", ["Refused"]), (4, "+1 415 555 0101", ["Added"])]
    assert held(session, world) == ["+14155550101"]


def test_what_was_asked_of_one_file_is_not_done_to_another(session: Session, world: World) -> None:
    tab = with_file(GOOD)
    tab.session_state["numbers_tray"].ask(("another file",))  # as a click that a choice came after
    tab.run()
    assert texts(tab, "warning") == ["The check was interrupted by another click. Nothing was written; start it again."]
    assert tab.title[0].value == "Import numbers"
    assert not texts(tab.run(), "warning")


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


def test_a_long_table_has_pages(world: World) -> None:
    text = "Number,Connection\n" + "".join(f"+1415555{i:04d},SIP\n" for i in range(310))
    tab = check(with_file(text))
    assert "of 310 rows" in " ".join(texts(tab))
    assert len(shown(tab)) < 310


def test_a_number_of_another_tenant_is_refused_without_naming_it(world: World, stock: Stock) -> None:
    tab = check(with_file("Number,Connection\n+13055552671,SIP\n"))
    assert shown(tab)[0][3] == "+1 305 555 2671 already exists. A number can be added only once."
    assert "Other" not in " ".join(texts(tab))


def test_numbers_without_plus_need_a_look_until_it_is_said_what_they_are(session: Session, world: World) -> None:
    tab = check(with_file("Number,Connection\n4792345678,Twilio\n"))
    assert shown(tab)[0][2] == ["Needs review"]
    assert "+1 479 234 5678 (United States) or +47 92 34 56 78 (Norway)" in shown(tab)[0][3]
    tab = with_file("Number,Connection\n4792345678,Twilio\n")
    tab.selectbox(key="numbers_bare").set_value(Bare.INTERNATIONAL)
    bring(session, world, tab.run(), "Import 1 row")
    assert held(session, world) == ["+4792345678"]
