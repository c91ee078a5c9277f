"""The HTTP API: programs send campaign health with a tenant's API key. `app.py` mounts it under `/api/v1`."""

import json
from typing import Annotated, Any

import limits
from fastapi import FastAPI, HTTPException, Query, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

import db.base.engine
from services.core import settings, validation
from services.core.access import Actor
from services.core.errors import Conflict, DatabaseUnavailable, Forbidden
from services.health.health_import import MOST, HealthImport
from services.jobs import imports
from services.jobs.imports import Outcome, Refused, Report, Result, Row
from services.people import api_keys
from services.people.api_keys import UnknownKey
from services.text import written_numbers

MOST_ROWS = 5_000
MOST_BYTES = 4 * 1024 * 1024
MOST_CHARACTERS = 200

_Count = Annotated[int, Field(ge=0, le=MOST, strict=True)]


def _storable(value: object) -> object:
    """Return what was sent, unless it is a text that no database could hold."""
    if isinstance(value, str) and written_numbers.storable(value) != value:
        raise ValueError("It contains a character that cannot be stored: NUL, or half a surrogate pair.")
    return value


def _name_or_id(value: object) -> object:
    """Return a campaign as it was sent, unless it is neither a name nor an id. True is no 1."""
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        return _storable(value)
    if type(value) is int:
        return value
    raise ValueError("Send the name or the id of a campaign.")


_Text = Annotated[str, Field(max_length=MOST_CHARACTERS, strict=True), BeforeValidator(_storable)]
_NameOrId = Annotated[int | str, BeforeValidator(_name_or_id)]
_Told = Annotated[str, BeforeValidator(written_numbers.printable)]


class DailyFact(BaseModel):
    """One day of calls of one number in one campaign. It replaces what was there for that key."""

    model_config = ConfigDict(extra="forbid")

    campaign: Annotated[_NameOrId, Field(description="Name or id of one of the tenant's campaigns.")]
    number: Annotated[_Text, Field(description="The number, preferably in E.164.", examples=["+14155552671"])]
    day: Annotated[_Text, Field(description="YYYY-MM-DD, in the tenant's zone, not in the future.")]
    attempts: Annotated[_Count, Field(description="Calls that reached the carrier.")]
    answered: Annotated[_Count, Field(description="No more than attempts.")]
    completed: Annotated[
        _Count | None, Field(description="Answered calls of 12 s or longer; by default answered minus short calls.")
    ] = None
    short_calls: Annotated[
        _Count, Field(description="Answered calls under 12 s; with completed, no more than answered.")
    ] = 0
    failed: Annotated[_Count, Field(description="Calls that did not reach the carrier.")] = 0
    spam_reports: _Count = 0


class Facts(BaseModel):
    """Up to 5,000 rows."""

    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[DailyFact], Field(min_length=1, max_length=MOST_ROWS)]


class RowProblem(BaseModel):
    """Why a row was refused; rows count from 1, and 0 stands for the whole body."""

    row: int
    field: _Told
    problem: _Told


class Answer(BaseModel):
    """What was written, and with `keep_good` which rows were not.

    Rows `not_in_pool` were written, though their number is not in the pool of their campaign.
    """

    added: int
    replaced: int
    refused: list[RowProblem]
    not_in_pool: list[RowProblem] = []


class Refusal(BaseModel):
    """Why nothing was written."""

    detail: str
    problems: list[RowProblem] = []


api = FastAPI(
    title="Numberdesk",
    version="1",
    description="Send campaign health: daily call facts by campaign and number.",
    docs_url=None,
    redoc_url=None,
)
_bearer = HTTPBearer(auto_error=False, description="An API key of the tenant.")
_window = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())

_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "The API key is missing, unknown or revoked."},
    403: {"model": Refusal, "description": "The tenant of the key is suspended."},
    409: {"model": Refusal, "description": "Something changed in the meantime; send it again."},
    413: {"model": Refusal, "description": f"More than {MOST_ROWS:,} rows or {MOST_BYTES // 1024**2} MB."},
    422: {"model": Refusal, "description": "Invalid rows, each with its field; nothing was written."},
    429: {"model": Refusal, "description": "Too many requests; wait for the time in Retry-After."},
    503: {"model": Refusal, "description": "The database is unavailable; send it again later."},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Facts"}}},
    }
}


