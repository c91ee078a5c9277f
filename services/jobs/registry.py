"""Every kind of job, by its name."""

from services.jobs.kinds import JobKind
from services.numbers import bulk
from services.orders.bulk import IMPORTING, RELEASING, SETTING_WEBHOOKS

KINDS: dict[str, JobKind] = {
    kind.name: kind for kind in (*bulk.EDITING.values(), bulk.UNDOING, RELEASING, SETTING_WEBHOOKS, IMPORTING)
}
