"""Downloads of numbers hold all that is on record, and importing them changes nothing and says that nothing differs."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

import db.numbers.rows
from db.models import AuditEvent, CampaignStatus, NumberStatus, NumberTag, PhoneNumber
from db.numbers.matching import NumberQuery
from services import agents
from services.campaigns import campaigns
from services.connections.connections import provider_named
from services.core import validation
from services.core.errors import InvalidInput
from services.jobs import imports
from services.jobs.imports import Outcome
from services.numbers import numbers
from services.numbers.number_import import NumberImport
from services.text import countries, exports, files, labels, numbering
from tests.analysis.statements import queries_of
from tests.conftest import World
from tests.services.numbers.records import LINE, NUMBER, download, executive, on_record, stored, told
from tests.world import importing, make
from tests.world.rows import number_row, rows_of

NAMES = imports.names(NumberImport)
WRITERS = pytest.mark.parametrize("write", [exports.text, exports.workbook], ids=["CSV", "Excel"])
NASTY = (
    "=1+1",
    "'=1",
    "''5",
    "a;=b",
    "-5",
    '"quoted"',
    '"open',
    "5\" pipe, 2'",
    "a, b",
    ";",
    "_x0041_",
    "00123",
    "1.0",
    "TRUE",
    "#N/A",
    "2026-05-04",
    "＝1",
    "\u200bzero",
    "Ä🙂मुं",
    "none",
)
NOTES = (
    'first\n"second", third;=4\n\n\'=5',
    "\n".join(f"{n}" for n in range(500)),
    ";" * 900 + "x" + "," * 900,
    "a\n=HYPERLINK(1)\n+49 30\n@x",
    "a\x0bb\x0cc\u2028d\x85e\x1ff",
)


def fill(session: Session, world: World) -> None:
    """Put numbers on record that have everything, as people and providers leave them."""
    for at, name in enumerate(NASTY):
        tags = validation.tags([name, "a, b", "x;y"])
        on_record(session, world, f"+1415555{2000 + at}", label=name, notes=NOTES[at % len(NOTES)], tags=tags)
    on_record(
        session,
        world,
        "+12125552671",
        connection_id=world.twilio,
        provider="twilio",
        is_managed=True,
        provider_sid="PN" + "1" * 32,
        price=Decimal("1.15"),
        currency="USD",
        agent_id=world.agent,
        allowed_inbound=sorted(numbering.countries()),
        allowed_outbound=["HK", "XK"],
    )
    on_record(session, world, LINE, connection_id=world.mcube, provider="mcube", provider_fields=executive("+98765"))
    on_record(session, world, "23456", country="IN")  # moved to another connection since
    on_record(session, world, "34567", connection_id=None)
    exophone = {"exophone_sid": "'=a;b"}
    on_record(session, world, "+912233445566", connection_id=world.exotel, provider="exotel", provider_fields=exophone)
    on_record(session, world, "+5215512345678", label="As its provider says")
    on_record(session, world, "+525512345678", label="As plans say")
    on_record(session, world, "+1415", label="Impossible")
    on_record(session, world, "+14155559001", connection_id=world.retired, agent_id=world.retired_agent)
    on_record(session, world, "+14155559002", status=NumberStatus.INACTIVE)
    for status in (NumberStatus.RELEASED, NumberStatus.REMOVED, NumberStatus.REMOVED, NumberStatus.ACTIVE):
        until = datetime(2026, 5, 4, 20, tzinfo=UTC)
        gone = {"released_at": until, "buy_back_until": until} if status is not NumberStatus.ACTIVE else {}
        on_record(session, world, "+14155559003", status=status, label=f"Then {status}", **gone)
    on_record(session, world, "+14155559004", status=NumberStatus.RELEASED, released_at=datetime.now(UTC))
    session.commit()


@WRITERS
def test_importing_our_own_download_changes_nothing_and_says_that_nothing_differs(
    session: Session, world: World, write: exports.Writer
) -> None:
    fill(session, world)
    rows = rows_of(NumberImport, download(session, world, write))
    before, written = stored(session), session.scalar(sa.select(sa.func.count(AuditEvent.id)))
    assert len(rows) == len(before[0])
    for act in (imports.check, importing.bring):
        report = act(session, world.operator, NumberImport(), rows)
        assert [found for found in told(report) if found[1] != "here"] == []
        assert [found.number for found in report.results] == [row.e164 for row in before[0]]
    assert stored(session) == before
    assert session.scalar(sa.select(sa.func.count(AuditEvent.id))) == written


@WRITERS
def test_a_download_comes_into_another_workspace_with_all_that_a_file_can_bring(
    session: Session, world: World, write: exports.Writer
) -> None:
    make.number(
        session,
        world,
        NUMBER,
        label="'=1;=2",
        agent_id=world.agent,
        allowed_inbound=["CI", "US"],
        tags=["a, b", 'say "x"', "=c"],
        notes=NOTES[0],
    )
    importing.bring(session, world.operator, NumberImport(), [number_row(LINE, "mCube", executive_number="98765")])
    rows, before = rows_of(NumberImport, download(session, world, write)), list(records(session, world))
    for record in before:
        numbers.remove(session, world.operator, record.id, version=1)
    assert importing.bring(session, world.operator, NumberImport(), rows).count(Outcome.ADDED) == 2
    kept = ("e164", "label", "agent", "connection", "allowed_inbound", "tags", "notes", "provider_fields")
    assert [[getattr(one, name) for name in kept] for one in records(session, world)] == [
        [getattr(one, name) for name in kept] for one in before
    ]


def records(session: Session, world: World) -> list[db.numbers.rows.NumberRow]:
    return list(db.numbers.queries.walk(session, world.viewer.scope, NumberQuery()))


@WRITERS
def test_a_download_has_all_that_a_number_has(session: Session, world: World, write: exports.Writer) -> None:
    number = make.number(session, world, NUMBER, agent_id=world.agent, tags=["west", "a, b"], notes="Two\nlines")
    other = make.number(session, world, "+14155552672")
    row = session.get_one(PhoneNumber, number)
    row.price, row.currency, row.provider_sid = Decimal("1.15"), "USD", "PN1"
    row.allowed_inbound, row.allowed_outbound = ["HK", "US"], ["CI"]
    row.provider_fields = executive("98765") | {"exophone_sid": "EX1"}
    row.released_at, row.buy_back_until = None, datetime(2026, 5, 4, 20, tzinfo=UTC)
    session.commit()
    spring, autumn, left = (
        campaigns.add(session, world.operator, name, CampaignStatus.ACTIVE) for name in ("Spring; 2", "autumn", "Left")
    )
    campaigns.add_numbers(session, world.operator, spring, [number, other], version=1)
    campaigns.add_numbers(session, world.operator, autumn, [number], version=1)
    campaigns.add_numbers(session, world.operator, left, [number], version=1)
    campaigns.remove_number(session, world.operator, left, number, version=2)
    campaigns.set_primary(session, world.operator, autumn, number, version=2)
    sheet = files.read("n", download(session, world, write), NAMES)
    seen = {title: files.text(sheet.column(title)[0]) for title in sheet.columns}
    assert list(seen) == list(exports.NUMBERS_HEADER)
    assert {title: seen[title] for title in exports.NUMBERS_HEADER[11:] if title != "Changed"} == {
        "Inbound countries": "Hong Kong SAR China; United States",
        "Outbound countries": "Côte d’Ivoire",
        "Tags": '"a, b"; west',
        "Notes": "Two\nlines",
        "ExoPhone SID": "EX1",
        "Executive number": "98765",
        "Campaigns": 'autumn; "Spring; 2"',
        "SID": "PN1",
        "Monthly price": "1.15",
        "Currency": "USD",
        "Released": "",
        "Can be bought back until": "2026-05-05 01:30",
    }
    assert files.text(sheet.column("Campaigns")[1]) == '"Spring; 2"'
    guessed = files.guess(sheet, NAMES)
    assert None not in guessed.values()
    assert set(sheet.columns) - set(guessed.values()) == {
        *("Provider", "Country", "Type", "Managed by", "Tenant", "Created", "Campaigns", "SID"),
        *("Monthly price", "Currency", "Changed", "Released", "Can be bought back until"),
    }


def test_a_download_asks_the_database_once_for_a_batch_and_not_for_a_number(
    session: Session, world: World, database: sa.Engine
) -> None:
    make.several(session, world, 6)
    asked = []
    for batch in (6, 3):
        with queries_of(database) as statements:
            assert len(list(db.numbers.queries.walk(session, world.viewer.scope, NumberQuery(), batch))) == 6
        asked.append(len(statements))
    batches = (2, 3)  # the last one is empty, which tells that it is the last: of no numbers no campaigns are asked
    assert asked == [3 * n - 1 for n in batches]


def test_comparing_asks_as_often_for_many_rows_as_for_one(session: Session, world: World, database: sa.Engine) -> None:
    make.several(session, world, 20)
    rows = [number_row(f"+1415555{2000 + at}", "SIP", label="Other", tags="west") for at in range(20)]
    asked = []
    for some in (rows[:1], rows):
        with queries_of(database) as statements:
            report = imports.check(session, world.operator, NumberImport(), some)
        assert report.count(Outcome.DIFFERS) == len(some)
        asked.append(len(statements))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("code", sorted(numbering.countries()))
def test_every_country_reads_back_from_its_name(code: str) -> None:
    cell = exports.joined(map(numbering.country_name, [code, "CI", "US"]))
    assert countries.read(cell) == [code, "CI", "US"]


LETTERS = st.text(st.sampled_from(list("ab ,;\"'=_x0041\n\t")) | st.characters(codec="utf-8"), max_size=20)


@given(st.lists(LETTERS.map(validation.one_line).filter(bool), max_size=6))
def test_names_in_one_cell_are_taken_apart_as_they_were(names: list[str]) -> None:
    cell = exports.joined(names)
    assert [name.strip() for name in exports.parted(cell) if name.strip()] == names


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("west; sales,east", ["west", "sales", "east"]),
        ('5" pipe, x', ['5" pipe', "x"]),
        ('"open; x', ['"open', "x"]),
        ('"a"b; x', ['"a"b', "x"]),
        ('"a, ""b"""; x', ['a, "b"', "x"]),
        ("", []),
    ],
)
def test_names_in_one_cell_are_read_as_people_write_them(cell: str, names: list[str]) -> None:
    assert validation.tags(exports.parted(cell)) == sorted(names, key=str.casefold)


