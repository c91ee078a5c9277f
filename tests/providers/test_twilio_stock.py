"""What Twilio tells before a purchase: the account, the countries, the numbers for sale, the prices."""

import re
from decimal import Decimal

import pytest

from providers import PROVIDERS
from providers.base import Provider
from providers.errors import RequestRejected
from providers.records import (
    AccountStatus,
    AddressRequirement,
    Feature,
    NumberSearch,
    NumberType,
)
from providers.sandbox import accounts
from providers.sandbox.accounts import SandboxAccount
from providers.sandbox.faults import Fault, Kind
from providers.sandbox.server import Sandbox
from tests.providers.helpers import connect

# The account


@pytest.mark.parametrize(
    ("account", "status", "trial"),
    [
        (accounts.MAIN, AccountStatus.ACTIVE, False),
        (accounts.TRIAL, AccountStatus.ACTIVE, True),
        (accounts.SUSPENDED, AccountStatus.SUSPENDED, False),
        (accounts.CLOSED, AccountStatus.CLOSED, False),
    ],
)
def test_account_tells_whether_it_can_be_used(
    sandbox: Sandbox, account: SandboxAccount, status: AccountStatus, trial: bool
) -> None:
    found = connect(sandbox, account).account()

    assert (found.sid, found.status, found.trial) == (account.sid, status, trial)


def test_account_with_a_wrong_token_is_rejected(sandbox: Sandbox) -> None:
    wrong = accounts.SandboxAccount(accounts.MAIN.sid, "wrong", "")

    with pytest.raises(RequestRejected, match="does not accept the Account SID and auth token") as caught:
        connect(sandbox, wrong).account()
    assert caught.value.code == "20003"


def test_a_list_with_a_wrong_token_is_rejected_too(sandbox: Sandbox) -> None:
    with pytest.raises(RequestRejected) as caught:
        connect(sandbox, accounts.SandboxAccount(accounts.MAIN.sid, "wrong", "")).owned_page()
    assert caught.value.code == "20003"


def test_a_suspended_account_can_do_nothing_else(sandbox: Sandbox) -> None:
    with pytest.raises(RequestRejected, match="not active") as caught:
        connect(sandbox, accounts.SUSPENDED).owned_page()
    assert caught.value.code == "20005"


@pytest.mark.parametrize(
    "credentials", [{}, {"account_sid": "AC12", "auth_token": "x"}, {"account_sid": "AC" + "0" * 32}]
)
def test_connect_refuses_credentials_of_the_wrong_form(credentials: dict[str, str]) -> None:
    with pytest.raises(RequestRejected, match="Twilio was not asked"):
        PROVIDERS["twilio"].connect(credentials)


# The stock


def test_countries_name_their_types_in_our_words(main: Provider) -> None:
    countries = {country.code: country for country in main.countries()}

    assert len(countries) >= 12
    assert countries["US"].types == (NumberType.LOCAL, NumberType.TOLL_FREE)
    assert {type for country in countries.values() for type in country.types} == set(NumberType)


def test_search_shows_about_thirty_rows_with_place_and_features(untouched: Sandbox) -> None:
    rows = connect(untouched, accounts.MAIN).search(NumberSearch("US"))

    assert len(rows) == 30
    assert rows[0].features == set(Feature)
    assert rows[0].address_requirement is AddressRequirement.NONE
    assert all(row.locality and row.region and row.type is NumberType.LOCAL for row in rows)


def test_search_abroad_has_no_places(main: Provider) -> None:
    (row, *_) = main.search(NumberSearch("GB", NumberType.MOBILE))

    assert (row.country, row.locality, row.region) == ("GB", None, None)
    assert row.features == {Feature.VOICE, Feature.SMS}


@pytest.mark.parametrize(
    ("query", "pattern"),
    [
        (NumberSearch("US", area_code="415"), r"\+1415"),
        (NumberSearch("US", contains="+1212"), r"\+1212"),
        (NumberSearch("US", contains="7$"), None),
        (NumberSearch("US", contains="77$"), r".*77$"),
        (NumberSearch("CA", area_code="416", contains="5%5"), r"\+1416|.*5.*5"),
        (NumberSearch("US", contains="2*2*2"), r".*2.2.2"),
        (NumberSearch("US", NumberType.TOLL_FREE, contains="+1TON"), r"\+1866"),
    ],
)
def test_search_finds_only_what_matches(main: Provider, query: NumberSearch, pattern: str) -> None:
    if pattern is None:
        pattern = r".*7$"
    rows = main.search(query)

    assert rows
    assert all(re.match(pattern, row.e164) for row in rows)


def test_search_may_find_nothing(main: Provider) -> None:
    assert main.search(NumberSearch("US", area_code="907")) == ()


def test_search_for_a_type_that_the_country_lacks_is_rejected(main: Provider) -> None:
    with pytest.raises(RequestRejected, match="Choose another type") as caught:
        main.search(NumberSearch("US", NumberType.MOBILE))
    assert caught.value.code == "20404"


@pytest.mark.parametrize(
    "query",
    [NumberSearch("GB", area_code="20"), NumberSearch("US", contains="1"), NumberSearch("US", contains="1+2")],
)
def test_search_that_cannot_work_is_rejected_before_it_is_sent(
    sandbox: Sandbox, main: Provider, query: NumberSearch
) -> None:
    sandbox.fault(Fault(Kind.UNAVAILABLE))

    with pytest.raises(RequestRejected):
        main.search(query)
    assert sandbox.faults.listing(), "the request was sent"


def test_prices_cover_every_type_of_every_country(main: Provider) -> None:
    for country in main.countries():
        prices = main.prices(country.code)
        assert set(prices.monthly) == set(country.types)
        assert prices.currency == "USD"
    assert main.prices("US").monthly[NumberType.TOLL_FREE] == Decimal("2.15")


def test_prices_of_an_unknown_country_are_rejected(main: Provider) -> None:
    with pytest.raises(RequestRejected):
        main.prices("AQ")
