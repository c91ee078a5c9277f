"""Access to a tenant's providers: decrypts credentials, repeats reads, translates errors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, TypeVar, cast

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


class Patience(NamedTuple):
    """How long to go on with a busy provider, in seconds.

    One that wants a pause over the `longest_pause` is not asked again; the last attempt begins `within` so long.
    """

    longest_pause: float
    within: float


FOR_READER = Patience(longest_pause=4.0, within=15.0)
"""Somebody waits, and with its timeouts the last attempt must end before anybody gives an order up."""

FOR_JOB = Patience(longest_pause=30.0, within=60.0)
"""Nobody waits."""

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


def patient(connection: Connection, patience: Patience = FOR_READER) -> Provider:
    """Return the provider of a connection whose verbs are repeated `patiently` and whose errors are `in_words`."""
    with in_words():
        return cast(Provider, _Wrapped(connect(connection), partial(_in_words_and_patiently, patience)))


def patiently(ask: Callable[[], Answer], patience: Patience = FOR_READER) -> Answer:
    """Return the answer to *ask*, repeated a few times while the provider says that nothing happened.

    Only for what may be repeated: reads, and writes that were provably not processed.
    """
    for attempt in Retrying(
        retry=retry_if_exception_type(ProviderUnavailable),
        stop=partial(_is_over, patience),
        wait=partial(_pause, patience),
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


def _in_words_and_patiently(patience: Patience, verb: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    with in_words():
        return patiently(lambda: verb(*args, **kwargs), patience)


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


def _is_over(patience: Patience, state: RetryCallState) -> bool:
    tried = stop_after_attempt(ATTEMPTS)(state) or stop_before_delay(patience.within)(state)
    return tried or (_asked_pause(state) or 0) > patience.longest_pause


def _pause(patience: Patience, state: RetryCallState) -> float:
    asked = _asked_pause(state)
    return wait_exponential_jitter(multiplier=0.3, max=patience.longest_pause)(state) if asked is None else asked
