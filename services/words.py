"""What things are called on screen and in files: one word for one thing everywhere."""

from db.health_summary import Verdict
from db.models import CampaignStatus, NumberStatus, NumberType, PoolStatus, Role
from providers.verbs import NumberType as VendorType

STATUS = {
    NumberStatus.ACTIVE: "Active",
    NumberStatus.INACTIVE: "Inactive",
    NumberStatus.RELEASED: "Released",
    NumberStatus.REMOVED: "Removed",
}
TYPE = {
    NumberType.LOCAL: "Local",
    NumberType.MOBILE: "Mobile",
    NumberType.TOLL_FREE: "Toll-free",
    NumberType.NATIONAL: "National",
    NumberType.VOIP: "VoIP",
    NumberType.SHARED_COST: "Shared cost",
    NumberType.OTHER: "Other",
}
TYPE_AT_VENDOR = {
    VendorType.LOCAL: "Local",
    VendorType.TOLL_FREE: "Toll-free",
    VendorType.MOBILE: "Mobile",
    VendorType.NATIONAL: "National",
    VendorType.VOIP: "VoIP",
    VendorType.SHARED_COST: "Shared cost",
    VendorType.MACHINE_TO_MACHINE: "Machine to machine",
}
POOL = {
    PoolStatus.ACTIVE: "Active",
    PoolStatus.PAUSED: "Paused",
    PoolStatus.CAPPED: "Capped",
    PoolStatus.COOLING: "Cooling",
    PoolStatus.SPAM_FLAGGED: "Spam-flagged",
    PoolStatus.REMOVED: "Removed",
}
VERDICT = {
    Verdict.SPAM_FLAGGED: "Spam-flagged",
    Verdict.LOW: "Low",
    Verdict.FALLING: "Falling",
    Verdict.CAPPED: "Capped",
    Verdict.NEAR_CAP: "Near cap",
    Verdict.THIN: "Not enough data",
    Verdict.HEALTHY: "Healthy",
}
CAMPAIGN = {
    CampaignStatus.DRAFT: "Draft",
    CampaignStatus.ACTIVE: "Active",
    CampaignStatus.PAUSED: "Paused",
    CampaignStatus.ENDED: "Ended",
}
ROLE = {Role.ADMIN: "Admin", Role.OPERATOR: "Operator", Role.VIEWER: "Viewer"}
MANAGED = {True: "Twilio-managed", False: "BYOT"}


def amount(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 number`, `1,204 numbers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
