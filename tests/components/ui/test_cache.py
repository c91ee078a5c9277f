"""What is kept for many runs: for whom, until when, and who may see it."""

from dataclasses import replace

import pytest
from sqlmodel import Session

from components.ui import cache
from services.core.access import Actor, Permission
from services.core.errors import Forbidden
from tests.conftest import World

read: list[tuple[str, str]] = []


@cache.kept(Permission.USERS_READ, seconds=60)
def users(session: Session, actor: Actor, version: int) -> str:
    read.append(("users", f"{actor.tenant_id} {version}"))
    return f"users of {actor.tenant_id}"


@cache.kept(Permission.USERS_READ, seconds=60, is_ours=False)
def stock(session: Session, actor: Actor, version: int) -> str:
    read.append(("stock", f"{actor.tenant_id} {version}"))
    return f"stock for {actor.tenant_id}"


@pytest.fixture(autouse=True)
def _unread() -> None:
    read.clear()


def test_what_is_kept_is_read_once_for_each_version_and_tenant(session: Session, world: World) -> None:
    elsewhere = replace(world.admin, tenant_id=world.other_tenant)
    for _ in range(2):
        assert users(session, world.admin, 1) == f"users of {world.tenant}"
        assert users(session, elsewhere, 1) == f"users of {world.other_tenant}"
    users(session, world.admin, 2)
    assert [key for _, key in read] == [f"{world.tenant} 1", f"{world.other_tenant} 1", f"{world.tenant} 2"]


def test_who_may_not_read_it_is_not_shown_what_is_kept(session: Session, world: World) -> None:
    users(session, world.admin, 1)
    demoted = replace(world.admin, role=world.viewer.role)
    with pytest.raises(Forbidden):
        users(session, demoted, 1)


def test_functions_keep_apart_and_only_our_own_data_is_forgotten(session: Session, world: World) -> None:
    for _ in range(2):
        assert users(session, world.admin, 1) != stock(session, world.admin, 1)
        cache.forget()
    assert [name for name, _ in read] == ["users", "stock", "users"]
