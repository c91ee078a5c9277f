"""Monthly prices of numbers, a country at a time."""

from typing import Any

from starlette.responses import JSONResponse, Response

from providers.sandbox.catalogue import CURRENCY, MARKETS
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import meta_page, not_found

_URL = "https://pricing.twilio.com/v1/PhoneNumbers/Countries"


def countries(call: Call) -> Response:
    """Return a page of the countries that have prices."""
    return meta_page(_URL, call.query, "countries", [_country(code) for code in MARKETS])


def country(call: Call) -> Response:
    """Return the prices of one country."""
    code = call.params["country"].upper()
    if code not in MARKETS:
        raise not_found(call.path)
    prices = [
        # A type has a space here and an underscore in searches.
        {"number_type": type.replace("_", " "), "base_price": range.price, "current_price": range.price}
        for type, range in MARKETS[code].ranges.items()
    ]
    return JSONResponse(_country(code) | {"phone_number_prices": prices, "price_unit": CURRENCY})


def _country(code: str) -> dict[str, Any]:
    return {"country": MARKETS[code].name, "iso_country": code, "url": f"{_URL}/{code}"}
