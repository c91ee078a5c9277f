"""The sandbox by itself: what it answers over plain HTTP, how it fails on demand, and what it keeps."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import phonenumbers
import pytest
import requests

from providers.base import Provider
from providers.errors import OutcomeUnknown
from providers.records import NumberSearch, NumberType
from providers.sandbox import OwnedSeed, accounts, number_sid
from providers.sandbox.catalogue import MARKETS
from providers.sandbox.server import Sandbox, running
from providers.sandbox.stock import shelf
from tests.providers.helpers import connect, ledger, on_shelf

ROOT = Path(__file__).parents[2]
MAIN = (accounts.MAIN.sid, accounts.MAIN.token)
SMALL = (accounts.SMALL.sid, accounts.SMALL.token)


def api(sandbox: Sandbox, path: str, account: tuple[str, str] = MAIN) -> str:
    return f"{sandbox.url}/api/2010-04-01/Accounts/{account[0]}{path}"


def get(url: str, auth: tuple[str, str] | None = MAIN, **query: str) -> requests.Response:
    return requests.get(url, query, auth=auth, timeout=5)


# The stock


def test_every_number_is_valid_and_the_same_at_every_start() -> None:
    first = [number.e164 for number in shelf()]

    assert first == [number.e164 for number in shelf()]
    assert len(set(first)) == len(first)
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in first)


def test_the_large_account_holds_2500_valid_numbers(untouched: Sandbox) -> None:
    with untouched.store.reading() as db:
        held = [row[0] for row in db.execute("SELECT e164 FROM owned WHERE account_sid = ?", (accounts.MAIN.sid,))]

    assert len(held) == 2500
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in held)


def test_every_type_of_every_country_has_numbers(untouched: Sandbox) -> None:
    provider = connect(untouched, accounts.MAIN)

    for code, market in MARKETS.items():
        for type in market.ranges:
            assert len(provider.search(NumberSearch(code, NumberType(type)))) == 30, (code, type)


# Shapes


@pytest.mark.parametrize("path", ["/IncomingPhoneNumbers.json", "/Calls.json", "/Addresses.json"])
def test_lists_of_the_2010_api_have_one_key_beside_their_paging(sandbox: Sandbox, path: str) -> None:
    paging = ["end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start", "uri"]
    body = get(api(sandbox, path)).json()

    assert len(set(body) - set(paging)) == 1
    assert body["page_size"] == 50
    assert body["uri"].startswith("/2010-04-01/Accounts/")


@pytest.mark.parametrize("size", ["0", "1001", "many"])
def test_a_page_has_1_to_1000_rows(sandbox: Sandbox, size: str) -> None:
    assert get(api(sandbox, "/IncomingPhoneNumbers.json"), PageSize=size).status_code == 400


def test_an_owned_number_is_told_as_twilio_tells_it(sandbox: Sandbox) -> None:
    listed = get(api(sandbox, "/IncomingPhoneNumbers.json"), PageSize="1").json()["incoming_phone_numbers"][0]
    one = get(api(sandbox, f"/IncomingPhoneNumbers/{listed['sid']}.json")).json()

    assert one == listed
    assert re.fullmatch(r"PN[0-9a-f]{32}", one["sid"])
    assert set(one["capabilities"]) == {"voice", "sms", "mms", "fax"}
    assert parsedate_to_datetime(one["date_created"]).tzinfo is not None


def test_a_number_for_sale_spells_its_capabilities_differently(sandbox: Sandbox) -> None:
    row = get(api(sandbox, "/AvailablePhoneNumbers/US/Local.json")).json()["available_phone_numbers"][0]

    assert set(row["capabilities"]) == {"voice", "SMS", "MMS", "fax"}
    assert isinstance(row["latitude"], str)


def test_statuses_of_a_purchase_and_a_release(sandbox: Sandbox, small: Provider) -> None:
    form = {"PhoneNumber": on_shelf(small)}
    created = requests.post(api(sandbox, "/IncomingPhoneNumbers.json", SMALL), form, auth=SMALL, timeout=5)
    one = api(sandbox, f"/IncomingPhoneNumbers/{created.json()['sid']}.json", SMALL)

    assert created.status_code == 201
    assert requests.post(one, {"FriendlyName": "Two"}, auth=SMALL, timeout=5).status_code == 200
    deleted = requests.delete(one, auth=SMALL, timeout=5)
    assert (deleted.status_code, deleted.content) == (204, b"")


@pytest.mark.parametrize("auth", [None, ("AC" + "9" * 32, "sandbox"), (MAIN[0], "wrong"), SMALL])
def test_without_the_right_credentials_there_is_nothing(sandbox: Sandbox, auth: tuple[str, str] | None) -> None:
    answer = get(api(sandbox, "/IncomingPhoneNumbers.json"), auth)

    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize(
    "path", ["/IncomingPhoneNumbers/PN0.json", "/AvailablePhoneNumbers/US/Mobile.json", "/Nothing.json"]
)
def test_an_error_has_twilios_body_and_headers(sandbox: Sandbox, path: str) -> None:
    answer = get(api(sandbox, path))

    assert answer.status_code == 404
    assert set(answer.json()) == {"code", "message", "more_info", "status"}
    assert (answer.json()["code"], answer.json()["status"]) == (20404, 404)
    assert re.fullmatch(r"RQ[0-9a-f]{32}", answer.headers["Twilio-Request-Id"])
    assert "Twilio-Concurrent-Requests" in answer.headers


@pytest.mark.parametrize(("area", "code"), [("533", 21452), ("1x", 21451)])
def test_area_codes_without_numbers(sandbox: Sandbox, area: str, code: int) -> None:
    answer = requests.post(api(sandbox, "/IncomingPhoneNumbers.json"), {"AreaCode": area}, auth=MAIN, timeout=5)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_area_code_500_always_has_one(sandbox: Sandbox) -> None:
    answer = requests.post(api(sandbox, "/IncomingPhoneNumbers.json"), {"AreaCode": "500"}, auth=MAIN, timeout=5)

    assert answer.status_code == 201


# Faults over HTTP


def test_faults_are_listed_replaced_and_cleared(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/faults"
    first = requests.post(url, json={"kind": "delay", "seconds": 0.1}, timeout=5)
    second = requests.post(url, json={"kind": 429, "method": "post", "times": 3}, timeout=5)

    assert [first.status_code, second.status_code] == [201, 201]
    assert [fault["kind"] for fault in requests.get(url, timeout=5).json()["faults"]] == ["delay", "429"]
    replaced = requests.put(url, json=[{"kind": "503", "times": None}], timeout=5).json()["faults"]
    assert [(fault["kind"], fault["times"]) for fault in replaced] == [("503", None)]
    assert requests.delete(url, timeout=5).json() == {"faults": []}


@pytest.mark.parametrize("body", ["{", '{"seconds": 1}', '{"kind": "meteor"}', '{"kind": "delay", "colour": "red"}'])
def test_an_unknown_fault_is_refused(sandbox: Sandbox, body: str) -> None:
    answer = requests.post(f"{sandbox.url}/faults", body, timeout=5)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_fault_hits_its_requests_as_often_as_it_should(sandbox: Sandbox) -> None:
    fault = {"kind": "503", "method": "GET", "path": "IncomingPhoneNumbers", "times": 2}
    requests.post(f"{sandbox.url}/faults", json=fault, timeout=5)
    numbers, account = api(sandbox, "/IncomingPhoneNumbers.json"), api(sandbox, ".json")

    assert get(account).status_code == 200
    assert [get(numbers).status_code for _ in range(3)] == [503, 503, 200]


def test_a_fault_until_it_is_taken_back(sandbox: Sandbox) -> None:
    requests.post(f"{sandbox.url}/faults", json={"kind": "429", "retry_after": 2, "times": None}, timeout=5)
    answers = [get(api(sandbox, ".json")) for _ in range(3)]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(429, "2")] * 3
    requests.delete(f"{sandbox.url}/faults", timeout=5)
    assert get(api(sandbox, ".json")).status_code == 200


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_dropped_connection_closes_without_a_byte(sandbox: Sandbox, kind: str) -> None:
    requests.post(f"{sandbox.url}/faults", json={"kind": kind}, timeout=5)
    host, port = sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as wire:
        wire.sendall(b"GET /api/2010-04-01/Accounts.json HTTP/1.1\r\nHost: sandbox\r\n\r\n")

        assert wire.recv(1000) == b""
    assert get(api(sandbox, ".json")).status_code == 200


# What it keeps


def test_the_ledger_can_be_asked_for_an_account(sandbox: Sandbox, small: Provider) -> None:
    wanted = on_shelf(small)
    sid = small.buy(wanted).sid
    entries = get(f"{sandbox.url}/ledger", None, account=SMALL[0], number=wanted).json()["entries"]

    assert [(e["action"], e["sid"], e["price"], e["currency"]) for e in entries] == [("purchase", sid, "1.15", "USD")]
    assert get(f"{sandbox.url}/ledger", None, account="AC0", number=wanted).json() == {"entries": []}


def test_seeded_numbers_are_owned_without_a_purchase_and_only_once(sandbox: Sandbox, small: Provider) -> None:
    seed = OwnedSeed("+14155550199", accounts.SMALL.sid, label="Reception", voice_url="https://voice.example.com")
    for _ in range(2):
        sandbox.seed_owned([seed])
    owned = small.find_owned(seed.e164)

    assert owned is not None
    assert (owned.sid, owned.label) == (number_sid(seed.account_sid, seed.e164), "Reception")
    assert owned.webhooks.voice_url == seed.voice_url
    assert ledger(sandbox, seed.e164) == []
    small.release(owned.sid)
    sandbox.seed_owned([seed])
    assert small.find_owned(seed.e164) is None
    assert [row.e164 for row in small.search(NumberSearch("US", contains=f"{seed.e164}$"))] == [seed.e164]


def test_a_seed_leaves_what_is_held_alone_and_a_released_one_is_not_held(sandbox: Sandbox, small: Provider) -> None:
    bought = small.buy(on_shelf(small), label="Bought")
    released = OwnedSeed("+14155550198", accounts.SMALL.sid, released=True)
    sandbox.seed_owned([OwnedSeed(bought.e164, accounts.SMALL.sid, label="Seeded"), released])
    sandbox.seed_owned([OwnedSeed(released.e164, accounts.SMALL.sid)])

    assert small.find_owned(bought.e164) == bought
    assert small.find_owned(released.e164) is None


def test_a_restart_keeps_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with running(state) as sandbox:
        provider = connect(sandbox, accounts.SMALL)
        kept, released = (provider.buy(on_shelf(provider, "CA")) for _ in range(2))
        provider.release(released.sid)
    with running(state) as sandbox:
        provider = connect(sandbox, accounts.SMALL)

        assert provider.find_owned_sid(kept.sid) == kept
        assert provider.find_owned_sid(released.sid) is None
        assert ledger(sandbox, kept.e164) == ["purchase"]


@contextmanager
def alone(state: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the sandbox as a process of its own, on any free port."""
    command = [sys.executable, "-m", "providers.sandbox", "--port", "0", "--state", str(state)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        yield ready.split()[3].rstrip(","), process
        process.kill()


def test_a_killed_process_keeps_what_it_sold(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    with alone(state) as (url, process):
        provider = connect(url, accounts.SMALL)
        wanted = on_shelf(provider, "CA")
        requests.post(f"{url}/faults", json={"kind": "drop_after"}, timeout=5)
        with pytest.raises(OutcomeUnknown):
            provider.buy(wanted)
        os.kill(process.pid, signal.SIGKILL)
    with alone(state) as (url, _):
        assert requests.get(f"{url}/ledger", {"number": wanted}, timeout=5).json()["entries"][0]["action"] == "purchase"
