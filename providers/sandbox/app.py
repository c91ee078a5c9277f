"""The sandbox as an ASGI app: Twilio's three hosts, Exotel, faults and the ledger."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from providers.sandbox import available, belongings, exotel, faults, incoming, pricing, regulations, seeds
from providers.sandbox.endpoint import endpoint, signed
from providers.sandbox.replies import API_VERSION, ApiError
from providers.sandbox.store import Store


def create_app(state: Path) -> Starlette:
    """Return the sandbox, which keeps its state in the file *state*, which is filled if it is new.

    `app.state.store` and `app.state.faults` are for whoever starts it.
    """
    store = Store(state)
    seeds.fill(store)
    exotel.fill(store)
    on = faults.Faults()
    app = Starlette(
        routes=[
            *_TWILIO,
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


_ACCOUNT = f"/api/{API_VERSION}/Accounts/{{account}}"
_COMPLIANCE = "/numbers/v2/RegulatoryCompliance"
_TWILIO = [
    Route(f"{_ACCOUNT}.json", endpoint(belongings.account, of_account=True)),
    *(
        Route(path, endpoint(handler), methods=[method])
        for method, path, handler in (
            ("GET", f"{_ACCOUNT}/AvailablePhoneNumbers.json", available.countries),
            ("GET", f"{_ACCOUNT}/AvailablePhoneNumbers/{{country}}/{{type}}.json", available.search),
            ("GET", f"{_ACCOUNT}/IncomingPhoneNumbers.json", incoming.index),
            ("POST", f"{_ACCOUNT}/IncomingPhoneNumbers.json", incoming.create),
            ("GET", f"{_ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", incoming.fetch),
            ("POST", f"{_ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", incoming.update),
            ("DELETE", f"{_ACCOUNT}/IncomingPhoneNumbers/{{sid}}.json", incoming.delete),
            ("GET", f"{_ACCOUNT}/Addresses.json", belongings.addresses),
            ("GET", f"{_ACCOUNT}/Calls.json", belongings.calls),
            ("GET", "/pricing/v1/PhoneNumbers/Countries/{country}", pricing.country),
            ("GET", f"{_COMPLIANCE}/Bundles", belongings.bundles),
            ("GET", f"{_COMPLIANCE}/Regulations", regulations.index),
        )
    ),
]


def _ledger(request: Request) -> Response:
    """Return all purchases, repeats and releases, oldest first, of one `number` or `account` if given."""
    store: Store = request.app.state.store
    with store.reading() as db:
        rows = db.execute(
            "SELECT * FROM ledger WHERE e164 = coalesce(?, e164) AND account_sid = coalesce(?, account_sid) "
            "ORDER BY id",
            (request.query_params.get("number"), request.query_params.get("account")),
        )
        return JSONResponse({"entries": [dict(row) for row in rows]})


def _reach(request: Request) -> Response:
    """Return where a call to `number` would go."""
    return JSONResponse(
        {"reach": incoming.calls_reach(request.app.state.store, request.query_params.get("number", ""))}
    )


def _no_resource(request: Request, exc: Exception) -> Response:
    status = exc.status_code if isinstance(exc, HTTPException) else 500
    code = {404: 20404, 405: 20004}.get(status, 20500)
    return signed(ApiError(status, code, f"The requested resource {request.url.path} was not found").reply())
