"""Every kind of job, by its name."""

from services.jobs.kinds import JobKind
from services.numbers import bulk

KINDS: dict[str, JobKind] = {kind.name: kind for kind in (*bulk.EDITING.values(), bulk.UNDOING)}
