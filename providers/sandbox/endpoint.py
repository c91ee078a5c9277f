"""What all resources of Twilio share: authentication, parameters, errors and headers."""

import base64
import binascii
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from providers.sandbox.accounts import ACCOUNTS, KEYS, SandboxAccount
from providers.sandbox.replies import ApiError
from providers.sandbox.store import Store


@dataclass(frozen=True)
class Call:
    """An authenticated request, and the store to answer it from."""

    store: Store
    account: SandboxAccount
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]


Handler = Callable[[Call], Response]


def endpoint(handler: Handler, *, of_account: bool = False) -> Callable[[Request], Awaitable[Response]]:
    """Return *handler* behind authentication.

    The resource *of_account* is open to suspended and closed accounts, and closed to API keys.
    """

    async def handle(request: Request) -> Response:
        try:
            body = (await request.body()).decode()
            account = _authenticated(request, by_token_only=of_account)
            if account.status != "active" and not of_account:
                raise ApiError(403, 20005, f"Account {account.sid} is not active")
            call = Call(
                store=request.app.state.store,
                account=account,
                path=request.url.path,
                params=request.path_params,
                query=dict(request.query_params),
                form=dict(parse_qsl(body, keep_blank_values=True)),
            )
            response = await run_in_threadpool(handler, call)
        except ClientDisconnect:
            return Response()  # to nobody: a client that hangs up during its request has asked for nothing
        except ApiError as exc:
            response = exc.reply({"WWW-Authenticate": 'Basic realm="Twilio API"'} if exc.status == 401 else None)
        return signed(response)

    return handle


def signed(response: Response) -> Response:
    """Return *response* with the headers that all answers of Twilio have."""
    response.headers["Twilio-Request-Id"] = "RQ" + secrets.token_hex(16)
    response.headers["Twilio-Concurrent-Requests"] = "1"
    return response


def _authenticated(request: Request, *, by_token_only: bool) -> SandboxAccount:
    name, secret = credentials(request)
    key = None if by_token_only else KEYS.get(name)  # a standard key may not look at accounts
    account = ACCOUNTS.get(key.account_sid if key else name)
    expected = key.secret if key else account.token if account else ""
    if account is None or not secrets.compare_digest(expected.encode(), secret.encode()):
        raise ApiError(401, 20003, "Authenticate")
    if request.path_params.get("account", account.sid) != account.sid:
        raise ApiError(401, 20003, "Authenticate")
    return account


def credentials(request: Request) -> tuple[str, str]:
    """Return the name and the password of basic authentication; empty ones if there are none."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    name, _, password = decoded.partition(":")
    return name, password
