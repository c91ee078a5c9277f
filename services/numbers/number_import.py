"""Import of numbers of any provider by file, by the rules of `registration`.

Existing numbers stay as they are, and differences from the file are shown, unless they are to be updated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from sqlmodel import Session

import db.numbers.queries
from db.base.scope import Scope
from services.audit import audit
from services.audit.audit import Action, Subject
from services.core.access import Actor, Permission, require, require_tenant
from services.core.errors import Conflict
from services.jobs.imports import WRONG, ImportKind, Outcome, Row
from services.numbers import edits, registration
from services.numbers.import_fields import FIELDS
from services.numbers.import_rows import Item, NumberReader, Update
from services.numbers.registration import Prepared
from services.text.numbering import Bare

_LOST = "One of the numbers was added or changed in the meantime."


@dataclass(frozen=True)
class NumberImport(ImportKind[Item]):
    """An import of numbers; `connection_id` is the default connection.

    `insist` allows numbers outside known numbering plans; `bare` decides ambiguous numbers without +. `update` writes
    label, agent, countries and tags of numbers that are on record.
    """

    fields = FIELDS
    permission = Permission.NUMBERS_ADD
    action = Action.NUMBERS_IMPORT_FILE
    subject = "number"
    most_rows = 100_000
    lost = _LOST
    counted: ClassVar[Mapping[str, Sequence[Outcome]]] = {
        "added": (Outcome.ADDED,),
        "updated": (Outcome.UPDATED,),
        "already_here": (Outcome.HERE,),
        "differing": (Outcome.DIFFERS,),
        "refused": WRONG,
    }

    connection_id: int | None = None
    insist: bool = False
    bare: Bare | None = None
    update: bool = False

    @classmethod
    def chosen(cls, choices: Mapping[str, Any]) -> Self:
        """Return the import for which these *choices* were made."""
        bare = choices["bare"]
        return cls(choices["connection_id"], choices["insist"], Bare(bare) if bare else None, choices["update"])

    def reader(self, session: Session, actor: Actor, rows: Sequence[Row]) -> NumberReader:
        """Return a reader that knows the tenant's connections and agents."""
        if self.update:
            require(actor, Permission.NUMBERS_WRITE)
        return NumberReader(session, require_tenant(actor), self.connection_id, self.insist, self.bare, self.update)

    def write(self, session: Session, actor: Actor, items: Sequence[Item], job: int | None = None) -> Sequence[int]:
        """Add and update numbers, with an audit event for each."""
        require(actor, self.permission)
        added = [item for item in items if isinstance(item, Prepared)]
        ids = iter(registration.put(session, actor, added))
        self._update(session, actor, [item for item in items if isinstance(item, Update)], job)
        return [item.before.id if isinstance(item, Update) else next(ids) for item in items]

    def _update(self, session: Session, actor: Actor, items: Sequence[Update], job: int | None) -> None:
        if not items:
            return
        tenant_id = require_tenant(actor)
        locked = db.numbers.queries.lock_all(session, Scope(tenant_id), [item.before.id for item in items])
        events = []
        for item in items:
            number = locked.get(item.before.id)
            if number is None or number.version != item.before.version:
                raise Conflict(_LOST)
            edits.write(session, actor, number, item.before, item.after)
            number.version, number.updated_at = number.version + 1, datetime.now(UTC)
            before, after = edits.difference(item.before, item.after)
            about = Subject("number", number.id, number.e164, tenant_id, number.version)
            events.append((about, before, {**after, "job": job}))
        session.flush()
        audit.record_all(session, actor, Action.NUMBERS_UPDATE_BY_FILE, events)
