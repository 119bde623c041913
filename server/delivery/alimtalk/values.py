"""What the texts of a message may say of a coupon: `{{ coupon.code }}`, whoever put it into the event."""

from collections.abc import Mapping
from typing import Any

from server.journey.dates import Unreadable, find_date
from server.journey.local_time import day_of, instant_of
from server.journey.scopes import is_about_coupon

_CODES = ("coupon", "coupon_code", "coupon_id")
_CODES_OF_ITS_OWN = ("code", "coupon_code", "coupon_id", "coupon")
"""In an event about a coupon itself its code needs no longer name."""
_NAMES = ("coupon_name", "name")
_ENDS = ("expires_at", "expiresAt", "expires")


def coupon_of(event: str, properties: Mapping[str, Any], zone: str = "") -> Mapping[str, Any]:
    """The coupon that an event names, as `{{ coupon }}` shows it; empty if it names none. With a zone it says
    its last day."""
    told = properties.get("coupon")
    if isinstance(told, Mapping):
        return told
    is_about_one = is_about_coupon(event)
    code = _first(properties, _CODES_OF_ITS_OWN if is_about_one else _CODES)
    if code is None:
        return {}
    found = {"code": str(code), "expires_at": _first(properties, _ENDS)}
    if is_about_one:
        found |= {"name": _first(properties, _NAMES), "issued_at": properties.get("issued_at")}
    found["last_day"] = _last_day(found["expires_at"], zone)
    return {name: value for name, value in found.items() if value is not None}


def _last_day(expires_at: Any, zone: str) -> str | None:
    """The last day on which it can be used: of one that ends at midnight the day before."""
    found = find_date(expires_at, zone) if zone and expires_at else None
    if found is None or isinstance(found, Unreadable):
        return None
    if found.clock is None:
        return found.day.isoformat()
    return day_of(instant_of(found.day, found.clock, zone) - 1, zone).isoformat()


def row_of(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The other cells of the line of an upload by which somebody came in."""
    told = properties.get("row")
    return told if isinstance(told, Mapping) else {}


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    found = (properties.get(name) for name in names)
    return next((one for one in found if isinstance(one, str | int) and one not in ("", True, False)), None)
