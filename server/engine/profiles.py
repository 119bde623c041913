"""What is known of users: attributes that events tell and steps set, and the time zone of a person."""

from collections.abc import Mapping
from typing import Any

from server.journey.local_time import TIME_ZONE, is_zone, zone_of_person

from .state import UserState

__all__ = ["TIME_ZONE", "is_zone", "learn", "zone_of"]


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
    return zone_of_person(user.attributes, otherwise)
