"""What the app says by plain HTTP: its health, the headers on every answer, and whose files it takes."""

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import sqlalchemy as sa
from playwright.sync_api import BrowserContext
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from tests.e2e.poison import opened

pytestmark = pytest.mark.e2e

XSRF = "_streamlit_xsrf"
MEGABYTE = 2**20


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


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/number?id=1",
        "/api/health",
        "/api/v1/openapi.json",
        "/api/v1/nothing-here",
        "/static/nothing-here",
        "/_stcore/health",
        "/_stcore/upload_file/nobody/1",
    ],
)
def test_every_answer_carries_the_security_headers(server: str, path: str) -> None:
    _, headers, _ = get(server, path)
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["referrer-policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["object-src"] == "'none'"
    assert (
        policy["frame-ancestors"] == policy["connect-src"] == policy["frame-src"] == policy["form-action"] == "'self'"
    )
    assert policy["img-src"] == "'self' data: blob:"
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    assert not [source for value in policy.values() for source in value.split() if "//" in source or source == "*"]


@contextmanager
def tab(server: str, cookies: str = "", say: BackMsg | bytes = b"") -> Iterator[str]:
    """Open a tab as a browser does, without one, and yield the id of its session once its page is drawn.

    When it is, the tab goes on to *say* something.
    """
    address = f"ws://{urlsplit(server).netloc}/_stcore/stream"
    headers = {"Cookie": cookies} if cookies else {}
    with connect(address, subprotocols=["streamlit"], additional_headers=headers, max_size=None) as socket:  # type: ignore[list-item]
        message = BackMsg()
        message.rerun_script.query_string = ""
        socket.send(message.SerializeToString())
        session_id, drawn = "", False
        while not drawn:
            answer = ForwardMsg.FromString(bytes(socket.recv(timeout=20, decode=False)))
            session_id = answer.new_session.initialize.session_id or session_id
            drawn = answer.WhichOneof("type") == "script_finished"
        if say:
            socket.send(say if isinstance(say, bytes) else say.SerializeToString())
        yield session_id


def upload(server: str, session_id: str, data: bytes = b"phone\n", name: str = "1") -> int:
    """Upload a file into a session, and return the status of the answer."""
    with requests.Session() as browser:
        browser.get(f"{server}/_stcore/host-config", timeout=10)
        token = browser.get(f"{server}/_stcore/health", timeout=10).cookies.get(XSRF) or browser.cookies[XSRF]
        address = f"{server}/_stcore/upload_file/{session_id}/{name}"
        sent = browser.put(address, files={"file": ("a.csv", data)}, headers={"X-Xsrftoken": token}, timeout=30)
        return sent.status_code


def cookies_of(context: BrowserContext) -> str:
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in context.cookies())


def test_a_tab_of_nobody_and_a_session_that_is_not_there_cannot_upload(server: str) -> None:
    with tab(server) as session_id:
        assert session_id
        assert upload(server, session_id) == 401
    assert upload(server, "00000000-0000-0000-0000-000000000000") == 401
    assert requests.post(f"{server}/_stcore/upload_file/x/1", timeout=10).status_code == 401


@pytest.mark.parametrize(("username", "status"), [("viewer", 403), ("operator", 204)])
def test_only_who_may_import_can_upload(
    server: str, signed_in: Callable[[str], BrowserContext], username: str, status: int
) -> None:
    with tab(server, cookies_of(signed_in(username))) as session_id:
        assert upload(server, session_id) == status


def test_who_may_upload_is_asked_anew_for_each_file(
    server: str, signed_in: Callable[[str], BrowserContext], home: Path
) -> None:
    def give(role: str) -> None:
        with opened(home / "data" / "numberdesk.db") as app:
            user = app.scalar(sa.text("SELECT id FROM app_user WHERE username = 'operator'"))
            app.execute(
                sa.text("UPDATE membership SET role = :role WHERE user_id = :user"), {"role": role, "user": user}
            )

    with tab(server, cookies_of(signed_in("operator"))) as session_id:
        try:
            give("viewer")
            assert upload(server, session_id) == 403
        finally:
            give("operator")
        assert upload(server, session_id) == 204


def test_a_file_too_large_is_refused_before_it_is_read(server: str, signed_in: Callable[[str], BrowserContext]) -> None:
    with tab(server, cookies_of(signed_in("operator"))) as session_id:
        path = f"/_stcore/upload_file/{session_id}/1"
        for headers, status in (({"Content-Length": str(51 * MEGABYTE)}, 413), ({"Transfer-Encoding": "chunked"}, 411)):
            connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
            connection.putrequest("PUT", path)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders()  # and nothing after
            assert connection.getresponse().status == status
            connection.close()


def test_a_tab_holds_no_more_than_two_of_the_largest_files(
    server: str, signed_in: Callable[[str], BrowserContext]
) -> None:
    with tab(server, cookies_of(signed_in("operator"))) as session_id:
        data = bytes(40 * MEGABYTE)
        assert [upload(server, session_id, data, str(n)) for n in range(3)] == [204, 204, 413]


def test_a_tab_cannot_empty_what_is_kept_for_everybody(server: str, signed_in: Callable[[str], BrowserContext]) -> None:
    with tab(server, cookies_of(signed_in("operator")), say=BackMsg(clear_cache=True)) as session_id:
        assert upload(server, session_id) == 204  # what the tab itself keeps would go too


def test_what_is_no_message_ends_nothing(server: str) -> None:
    with tab(server, say=b"\xff\xff"), tab(server) as session_id:
        assert session_id
    assert get(server, "/api/health")[0] == 200
