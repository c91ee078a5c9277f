"""A number is read in one way through every door: manually, by file, by search, and with the health of campaigns."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlmodel import Session

from db.base.scope import Slice
from db.models import CampaignHealth, Connection, NumberType
from db.numbers.matching import NumberQuery
from services.core.errors import InvalidInput
from services.health.health_import import HealthImport
from services.jobs import imports
from services.jobs.imports import Outcome
from services.numbers import numbers, registration
from services.numbers.number_import import NumberImport
from services.people import api_access, api_keys
from services.setup import builder, http_api
from services.text import numbering
from services.text.numbering import Bare, Doubtful
from tests.conftest import World
from tests.world import make
from tests.world.rows import fact_row, number_row
from tests.world.writings import DOUBTFUL, REFUSED, WRITINGS, by_country

DIALLED_AT_HOME = ("011 15-2345-6789", "0 15 11 98765-4321")
"""What names a carrier, or has digits that stand for others abroad: a search knows no country."""
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def one_connection(session: Session, world: World, country: str | None) -> int:
    """Leave the tenant a single connection, whose default country is *country*."""
    session.execute(sa.delete(Connection).where(Connection.tenant_id == world.tenant, Connection.id != world.sip))
    session.execute(sa.update(Connection).where(Connection.id == world.sip).values(default_country=country))
    session.commit()
    return world.sip


def readings(written: str, country: str | None) -> list[str]:
    """Return the numbers that a writing can be."""
    try:
        return [numbering.read(written, default_country=country).e164]
    except Doubtful as exc:
        return [one.e164 for one in exc.readings]
    except InvalidInput:
        return []


def on_record(session: Session, world: World) -> None:
    """Put every number that a writing can be on record."""
    for e164 in sorted({one for written, country, _ in WRITINGS for one in readings(written, country)}):
        make.number(session, world, e164)


def test_by_hand(session: Session, world: World, subtests: pytest.Subtests) -> None:
    for country, found in by_country():
        connection = one_connection(session, world, country)
        for written, right in found:
            with subtests.test(written=ascii(written), country=country):
                if right in (DOUBTFUL, REFUSED):
                    with pytest.raises(InvalidInput) as refused:
                        registration.preview(session, world.operator, written, connection)
                    assert isinstance(refused.value, Doubtful) == refused.value.overridable == (right == DOUBTFUL)
                    assert refused.value.field == "number"
                    assert str(refused.value).isprintable()
                else:
                    assert registration.preview(session, world.operator, written, connection).e164 == right


def test_by_file(session: Session, world: World, subtests: pytest.Subtests) -> None:
    for country, found in by_country():
        connection = one_connection(session, world, country)
        for written, right in found:
            with subtests.test(written=ascii(written), country=country):
                report = imports.check(session, world.operator, NumberImport(connection), [number_row(written)])
                (result,) = report.results
                if right == DOUBTFUL:
                    assert result.outcome is Outcome.DOUBTFUL
                    assert all(numbering.display(one) in result.reason for one in readings(written, country))
                elif right == REFUSED:
                    assert (result.outcome, result.field) == (Outcome.REFUSED, "number")
                    assert (result.number + result.reason).isprintable()
                else:
                    assert (result.outcome, result.number) == (Outcome.ADDED, right)


def test_by_search(session: Session, world: World, subtests: pytest.Subtests) -> None:
    on_record(session, world)
    for country, found in by_country():
        for written, right in found:
            with subtests.test(written=ascii(written), country=country):
                query = NumberQuery(search=numbering.search_text(written))
                listed = [row.e164 for row in numbers.search(session, world.viewer, query, Slice(1, 100))]
                if right != REFUSED and written not in DIALLED_AT_HOME:
                    assert set(readings(written, country)) <= set(listed)
                if right not in (REFUSED, DOUBTFUL) and "+" in written:
                    assert listed[0] == right


@pytest.fixture
def campaign(session: Session, world: World) -> None:
    builder.campaign(session, world.tenant, "Spring")
    session.commit()
    on_record(session, world)


def test_with_health_by_file(session: Session, world: World, campaign: None, subtests: pytest.Subtests) -> None:
    known = {row.id: row.e164 for row in numbers.search(session, world.viewer, NumberQuery(), Slice(1, 1000))}
    for country, found in by_country():
        one_connection(session, world, country)
        for written, right in found:
            with subtests.test(written=ascii(written), country=country):
                row = fact_row("Spring", written, YESTERDAY, 2, 1)
                report = imports.check(session, world.operator, HealthImport(), [row])
                assert report.wrong == (right in (DOUBTFUL, REFUSED))
                assert report.results[0].field == "number"
                if right == DOUBTFUL:
                    assert all(numbering.display(one) in report.results[0].reason for one in readings(written, country))
                elif right != REFUSED:
                    imports.save(session, world.operator, HealthImport(), [row], source="calls.csv")
                    (number_id,) = session.scalars(sa.select(CampaignHealth.number_id))
                    assert known[number_id] == right
                    session.execute(sa.delete(CampaignHealth))
                    session.commit()


def test_with_health_over_http(session: Session, world: World, campaign: None, subtests: pytest.Subtests) -> None:
    key = {"Authorization": f"Bearer {api_keys.create(session, world.admin, 'Dialer').secret}"}
    api_access.window.storage.reset()
    with TestClient(http_api.api) as client:
        for country, found in by_country():
            one_connection(session, world, country)
            for written, right in found:
                rows = [{"campaign": "Spring", "number": written, "day": YESTERDAY, "attempts": 2, "answered": 1}]
                with subtests.test(written=ascii(written), country=country):
                    api_access.window.storage.reset()
                    answer = client.post("/campaign-health", content=json.dumps({"rows": rows}), headers=key)
                    assert answer.status_code == (422 if right in (DOUBTFUL, REFUSED) else 200)
                    assert {one["field"] for one in answer.json().get("problems", [])} <= {"number"}


def test_the_importer_of_a_file_settles_what_numbers_without_plus_are(session: Session, world: World) -> None:
    connection = one_connection(session, world, "US")
    rows = [*map(number_row, ("4792345678", "4155552671", "442079460958", "6592345678"))]
    for bare, told in (
        (Bare.NATIONAL, ["+14792345678", "+14155552671", "+442079460958", "+16592345678"]),
        (Bare.INTERNATIONAL, ["+4792345678", "+14155552671", "+442079460958", "+6592345678"]),
    ):
        report = imports.check(session, world.operator, NumberImport(connection, bare=bare), rows)
        assert [result.number for result in report.results] == told
        assert not report.wrong


def test_insisting_takes_no_doubtful_number(session: Session, world: World) -> None:
    connection = one_connection(session, world, "US")
    with pytest.raises(Doubtful):
        registration.preview(session, world.operator, "4792345678", connection, insist=True)
    report = imports.check(session, world.operator, NumberImport(connection, insist=True), [number_row("4792345678")])
    assert report.results[0].outcome is Outcome.DOUBTFUL


def test_health_of_a_number_that_two_countries_have_names_both(session: Session, world: World, campaign: None) -> None:
    make.number(session, world, "+12025550123")
    make.number(session, world, "+912025550123")
    row = fact_row("Spring", "2025550123", YESTERDAY, 2, 1)
    (result,) = imports.check(session, world.operator, HealthImport(), [row]).results
    assert "+1 202 555 0123" in result.reason
    assert "+91 20 2555 0123" in result.reason


def test_health_finds_what_a_provider_holds_though_no_plan_has_it(session: Session, world: World) -> None:
    builder.campaign(session, world.tenant, "Spring")
    mobile: dict[str, Any] = {"provider": "twilio", "country": "MX", "number_type": NumberType.MOBILE}
    held = builder.number(session, world.tenant, "+5215512345678", **mobile)
    session.commit()
    for written in ("+5215512345678", "+52 1 55 1234 5678", "tel:+5215512345678"):
        row = fact_row("Spring", written, YESTERDAY, 2, 1)
        imports.save(session, world.operator, HealthImport(), [row], source="calls.csv")
        assert session.scalars(sa.select(CampaignHealth.number_id)).all() == [held.id]
