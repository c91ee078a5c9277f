"""What the sandbox sells: countries, types of number, prices, and what their regulators ask for."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Prefix:
    """The first national digits of a range, and the place that they belong to where numbers tell it."""

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
    """A country, by ISO code and calling code, and its ranges by Twilio's name of the type."""

    name: str
    calling_code: str
    ranges: dict[str, Range]


def _places(table: str) -> tuple[Prefix, ...]:
    rows = (line.split(maxsplit=2) for line in table.strip().splitlines())
    return tuple(Prefix(digits, locality, region) for digits, region, locality in rows)


def _range(
    price: str,
    length: int,
    prefixes: str,
    *,
    address: str = "none",
    bundle: bool = False,
    features: tuple[str, ...] = ("voice",),
) -> Range:
    return Range(price, length, tuple(Prefix(digits) for digits in prefixes.split()), address, bundle, features)


_US_AREAS = _places("""
201 NJ Jersey City
202 DC Washington
206 WA Seattle
210 TX San Antonio
212 NY New York
213 CA Los Angeles
214 TX Dallas
215 PA Philadelphia
216 OH Cleveland
303 CO Denver
305 FL Miami
310 CA Santa Monica
312 IL Chicago
313 MI Detroit
314 MO St. Louis
404 GA Atlanta
407 FL Orlando
408 CA San Jose
412 PA Pittsburgh
415 CA San Francisco
503 OR Portland
504 LA New Orleans
510 CA Oakland
512 TX Austin
602 AZ Phoenix
612 MN Minneapolis
614 OH Columbus
615 TN Nashville
617 MA Boston
619 CA San Diego
628 CA San Francisco
646 NY New York
702 NV Las Vegas
704 NC Charlotte
713 TX Houston
718 NY Brooklyn
773 IL Chicago
801 UT Salt Lake City
813 FL Tampa
916 CA Sacramento
919 NC Raleigh
""")

_CA_AREAS = _places("""
204 MB Winnipeg
250 BC Victoria
403 AB Calgary
416 ON Toronto
418 QC Quebec City
514 QC Montreal
604 BC Vancouver
613 ON Ottawa
647 ON Toronto
778 BC Vancouver
780 AB Edmonton
902 NS Halifax
905 ON Mississauga
""")

_TEXTS = ("voice", "sms")
_NANP = ("voice", "sms", "mms", "fax")

