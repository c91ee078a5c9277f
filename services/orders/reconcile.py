"""Reconcile: how an account differs from the records of its connection, and what keeps a number from being imported.

`comparing` is the job that finds the differences, `comparisons` are those that were made, and `reconcile_jobs` is what
is then done about them; imports and webhooks are orders (`bulk`).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from db.orders.comparisons import Section
from providers.records import OwnedNumber, Webhooks
from services.core import validation
from services.orders import resync
from services.orders.resync import Difference


@dataclass(frozen=True)
class Drift:
    """A number that differs in the way of `section`, as it was when it was compared.

    `there` is how the account has it, if at all; `why_not` says what keeps it from being imported.
    """

    place: int
    section: Section
    e164: str
    number_id: int | None = None
    label: str = ""
    differences: tuple[Difference, ...] = ()
    there: OwnedNumber | None = None
    why_not: str = ""

    @property
    def number(self) -> OwnedNumber:
        """The number as the account has it."""
        assert self.there is not None, "it is in the account"
        return self.there


def settings_of(differences: Mapping[Section, object], there: OwnedNumber | None) -> dict[str, Any]:
    """Return what a comparison keeps of a number: what differs, by section, and how the account has it."""
    kept: dict[str, Any] = {str(section): value for section, value in differences.items()}
    if there is not None:
        named = {"sid": there.sid, "label": there.label, "is_named": there.is_named}
        kept["there"] = named | {"webhooks": asdict(there.webhooks)}
    return kept


def drift(section: Section, place: int, e164: str, number_id: int | None, settings: Mapping[str, Any]) -> Drift:
    """Return what was kept with `settings_of`."""
    kept, there = settings[section], None
    if "there" in settings:
        known = settings["there"]
        webhooks = Webhooks(**known["webhooks"])
        there = OwnedNumber(known["sid"], e164, known["label"], None, frozenset(), webhooks, known["is_named"])
    if section in (Section.ONLY_HERE, Section.ONLY_THERE):
        return Drift(place, section, e164, number_id, kept["label"], there=there, why_not=kept.get("why_not", ""))
    return Drift(place, section, e164, number_id, differences=tuple(Difference(**one) for one in kept), there=there)


def by_section(differences: list[Difference]) -> dict[Section, object]:
    """Return what differs about a number that both have, by section, as it is kept."""
    found: dict[Section, list[dict[str, str]]] = {}
    of_field = {resync.LABEL: Section.LABEL, resync.SID: Section.SID}
    for one in differences:
        found.setdefault(of_field.get(one.field, Section.WEBHOOKS), []).append(asdict(one))
    return dict(found)


def why_not(e164: str, taken: set[str], ordered: set[str]) -> str:
    """Return what keeps a number from being imported: somebody has it, or it is being ordered; else nothing."""
    if e164 in taken:
        return str(validation.taken(e164))
    return validation.being_ordered(e164) if e164 in ordered else ""
