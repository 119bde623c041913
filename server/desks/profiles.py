"""Sender profiles: registered at a relay's desk, and kept in step with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from channels.alimtalk.desk import Category, Profile, ProfileState
from server.alimtalk import dormancy
from server.clock import Instant
from server.errors import NotFound
from server.store import connections, notices, sender_profiles
from server.store.sessions import WriteSession

from . import telling
from .office import AtDesk, Desks
from .telling import Whose

OUT_OF_USE = (ProfileState.BLOCKED, ProfileState.CLOSED, ProfileState.DELETED)


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who proves that a channel is theirs: a token is sent to their phone."""

    search_id: str
    phone: str
    category: str = ""


async def ask_token(desks: Desks, connection_id: int, who: Administrator) -> None:
    """Raises DeskRefused."""
    async with desks.at(connection_id) as at:
        await at.ask(at.desk.ask_token(who.search_id, who.phone, who.category))


async def register(desks: Desks, connection_id: int, who: Administrator, token: str) -> Profile:
    """Registers the profile and writes its key into the connection's settings. Raises DeskRefused."""
    async with desks.at(connection_id) as at:
        profile = await at.ask(at.desk.register_profile(who.search_id, who.phone, token, who.category))
        project_id, now = at.connection.project_id, desks.clock.now()
        setting = at.can.more["profile_setting"]
    whose = (project_id, connection_id)
    async with desks.db.write() as session:
        await connections.fill_in(session, desks.host, desks.box, whose, setting, profile.key, now)
        told = {**columns(profile), "registered_at": now, "asked_at": now, "synced_at": now, "problem": ""}
        await sender_profiles.put(session, *whose, told, now)
    return profile


async def categories(desks: Desks, connection_id: int) -> list[Category]:
    """Of sender profiles, as the relay knows them. Raises DeskRefused."""
    async with desks.at(connection_id) as at:
        return await at.ask(at.desk.profile_categories())


def mine(at: AtDesk, told: Sequence[Profile]) -> Profile:
    """The profile that the connection's settings name. Raises NotFound."""
    found = next((one for one in told if one.key == at.profile_key), None)
    if found is None:
        raise NotFound("The relay knows no sender profile of the key in the connection's settings.")
    return found


async def keep(session: WriteSession, whose: Whose, told: Profile, now: Instant) -> None:
    """Writes what was told of a connection's profile, and tells operators what is new."""
    before = (await sender_profiles.by_connections(session, [whose.connection_id])).get(whose.connection_id)
    values = {**columns(told), "problem": "", "synced_at": now}
    if before is None:
        values["registered_at"] = now
    await sender_profiles.put(session, whose.project_id, whose.connection_id, values, now)
    await notices.tell(session, [*_news(whose, before, told, now), *_sleeps(whose, before, now)])


def _news(whose: Whose, before: Any | None, told: Profile, now: Instant) -> list[notices.Told]:
    was_blocked = before is not None and (before.is_blocked or before.state in OUT_OF_USE)
    was_dormant = before is not None and before.is_dormant
    found = []
    if (told.is_blocked or told.state in OUT_OF_USE) and not was_blocked:
        found.append(telling.profile_is_out(whose, telling.PROFILE_BLOCKED, told.text, now))
    if told.is_dormant and not was_dormant:
        found.append(telling.profile_is_out(whose, telling.PROFILE_DORMANT, told.text, now))
    return found


def _sleeps(whose: Whose, before: Any | None, now: Instant) -> list[notices.Told]:
    if before is None:
        return []
    sleeps_at = dormancy.profile_sleeps_at(
        registered_at=before.registered_at, last_sent_at=before.last_sent_at
    )
    days = dormancy.due(sleeps_at, now, dormancy.PROFILE_TOLD)
    if sleeps_at is None or days is None:
        return []
    return [telling.profile_sleeps(whose, sleeps_at, days, now)]


def columns(told: Profile) -> dict[str, Any]:
    """What is told, as the table has it."""
    return {
        "search_id": told.search_id,
        "key": told.key,
        "name": told.name,
        "category": told.category,
        "state": told.state.value,
        "is_blocked": told.is_blocked,
        "is_dormant": told.is_dormant,
        "can_send_alimtalk": told.can_send_alimtalk,
        "can_send_brand": told.can_send_brand,
        "is_verified": told.is_verified,
        "is_first_time": told.is_first_time,
        "daily_cap": told.daily_cap,
        "groups": orjson.dumps(told.groups).decode(),
        "code": told.code,
        "detail": told.text,
    }
