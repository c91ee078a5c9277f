"""Import of numbers of any provider by file, by the rules of `registration`.

Existing numbers stay as they are; differences from the file are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from services.audit.audit import Action
from services.core.access import Actor, Permission, require_tenant
from services.jobs.imports import ImportKind, Outcome, Report, Row
from services.numbers import registration
from services.numbers.import_fields import FIELDS
from services.numbers.import_rows import NumberReader
from services.numbers.registration import Prepared
from services.text.numbering import Bare


@dataclass(frozen=True)
class NumberImport(ImportKind[Prepared]):
    """An import of numbers; `connection_id` is the default connection.

    `insist` allows numbers outside known numbering plans; `bare` decides ambiguous numbers without +.
    """

    fields = FIELDS
    permission = Permission.NUMBERS_ADD
    action = Action.NUMBERS_IMPORT_FILE
    subject = "number"
    most_rows = 100_000
    lost = "One of the numbers was added in the meantime."

    connection_id: int | None = None
    insist: bool = False
    bare: Bare | None = None

    def reader(self, session: Session, actor: Actor, rows: Sequence[Row]) -> NumberReader:
        """Return a reader that knows the tenant's connections and agents."""
        return NumberReader(session, require_tenant(actor), self.connection_id, self.insist, self.bare)

    def write(self, session: Session, actor: Actor, items: Sequence[Prepared]) -> None:
        """Add numbers, with an audit event for each."""
        registration.put(session, actor, items)

    def summary(self, report: Report, items: Sequence[Prepared]) -> Mapping[str, object]:
        """Return how many rows had which outcome."""
        return {
            "added": len(items),
            "already_here": report.count(Outcome.HERE),
            "differing": report.count(Outcome.DIFFERS),
            "refused": report.wrong,
        }
