"""How long the tenant audit takes: `python -m benchmarks.tenant_audit [NUMBERS] [EVENTS]`, then again for a warm run.

The database is `DATABASE_URL`, or a SQLite file that goes away again. A tenant that an earlier run wrote is used.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlmodel import Session

import db.base.engine
from benchmarks.audit_world import DAYS, world
from db.base.scope import Slice
from db.models import CampaignHealth, Role, Tenant, User
from db.numbers.attention import Attention
from db.numbers.matching import NumberQuery
from db.people.tenants import TenantSort
from services.audit import report_files, tenant_audit
from services.core.access import Actor
from services.health import summaries
from services.health.thresholds import IDLE_DAYS
from services.numbers import numbers

ROUNDS = 5


def timed(what: str, act: Callable[[], object], rounds: int = ROUNDS) -> None:
    """Do *act* some times and print how long the first and the fastest took."""
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    sys.stdout.write(f"| {what} | {took[0]:,.0f} ms | {min(took):,.0f} ms |\n")
    sys.stdout.flush()


def report(session: Session, actor: Actor, days: int) -> None:
    """Ask all that the page of one tenant asks."""
    session.expire_all()
    about = tenant_audit.tenant(session, actor)
    tenant_audit.owned(session, actor, about)
    tenant_audit.changes(session, actor, during(about, days))


def during(about: tenant_audit.Tenant, days: int) -> tenant_audit.Period:
    """Return the last *days* days."""
    today = datetime.now(UTC).date()
    return tenant_audit.period(today - timedelta(days=days - 1), today, about.zone)


def listed(session: Session, actor: Actor, kind: Attention) -> None:
    """Ask for the first page of a filtered list, and its total."""
    query = NumberQuery(attention=(kind,))
    numbers.count(session, actor, query)
    numbers.search(session, actor, query, Slice())


def there_already(session: Session) -> Actor | None:
    """Return the viewer of a world that an earlier run wrote."""
    tenant = session.scalar(sa.select(Tenant).where(Tenant.name == "Load"))
    user = session.scalar(sa.select(User).where(User.username == "load0"))
    if tenant is None or user is None:
        return None
    return Actor(user.id, user.username, user.name, tenant_id=tenant.id, role=Role.VIEWER)


def main(amount: int = 100_000, events: int = 500_000) -> None:
    """Print the table of the guide."""
    with tempfile.TemporaryDirectory() as folder:
        engine = db.base.engine.make_engine(os.environ.get("DATABASE_URL") or f"sqlite:///{folder}/audit.db")
        db.base.engine.migrate(engine)
        db.base.engine.use(engine)
        with db.base.engine.open_session() as session:
            actor = there_already(session) or world(session, amount, events)
            facts = session.scalar(sa.select(sa.func.count()).select_from(CampaignHealth)) or 0
            held = numbers.count(session, actor, NumberQuery())
            sys.stdout.write(f"{engine.dialect.name}: {held:,} numbers held, {facts:,} facts of {DAYS} days\n\n")
            sys.stdout.write("| what | first | fastest of 5 |\n|---|---|---|\n")
            about = tenant_audit.tenant(session, actor)
            timed("number health added up, once", lambda: summaries.freshen(session, actor, IDLE_DAYS), rounds=1)
            timed("report, changes of 30 days", partial(report, session, actor, 30))
            timed("report, changes of 90 days", partial(report, session, actor, 90))
            timed("of that: changes of 30 days", lambda: tenant_audit.changes(session, actor, during(about, 30)))
            for kind in Attention:
                timed(f"list and total of `{kind.value}`", partial(listed, session, actor, kind))
            everywhere = Actor(actor.user_id, "root", "Root", is_superadmin=True, all_tenants=True)
            timed("all tenants, a page", lambda: tenant_audit.compare(session, everywhere, TenantSort.NAME, Slice()))
            for name, make in (("PDF", report_files.as_pdf), ("Excel", report_files.excel)):
                timed(name, partial(make, session, actor, during(about, 30)), rounds=1)
        engine.dispose()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
