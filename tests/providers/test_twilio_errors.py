"""What can go wrong with Twilio: refusals, lost answers, and hosts that are none of its own."""

import socket
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from providers import PROVIDERS
from providers.base import Provider
from providers.errors import (
    NotSupported,
    NotThere,
    OutcomeUnknown,
    ProviderError,
    ProviderMisconfigured,
    ProviderUnavailable,
    RequestRejected,
)
from providers.records import AccountStatus
from providers.sandbox import accounts
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from providers.twilio.http import MappedHttpClient
from providers.twilio.provider import Twilio
from tests.providers.helpers import connect, ledger, on_shelf

HOOK = "https://voice.example.com/in"


@pytest.mark.parametrize("problem", [False, True], ids=["older-body", "rfc-9457"])
@pytest.mark.parametrize(
    ("status", "code", "read", "write"),
    [
        (400, 20001, RequestRejected, RequestRejected),
        (400, 21404, RequestRejected, RequestRejected),
        (400, 21421, RequestRejected, RequestRejected),
        (400, 21422, RequestRejected, RequestRejected),
        (400, 21451, RequestRejected, RequestRejected),
        (400, 21452, RequestRejected, RequestRejected),
        (400, 21631, RequestRejected, RequestRejected),
        (400, 21649, RequestRejected, RequestRejected),
        (401, 20003, RequestRejected, RequestRejected),
        (403, 20005, RequestRejected, RequestRejected),
        (404, 20404, NotThere, NotThere),
        (405, 20004, NotSupported, NotSupported),
        (408, 20408, ProviderUnavailable, OutcomeUnknown),
        (429, 20429, ProviderUnavailable, ProviderUnavailable),
        (301, 20500, ProviderUnavailable, OutcomeUnknown),
        (500, 20500, ProviderUnavailable, OutcomeUnknown),
        (502, 20500, ProviderUnavailable, OutcomeUnknown),
        (503, 20503, ProviderUnavailable, OutcomeUnknown),
    ],
)
def test_every_error_of_twilio_is_one_of_ours(
    sandbox: Sandbox,
    small: Provider,
    problem: bool,
    status: int,
    code: int,
    read: type[Exception],
    write: type[Exception],
) -> None:
    sandbox.fault(Fault(Kind.ERROR, status=status, code=code, problem=problem, times=4))

    for ask, expected in (
        (small.owned_page, read),
        (small.account, read),
        (lambda: small.buy("+14155550123"), write),
        (lambda: small.release("PN" + "0" * 32), write),
    ):
        with pytest.raises(ProviderError) as caught:
            ask()
        assert type(caught.value) is expected
        assert caught.value.code == str(code)
        assert caught.value.answer.status == status
        assert str(code) in caught.value.answer.body


@pytest.mark.parametrize("code", [21422, 21649])
def test_codes_count_and_texts_do_not(sandbox: Sandbox, small: Provider, code: int) -> None:
    sentences = set()
    for text in ("one wording", "another wording"):
        sandbox.fault(Fault(Kind.ERROR, status=400, code=code, message=text))
        with pytest.raises(RequestRejected) as caught:
            small.buy("+14155550123")
        sentences.add(str(caught.value))

    assert len(sentences) == 1


@pytest.mark.parametrize("problem", [False, True], ids=["older-body", "rfc-9457"])
def test_an_unknown_refusal_is_told_in_twilios_words(sandbox: Sandbox, small: Provider, problem: bool) -> None:
    sandbox.fault(Fault(Kind.ERROR, status=400, code=29999, message="The moon is full", problem=problem))

    with pytest.raises(RequestRejected, match=r"refused to buy .*The moon is full.*Nothing was changed or charged"):
        small.buy("+14155550123")


@pytest.mark.parametrize("pause", [7.5, None])
def test_too_many_requests_name_the_pause_if_there_is_one(
    sandbox: Sandbox, small: Provider, pause: float | None
) -> None:
    wanted = on_shelf(small)
    sandbox.fault(Fault(Kind.TOO_MANY, retry_after=pause))

    with pytest.raises(ProviderUnavailable) as caught:
        small.buy(wanted)
    assert (caught.value.code, caught.value.retry_after) == ("20429", pause)
    assert ledger(sandbox, wanted) == []


