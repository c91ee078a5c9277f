"""Generic SIP: a number of any provider that has no file of its own here."""

from providers.base import Field, Provider


class GenericSip(Provider):
    """Generic SIP: a number of any provider that has no file of its own here."""

    key = "sip"
    name = "Generic SIP"
    credential_fields = (
        Field("domain", "SIP domain", placeholder="sip.example.com", required=False),
        Field("username", "User name", required=False),
        Field("password", "Password", required=False, secret=True),
    )
    limits = "A SIP trunk has no API for numbers. Add them manually."
    # No verbs: SIP carries calls; whoever sold the number has its own console.
