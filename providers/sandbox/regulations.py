"""What regulators require: one regulation for each type of number and kind of end user."""

from typing import Any

from starlette.responses import Response

from providers.sandbox.catalogue import MARKETS
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import meta_page
from providers.sandbox.stock import digest

_ROOT = "https://numbers.twilio.com/v2/RegulatoryCompliance"
_REGULATED = ("local", "mobile", "national", "toll_free")
_FILTERS = {"IsoCountry": "iso_country", "NumberType": "number_type"}

_ADDRESS = ("Address", "proof_of_address", "address", ("Utility Bill", "Tax Notice", "Rent Receipt"))
_PAPERS = {
    "individual": (("Identity", "proof_of_identity", "identity", ("Passport", "Government-issued ID")), _ADDRESS),
    "business": (
        ("Business Information", "business_info", "business", ("Commercial Registrar Excerpt", "Trade License")),
        _ADDRESS,
    ),
}
_FIELDS = {
    "individual": ("first_name", "last_name"),
    "business": ("business_name", "business_description"),
}


def index(call: Call) -> Response:
    """Return a page of the regulations."""
    rows = [row for row in _all() if all(call.query.get(name, row[key]) == row[key] for name, key in _FILTERS.items())]
    return meta_page(f"{_ROOT}/Regulations", call.query, "results", rows)


def _all() -> list[dict[str, Any]]:
    """Return a regulation for each kind of end user and each type of number that needs a bundle."""
    return [
        _regulation(code, market.name, type, end_user)
        for code, market in MARKETS.items()
        for type, range in market.ranges.items()
        if range.bundle and type in _REGULATED
        for end_user in _FIELDS
    ]


def _regulation(code: str, country: str, type: str, end_user: str) -> dict[str, Any]:
    sid = "RN" + digest("regulation", code, type, end_user)
    wire_type = type.replace("_", "-")
    return {
        "sid": sid,
        "friendly_name": f"{country}: {wire_type.replace('-', ' ').title()} - {end_user.title()}",
        "iso_country": code,
        "number_type": wire_type,
        "end_user_type": end_user,
        "requirements": {
            "end_user": [
                {
                    "name": end_user.title(),
                    "type": end_user,
                    "requirement_name": f"{end_user}_info",
                    "url": f"{_ROOT}/EndUserTypes/{end_user}",
                    "fields": list(_FIELDS[end_user]),
                    "detailed_fields": [_field(name) for name in _FIELDS[end_user]],
                }
            ],
            # A list of lists, as Twilio has it: everything in an inner one is required.
            "supporting_document": [[_paper(*paper) for paper in _PAPERS[end_user]]],
        },
        "url": f"{_ROOT}/Regulations/{sid}",
    }


def _paper(name: str, requirement: str, type: str, documents: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": name,
        "type": "document",
        "requirement_name": requirement,
        "description": f"Proof of the {type} of the end user.",
        "accepted_documents": [_document(document) for document in documents],
    }


def _document(name: str) -> dict[str, Any]:
    type = name.lower().replace(" ", "_").replace("-", "_")
    return {
        "name": name,
        "type": type,
        "url": f"{_ROOT}/SupportingDocumentTypes/{type}",
        "fields": ["document_number"],
        "detailed_fields": [_field("document_number")],
    }


def _field(name: str) -> dict[str, str]:
    spelled = name.replace("_", " ").capitalize()
    return {"machine_name": name, "friendly_name": spelled, "description": f"{spelled} of the end user"}
