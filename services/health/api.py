"""Campaign health over the HTTP API: programs send daily facts of calls."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

import db.base.engine
from services.core.access import Actor, Permission, require
from services.health.health_import import MOST, HealthImport
from services.jobs import imports
from services.jobs.imports import Outcome, Refused, Report, Result, Row
from services.people.api_access import (
    MOST_BYTES,
    MOST_CHARACTERS,
    REFUSALS,
    Asker,
    Refuse,
    RowProblem,
    Text,
    problems_of,
    read_json,
    storable,
)

MOST_ROWS = 5_000
_INVALID = "Some rows are invalid; nothing was written."

_Count = Annotated[int, Field(ge=0, le=MOST, strict=True)]


def _name_or_id(value: object) -> object:
    """Return a campaign as it was sent, unless it is neither a name nor an id. True is no 1."""
    if isinstance(value, str) and len(value) <= MOST_CHARACTERS:
        return storable(value)
    if type(value) is int:
        return value
    raise ValueError("Send the name or the id of a campaign.")


_NameOrId = Annotated[int | str, BeforeValidator(_name_or_id)]


class DailyFact(BaseModel):
    """One day of calls of one number in one campaign. It replaces what was there for that key."""

    model_config = ConfigDict(extra="forbid")

    campaign: Annotated[_NameOrId, Field(description="Name or id of one of the tenant's campaigns.")]
    number: Annotated[Text, Field(description="The number, preferably in E.164.", examples=["+14155552671"])]
    day: Annotated[Text, Field(description="YYYY-MM-DD, in the tenant's zone, not in the future.")]
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


class Answer(BaseModel):
    """What was written, and with `keep_good` which rows were not.

    Rows `not_in_pool` were written, though their number is not in the pool of their campaign.
    """

    added: int
    replaced: int
    refused: list[RowProblem]
    not_in_pool: list[RowProblem] = []


router = APIRouter()
_REFUSALS: dict[int | str, dict[str, Any]] = {
    **{status: refusal for status, refusal in REFUSALS.items() if status != 404},
    413: REFUSALS[413] | {"description": f"More than {MOST_ROWS:,} rows or {MOST_BYTES // 1024**2} MB."},
    422: REFUSALS[422] | {"description": "Invalid rows, each with its field; nothing was written."},
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Facts"}}},
    }
}


@router.post("/campaign-health", responses=_REFUSALS, openapi_extra=_BODY, summary="Send daily facts")
async def send(
    request: Request,
    actor: Asker,
    keep_good: Annotated[bool, Query(description="Write the valid rows even if others are invalid.")] = False,
) -> Answer:
    """Write rows of campaign health: all, or none unless `keep_good` is true. Sending twice is the same as once."""
    require(actor, Permission.HEALTH_WRITE)
    rows, problems = _rows(await read_json(request))
    if problems and not keep_good:
        raise Refuse(422, _INVALID, problems)
    return await run_in_threadpool(_save, actor, rows, problems, keep_good)


def _rows(sent: Any) -> tuple[list[Row], list[RowProblem]]:
    """Return the rows of a body, and what is wrong with others."""
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
            problems += problems_of(exc, at)
    return rows, problems


def _save(actor: Actor, rows: list[Row], problems: list[RowProblem], keep_good: bool) -> Answer:
    if not rows:
        raise Refuse(422, "No row can be written.", problems)
    try:
        with db.base.engine.open_session() as session:
            report = imports.save(session, actor, HealthImport(), rows, source=actor.name, keep_good=keep_good)
    except Refused as exc:
        raise Refuse(422, _INVALID, _wrong(exc.report, problems)) from exc
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
