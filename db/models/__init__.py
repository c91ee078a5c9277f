"""Every table. A reference between two things of a tenant carries the tenant, so none can cross."""

from db.models.audit import AuditEvent, AuditName
from db.models.campaigns import IN_POOL, Campaign, CampaignNumber, CampaignStatus, PoolStatus
from db.models.health import CampaignHealth, HealthFall, HealthLine, HealthPull, HealthSummary, HealthVersion
from db.models.jobs import GOING, Job, JobItem, JobState, Outcome, Replica
from db.models.numbers import (
    GONE,
    LIVE,
    UNSETTLED,
    Agent,
    Connection,
    NumberCount,
    NumberOrder,
    NumberStatus,
    NumberTag,
    NumberType,
    OrderKind,
    OrderState,
    PhoneNumber,
)
from db.models.people import ApiKey, KeyScope, Membership, Role, SignInThrottle, Tenant, User
