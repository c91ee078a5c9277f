"""Connection tests: really ask the provider and store the result with the connection."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session

import db.base.named
from db.models import Connection
from providers import PROVIDERS
from providers.base import Capability, Provider
from providers.errors import ProviderError
from providers.records import AccountStatus
from services.audit import audit
from services.audit.audit import Action, Subject
from services.connections import provider_access
from services.connections.connections import provider_named
from services.core import validation
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, InvalidInput, found
from services.core.transactions import reading, writing

_UNHEARD_OF = "numberdesk-connection-test"
_SECONDS = 10.0
_LONGEST = 500


@dataclass(frozen=True)
class Outcome:
    """The result of a test, with a sentence for the reader."""

    passed: bool
    message: str


def can_test(provider: type[Provider]) -> bool:
    """Return whether the provider's API can verify credentials."""
    return provider.can(Capability.ACCOUNT) or provider.can(Capability.FIND_OWNED)


def testable() -> tuple[str, ...]:
    """Return the keys of the providers whose connections can be tested."""
    return tuple(provider.key for provider in PROVIDERS.values() if can_test(provider))


def test(session: Session, actor: Actor, connection_id: int) -> Outcome:
    """Ask the provider whether a connection's credentials work; store the answer and its time.

    Nothing changes at the provider. Raises Forbidden, NotFound, InvalidInput for a provider without an
    API, Conflict when the connection changed while the provider was asked.
    """
    require(actor, Permission.CONNECTIONS_WRITE)
    with reading(session):
        row = found(db.base.named.find(session, Connection, actor.scope, validation.as_id(connection_id)))
    provider = provider_named(row.provider)
    if not can_test(provider):
        raise InvalidInput(f"{provider.name} cannot be tested. {provider.limits}")
    version = row.version
    outcome = _ask(row)
    with writing(session):
        fresh = found(db.base.named.lock(session, Connection, actor.scope, connection_id))
        if fresh.version != version:
            raise Conflict("Someone else changed this connection during the test. Test it again.")
        fresh.tested_at = datetime.now(UTC)
        fresh.test_passed = outcome.passed
        fresh.test_result = outcome.message[:_LONGEST]
        subject = Subject("connection", fresh.id, fresh.name, fresh.tenant_id, fresh.version)
        details = {"passed": outcome.passed, "result": fresh.test_result}
        audit.record(session, actor, Action.CONNECTIONS_TEST, subject, after=details)
    return outcome


def _ask(row: Connection) -> Outcome:
    try:
        provider = provider_access.connect(row, timeout=_SECONDS)
        return _account(provider) if provider.can(Capability.ACCOUNT) else _any_number(provider)
    except ProviderError as exc:
        return Outcome(False, str(exc))


def _account(provider: Provider) -> Outcome:
    account = provider_access.patiently(provider.account)
    named = f"the account {account.name}" if account.name else f"the account {account.sid}"
    if account.status is not AccountStatus.ACTIVE:
        return Outcome(False, f"The credentials work, but {named} is {account.status.value}.")
    trial = " It is a trial account with limited purchases." if account.trial else ""
    return Outcome(True, f"{provider.name} accepted the credentials for {named}.{trial}")


def _any_number(provider: Provider) -> Outcome:
    """Ask for a number that nobody has: only valid credentials get `no such number`."""
    provider_access.patiently(lambda: provider.find_owned_sid(_UNHEARD_OF))
    return Outcome(True, f"{provider.name} accepted the credentials.")
