"""What things are called on screen and in files: one word for one thing everywhere."""

from db.attention import Attention
from db.campaigns import Trouble
from db.connections import Tested
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
CAMPAIGN = {
    CampaignStatus.DRAFT: "Draft",
    CampaignStatus.ACTIVE: "Active",
    CampaignStatus.PAUSED: "Paused",
    CampaignStatus.ENDED: "Ended",
}
TROUBLE = {
    Trouble.NO_PRIMARY: "No primary number",
    Trouble.EMPTY_POOL: "Empty pool",
    Trouble.FLAGGED_NUMBER: "Flagged number",
}
TESTED = {Tested.FAILED: "Failed", Tested.NEVER: "Never tested", Tested.PASSED: "Passed"}
ROLE = {Role.ADMIN: "Admin", Role.OPERATOR: "Operator", Role.VIEWER: "Viewer"}
ATTENTION = {
    Attention.WEBHOOKS_ELSEWHERE: "Webhooks elsewhere",
    Attention.NO_CONNECTION: "No connection",
    Attention.INACTIVE_CONNECTION: "Inactive connection",
    Attention.NO_AGENT: "Active without agent",
    Attention.SPAM_FLAGGED: "Spam-flagged",
    Attention.IDLE: "Idle",
    Attention.RESTRICTED: "Country restrictions",
}
MANAGED = {True: "Twilio-managed", False: "BYOT"}


def amount(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 number`, `1,204 numbers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
