"""The tenant audit as files: everything that the page tells, nothing that a spreadsheet would run, no letter lost."""

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlmodel import Session, select

from db.models import AuditEvent, NumberStatus, PhoneNumber
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from services.audit import report_files, tenant_audit, wording
from services.core.access import Actor, Permission
from services.core.errors import Forbidden
from services.numbers import numbers
from services.setup import builder
from services.text import exports, pdf
from services.text.exports import Table
from services.text.pdf import MISSING
from tests.conftest import World
from tests.world import audit, make

NOW = datetime.now(UTC)
NAMES = ("Nordlicht Ärger", "मुंबई", "Привет", "=1+1", "日本 🙂")


@pytest.fixture
def during(session: Session, world: World) -> tenant_audit.Period:
    audit.fill(session, world, 1, NOW)
    for place, name in enumerate(NAMES):
        make.number(session, world, f"+1212555{2000 + place}", label=name)
    zone = ZoneInfo("UTC")
    return tenant_audit.period(NOW.date() - timedelta(days=59), NOW.date(), zone)


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def text_of(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


def test_the_workbook_holds_what_the_page_tells_and_every_number(
    session: Session, world: World, during: tenant_audit.Period
) -> None:
    about = tenant_audit.tenant(session, world.viewer)
    owned = tenant_audit.owned(session, world.viewer, about)
    changes = tenant_audit.changes(session, world.viewer, during)
    found = sheets(report_files.excel(session, world.viewer, during))
    assert list(found) == [
        "Summary",
        "Findings",
        "Owned",
        "Connections",
        "Months",
        "Attention",
        "Unexpected webhooks",
        "Numbers",
        "Open orders",
        "Users",
        "Changes by action",
        "Changes by person",
        "Changes",
    ]
    summary = {row[0]: row[1] for row in found["Summary"][1:]}
    assert summary["Tenant"] == "Acme"
    assert summary["Created by"] == "Viewer"
    assert (summary["Numbers held"], summary["Findings"]) == (owned.numbers, len(owned.findings))
    assert summary["Changes in the period"] == changes.total
    for currency, total in owned.cost.sums.items():
        assert Decimal(str(summary[f"Monthly cost, {currency}"])) == pytest.approx(total)
    assert [row[0] for row in found["Findings"][1:]] == [finding.what for finding in owned.findings]
    held = numbers.count(session, world.viewer, NumberQuery())
    assert len(found["Numbers"]) == held + 1 == owned.numbers + 1
    assert {row[5] for row in found["Numbers"][1:]} >= set(NAMES)
    assert len(found["Attention"]) - 1 == sum(each.n for each in owned.attention.values())
    assert len(found["Users"]) - 1 == len(owned.users)
    assert len(found["Changes"]) - 1 == changes.total
    assert [row[:2] for row in found["Changes by action"][1:]] == [
        [wording.action(action), n] for action, n in changes.actions
    ]
    months = [(month.added, month.held, month.gone) for month in owned.months]
    assert [tuple(row[1:]) for row in found["Months"][1:]] == months


def test_the_pdf_tells_whom_it_is_about_and_what_looks_wrong(
    session: Session, world: World, during: tenant_audit.Period
) -> None:
    owned = tenant_audit.owned(session, world.viewer, tenant_audit.tenant(session, world.viewer))
    content = report_files.as_pdf(session, world.viewer, during)
    text = " ".join(text_of(content).split())
    pages = len(PdfReader(io.BytesIO(content)).pages)
    assert "Tenant audit: Acme" in text
    assert "by Viewer" in text
    assert f"Changes from {during.first:%-d %b %Y} to {during.last:%-d %b %Y}" in text
    assert all(f"Page {page} of {pages}" in text for page in range(1, pages + 1))
    for finding in owned.findings:
        assert finding.what in text
    sample = owned.attention[Attention.NO_AGENT].newest
    assert {number.label for number in sample} == set(NAMES)
    assert all(name in text for name in NAMES[:4])
    assert f"{MISSING * 2} {MISSING}" in text
    size = PdfReader(io.BytesIO(content)).pages[0].mediabox
    assert (round(float(size.width)), round(float(size.height))) == (595, 842)


def test_a_download_is_written_down(session: Session, world: World, during: tenant_audit.Period) -> None:
    for make_file, kind in ((report_files.as_pdf, "PDF"), (report_files.excel, "Excel")):
        make_file(session, world.operator, during)
        event = session.exec(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
        assert event
        assert (event.action, event.actor_name, event.tenant_id) == ("audit:report", "Operator", world.tenant)
        assert event.after == {"format": kind, "from": during.first.isoformat(), "to": during.last.isoformat()}


def test_nothing_of_another_tenant_is_in_a_file(session: Session, world: World, during: tenant_audit.Period) -> None:
    secret = make.number(session, world, "+13055552671", world.stranger, label="Secret of the other")
    assert secret
    everything = sheets(report_files.excel(session, world.viewer, during))
    theirs = {number.e164 for number in session.exec(select(PhoneNumber).filter_by(tenant_id=world.other_tenant))}
    cells = {cell for rows in everything.values() for row in rows for cell in row}
    assert not cells & theirs
    assert "Secret of the other" not in text_of(report_files.as_pdf(session, world.viewer, during))


def test_a_report_on_an_empty_tenant_is_made(session: Session, world: World) -> None:
    tenant = builder.tenant(session, "Leer")
    session.commit()
    actor = Actor(world.superadmin.user_id, "superadmin", "Superadmin", is_superadmin=True, tenant_id=tenant.id)
    during = tenant_audit.period(NOW.date(), NOW.date(), ZoneInfo("UTC"))
    assert "0 numbers held" in text_of(report_files.as_pdf(session, actor, during))
    assert sheets(report_files.excel(session, actor, during))["Numbers"] == [list(exports.NUMBERS_HEADER)]


def test_who_may_not_read_or_export_gets_no_file(session: Session, world: World, during: tenant_audit.Period) -> None:
    before = len(session.exec(select(AuditEvent)).all())
    reader = Actor(1, "x", "X", tenant_id=world.tenant, granted=frozenset({Permission.AUDIT_READ}))
    with pytest.raises(Forbidden):
        report_files.excel(session, reader, during)
    nobody = Actor(1, "x", "X", tenant_id=world.tenant, granted=frozenset())
    for make_file in (report_files.excel, report_files.as_pdf):
        with pytest.raises(Forbidden):
            make_file(session, nobody, during)
    assert len(session.exec(select(AuditEvent)).all()) == before


def test_what_a_sheet_cannot_hold_goes_on_to_the_next() -> None:
    tables = [Table("Rows", ("n",), [(n,) for n in range(5)]), Table("Text", ("t",), [("=1",)])]
    found = sheets(exports.workbook(tables, sheet_rows=2))
    assert list(found) == ["Rows", "Rows 2", "Rows 3", "Text"]
    assert [row[0] for name in ("Rows", "Rows 2", "Rows 3") for row in found[name][1:]] == [0, 1, 2, 3, 4]
    assert found["Text"][1] == ["=1"]


def test_a_text_longer_than_a_cell_is_cut_and_not_lost() -> None:
    found = sheets(exports.workbook([Table("Long", ("t",), [("x" * 40_000,)])]))
    assert found["Long"][1] == ["x" * exports.EXCEL_TEXT]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("Ärger → मुंबई", "Ärger -> मुंबई"), ("a\nb\tc", "a b c"), ("", ""), ("\x00", MISSING), ("漢", MISSING)],
)
def test_what_the_font_has_not_is_seen_to_be_missing(text: str, shown: str) -> None:
    assert pdf.readable(text) == shown


def test_a_number_that_was_released_is_not_among_those_held(
    session: Session, world: World, during: tenant_audit.Period
) -> None:
    gone = session.exec(select(PhoneNumber).filter_by(tenant_id=world.tenant, status=NumberStatus.RELEASED)).first()
    found = sheets(report_files.excel(session, world.viewer, during))["Numbers"]
    assert gone
    assert gone.e164 not in {row[0] for row in found}
