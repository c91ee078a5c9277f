"""What things are called on screen and in files: one word for one thing everywhere."""

from db.models import CampaignStatus, NumberStatus, NumberType, OrderKind, OrderState, PoolStatus, Role
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
ORDER = {
    OrderKind.PURCHASE: "Purchase",
    OrderKind.IMPORT: "Import",
    OrderKind.RELEASE: "Release",
    OrderKind.WEBHOOKS: "Change of webhooks",
}
ORDER_STATE = {
    OrderState.PLACED: "Placed",
    OrderState.CONFIRMED: "Confirmed",
    OrderState.FAILED: "Failed",
    OrderState.UNKNOWN: "Not certain yet",
}
ROLE = {Role.ADMIN: "Admin", Role.OPERATOR: "Operator", Role.VIEWER: "Viewer"}
MANAGED = {True: "Twilio-managed", False: "BYOT"}


def amount(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun: `1 number`, `1,204 numbers`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"
