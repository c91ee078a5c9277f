"""The sandbox as an ASGI app: Twilio's three hosts and Exotel under four prefixes, faults and the ledger."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from providers.sandbox import available, belongings, exotel, faults, incoming, pricing, regulations, seeds
from providers.sandbox.endpoint import Handler, endpoint, signed
from providers.sandbox.replies import API_VERSION, ApiError
from providers.sandbox.store import Store


def create_app(state: Path) -> Starlette:
    """Return the sandbox whose memory is the file *state*, filled if it is new.

    `app.state.store` and `app.state.faults` are for the one who starts it.
    """
    store = Store(state)
    seeds.fill(store)
    exotel.fill(store)
    on = faults.Faults()
    app = Starlette(
        routes=[
            Mount(f"/api/{API_VERSION}/Accounts", routes=_api()),
            Mount("/pricing/v1/PhoneNumbers", routes=_pricing()),
            Mount("/numbers/v2/RegulatoryCompliance", routes=_numbers()),
            Route(
                "/exotel/v2_beta/Accounts/{account}/IncomingPhoneNumbers/{sid}", exotel.exophone, methods=["GET", "PUT"]
            ),
            Route("/faults", faults.endpoint, methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/ledger", _ledger),
            Route("/reach", _reach),
        ],
        middleware=[Middleware(faults.Faulty, faults=on)],
        exception_handlers={HTTPException: _no_resource},
    )
    app.state.store = store
    app.state.faults = on
    return app


def _api() -> list[Route]:
    numbers, number = "/{account}/IncomingPhoneNumbers.json", "/{account}/IncomingPhoneNumbers/{sid}.json"
    return [
        Route("/{account}.json", endpoint(belongings.account, of_account=True)),
        _route("/{account}/AvailablePhoneNumbers.json", available.countries),
        _route("/{account}/AvailablePhoneNumbers/{country}.json", available.country),
        _route("/{account}/AvailablePhoneNumbers/{country}/{type}.json", available.search),
        _route(numbers, incoming.index),
        _route(numbers, incoming.create, "POST"),
        _route(number, incoming.fetch),
        _route(number, incoming.update, "POST"),
        _route(number, incoming.delete, "DELETE"),
        _route("/{account}/Addresses.json", belongings.addresses),
        _route("/{account}/Addresses/{sid}.json", belongings.address),
        _route("/{account}/Calls.json", belongings.calls),
        _route("/{account}/Calls/{sid}.json", belongings.one_call),
    ]


def _pricing() -> list[Route]:
    return [_route("/Countries", pricing.countries), _route("/Countries/{country}", pricing.country)]


def _numbers() -> list[Route]:
    return [
        _route("/Bundles", belongings.bundles),
        _route("/Bundles/{sid}", belongings.bundle),
        _route("/Regulations", regulations.index),
        _route("/Regulations/{sid}", regulations.fetch),
    ]


def _route(path: str, handler: Handler, method: str = "GET") -> Route:
    return Route(path, endpoint(handler), methods=[method])


def _ledger(request: Request) -> Response:
    """Answer every purchase, its repetitions and release, oldest first; of one `number` or one `account` if asked."""
    store: Store = request.app.state.store
    with store.reading() as db:
        rows = db.execute(
            "SELECT * FROM ledger WHERE e164 = coalesce(?, e164) AND account_sid = coalesce(?, account_sid) "
            "ORDER BY id",
            (request.query_params.get("number"), request.query_params.get("account")),
        )
        return JSONResponse({"entries": [dict(row) for row in rows]})


def _reach(request: Request) -> Response:
    """Answer where a call to `number` would go, as somebody who calls it would notice."""
    found = incoming.calls_reach(request.app.state.store, request.query_params.get("number", ""))
    return JSONResponse({"reach": found})


def _no_resource(request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code = {404: 20404, 405: 20004}.get(status, 20500)
    return signed(ApiError(status, code, f"The requested resource {request.url.path} was not found").reply())
