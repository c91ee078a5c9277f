"""What a file says otherwise than the record is told by field, and changes nothing."""

from typing import Any

import pytest
from sqlmodel import Session

from services.connections import connections
from services.jobs import imports
from services.jobs.imports import Outcome
from services.numbers import numbers
from services.numbers.number_import import NumberImport
from services.text import exports
from tests.conftest import World
from tests.services.numbers.records import LINE, NUMBER, download, executive, on_record, stored, told
from tests.world import importing, make
from tests.world.rows import number_row, rows_of

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
    for act in (imports.check, importing.bring):
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
    assert imports.titles(NumberImport, found.fields) == "Label, Tags"


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
