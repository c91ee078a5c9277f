"""Numbers for sale: the types that each country has, and about thirty rows for any search."""

import re
import sqlite3
from typing import Any

from starlette.responses import JSONResponse, Response

from providers.sandbox.catalogue import MARKETS, resource, type_of
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import ApiError, PageRequest, account_path, not_found
from providers.sandbox.stock import digest
from providers.sandbox.store import national_name

MAX_ROWS = 30

_KEYPAD = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")
_PATTERN = re.compile(r"\+?[0-9a-z*%]+\$?")
_META = {"*": ".", "%": ".*"}


def countries(call: Call) -> Response:
    """Return the countries, all on one page as Twilio does."""
    rows = [_country(call, code) for code in MARKETS]
    return JSONResponse({"countries": rows, "uri": account_path(call.account.sid, "/AvailablePhoneNumbers")})


def search(call: Call) -> Response:
    """Return what is for sale; a type that the country lacks is an error, not an empty list."""
    code, type = call.params["country"].upper(), type_of(call.params["type"])
    if code not in MARKETS or type is None or type not in MARKETS[code].ranges:
        raise not_found(call.path)
    where, values = _conditions(call, code, type)
    pattern = _compiled(call.query["Contains"]) if "Contains" in call.query else None
    with call.store.reading() as db:
        rows = db.execute(
            f"SELECT stock.* FROM stock LEFT JOIN owned USING (e164) WHERE {where} ORDER BY place, e164",  # noqa: S608
            values,
        )
        matching = (row for row in rows if pattern is None or pattern.search(row["e164"].removeprefix("+")))
        most = min(PageRequest.of(call.query).size, MAX_ROWS)
        found = [_available(row) for row, _ in zip(matching, range(most), strict=False)]
    uri = account_path(call.account.sid, f"/AvailablePhoneNumbers/{code}/{resource(type)}")
    return JSONResponse({"available_phone_numbers": found, "uri": uri})


def _conditions(call: Call, code: str, type: str) -> tuple[str, list[Any]]:
    """Return the conditions of the query and their values; only fixed texts get into the SQL."""
    conditions = ["owned.sid IS NULL", "place IS NOT NULL", "country = ?", "type = ?"]
    values: list[Any] = [code, type]
    if "AreaCode" in call.query and code in ("US", "CA"):
        if not re.fullmatch(r"[2-9]\d\d", call.query["AreaCode"]):
            raise ApiError(400, 21451, f"Invalid area code: {call.query['AreaCode']}")
        conditions.append("stock.e164 LIKE ?")
        values.append(f"+1{call.query['AreaCode']}%")
    return " AND ".join(conditions), values


def _compiled(contains: str) -> re.Pattern[str]:
    lowered = contains.lower()
    if not 2 <= len(lowered) <= 16 or not _PATTERN.fullmatch(lowered):
        raise ApiError(400, 20001, f"Invalid pattern: {contains}")
    body = "".join(_META.get(char, char) for char in lowered.strip("+$").translate(_KEYPAD))
    return re.compile(("^" if lowered.startswith("+") else "") + body + ("$" if lowered.endswith("$") else ""))


def _country(call: Call, code: str) -> dict[str, Any]:
    base = f"/AvailablePhoneNumbers/{code}"
    return {
        "country_code": code,
        "country": MARKETS[code].name,
        "uri": account_path(call.account.sid, base),
        "beta": False,
        "subresource_uris": {
            type: account_path(call.account.sid, f"{base}/{resource(type)}") for type in MARKETS[code].ranges
        },
    }


def _available(row: sqlite3.Row) -> dict[str, Any]:
    features = row["features"].split(",")
    place = int(digest("place on earth", row["locality"])[:6], 16) / 0xFFFFFF if row["locality"] else None
    return {
        "friendly_name": national_name(row["e164"]),
        "phone_number": row["e164"],
        "lata": None,
        "rate_center": row["locality"].upper() if row["locality"] else None,
        "latitude": None if place is None else f"{30 + 15 * place:.6f}",
        "longitude": None if place is None else f"{-120 + 45 * place:.6f}",
        "locality": row["locality"],
        "region": row["region"],
        "postal_code": None,
        "iso_country": row["country"],
        "address_requirements": row["address"],
        "beta": False,
        # Spelt this way here, and in lower case on numbers that are owned.
        "capabilities": {
            "voice": "voice" in features,
            "SMS": "sms" in features,
            "MMS": "mms" in features,
            "fax": "fax" in features,
        },
    }
