"""What the app says by plain HTTP: its health, and the headers on every answer."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.e2e


def get(server: str, path: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_health_says_that_the_app_and_its_database_can_serve(server: str) -> None:
    status, headers, body = get(server, "/api/health")
    assert status == 200
    assert headers["content-type"] == "application/json"
    told = json.loads(body)
    age = told.pop("oldest_open_order_seconds")
    assert told == {"status": "ok", "database": "sqlite", "writes": True}
    assert age is None or age >= 0


@pytest.mark.parametrize("path", ["/", "/number?id=1", "/api/health", "/static/nothing-here", "/_stcore/health"])
def test_every_answer_carries_the_security_headers(server: str, path: str) -> None:
    _, headers, _ = get(server, path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
