"""Countries in every usual writing, and words that are none."""

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.errors import InvalidInput
from services.text import countries, numbering


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("", []),
        (" ; , ", []),
        ("US", ["US"]),
        ("GBR", ["GB"]),
        ("IND; USA", ["IN", "US"]),
        ("DE, FR,IT", ["DE", "FR", "IT"]),
        ("India\nGermany", ["IN", "DE"]),
        ("hong kong", ["HK"]),
        ("Turkey; Türkiye; Turkiye", ["TR", "TR", "TR"]),
        ("Czech Republic, Czechia", ["CZ", "CZ"]),
        ("Bosnia and Herzegovina", ["BA"]),
        ("Bosnia & Herzegovina", ["BA"]),
        ("Côte d'Ivoire", ["CI"]),
        ("Cote d’Ivoire; Ivory Coast", ["CI", "CI"]),
        ("Korea; South Korea; Korea, Republic of", ["KR", "KR", "KR"]),
        ("Korea, Democratic People's Republic of, India", ["KP", "IN"]),
        ("Iran, Islamic Republic of; Bolivia, Plurinational State of", ["IR", "BO"]),
        ("Taiwan, Province of China", ["TW"]),
        ("Congo, The Democratic Republic of the", ["CD"]),
        ("Burma; Swaziland; Macedonia; Holland", ["MM", "SZ", "MK", "NL"]),
        ("The Netherlands", ["NL"]),
        ("England; Great Britain; UK; U.K.", ["GB"] * 4),
        ("USA; usa; U.S.A.; United States of America", ["US"] * 4),
        ("St. Kitts & Nevis; Saint Kitts and Nevis", ["KN", "KN"]),
        ("NO; IS", ["NO", "IS"]),
        ("NA; ZA", ["NA", "ZA"]),
        ("Namibia", ["NA"]),
        ("NAM", ["NA"]),
        ("Kosovo; XKX", ["XK", "XK"]),
        ("Congo, Republic of the; Lao PDR", ["CG", "LA"]),
        ("\u200bDE\u2060; ＦＲ", ["DE", "FR"]),
        ("🇩🇪; 🇫🇷 France", ["DE", "FR"]),
    ],
)
def test_a_country_is_known_by_its_names_and_codes(written: str, codes: list[str]) -> None:
    assert countries.read(written) == codes


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("no", "Write NO for the country, or leave the cell empty"),
        ("is", "the code of Iceland"),
        ("us", "Write US for the country"),
        ("De; FR", "Write DE for the country"),
        ("NA", "NA can mean Namibia or “not available”"),
        ("none", "eave the cell empty for no restriction"),
        ("n/a", "eave the cell empty for no restriction"),
        ("All", "eave the cell empty for no restriction"),
        ("—", "eave the cell empty for no restriction"),
        ("and", "is not a country"),
        ("Congo", "Congo - Kinshasa or Congo - Brazzaville"),
        ("Germny", "Did you mean Germany"),
        ("US; Atlantis", "Atlantis is not a country"),
        ("Antarctica", "is not a country that calls"),
        ("U\ud800", r"U\[U\+D800\] is not a country"),
    ],
)
def test_what_may_be_a_word_is_asked_back(written: str, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason) as refused:
        countries.read(written)
    assert refused.value.field == "countries"


def test_every_name_that_we_write_ourselves_and_every_iso_name_is_read_again() -> None:
    known = numbering.countries()
    assert {code: countries.read(name) for code, name in known.items()} == {code: [code] for code in known}
    for country in pycountry.countries:
        if country.alpha_2 in known and country.name != "Congo":
            assert countries.read(country.name) == [country.alpha_2]
            assert countries.read(country.alpha_3) == [country.alpha_2]


@given(st.text(max_size=30))
def test_whatever_is_written_is_known_or_refused_in_words(text: str) -> None:
    try:
        codes, told = countries.read(text), ""
    except InvalidInput as exc:
        codes, told = [], str(exc)
    assert set(codes) <= numbering.countries().keys()
    assert told.isprintable()