@pytest.mark.parametrize("signs", [";" * 900, "," * 900, "|\t;," * 300, ";\n" * 900])
def test_notes_full_of_separators_do_not_change_what_separates_the_cells(signs: str) -> None:
    table = exports.Table("Numbers", ("Number", "Notes", "Label"), [(NUMBER, f"a{signs}b", "Desk"), (LINE, "", "Till")])
    sheet = files.read("n.csv", exports.text([table]), NAMES)
    assert list(sheet.columns) == ["Number", "Notes", "Label"]
    assert [tuple(map(files.text, row.cells)) for row in sheet.rows] == list(table.rows)
    assert [row.problem for row in sheet.rows] == ["", ""]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(label=LETTERS, tags=st.lists(LETTERS, max_size=4), notes=LETTERS)
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@WRITERS
def test_whatever_is_on_record_reads_back_as_the_same(
    session: Session, world: World, write: exports.Writer, label: str, tags: list[str], notes: str
) -> None:
    session.execute(sa.delete(NumberTag))
    session.execute(sa.delete(PhoneNumber))
    values = {"label": validation.label(label), "tags": validation.tags(tags), "notes": validation.notes(notes)}
    on_record(session, world, NUMBER, **values)
    session.commit()
    report = imports.check(
        session, world.operator, NumberImport(), rows_of(NumberImport, download(session, world, write))
    )
    assert told(report) == [(NUMBER, "here", "")]


def test_no_agent_can_be_named_as_numbers_without_one_are(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match=f"{labels.UNASSIGNED} means that a number has no agent"):
        agents.add(session, world.admin, " unassigned ")


def test_every_field_of_a_provider_is_in_the_download() -> None:
    fields = {field.label for name in ("mcube", "exotel") for field in provider_named(name).number_fields}
    assert fields <= set(exports.NUMBERS_HEADER)
