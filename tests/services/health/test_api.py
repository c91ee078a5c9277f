"""Campaign health over HTTP, and the keys that open it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from db.models import ApiKey, AuditEvent, Campaign, CampaignHealth, Tenant
from services.core.errors import Forbidden, InvalidInput, NotFound
from services.health.health_import import HealthImport
from services.people import api_access, api_keys
from services.setup import builder, http_api
from tests.conftest import Configure, World
from tests.world import make

YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
PATH = "/campaign-health"
ROW = {"campaign": "Spring", "number": "+14155552671", "day": YESTERDAY, "attempts": 9, "answered": 3}


@pytest.fixture
def client(session: Session, world: World) -> Iterator[TestClient]:
    builder.campaign(session, world.tenant, "Spring")
    builder.campaign(session, world.other_tenant, "Theirs")
    session.commit()
    make.number(session, world)
    api_access.window.storage.reset()
    with TestClient(http_api.api) as client:
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
        {"row": 1, "field": "number", "problem": "The number is not in the pool of this campaign."}
    ]
    fact = session.scalars(sa.select(CampaignHealth)).one()
    builder.pooled(session, session.get_one(Campaign, fact.campaign_id), fact.number_id)
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
    assert client.post(PATH, content=b" " * (api_access.MOST_BYTES + 1), headers=key).status_code == 413
    parts = (b" " * 1_000_000 for _ in range(6))  # sent in pieces, without a length
    assert client.post(PATH, content=parts, headers=key).status_code == 413
    assert count(session) == 0


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"answered": 10}, "answered", "10 answered is more than 9 attempts."),
        ({"attempts": -1}, "attempts", "Input should be greater than or equal to 0"),
        ({"attempts": "9"}, "attempts", "Input should be a valid integer"),
        ({"attempts": None}, "attempts", "Input should be a valid integer"),
        ({"day": "2999-01-01"}, "day", "2999-01-01 is in the future."),
        ({"campaign": "Theirs"}, "campaign", "Campaign “Theirs” not found."),
        ({"number": "+13055552671"}, "number", "+13055552671 is not one of this tenant's numbers."),
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


def test_who_asks_too_often_is_slowed_down(client: TestClient, key: dict[str, str], configure: Configure) -> None:
    configure(api_rate="2/minute")
    answers = [client.post(PATH, json={"rows": [ROW]}, headers=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) > 0


def test_the_document_describes_the_rows(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schema = document["paths"]["/campaign-health"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Facts"}
    facts = {field.name for field in HealthImport.fields}
    assert set(document["components"]["schemas"]["DailyFact"]["properties"]) == facts
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


BAD = [
    ({"campaign": True}, "campaign", "Send the name or the id of a campaign."),
    ({"campaign": 1.0}, "campaign", "Send the name or the id of a campaign."),
    ({"campaign": None}, "campaign", "Send the name or the id of a campaign."),
    ({"campaign": ["Spring"]}, "campaign", "Send the name or the id of a campaign."),
    ({"campaign": "x" * 201}, "campaign", "Send the name or the id of a campaign."),
    ({"campaign": "Spring\ud800"}, "campaign", "It contains a character that cannot be stored"),
    ({"campaign": "Spring\x00"}, "campaign", "It contains a character that cannot be stored"),
    ({"campaign": 10**30}, "campaign", "Campaign “"),
    ({"campaign": -1}, "campaign", "Campaign “"),
    ({"campaign": "000000000000000001" + "9" * 18}, "campaign", "Campaign “"),
    ({"number": "+1\ud800"}, "number", "It contains a character that cannot be stored"),
    ({"number": "+1415555\x002671"}, "number", "It contains a character that cannot be stored"),
    ({"number": 14155552671}, "number", "Input should be a valid string"),
    ({"number": "+1 415 555 2671 x12"}, "number", "The number has an extension, 12"),
    ({"day": 20260105}, "day", "Input should be a valid string"),
    ({"day": "05.01.2026"}, "day", "Choose whether the day or the month comes first"),
    ({"day": "\ud800"}, "day", "It contains a character that cannot be stored"),
    ({"attempts": True}, "attempts", "Input should be a valid integer"),
    ({"attempts": 9.0}, "attempts", "Input should be a valid integer"),
    ({"attempts": 10**400}, "attempts", "Input should be less than or equal to 1000000"),
    ({"answered": float("nan")}, "answered", "Input should be a valid integer"),
    ({"answered": float("inf")}, "answered", "Input should be a valid integer"),
    ({"completed": 2, "short_calls": 2}, "completed", "2 completed and 2 short calls are more than 3 answered"),
    ({"weight\x00": 1}, "weight[U+0000]", "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("change", "field", "problem"), BAD)
def test_what_a_database_could_not_hold_or_types_do_not_allow_is_refused_and_the_good_rows_are_kept(
    client: TestClient, key: dict[str, str], session: Session, change: dict[str, object], field: str, problem: str
) -> None:
    body = json.dumps({"rows": [{**ROW, "day": "2026-01-05"}, {**ROW, **change}]})
    answer = client.post(PATH, content=body, headers=key)
    assert answer.status_code == 422
    assert count(session) == 0
    kept = client.post(f"{PATH}?keep_good=true", content=body, headers=key)
    assert kept.status_code == 200
    for found in (answer.json()["problems"], kept.json()["refused"]):
        assert [(one["row"], one["field"]) for one in found] == [(2, field)]
        assert found[0]["problem"].startswith(problem)
    assert count(session) == 1


def test_a_name_that_is_half_a_character_is_refused_too(client: TestClient, key: dict[str, str]) -> None:
    for body in (b'{"rows": [{"a\\ud800": 1}]}', b'{"rows\\ud800": []}', b'{"\\ud800": 1, "\\ud800": 2}'):
        answer = client.post(PATH, content=body, headers=key)
        assert (answer.status_code, answer.json()["problems"][0]["row"]) in ((422, 0), (422, 1))


@pytest.mark.parametrize(
    "body",
    [
        b'{"rows": [], "rows": [1]}',
        b"\xff\xfe\x00",
        b"\x00",
        b'{"rows": [' + b"1" * 5000 + b"]}",
        b'{"rows": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
        b'{"rows": ' + b"[" * 900 + b"]" * 900 + b"}",
        b'{"rows": ' + b"[" * 100_000,
        b"NaN",
        b'"\\ud800"',
    ],
)
def test_a_body_that_says_too_much_or_nothing_is_refused(client: TestClient, key: dict[str, str], body: bytes) -> None:
    answer = client.post(PATH, content=body, headers=key)
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_a_strange_length_is_no_error_of_ours(client: TestClient, key: dict[str, str]) -> None:
    for length in ("²".encode("latin-1"), b"1" * 5000, b"-1"):
        headers = [(name.encode(), value.encode()) for name, value in key.items()] + [(b"content-length", length)]
        assert client.post(PATH, content=b"{}", headers=headers).status_code < 500


def test_what_is_said_twice_in_a_row_is_refused(client: TestClient, key: dict[str, str], session: Session) -> None:
    text = json.dumps({"rows": [ROW]}).replace('"attempts": 9', '"attempts": 9, "attempts": 90')
    assert client.post(PATH, content=text, headers=key).status_code == 422
    assert count(session) == 0


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=8),
    st.sampled_from(["Spring", "+14155552671", YESTERDAY, "\ud800", "\x00", 10**18, -(10**400)]),
)
NAMES = st.text(max_size=3)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2))
CHANGES = st.dictionaries(st.sampled_from([*ROW, "completed", "x\ud800"]), VALUES)
ROWS = st.lists(VALUES | st.builds(lambda change: {**ROW, **change}, CHANGES), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(ROWS, st.booleans())
def test_whatever_is_sent_is_answered_in_words_and_written_only_when_it_says_so(
    client: TestClient, key: dict[str, str], session: Session, rows: list[object], keep_good: bool
) -> None:
    api_access.window.storage.reset()
    before = session.scalar(sa.select(sa.func.count(AuditEvent.id)).where(AuditEvent.action == "health:import"))
    session.rollback()
    answer = client.post(f"{PATH}?keep_good={keep_good}", content=json.dumps({"rows": rows}), headers=key)
    assert answer.status_code in (200, 422)
    said = answer.json()
    written = session.scalar(sa.select(sa.func.count(AuditEvent.id)).where(AuditEvent.action == "health:import"))
    session.rollback()
    assert (written or 0) - (before or 0) == (1 if answer.status_code == 200 else 0)
    if answer.status_code == 422:
        assert all(one["problem"] for one in said["problems"])
