"""Numbers over the HTTP API: all of a tenant's by cursor, with the filters of the list."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

import db.base.engine
from db.models import NumberStatus, NumberType
from db.numbers.matching import NumberQuery
from db.numbers.rows import NumberRow
from services.core.access import Permission, require
from services.numbers import numbers
from services.people.api_access import REFUSALS, Asker, Id, Text, after, cursor_of
from services.text import numbering

MOST = 500
_Some: Any = Field(default=[], max_length=100)

router = APIRouter(responses=REFUSALS)


class NumberFilter(BaseModel):
    """Which numbers are meant, as in the list. Without status or search, those still held."""

    model_config = ConfigDict(extra="forbid")

    search: Annotated[Text, Field(description="Part of a name, or of a number written in any way.")] = ""
    status: list[NumberStatus] = _Some
    provider: list[Text] = _Some
    connection: list[Id] = _Some
    agent: list[Id | Literal["unassigned"]] = _Some
    country: Annotated[list[Text], Field(max_length=100, description="ISO 3166 codes.", examples=[["US"]])] = []
    type: list[NumberType] = _Some
    managed: bool | None = None
    tag: list[Text] = _Some

    def query(self) -> NumberQuery:
        """Return it as the list has it."""
        return NumberQuery(
            search=numbering.search_text(self.search),
            statuses=tuple(self.status),
            providers=tuple(self.provider),
            connections=tuple(self.connection),
            agents=tuple(None if agent == "unassigned" else agent for agent in self.agent),
            countries=tuple(self.country),
            types=tuple(self.type),
            managed=self.managed,
            tags=tuple(self.tag),
        )


class NumberPage(NumberFilter):
    """A part of the numbers that are meant."""

    cursor: Annotated[str, Field(max_length=64, description="`next` of the part before; none begins.")] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 100


class Named(BaseModel):
    """What a number refers to."""

    id: int
    name: str


class Price(BaseModel):
    """An amount a month, exact, in an ISO 4217 currency."""

    amount: Annotated[str, Field(examples=["1.15"])]
    currency: Annotated[str, Field(examples=["USD"])]


class Number(BaseModel):
    """A phone number. Times are ISO 8601 in UTC."""

    id: int
    e164: Annotated[str, Field(examples=["+14155552671"])]
    label: str
    status: NumberStatus
    country: str
    type: NumberType
    managed: bool
    provider: str
    provider_sid: str | None
    connection: Named | None
    agent: Named | None
    price: Price | None
    tags: list[str]
    campaigns: list[str]
    allowed_inbound: list[str]
    allowed_outbound: list[str]
    notes: str
    created_at: datetime
    updated_at: datetime
    released_at: datetime | None
    buy_back_until: datetime | None
    version: int


class Numbers(BaseModel):
    """Numbers in the order in which they were added, and the cursor of those after them, if any."""

    numbers: list[Number]
    next: str | None


@router.get("/numbers", summary="Read numbers")
def read(actor: Asker, page: Annotated[NumberPage, Query()]) -> Numbers:
    """Return the tenant's numbers part by part. What is added meanwhile comes last, so that no number comes twice."""
    require(actor, Permission.NUMBERS_READ)
    with db.base.engine.open_session() as session:
        found = numbers.after(session, actor, page.query(), after(page.cursor, 0), page.limit + 1)
    some = found[: page.limit]
    return Numbers(
        numbers=[_number(row) for row in some],
        next=cursor_of(some[-1].id) if len(found) > len(some) else None,
    )


def _number(row: NumberRow) -> Number:
    money = row.monthly
    values = row._asdict() | {
        "type": row.number_type,
        "managed": row.is_managed,
        "connection": _named(row.connection_id, row.connection),
        "agent": _named(row.agent_id, row.agent),
        "price": Price(amount=f"{money.amount:f}", currency=money.currency) if money else None,
        "tags": list(row.tags),
        "campaigns": list(row.campaigns),
    }
    return Number(**{name: values[name] for name in Number.model_fields})


def _named(row_id: int | None, name: str | None) -> Named | None:
    return Named(id=row_id, name=name or "") if row_id is not None else None
