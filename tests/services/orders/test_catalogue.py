"""What an account owns: only what is not on record, read on until there is enough of it."""

import pytest
from sqlmodel import Session

from providers.sandbox.server import Sandbox
from services.core.access import Actor
from services.core.errors import Forbidden
from services.numbers import numbers, registration
from services.orders import catalogue
from tests.conftest import World
from tests.world import reconciling


def put(session: Session, actor: Actor, connection: int, *e164s: str) -> list[int]:
    return [registration.register(session, actor, e164, connection, registration.Configuration()) for e164 in e164s]


@pytest.fixture
def owned(sandbox: Sandbox, area: str) -> list[str]:
    """Five numbers of the account, the newest first."""
    found = [f"{area}00{place}" for place in range(5)]
    for e164 in found:
        reconciling.held(sandbox, e164)
    return found[::-1]


def test_what_is_new_is_found_behind_pages_of_what_is_on_record(
    session: Session, world: World, area: str, owned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, world.operator, world.sip, *owned[:3])
    put(session, world.stranger, world.other_sip, owned[3])
    monkeypatch.setattr(catalogue, "MAX_PAGE_SIZE", 2)
    read: list[int] = []

    def progress(n: int) -> None:
        assert not session.in_transaction()
        read.append(n)

    numbers.count(session, world.operator, numbers.NumberQuery())  # what a page has read before it asks
    page = catalogue.owned_page(
        session, world.operator, world.twilio, matching=area, token=None, only_new=True, progress=progress
    )
    assert [row.number.e164 for row in page.rows] == owned[4:]
    assert (read, page.next_token) == ([2, 4, 5], None)
    assert not session.in_transaction()


def test_it_reads_no_further_than_for_a_page(
    session: Session, world: World, area: str, owned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, world.operator, world.sip, owned[0])
    monkeypatch.setattr(catalogue, "MAX_PAGE_SIZE", 2)
    monkeypatch.setattr(catalogue, "PAGE", 2)
    first = catalogue.owned_page(session, world.operator, world.twilio, matching=area, token=None, only_new=True)
    assert [row.number.e164 for row in first.rows] == owned[1:4]
    rest = catalogue.owned_page(
        session, world.operator, world.twilio, matching=area, token=first.next_token, only_new=True
    )
    assert [row.number.e164 for row in (*first.rows, *rest.rows)] == owned[1:]


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
