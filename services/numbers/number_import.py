"""Numbers of any provider come in by the file, by the rules of `registration`.

What is on record in the tenant already is left as it is, and what the file says otherwise is shown.
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
    """An import of numbers; `connection_id` is for rows that name no connection.

    `insist` takes numbers that no numbering plan lists, and `bare` says what those without + are that can be two.
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
        """Put numbers on record, with an audit event for each."""
        registration.put(session, actor, items)

    def summary(self, report: Report, items: Sequence[Prepared]) -> Mapping[str, object]:
        """Return how many rows had which outcome."""
        return {
            "added": len(items),
            "already_here": report.count(Outcome.HERE),
            "differing": report.count(Outcome.DIFFERS),
            "refused": report.wrong,
        }
