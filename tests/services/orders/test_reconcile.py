"""Reconcile: an account beside what is on record; comparing changes nothing and tells nothing of others."""

import pytest
import requests
import sqlalchemy as sa
from sqlmodel import Session

import db.base.named
from db.base.scope import Scope
from db.models import AuditEvent, Connection, NumberOrder, PhoneNumber
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.seeds import MAIN_OWNS
from providers.sandbox.server import Sandbox
from services.connections import provider_access
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.numbers import numbers
from services.orders import bulk, orders, reconcile, reconcile_jobs, resync
from services.orders.orders import Configuration
from tests.conftest import World
from tests.world import make, reconciling
from tests.world.working import outcomes


def test_a_number_of_the_account_that_is_not_on_record_is_missing_here(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001", label="Front desk", voice_url=reconciling.ELSEWHERE)
    reconciling.held(sandbox, f"{area}002")
    comparison = reconciling.compared(session, world, area)
    found = {row.e164: (row.label, row.number.webhooks.voice_url, row.why_not) for row in comparison.missing_here.rows}
    assert found == {f"{area}001": ("Front desk", reconciling.ELSEWHERE, ""), f"{area}002": ("", "", "")}
    assert (comparison.held, comparison.on_record, comparison.same) == (2, 0, 0)
    assert comparison.connection.name == "Twilio"


def test_a_number_that_is_the_same_in_both_is_counted_and_not_shown(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    comparison = reconciling.compared(session, world, area)
    assert comparison.agrees
    assert (comparison.held, comparison.on_record, comparison.same) == (1, 1, 1)


def test_every_number_of_an_account_larger_than_a_page_is_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    lines: list[int] = []
    comparison = reconcile.compare(session, world.operator, world.twilio, lines.append)
    assert comparison.held >= MAIN_OWNS
    assert lines[:2] == [1000, 2000]
    assert lines[-1] == comparison.held
    assert len({row.e164 for row in comparison.missing_here.rows}) == comparison.missing_here.total == comparison.held


def test_a_comparison_keeps_so_many_numbers_and_counts_the_others(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    with reconciling.holding(sandbox, reconcile.MOST_KEPT + 3) as found:
        comparison = reconciling.compared(session, world, found[0][:6])
    assert len(comparison.missing_here.rows) == reconcile.MOST_KEPT
    assert comparison.missing_here.more == comparison.held - reconcile.MOST_KEPT == 3


def test_comparing_changes_nothing_here_and_nothing_there(
    session: Session, world: World, sandbox: Sandbox, area: str, number: numbers.NumberRow
) -> None:
    def state() -> tuple[object, ...]:
        session.rollback()
        tables = (AuditEvent, NumberOrder, PhoneNumber)
        counts = [session.scalar(sa.select(sa.func.count()).select_from(table)) for table in tables]
        entries = requests.get(f"{sandbox.url}/ledger", timeout=5).json()["entries"]
        return (*counts, entries, reconciling.at_twilio(session, world).find_owned_sid(number.provider_sid or ""))

    reconciling.held(sandbox, f"{area}002")
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    before = state()
    reconciling.compared(session, world, area)
    assert state() == before


def test_a_number_on_record_in_another_tenant_cannot_be_imported_and_nobody_is_named(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001", actor=world.stranger, label="Secret")
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.missing_here.rows
    assert row.why_not.endswith("already exists. A number can be added only once.")
    assert "Other" not in repr(comparison)
    assert "Secret" not in repr(comparison)
    job = bulk.draft_import(session, world.operator, world.twilio, [row.number], Configuration())
    assert "already exists" in outcomes(session, world.operator, job)[row.e164][1]


def test_a_number_with_an_open_order_cannot_be_imported_meanwhile(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    (number,) = [row.number for row in comparison.missing_here.rows]
    orders.place_import(
        session, world.operator, world.twilio, number.e164, number.sid, number.webhooks, Configuration()
    )
    (row,) = reconciling.compared(session, world, area).missing_here.rows
    assert "is already being ordered or changed" in row.why_not
    job = bulk.draft_import(session, world.operator, world.twilio, [row.number], Configuration())
    assert "is already being ordered or changed" in outcomes(session, world.operator, job)[row.e164][1]


def test_numbers_added_by_hand_or_under_another_connection_are_not_missing(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    make.number(session, world, f"{area}001")
    comparison = reconciling.compared(session, world, area)
    assert (comparison.held, comparison.elsewhere, comparison.missing_here.total) == (1, 1, 0)
    assert comparison.agrees


def test_what_differs_is_shown_by_the_rule_of_a_single_re_sync(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    reconciling.at_twilio(session, world).set_webhooks(
        number.provider_sid or "", voice_url=reconciling.ELSEWHERE, status_callback=""
    )
    (row,) = reconciling.compared(session, world, area).different.rows
    assert list(row.differences) == resync.differences(session, world.viewer, number.id)
    assert [(d.name, d.ours, d.theirs) for d in row.to_take_over] == [("Label", "Renamed", "Front desk")]
    assert [(d.name, d.ours, d.theirs) for d in row.webhooks] == [
        ("Voice URL", reconciling.OURS, reconciling.ELSEWHERE),
        ("Status callback", "https://voice.example.com/status", "—"),
    ]


def test_a_provider_that_fails_in_the_middle_gives_no_comparison(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    lines: list[int] = []

    def fail_from_now_on(read: int) -> None:
        lines.append(read)
        sandbox.fault(Fault(Kind.TOO_MANY, "GET", "/IncomingPhoneNumbers", times=None, retry_after=0.01))

    with pytest.raises(provider_access.ProviderProblem, match="list the account's numbers"):
        reconcile.compare(session, world.operator, world.twilio, fail_from_now_on)
    assert lines == [1000]


def test_only_active_connections_whose_provider_lists_what_it_holds_can_be_compared(
    session: Session, world: World, sandbox: Sandbox
) -> None:
    assert [row.name for row in reconcile.connection_options(session, world.operator)] == ["Twilio"]
    for connection in (world.exotel, world.sip, world.retired, world.other_sip):
        with pytest.raises(InvalidInput, match="can be compared"):
            reconcile.compare(session, world.operator, connection)
    found = db.base.named.find(session, Connection, Scope(world.tenant), world.twilio)
    assert found
    found.is_active = False
    session.commit()
    assert reconcile.connection_options(session, world.operator) == []
    with pytest.raises(InvalidInput, match="can be compared"):
        reconcile.compare(session, world.operator, world.twilio)


def test_who_may_not_and_who_has_no_tenant_sees_and_changes_nothing(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).set_webhooks(number.provider_sid or "", voice_url=reconciling.ELSEWHERE)
    numbers.rename(session, world.operator, number.id, "Renamed", version=number.version)
    comparison = reconciling.compared(session, world, area)
    (row,) = comparison.different.rows
    with pytest.raises(Forbidden):
        reconcile.connection_options(session, world.viewer)
    with pytest.raises(Forbidden):
        reconciling.compared(session, world, area, world.viewer)
    with pytest.raises(Forbidden):
        reconcile_jobs.draft_take_over(session, world.viewer, [row], "Twilio")
    with pytest.raises(Forbidden):
        reconcile_jobs.draft_released(session, world.viewer, [], "Why")
    with pytest.raises(NotFound, match="Choose one tenant"):
        reconciling.compared(session, world, area, world.everywhere)
    with pytest.raises(InvalidInput):
        reconciling.compared(session, world, area, world.stranger)
    with pytest.raises(NotFound):
        reconcile_jobs.draft_take_over(session, world.stranger, [row], "Twilio")
    for actor in (world.admin, world.superadmin):
        assert reconciling.compared(session, world, area, actor).different.total == 1


def test_what_was_changed_since_is_left_out_of_a_comparison(
    session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    reconciling.held(sandbox, f"{area}001")
    reconciling.held(sandbox, f"{area}002")
    comparison = reconciling.compared(session, world, area).without([f"{area}001"])
    assert [row.e164 for row in comparison.missing_here.rows] == [f"{area}002"]


def test_numbers_are_not_missing_when_a_part_of_them_is_compared(
    session: Session, world: World, area: str, number: numbers.NumberRow
) -> None:
    reconciling.at_twilio(session, world).release(number.provider_sid or "")
    assert reconciling.compared(session, world, f"{area}9").missing_there.total == 0
    assert reconciling.compared(session, world, number.e164[-7:]).missing_there.total == 1
