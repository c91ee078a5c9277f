"""Numbers over HTTP: by cursor, with the filters of the list, and only for keys that may read them."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from db.models import KeyScope
from services.numbers import numbers
from services.people import api_access, api_keys
from services.setup import http_api
from tests.conftest import World
from tests.world import make


@pytest.fixture
def client(session: Session, world: World) -> Iterator[TestClient]:
    api_access.window.storage.reset()
    secret = api_keys.create(session, world.admin, "Reader", [KeyScope.READ]).secret
    with TestClient(http_api.api, headers={"Authorization": f"Bearer {secret}"}) as client:
        yield client


def walk(client: TestClient, **params: Any) -> Iterator[list[int]]:
    cursor = ""
    while cursor is not None:
        answer = client.get("/numbers", params={"cursor": cursor, **params})
        assert answer.status_code == 200, answer.text
        yield [number["id"] for number in answer.json()["numbers"]]
        cursor = answer.json()["next"]


def test_the_parts_are_complete_and_without_doubles_while_numbers_are_added(
    client: TestClient, session: Session, world: World
) -> None:
    ids = make.several(session, world, 5)
    parts = walk(client, limit=2)
    first = next(parts)
    ids.append(make.number(session, world, "+14155553999"))
    found = [first, *parts]
    assert [len(part) for part in found] == [2, 2, 2]
    assert [one for part in found for one in part] == ids


def test_a_number_has_names_and_ids_and_times_in_utc(client: TestClient, session: Session, world: World) -> None:
    number_id = make.number(session, world, label="Sales")
    numbers.assign_agent(session, world.operator, number_id, world.agent, version=1)
    (number,) = client.get("/numbers").json()["numbers"]
    row = numbers.get(session, world.operator, number_id)
    assert (number["e164"], number["label"], number["status"]) == (row.e164, "Sales", "active")
    assert number["agent"] == {"id": world.agent, "name": row.agent}
    assert number["created_at"].endswith("Z")
    assert number["price"] is None


def test_filters_mean_what_they_mean_in_the_list(client: TestClient, session: Session, world: World) -> None:
    ids = make.several(session, world, 3)
    numbers.set_tags_and_notes(session, world.operator, ids[0], ["vip"], "", version=1)
    numbers.assign_agent(session, world.operator, ids[1], world.agent, version=1)
    numbers.remove(session, world.operator, ids[2], version=1)
    for params, expected in (
        ({}, ids[:2]),
        ({"tag": "vip"}, ids[:1]),
        ({"agent": world.agent}, ids[1:2]),
        ({"agent": "unassigned"}, ids[:1]),
        ({"status": ["active", "removed"]}, ids),
        ({"search": "Line 1"}, ids[1:2]),
        ({"country": "DE"}, []),
    ):
        assert [one for part in walk(client, **params) for one in part] == expected, params


def test_nothing_of_another_tenant_is_read(client: TestClient, session: Session, world: World) -> None:
    make.number(session, world)
    secret = api_keys.create(session, world.stranger, "Theirs", [KeyScope.READ]).secret
    answer = client.get("/numbers", headers={"Authorization": f"Bearer {secret}"})
    assert answer.json() == {"numbers": [], "next": None}


def test_a_key_for_health_reads_no_numbers(client: TestClient, session: Session, world: World) -> None:
    secret = api_keys.create(session, world.admin, "Dialer").secret
    assert client.get("/numbers", headers={"Authorization": f"Bearer {secret}"}).status_code == 403
    assert client.get("/numbers", headers={"Authorization": "Bearer nd_wrong"}).status_code == 401
    assert client.post("/campaign-health", json={"rows": [{}]}).status_code == 403


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "é"}, "cursor"),
        ({"limit": 501}, "limit"),
        ({"limit": 0}, "limit"),
        ({"status": "gone"}, "0"),
        ({"colour": "red"}, "colour"),
        ({"search": "\0"}, "search"),
    ],
)
def test_what_cannot_be_used_is_named(client: TestClient, params: dict[str, Any], field: str) -> None:
    answer = client.get("/numbers", params=params)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == field
