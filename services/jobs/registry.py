"""Every kind of job, by its name."""

from services.campaigns.bulk import JOINING, LEAVING, RESTORING, SETTING
from services.campaigns.replacing import REPLACING
from services.health.call_log_jobs import READING
from services.health.health_import import HealthImport
from services.jobs.import_kinds import Importing
from services.jobs.kinds import JobKind
from services.numbers import bulk
from services.numbers.moving import MOVING
from services.numbers.number_import import NumberImport
from services.orders.bulk import IMPORTING, RELEASING, RESTORING_WEBHOOKS, SETTING_WEBHOOKS
from services.orders.comparing import COMPARING
from services.orders.reconcile_jobs import MARKING_RELEASED, SENDING_LABELS, TAKING_OVER

IMPORTS = {
    kind.name: kind
    for kind in (
        Importing("import_numbers", "Import numbers", NumberImport),
        Importing("import_health", "Import health", HealthImport),
    )
}
"""The kinds of jobs that write the rows of files."""

_ALL: tuple[JobKind, ...] = (
    *bulk.EDITING.values(),
    bulk.UNDOING,
    MOVING,
    RELEASING,
    SETTING_WEBHOOKS,
    RESTORING_WEBHOOKS,
    IMPORTING,
    COMPARING,
    MARKING_RELEASED,
    TAKING_OVER,
    SENDING_LABELS,
    JOINING,
    SETTING,
    LEAVING,
    REPLACING,
    RESTORING,
    READING,
    *IMPORTS.values(),
)
KINDS = {kind.name: kind for kind in _ALL}
