"""Downloads of numbers hold all that is on record, and importing them changes nothing and says that nothing differs."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

import db.numbers.rows
from db.base.tables import table_of
from db.models import AuditEvent, CampaignStatus, NumberStatus, NumberTag, NumberType, PhoneNumber
from db.numbers.queries import NumberQuery
from services import agents, campaigns
from services.connections import connections
from services.connections.connections import provider_named
from services.core import validation
from services.core.errors import InvalidInput
from services.jobs import imports
from services.jobs.imports import Outcome, Report
from services.numbers import numbers
from services.numbers.number_import import NumberImport
from services.setup import builder
from services.text import countries, exports, files, labels, numbering
from tests.analysis.statements import queries_of
from tests.conftest import World
from tests.world import make
from tests.world.rows import number_row, rows_of

NAMES = imports.names(NumberImport)
ZONE = ZoneInfo("Asia/Kolkata")
WRITERS = pytest.mark.parametrize("write", [exports.text, exports.workbook], ids=["CSV", "Excel"])
EVERY = NumberQuery(statuses=tuple(NumberStatus))
NUMBER, LINE = "+14155552671", "12345"
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


def on_record(session: Session, world: World, e164: str, **values: Any) -> PhoneNumber:
    given: dict[str, Any] = {
        "connection_id": world.sip,
        "provider": "sip",
        "number_type": NumberType.LOCAL,
        "country": "US",
    }
    return builder.number(session, world.tenant, e164, **(given | values))


def executive(number: str) -> dict[str, str]:
    return {"executive_number": number}


def download(session: Session, world: World, write: exports.Writer, query: NumberQuery = EVERY) -> bytes:
    return write([exports.numbers(numbers.export(session, world.viewer, query), ZONE)])


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(found.number, str(found.outcome), found.reason) for found in report.results]


def stored(session: Session) -> list[Any]:
    session.rollback()
    tables = (table_of(PhoneNumber), table_of(NumberTag))
    return [list(session.execute(sa.select(table).order_by(*table.primary_key))) for table in tables]


@WRITERS
def test_importing_our_own_download_changes_nothing_and_says_that_nothing_differs(
    session: Session, world: World, write: exports.Writer
) -> None:
    fill(session, world)
    rows = rows_of(NumberImport, download(session, world, write))
    before, written = stored(session), session.scalar(sa.select(sa.func.count(AuditEvent.id)))
    assert len(rows) == len(before[0])
    for act in (imports.check, partial(imports.save, source="numbers.csv")):
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
    imports.save(
        session,
        world.operator,
        NumberImport(),
        [number_row(LINE, "mCube", executive_number="98765")],
        source="lines.csv",
    )
    rows, before = rows_of(NumberImport, download(session, world, write)), list(records(session, world))
    for record in before:
        numbers.remove(session, world.operator, record.id, version=1)
    assert imports.save(session, world.operator, NumberImport(), rows, source="n.csv").count(Outcome.ADDED) == 2
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
    batches = (2, 3)  # the last one is short, which tells that it is the last
    assert asked == [3 * n for n in batches]


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


UNCHANGED = ". Not changed: an import only adds numbers. Edit it on the number's page."


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        ({"label": "Reception"}, "Label: here “Front desk”, in the file “Reception”"),
        ({"label": ""}, "Label: here “Front desk”, in the file none"),
        ({"label": "front desk"}, "Label: here “Front desk”, in the file “front desk”"),
        (
            {"label": "Front\u200b desk"},
            "Label: here “Front desk”, in the file “Front\u200b desk” (the difference is hard to see)",
        ),
        ({"label": "x" * 65}, f"Label: here “Front desk”, in the file “{'x' * 60}…”"),
        ({"agent": "Leo"}, "Agent: here “Maya”, in the file “Leo”"),
        ({"agent": "Unassigned"}, "Agent: here “Maya”, in the file none"),
        ({"agent": "Nobody"}, "Agent: here “Maya”, in the file “Nobody”"),
        ({"connection": "Twilio · Twilio"}, "Connection: here “mCube”, in the file “Twilio”"),
        ({"connection": "Nowhere"}, "Connection: here “mCube”, in the file “Nowhere”"),
        ({"connection": ""}, "Connection: here “mCube”, in the file none"),
        (
            {"allowed_inbound": "US; Canada"},
            "Inbound countries: here “India; United States”, in the file “Canada; United States”",
        ),
        ({"allowed_inbound": "Atlantis"}, "Inbound countries: here “India; United States”, in the file “Atlantis”"),
        ({"allowed_outbound": "UK"}, "Outbound countries: here none, in the file “United Kingdom”"),
        ({"tags": "west"}, 'Tags: here “"a, b"; west”, in the file “west”'),
        ({"tags": 'West; "a, b"'}, 'Tags: here “"a, b"; west”, in the file “"a, b"; West”'),
        ({"notes": "One\nthree"}, "Notes: here “One↵two”, in the file “One↵three”"),
        ({"executive_number": "98766"}, "Executive number: here “98765”, in the file “98766”"),
        ({"executive_number": ""}, "Executive number: here “98765”, in the file none"),
        ({"status": "Inactive"}, "Status: here “Active”, in the file “Inactive”"),
        ({"status": "Released"}, "Status: here “Active”, in the file “Released”"),
        ({"status": "Ported out"}, "Status: here “Active”, in the file “Ported out”"),
    ],
)
def test_what_a_file_says_otherwise_is_told_by_field_and_changes_nothing(
    session: Session, world: World, given: dict[str, Any], difference: str
) -> None:
    make_one(session, world)
    before = stored(session)
    for act in (imports.check, partial(imports.save, source="n.csv")):
        (found,) = act(
            session, world.operator, NumberImport(), [number_row(NUMBER, **({"connection": "mCube"} | given))]
        ).results
        assert (found.outcome, found.number, found.reason) == (Outcome.DIFFERS, NUMBER, difference + UNCHANGED)
        assert [one.field for one in found.differences] == [*given][-1:]
    assert stored(session) == before


def make_one(session: Session, world: World) -> None:
    on_record(
        session,
        world,
        NUMBER,
        tags=("west", "a, b"),
        connection_id=world.mcube,
        provider="mcube",
        label="Front desk",
        agent_id=world.agent,
        allowed_inbound=["IN", "US"],
        provider_fields=executive("98765"),
        notes="One\ntwo",
    )
    session.commit()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"label": "  Front \t desk "},
        {"agent": "MAYA"},
        {"connection": "mcube"},
        {"connection": "mCube · mCube"},
        {"allowed_inbound": "USA; IN"},
        {"tags": '"a, b" , west;WEST'},
        {"notes": "One\r\ntwo\n"},
        {"status": "in use"},
        {"status": ""},
        {"executive_number": "'98765", "exophone_sid": "of another provider"},
    ],
)
def test_what_is_only_written_otherwise_does_not_differ(session: Session, world: World, given: dict[str, Any]) -> None:
    make_one(session, world)
    report = imports.check(
        session, world.operator, NumberImport(), [number_row(NUMBER, **({"connection": "mCube"} | given))]
    )
    assert told(report) == [(NUMBER, "here", "")]


def test_several_differences_are_all_told_and_columns_that_the_file_lacks_are_none(
    session: Session, world: World
) -> None:
    make_one(session, world)
    rows = rows_of(NumberImport, b"Number,Name,Tags\n+14155552671,Reception,\n")
    report = imports.check(session, world.operator, NumberImport(world.sip), rows)
    (found,) = report.results
    assert found.reason == (
        'Label: here “Front desk”, in the file “Reception”; Tags: here “"a, b"; west”, in the file none' + UNCHANGED
    )
    assert imports.titles(NumberImport, found) == "Label, Tags"


def test_a_long_value_is_shown_where_it_differs(session: Session, world: World) -> None:
    on_record(session, world, NUMBER, notes="x" * 500 + "old" + "y" * 500)
    session.commit()
    rows = [number_row(NUMBER, "SIP", notes="x" * 500 + "new" + "y" * 500)]
    (found,) = imports.check(session, world.operator, NumberImport(), rows).results
    part = "“…" + "x" * 20 + "{}" + "y" * 37 + "…”"
    assert found.reason == f"Notes: here {part.format('old')}, in the file {part.format('new')}{UNCHANGED}"


def test_a_number_that_is_gone_is_compared_only_where_the_file_says_the_same(session: Session, world: World) -> None:
    number = make.number(session, world, NUMBER, label="Desk")
    numbers.remove(session, world.operator, number, version=1)
    rows = [number_row(NUMBER, "SIP", status=status, label="Desk") for status in ("Removed", "Released", "Active")]
    report = imports.check(session, world.operator, NumberImport(), rows)
    assert [found[1] for found in told(report)] == ["here", "refused", "added"]
    assert "Its status is Released" in report.results[1].reason


def test_nothing_is_told_of_what_another_tenant_has_on_record(session: Session, world: World) -> None:
    make.number(session, world, NUMBER, world.stranger, label="Secret", notes="Secret")
    other = make.number(session, world, "+14155552672", world.stranger, label="Secret")
    numbers.remove(session, world.stranger, other, version=1)
    rows = [
        number_row(NUMBER, "SIP", label="x"),
        number_row(NUMBER, "SIP", label="x", status="Active"),
        number_row("+14155552672", "SIP", label="x", status="Removed"),
    ]
    report = imports.check(session, world.operator, NumberImport(), rows)
    assert [found[1] for found in told(report)] == ["refused"] * 3
    assert report.results[0].reason == "+1 415 555 2671 already exists. A number can be added only once."
    assert "Secret" not in str(report)


def test_a_number_whose_connection_was_renamed_differs_in_that(session: Session, world: World) -> None:
    on_record(session, world, LINE, connection_id=world.mcube, provider="mcube", provider_fields=executive("98765"))
    session.commit()
    rows = rows_of(NumberImport, download(session, world, exports.text))
    values = connections.ConnectionValues(name="Mumbai", default_country="IN")
    connections.edit(session, world.admin, world.mcube, values, version=1)
    report = imports.check(session, world.operator, NumberImport(), rows)
    assert told(report) == [
        (LINE, "differs", "Connection: here “Mumbai”, in the file “mCube”" + UNCHANGED),
    ]


def test_no_agent_can_be_named_as_numbers_without_one_are(session: Session, world: World) -> None:
    with pytest.raises(InvalidInput, match=f"{labels.UNASSIGNED} means that a number has no agent"):
        agents.add(session, world.admin, " unassigned ")


def test_every_field_of_a_provider_is_in_the_download() -> None:
    fields = {field.label for name in ("mcube", "exotel") for field in provider_named(name).number_fields}
    assert fields <= set(exports.NUMBERS_HEADER)
