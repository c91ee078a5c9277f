"""What tests of pages have besides: numbers in the small world."""

from dataclasses import dataclass

import pytest
from sqlmodel import Session

from db.models import CampaignStatus
from services.campaigns import campaigns
from services.core.access import Actor
from services.numbers import registration
from services.numbers.registration import Configuration
from tests.conftest import World


@dataclass(frozen=True)
class Stock:
    """Ids of numbers: three of the first tenant's, one of the other's; and of a campaign of the first tenant."""

    sales: int
    support: int
    mumbai: int
    others: int
    campaign: int

    def shown_on(self, page: str) -> str:
        """Return the id that a link to *page* carries."""
        return str(self.campaign if page == "campaign.py" else self.sales)


@pytest.fixture
def stock(session: Session, world: World) -> Stock:
    """Numbers on record, the oldest first."""

    def register(actor: Actor, number: str, connection: int, label: str, **fields: str) -> int:
        return registration.register(session, actor, number, connection, Configuration(label, provider_fields=fields))

    return Stock(
        sales=register(world.operator, "+1 415 555 2671", world.sip, "Sales"),
        support=register(world.operator, "+1 212 555 2368", world.sip, "Support"),
        mumbai=register(world.operator, "+91 98765 43210", world.mcube, "Mumbai", executive_number="9876500001"),
        others=register(world.stranger, "+1 305 555 2671", world.other_sip, "Secret of the other"),
        campaign=campaigns.add(session, world.operator, "Renewals", CampaignStatus.ACTIVE),
    )
