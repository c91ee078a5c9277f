"""Exotel (India, Singapore): ExoPhones, whose webhooks can be read and set."""

from providers.base import Capability, Field, Vendor

VENDOR = Vendor(
    key="exotel",
    name="Exotel",
    capabilities=frozenset({Capability.READ_WEBHOOKS, Capability.SET_WEBHOOKS}),
    credential_fields=(
        Field("account_sid", "Account SID"),
        Field("api_key", "API key"),
        Field("api_token", "API token", secret=True),
        Field(
            "subdomain",
            "API subdomain",
            pattern=r"api(\.in)?\.exotel\.com",
            problem="The subdomain is api.exotel.com (Singapore) or api.in.exotel.com (Mumbai).",
            placeholder="api.exotel.com",
        ),
    ),
    default_country="IN",
    limits="Exotel sells and releases ExoPhones in its own dashboard; its API has no verb for it.",
)
