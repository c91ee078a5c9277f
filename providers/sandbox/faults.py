"""Faults that a test or a demo switches on, and the middleware that applies them."""

import asyncio
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from itertools import count
from threading import Lock
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from providers.sandbox import wires
from providers.sandbox.endpoint import signed
from providers.sandbox.replies import ApiError

_SPARED = ("/faults", "/ledger", "/reach")


class Kind(StrEnum):
    """What goes wrong; "after" means after the request took effect."""

    DELAY = "delay"  # takes effect at once, answers late
    LATE = "late"  # takes effect late, then answers
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    ERROR_AFTER = "error_after"
    TOO_MANY = "429"
    CROWDED = "crowded"  # 429 while `at_once` requests are being served, each of which takes `seconds`
    UNAVAILABLE = "503"
    ERROR = "error"  # any other refusal, without effect


@dataclass(frozen=True)
class Fault:
    """A fault: its kind, the requests it is for, how often it occurs (None: until it is removed), and details."""

    kind: Kind
    method: str = ""
    path: str = ""
    times: int | None = 1
    seconds: float = 0.0
    at_once: int = 1
    retry_after: float | None = None
    status: int = 500
    code: int | None = None
    message: str = "Switched on from outside"
    problem: bool = False

    @classmethod
    def of(cls, body: Any) -> "Fault":
        """Return a fault from JSON. Raises ValueError for unknown keys or kinds."""
        known = {field.name for field in fields(cls)}
        if not isinstance(body, dict) or "kind" not in body or not known.issuperset(body):
            raise ValueError(f"A fault is an object with a kind, and may have {', '.join(sorted(known - {'kind'}))}.")
        return cls(**{**body, "kind": Kind(str(body["kind"])), "method": str(body.get("method", "")).upper()})

    def meets(self, method: str, path: str) -> bool:
        """Return whether the fault is for this request; an empty method or path matches any."""
        return self.method in ("", method) and self.path in path

    def refusal(self) -> Response:
        """Return the error that the fault answers with."""
        if self.kind in (Kind.TOO_MANY, Kind.CROWDED):
            pause = {} if self.retry_after is None else {"Retry-After": f"{self.retry_after:g}"}
            return signed(ApiError(429, 20429, "Too Many Requests").reply(pause))
        if self.kind is Kind.UNAVAILABLE:
            return signed(ApiError(503, 20503, "Service Unavailable").reply())
        if self.problem:
            body = {"type": "https://www.twilio.com/docs/errors", "title": "Problem", "status": self.status}
            return signed(JSONResponse(body | {"code": self.code, "detail": self.message}, self.status))
        return signed(ApiError(self.status, self.code or 20500, self.message).reply())


class Faults:
    """The active faults, oldest first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._ids = count(1)
        self._on: dict[int, Fault] = {}

    def add(self, fault: Fault) -> int:
        """Switch *fault* on and return its id."""
        with self._lock:
            id = next(self._ids)
            self._on[id] = fault
            return id

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._on.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for this request, if any, and count it."""
        with self._lock:
            for id, fault in self._on.items():
                if fault.meets(method, path):
                    if fault.times == 1:
                        del self._on[id]
                    elif fault.times is not None:
                        self._on[id] = replace(fault, times=fault.times - 1)
                    return fault
            return None

    def listing(self) -> list[dict[str, Any]]:
        """Return the active faults as JSON."""
        with self._lock:
            return [{"id": id} | asdict(fault) for id, fault in self._on.items()]


async def endpoint(request: Request) -> Response:
    """List the faults (GET), add to them (POST), replace them (PUT; one or a list), or remove them (DELETE)."""
    faults: Faults = request.app.state.faults
    if request.method in ("POST", "PUT"):
        try:
            body = await request.json()
            wanted = [Fault.of(item) for item in (body if isinstance(body, list) else [body])]
        except (ValueError, TypeError) as exc:
            return JSONResponse({"error": str(exc)}, 400)
        if request.method == "PUT":
            faults.clear()
        for fault in wanted:
            faults.add(fault)
    elif request.method == "DELETE":
        faults.clear()
    return JSONResponse({"faults": faults.listing()}, 201 if request.method == "POST" else 200)


class Faulty:
    """Applies the faults to the requests of an app."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults
        self._served = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        spared = scope["type"] != "http" or path.startswith(_SPARED)
        fault = None if spared else self._faults.take(scope["method"], path)
        if fault is None:
            await self._app(scope, receive, send)
            return
        match fault.kind:
            case Kind.DELAY:
                held: list[Message] = []
                await self._app(scope, receive, _keeping(held))
                await asyncio.sleep(fault.seconds)
                for message in held:
                    await send(message)
            case Kind.LATE:
                await self._app(scope, await _after(fault.seconds, receive), send)
            case Kind.DROP_BEFORE:
                await wires.cut(scope, receive)
            case Kind.DROP_AFTER:
                await self._app(scope, receive, _keeping([]))
                await wires.cut(scope, receive)
            case Kind.ERROR_AFTER:
                await self._app(scope, receive, _keeping([]))
                await fault.refusal()(scope, receive, send)
            case Kind.CROWDED if self._served < fault.at_once:
                self._served += 1
                try:
                    await asyncio.sleep(fault.seconds)
                    await self._app(scope, receive, send)
                finally:
                    self._served -= 1
            case Kind.CROWDED | Kind.TOO_MANY | Kind.UNAVAILABLE | Kind.ERROR:
                await fault.refusal()(scope, receive, send)


async def _after(seconds: float, receive: Receive) -> Receive:
    """Read the request, wait, and return a `receive` that yields it again: the caller may hang up meanwhile."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    await asyncio.sleep(seconds)

    async def again() -> Message:
        return messages.pop(0) if messages else await receive()

    return again


def _keeping(messages: list[Message]) -> Send:
    async def keep(message: Message) -> None:
        messages.append(message)

    return keep