MARKETS: dict[str, Market] = {
    "AU": Market(
        "Australia",
        "61",
        {
            "local": _range("3.00", 9, "2 3 7 8", address="any"),
            "mobile": _range("6.50", 9, "41 48", address="local", bundle=True, features=_TEXTS),
            "toll_free": _range("16.00", 10, "1800"),
        },
    ),
    "BR": Market(
        "Brazil",
        "55",
        {
            "local": _range("4.25", 10, "11 21 31", address="local"),
            "mobile": _range("15.00", 11, "119 219", address="local", bundle=True, features=_TEXTS),
            "toll_free": _range("25.00", 10, "800"),
        },
    ),
    "CA": Market(
        "Canada",
        "1",
        {
            "local": Range("1.15", 10, _CA_AREAS, features=_NANP),
            "toll_free": _range("2.15", 10, "800", features=_TEXTS),
        },
    ),
    "FR": Market(
        "France",
        "33",
        {
            "local": _range("1.15", 9, "1 4 5", address="local", bundle=True),
            "mobile": _range("15.00", 9, "64 65", bundle=True, features=_TEXTS),
            "national": _range("1.15", 9, "97", bundle=True),
            "toll_free": _range("25.00", 9, "805", bundle=True),
        },
    ),
    "DE": Market(
        "Germany",
        "49",
        {
            "local": _range("1.15", 10, "30 69 89", address="local", bundle=True),
            "mobile": _range("15.00", 11, "151 157", bundle=True, features=_TEXTS),
            "national": _range("1.15", 11, "32", bundle=True),
            "toll_free": _range("25.00", 10, "800"),
        },
    ),
    "IN": Market(
        "India",
        "91",
        {
            "local": _range("3.00", 10, "11 22 80", address="local", bundle=True),
            "mobile": _range("10.00", 10, "98 99", address="local", bundle=True, features=_TEXTS),
            "toll_free": _range("20.00", 11, "1800", bundle=True),
        },
    ),
    "IE": Market(
        "Ireland",
        "353",
        {
            "local": _range("1.15", 8, "1", address="any"),
            "mobile": _range("5.00", 9, "85 87", bundle=True, features=_TEXTS),
            "toll_free": _range("15.00", 10, "1800"),
        },
    ),
    "JP": Market(
        "Japan",
        "81",
        {
            "local": _range("4.50", 9, "3 6", address="local", bundle=True),
            "national": _range("4.50", 9, "570", bundle=True),
            "toll_free": _range("25.00", 9, "120", bundle=True),
            "voip": _range("4.50", 10, "50", address="foreign"),
        },
    ),
    "MX": Market(
        "Mexico",
        "52",
        {
            "local": _range("6.25", 10, "55 33 81", features=_TEXTS),
            "toll_free": _range("35.00", 10, "800", address="foreign"),
        },
    ),
    "NL": Market(
        "Netherlands",
        "31",
        {
            "local": _range("1.15", 9, "10 20 70", address="local", bundle=True),
            "mobile": _range("6.50", 9, "61 64", bundle=True, features=_TEXTS),
            "machine_to_machine": _range("4.00", 11, "970", features=_TEXTS),
            "national": _range("1.15", 9, "85", bundle=True),
            "toll_free": _range("16.00", 7, "800"),
        },
    ),
    "PL": Market(
        "Poland",
        "48",
        {
            "local": _range("1.15", 9, "12 22", bundle=True),
            "mobile": _range("5.00", 9, "51 73", features=_TEXTS),
            "shared_cost": _range("25.00", 9, "801"),
            "toll_free": _range("25.00", 9, "800"),
        },
    ),
    "SG": Market(
        "Singapore",
        "65",
        {
            "mobile": _range("20.00", 8, "8 9", address="foreign", features=_TEXTS),
            "toll_free": _range("25.00", 11, "1800", bundle=True),
        },
    ),
    "ES": Market(
        "Spain",
        "34",
        {
            "local": _range("1.15", 9, "91 93", address="local", bundle=True),
            "mobile": _range("10.00", 9, "61 62", bundle=True, features=_TEXTS),
            "shared_cost": _range("20.00", 9, "901"),
            "toll_free": _range("25.00", 9, "900"),
        },
    ),
    "SE": Market(
        "Sweden",
        "46",
        {
            "local": _range("1.15", 9, "8 31", address="any"),
            "mobile": _range("3.00", 9, "70 73", features=_TEXTS),
            "toll_free": _range("25.00", 9, "20"),
        },
    ),
    "GB": Market(
        "United Kingdom",
        "44",
        {
            "local": _range("1.15", 10, "113 121 131 161 203 207 208", address="any"),
            "mobile": _range("1.15", 10, "740 746", bundle=True, features=_TEXTS),
            "national": _range("1.15", 10, "330 333", address="any"),
            "toll_free": _range("2.15", 10, "800 808", address="any"),
        },
    ),
    "US": Market(
        "United States",
        "1",
        {
            "local": Range("1.15", 10, _US_AREAS, features=_NANP),
            "toll_free": _range("2.15", 10, "833 844 855 866 877 888", features=("voice", "sms", "mms")),
        },
    ),
}

CURRENCY = "USD"


def resource(type: str) -> str:
    """Return the last part of the address under which *type* is searched: toll_free is TollFree."""
    return "".join(word.title() for word in type.split("_"))


def type_of(resource_name: str) -> str | None:
    """Return the type that is searched under *resource_name*, or None."""
    types = {type for market in MARKETS.values() for type in market.ranges}
    return next((type for type in types if resource(type) == resource_name), None)
