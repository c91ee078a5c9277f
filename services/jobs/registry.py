"""Every kind of job, by its name."""

from services.health.health_import import HealthImport
from services.jobs.import_kinds import Importing
from services.jobs.kinds import JobKind
from services.numbers import bulk
from services.numbers.number_import import NumberImport

IMPORTS: dict[str, Importing] = {
    kind.name: kind
    for kind in (
        Importing("import_numbers", "Import numbers", NumberImport),
        Importing("import_health", "Import health", HealthImport),
    )
}
"""The kinds of jobs that write the rows of files."""

KINDS: dict[str, JobKind] = {kind.name: kind for kind in (*bulk.EDITING.values(), bulk.UNDOING, *IMPORTS.values())}
