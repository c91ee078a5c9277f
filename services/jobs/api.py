"""Jobs over the HTTP API: a bulk change is previewed or started, and looked after until it ends."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from sqlmodel import Session

import db.base.engine
from db.jobs.queries import JobRow
from db.models import JobState, Outcome
from services.core.access import Actor, Permission, require
from services.core.errors import Conflict, InvalidInput, found
from services.jobs import jobs
from services.jobs.drafts import MOST_ITEMS
from services.jobs.kinds import JobKind
from services.numbers import bulk
from services.numbers.api import MOST, NumberFilter
from services.numbers.bulk import Chosen
from services.orders import bulk as orders
from services.people.api_access import REFUSALS, Asker, Id, Refuse, after, cursor_of, problems_of, read_json, storable
from services.text import labels

_UTC = ZoneInfo("UTC")
_STRICT = ConfigDict(extra="forbid", strict=True)

router = APIRouter(responses=REFUSALS)


class Wanted(BaseModel):
    """The numbers that are meant: by their ids, or all that a filter finds."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Id], Field(max_length=MOST_ITEMS)] | None = None
    filter: NumberFilter | None = None

    def chosen(self) -> Chosen:
        """Return them as a selection in the list. Raises InvalidInput unless they are said in one way."""
        if (self.ids is None) is (self.filter is None):
            raise InvalidInput('Send either "ids" or "filter".', field="numbers")
        return Chosen(tuple(self.ids or ()), self.filter.query() if self.filter else None)


