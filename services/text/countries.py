"""Countries as people and programs write them: English names old and new, and ISO 3166 codes in capitals."""

import difflib
import functools
import re
import unicodedata

import pycountry

from services.core.errors import InvalidInput
from services.text import numbering, written_numbers

_ALSO_CALLED = {
    "AE": ("UAE", "Emirates"),
    "AG": ("Antigua",),
    "BA": ("Bosnia",),
    "BF": ("Upper Volta",),
    "BJ": ("Dahomey",),
    "BQ": ("Bonaire",),
    "BY": ("Byelorussia",),
    "CD": ("DR Congo", "DRC", "Democratic Republic of Congo", "Democratic Republic of the Congo", "Zaire"),
    "CG": ("Republic of Congo", "Congo, Republic of the"),
    "CI": ("Ivory Coast",),
    "CN": ("Mainland China", "PRC"),
    "CV": ("Cape Verde Islands",),
    "CZ": ("Czech Republic", "Czech"),
    "FK": ("Falklands",),
    "GB": ("U.K.", "Great Britain", "Britain", "England", "Scotland", "Wales", "Northern Ireland", "England and Wales"),
    "HK": ("Hong Kong SAR", "Hongkong"),
    "IE": ("Republic of Ireland", "Eire"),
    "KH": ("Kampuchea",),
    "KN": ("Saint Kitts",),
    "KP": ("DPRK",),
    "KR": ("Korea", "Republic of Korea", "ROK"),
    "LA": ("Lao PDR",),
    "LK": ("Ceylon",),
    "MK": ("Macedonia", "FYR Macedonia", "FYROM"),
    "MM": ("Burma",),
    "MO": ("Macau", "Macao SAR", "Macau SAR"),
    "NL": ("Holland",),
    "PS": ("Palestine", "Palestinian Territory"),
    "ST": ("Sao Tome",),
    "SZ": ("Swaziland",),
    "TL": ("East Timor",),
    "TR": ("Turkey",),
    "TT": ("Trinidad",),
    "TW": ("Taiwan ROC",),
    "US": ("USA", "U.S.A.", "U.S.", "United States of America", "America"),
    "VA": ("Vatican", "Holy See"),
    "VC": ("Saint Vincent",),
    "VI": ("US Virgin Islands",),
    "XK": ("Republic of Kosovo",),
}
_SEVERAL = {"congo": "Congo - Kinshasa or Congo - Brazzaville", "virgin islands": "British or U.S. Virgin Islands"}
_LONGER_CODES = {"UK": "GB", "XKX": "XK"}
_NONE = {"none", "n a", "na", "nil", "null", "nothing", "not applicable", "not available", "false"}
_EVERY = {"all", "any", "every", "everywhere", "global", "international", "world", "worldwide", "yes", "true"}
_BETWEEN = re.compile(r"[;|\n]")


def read(text: str) -> list[str]:
    """Return the ISO codes of the countries in *text*, which semicolons, commas or line ends part; none for nothing.

    Raises InvalidInput for what is no country, and for what may be one or a word: `no` is asked back.
    """
    found: list[str] = []
    text = "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
    for part in _BETWEEN.split(text):
        names = [name.strip().strip('"').strip() for name in part.split(",")]
        while names:
            # `Korea, Republic of` has a comma of its own: the longest name is taken.
            most = next((n for n in range(len(names), 1, -1) if _find(", ".join(names[:n]))), 1)
            name, names = ", ".join(names[:most]), names[most:]
            if name:
                found.append(_code(name, alone=_key(name) == _key(text)))
    return found


def _code(name: str, *, alone: bool) -> str:
    quoted, key, code = written_numbers.echo(name), _key(name), _find(name)
    if alone and name == "NA":
        raise _no("NA can mean Namibia or “not available”. Write Namibia, or leave the cell empty for no restriction.")
    if code:
        return code
    if key in _EVERY:
        raise _no(f"{quoted} is not a country. Leave the cell empty for no restriction.")
    if name.upper() in numbering.countries():
        capitals = name.upper()
        raise _no(
            f"{quoted} can be a word or the code of {numbering.country_name(capitals)}. Write {capitals} for the "
            f"country, or leave the cell empty for no restriction."
        )
    if key in _NONE or not key:
        raise _no(f"{quoted} is not a country. Leave the cell empty for no restriction.")
    if key in _SEVERAL:
        raise _no(f"{quoted} can be {_SEVERAL[key]}. Write which one.")
    near = difflib.get_close_matches(key, _names(), 1, 0.8)
    meant = f" Did you mean {numbering.country_name(_names()[near[0]])}?" if near else ""
    raise _no(f"{quoted} is not a country that calls can come from or go to.{meant}")


def _find(name: str) -> str | None:
    if name in numbering.countries():
        return name
    return _codes().get(name) or _flags().get(name) or _names().get(_key(name))


@functools.cache
def _codes() -> dict[str, str]:
    """Return ISO codes of three letters, and those that are used like codes."""
    return {country.alpha_3: country.alpha_2 for country in pycountry.countries} | _LONGER_CODES


@functools.cache
def _flags() -> dict[str, str]:
    return {numbering.flag(code): code for code in numbering.countries()}


@functools.cache
def _names() -> dict[str, str]:
    """Return the code of each country by its names, as `_key` has them."""
    names = {_key(name): code for code, name in numbering.countries().items()}
    for country in pycountry.countries:
        for kind in ("name", "official_name", "common_name"):
            names.setdefault(_key(getattr(country, kind, "")), country.alpha_2)
    names |= {_key(name): code for code, others in _ALSO_CALLED.items() for name in others}
    known = numbering.countries()
    return {name: code for name, code in names.items() if code in known and len(name) > 2 and name not in _SEVERAL}


def _key(name: str) -> str:
    """Return a name as it is compared: without accents, signs and articles, whatever its case."""
    letters = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = re.sub(r"[^\w]+", " ", letters.casefold().replace("&", " and ").replace("'", "").replace("’", "")).split()
    return " ".join("saint" if word == "st" else word for word in words if word != "the")


def _no(message: str) -> InvalidInput:
    return InvalidInput(message, field="countries")
