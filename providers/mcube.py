"""mCube (India): lines that are registered here; mCube documents no API for numbers or webhooks."""

from providers.base import Field, Provider


class MCube(Provider):
    """mCube (India): lines that are registered here; mCube documents no API for numbers or webhooks."""

    key = "mcube"
    name = "mCube"
    credential_fields = (Field("token", "Access token (JWT)", secret=True),)
    number_fields = (
        Field(
            "executive_number",
            "Executive number",
            help="The executive's line (exenumber) that mCube connects: 4 to 15 digits, with or without a leading +.",
            pattern=r"\+?[0-9]{4,15}",
            problem="An executive number has 4 to 15 digits, with or without a leading +.",
            placeholder="9876543210",
        ),
    )
    default_country = "IN"
    national_numbers = True
    limits = "mCube documents no API for numbers or webhooks. Add its numbers manually."
    # No verbs: without a documented API there is nothing to connect to; the token is kept for the voice platform.
