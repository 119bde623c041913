"""Who the users of a page are: what every export of people begins with."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from server.store import users
from server.store.sessions import ReadSession
from server.store.tables import Endpoint
from server.store.users import UserKey

from .sheets import Asked, Column

EMAIL = "email"
BY_PHONE = ("sms", "kakao", "whatsapp")
"""Channels whose addresses are telephone numbers; the first that has one tells it."""
DEVICE = "anonymous_id"

COLUMNS = (
    Column("user_id", "사용자 ID", "User ID"),
    Column("device_ids", "HWID", "HWID"),
    Column("email", "이메일", "E-mail"),
    Column("phone", "전화번호", "Phone"),
)


class Person(NamedTuple):
    """A value for each of the columns; None where nothing is known, or nothing any more."""

    user_id: str | None = None
    device_ids: str | None = None
    email: str | None = None
    phone: str | None = None


NOBODY = Person()


async def people(session: ReadSession, asked: Asked, keys: Iterable[UserKey]) -> Mapping[UserKey, Person]:
    """By user, as facts name them: whom they turned out to be, with ids and addresses. Five statements."""
    finals = await users.finals(session, asked.project_id, set(keys))
    wanted = sorted(set(finals.values()))
    if not wanted:
        return {}
    found = await users.by_keys(session, asked.project_id, wanted)
    identities = await users.identities_by_users(session, asked.project_id, wanted)
    endpoints = await users.endpoints_by_users(session, asked.project_id, wanted)
    known: dict[UserKey, Person] = {}
    for key in wanted:
        devices = [one.value for one in identities.get(key, ()) if one.kind == DEVICE]
        addresses = _current(endpoints.get(key, ()))
        phone = next((addresses[channel] for channel in BY_PHONE if channel in addresses), None)
        user_id = found[key].user_id if key in found else None
        known[key] = Person(user_id, ", ".join(devices) or None, addresses.get(EMAIL), phone)
    return {key: known[final] for key, final in finals.items()}


def _current(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """By channel: the address in use. Those in use come first."""
    found: dict[str, str] = {}
    for one in endpoints:
        if one.is_current:
            found.setdefault(one.channel, one.address)
    return found
