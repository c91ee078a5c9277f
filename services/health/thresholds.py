"""The thresholds of number health: a tenant's own, or the defaults. They are shown wherever they are used."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

import db.people.tenants
from db.numbers.attention import Rules
from services.connections.connections import all_providers
from services.core.access import Actor, Permission, require
from services.core.errors import InvalidInput

IDLE_DAYS = 30
"""The window, in days, in which completed calls decide whether a number is idle."""


_VOICE_ONLY = tuple(provider.key for provider in all_providers() if not provider.keeps_status_callback)


@dataclass(frozen=True)
class Thresholds:
    """When a number is flagged, capped or idle. Tenants override it in their settings, under `health`."""

    widest_interval: float = 0.30
    flag_share: float = 0.5
    alarm: float = 9.0
    false_share: float = 0.05
    prior: float = 20.0
    weight_floor: float = 0.25
    cap_warning: int = 75
    cap: int = 100
    idle_calls: int = 3

    @property
    def rules(self) -> Rules:
        """The limits for attention."""
        return Rules(IDLE_DAYS, self.idle_calls, _VOICE_ONLY)


@dataclass(frozen=True)
class Meaning:
    """A threshold's label, meaning and range. Shares are stored in 0..1 and displayed in percent."""

    label: str
    sentence: str
    unit: str
    least: float
    most: float
    is_share: bool = False

    def text(self, value: float) -> str:
        """Return a value with its unit: `30%`, `100 calls a day`."""
        return f"{self.number(value)}{self.unit if self.unit == '%' else f' {self.unit}'}"

    def number(self, value: float) -> str:
        """Return a value as displayed, without its unit."""
        return f"{round(value * 100, 4) if self.is_share else value:,g}"


MEANINGS = {
    "widest_interval": Meaning(
        "Widest interval", "A rate with a wider interval reads `Not enough data`.", "points", 0.05, 1, True
    ),
    "flag_share": Meaning(
        "Low below",
        "A number is `Low` when even the upper bound of its rate is below this share of what the rest of its pool had "
        "on the same days.",
        "%",
        0.05,
        1,
        True,
    ),
    "alarm": Meaning(
        "Falling from",
        "How strong the evidence of a drop must be for a number to be `Falling`: higher means later, but fewer false "
        "alarms.",
        "nats",
        2,
        50,
    ),
    "false_share": Meaning(
        "False flags",
        "On average, at most this share of all flags on a page is false.",
        "%",
        0.001,
        0.5,
        True,
    ),
    "prior": Meaning(
        "Smoothing",
        "Attempts at the pool's rate added to each number's own, so that a new number starts at the average.",
        "attempts",
        1,
        1000,
    ),
    "weight_floor": Meaning("Minimum weight", "No weight falls below this share of the pool's rate.", "%", 0, 1, True),
    "cap_warning": Meaning("Near cap from", "A number with this many calls is `Near cap`.", "calls a day", 1, 99_999),
    "cap": Meaning(
        "Capped at",
        "A number with this many calls is `Capped` until midnight in the tenant's time zone.",
        "calls a day",
        2,
        100_000,
    ),
    "idle_calls": Meaning(
        "Idle below",
        f"A Twilio-managed number with fewer completed calls in {IDLE_DAYS} days is at risk of reclaim.",
        "completed calls",
        0,
        1000,
    ),
}
"""Every threshold's meaning, by field."""

_WHOLE = {field.name for field in dataclasses.fields(Thresholds) if isinstance(field.default, int)}


def read(settings: Mapping[str, Any]) -> Thresholds:
    """Return the thresholds in a tenant's settings; missing or invalid ones are the default."""
    own = settings.get("health")
    if not isinstance(own, Mapping):
        return Thresholds()
    known: dict[str, Any] = {}
    for name, meaning in MEANINGS.items():
        value = own.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and meaning.least <= value <= meaning.most:
            known[name] = int(value) if name in _WHOLE else float(value)
    return Thresholds(**known)


def of(session: Session, actor: Actor) -> Thresholds:
    """Return the chosen tenant's thresholds; the defaults for all tenants."""
    require(actor, Permission.HEALTH_READ)
    tenant = db.people.tenants.find(session, actor.scope.tenant_id) if actor.scope.tenant_id else None
    return read(tenant.settings) if tenant else Thresholds()


def check(limits: Thresholds) -> None:
    """Raise InvalidInput, which names the field, unless every threshold makes sense."""
    for name, meaning in MEANINGS.items():
        value = getattr(limits, name)
        if value is None or not meaning.least <= value <= meaning.most:
            least, most = meaning.number(meaning.least), meaning.text(meaning.most)
            raise InvalidInput(f"{meaning.label}: enter a number from {least} to {most}.", field=name)
        if name in _WHOLE and value != int(value):
            raise InvalidInput(f"{meaning.label}: enter a whole number of {meaning.unit}.", field=name)
    if limits.cap_warning >= limits.cap:
        near, cap = MEANINGS["cap_warning"].label, MEANINGS["cap"].label
        raise InvalidInput(f"{near}: enter a number below that of {cap}.", field="cap_warning")


def stored(limits: Thresholds) -> dict[str, float]:
    """Return what a tenant's settings store: the values other than the defaults."""
    defaults = Thresholds()
    values = {name: getattr(limits, name) for name in MEANINGS}
    return {name: value for name, value in values.items() if value != getattr(defaults, name)}
