"""Telephone numbers, as we keep them (+821012345678) and as a country dials them (01012345678)."""

from functools import cache, lru_cache
from importlib.resources import files

_REMEMBERED = 10_000
_NOWHERE = "ZZ"
"""Where only numbers with their country can be read."""


@lru_cache(_REMEMBERED)
def to_e164(number: str, region: str = "KR") -> str | None:
    """The number with its country, or None if it is no possible one.

    `region` (ISO 3166) is where a number without a country is dialled.
    """
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(_REMEMBERED)
def to_domestic(e164: str, region: str = "KR") -> str | None:
    """How the number is dialled inside the region, digits only; None if it is not a number of that region."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(e164, region)
    except phonenumbers.NumberParseException:
        return None
    if parsed.country_code != phonenumbers.country_code_for_region(region):
        return None
    national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(digit for digit in national if digit.isdecimal())


@cache
def region_of(zone: str) -> str:
    """The country of a time zone, as ISO 3166 calls it; ZZ for zones of no country, such as UTC."""
    table = files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == zone), _NOWHERE)
