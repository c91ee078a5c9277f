"""Campaigns: what numbers are called from."""

from sqlmodel import Session

import db.campaigns
from db.campaigns import CampaignRow
from services.access import Actor, Permission, require

__all__ = ["CampaignRow", "search"]


def search(session: Session, actor: Actor) -> list[CampaignRow]:
    """Return the campaigns of the chosen tenant, by name."""
    require(actor, Permission.CAMPAIGNS_READ)
    return db.campaigns.search(session, actor.scope)
