"""Every kind of job, by its name."""

from services.campaigns.bulk import JOINING, LEAVING, RESTORING, SETTING
from services.jobs.kinds import JobKind
from services.numbers import bulk
from services.orders.bulk import IMPORTING, RELEASING, SETTING_WEBHOOKS
from services.orders.reconcile_jobs import MARKING_RELEASED, TAKING_OVER

_ALL: tuple[JobKind, ...] = (
    *bulk.EDITING.values(),
    bulk.UNDOING,
    RELEASING,
    SETTING_WEBHOOKS,
    IMPORTING,
    MARKING_RELEASED,
    TAKING_OVER,
    JOINING,
    SETTING,
    LEAVING,
    RESTORING,
)
KINDS = {kind.name: kind for kind in _ALL}
