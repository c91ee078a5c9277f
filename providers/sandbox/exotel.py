"""A small Exotel: two ExoPhones of one account, whose webhooks can be read and set."""

import json
import secrets
import sqlite3
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from providers.sandbox.endpoint import credentials
from providers.sandbox.store import Store, once

ACCOUNT_SID = "numberdesk1"
API_KEY = "sandbox-key"
API_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox

# ExoPhones come in E.164 or in the national form.
NUMBERS = {"exo-1": "+918047180001", "exo-2": "01139585476"}
_PARAMETERS = {"VoiceUrl": "voice_url", "SMSUrl": "sms_url", "FriendlyName": "friendly_name"}


def fill(store: Store) -> None:
    """Add the ExoPhones to a new *store*."""
    flow = f"http://my.exotel.com/{ACCOUNT_SID}/exoml"
    with store.writing() as db:
        if once(db, "exophones"):
            for sid, number in NUMBERS.items():
                settings = {"friendly_name": number, "voice_url": f"{flow}/start_voice/1001", "sms_url": ""}
                db.execute(
                    "INSERT INTO exophones VALUES (?, ?, ?, ?)", (ACCOUNT_SID, sid, number, json.dumps(settings))
                )


async def exophone(request: Request) -> Response:
    """Return one ExoPhone, changed first by a PUT."""
    name, password = credentials(request)
    if not (secrets.compare_digest(name, API_KEY) and secrets.compare_digest(password, API_TOKEN)):
        return _error(401, "Authentication failed")
    form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
    changes = {_PARAMETERS[name]: value for name, value in form.items() if name in _PARAMETERS}
    row = await run_in_threadpool(_changed, request.app.state.store, request.path_params, changes)
    return _error(404, "ExoPhone not found") if row is None else JSONResponse(_body(row))


def _changed(store: Store, key: dict[str, str], changes: dict[str, str]) -> Any:
    with store.writing() as db:
        db.execute(
            "UPDATE exophones SET settings = json_patch(settings, ?) WHERE account_sid = ? AND sid = ?",
            (json.dumps(changes), key["account"], key["sid"]),
        )
        query = "SELECT * FROM exophones WHERE account_sid = ? AND sid = ?"
        return db.execute(query, (key["account"], key["sid"])).fetchone()


def _error(status: int, message: str) -> Response:
    return JSONResponse({"http_code": status, "error_data": {"code": status, "message": message}}, status)


def _body(row: sqlite3.Row) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads(row["settings"])
    return settings | {
        "sid": row["sid"],
        "account_sid": row["account_sid"],
        "phone_number": row["e164"],
        "country": "IN",
        "capabilities": {"voice": True, "sms": False},
        "uri": f"/v2_beta/Accounts/{row['account_sid']}/IncomingPhoneNumbers/{row['sid']}",
    }
