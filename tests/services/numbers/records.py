"""Numbers with what people and providers leave on record, their download, and what an import of it says."""

from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session

from db.base.tables import table_of
from db.models import NumberStatus, NumberTag, NumberType, PhoneNumber
from db.numbers.matching import NumberQuery
from services.jobs.imports import Report
from services.numbers import numbers
from services.setup import builder
from services.text import exports
from tests.conftest import World

ZONE = ZoneInfo("Asia/Kolkata")
EVERY = NumberQuery(statuses=tuple(NumberStatus))
NUMBER, LINE = "+14155552671", "12345"


def on_record(session: Session, world: World, e164: str, **values: Any) -> PhoneNumber:
    given: dict[str, Any] = {
        "connection_id": world.sip,
        "provider": "sip",
        "number_type": NumberType.LOCAL,
        "country": "US",
    }
    return builder.number(session, world.tenant, e164, **(given | values))


def executive(number: str) -> dict[str, str]:
    return {"executive_number": number}


def download(session: Session, world: World, write: exports.Writer, query: NumberQuery = EVERY) -> bytes:
    return write([exports.numbers(numbers.export(session, world.viewer, query), ZONE)])


def told(report: Report) -> list[tuple[str, str, str]]:
    return [(found.number, str(found.outcome), found.reason) for found in report.results]


def stored(session: Session) -> list[Any]:
    session.rollback()
    tables = (table_of(PhoneNumber), table_of(NumberTag))
    return [list(session.execute(sa.select(table).order_by(*table.primary_key))) for table in tables]
