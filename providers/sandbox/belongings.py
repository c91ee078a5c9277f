"""What an account has besides numbers: itself, its addresses, its bundles and its calls."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from providers.sandbox.accounts import ADDRESSES, BUNDLES, SandboxAddress, SandboxBundle
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import (
    API_VERSION,
    ApiError,
    PageRequest,
    account_path,
    meta_page,
    rfc2822,
    v2010_page,
)
from providers.sandbox.store import timestamp

_BUNDLES_URL = "https://numbers.twilio.com/v2/RegulatoryCompliance/Bundles"
_BORN = "2024-01-15T09:00:00Z"


def account(call: Call) -> Response:
    """Return the account, also a suspended or closed one."""
    return JSONResponse(
        {
            "sid": call.account.sid,
            "owner_account_sid": call.account.sid,
            "friendly_name": call.account.name,
            "status": call.account.status,
            "type": call.account.type,
            "auth_token": call.account.token,
            "date_created": rfc2822(_BORN),
            "date_updated": rfc2822(_BORN),
            "subresource_uris": {"calls": account_path(call.account.sid, "/Calls")},
            "uri": account_path(call.account.sid, ""),
        }
    )


def addresses(call: Call) -> Response:
    """Return a page of the account's addresses."""
    page = PageRequest.of(call.query)
    start = int(page.after or 0)
    rows = [row for row in ADDRESSES if row.account_sid == call.account.sid]
    return v2010_page(
        account_path(call.account.sid, "/Addresses"),
        page,
        "addresses",
        rows[start : start + page.size + 1],
        _address,
        lambda _last: start + page.size,
    )


def bundles(call: Call) -> Response:
    """Return a page of the account's bundles, of every status."""
    country, type = (call.query.get(name) for name in ("IsoCountry", "NumberType"))
    rows = [
        _bundle(row)
        for row in BUNDLES
        if row.account_sid == call.account.sid
        and country in (None, row.country)
        and type in (None, row.type.replace("_", "-"))
    ]
    return meta_page(_BUNDLES_URL, call.query, "results", rows)


def calls(call: Call) -> Response:
    """Return a page of the account's calls, newest first."""
    page = PageRequest.of(call.query)
    where, values = ["account_sid = ?"], [call.account.sid]
    for suffix, operator in (("<", "<"), (">", ">=")):  # before, and at or after
        if text := call.query.get(f"StartTime{suffix}"):
            where.append(f"started {operator} ?")
            values.append(_moment(text))
    if page.after is not None:
        started, _, sid = page.after.partition("_")
        where.append("(started, sid) < (?, ?)")
        values += [started, sid]
    with call.store.reading() as db:
        query = f"SELECT * FROM calls WHERE {' AND '.join(where)} ORDER BY started DESC, sid DESC LIMIT ?"  # noqa: S608
        rows = db.execute(query, [*values, page.size + 1]).fetchall()
    path = account_path(call.account.sid, "/Calls")
    return v2010_page(path, page, "calls", rows, _call, lambda row: f"{row['started']}_{row['sid']}")


def _moment(text: str) -> str:
    """Return a day or a time of the query, which is in UTC, as calls are stored."""
    try:
        return timestamp(datetime.fromisoformat(text).replace(tzinfo=UTC))
    except ValueError as exc:
        raise ApiError(400, 20001, f"Invalid StartTime: {text}") from exc


def _address(row: SandboxAddress) -> dict[str, Any]:
    return {
        "sid": row.sid,
        "account_sid": row.account_sid,
        "friendly_name": f"{row.customer_name}, {row.city}",
        "customer_name": row.customer_name,
        "street": row.street,
        "street_secondary": None,
        "city": row.city,
        "region": row.region,
        "postal_code": row.postal_code,
        "iso_country": row.country,
        "emergency_enabled": False,
        "validated": True,
        "verified": True,
        "date_created": rfc2822(_BORN),
        "date_updated": rfc2822(_BORN),
        "uri": account_path(row.account_sid, f"/Addresses/{row.sid}"),
    }


def _bundle(row: SandboxBundle) -> dict[str, Any]:
    return {
        "sid": row.sid,
        "account_sid": row.account_sid,
        "regulation_sid": None,
        "friendly_name": row.name,
        "status": row.status,
        "valid_until": None,
        "email": "compliance@numberdesk.example",
        "status_callback": None,
        "date_created": _BORN,
        "date_updated": _BORN,
        "url": f"{_BUNDLES_URL}/{row.sid}",
        "links": {"item_assignments": f"{_BUNDLES_URL}/{row.sid}/ItemAssignments"},
    }


def _call(row: sqlite3.Row) -> dict[str, Any]:
    started = datetime.fromisoformat(row["started"])
    inbound = row["direction"] == "inbound"
    return {
        "sid": row["sid"],
        "account_sid": row["account_sid"],
        "parent_call_sid": None,
        "from": row["from_number"],
        "from_formatted": row["from_number"],
        "to": row["to_number"],
        "to_formatted": row["to_number"],
        "direction": row["direction"],
        "status": row["status"],
        "start_time": rfc2822(row["started"]),
        "end_time": rfc2822(timestamp(started + timedelta(seconds=row["duration"]))),
        "duration": str(row["duration"]),
        "price": row["price"],
        "price_unit": "USD",
        "answered_by": row["answered_by"],
        "caller_name": "" if inbound else None,
        "date_created": rfc2822(row["started"]),
        "date_updated": rfc2822(row["started"]),
        "api_version": API_VERSION,
        "uri": account_path(row["account_sid"], f"/Calls/{row['sid']}"),
    }
