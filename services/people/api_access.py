"""What every address of the HTTP API shares: who asks with which key and how often, and how a request is refused."""

import base64
import json
from typing import Annotated, Any

import limits
from fastapi import Depends, FastAPI, HTTPException, Request, Security
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

import db.base.engine
from services.core import settings, validation
from services.core.access import Actor
from services.core.errors import (
    Conflict,
    DatabaseUnavailable,
    Forbidden,
    InvalidInput,
    NotFound,
    ServiceError,
    UnstorableText,
)
from services.people import api_keys
from services.people.api_keys import UnknownKey
from services.text import written_numbers

MOST_BYTES = 4 * 1024 * 1024
MOST_CHARACTERS = 200

_STATUS: dict[type[Exception], int] = {Forbidden: 403, NotFound: 404, Conflict: 409}


def storable(value: object) -> object:
    """Return what was sent, unless it is a text that no database could hold."""
    if isinstance(value, str) and written_numbers.storable(value) != value:
        raise ValueError("It contains a character that cannot be stored: NUL, or half a surrogate pair.")
    return value


Text = Annotated[str, Field(max_length=MOST_CHARACTERS, strict=True), BeforeValidator(storable)]
Id = Annotated[int, Field(gt=0, le=validation.LARGEST_ID)]
_Told = Annotated[str, BeforeValidator(written_numbers.printable)]


class RowProblem(BaseModel):
    """What is wrong with a field; rows count from 1, and 0 stands for the whole request."""

    row: int
    field: _Told
    problem: _Told


class Refusal(BaseModel):
    """Why nothing was done."""

    detail: str
    problems: list[RowProblem] = []


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "The API key is missing, unknown or revoked."},
    403: {"model": Refusal, "description": "The key does not allow this, or its tenant is suspended."},
    404: {"model": Refusal, "description": "There is no such thing in the tenant of the key."},
    409: {"model": Refusal, "description": "Something changed in the meantime, or the request was another one."},
    413: {"model": Refusal, "description": f"More than {MOST_BYTES // 1024**2} MB."},
    422: {"model": Refusal, "description": "Something that was sent cannot be used; each problem has its field."},
    429: {"model": Refusal, "description": "Too many requests; wait for the time in Retry-After."},
    503: {"model": Refusal, "description": "The database is unavailable; send it again later."},
}
_bearer = HTTPBearer(auto_error=False, description="An API key of the tenant.")
window = limits.strategies.MovingWindowRateLimiter(limits.storage.MemoryStorage())


class Refuse(HTTPException):
    """An answer that is a Refusal."""

    def __init__(
        self, status: int, detail: str, problems: list[RowProblem] | None = None, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, headers)
        self.problems = problems or []


def refuse_in_words(api: FastAPI) -> None:
    """Have every error of a caller answered as a Refusal."""
    api.add_exception_handler(HTTPException, _refused)
    api.add_exception_handler(RequestValidationError, _not_understood)
    for error in (ServiceError, DatabaseUnavailable, UnstorableText):
        api.add_exception_handler(error, _not_done)


async def _refused(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    refusal = Refusal(detail=str(exc.detail), problems=getattr(exc, "problems", []))
    return JSONResponse(refusal.model_dump(), exc.status_code, exc.headers)


async def _not_understood(_request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    problems = [RowProblem(row=0, field=str(error["loc"][-1]), problem=error["msg"]) for error in exc.errors()]
    return JSONResponse(Refusal(detail="The request cannot be understood.", problems=problems).model_dump(), 422)


async def _not_done(_request: Request, exc: Exception) -> JSONResponse:
    if isinstance(exc, DatabaseUnavailable):
        return JSONResponse(Refusal(detail=str(exc)).model_dump(), 503, {"Retry-After": "5"})
    status = next((status for kind, status in _STATUS.items() if isinstance(exc, kind)), 422)
    field = exc.field if isinstance(exc, InvalidInput) else ""
    problems = [RowProblem(row=0, field=field, problem=str(exc))] if field else []
    return JSONResponse(Refusal(detail=str(exc), problems=problems).model_dump(), status)


async def _asker(request: Request, key: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]) -> Actor:
    _slow_down(f"from {request.client.host if request.client else ''}")
    actor = await run_in_threadpool(_holder, key.credentials if key else "")
    _slow_down(f"key {actor.username}")
    return actor


Asker = Annotated[Actor, Depends(_asker)]
"""The program that asks, by its key; it is slowed down when it asks too often."""


def _slow_down(who: str) -> None:
    rate = limits.parse(settings.current().api_rate)
    if not window.hit(rate, who):
        raise Refuse(429, "Too many requests.", headers={"Retry-After": str(rate.get_expiry())})


def _holder(secret: str) -> Actor:
    if not secret:
        raise Refuse(401, "Send an API key: `Authorization: Bearer nd_...`.", headers={"WWW-Authenticate": "Bearer"})
    try:
        with db.base.engine.open_session() as session:
            return api_keys.holder(session, secret)
    except UnknownKey as exc:
        raise Refuse(401, str(exc), headers={"WWW-Authenticate": "Bearer"}) from exc


async def read_json(request: Request) -> Any:
    """Return the body as JSON, read no further than is allowed."""
    too_large = Refuse(413, f"At most {MOST_BYTES // 1024**2} MB.")
    if (validation.as_whole(request.headers.get("content-length", "0")) or 0) > MOST_BYTES:
        raise too_large
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise too_large
    try:
        return json.loads(bytes(body), object_pairs_hook=_once)
    except (ValueError, RecursionError) as exc:
        raise Refuse(422, "The body is not valid JSON.", [RowProblem(row=0, field="", problem=str(exc))]) from exc


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON. Raises ValueError when it says something twice: which is meant is not known."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)[:40]} appears twice in one object.")
    return found


def problems_of(exc: ValidationError, row: int = 0) -> list[RowProblem]:
    """Return what pydantic says is wrong, by field."""
    return [
        RowProblem(
            row=row,
            field=str(error["loc"][0]) if error["loc"] else "",
            problem=error["msg"].removeprefix("Value error, "),
        )
        for error in exc.errors(include_url=False, include_context=False, include_input=False)
    ]


def cursor_of(last: int) -> str:
    """Return where the next part of a list begins, as a program is told it."""
    return base64.urlsafe_b64encode(b"after " + str(last).encode()).decode().rstrip("=")


def after(cursor: str, start: int) -> int:
    """Return what a cursor stands for; *start* for none. Raises InvalidInput for one that was never given out."""
    if not cursor:
        return start
    try:
        word, _, last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition(" ")
    except ValueError:
        word = last = ""
    found = validation.as_whole(last)
    if word != "after" or found is None or found > validation.LARGEST_ID:
        raise InvalidInput("This cursor is unknown. Begin again without one.", field="cursor")
    return found
