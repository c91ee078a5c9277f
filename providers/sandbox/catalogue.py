"""What the sandbox sells: countries, types of number, prices, and what their regulators require."""

from collections.abc import Iterator
from dataclasses import dataclass

CURRENCY = "USD"


@dataclass(frozen=True)
class Prefix:
    """The first national digits of a range, and the place they belong to where numbers are geographic."""

    digits: str
    locality: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Range:
    """The numbers of one type in one country; `length` counts national digits."""

    price: str
    length: int
    prefixes: tuple[Prefix, ...]
    address: str = "none"
    bundle: bool = False
    features: tuple[str, ...] = ("voice", "sms")


@dataclass(frozen=True)
class Market:
    """A country and its ranges by Twilio's name of the type."""

    name: str
    calling_code: str
    ranges: dict[str, Range]


_AREAS = {
    "US": """
201 NJ Jersey City, 202 DC Washington, 206 WA Seattle, 210 TX San Antonio, 212 NY New York,
213 CA Los Angeles, 214 TX Dallas, 215 PA Philadelphia, 216 OH Cleveland, 303 CO Denver, 305 FL Miami,
310 CA Santa Monica, 312 IL Chicago, 313 MI Detroit, 314 MO St. Louis, 404 GA Atlanta, 407 FL Orlando,
408 CA San Jose, 412 PA Pittsburgh, 415 CA San Francisco, 503 OR Portland, 504 LA New Orleans, 510 CA Oakland,
512 TX Austin, 602 AZ Phoenix, 612 MN Minneapolis, 614 OH Columbus, 615 TN Nashville, 617 MA Boston,
619 CA San Diego, 628 CA San Francisco, 646 NY New York, 702 NV Las Vegas, 704 NC Charlotte, 713 TX Houston,
718 NY Brooklyn, 773 IL Chicago, 801 UT Salt Lake City, 813 FL Tampa, 916 CA Sacramento, 919 NC Raleigh
""",
    "CA": """
204 MB Winnipeg, 250 BC Victoria, 403 AB Calgary, 416 ON Toronto, 418 QC Quebec City, 514 QC Montreal,
604 BC Vancouver, 613 ON Ottawa, 647 ON Toronto, 778 BC Vancouver, 780 AB Edmonton, 902 NS Halifax,
905 ON Mississauga
""",
}
"""Area codes with their state or province and city."""

_MARKETS = """
AU 61 Australia
    local               3.00   9  any      -       voice              2 3 7 8
    mobile              6.50   9  local    bundle  voice,sms          41 48
    toll_free          16.00  10  none     -       voice              1800
BR 55 Brazil
    local               4.25  10  local    -       voice              11 21 31
    mobile             15.00  11  local    bundle  voice,sms          119 219
    toll_free          25.00  10  none     -       voice              800
CA 1 Canada
    local               1.15  10  none     -       voice,sms,mms,fax  areas
    toll_free           2.15  10  none     -       voice,sms          800
FR 33 France
    local               1.15   9  local    bundle  voice              1 4 5
    mobile             15.00   9  none     bundle  voice,sms          64 65
    national            1.15   9  none     bundle  voice              97
    toll_free          25.00   9  none     bundle  voice              805
DE 49 Germany
    local               1.15  10  local    bundle  voice              30 69 89
    mobile             15.00  11  none     bundle  voice,sms          151 157
    national            1.15  11  none     bundle  voice              32
    toll_free          25.00  10  none     -       voice              800
IN 91 India
    local               3.00  10  local    bundle  voice              11 22 80
    mobile             10.00  10  local    bundle  voice,sms          98 99
    toll_free          20.00  11  none     bundle  voice              1800
IE 353 Ireland
    local               1.15   8  any      -       voice              1
    mobile              5.00   9  none     bundle  voice,sms          85 87
    toll_free          15.00  10  none     -       voice              1800
JP 81 Japan
    local               4.50   9  local    bundle  voice              3 6
    national            4.50   9  none     bundle  voice              570
    toll_free          25.00   9  none     bundle  voice              120
    voip                4.50  10  foreign  -       voice              50
MX 52 Mexico
    local               6.25  10  none     -       voice,sms          55 33 81
    toll_free          35.00  10  foreign  -       voice              800
NL 31 Netherlands
    local               1.15   9  local    bundle  voice              10 20 70
    mobile              6.50   9  none     bundle  voice,sms          61 64
    machine_to_machine  4.00  11  none     -       voice,sms          970
    national            1.15   9  none     bundle  voice              85
    toll_free          16.00   7  none     -       voice              800
PL 48 Poland
    local               1.15   9  none     bundle  voice              12 22
    mobile              5.00   9  none     -       voice,sms          51 73
    shared_cost        25.00   9  none     -       voice              801
    toll_free          25.00   9  none     -       voice              800
SG 65 Singapore
    mobile             20.00   8  foreign  -       voice,sms          8 9
    toll_free          25.00  11  none     bundle  voice              1800
ES 34 Spain
    local               1.15   9  local    bundle  voice              91 93
    mobile             10.00   9  none     bundle  voice,sms          61 62
    shared_cost        20.00   9  none     -       voice              901
    toll_free          25.00   9  none     -       voice              900
SE 46 Sweden
    local               1.15   9  any      -       voice              8 31
    mobile              3.00   9  none     -       voice,sms          70 73
    toll_free          25.00   9  none     -       voice              20
GB 44 United Kingdom
    local               1.15  10  any      -       voice              113 121 131 161 203 207 208
    mobile              1.15  10  none     bundle  voice,sms          740 746
    national            1.15  10  any      -       voice              330 333
    toll_free           2.15  10  any      -       voice              800 808
US 1 United States
    local               1.15  10  none     -       voice,sms,mms,fax  areas
    toll_free           2.15  10  none     -       voice,sms,mms      833 844 855 866 877 888
"""
"""Countries with their calling codes; below each its types of number: monthly price, national digits, the address
and bundle that the regulator requires, features, and prefixes."""


def _read_markets() -> dict[str, Market]:
    markets: dict[str, Market] = {}
    for line in _MARKETS.strip().splitlines():
        if not line.startswith(" "):
            country, calling_code, name = line.split(maxsplit=2)
            markets[country] = Market(name, calling_code, {})
            continue
        type, price, length, address, bundle, features, prefixes = line.split(maxsplit=6)
        markets[country].ranges[type] = Range(
            price,
            int(length),
            tuple(_areas(country) if prefixes == "areas" else map(Prefix, prefixes.split())),
            address,
            bundle == "bundle",
            tuple(features.split(",")),
        )
    return markets


def _areas(country: str) -> Iterator[Prefix]:
    for area in _AREAS[country].replace("\n", " ").split(", "):
        digits, region, locality = area.split(maxsplit=2)
        yield Prefix(digits, locality.strip(), region)


MARKETS = _read_markets()


def resource(type: str) -> str:
    """Return the last part of the address under which *type* is searched: toll_free is TollFree."""
    return "".join(word.title() for word in type.split("_"))


def type_of(resource_name: str) -> str | None:
    """Return the type that is searched under *resource_name*, or None."""
    types = {type for market in MARKETS.values() for type in market.ranges}
    return next((type for type in types if resource(type) == resource_name), None)
