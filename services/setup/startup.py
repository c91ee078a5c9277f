"""Start-up: logs, the newest schema, keys that open what is stored, and the demo in an empty database."""

import logging
import sys
from datetime import UTC, datetime

import structlog

import db.base.engine
import db.connections
from db.base.engine import SchemaIsNewer
from services.core import credentials
from services.core import settings as settings_module
from services.core.settings import Settings
from services.setup import demo

__all__ = ["SchemaIsNewer"]


def start(settings: Settings | None = None) -> None:
    """Make the app ready: logs, database, newest schema, keys that open what is stored, demo.

    Raises KeyProblem when encrypted credentials exist that no key opens, SchemaIsNewer for a newer version's database.
    """
    settings = settings or settings_module.current()
    structlog.configure(
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # what a command prints stands alone
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level.upper()]),
    )
    credentials.check(settings)
    engine = db.base.engine.make_engine(settings.url, settings.busy_seconds)
    db.base.engine.migrate(engine)
    db.base.engine.use(engine)
    log = structlog.get_logger()
    if not db.base.engine.has_trigrams(engine):
        log.warning("search.no_trigrams", effect="only starts and ends of numbers and starts of labels are found")
    with db.base.engine.open_session() as session:
        credentials.prepare(settings, db.connections.all_credentials(session))
        if demo.is_wanted(session, settings):
            demo.fill(session, settings, datetime.now(UTC).date())
            log.info("demo.filled")
    log.info("app.ready", database=engine.dialect.name, demo=settings.shows_demo)
