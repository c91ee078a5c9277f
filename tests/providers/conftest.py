"""A sandbox over real HTTP for the tests of the providers, and the accounts in it."""

from collections.abc import Iterator

import pytest

from providers.base import Provider
from providers.sandbox import accounts
from providers.sandbox.server import Sandbox, running
from tests.providers.helpers import connect


@pytest.fixture(scope="session")
def untouched() -> Iterator[Sandbox]:
    """A sandbox in which nobody buys."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """A sandbox of these tests alone, whose ledger tells only of what they did."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def main(sandbox: Sandbox) -> Provider:
    return connect(sandbox, accounts.MAIN)


@pytest.fixture
def small(sandbox: Sandbox) -> Provider:
    return connect(sandbox, accounts.SMALL)