# Lost answers


@pytest.mark.parametrize(
    ("fault", "happened"),
    [
        (Fault(Kind.DROP_BEFORE), []),
        (Fault(Kind.DROP_AFTER), ["purchase"]),
        (Fault(Kind.ERROR_AFTER), ["purchase"]),
        (Fault(Kind.UNAVAILABLE), []),
        (Fault(Kind.DELAY, seconds=0.6), ["purchase"]),
    ],
    ids=lambda value: value.kind.value if isinstance(value, Fault) else "",
)
def test_a_purchase_without_an_answer_is_unknown_until_one_looks(
    sandbox: Sandbox, small: Provider, fault: Fault, happened: list[str]
) -> None:
    wanted = on_shelf(small)
    sandbox.fault(fault)

    with pytest.raises(OutcomeUnknown, match="may have happened"):
        connect(sandbox, accounts.SMALL, timeout=0.3).buy(wanted)

    assert ledger(sandbox, wanted) == happened
    assert (small.find_owned(wanted) is not None) == bool(happened)
    assert small.buy(wanted).e164 == wanted
    assert ledger(sandbox, wanted) == ["purchase"]


def test_a_purchase_can_take_effect_after_one_stopped_waiting(sandbox: Sandbox, small: Provider) -> None:
    wanted = on_shelf(small)
    sandbox.fault(Fault(Kind.LATE, seconds=0.5))

    with pytest.raises(OutcomeUnknown):
        connect(sandbox, accounts.SMALL, timeout=0.2).buy(wanted)
    assert small.find_owned(wanted) is None
    # The next answer that comes as late is the sign that the first purchase was made before it.
    sandbox.fault(Fault(Kind.LATE, seconds=0.5))
    assert small.find_owned(wanted) is not None


@pytest.mark.parametrize("kind", [Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.ERROR_AFTER])
def test_release_and_webhooks_without_an_answer_are_unknown(sandbox: Sandbox, small: Provider, kind: Kind) -> None:
    number = small.buy(on_shelf(small))
    for change in (lambda: small.set_webhooks(number.sid, voice_url=HOOK), lambda: small.release(number.sid)):
        sandbox.fault(Fault(kind))
        with pytest.raises(OutcomeUnknown):
            change()

    assert (small.find_owned_sid(number.sid) is None) == (kind is not Kind.DROP_BEFORE)


@pytest.mark.parametrize("kind", [Kind.DROP_BEFORE, Kind.DROP_AFTER, Kind.ERROR_AFTER, Kind.UNAVAILABLE, Kind.DELAY])
def test_a_read_without_an_answer_can_be_asked_again(sandbox: Sandbox, kind: Kind) -> None:
    impatient = connect(sandbox, accounts.SMALL, timeout=0.3)
    sandbox.fault(Fault(kind, seconds=0.6))

    with pytest.raises(ProviderUnavailable):
        impatient.owned_page(page_size=1)
    assert impatient.owned_page(page_size=1).rows


