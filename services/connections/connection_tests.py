"""Testing a connection: the vendor is really asked, and what came of it is kept with the connection."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session

import db.base.engine
import db.connections
from db.models import Connection
from providers import VENDORS
from providers.base import Capability, Vendor
from providers.errors import ProviderError
from providers.verbs import AccountStatus, Provider
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections import provider_access
from services.connections.connections import vendor
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, InvalidInput, NotFound

_UNHEARD_OF = "numberdesk-connection-test"
_SECONDS = 10.0
_LONGEST = 500


@dataclass(frozen=True)
class Outcome:
    """What came of a test, in a sentence for the reader."""

    passed: bool
    told: str


def can_test(maker: Vendor) -> bool:
    """Return whether the vendor has an API that tells good credentials from bad ones."""
    return maker.can(Capability.ACCOUNT) or maker.can(Capability.FIND_OWNED)


def testable() -> tuple[str, ...]:
    """Return the keys of the vendors whose connections can be tested."""
    return tuple(maker.key for maker in VENDORS.values() if can_test(maker))


def test(session: Session, actor: Actor, connection_id: int) -> Outcome:
    """Ask the vendor whether it takes the credentials of a connection; keep the answer and its time.

    Nothing changes at the vendor. Raises Forbidden, NotFound, InvalidInput for a vendor without an
    API, Conflict when the connection changed while the vendor was asked.
    """
    require(actor, Permission.CONNECTIONS_WRITE)
    row = db.connections.find(session, actor.scope, validation.as_id(connection_id))
    if row is None:
        raise NotFound
    maker = vendor(row.provider)
    if not can_test(maker):
        raise InvalidInput(f"{maker.name} cannot be tested. {maker.limits}")
    version = row.version
    session.expunge(row)
    db.base.engine.end_reading(session)  # no transaction stays open while the vendor is asked
    outcome = _ask(row, maker)
    db.base.engine.start_write(session)
    fresh = db.connections.lock(session, actor.scope, connection_id)
    if fresh is None:
        raise NotFound
    if fresh.version != version:
        session.rollback()
        raise Conflict("Someone else changed this connection during the test. Test it again.")
    fresh.tested_at = datetime.now(UTC)
    fresh.test_passed = outcome.passed
    fresh.test_result = outcome.told[:_LONGEST]
    subject = Subject("connection", fresh.id, fresh.name, fresh.tenant_id, fresh.version)
    told = {"passed": outcome.passed, "result": fresh.test_result}
    audit.record(session, actor, Action.CONNECTIONS_TEST, subject, after=told)
    session.commit()
    return outcome


def _ask(row: Connection, maker: Vendor) -> Outcome:
    try:
        provider = provider_access.connect(row, timeout=_SECONDS)
        return _account(provider) if maker.can(Capability.ACCOUNT) else _any_number(provider, maker)
    except ProviderError as exc:
        return Outcome(False, str(exc))


def _account(provider: Provider) -> Outcome:
    account = provider_access.patiently(provider.account)
    named = f"the account {account.name}" if account.name else f"the account {account.sid}"
    if account.status is not AccountStatus.ACTIVE:
        return Outcome(False, f"The credentials work, but {named} is {account.status.value}.")
    trial = " It is a trial account with limited purchases." if account.trial else ""
    return Outcome(True, f"{provider.vendor.name} accepted the credentials for {named}.{trial}")


def _any_number(provider: Provider, maker: Vendor) -> Outcome:
    """Ask for a number that nobody has: `no such number` is said only to good credentials."""
    provider_access.patiently(lambda: provider.find_owned_sid(_UNHEARD_OF))
    return Outcome(True, f"{maker.name} accepted the credentials.")
