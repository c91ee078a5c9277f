"""Owned numbers: listed, bought, changed and released."""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import phonenumbers
from starlette.responses import JSONResponse, Response

from providers.sandbox.accounts import ADDRESSES, BUNDLES
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import API_VERSION, ApiError, PageRequest, account_path, not_found, rfc2822, v2010_page
from providers.sandbox.store import SETTINGS, Store, enter, number_sid, own, reshelve, timestamp

# Twilio's magic inputs for tests; +15005550006 needs no rule: it is simply for sale.
_MAGIC_TAKEN, _MAGIC_INVALID = "+15005550000", "+15005550001"
_MAGIC_AREA_WITHOUT, _MAGIC_AREA_WITH = "533", "500"
_TRIAL_NUMBERS = 1
_LABEL_LENGTH = 64
_PREFIXES = {"trunk_sid": "TK", "voice_application_sid": "AP", "sms_application_sid": "AP"}

_OWNED = "SELECT owned.*, country, type, address, features FROM owned JOIN stock USING (e164)"
_PARAMETERS = {"".join(word.title() for word in name.split("_")): name for name in SETTINGS}


def index(call: Call) -> Response:
    """Return a page of the account's numbers, newest first."""
    page = PageRequest.of(call.query)
    where, values = "account_sid = ?", [call.account.sid]
    if page.after is not None:
        where, values = f"{where} AND position < ?", [*values, page.after]
    if pattern := call.query.get("PhoneNumber"):
        # A part of a number; * stands for one digit.
        where, values = f"{where} AND e164 GLOB ?", [*values, f"*{re.sub(r'[^0-9+*]', '', pattern).replace('*', '?')}*"]
    with call.store.reading() as db:
        query = f"{_OWNED} WHERE {where} ORDER BY position DESC LIMIT ?"
        rows = db.execute(query, [*values, page.size + 1]).fetchall()
    path = account_path(call.account.sid, "/IncomingPhoneNumbers")
    return v2010_page(path, page, "incoming_phone_numbers", rows, _body, lambda row: row["position"])


def fetch(call: Call) -> Response:
    """Return one number."""
    with call.store.reading() as db:
        return JSONResponse(_body(_mine(db, call)))


def create(call: Call) -> Response:
    """Buy a number, or any in an area code. Buying an owned number changes it and costs nothing."""
    changes = _changes(call.form)
    with call.store.writing() as db:
        number = call.form.get("PhoneNumber") or _in_area(db, call.form.get("AreaCode"))
        holder = db.execute("SELECT account_sid, sid FROM owned WHERE e164 = ?", (number,)).fetchone()
        if holder is None:
            sid = _buy(db, call, number, changes)
        elif holder["account_sid"] == call.account.sid:
            sid = holder["sid"]
            _change(db, sid, changes)
            enter(db, "repeat", call.account.sid, number, sid)
        else:
            raise _taken(number)
        return JSONResponse(_body(_number(db, sid)), 201)


def update(call: Call) -> Response:
    """Change the settings of a number."""
    changes = _changes(call.form)
    with call.store.writing() as db:
        sid = _mine(db, call)["sid"]
        _change(db, sid, changes)
        return JSONResponse(_body(_number(db, sid)))


def delete(call: Call) -> Response:
    """Release a number, which is for sale again."""
    with call.store.writing() as db:
        row = _mine(db, call)
        if json.loads(row["settings"])["emergency_address_sid"]:
            raise ApiError(400, 20001, "An emergency address is registered to this number. Remove it first")
        db.execute("DELETE FROM owned WHERE sid = ?", (row["sid"],))
        reshelve(db, row["e164"])
        enter(db, "release", row["account_sid"], row["e164"], row["sid"])
    return Response(status_code=204)


def calls_reach(store: Store, e164: str) -> str:
    """Return where a call to *e164* would go: its trunk, else its application, else its voice URL with the method.

    Empty when nothing is set, or nobody owns the number.
    """
    with store.reading() as db:
        row = db.execute("SELECT settings FROM owned WHERE e164 = ?", (e164,)).fetchone()
    known = json.loads(row["settings"]) if row else {}
    to = f"{known.get('voice_method')} {known['voice_url']}" if known.get("voice_url") else ""
    return str(known.get("trunk_sid") or known.get("voice_application_sid") or to)


def _buy(db: sqlite3.Connection, call: Call, number: str, changes: Mapping[str, str]) -> str:
    if number == _MAGIC_TAKEN:
        raise _taken(number)
    stock = db.execute("SELECT * FROM stock WHERE e164 = ?", (number,)).fetchone()
    if stock is None:
        raise _taken(number) if _is_valid(number) else ApiError(400, 21421, f"{number} is not a valid number")
    held = db.execute("SELECT count(*) FROM owned WHERE account_sid = ?", (call.account.sid,)).fetchone()[0]
    if call.account.type == "Trial" and held >= _TRIAL_NUMBERS:
        raise ApiError(400, 21404, "Trial accounts are allowed only one number")
    _check_address(call.account.sid, stock, changes.get("address_sid"))
    _check_bundle(call.account.sid, stock, changes.get("bundle_sid"))
    purchases = db.execute("SELECT coalesce(max(id), 0) FROM ledger").fetchone()[0]
    sid = number_sid(call.account.sid, number, purchases + 1)
    own(db, call.account.sid, number, changes, sid=sid)
    enter(db, "purchase", call.account.sid, number, sid)
    return sid


