"""Bulk changes over HTTP: previewed, started once for each request, and read part by part."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from sqlmodel import Session

from db.models import Job, KeyScope, NumberStatus
from providers.sandbox.server import Sandbox
from services.jobs import engine
from services.numbers import numbers
from services.people import api_access, api_keys
from services.setup import http_api
from tests.conftest import World
from tests.world import make, reconciling, working


def bearer(session: Session, actor: Any, *scopes: KeyScope) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_keys.create(session, actor, 'Mover', scopes).secret}"}


@pytest.fixture
def client(session: Session, world: World) -> Iterator[TestClient]:
    api_access.window.storage.reset()
    headers = bearer(session, world.admin, KeyScope.WRITE) | {"Idempotency-Key": "first"}
    with TestClient(http_api.api, headers=headers) as client:
        yield client


def change(ids: list[int], action: str = "deactivate", **more: object) -> dict[str, object]:
    return {"action": action, "numbers": {"ids": ids}, **more}


def started(session: Session) -> int:
    session.rollback()
    return session.scalar(sa.select(sa.func.count()).select_from(Job)) or 0


def finish(job: int) -> None:
    while engine.advance(job) is not engine.Step.END:
        pass


def test_a_change_is_started_and_told_number_by_number(client: TestClient, session: Session, world: World) -> None:
    ids = make.several(session, world, 5)
    answer = client.post("/jobs", json=change(ids, "assign_agent", values={"agent_id": world.agent}, confirm=5))
    assert answer.status_code == 200, answer.text
    job = answer.json()
    assert (job["state"], job["total"], job["outcomes"]) == ("waiting", 5, {"waiting": 5})
    finish(job["id"])
    done = client.get(f"/jobs/{job['id']}").json()
    assert (done["state"], done["outcomes"]) == ("done", {"changed": 5})
    found, cursor = [], ""
    while cursor is not None:
        part = client.get(f"/jobs/{job['id']}/items", params={"cursor": cursor, "limit": 2}).json()
        found += part["items"]
        cursor = part["next"]
    assert [item["number_id"] for item in found] == ids
    name = numbers.get(session, world.operator, ids[0]).agent
    assert found[0]["changes"] == f"Inbound call agent: Unassigned → {name}"
    assert (found[0]["before"], found[0]["after"]) == ({"agent": None}, {"agent": name})
    assert client.get(f"/jobs/{job['id']}/items", params={"outcome": "refused"}).json() == {"items": [], "next": None}


def test_a_dry_run_starts_and_keeps_nothing(client: TestClient, session: Session, world: World) -> None:
    ids = make.several(session, world, 2)
    numbers.remove(session, world.operator, ids[1], version=1)
    told = client.post("/jobs", json=change(ids, dry_run=True)).json()
    assert (told["id"], told["state"], told["outcomes"]) == (None, "draft", {"waiting": 1, "refused": 1})
    assert told["reasons"] == [{"reason": str(numbers.gone()), "numbers": 1}]
    assert started(session) == 0


def test_the_same_request_starts_one_job_also_twice_at_once(client: TestClient, session: Session, world: World) -> None:
    ids = make.several(session, world, 3)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: client.post("/jobs", json=change(ids)), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert started(session) == 1
    assert client.post("/jobs", json=change(ids[:1])).status_code == 409
    assert client.post("/jobs", json=change(ids[:1]), headers={"Idempotency-Key": "second"}).status_code == 200


def test_a_filter_means_what_it_means_in_the_list(client: TestClient, session: Session, world: World) -> None:
    ids = make.several(session, world, 2)
    body = {"action": "deactivate", "numbers": {"filter": {"search": "Line 1"}}}
    finish(client.post("/jobs", json=body).json()["id"])
    session.rollback()
    states = [numbers.get(session, world.operator, one).status for one in ids]
    assert states == [NumberStatus.ACTIVE, NumberStatus.INACTIVE]


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"action": "fly"}, "action"),
        ({"action": "assign_agent"}, "agent_id"),
        ({"action": "assign_agent", "values": {"agent_id": "3"}}, "agent_id"),
        ({"action": "assign_agent", "values": {"agent_id": 10**12}}, "agent_id"),
        ({"values": {"colour": "red"}}, "colour"),
        ({"action": "add_tags", "values": {"tags": []}}, "tags"),
        ({"numbers": {}}, "numbers"),
        ({"numbers": {"ids": []}}, "numbers"),
        ({"action": "remove"}, "confirm"),
        ({"confirm": 40}, "confirm"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_field(
    client: TestClient, session: Session, world: World, more: dict[str, object], field: str
) -> None:
    answer = client.post("/jobs", json=change([make.number(session, world)]) | more)
    assert answer.status_code == 422, answer.text
    assert answer.json()["problems"][0]["field"] == field
    assert started(session) == 0


def test_only_keys_that_may_write_start_and_those_of_others_see_nothing(
    client: TestClient, session: Session, world: World
) -> None:
    ids = [make.number(session, world)]
    job = client.post("/jobs", json=change(ids)).json()["id"]
    for scope in (KeyScope.READ, KeyScope.HEALTH):
        key = bearer(session, world.admin, scope)
        assert client.post("/jobs", json=change(ids), headers=key).status_code == 403
    assert client.get(f"/jobs/{job}", headers=bearer(session, world.admin, KeyScope.READ)).status_code == 200
    theirs = bearer(session, world.stranger, KeyScope.WRITE)
    for path in (f"/jobs/{job}", f"/jobs/{job}/items"):
        assert client.get(path, headers=theirs).status_code == 404
    answer = client.post("/jobs", json=change(ids), headers=theirs)
    assert answer.json()["detail"] == "Nothing would change."


def test_a_request_without_a_key_of_its_own_is_refused(client: TestClient, session: Session, world: World) -> None:
    del client.headers["Idempotency-Key"]
    answer = client.post("/jobs", json=change([make.number(session, world)]))
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (422, "Idempotency-Key")


def test_the_document_describes_changes(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {"/numbers", "/jobs", "/jobs/{job_id}", "/jobs/{job_id}/items"} <= set(document["paths"])
    assert document["components"]["schemas"]["BulkChange"]["examples"]


def test_what_is_done_at_a_provider_is_done_over_http_too(
    client: TestClient, session: Session, world: World, sandbox: Sandbox, area: str
) -> None:
    e164s = [reconciling.held(sandbox, f"{area}{n:03}") for n in range(2)]
    found = reconciling.compared(session, world, area)
    ids = [reconciling.imported(session, world, row, found) for row in found.only_there]
    reconciling.move_webhooks(session, world)

    def done(action: str, key: str, **more: object) -> dict[str, int]:
        answer = client.post("/jobs", json=change(ids, action, **more), headers={"Idempotency-Key": key})
        assert answer.status_code == 200, answer.text
        working.finished(session, world.admin, answer.json()["id"])
        outcomes: dict[str, int] = client.get(f"/jobs/{answer.json()['id']}").json()["outcomes"]
        return outcomes

    assert done("set_webhooks", "webhooks", values={"stop_routing": False}) == {"changed": 2}
    held = [reconciling.at_twilio(session, world).find_owned(e164) for e164 in e164s]
    assert {one.webhooks.voice_url for one in held if one} == {"https://voice.example.com/v2"}
    unconfirmed = client.post("/jobs", json=change(ids, "release"), headers={"Idempotency-Key": "unsure"})
    assert unconfirmed.status_code == 422
    assert done("release", "release", confirm=2) == {"changed": 2}
    assert [reconciling.at_twilio(session, world).find_owned(e164) for e164 in e164s] == [None, None]
