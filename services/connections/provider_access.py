"""Access to a tenant's providers: decrypts credentials, repeats reads, translates errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar, cast

import structlog
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_before_delay,
    wait_exponential_jitter,
)

import db.base.engine
from db.models import Connection
from providers.base import DEFAULT_TIMEOUT, Capability, Provider
from providers.errors import ProviderError, ProviderMisconfigured, ProviderUnavailable
from services.connections.connections import provider_named
from services.core import credentials, settings
from services.core.errors import ServiceError

ATTEMPTS = 3
LONGEST_WAIT = 4.0
"""Seconds between attempts. A provider that wants a longer pause is not asked again, since someone is waiting."""

PATIENCE = 15.0
"""Seconds within which the last attempt begins: with its timeouts it must end before anybody gives an order up."""

Answer = TypeVar("Answer")

_log = structlog.get_logger()

_ASKING = {"find_owned", *(verb for capability in Capability for verb in capability.value)}
"""What of a provider asks it something."""


class ProviderProblem(ServiceError):
    """The provider refused or did not answer. The message says what happened and what to do."""


def connect(connection: Connection, *, timeout: float = DEFAULT_TIMEOUT) -> Provider:
    """Return the provider of a connection. Sandbox connections go to the sandbox, all others to the provider."""
    config = settings.current()
    secrets = credentials.unseal(config, connection.credentials)
    base_url = settings.sandbox_url() if connection.is_sandbox else None
    if base_url == "":
        raise ProviderMisconfigured(f"{connection.name} is a sandbox connection, but no sandbox is running")
    provider = provider_named(connection.provider).connect(secrets, base_url=base_url, timeout=timeout)
    return cast(Provider, _Wrapped(provider, _outside_transactions))


def patient(connection: Connection) -> Provider:
    """Return the provider of a connection for a screen: its verbs are repeated `patiently`, its errors `in_words`."""
    with in_words():
        return cast(Provider, _Wrapped(connect(connection), _for_reader))


def patiently(ask: Callable[[], Answer]) -> Answer:
    """Return the answer to *ask*, repeated a few times while the provider says that nothing happened.

    Only for what may be repeated: reads, and writes that were provably not processed.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(ProviderUnavailable),
        stop=_is_over,
        wait=_pause,
        reraise=True,
    ):
        with attempt:
            return ask()
    raise AssertionError("unreachable: the last attempt returns or raises")


class AskedInTransaction(Exception):
    """A provider was asked while a transaction was writing: it holds a connection and locks for seconds."""


class _Wrapped:
    """A provider each of whose verbs is called through a function."""

    def __init__(self, provider: Provider, through: Callable[..., Any]) -> None:
        self._provider = provider
        self._through = through

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        return partial(self._through, found) if name in _ASKING else found


def _outside_transactions(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Ask once no transaction is open in this thread: those that only read are ended.

    A page has a session of its own around whatever is asked from it.
    """
    db.base.engine.end_reading()
    if db.base.engine.in_transaction():
        if settings.current().strict:
            raise AskedInTransaction(f"{verb.__name__} was asked inside an open transaction")
        _log.error("provider.asked_in_transaction", verb=verb.__name__, stack_info=True)
    return verb(*args, **kwargs)


def _for_reader(verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with in_words():
        return patiently(lambda: verb(*args, **kwargs))


@contextmanager
def in_words() -> Iterator[None]:
    """Translate provider errors inside the block for the reader."""
    try:
        yield
    except ProviderError as exc:
        raise ProviderProblem(str(exc)) from exc


def _asked_pause(state: RetryCallState) -> float | None:
    exc = state.outcome.exception() if state.outcome else None
    return exc.retry_after if isinstance(exc, ProviderUnavailable) else None


def _is_over(state: RetryCallState) -> bool:
    tried = stop_after_attempt(ATTEMPTS)(state) or stop_before_delay(PATIENCE)(state)
    return tried or (_asked_pause(state) or 0) > LONGEST_WAIT


def _pause(state: RetryCallState) -> float:
    asked = _asked_pause(state)
    return wait_exponential_jitter(multiplier=0.3, max=LONGEST_WAIT)(state) if asked is None else asked