def _in_area(db: sqlite3.Connection, area: str | None) -> str:
    if area is None:
        raise ApiError(400, 21421, "PhoneNumber or AreaCode is required")
    if not re.fullmatch(r"[2-9]\d\d", area):
        raise ApiError(400, 21451, f"Invalid area code: {area}")
    prefix = "+1" if area == _MAGIC_AREA_WITH else f"+1{area}"
    row = db.execute(
        "SELECT stock.e164 FROM stock LEFT JOIN owned USING (e164) WHERE sid IS NULL AND place IS NOT NULL "
        "AND country = 'US' AND type = 'local' AND stock.e164 LIKE ? ORDER BY place LIMIT 1",
        (f"{prefix}%",),
    ).fetchone()
    if row is None or area == _MAGIC_AREA_WITHOUT:
        raise ApiError(400, 21452, f"No phone numbers found in area code {area}")
    return str(row["e164"])


def _is_valid(number: str) -> bool:
    if number == _MAGIC_INVALID:
        return False
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _taken(number: str) -> ApiError:
    return ApiError(400, 21422, f"{number} is not available")


def _check_address(account_sid: str, stock: sqlite3.Row, address_sid: str | None) -> None:
    if stock["address"] == "none":
        return
    address = next((a for a in ADDRESSES if a.sid == address_sid and a.account_sid == account_sid), None)
    if address is None:
        raise ApiError(
            400, 21631, "Phone Number Requires an Address but the 'AddressSid' parameter was empty or unknown"
        )
    at_home = address.country == stock["country"]
    if (stock["address"] == "local" and not at_home) or (stock["address"] == "foreign" and at_home):
        raise ApiError(400, 21631, f"Phone Number Requires a {stock['address']} Address")


def _check_bundle(account_sid: str, stock: sqlite3.Row, bundle_sid: str | None) -> None:
    if not stock["bundle"]:
        return
    if not bundle_sid:
        raise ApiError(400, 21649, "Bundle required: BundleSid was empty")
    kind = (account_sid, stock["country"], stock["type"])
    bundle = next((b for b in BUNDLES if b.sid == bundle_sid and (b.account_sid, b.country, b.type) == kind), None)
    if bundle is None or not bundle.usable:
        # Twilio has two messages for this code.
        raise ApiError(400, 21649, "The given bundle does not satisfy the regulation of this number")


def _changes(form: Mapping[str, str]) -> dict[str, str]:
    changes = {_PARAMETERS[name]: value for name, value in form.items() if name in _PARAMETERS}
    if len(changes.get("friendly_name", "")) > _LABEL_LENGTH:
        raise ApiError(400, 20001, f"FriendlyName is longer than {_LABEL_LENGTH} characters")
    for name, value in changes.items():
        if value and name.endswith(("_url", "callback")) and not re.match(r"https?://[^\s/]", value):
            raise ApiError(400, 21502, f"{name} is not a valid URL")
        if name.endswith("_method") and value not in ("GET", "POST"):
            raise ApiError(400, 20001, f"{name} must be GET or POST")
        if value and name in _PREFIXES and not re.fullmatch(rf"{_PREFIXES[name]}[0-9a-f]{{32}}", value):
            raise ApiError(400, 20001, f"{name} is not a SID")
    return changes


def _change(db: sqlite3.Connection, sid: str, changes: Mapping[str, str]) -> None:
    settings = json.loads(_number(db, sid)["settings"]) | changes
    # A number has a trunk or a voice application: setting one clears the other.
    if changes.get("trunk_sid"):
        settings["voice_application_sid"] = ""
    elif changes.get("voice_application_sid"):
        settings["trunk_sid"] = ""
    settings["trunk_sid"] = settings["trunk_sid"] or None
    db.execute("UPDATE owned SET settings = ?, updated = ? WHERE sid = ?", (json.dumps(settings), timestamp(), sid))


def _mine(db: sqlite3.Connection, call: Call) -> sqlite3.Row:
    row: sqlite3.Row | None = _number(db, call.params["sid"])
    if row is None or row["account_sid"] != call.account.sid:
        raise not_found(call.path)
    return row


def _number(db: sqlite3.Connection, sid: str) -> Any:
    return db.execute(f"{_OWNED} WHERE sid = ?", (sid,)).fetchone()


def _body(row: sqlite3.Row) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(row["settings"])
    features = row["features"].split(",")
    path = f"/IncomingPhoneNumbers/{row['sid']}"
    emergency = bool(settings["emergency_address_sid"])
    return settings | {
        "sid": row["sid"],
        "account_sid": row["account_sid"],
        "phone_number": row["e164"],
        "type": row["type"],
        "address_requirements": row["address"],
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {name: name in features for name in ("voice", "sms", "mms", "fax")},
        "date_created": rfc2822(row["created"]),
        "date_updated": rfc2822(row["updated"]),
        "emergency_status": "Active" if emergency else "Inactive",
        "emergency_address_status": "registered" if emergency else "unregistered",
        "identity_sid": None,
        "origin": "twilio",
        "status": "in-use",
        "voice_caller_id_lookup": False,
        "voice_receive_mode": "voice",
        "uri": account_path(row["account_sid"], path),
        "subresource_uris": {"assigned_add_ons": account_path(row["account_sid"], f"{path}/AssignedAddOns")},
    }