def test_a_connection_that_is_refused_never_sent_anything(small: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    asks: tuple[Callable[[Provider], object], ...] = (lambda p: p.buy("+14155550123"), lambda p: p.account())
    for ask in asks:
        with pytest.raises(ProviderUnavailable, match="no connection could be made"):
            ask(connect(f"http://127.0.0.1:{port}", accounts.MAIN))


@pytest.fixture
def strange_answer() -> Iterator[Callable[[int, str], str]]:
    """A gateway that gives one answer to everything; call it with the answer for its address."""

    class Gateway(BaseHTTPRequestHandler):
        status, text = 200, ""

        def do_GET(self) -> None:
            body = self.text.encode()
            self.send_response(self.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_GET

        def log_message(self, *args: object) -> None:
            pass

    def answer(status: int, text: str) -> str:
        Gateway.status, Gateway.text = status, text
        return f"http://127.0.0.1:{server.server_port}"

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield answer
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "text", "read", "write"),
    [
        (502, "<h1>Bad gateway</h1>", ProviderUnavailable, OutcomeUnknown),
        (302, "", ProviderUnavailable, OutcomeUnknown),
        (401, "<h1>No</h1>", RequestRejected, RequestRejected),
        (200, "<h1>Maintenance</h1>", ProviderUnavailable, OutcomeUnknown),
        (200, "{}", ProviderUnavailable, OutcomeUnknown),
        (200, "[]", ProviderUnavailable, OutcomeUnknown),
        (200, "null", ProviderUnavailable, OutcomeUnknown),
        (200, "7", ProviderUnavailable, OutcomeUnknown),
        (201, '{"sid": 7, "phone_number": 8}', ProviderUnavailable, OutcomeUnknown),
        (200, '{"sid": "PN1", "phone_number": "+14155550124"}', ProviderUnavailable, OutcomeUnknown),
    ],
)
def test_answers_that_are_not_twilios_are_not_believed(
    strange_answer: Callable[..., str], status: int, text: str, read: type[Exception], write: type[Exception]
) -> None:
    provider = connect(strange_answer(status, text), accounts.MAIN)

    with pytest.raises(read):
        provider.owned_page()
    for change in (
        lambda: provider.buy("+14155550123"),
        lambda: provider.set_webhooks("PN" + "1" * 32, voice_url="https://voice.example.com"),
        lambda: provider.release("PN" + "1" * 32),
    ):
        with pytest.raises(write):
            change()


@pytest.mark.parametrize("status", [200, 201, 202, 302, 502])
@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", "7", '{"sid": "exo-2", "phone_number": "+918047180001"}', '{"phone_number": 7}']
)
def test_answers_that_are_not_exotels_are_not_believed(
    strange_answer: Callable[..., str], status: int, text: str
) -> None:
    credentials = {"account_sid": "a", "api_key": "k", "api_token": "t", "subdomain": "api.exotel.com"}
    provider = PROVIDERS["exotel"].connect(credentials, base_url=strange_answer(status, text))

    with pytest.raises(ProviderUnavailable):
        provider.find_owned_sid("exo-1")
    with pytest.raises(OutcomeUnknown):
        provider.set_webhooks("exo-1", voice_url="https://voice.example.com")


# Hosts


@pytest.mark.parametrize(
    "url",
    [
        "https://video.twilio.com/v1/Rooms",
        "https://api.twilio.com.evil.example/2010-04-01/Accounts.json",
        "https://me@api.twilio.com/2010-04-01/Accounts.json",
        "http://api.twilio.com/2010-04-01/Accounts.json",
    ],
)
@pytest.mark.parametrize("base_url", ["http://127.0.0.1:9", None])
def test_a_host_that_is_not_mapped_is_sent_nothing(url: str, base_url: str | None) -> None:
    with pytest.raises(ProviderMisconfigured, match="nothing was sent"):
        MappedHttpClient(base_url, 1.0).request("GET", url, auth=("AC", "secret"))


def test_a_next_page_on_a_foreign_host_is_refused(main: Provider) -> None:
    with pytest.raises(ProviderMisconfigured):
        main.owned_page(token="https://evil.example/2010-04-01/Accounts.json?PageToken=PA1")


def test_the_second_page_of_bundles_stays_in_the_sandbox(main: Provider) -> None:
    assert isinstance(main, Twilio)
    bundles = main._client.numbers.v2.regulatory_compliance.bundles.list(page_size=3)

    assert len({bundle.sid for bundle in bundles}) == 8


def test_a_region_of_the_process_does_not_move_the_calls(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWILIO_REGION", "au1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")

    assert connect(sandbox, accounts.MAIN).account().status is AccountStatus.ACTIVE


def test_a_sandbox_address_must_be_one() -> None:
    credentials = {"account_sid": accounts.MAIN.sid, "auth_token": "x"}

    with pytest.raises(ProviderMisconfigured):
        PROVIDERS["twilio"].connect(credentials, base_url="localhost:8600")


def test_every_call_has_a_time_limit() -> None:
    assert MappedHttpClient(None, 3.0).timeout == 3.0
