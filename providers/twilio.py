"""Twilio: numbers that are searched, bought, imported and released through its API."""

from providers.base import Capability, Field, Vendor

VENDOR = Vendor(
    key="twilio",
    name="Twilio",
    capabilities=frozenset(Capability),
    credential_fields=(
        Field(
            "account_sid",
            "Account SID",
            pattern=r"AC[0-9a-fA-F]{32}",
            problem="An Account SID is AC followed by 32 hexadecimal digits.",
            placeholder="AC…",
        ),
        Field("auth_token", "Auth token", secret=True),
    ),
)
