"""Telephony connections: a tenant's accounts at the vendors."""

from sqlmodel import Session

import db.connections
from db.connections import ConnectionRow
from providers import VENDORS
from providers.base import Vendor
from services.access import Actor, Permission, require

__all__ = ["ConnectionRow", "choices", "vendor"]


def choices(session: Session, actor: Actor, *, active_only: bool = True) -> list[ConnectionRow]:
    """Return the connections that can be chosen, by name."""
    require(actor, Permission.CONNECTIONS_READ)
    return db.connections.search(session, actor.scope, active_only=active_only)


def vendor(key: str) -> Vendor:
    """Return what is known of a vendor; one that has no file here is only its key."""
    return VENDORS.get(key) or Vendor(key=key, name=key)
