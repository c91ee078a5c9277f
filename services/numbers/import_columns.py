"""Columns of files of numbers: which fields they hold, what they are called, and what else they may be called."""

from services.connections.connections import all_providers

OWN = {
    "number": "Number",
    "connection": "Connection",
    "label": "Label",
    "agent": "Agent",
    "allowed_inbound": "Inbound countries",
    "allowed_outbound": "Outbound countries",
    "tags": "Tags",
    "notes": "Notes",
    "status": "Status",
}
"""Fields that every number has, and what their columns are called."""

PROVIDER_FIELDS = {
    field.name: (field.label, f"{provider.name} {field.label}", field.name)
    for provider in all_providers()
    for field in provider.number_fields
}
"""Fields that one provider's numbers have, and what their columns are called."""
TITLES = {**OWN, **{name: names[0] for name, names in PROVIDER_FIELDS.items()}}
"""What the columns of our fields are called."""

NUMBER_NAMES = (
    "number",
    "phone number",
    "phone",
    "phone no",
    "telephone number",
    "telephone",
    "tel",
    "tel no",
    "E.164",
    "E.164 number",
    "DID",
    "DID number",
    "DDI",
    "TN",
    "MSISDN",
    "CLI",
    "ANI",
    "caller id",
    "caller id number",
    "virtual number",
)
"""What a column of phone numbers is called by switches, carriers and dialers."""

NAMES = {
    "number": NUMBER_NAMES,
    "connection": ("connection", "telephony connection", "trunk"),
    "label": ("label", "name", "label (name)", "friendly name"),
    "agent": ("agent", "inbound agent", "inbound call agent"),
    "allowed_inbound": ("inbound countries", "allowed inbound countries", "allowed inbound"),
    "allowed_outbound": ("outbound countries", "allowed outbound countries", "allowed outbound"),
    "tags": ("tags", "tag"),
    "notes": ("notes", "note", "comment", "comments"),
    "status": ("status", "state"),
    **PROVIDER_FIELDS,
}
"""What else they may be called; case, spaces, underscores, dashes and dots do not matter."""
