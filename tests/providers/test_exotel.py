"""Exotel against its sandbox, and what the providers without an API answer."""

from datetime import UTC, datetime

import pytest
import requests

from providers import PROVIDERS
from providers.base import Capability, Provider
from providers.errors import NotSupported, OutcomeUnknown, ProviderUnavailable, RequestRejected
from providers.records import NumberSearch, NumberType, Webhooks
from providers.sandbox import exotel
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox

FLOW = f"http://my.exotel.com/{exotel.ACCOUNT_SID}/exoml/start_voice/2002"
NOW = datetime.now(UTC)


def connect(sandbox: Sandbox, *, token: str = exotel.API_TOKEN, timeout: float = 5.0) -> Provider:
    credentials = {
        "account_sid": exotel.ACCOUNT_SID,
        "api_key": exotel.API_KEY,
        "api_token": token,
        "subdomain": "api.in.exotel.com",
    }
    return PROVIDERS["exotel"].connect(credentials, base_url=sandbox.url, timeout=timeout)


@pytest.mark.parametrize(("sid", "e164"), [("exo-1", "+918047180001"), ("exo-2", "+911139585476")])
def test_an_exophone_of_the_account_is_found(sandbox: Sandbox, sid: str, e164: str) -> None:
    found = connect(sandbox).find_owned_sid(sid)

    assert found is not None
    assert (found.sid, found.e164) == (sid, e164)


def test_a_foreign_exophone_is_not_found(sandbox: Sandbox) -> None:
    assert connect(sandbox).find_owned_sid("exo-9") is None
    assert connect(sandbox).find_owned_sid("../../exo-1") is None


def test_webhooks_are_set_and_read(sandbox: Sandbox) -> None:
    provider = connect(sandbox)
    before = provider.webhooks("exo-1")
    changed = provider.set_webhooks("exo-1", voice_url=FLOW)

    assert changed.webhooks == Webhooks(voice_url=FLOW, sms_url=before.sms_url)
    assert provider.webhooks("exo-1") == changed.webhooks


def test_a_status_callback_has_no_place_at_exotel(sandbox: Sandbox) -> None:
    with pytest.raises(RequestRejected, match="call flow"):
        connect(sandbox).set_webhooks("exo-1", status_callback="https://voice.example.com/status")


@pytest.mark.parametrize("field", ["voice_method", "voice_fallback_url", "trunk_sid"])
def test_exotel_keeps_urls_alone(sandbox: Sandbox, field: str) -> None:
    with pytest.raises(RequestRejected, match=field.replace("_", " ")):
        connect(sandbox).set_webhooks("exo-1", **{field: "POST"})


@pytest.mark.parametrize(
    ("name", "is_named"),
    [("08047180001", False), ("+918047180001", False), ("080-4718 0001", False), ("", False)]
    + [(label, True) for label in ("4718", "0001", "08047180002", "Call 08047180001", "Sales")],
)
def test_an_exophone_is_named_only_by_a_name_that_is_not_its_own(sandbox: Sandbox, name: str, is_named: bool) -> None:
    url = f"{sandbox.url}/exotel/v2_beta/Accounts/{exotel.ACCOUNT_SID}/IncomingPhoneNumbers/exo-1"
    auth = (exotel.API_KEY, exotel.API_TOKEN)
    try:
        requests.put(url, {"FriendlyName": name}, auth=auth, timeout=5).raise_for_status()
        found = connect(sandbox).find_owned_sid("exo-1")
        assert found
        assert (found.label, found.is_named) == (name, is_named)
    finally:
        requests.put(url, {"FriendlyName": exotel.NUMBERS["exo-1"]}, auth=auth, timeout=5)


def test_wrong_credentials_are_rejected(sandbox: Sandbox) -> None:
    with pytest.raises(RequestRejected, match="API key and token"):
        connect(sandbox, token="wrong").find_owned_sid("exo-1")


def test_webhooks_of_an_unknown_exophone_are_rejected(sandbox: Sandbox) -> None:
    with pytest.raises(RequestRejected, match="no such ExoPhone"):
        connect(sandbox).set_webhooks("exo-9", voice_url=FLOW)


@pytest.mark.parametrize(
    ("fault", "read", "write"),
    [
        (Fault(Kind.DROP_BEFORE, times=2), ProviderUnavailable, OutcomeUnknown),
        (Fault(Kind.DROP_AFTER, times=2), ProviderUnavailable, OutcomeUnknown),
        (Fault(Kind.ERROR_AFTER, times=2), ProviderUnavailable, OutcomeUnknown),
        (Fault(Kind.DELAY, seconds=0.5, times=2), ProviderUnavailable, OutcomeUnknown),
        (Fault(Kind.TOO_MANY, retry_after=3, times=2), ProviderUnavailable, ProviderUnavailable),
    ],
)
def test_faults_mean_the_same_as_at_twilio(
    sandbox: Sandbox, fault: Fault, read: type[Exception], write: type[Exception]
) -> None:
    sandbox.fault(fault)
    provider = connect(sandbox, timeout=0.3)

    with pytest.raises(read):
        provider.webhooks("exo-2")
    with pytest.raises(write) as caught:
        provider.set_webhooks("exo-2", voice_url=FLOW)
    assert getattr(caught.value, "retry_after", None) == fault.retry_after


VERBS = {
    Capability.ACCOUNT: lambda p: p.account(),
    Capability.ADDRESSES: lambda p: p.bundles("IN", NumberType.LOCAL) or p.addresses(),
    Capability.BUY: lambda p: p.buy("+918047180001"),
    Capability.CALL_LOG: lambda p: p.calls_page(NOW, NOW),
    Capability.COUNTRIES: lambda p: p.countries(),
    Capability.FIND_OWNED: lambda p: p.find_owned_sid("exo-1"),
    Capability.LIST_OWNED: lambda p: p.find_owned("+918047180001"),
    Capability.PRICES: lambda p: p.prices("IN"),
    Capability.READ_WEBHOOKS: lambda p: p.webhooks("exo-1"),
    Capability.RELEASE: lambda p: p.release("exo-1"),
    Capability.SEARCH: lambda p: p.search(NumberSearch("IN")),
    Capability.SET_LABEL: lambda p: p.set_label("exo-1", "Front desk"),
    Capability.SET_WEBHOOKS: lambda p: p.set_webhooks("exo-1", sms_url=""),
}


@pytest.mark.parametrize("capability", Capability)
def test_exotel_does_what_it_says_and_tells_why_not_else(sandbox: Sandbox, capability: Capability) -> None:
    provider = PROVIDERS["exotel"]
    if provider.can(capability):
        assert VERBS[capability](connect(sandbox)) is not None
    else:
        with pytest.raises(NotSupported, match="dashboard"):
            VERBS[capability](connect(sandbox))


@pytest.mark.parametrize("key", ["mcube", "sip"])
def test_providers_without_an_api_say_so(key: str) -> None:
    provider = PROVIDERS[key]

    assert provider.capabilities() == frozenset()
    with pytest.raises(NotSupported, match="manually"):
        provider.connect({})


def test_twilio_offers_every_verb() -> None:
    assert set(Capability) == PROVIDERS["twilio"].capabilities() == set(VERBS)
