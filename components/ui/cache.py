"""What is read once for many runs: kept for a while, in one place, and never in front of a permission."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

import streamlit as st
from sqlmodel import Session

from services.core.access import Actor, Permission, require

Key = ParamSpec("Key")
Answer = TypeVar("Answer")
Reading: TypeAlias = Callable[Concatenate[Session, Actor, Key], Answer]

_ours: list[Any] = []


def kept(
    *permissions: Permission, seconds: int, spinner: str | bool = False, is_ours: bool = True
) -> Callable[[Reading[Key, Answer]], Reading[Key, Answer]]:
    """Keep what a function reads, for each reader in each tenant and for each of its further arguments.

    One of these is the version of what is read, where it has one. All *permissions* are required each time, before what
    is kept is looked at. `forget` lets go of it, unless it is a provider's and not *is_ours*.
    """

    def decorate(read: Reading[Key, Answer]) -> Reading[Key, Answer]:
        def look(_session: Session, _actor: Actor, whose: object, args: Any, named: Any) -> Answer:
            return read(_session, _actor, *args, **named)

        look.__module__, look.__qualname__ = read.__module__, read.__qualname__  # Streamlit tells caches apart by these
        stored = st.cache_data(ttl=seconds, show_spinner=spinner)(look)
        if is_ours:
            _ours.append(stored)

        def ask(session: Session, actor: Actor, /, *args: Key.args, **named: Key.kwargs) -> Answer:
            for permission in permissions:
                require(actor, permission)
            answer: Answer = stored(session, actor, (actor.user_id, actor.tenant_id, actor.all_tenants), args, named)
            return answer

        return ask

    return decorate


def forget() -> None:
    """Let go of what is kept of our own data, for all readers, since it has changed."""
    for stored in _ours:
        stored.clear()
