"""Who is who in the demo workspace: tenants, connections, agents, campaigns, and which numbers they have."""

from decimal import Decimal

from phonenumbers import PhoneNumberType

from db.models import NumberType, Role

TENANTS = (
    ("Acme Voice", "America/New_York"),
    ("Bharat Dialers", "Asia/Kolkata"),
    ("Nordlicht Telefonie", "Europe/Berlin"),
)
HANDS = ("operator", "partner", "superadmin")
"""Who looks after the numbers of each tenant."""

ROLES = {
    "admin": {"Acme Voice": Role.ADMIN},
    "operator": {"Acme Voice": Role.OPERATOR},
    "viewer": {"Acme Voice": Role.VIEWER},
    "partner": {"Bharat Dialers": Role.OPERATOR, "Nordlicht Telefonie": Role.VIEWER},
}
HEALTH_DAYS = 60
SINCE = 420  # days over which the numbers were added

CONNECTIONS = {
    "Acme Voice": (
        ("Twilio main", "twilio", "US", True),
        ("Twilio legacy", "twilio", "US", False),
        ("SIP trunk Denver", "sip", "US", True),
    ),
    "Bharat Dialers": (
        ("Exotel Mumbai", "exotel", "IN", True),
        ("mCube Bengaluru", "mcube", "IN", True),
        ("Twilio India desk", "twilio", "IN", True),
    ),
    "Nordlicht Telefonie": (
        ("SIP Hamburg", "sip", "DE", True),
        ("SIP backup", "sip", "DE", False),
    ),
}
WEBHOOKS = {
    "voice_url": "https://voice.example.com/inbound",
    "status_callback": "https://voice.example.com/status",
}
OLD_WEBHOOKS = {
    "voice_url": "https://voice.example.com/v1/inbound",
    "status_callback": "https://voice.example.com/v1/status",
}
LARGEST_ACCOUNT = "Twilio main"
RENAMED_AT_TWILIO = {60: "Sales desk, new script", 75: "Do not use"}
RELEASED_AT_TWILIO = (30,)
ROUTED_AT_TWILIO = {
    45: {"trunk_sid": "TK" + "5" * 32},
    52: {
        "voice_method": "GET",
        "voice_fallback_url": "https://old.example.net/fallback",
        "voice_fallback_method": "GET",
    },
}
"""What somebody did in Twilio's own console, by the place of the number among those of the largest account."""

WITHOUT_PRIMARY = "Payment reminders"  # its primary number was released
PRICES = {  # a month, in USD
    ("US", NumberType.LOCAL): Decimal("1.15"),
    ("US", NumberType.TOLL_FREE): Decimal("2.15"),
    ("CA", NumberType.LOCAL): Decimal("1.15"),
    ("GB", NumberType.MOBILE): Decimal("1.15"),
    ("GB", NumberType.NATIONAL): Decimal("1.15"),
    ("AU", NumberType.LOCAL): Decimal("3.00"),
    ("BR", NumberType.LOCAL): Decimal("4.25"),
}
AGENTS = {
    "Acme Voice": ("Maya (sales)", "Leo (support)", "Nora (billing)", "Otto (after hours)", "Rita (temp)"),
    "Bharat Dialers": ("Asha (collections)", "Dev (sales)", "Kiran (surveys)"),
    "Nordlicht Telefonie": ("Greta (Empfang)", "Jonas (Service)"),
}
CAMPAIGNS = {
    "Acme Voice": ("Spring renewals", "Solar leads", "Payment reminders", "Winback", "Delivery updates"),
    "Bharat Dialers": ("Festive offers", "Loan follow-up", "KYC reminders"),
    "Nordlicht Telefonie": ("Terminerinnerung",),
}
NO_DIALER = ("Delivery updates",)  # nobody reports its calls, but they stand in the call log
# How many numbers of which country and type, by tenant and connection.
STOCK = {
    ("Acme Voice", "Twilio main"): (
        ("US", NumberType.LOCAL, 96),
        ("US", NumberType.TOLL_FREE, 18),
        ("CA", NumberType.LOCAL, 22),
        ("GB", NumberType.MOBILE, 14),
        ("AU", NumberType.LOCAL, 12),
        ("BR", NumberType.LOCAL, 10),
        ("FR", NumberType.NATIONAL, 6),
    ),
    ("Acme Voice", "Twilio legacy"): (("US", NumberType.LOCAL, 8),),
    ("Acme Voice", "SIP trunk Denver"): (("US", NumberType.LOCAL, 20), ("MX", NumberType.LOCAL, 6)),
    ("Bharat Dialers", "Exotel Mumbai"): (("IN", NumberType.LOCAL, 38), ("SG", NumberType.MOBILE, 8)),
    ("Bharat Dialers", "mCube Bengaluru"): (("IN", NumberType.MOBILE, 30), ("IN", NumberType.TOLL_FREE, 6)),
    ("Bharat Dialers", "Twilio India desk"): (("US", NumberType.LOCAL, 12), ("GB", NumberType.NATIONAL, 5)),
    ("Nordlicht Telefonie", "SIP Hamburg"): (
        ("DE", NumberType.LOCAL, 40),
        ("DE", NumberType.MOBILE, 10),
        ("ES", NumberType.LOCAL, 12),
        ("NL", NumberType.LOCAL, 12),
        ("JP", NumberType.VOIP, 4),
    ),
    ("Nordlicht Telefonie", "SIP backup"): (("DE", NumberType.SHARED_COST, 5), ("FR", NumberType.OTHER, 4)),
}
KIND = {
    NumberType.LOCAL: PhoneNumberType.FIXED_LINE,
    NumberType.MOBILE: PhoneNumberType.MOBILE,
    NumberType.TOLL_FREE: PhoneNumberType.TOLL_FREE,
    NumberType.NATIONAL: PhoneNumberType.UAN,
    NumberType.VOIP: PhoneNumberType.VOIP,
    NumberType.SHARED_COST: PhoneNumberType.SHARED_COST,
    NumberType.OTHER: PhoneNumberType.PREMIUM_RATE,
}
AREAS = {
    ("US", NumberType.LOCAL): ("415", "212", "312", "305", "512", "206", "617", "720"),
    ("US", NumberType.TOLL_FREE): ("800", "888", "877", "866"),
    ("CA", NumberType.LOCAL): ("416", "604", "514"),
}
LABELS = (
    "Sales desk", "Support line", "Billing", "Front desk", "Outbound", "Callback", "Survey line", "Reminder line",
    "Weekend line", "Partner line", "Launch", "Trial",
)  # fmt: skip
CITIES = ("North", "South", "East", "West", "Central", "Harbour", "Airport", "Old town")
TAGS = ("vip", "legacy", "warm-up", "print ad", "website", "port-in")
