"""Where Twilio sends a number's calls: methods, fallback, trunks and applications, at the sandbox as at Twilio."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from providers import PROVIDERS
from providers.base import Provider
from providers.errors import OutcomeUnknown, RequestRejected
from providers.records import EndUser, NumberType, Webhooks
from providers.sandbox import accounts
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from tests.providers.helpers import ledger, on_shelf

HOOK = "https://voice.example.com/in"
TRUNK, APPLICATION = "TK" + "1" * 32, "AP" + "2" * 32


def test_everything_that_decides_about_a_call_is_set_and_read(sandbox: Sandbox, small: Provider) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)
    wanted = {
        "voice_url": f"{HOOK}/2",
        "voice_method": "GET",
        "voice_fallback_url": f"{HOOK}/fallback",
        "voice_fallback_method": "GET",
        "status_callback": f"{HOOK}/status",
        "status_callback_method": "GET",
    }

    assert small.set_webhooks(number.sid, **wanted).webhooks == Webhooks(**wanted)
    assert small.webhooks(number.sid) == Webhooks(**wanted)
    assert sandbox.calls_reach(number.e164) == f"GET {HOOK}/2"


def test_a_bought_number_is_told_of_calls_by_post(sandbox: Sandbox, small: Provider) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)

    assert number.webhooks.reach(HOOK)
    assert sandbox.calls_reach(number.e164) == f"POST {HOOK}"


def test_a_trunk_or_an_application_ignores_the_voice_url_and_one_clears_the_other(
    sandbox: Sandbox, small: Provider
) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)

    for field, sid in (("trunk_sid", TRUNK), ("voice_application_sid", APPLICATION), ("trunk_sid", TRUNK)):
        now = small.set_webhooks(number.sid, **{field: sid}).webhooks
        assert (now.routed_by, getattr(now, field)) == (sid, sid)
        assert not (now.trunk_sid and now.voice_application_sid)
        assert sandbox.calls_reach(number.e164) == sid

    small.set_webhooks(number.sid, voice_url=f"{HOOK}/2")
    assert sandbox.calls_reach(number.e164) == TRUNK
    now = small.set_webhooks(number.sid, trunk_sid="", voice_application_sid="").webhooks
    assert now.reach(f"{HOOK}/2")
    assert sandbox.calls_reach(number.e164) == f"POST {HOOK}/2"


def test_one_routing_is_exchanged_for_the_other_in_one_request(sandbox: Sandbox, small: Provider) -> None:
    number = small.buy(on_shelf(small))
    small.set_webhooks(number.sid, voice_application_sid=APPLICATION)

    now = small.set_webhooks(number.sid, trunk_sid=TRUNK, voice_application_sid="").webhooks

    assert (now.trunk_sid, now.voice_application_sid) == (TRUNK, "")


@pytest.mark.parametrize(
    "wrong",
    [{"voice_method": "FETCH"}, {"trunk_sid": "TK1"}, {"voice_application_sid": TRUNK}, {"voice_fallback_url": "x"}],
)
def test_what_is_no_method_sid_or_address_is_rejected(sandbox: Sandbox, small: Provider, wrong: dict[str, str]) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)

    with pytest.raises(RequestRejected):
        small.set_webhooks(number.sid, **wrong)
    assert small.webhooks(number.sid) == number.webhooks


def test_where_calls_go_can_be_asked_from_outside(sandbox: Sandbox, small: Provider) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)

    def reach(e164: str) -> Any:
        return requests.get(f"{sandbox.url}/reach", params={"number": e164}, timeout=5).json()["reach"]

    assert reach(number.e164) == f"POST {HOOK}"
    small.release(number.sid)
    assert reach(number.e164) == ""


# Answers that are not those of the documents


@pytest.mark.parametrize("status", [200, 202])
def test_a_release_is_done_with_204_and_nothing_else(sandbox: Sandbox, small: Provider, status: int) -> None:
    number = small.buy(on_shelf(small))
    sandbox.fault(Fault(Kind.ERROR, method="DELETE", status=status))

    with pytest.raises(OutcomeUnknown):
        small.release(number.sid)
    assert ledger(sandbox, number.e164) == ["purchase"]
    small.release(number.sid)
    assert ledger(sandbox, number.e164) == ["purchase", "release"]


@pytest.mark.parametrize("status", [200, 202])
def test_a_purchase_or_change_with_another_answer_is_uncertain(sandbox: Sandbox, small: Provider, status: int) -> None:
    number = small.buy(on_shelf(small))

    changes: tuple[Callable[[], object], ...] = (
        lambda: small.set_webhooks(number.sid, voice_url=HOOK),
        lambda: small.buy(on_shelf(small)),
    )
    for change in changes:
        sandbox.fault(Fault(Kind.ERROR, method="POST", status=status))
        with pytest.raises(OutcomeUnknown):
            change()


# Names


def test_a_number_is_named_only_by_a_name_that_is_not_its_own(small: Provider) -> None:
    number = small.buy(on_shelf(small))
    assert not number.is_named
    for label in (number.e164[2:], number.e164[1:], number.e164[5:], "Sales"):
        assert small.buy(number.e164, label=label).is_named
    assert not small.buy(number.e164, label=number.e164).is_named


# Regulations


def test_regulations_name_what_each_end_user_has_to_show(main: Provider) -> None:
    found = {one.end_user: one for one in main.regulations("DE", NumberType.LOCAL)}

    assert set(found) == set(EndUser)
    assert [one.name for one in found[EndUser.BUSINESS].requirements] == ["Business", "Business Information", "Address"]
    assert found[EndUser.INDIVIDUAL].requirements[0].to_tell == ("First name", "Last name")
    assert "Commercial Registrar Excerpt" in found[EndUser.BUSINESS].requirements[1].documents
    assert main.regulations("IN", NumberType.TOLL_FREE)


def test_where_nothing_is_asked_for_there_is_no_regulation(main: Provider) -> None:
    assert main.regulations("US", NumberType.LOCAL) == ()
    assert main.regulations("DE", NumberType.SHARED_COST) == ()


def test_the_list_of_regulations_comes_in_pages_with_twilios_own_links(sandbox: Sandbox) -> None:
    auth = (accounts.MAIN.sid, accounts.MAIN.token)
    url = f"{sandbox.url}/numbers/v2/RegulatoryCompliance/Regulations"
    page = requests.get(url, {"PageSize": 3}, auth=auth, timeout=5).json()
    assert (page["meta"]["key"], page["meta"]["page_size"], len(page["results"])) == ("results", 3, 3)
    following = page["meta"]["next_page_url"]
    assert following.startswith("https://numbers.twilio.com/v2/RegulatoryCompliance/Regulations?")
    second = requests.get(
        following.replace("https://numbers.twilio.com", f"{sandbox.url}/numbers"), auth=auth, timeout=5
    )
    sids = [row["sid"] for row in (*page["results"], *second.json()["results"])]
    assert len(set(sids)) == 6
    assert requests.get(url, timeout=5).status_code == 401


# API keys


def test_a_key_does_all_but_look_at_the_account_itself(sandbox: Sandbox) -> None:
    key = next(key for key in accounts.KEYS.values() if key.account_sid == accounts.SMALL.sid)
    provider = PROVIDERS["twilio"].connect(
        {"account_sid": accounts.SMALL.sid, "api_key_sid": key.sid, "api_key_secret": key.secret},
        base_url=sandbox.url,
    )
    number = provider.buy(on_shelf(provider), voice_url=HOOK)
    provider.release(number.sid)
    assert provider.prices("US").monthly
    assert provider.account().sid == accounts.SMALL.sid
    path = f"{sandbox.url}/api/2010-04-01/Accounts/{accounts.SMALL.sid}.json"
    assert requests.get(path, auth=(key.sid, key.secret), timeout=5).status_code == 401
    foreign = f"{sandbox.url}/api/2010-04-01/Accounts/{accounts.MAIN.sid}/IncomingPhoneNumbers.json"
    assert requests.get(foreign, auth=(key.sid, key.secret), timeout=5).status_code == 401