class Refuse(HTTPException):
    """An answer that is a Refusal."""

    def __init__(
        self, status: int, detail: str, problems: list[RowProblem] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.problems = problems or []


@api.exception_handler(HTTPException)
async def _refused(_request: Request, exc: HTTPException) -> JSONResponse:
    refusal = Refusal(detail=str(exc.detail), problems=getattr(exc, "problems", []))
    return JSONResponse(refusal.model_dump(), exc.status_code, exc.headers)


@api.exception_handler(RequestValidationError)
async def _not_understood(_request: Request, exc: RequestValidationError) -> JSONResponse:
    problems = [RowProblem(row=0, field=str(error["loc"][-1]), problem=error["msg"]) for error in exc.errors()]
    return JSONResponse(Refusal(detail="Unknown address.", problems=problems).model_dump(), 422)


@api.post("/campaign-health", responses=_REFUSALS, openapi_extra=_BODY, summary="Send daily facts")
async def send(
    request: Request,
    key: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
    keep_good: Annotated[bool, Query(description="Write the valid rows even if others are invalid.")] = False,
) -> Answer:
    """Write rows of campaign health: all, or none unless `keep_good` is true. Sending twice is the same as once."""
    _slow_down(f"from {request.client.host if request.client else ''}")
    actor = await run_in_threadpool(_holder, key.credentials if key else "")
    _slow_down(f"key {actor.username}")
    rows, problems = _rows(await _body(request))
    if problems and not keep_good:
        raise Refuse(422, "Some rows are invalid; nothing was written.", problems)
    return await run_in_threadpool(_save, actor, rows, problems, keep_good)


def _slow_down(who: str) -> None:
    rate = limits.parse(settings.current().api_rate)
    if not _window.hit(rate, who):
        raise Refuse(429, "Too many requests.", headers={"Retry-After": str(rate.get_expiry())})


def _holder(secret: str) -> Actor:
    if not secret:
        raise Refuse(401, "Send an API key: `Authorization: Bearer nd_...`.", headers={"WWW-Authenticate": "Bearer"})
    try:
        with db.base.engine.open_session() as session:
            return api_keys.holder(session, secret)
    except UnknownKey as exc:
        raise Refuse(401, str(exc), headers={"WWW-Authenticate": "Bearer"}) from exc
    except Forbidden as exc:
        raise Refuse(403, str(exc)) from exc
    except DatabaseUnavailable as exc:
        raise Refuse(503, str(exc), headers={"Retry-After": "5"}) from exc


async def _body(request: Request) -> bytes:
    """Return the body, read no further than is allowed."""
    size = request.headers.get("content-length", "0")
    if (validation.as_whole(size) or 0) > MOST_BYTES:
        raise Refuse(413, f"At most {MOST_BYTES // 1024**2} MB.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise Refuse(413, f"At most {MOST_BYTES // 1024**2} MB.")
    return bytes(body)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raises ValueError when it says something twice: which is meant is not known."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)[:40]} appears twice in one object.")
    return found


def _rows(body: bytes) -> tuple[list[Row], list[RowProblem]]:
    """Return the rows of a body, and what is wrong with others."""
    try:
        sent = json.loads(body, object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise Refuse(422, "The body is not valid JSON.", [RowProblem(row=0, field="", problem=str(exc))]) from exc
    given = sent.get("rows") if isinstance(sent, dict) else None
    if not isinstance(given, list) or not given or set(sent) != {"rows"}:
        problem = 'Send an object with only "rows", a list of at least one row.'
        raise Refuse(422, problem, [RowProblem(row=0, field="rows", problem=problem)])
    if len(given) > MOST_ROWS:
        raise Refuse(413, f"At most {MOST_ROWS:,} rows at once; this request has {len(given):,}.")
    rows: list[Row] = []
    problems: list[RowProblem] = []
    for at, one in enumerate(given, start=1):
        try:
            rows.append(Row(DailyFact.model_validate(one).model_dump(), at))
        except ValidationError as exc:
            for error in exc.errors(include_url=False, include_context=False, include_input=False):
                field = str(error["loc"][0]) if error["loc"] else ""
                problems.append(RowProblem(row=at, field=field, problem=error["msg"].removeprefix("Value error, ")))
    return rows, problems


def _save(actor: Actor, rows: list[Row], problems: list[RowProblem], keep_good: bool) -> Answer:
    if not rows:
        raise Refuse(422, "No row can be written.", problems)
    try:
        with db.base.engine.open_session() as session:
            report = imports.save(session, actor, HealthImport(), rows, source=actor.name, keep_good=keep_good)
    except Refused as exc:
        raise Refuse(422, "Some rows are invalid; nothing was written.", _wrong(exc.report, problems)) from exc
    except Conflict as exc:
        raise Refuse(409, str(exc)) from exc
    except DatabaseUnavailable as exc:
        raise Refuse(503, str(exc), headers={"Retry-After": "5"}) from exc
    return Answer(
        added=report.count(Outcome.ADDED),
        replaced=report.count(Outcome.REPLACED),
        refused=_wrong(report, problems),
        not_in_pool=[_problem(result) for result in report.having(*imports.WRITTEN) if result.reason],
    )


def _wrong(report: Report, problems: list[RowProblem]) -> list[RowProblem]:
    """Return what is wrong with rows: their types, and what `imports` says."""
    return sorted([*problems, *map(_problem, report.having(*imports.WRONG))], key=lambda problem: problem.row)


def _problem(result: Result) -> RowProblem:
    return RowProblem(row=result.row, field=result.field, problem=result.reason)


def _document() -> dict[str, Any]:
    """Return the OpenAPI document, with the schema of the body, which is read manually to bound its size."""
    if api.openapi_schema is None:
        document = _generated()
        schemas = document["components"]["schemas"]
        body = Facts.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= {**body.pop("$defs"), "Facts": body}
        document["servers"] = [{"url": "/api/v1"}]
        api.openapi_schema = document
    return api.openapi_schema


_generated = api.openapi
api.openapi = _document  # type: ignore[method-assign]  # FastAPI's own way of extending the document
