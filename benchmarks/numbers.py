"""How fast the list of numbers answers when it is small and when it is large: `python -m benchmarks.numbers [NUMBERS]`.

Each question is the total and a page together, in the tenant that has half of the numbers and over all tenants. Beside
them stands what the rows alone cost: their ids off an index, joined manually.
"""

import sys
from functools import partial
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
import db.numbers.queries
from benchmarks import analyze, compare, database, median, numbers_world
from db.base.scope import Scope, Slice
from db.base.tables import table_of
from db.models import Agent, Connection, NumberStatus, NumberType
from db.numbers.attention import Attention, Rules
from db.numbers.matching import NumberQuery, Sort
from services.health import thresholds
from services.setup import builder
from services.text import numbering

SMALL = 10_000
PAIRS_ROUNDS = 5
RULES = Rules(thresholds.IDLE_DAYS, 1, ("exotel",))

Question = tuple[NumberQuery, Slice]


def filters(session: Session) -> dict[str, dict[str, Any]]:
    """Return what is filtered by, common and rare; two of different names meet in a pair."""
    agent = session.scalar(sa.select(sa.func.min(table_of(Agent).c.id)))
    connection = session.scalar(sa.select(sa.func.min(table_of(Connection).c.id)))
    asked: dict[str, dict[str, Any]] = {
        "inactive": {"statuses": (NumberStatus.INACTIVE,)},
        "released": {"statuses": (NumberStatus.RELEASED,)},
        "a provider": {"providers": ("sip",)},
        "a country": {"countries": ("IN",)},
        "a rare country": {"countries": ("NL",)},
        "a type": {"types": (NumberType.MOBILE,)},
        "a rare type": {"types": (NumberType.SHARED_COST,)},
        "managed": {"managed": True},
        "BYOT": {"managed": False},
        "an agent": {"agents": (agent,)},
        "unassigned": {"agents": (None,)},
        "a connection": {"connections": (connection,)},
        "a tag": {"tags": ("moved",)},
        "a rare tag": {"tags": ("legal",)},
    }
    return asked | {
        f"attention: {kind.replace('_', ' ')}": {"attention": (kind,), "rules": RULES} for kind in Attention
    }


def alone(session: Session, amount: int) -> dict[str, Question]:
    """Return the questions with one filter, sort or search, and those of the pages far behind."""

    def typed(text: str) -> Question:
        return NumberQuery(search=numbering.search_text(text)), Slice()

    known = numbers_world.e164(1001)
    last = amount // 25
    return {
        "first page": (NumberQuery(), Slice()),
        "oldest": (NumberQuery(sort=Sort.OLDEST), Slice()),
        "by number": (NumberQuery(sort=Sort.NUMBER), Slice()),
        "by name": (NumberQuery(sort=Sort.NAME), Slice()),
        "in the middle": (NumberQuery(), Slice(last // 2)),
        "in the middle, by name": (NumberQuery(sort=Sort.NAME), Slice(last // 2)),
        "the last page": (NumberQuery(), Slice(last - 2)),
        **{name: (NumberQuery(**fields), Slice()) for name, fields in filters(session).items()},
        "a country, in the middle": (NumberQuery(countries=("IN",)), Slice(last // 10)),
        "a country, by name": (NumberQuery(countries=("IN",), sort=Sort.NAME), Slice()),
        "a rare country, by name": (NumberQuery(countries=("NL",), sort=Sort.NAME), Slice()),
        "BYOT and a tag, by number": (NumberQuery(managed=False, tags=("moved",), sort=Sort.NUMBER), Slice()),
        "unassigned and a type, by name": (
            NumberQuery(agents=(None,), types=(NumberType.VOIP,), sort=Sort.NAME),
            Slice(),
        ),
        "a whole number": typed(known),
        "7 digits of a number": typed(known[-7:]),
        "3 digits": typed("415"),
        "2 digits": typed("41"),
        "a word that a quarter have": typed("support"),
        "a word that few have": typed("night desk 71"),
        "nothing has it": typed("zanzibar"),
    }


def pairs(session: Session) -> dict[str, Question]:
    """Return the questions with two filters, by their names."""
    each = filters(session).items()
    return {
        f"{one} + {other}": (NumberQuery(**(some | others)), Slice())
        for (one, some), (other, others) in combinations(each, 2)
        if not set(some) & set(others) - {"rules"}
    }


def measure(session: Session) -> dict[str, float]:
    """Return how many milliseconds each question takes: total and page together."""
    found: dict[str, float] = {}
    for where, scope in (("", Scope(1)), ("all tenants: ", Scope(None))):
        held = db.numbers.queries.count(session, scope, NumberQuery())
        for name, question in alone(session, held).items():
            found[where + name] = median(partial(ask, session, scope, *question))
        two = {name: median(partial(ask, session, scope, *each), PAIRS_ROUNDS) for name, each in pairs(session).items()}
        for name in sorted(two, key=two.__getitem__, reverse=True)[:8]:
            found[f"{where}{name}"] = two[name]
        found[f"{where}the middle one of {len(two)} pairs of filters"] = sorted(two.values())[len(two) // 2]
        found[f"{where}what the filters offer"] = median(partial(db.numbers.queries.facets, session, scope))
    found["bare SQL of 25 joined rows"] = median(partial(_bare, session))
    return found


def ask(session: Session, scope: Scope, query: NumberQuery, part: Slice) -> None:
    """Ask for the total, and for a page."""
    total = db.numbers.queries.count(session, scope, query)
    db.numbers.queries.search(session, scope, query, part, total=total)


def _bare(session: Session) -> None:
    rows = """
        SELECT n.*, c.name, a.name, t.name FROM (
            SELECT id FROM phone_number WHERE tenant_id = 1 AND status NOT IN ('released', 'removed')
            ORDER BY created_at DESC, id DESC LIMIT 25
        ) AS page JOIN phone_number n ON n.id = page.id JOIN tenant t ON t.id = n.tenant_id
        LEFT JOIN telephony_connection c ON c.id = n.connection_id LEFT JOIN agent a ON a.id = n.agent_id
        ORDER BY n.created_at DESC, n.id DESC"""
    session.connection().exec_driver_sql(rows).all()


def main(amount: int = 1_000_000) -> None:
    """Print the table of the guide."""
    with database(), db.base.engine.open_session() as session:
        numbers_world.grow(session, 0, SMALL)
        analyze()
        small = measure(session)
        rate = numbers_world.grow(session, SMALL, amount)
        analyze()
        compare("numbers", (SMALL, small), (amount, measure(session)))
    sys.stdout.write(f"\n{rate:,.0f} numbers a second are written, {builder.BATCH:,} in a transaction.\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
