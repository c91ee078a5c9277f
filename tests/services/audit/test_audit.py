"""The audit log: found by each filter and by what it is about; never across tenants, never without its period."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from python_calamine import CalamineWorkbook
from sqlmodel import Session

import db.audit.queries
from db.audit.queries import COUNT_LIMIT, AuditQuery
from db.base.scope import Slice
from db.models import AuditEvent, AuditName, CampaignStatus, OrderKind, OrderState, PhoneNumber, Role
from services import agents
from services.audit import audit
from services.audit.audit import Action, Subject
from services.campaigns import campaigns
from services.core.access import Actor
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.numbers import numbers
from services.people import tenants, users
from services.setup import builder
from services.text import exports, numbering
from tests.conftest import World
from tests.world import make

KIRITIMATI = ZoneInfo("Pacific/Kiritimati")  # 14 hours ahead of UTC


def found(session: Session, actor: Actor, query: AuditQuery | None = None) -> list[tuple[str, str]]:
    """Return action and subject of what matches, newest first, as the page and the file agree on it."""
    query = query or AuditQuery()
    rows = audit.search(session, actor, query, Slice(size=100))
    assert audit.count(session, actor, query) == len(rows)
    assert list(db.audit.queries.walk(session, actor.scope, query)) == rows
    return [(row.action, row.subject) for row in rows]


def typed(text: str) -> AuditQuery:
    return AuditQuery(search=numbering.search_text(text))


def happened(session: Session, world: World, when: str, subject: str = "+14155552671", **fields: Any) -> None:
    """Write down that something happened at an instant."""
    actor = fields.get("actor", world.operator)
    about = Subject(fields.get("kind", "number"), 1, subject, fields.get("tenant", world.tenant))
    with time_machine.travel(when, tick=False):
        audit.record(session, actor, fields.get("action", Action.NUMBERS_RENAME), about, after={"label": "x"})
    session.commit()


def test_a_change_is_found_with_who_what_and_both_values(session: Session, world: World) -> None:
    number = make.number(session, world, label="Sales")
    numbers.rename(session, world.admin, number, "Support", version=1)
    row, added = audit.search(session, world.viewer, AuditQuery(), Slice())
    assert (row.actor, row.action, row.subject, row.number_id) == ("Admin", "numbers:rename", "+14155552671", number)
    assert (row.before, row.after, row.tenant) == ({"label": "Sales"}, {"label": "Support"}, "Acme")
    assert (added.actor, added.action) == ("Operator", "numbers:add")


def test_each_tenant_has_its_own_log_and_what_has_no_tenant_is_for_superadmins_over_all(
    session: Session, world: World
) -> None:
    make.number(session, world, "+14155552671")
    make.number(session, world, "+14155552672", world.stranger)
    happened(session, world, "2026-05-04T10:00Z", "Zoe", kind="user", action=Action.USERS_SIGN_IN, tenant=None)
    ours, theirs = ("numbers:add", "+14155552671"), ("numbers:add", "+14155552672")
    for reader in (world.admin, world.operator, world.viewer, world.superadmin):
        assert found(session, reader) == [ours]
        assert audit.facets(session, reader).actors == ["Operator"]
        assert found(session, reader, typed("+1 415 555 2672")) == []
        assert found(session, reader, typed("Zoe")) == []
        assert found(session, reader, AuditQuery(tenants=(world.other_tenant, None))) == []
    assert found(session, world.stranger) == [theirs]
    everything = [theirs, ours, ("users:sign_in", "Zoe")]
    assert found(session, world.everywhere) == everything
    assert found(session, world.everywhere, AuditQuery(tenants=(None,))) == everything[2:]
    assert found(session, world.everywhere, AuditQuery(tenants=(world.other_tenant, None))) == [theirs, everything[2]]
    assert audit.facets(session, world.everywhere).actors == ["Operator", "Stranger"]
    with pytest.raises(NotFound):
        audit.search(session, replace(world.viewer, tenant_id=None), AuditQuery(), Slice())
    with pytest.raises(Forbidden):
        audit.count(session, world.nowhere, AuditQuery())


@pytest.mark.parametrize("text", ["+1 (415) 555-1212", "+14155551212", "4155551212", "(415) 555-1212", "5551212"])
def test_a_number_is_found_in_any_writing_even_when_it_is_gone(session: Session, world: World, text: str) -> None:
    number = make.number(session, world, "+14155551212")
    make.number(session, world, "+442079460958")
    numbers.remove(session, world.operator, number, version=1)
    lines = [("numbers:remove", "+14155551212"), ("numbers:add", "+14155551212")]
    assert found(session, world.viewer, typed(text)) == lines
    assert found(session, world.stranger, typed(text)) == []


@pytest.mark.parametrize("text", ["1", "12", "121", "415"])
def test_few_digits_are_found_too(session: Session, world: World, text: str) -> None:
    make.number(session, world, "+14155551212")
    make.number(session, world, "+442079460958")
    assert found(session, world.viewer, typed(text)) == [("numbers:add", "+14155551212")]


def test_things_are_found_by_part_of_any_name_they_had(session: Session, world: World) -> None:
    agent = agents.add(session, world.operator, "Nora (billing)")
    agents.rename(session, world.operator, agent, "Nora (invoices)", version=1)
    campaigns.add(session, world.operator, "Spring billing", CampaignStatus.ACTIVE)
    make.number(session, world)
    renamed, added = ("agents:rename", "Nora (invoices)"), ("agents:add", "Nora (billing)")
    assert found(session, world.viewer, typed("BILL")) == [("campaigns:add", "Spring billing"), added]
    assert found(session, world.viewer, typed("nora")) == [renamed, added]
    assert found(session, world.viewer, typed("Leo")) == []
    for sign in ("%", "_", "' OR 1=1 --", "\\"):
        assert found(session, world.viewer, typed(sign)) == []


def test_a_part_that_is_common_finds_the_same(session: Session, world: World) -> None:
    make.several(session, world, 3)
    agents.add(session, world.operator, "Agent 1415")
    few = found(session, world.viewer, typed("1415"))
    assert len(few) == 4
    line = {"tenant_id": world.tenant, "provider": "sip"}
    lines = (line | {"e164": f"+1415556{n:04}"} for n in range(db.audit.queries.MOST_NUMBERS))
    builder.many(session, PhoneNumber, lines)
    assert found(session, world.viewer, typed("1415")) == few
    names = ({"tenant_id": world.tenant, "name": f"Agent 1415 {n}"} for n in range(db.audit.queries.MOST_NAMES))
    builder.many(session, AuditName, names)
    assert found(session, world.viewer, typed("1415")) == few


def test_filters_narrow_alone_and_together(session: Session, world: World) -> None:
    happened(session, world, "2026-05-01T10:00Z", "a")
    happened(session, world, "2026-05-02T10:00Z", "b", actor=world.admin)
    happened(session, world, "2026-05-03T10:00Z", "c", action=Action.NUMBERS_ADD)
    happened(session, world, "2026-05-04T10:00Z", "d", kind="order", action=Action.ORDERS_PLACE)
    happened(session, world, "2026-05-05T10:00Z", "e", actor=None, action=Action.NUMBERS_ADD)

    def letters(**query: Any) -> str:
        return "".join(subject for _, subject in found(session, world.viewer, AuditQuery(**query)))

    assert letters() == "edcba"
    assert letters(actors=("Admin",)) == "b"
    assert letters(actors=("Admin", "System")) == "eb"
    assert letters(actions=("numbers:add",)) == "ec"
    assert letters(actions=("numbers:add", "orders:place")) == "edc"
    assert letters(kinds=("order",)) == "d"
    assert letters(kinds=("number", "order")) == "edcba"
    assert letters(actors=("Operator", "System"), actions=("numbers:add", "numbers:rename")) == "eca"
    assert letters(actors=("Operator",), since=datetime(2026, 5, 3, tzinfo=UTC)) == "dc"
    assert letters(until=datetime(2026, 5, 2, 10, tzinfo=UTC)) == "a"
    assert letters(actors=("Nobody",)) == ""
    options = audit.facets(session, world.viewer)
    assert (options.actors, options.kinds) == (["Admin", "Operator", "System"], ["number", "order"])
    assert options.actions == ["numbers:add", "numbers:rename", "orders:place"]


def test_a_search_and_filters_narrow_together(session: Session, world: World) -> None:
    number = make.number(session, world, label="A")
    numbers.rename(session, world.admin, number, "B", version=1)
    make.number(session, world, "+442079460958")
    for text in ("+14155552671", "5552671", "267"):
        query = typed(text)
        assert len(found(session, world.viewer, query)) == 2
        assert found(session, world.viewer, replace(query, actors=("Admin",))) == [("numbers:rename", "+14155552671")]
        assert len(found(session, world.viewer, replace(query, actions=("numbers:add", "numbers:rename")))) == 2
        assert found(session, world.viewer, replace(query, until=datetime(2000, 1, 1, tzinfo=UTC))) == []


def test_days_begin_and_end_in_the_zone_of_the_reader(session: Session, world: World) -> None:
    """The fourth of May in Kiritimati begins at ten in the morning of the third in UTC."""
    for subject, when in (
        ("before", "2026-05-03T09:59:59Z"),
        ("first", "2026-05-03T10:00:00Z"),
        ("last", "2026-05-04T09:59:59Z"),
        ("after", "2026-05-04T10:00:00Z"),
    ):
        happened(session, world, when, subject)

    def within(first: date | None, last: date | None) -> list[str]:
        since, until = audit.period(first, last, KIRITIMATI)
        return [subject for _, subject in found(session, world.viewer, AuditQuery(since=since, until=until))]

    day = date(2026, 5, 4)
    assert within(day, day) == ["last", "first"]
    assert within(day, None) == ["after", "last", "first"]
    assert within(None, day) == ["last", "first", "before"]
    assert within(None, None) == ["after", "last", "first", "before"]


def test_a_day_that_clocks_shorten_is_that_day(session: Session, world: World) -> None:
    since, until = audit.period(date(2026, 3, 29), date(2026, 3, 29), ZoneInfo("Europe/Berlin"))
    assert until.astimezone(UTC) - since.astimezone(UTC) == (  # type: ignore[union-attr]
        datetime(2026, 3, 29, 22) - datetime(2026, 3, 28, 23)  # noqa: DTZ001
    )


def test_a_period_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(InvalidInput, match="ends before it starts"):
        audit.period(date(2026, 5, 4), date(2026, 5, 3), KIRITIMATI)


def test_pages_follow_each_other(session: Session, world: World) -> None:
    for second in range(7):
        happened(session, world, f"2026-05-04T10:00:0{second % 3}Z", str(second))
    for query in (AuditQuery(), AuditQuery(actors=("Operator", "Admin")), AuditQuery(kinds=("number",))):
        pages = [audit.search(session, world.viewer, query, Slice(page, 3)) for page in (1, 2, 3)]
        assert [row.subject for page in pages for row in page] == ["5", "2", "4", "1", "6", "3", "0"]
        assert audit.count(session, world.viewer, query) == 7


def test_the_total_stops(session: Session, world: World) -> None:
    event = {
        "tenant_id": world.tenant,
        "at": datetime(2026, 5, 4, tzinfo=UTC),
        "actor_name": "Operator",
        "action": Action.NUMBERS_ADD,
        "subject_type": "number",
        "subject_label": "+14155552671",
        "before": {},
        "after": {},
    }
    builder.many(session, AuditEvent, [event] * (COUNT_LIMIT + 2))
    for query in (AuditQuery(), AuditQuery(actors=("Operator", "Admin")), AuditQuery(kinds=("number",))):
        assert audit.count(session, world.viewer, query) == COUNT_LIMIT + 1


def test_the_history_of_a_number_has_its_orders(session: Session, world: World) -> None:
    number, other = make.number(session, world), make.number(session, world, "+442079460958")
    for of_number, e164 in ((number, "+14155552671"), (other, "+442079460958")):
        order = make.order(session, world, e164, OrderKind.WEBHOOKS, state=OrderState.CONFIRMED, number_id=of_number)
        about = Subject("order", order.id, e164, world.tenant)
        audit.record(session, world.operator, Action.ORDERS_PLACE, about, after={"kind": "webhooks"})
    session.commit()
    rows = audit.history_of_number(session, world.viewer, number, Slice())
    assert [(row.action, row.number_id) for row in rows] == [("orders:place", number), ("numbers:add", number)]
    assert [row.action for row in audit.history(session, world.viewer, "number", number, Slice())] == ["numbers:add"]
    assert len(audit.history_of_number(session, world.everywhere, number, Slice())) == 2
    assert audit.history_of_number(session, world.stranger, number, Slice()) == []


def test_what_a_superadmin_does_in_a_tenant_is_in_its_log(session: Session, world: World) -> None:
    users.create(session, world.superadmin, "jane", "Jane", Role.VIEWER)
    tenants.set_suspended(session, world.everywhere, world.other_tenant, True, version=1)
    assert found(session, world.viewer) == [("users:create", "Jane")]
    assert found(session, world.stranger) == [("tenants:suspend", "Other")]


def test_both_files_hold_what_the_filters_match_in_the_zone_of_the_reader(session: Session, world: World) -> None:
    with time_machine.travel("2026-05-04T20:00:00Z", tick=False):
        number = make.number(session, world, label="=1+1")
        numbers.rename(session, world.admin, number, "Support", version=1)
        make.number(session, world, "+442079460958")
    query = replace(typed("+14155552671"), actors=("Admin",), since=datetime(2026, 5, 1, tzinfo=UTC))
    text = exports.text([exports.activity(audit.export(session, world.viewer, query), KIRITIMATI)])
    (line,) = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    assert line == {
        "Time": "2026-05-05 10:00:00",
        "Who": "Admin",
        "What": "changed the label",
        "Kind": "Number",
        "Subject": "+14155552671",
        "Changes": "Label: =1+1 → Support",
        "Tenant": "Acme",
    }
    book = exports.workbook([exports.activity(audit.export(session, world.viewer, query), KIRITIMATI)])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert sheet == [list(line), list(line.values())]


def test_a_download_is_written_down_with_its_filters(session: Session, world: World) -> None:
    query = AuditQuery(
        search=numbering.search_text("Maya"),
        actors=("Admin",),
        tenants=(world.other_tenant, None),
        until=datetime(2026, 5, 4, tzinfo=UTC),
    )
    list(audit.export(session, world.everywhere, query))
    (row,) = audit.search(session, world.everywhere, AuditQuery(), Slice())
    assert (row.action, row.actor, row.tenant) == ("audit:export", "Superadmin", None)
    assert row.after["filters"] == {
        "search": "Maya",
        "actors": ["Admin"],
        "tenants": ["Other", "none"],
        "until": "2026-05-04T00:00:00+00:00",
    }


def test_a_download_walks_past_one_batch(session: Session, world: World) -> None:
    make.several(session, world, 5)
    rows = list(db.audit.queries.walk(session, world.viewer.scope, AuditQuery(), batch=2))
    assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
    assert len(rows) == 5


def test_nobody_without_a_role_downloads(session: Session, world: World) -> None:
    with pytest.raises(Forbidden):
        audit.export(session, world.nowhere, AuditQuery())