class BulkChange(BaseModel):
    """What is done to many numbers. `confirm` is how many change, where it cannot simply be undone."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"action": "assign_agent", "values": {"agent_id": 3}, "numbers": {"filter": {"tag": ["vip"]}}}]
        },
    )

    action: Annotated[str, Field(description="`assign_agent`, `add_tags`, `release` and so on.", max_length=32)]
    values: Annotated[dict[str, Any], Field(description="What the action needs.")] = {}
    numbers: Wanted
    confirm: Annotated[int, Field(ge=0, strict=True)] | None = None
    dry_run: Annotated[bool, Field(strict=True, description="Return the preview, and start nothing.")] = False


class Reason(BaseModel):
    """Why numbers are refused, and how many."""

    reason: str
    numbers: int


class JobOut(BaseModel):
    """A job: how far it is, and what came of its numbers. A preview has the id null and the state `draft`."""

    id: int | None
    action: str
    title: str
    state: JobState
    total: int
    done: int
    outcomes: dict[Outcome, int]
    reasons: list[Reason]
    problem: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ItemOut(BaseModel):
    """A number of a job and what became of it; `changes` are in words, `before` and `after` the values.

    Where a call log is read, `number` is the day.
    """

    number: str
    number_id: int | None
    outcome: Outcome
    reason: str
    changes: Annotated[str, Field(examples=["Status: Active → Inactive"])]
    before: dict[str, Any]
    after: dict[str, Any]


class Items(BaseModel):
    """Numbers of a job in their order, and the cursor of those after them, if any."""

    items: list[ItemOut]
    next: str | None


@dataclass(frozen=True)
class _Action:
    """Something that can be done to many: its kind of job, what drafts it, and what it needs."""

    kind: JobKind
    draft: Callable[..., int]
    values: type[BaseModel]


def _values_of(edit: Any) -> type[BaseModel]:
    """Return what a change needs, as its declaration says; the fields of a provider may be left out."""
    needed: dict[str, Any] = {}
    for one in fields(edit):
        default = {} if one.name == "provider_fields" else ... if one.default is MISSING else one.default
        needed[one.name] = (Id | None if one.type == int | None else one.type, default)
    return create_model(f"{edit.__name__}Values", __config__=_STRICT, **needed)


_ACTIONS = {
    name: _Action(kind, partial(bulk.draft, name), _values_of(kind.edit)) for name, kind in bulk.EDITING.items()
} | {
    orders.RELEASING.name: _Action(
        orders.RELEASING, orders.draft_release, create_model("ReleaseValues", __config__=_STRICT)
    ),
    orders.SETTING_WEBHOOKS.name: _Action(
        orders.SETTING_WEBHOOKS,
        orders.draft_webhooks,
        create_model("WebhookValues", __config__=_STRICT, stop_routing=(bool, False)),
    ),
}
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BulkChange"}}},
    }
}
_Key = Annotated[
    str, Header(alias="Idempotency-Key", min_length=1, max_length=128, description="The same for each try of a change.")
]


@router.post("/jobs", openapi_extra=_BODY, summary="Start a bulk change")
async def start(request: Request, actor: Asker, key: _Key) -> JobOut:
    """Preview a bulk change and start it, or with `dry_run` only preview it.

    The same key with the same body returns the job that was started, and starts nothing again.
    """
    require(actor, Permission.NUMBERS_WRITE)
    sent = await read_json(request)
    try:
        wanted = BulkChange.model_validate(sent)
    except ValidationError as exc:
        raise Refuse(422, "This change cannot be understood.", problems_of(exc)) from exc
    body = hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()
    return await run_in_threadpool(_start, actor, wanted, jobs.Request(key, body))


@router.get("/jobs/{job_id}", summary="Look how a job goes")
def read(actor: Asker, job_id: int) -> JobOut:
    """Return how far a job is."""
    require(actor, Permission.NUMBERS_READ)
    with db.base.engine.open_session() as session:
        return _told(session, actor, _started(session, actor, job_id))


@router.get("/jobs/{job_id}/items", summary="Read what became of the numbers of a job")
def read_items(
    actor: Asker,
    job_id: int,
    cursor: Annotated[str, Query(max_length=64)] = "",
    outcome: Annotated[list[Outcome], Query()] = [],  # noqa: B006 - FastAPI copies it
    limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
) -> Items:
    """Return the items of a job part by part, of any outcome or some."""
    require(actor, Permission.NUMBERS_READ)
    with db.base.engine.open_session() as session:
        job = _started(session, actor, job_id)
        rows = jobs.items_after(session, actor, job.id, outcome, after(cursor, -1), limit + 1)
    some = rows[:limit]
    items = [
        ItemOut(
            number=item.subject,
            number_id=item.number_id,
            outcome=item.outcome,
            reason=item.reason,
            changes=jobs.changes(item, _UTC),
            before=item.before,
            after=item.after,
        )
        for item in some
    ]
    return Items(items=items, next=cursor_of(some[-1].place) if len(rows) > len(some) else None)


def _started(session: Session, actor: Actor, job_id: int) -> JobRow:
    job = jobs.get(session, actor, job_id)
    return found(job if job.state is not JobState.DRAFT else None)


def _start(actor: Actor, wanted: BulkChange, request: jobs.Request) -> JobOut:
    action = _ACTIONS.get(wanted.action)
    if action is None:
        raise InvalidInput(f"There is no such action. There are {', '.join(_ACTIONS)}.", field="action")
    require(actor, action.kind.permission)
    try:
        values = action.values.model_validate(_storable(wanted.values))
    except (ValidationError, ValueError) as exc:
        problems = problems_of(exc) if isinstance(exc, ValidationError) else []
        raise Refuse(422, "The values do not fit the action.", problems) from exc
    with db.base.engine.open_session() as session:
        if not wanted.dry_run and (earlier := jobs.requested(session, actor, request)):
            return _told(session, actor, earlier)
        given = {name: getattr(values, name) for name in type(values).model_fields}
        draft = action.draft(session, actor, wanted.numbers.chosen(), **given)
        try:
            if wanted.dry_run:
                return _told(session, actor, jobs.get(session, actor, draft)).model_copy(update={"id": None})
            _expect_confirmed(jobs.get(session, actor, draft), wanted.confirm)
            jobs.start(session, actor, draft, str(wanted.confirm), request=request)
        except Conflict:
            if earlier := jobs.requested(session, actor, request):  # the same request came twice at once
                return _told(session, actor, earlier)
            raise
        finally:
            jobs.discard(session, actor, draft)  # unless it was started
        return _told(session, actor, jobs.get(session, actor, draft))


def _expect_confirmed(job: JobRow, confirm: int | None) -> None:
    left = job.total - job.done
    if left and ((confirm is None and jobs.is_confirmed(job)) or confirm not in (None, left)):
        raise InvalidInput(f"{labels.amount(left, 'number')} would change. Send {left} to confirm.", field="confirm")


def _storable(value: Any) -> Any:
    """Return what was sent. Raises ValueError for a text in it that no database could hold."""
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else storable(value)


def _told(session: Session, actor: Actor, job: JobRow) -> JobOut:
    preview = jobs.outcomes(session, actor, job.id)
    return JobOut(
        id=job.id,
        action=job.kind,
        title=job.title,
        state=job.state,
        total=job.total,
        done=job.done,
        outcomes=preview.outcomes,
        reasons=[Reason(reason=reason, numbers=n) for reason, n in preview.reasons],
        problem=job.problem,
        created_at=job.created_at.astimezone(UTC),
        started_at=job.started_at,
        ended_at=job.ended_at,
    )
