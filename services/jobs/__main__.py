"""A process that does long work and serves no page: `python -m services.jobs`, on PostgreSQL."""

import signal
import sys
import threading

from sqlalchemy.exc import OperationalError

from services.core import credentials, settings
from services.core.errors import DatabaseUnavailable
from services.jobs import workflows
from services.setup import startup

IDLE_SECONDS = 1.0
"""How often it looks for what other processes have committed."""


def main() -> int:
    """Work until told to stop; return the exit code."""
    config = settings.current()
    if config.url.startswith("sqlite"):
        sys.stderr.write("On SQLite the app does all work itself. Set DATABASE_URL to PostgreSQL for a worker.\n")
        return 1
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        startup.start(config)
    except (credentials.KeyProblem, startup.SchemaIsNewer) as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except (DatabaseUnavailable, OperationalError) as exc:
        sys.stderr.write(f"The database is busy or cannot be reached.\n{exc.__cause__ or exc}\n")
        return 1
    workflows.launch(config, IDLE_SECONDS)
    stopped.wait()
    workflows.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
