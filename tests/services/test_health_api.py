"""Campaign health over HTTP, and the keys that open it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlmodel import Session

from db.models import ApiKey, AuditEvent, Campaign, CampaignHealth, CampaignNumber, Tenant
from services import api_keys, health_api, settings
from services.errors import Forbidden, InvalidInput, NotFound
from tests.conftest import World
from tests.services import make

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
PATH = "/campaign-health"
ROW = {"campaign": "Spring", "number": "+14155552671", "day": YESTERDAY, "attempts": 9, "answered": 3}


@pytest.fixture
def client(session: Session, world: World) -> Iterator[TestClient]:
    session.add_all(
        [Campaign(tenant_id=world.tenant, name="Spring"), Campaign(tenant_id=world.other_tenant, name="Theirs")]
    )
    session.commit()
    make.number(session, world)
    health_api._window.storage.reset()
    with TestClient(health_api.api) as client:
        yield client


@pytest.fixture
def key(session: Session, world: World) -> dict[str, str]:
    return bearer(api_keys.create(session, world.admin, "Dialer").secret)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def count(session: Session) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(CampaignHealth)) or 0


def test_rows_are_written_under_the_keys_name_and_twice_is_once(
    client: TestClient, key: dict[str, str], session: Session
) -> None:
    first = client.post(PATH, json={"rows": [ROW]}, headers=key)
    assert first.status_code == 200
    assert (first.json()["added"], first.json()["replaced"], first.json()["refused"]) == (1, 0, [])
    assert client.post(PATH, json={"rows": [ROW]}, headers=key).json()["replaced"] == 1
    assert count(session) == 1
    who = session.scalars(sa.select(AuditEvent.actor_name).where(AuditEvent.action == "health:import")).all()
    assert who == ["API key Dialer", "API key Dialer"]


def test_a_row_of_a_number_outside_the_pool_is_written_and_named(
    client: TestClient, key: dict[str, str], session: Session, world: World
) -> None:
    assert client.post(PATH, json={"rows": [ROW]}, headers=key).json()["not_in_pool"] == [
        {"row": 1, "field": "number", "problem": "Written; but the number is not in the pool of this campaign."}
    ]
    fact = session.scalars(sa.select(CampaignHealth)).one()
    place = {"campaign_id": fact.campaign_id, "number_id": fact.number_id, "tenant_id": world.tenant}
    session.add(CampaignNumber(**place))
    session.commit()
    assert client.post(PATH, json={"rows": [ROW]}, headers=key).json()["not_in_pool"] == []


@pytest.mark.parametrize("headers", [{}, bearer("nd_wrong"), {"Authorization": "Basic abc"}, bearer("")])
def test_without_a_key_in_use_nobody_gets_in(client: TestClient, headers: dict[str, str], session: Session) -> None:
    answer = client.post(PATH, json={"rows": [ROW]}, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert count(session) == 0


def test_a_revoked_key_is_refused(client: TestClient, key: dict[str, str], session: Session, world: World) -> None:
    (row,) = api_keys.search(session, world.admin)
    api_keys.revoke(session, world.admin, row.id)
    api_keys.revoke(session, world.admin, row.id)
    assert client.post(PATH, json={"rows": [ROW]}, headers=key).status_code == 401
    told = session.scalars(
        sa.select(AuditEvent.action).where(AuditEvent.subject_type == "api_key").order_by(AuditEvent.id)
    ).all()
    assert told == ["api_keys:create", "api_keys:revoke"]


def test_the_key_of_a_suspended_tenant_is_forbidden(
    client: TestClient, key: dict[str, str], session: Session, world: World
) -> None:
    session.get_one(Tenant, world.tenant).suspended_at = datetime.now(UTC)
    session.commit()
    assert client.post(PATH, json={"rows": [ROW]}, headers=key).status_code == 403


def test_too_many_rows_or_bytes_are_too_large(client: TestClient, key: dict[str, str], session: Session) -> None:
    assert client.post(PATH, json={"rows": [ROW] * 5_001}, headers=key).status_code == 413
    assert client.post(PATH, content=b" " * (health_api.MOST_BYTES + 1), headers=key).status_code == 413
    parts = (b" " * 1_000_000 for _ in range(6))  # sent in pieces, without a length
    assert client.post(PATH, content=parts, headers=key).status_code == 413
    assert count(session) == 0


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"answered": 10}, "answered", "10 answered of 9 attempts cannot be."),
        ({"attempts": -1}, "attempts", "Input should be greater than or equal to 0"),
        ({"attempts": "9"}, "attempts", "Input should be a valid integer"),
        ({"attempts": None}, "attempts", "Input should be a valid integer"),
        ({"day": "2999-01-01"}, "day", "2999-01-01 is in the future."),
        ({"campaign": "Theirs"}, "campaign", "There is no campaign Theirs."),
        ({"number": "+13055552671"}, "number", "+13055552671 is not a number of this tenant."),
        ({"colour": "red"}, "colour", "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_row_is_named_with_its_field_and_nothing_is_written(
    client: TestClient, key: dict[str, str], session: Session, change: dict[str, object], field: str, problem: str
) -> None:
    good = {**ROW, "day": "2026-01-05"}
    answer = client.post(PATH, json={"rows": [good, {**ROW, **change}]}, headers=key)
    assert answer.status_code == 422
    (found,) = answer.json()["problems"]
    assert (found["row"], found["field"]) == (2, field)
    assert found["problem"].startswith(problem)
    assert count(session) == 0


def test_good_rows_are_kept_when_that_is_said_and_rows_keep_their_places(
    client: TestClient, key: dict[str, str], session: Session
) -> None:
    rows = [{**ROW, "attempts": -1}, {**ROW, "answered": 99}, ROW]
    answer = client.post(f"{PATH}?keep_good=true", json={"rows": rows}, headers=key)
    assert answer.status_code == 200
    assert [(one["row"], one["field"]) for one in answer.json()["refused"]] == [(1, "attempts"), (2, "answered")]
    assert count(session) == 1
    assert client.post(f"{PATH}?keep_good=true", json={"rows": rows[:1]}, headers=key).status_code == 422


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"rows": []}', '{"rows": 3}', '{"rows": [1]}', "[" * 9_000])
def test_a_body_that_is_no_rows_is_not_understood(client: TestClient, key: dict[str, str], body: str) -> None:
    assert client.post(PATH, content=body, headers=key).status_code == 422


def test_who_asks_too_often_is_slowed_down(
    client: TestClient, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.current(), "api_rate", "2/minute")
    answers = [client.post(PATH, json={"rows": [ROW]}, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_the_document_describes_the_rows(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schema = document["paths"]["/campaign-health"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Facts"}
    assert set(document["components"]["schemas"]["DailyFact"]["properties"]) == set(health_api.Given._fields)
    assert {"200", "401", "403", "413", "422", "429"} <= set(document["paths"]["/campaign-health"]["post"]["responses"])


def test_a_key_is_stored_as_a_hash_and_shown_once(session: Session, world: World) -> None:
    made = api_keys.create(session, world.admin, "Dialer")
    stored = session.get_one(ApiKey, made.id)
    assert made.secret not in str(stored.model_dump())
    (row,) = api_keys.search(session, world.admin)
    assert made.secret.startswith(row.shown)
    assert len(row.shown) < len(made.secret) / 3
    assert made.secret not in str(session.scalars(sa.select(AuditEvent.after)).all())


def test_only_admins_of_the_tenant_have_to_do_with_its_keys(session: Session, world: World) -> None:
    made = api_keys.create(session, world.admin, "Dialer")
    for act in (
        lambda: api_keys.create(session, world.operator, "Mine"),
        lambda: api_keys.search(session, world.operator),
        lambda: api_keys.revoke(session, world.viewer, made.id),
    ):
        with pytest.raises(Forbidden):
            act()
    assert api_keys.search(session, world.stranger) == []
    with pytest.raises(NotFound):
        api_keys.revoke(session, world.stranger, made.id)
    with pytest.raises(InvalidInput):
        api_keys.create(session, world.admin, "  ")
