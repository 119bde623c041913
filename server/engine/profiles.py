"""What is known of users: attributes that events tell and steps set, and the time zone of a person."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from .state import UserState

TIME_ZONE = "timezone"
"""The attribute that holds a person's time zone, by its IANA name."""


def learn(user: UserState, traits: Mapping[str, Any]) -> None:
    """Takes over traits; an explicit null forgets one."""
    for name, value in traits.items():
        if value is None:
            user.attributes.pop(name, None)
        else:
            user.attributes[name] = value
    user.is_changed = True


def zone_of(user: UserState, otherwise: str) -> str:
    """The person's own time zone if it is known and there is such a zone."""
    found = user.attributes.get(TIME_ZONE)
    return found if isinstance(found, str) and is_zone(found) else otherwise


@cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Not found, no name at all, or a folder: what people send is not always a zone.
        return None


def is_zone(name: str) -> bool:
    return len(name) <= 64 and _zone(name) is not None
