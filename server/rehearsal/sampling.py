"""People copied from a project's users: what is known of them is, where they are reached is not."""

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import func, select

from server.store import consents, suppressed, users
from server.store.bulk import table_of
from server.store.same_address import same_address
from server.store.sessions import ReadSession
from server.store.tables import User
from server.store.users import UserKey

from .crowd import made_up_address
from .plan import Address, Agreement, Person

_users = table_of(User)
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")
_NUMBER = re.compile(r"\+?[\d][\d ()./-]{6,}\d")
_NAMES = (
    *("name", "firstname", "lastname", "middlename", "fullname", "givenname", "familyname"),
    *("surname", "nickname", "username", "displayname", "street", "avatar", "이름", "성명"),
)
"""Attributes that say who somebody is, without what parts their words."""
_MOST_DRAWS = 5
"""For each person wanted: users who turned out to be others are drawn in vain."""


async def sample(session: ReadSession, project_id: int, shards: int, count: int, seed: int) -> list[Person]:
    """So many of the project's users, or all if there are fewer; of one seed always the same."""
    keys = await _draw(session, project_id, shards, count, seed)
    found = await users.by_keys(session, project_id, keys) if keys else {}
    chosen = [key for key in keys if key in found and found[key].merged_into is None][:count]
    if not chosen:
        return []
    endpoints = await users.endpoints_by_users(session, project_id, chosen)
    decided = await consents.by_users(session, project_id, chosen)
    kept_from = await _suppressed(session, project_id, [one for own in endpoints.values() for one in own])
    return [
        _masked(number, found[key].attributes, endpoints.get(key, ()), decided.get(key, ()), kept_from)
        for number, key in enumerate(chosen, 1)
    ]


async def _suppressed(
    session: ReadSession, project_id: int, endpoints: Sequence[Any]
) -> dict[tuple[str, str], list[str]]:
    """By channel and address, as it is compared: the purposes for which nobody writes there."""
    by_channel: defaultdict[str, set[str]] = defaultdict(set)
    for one in endpoints:
        by_channel[one.channel].add(same_address(one.channel, one.address))
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for _, channel, address, purpose in await suppressed.until_by_address(session, project_id, by_channel):
        found[channel, address].append(purpose)
    return found


async def _draw(session: ReadSession, project_id: int, shards: int, count: int, seed: int) -> list[UserKey]:
    """Keys in a drawn order. Numbers are dense in a shard, so nothing has to be read to draw."""
    statement = (
        select(_users.c.shard, func.max(_users.c.number).label("last"))
        .where(_users.c.shard.in_(list(range(shards))), _users.c.project_id == project_id)
        .group_by(_users.c.shard)
        .order_by(_users.c.shard)
    )
    lasts = [(row.shard, row.last + 1) for row in await session.rows(statement)]
    whole = sum(size for _, size in lasts)
    places = random.Random(seed).sample(range(whole), min(whole, count * _MOST_DRAWS))
    return [_key_at(place, lasts) for place in places]


def _key_at(place: int, sizes: Sequence[tuple[int, int]]) -> UserKey:
    for shard, size in sizes:
        if place < size:
            return shard, place
        place -= size
    raise IndexError(place)


def _masked(
    number: int,
    attributes: str,
    endpoints: Sequence[Any],
    decided: Sequence[Any],
    kept_from: Mapping[tuple[str, str], Sequence[str]],
) -> Person:
    return Person(
        f"sample-{number}",
        attributes=_without_addresses(orjson.loads(attributes), number),
        addresses=[
            Address(
                one.channel,
                made_up_address(one.channel, number, _scheme(one.address)) + _nth(place, one.channel),
                one.state,
                tuple(kept_from.get((one.channel, same_address(one.channel, one.address)), ())),
            )
            for place, one in enumerate(one for one in endpoints if one.is_current)
        ],
        consents=[Agreement(one.channel, one.purpose, bool(one.granted)) for one in decided],
    )


def _scheme(address: str) -> str:
    """Whose device it is, where addresses say so."""
    scheme, colon, _ = address.partition(":")
    return f"{scheme}:" if colon and scheme.isalnum() else ""


_ONE_EACH = ("email", "sms", "whatsapp", "kakao", "brand_message")
"""Channels on which a user has one address."""


def _nth(place: int, channel: str) -> str:
    """People have several devices, and each needs an address of its own."""
    return f"-{place}" if channel not in _ONE_EACH else ""


def _without_name(attribute: str, value: Any, number: int) -> Any:
    """As `_without_addresses`; what somebody is called is made up, too."""
    says_who = re.sub(r"[\s_-]", "", attribute.lower()) in _NAMES
    return f"sample-{number}" if says_who and isinstance(value, str) else _without_addresses(value, number)


def _without_addresses(value: Any, number: int) -> Any:
    """The same plain JSON value; every e-mail address and every number that can be dialled is made up."""
    if isinstance(value, str):
        text = _EMAIL.sub(made_up_address("email", number), value)
        return _NUMBER.sub(made_up_address("sms", number), text)
    if isinstance(value, Mapping):
        return {
            name: [] if name == "push_tokens" else _without_name(name, inner, number)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_without_addresses(inner, number) for inner in value]
    return value
