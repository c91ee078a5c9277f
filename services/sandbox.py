"""The sandbox that stands for the vendors in the demo: started with the app, holding the demo's numbers."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlmodel import Session

import db.connections
import db.engine
import db.numbers
from providers.sandbox.server import OwnedSeed, running
from services import credentials, settings
from services.settings import Settings


@contextmanager
def running_for_demo(config: Settings) -> Iterator[None]:
    """Run the sandbox while the app runs, where the demo is shown and no other sandbox is named."""
    if not config.shows_demo or config.sandbox_url:
        yield
        return
    with running(config.data_dir / "sandbox.db", port=config.sandbox_port) as sandbox:
        with db.engine.open_session() as session:
            sandbox.seed_owned(_owned(session, config))
        settings.use_sandbox(sandbox.url)
        structlog.get_logger().info("sandbox.ready", url=sandbox.url)
        yield


def _owned(session: Session, config: Settings) -> list[OwnedSeed]:
    """Return what the sandbox accounts of the demo hold: the numbers that are managed through them."""
    seeds = []
    for connection in db.connections.sandboxes(session, "twilio"):
        account = credentials.unseal(config, connection.credentials)["account_sid"]
        seeds += [
            OwnedSeed(
                e164=number.e164,
                account_sid=account,
                label=number.label,
                voice_url=connection.voice_url or "",
                status_callback=connection.status_callback_url or "",
                sid=number.provider_sid or "",
            )
            for number in db.numbers.managed_by(session, connection.id or 0)
        ]
    return seeds
