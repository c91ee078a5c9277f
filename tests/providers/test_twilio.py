"""The numbers of a Twilio account: listed, bought, changed and released, and the calls on them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from providers.base import Provider
from providers.errors import RequestRejected
from providers.records import (
    BundleStatus,
    CallRecord,
    CallStatus,
    Direction,
    NumberSearch,
    NumberType,
    Webhooks,
    pages,
)
from providers.sandbox import accounts
from providers.sandbox.seeds import MAGIC_NUMBER
from providers.sandbox.server import Sandbox
from tests.providers.helpers import connect, ledger, on_shelf, owned

HOOK = "https://voice.example.com/in"


# What the account owns


def test_owned_pages_walk_the_whole_account(untouched: Sandbox) -> None:
    provider = connect(untouched, accounts.MAIN)
    found = list(pages(lambda token: provider.owned_page(token=token)))
    numbers = [number for rows in found for number in rows]

    assert [len(rows) for rows in found] == [1000, 1000, 500]
    assert len(numbers) == len({number.e164 for number in numbers}) == len({number.sid for number in numbers})
    assert {number.type for number in numbers} == {NumberType.LOCAL}


def test_owned_pages_stay_whole_while_numbers_come_and_go(small: Provider) -> None:
    kept = [small.buy(row.e164).sid for row in small.search(NumberSearch("US", area_code="512"))[:4]]
    first = small.owned_page(page_size=2)
    small.release(kept.pop())
    small.buy(on_shelf(small, "CA"))
    rest = small.owned_page(token=first.next_token)

    assert set(kept) <= {number.sid for number in (*first.rows, *rest.rows)}
    assert not {n.sid for n in first.rows} & {n.sid for n in rest.rows}


def test_owned_page_filters_by_a_part_of_the_number(main: Provider) -> None:
    some = next(owned(main))
    rows = main.owned_page(matching=some.e164[3:-1]).rows

    assert some in rows
    assert all(some.e164[3:-1] in row.e164 for row in rows)


def test_find_owned_compares_the_whole_number(main: Provider) -> None:
    some = next(owned(main))

    assert main.find_owned(some.e164) == some
    assert main.owned_page(matching=some.e164[:-1]).rows
    assert main.find_owned(some.e164[:-1]) is None


def test_find_owned_sid_sees_this_account_only(main: Provider, small: Provider) -> None:
    foreign = next(owned(small))

    assert small.find_owned_sid(foreign.sid) == foreign
    assert main.find_owned_sid(foreign.sid) is None
    assert main.find_owned_sid("PN" + "0" * 32) is None


# Buying


def test_buy_returns_the_number_with_its_settings(sandbox: Sandbox, small: Provider) -> None:
    wanted = on_shelf(small)

    bought = small.buy(wanted, label="Sales", voice_url=HOOK, status_callback=f"{HOOK}/status")

    assert (bought.e164, bought.label, bought.type) == (wanted, "Sales", NumberType.LOCAL)
    assert bought.webhooks == Webhooks(voice_url=HOOK, status_callback=f"{HOOK}/status")
    assert wanted not in {row.e164 for row in small.search(NumberSearch("US"))}
    assert ledger(sandbox, wanted) == ["purchase"]


def test_buying_again_charges_nothing_and_updates(sandbox: Sandbox, small: Provider) -> None:
    wanted = on_shelf(small)
    first = small.buy(wanted, label="One")
    second = small.buy(wanted, label="Two")

    assert (first.sid, second.label) == (second.sid, "Two")
    assert ledger(sandbox, wanted) == ["purchase"]


def test_buy_cuts_a_label_to_what_twilio_holds(small: Provider) -> None:
    assert small.buy(on_shelf(small), label="x" * 80).label == "x" * 64


@pytest.mark.parametrize(("number", "code"), [("+15005550000", "21422"), ("+15005550001", "21421"), ("+12", "21421")])
def test_numbers_that_cannot_be_bought(main: Provider, number: str, code: str) -> None:
    with pytest.raises(RequestRejected, match="Nothing was changed or charged") as caught:
        main.buy(number)
    assert caught.value.code == code


def test_the_number_for_tests_can_be_bought(main: Provider) -> None:
    bought = main.buy(MAGIC_NUMBER)
    main.release(bought.sid)

    assert bought.e164 == MAGIC_NUMBER


def test_a_number_of_somebody_else_is_rejected(sandbox: Sandbox, main: Provider, small: Provider) -> None:
    taken = main.buy(on_shelf(main)).e164
    so_far = ledger(sandbox, taken)

    with pytest.raises(RequestRejected, match="someone else") as caught:
        small.buy(taken)
    assert caught.value.code == "21422"
    assert so_far[-1] == "purchase"
    assert ledger(sandbox, taken) == so_far


def test_a_trial_account_has_one_number(sandbox: Sandbox) -> None:
    trial = connect(sandbox, accounts.TRIAL)

    with pytest.raises(RequestRejected, match="trial") as caught:
        trial.buy(on_shelf(trial))
    assert caught.value.code == "21404"


def address_in(country: str) -> str:
    return next(row.sid for row in accounts.ADDRESSES if (row.account_sid, row.country) == (accounts.MAIN.sid, country))


@pytest.mark.parametrize(
    ("country", "type", "wrong", "right"),
    [
        ("SE", NumberType.LOCAL, None, "US"),
        ("BR", NumberType.LOCAL, "US", "BR"),
        ("MX", NumberType.TOLL_FREE, None, "US"),
    ],
)
def test_buy_with_the_address_that_the_regulator_asks_for(
    main: Provider, country: str, type: NumberType, wrong: str | None, right: str
) -> None:
    wanted = on_shelf(main, country, type)

    with pytest.raises(RequestRejected, match="address") as caught:
        main.buy(wanted, address_sid=address_in(wrong) if wrong else None)
    assert caught.value.code == "21631"
    assert main.buy(wanted, address_sid=address_in(right)).e164 == wanted


def test_buy_with_the_bundle_that_the_regulator_asks_for(main: Provider) -> None:
    bundles = {bundle.usable: bundle for bundle in main.bundles("DE", NumberType.LOCAL)}
    wanted, address = on_shelf(main, "DE"), address_in("DE")

    for unusable in (None, bundles[False].sid):
        with pytest.raises(RequestRejected, match="approved bundle") as caught:
            main.buy(wanted, address_sid=address, bundle_sid=unusable)
        assert caught.value.code == "21649"
    assert main.buy(wanted, address_sid=address, bundle_sid=bundles[True].sid).e164 == wanted


def test_bundles_tell_their_status(main: Provider) -> None:
    assert [b.status for b in main.bundles("AU", NumberType.MOBILE)] == [BundleStatus.PROVISIONALLY_APPROVED]
    assert [b.status for b in main.bundles("FR", NumberType.NATIONAL)] == [BundleStatus.REJECTED]
    assert [(b.status, b.usable) for b in main.bundles("IN", NumberType.TOLL_FREE)] == [(BundleStatus.IN_REVIEW, False)]
    assert main.bundles("JP", NumberType.VOIP) == ()


def test_addresses_are_those_of_the_account(main: Provider, small: Provider) -> None:
    (address,) = small.addresses()

    assert address.lines == "1 Main Street, 78701, Austin, TX"
    assert {a.sid for a in main.addresses()} == {
        a.sid for a in accounts.ADDRESSES if a.account_sid == accounts.MAIN.sid
    }


def test_twenty_buyers_of_one_number_leave_one_owner_and_one_charge(sandbox: Sandbox) -> None:
    buyers = [connect(sandbox, account) for account in (accounts.MAIN, accounts.SMALL) for _ in range(10)]
    wanted = on_shelf(buyers[0], "CA")

    def buy(buyer: Provider) -> str:
        try:
            return buyer.buy(wanted).sid
        except RequestRejected as exc:
            return exc.code or "?"

    with ThreadPoolExecutor(20) as pool:
        outcomes = Counter(pool.map(buy, buyers))

    assert outcomes.pop("21422") == 10
    assert list(outcomes.values()) == [10]
    assert ledger(sandbox, wanted) == ["purchase"]


def test_twenty_buyers_of_twenty_numbers_all_succeed(sandbox: Sandbox, small: Provider) -> None:
    wanted = [row.e164 for row in small.search(NumberSearch("US", area_code="303"))[:20]]

    with ThreadPoolExecutor(20) as pool:
        bought = list(pool.map(lambda number: connect(sandbox, accounts.SMALL, timeout=10).buy(number).e164, wanted))

    assert bought == wanted
    assert all(ledger(sandbox, number) == ["purchase"] for number in wanted)


# Webhooks and release


def test_webhooks_are_set_and_read_one_by_one(small: Provider) -> None:
    number = small.buy(on_shelf(small), voice_url=HOOK)

    changed = small.set_webhooks(number.sid, sms_url=f"{HOOK}/sms", status_callback=f"{HOOK}/status")

    assert changed.webhooks == Webhooks(HOOK, f"{HOOK}/sms", f"{HOOK}/status")
    assert small.webhooks(number.sid) == changed.webhooks
    small.set_webhooks(number.sid, voice_url="")
    assert small.webhooks(number.sid).voice_url == ""


def test_webhooks_of_a_number_that_is_not_ours_are_rejected(small: Provider) -> None:
    with pytest.raises(RequestRejected) as caught:
        small.set_webhooks("PN" + "0" * 32, voice_url=HOOK)
    assert caught.value.code == "20404"


def test_an_invalid_webhook_is_rejected_in_twilios_words(small: Provider) -> None:
    with pytest.raises(RequestRejected, match="not a valid URL"):
        small.set_webhooks(next(owned(small)).sid, voice_url="ftp:/nowhere")


def test_release_returns_the_number_to_the_shelf(sandbox: Sandbox, small: Provider) -> None:
    wanted = on_shelf(small)
    first = small.buy(wanted)

    small.release(first.sid)

    assert small.find_owned(wanted) is None
    assert wanted in {row.e164 for row in small.search(NumberSearch("US", contains=wanted[-9:]))}
    assert small.buy(wanted).sid != first.sid
    assert ledger(sandbox, wanted) == ["purchase", "release", "purchase"]


def test_a_second_release_finds_nothing(small: Provider) -> None:
    number = small.buy(on_shelf(small))
    small.release(number.sid)

    with pytest.raises(RequestRejected) as caught:
        small.release(number.sid)
    assert caught.value.code == "20404"


def test_a_number_with_an_emergency_address_is_not_released(untouched: Sandbox) -> None:
    provider = connect(untouched, accounts.MAIN)
    (oldest,) = (number for number in owned(provider) if number.label == "Line 0001" and number.e164[:5] == "+1201")

    with pytest.raises(RequestRejected, match="emergency address"):
        provider.release(oldest.sid)
    assert provider.find_owned_sid(oldest.sid) == oldest


# The call log


def call_pages(provider: Provider, since: datetime, until: datetime) -> Iterator[tuple[CallRecord, ...]]:
    return pages(lambda token: provider.calls_page(since, until, token=token))


def started(provider: Provider, since: datetime, until: datetime) -> list[datetime]:
    return [call.started_at for page in call_pages(provider, since, until) for call in page]


def test_calls_come_in_pages_newest_first(main: Provider) -> None:
    now = datetime.now(UTC)
    pages = list(call_pages(main, now - timedelta(days=31), now))
    calls = [call for page in pages for call in page]

    assert [len(page) for page in pages] == [1000, 500]
    assert calls == sorted(calls, key=lambda call: call.started_at, reverse=True)
    assert {call.direction for call in calls} == set(Direction)
    assert {call.status for call in calls} >= {CallStatus.COMPLETED, CallStatus.NO_ANSWER, CallStatus.BUSY}
    assert all((call.duration > 0) == (call.status is CallStatus.COMPLETED) for call in calls)


def test_calls_are_those_from_the_first_instant_to_before_the_last(main: Provider) -> None:
    now = datetime.now(UTC)
    first, second, third = sorted(set(started(main, now - timedelta(days=31), now)))[10:13]
    inside = started(main, first, third)

    assert set(inside) == {first, second}
    tiny = timedelta(microseconds=1)
    assert set(started(main, first + tiny, third + tiny)) == {second, third}
    kolkata = timezone(timedelta(hours=5, minutes=30))
    assert started(main, first.astimezone(kolkata), third.astimezone(kolkata)) == inside
