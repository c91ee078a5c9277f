"""The sandbox that stands for the providers in the demo: started with the app, holding the demo's numbers."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import structlog
from sqlmodel import Session

import db.base.engine
import db.campaigns
import db.connections
import db.numbers.queries
import db.orders.queries
from db.base.scope import Scope
from providers.sandbox import seeds
from providers.sandbox.server import Sandbox, running
from providers.sandbox.store import OwnedSeed
from services.core import credentials, settings
from services.core.settings import Settings
from services.setup import demo_story as cast


@contextmanager
def running_for_demo(config: Settings) -> Iterator[None]:
    """Run the sandbox while the app runs, where the demo is shown and no other sandbox is named."""
    if not config.shows_demo or config.sandbox_url:
        yield
        return
    with running(config.data_dir / "sandbox.db", port=config.sandbox_port) as sandbox:
        with db.base.engine.open_session() as session:
            _fill(session, config, sandbox)
        settings.use_sandbox(sandbox.url)
        structlog.get_logger().info("sandbox.ready", url=sandbox.url)
        yield


def _fill(session: Session, config: Settings, sandbox: Sandbox) -> None:
    """Give the sandbox accounts of the demo the numbers that are managed through them, and calls of those in pools.

    In the largest of them something was done that nobody here knows of, so that there is something to reconcile.
    """
    today = datetime.now(UTC).date()
    for connection in db.connections.sandboxes(session, "twilio"):
        account = credentials.unseal(config, connection.credentials)["account_sid"]
        numbers = db.numbers.queries.managed_by(session, connection.id)
        last_set = db.orders.queries.webhooks_set(session, Scope(connection.tenant_id))
        ours = {"voice_url": connection.voice_url, "status_callback": connection.status_callback_url}
        seeds_of_demo = []
        for place, number in enumerate(numbers):
            there = last_set.get(number.id, ours)
            is_largest = connection.name == cast.LARGEST_ACCOUNT
            renamed = cast.RENAMED_AT_TWILIO.get(place) if is_largest else None
            seeds_of_demo.append(
                OwnedSeed(
                    e164=number.e164,
                    account_sid=account,
                    label=renamed or number.label,
                    voice_url=there.get("voice_url") or "",
                    status_callback=there.get("status_callback") or "",
                    sid=number.provider_sid or "",
                    released=is_largest and place in cast.RELEASED_AT_TWILIO,
                    others=cast.ROUTED_AT_TWILIO.get(place, {}) if is_largest else {},
                )
            )
        given_back = db.numbers.queries.given_back(session, connection.id)
        seeds_of_demo += [OwnedSeed(e164=e164, account_sid=account, released=True) for e164 in given_back]
        sandbox.seed_owned(seeds_of_demo)
        seeds.dial(sandbox.store, account, db.campaigns.dialing(session, connection.id), today)
