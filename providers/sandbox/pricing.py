"""Monthly prices of numbers, a country at a time."""

from starlette.responses import JSONResponse, Response

from providers.sandbox.catalogue import CURRENCY, MARKETS
from providers.sandbox.endpoint import Call
from providers.sandbox.replies import not_found


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
    return JSONResponse(
        {
            "country": MARKETS[code].name,
            "iso_country": code,
            "url": f"https://pricing.twilio.com/v1/PhoneNumbers/Countries/{code}",
            "phone_number_prices": prices,
            "price_unit": CURRENCY,
        }
    )
