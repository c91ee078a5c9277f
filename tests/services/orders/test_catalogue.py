"""What an account owns: only what is not on record, read on until there is enough of it."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlmodel import Session

from db.models import PhoneNumber
from providers.records import MAX_PAGE_SIZE, Page
from providers.sandbox.server import Sandbox
from services.core.access import Actor
from services.core.errors import Forbidden
from services.numbers import numbers, registration
from services.orders import catalogue
from services.setup import builder
from tests.conftest import World
from tests.world import reconciling


def put(session: Session, actor: Actor, connection: int, *e164s: str) -> list[int]:
    return [registration.register(session, actor, e164, connection, registration.Configuration()) for e164 in e164s]


def put_many(session: Session, tenant: int, e164s: Sequence[str]) -> None:
    rows = ({"tenant_id": tenant, "e164": e164, "provider": "sip"} for e164 in e164s)
    builder.many(session, PhoneNumber, rows, commit=True)


def new_ones(session: Session, world: World, many: list[str], **asked: Any) -> Page[catalogue.OwnedRow]:
    known = {"matching": many[0][:6], "token": None, "only_new": True}
    return catalogue.owned_page(session, world.operator, world.twilio, **(known | asked))


def numbers_of(page: Page[catalogue.OwnedRow]) -> list[str]:
    return [row.number.e164 for row in page.rows]


@pytest.fixture
def owned(sandbox: Sandbox, area: str) -> list[str]:
    """Five numbers of the account, the newest first."""
    found = [f"{area}00{place}" for place in range(5)]
    for e164 in found:
        reconciling.held(sandbox, e164)
    return found[::-1]


@pytest.fixture
def many(sandbox: Sandbox) -> Iterator[list[str]]:
    """Somewhat more than the account's numbers that come at once, the newest first."""
    with reconciling.holding(sandbox, MAX_PAGE_SIZE + 60) as found:
        yield found


def test_what_is_new_is_found_behind_pages_of_what_is_on_record(
    session: Session, world: World, many: list[str]
) -> None:
    put_many(session, world.tenant, many[:MAX_PAGE_SIZE])
    put_many(session, world.other_tenant, many[MAX_PAGE_SIZE:-5])
    read: list[int] = []

    def progress(n: int) -> None:
        assert not session.in_transaction()
        read.append(n)

    numbers.count(session, world.operator, numbers.NumberQuery())  # what a page has read before it asks
    page = new_ones(session, world, many, progress=progress)
    assert numbers_of(page) == many[-5:]
    assert (read, page.next_token) == ([MAX_PAGE_SIZE, len(many)], None)
    assert not session.in_transaction()


def test_it_reads_no_further_than_for_a_page(session: Session, world: World, many: list[str]) -> None:
    put_many(session, world.tenant, many[:1])
    first = new_ones(session, world, many)
    assert numbers_of(first) == many[1:MAX_PAGE_SIZE]
    rest = new_ones(session, world, many, token=first.next_token)
    assert numbers_of(rest) == many[MAX_PAGE_SIZE:]


def test_all_of_it_says_what_is_on_record_and_links_to_the_own_alone(
    session: Session, world: World, area: str, owned: list[str]
) -> None:
    (ours,) = put(session, world.operator, world.sip, owned[0])
    put(session, world.stranger, world.other_sip, owned[1])
    page = catalogue.owned_page(session, world.operator, world.twilio, matching=area, token=None)
    assert [(row.number_id, row.is_on_record) for row in page.rows] == [
        (ours, True),
        (None, True),
        *[(None, False)] * 3,
    ]
    with pytest.raises(Forbidden):
        catalogue.owned_page(session, world.viewer, world.twilio, matching=area, token=None)
