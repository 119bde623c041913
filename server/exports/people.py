"""Who the users of a page are: what every export of people begins with."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from server.store import who
from server.store.sessions import ReadSession
from server.store.users import UserKey
from server.store.who import Who

from .sheets import Asked, Column

EMAIL = "email"
BY_PHONE = ("sms", "kakao", "whatsapp", "brand_message")
"""Channels whose addresses are telephone numbers; the first that has one tells it."""

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
    """By user, as facts name them: whom they turned out to be, with ids and addresses."""
    found = await who.by_keys(session, asked.project_id, keys, (EMAIL, *BY_PHONE))
    return {key: _person(one) for key, one in found.items()}


def _person(found: Who) -> Person:
    addresses = found.addresses
    phone = next((addresses[channel] for channel in BY_PHONE if channel in addresses), None)
    return Person(found.user_id, ", ".join(found.devices) or None, addresses.get(EMAIL), phone)
