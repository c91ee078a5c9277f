"""What about a number may call for attention: one condition each, for counts, lists and files alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased
from sqlmodel import Session

from db.base.scope import Scope
from db.models import (
    LIVE,
    CampaignNumber,
    Connection,
    HealthLine,
    HealthSummary,
    NumberCount,
    NumberOrder,
    NumberStatus,
    PhoneNumber,
)

# Written with their literals, like LIVE, for the partial indexes that serve them.
FLAGGED = sa.text("campaign_number.pool_status = 'spam_flagged'")
MANAGED = sa.text("phone_number.is_managed")
RESTRICTED = sa.text("(phone_number.allowed_inbound <> '[]' OR phone_number.allowed_outbound <> '[]')")
_UNASSIGNED = sa.text("phone_number.agent_id IS NULL")
_SETS_WEBHOOKS = "{0}.state = 'confirmed' AND {0}.kind IN ('purchase', 'import', 'webhooks')"


class Attention(StrEnum):
    """Reasons to look at a number, worst first."""

    WEBHOOKS_ELSEWHERE = "webhooks_elsewhere"
    NO_CONNECTION = "no_connection"
    INACTIVE_CONNECTION = "inactive_connection"
    NO_AGENT = "no_agent"
    SPAM_FLAGGED = "spam_flagged"
    IDLE = "idle"
    RESTRICTED = "restricted"


@dataclass(frozen=True)
class Rules:
    """What the conditions go by.

    A managed number is idle with fewer completed calls than `idle_under` in `idle_days`. `voice_only` are the keys of
    the providers that keep no status callback with a number.
    """

    idle_days: int
    idle_under: int
    voice_only: tuple[str, ...]


_BY_RULES = (Attention.WEBHOOKS_ELSEWHERE, Attention.IDLE)

Within = Callable[[Any], Any]
"""Returns the condition that a column, a tenant id, is one of those meant: `scope.of`, mostly."""


def condition(kind: Attention, within: Within, rules: Rules | None) -> Any:
    """Return the condition that a number calls for attention; those that nobody can tell by its row need *rules*."""
    match kind:
        case Attention.WEBHOOKS_ELSEWHERE:
            # As a truth, not as a join: PostgreSQL then hashes the numbers once, whatever it thinks how many they are.
            return PhoneNumber.id.in_(pointing_elsewhere(within, required(kind, rules))).is_(True)
        case Attention.NO_CONNECTION:
            return PhoneNumber.connection_id.is_(None)
        case Attention.INACTIVE_CONNECTION:
            inactive = sa.select(Connection.id).where(within(Connection.tenant_id), Connection.is_active.is_(False))
            return PhoneNumber.connection_id.in_(inactive)
        case Attention.NO_AGENT:
            return sa.and_(_UNASSIGNED, PhoneNumber.status == NumberStatus.ACTIVE)
        case Attention.SPAM_FLAGGED:
            flagged = sa.select(CampaignNumber.number_id).where(within(CampaignNumber.tenant_id), FLAGGED)
            return PhoneNumber.id.in_(flagged)
        case Attention.IDLE:
            rules = required(kind, rules)
            # Before the calls of a tenant are added up for the first time nobody knows.
            known = sa.exists().where(
                HealthSummary.tenant_id == PhoneNumber.tenant_id, HealthSummary.days == rules.idle_days
            )
            return sa.and_(MANAGED, known, completed(rules.idle_days) < rules.idle_under)
        case Attention.RESTRICTED:
            return RESTRICTED


def required(kind: Attention, rules: Rules | None) -> Rules:
    """Return the *rules*, which some kinds of attention cannot do without."""
    if rules is None:
        raise ValueError(f"{kind} goes by rules")
    return rules


def there(session: Session, scope: Scope) -> list[Attention]:
    """Return the reasons for attention that numbers in *scope* have or, where that is dear to know, may have."""
    quick = [kind for kind in Attention if kind not in _BY_RULES]
    managed = sa.exists().where(scope.of(NumberCount.tenant_id), NumberCount.is_managed, NumberCount.n > 0)
    was_set = sa.exists().where(scope.of(NumberOrder.tenant_id), sa.text(_SETS_WEBHOOKS.format("number_order")))
    numbers = sa.select(PhoneNumber.id).where(scope.of(PhoneNumber.tenant_id), LIVE)
    each = (numbers.where(condition(kind, scope.of, None)).exists() for kind in quick)
    answers = session.execute(sa.select(was_set.select_from(NumberOrder), managed, *each)).one()
    asked = (Attention.WEBHOOKS_ELSEWHERE, Attention.IDLE, *quick)
    found = {kind for kind, is_there in zip(asked, answers, strict=True) if is_there}
    return [kind for kind in Attention if kind in found]


def with_webhooks_set(within: Within) -> Any:
    """Select how many numbers, held or gone, ever had their webhooks set from here."""
    return sa.select(sa.func.count(sa.distinct(NumberOrder.number_id))).where(
        within(NumberOrder.tenant_id), sa.text(_SETS_WEBHOOKS.format("number_order"))
    )


def had_webhooks_set(within: Within) -> Any:
    """Return the condition that a number had its webhooks set from here."""
    return (
        sa.select(NumberOrder.id)
        .where(
            within(NumberOrder.tenant_id),
            NumberOrder.number_id == PhoneNumber.id,
            sa.text(_SETS_WEBHOOKS.format("number_order")),
        )
        .exists()
    )


def last_webhooks(within: Within) -> Any:
    """Select the orders that say which webhooks a number has at its provider: the last confirmed one of each."""
    later = aliased(NumberOrder, name="later")
    overtaken = sa.select(later.id).where(
        later.tenant_id == NumberOrder.tenant_id,
        later.number_id == NumberOrder.number_id,
        later.id > NumberOrder.id,
        sa.text(_SETS_WEBHOOKS.format("later")),
    )
    return sa.select(NumberOrder).where(
        within(NumberOrder.tenant_id), sa.text(_SETS_WEBHOOKS.format("number_order")), ~overtaken.exists()
    )


def pointing_elsewhere(within: Within, rules: Rules) -> Any:
    """Select the numbers whose webhooks, as we last set them, are not those of their connection now."""
    order = last_webhooks(within).subquery()
    return (
        sa.select(order.c.number_id)
        .join(PhoneNumber, PhoneNumber.id == order.c.number_id)
        .join(Connection, Connection.id == PhoneNumber.connection_id)
        .where(differing(order.c, rules.voice_only))
    )


def differing(order: Any, voice_only: Sequence[str]) -> Any:
    """Return the condition that calls do not go to the joined connection, by the webhooks that an order has set.

    *order* has its columns. To take them there it needs the URLs, by POST, and no trunk or application.
    """
    configuration = order.configuration
    return sa.or_(
        _text(configuration["voice_url"]) != sa.func.coalesce(Connection.voice_url, ""),
        _method(configuration["voice_method"]) != "POST",
        routing(order) != "",
        sa.and_(
            Connection.provider.not_in(voice_only),
            sa.or_(
                _text(configuration["status_callback"]) != sa.func.coalesce(Connection.status_callback_url, ""),
                sa.and_(
                    _text(configuration["status_callback"]) != "",
                    _method(configuration["status_callback_method"]) != "POST",
                ),
            ),
        ),
    )


def routing(order: Any) -> Any:
    """Return the SID of the trunk or application that an order has left the calls with; empty for none.

    Orders before 2026-12 never touched it: what was there before is there still.
    """
    configuration, previous = order.configuration, order.previous
    now = sa.func.coalesce(
        sa.func.nullif(_text(configuration["trunk_sid"]), ""), _text(configuration["voice_application_sid"])
    )
    untouched = sa.func.coalesce(configuration["routed_by"].as_string(), _text(previous["routed_by"]))
    return sa.case((configuration["voice_method"].as_string().is_not(None), now), else_=untouched)


def _text(value: Any) -> Any:
    return sa.func.coalesce(value.as_string(), "")


def _method(value: Any) -> Any:
    return sa.func.coalesce(value.as_string(), "POST")


def completed(days: int) -> Any:
    """Select the completed calls of a number over the window of so many *days*, as `db.health.summaries` keeps it."""
    calls = sa.select(sa.func.coalesce(sa.func.sum(HealthLine.completed), 0)).where(
        HealthLine.tenant_id == PhoneNumber.tenant_id, HealthLine.days == days, HealthLine.number_id == PhoneNumber.id
    )
    return calls.scalar_subquery()
