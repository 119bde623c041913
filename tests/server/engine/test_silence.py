"""Silent hours in the life of runs: whoever comes to a message then waits there until they are over."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from server.store.tables import Message, Visit
from tests.world import World, open_world, reaching, saying

pytestmark = pytest.mark.anyio

NIGHT = {"from": "21:00", "until": "08:00"}


def at(text: str) -> int:
    """An instant in Seoul. The 14th of March 2024 is a Thursday."""
    return int(datetime.fromisoformat(text + "+09:00").timestamp() * 1000)


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as world:
        await world.add_connection()
        await world.add_connection("text", channel="sms")
        yield world


async def sign_up(world: World, user: str, when: str, **traits: Any) -> None:
    moment = at(when)
    known = world.event("", moment - 1, user=user, type="identify", email=f"{user}@example.org", **traits)
    await world.live(known, world.event("sign_up", moment, user=user), until=moment)


async def births(world: World) -> list[tuple[str, int]]:
    return [(row.step_key, row.created_at) for row in await world.rows(Message, "created_at", "id")]


async def test_a_message_is_born_when_silence_is_over(world: World) -> None:
    silence = [{"channels": ["email"], "ranges": [NIGHT]}]
    await world.add_journey(reaching(saying("email"), silence=silence))
    await sign_up(world, "day", "2024-03-14T20:59")
    await sign_up(world, "night", "2024-03-14T21:00")
    assert await births(world) == [("email", at("2024-03-14T20:59"))]
    [waiting] = [run for run in await world.runs() if run.wake_at is not None]
    assert (waiting.step_key, waiting.wake_at) == ("email", at("2024-03-15T08:00"))
    await world.settle(at("2024-03-15T12:00"))
    assert (await births(world))[1:] == [("email", at("2024-03-15T08:00"))]
    visits = [visit for visit in await world.rows(Visit, "seq") if visit.step_key == "email"]
    assert [(visit.arrived_at, visit.left_at, visit.because) for visit in visits] == [
        (at("2024-03-14T20:59"), at("2024-03-14T20:59"), ""),
        (at("2024-03-14T21:00"), at("2024-03-15T08:00"), "waited for the end of silent hours"),
    ]
    assert await world.counts("left", "step_key") == {"entry": 2, "email": 2}


async def test_silence_is_that_of_the_persons_own_zone(world: World) -> None:
    await world.add_journey(reaching(saying("email"), silence=[{"channels": ["email"], "ranges": [NIGHT]}]))
    await sign_up(world, "seoul", "2024-03-14T23:00", timezone="Asia/Seoul")
    await sign_up(world, "paris", "2024-03-14T23:00", timezone="Europe/Paris")
    await sign_up(world, "nowhere", "2024-03-14T23:00", timezone="Atlantis/Poseidonis")
    assert await births(world) == [("email", at("2024-03-14T23:00"))]
    await world.settle(at("2024-03-16T00:00"))
    assert len(await births(world)) == 3


async def test_only_the_channels_that_are_named_keep_silent(world: World) -> None:
    silence = [
        {"channels": ["sms"], "ranges": [NIGHT]},
        {"channels": ["email"], "ranges": [NIGHT], "applies_to": "advertisement"},
    ]
    mail = saying("email")
    promotion = saying("email", "promotion", purpose="advertisement")
    await world.add_journey(reaching(mail, saying("sms"), promotion, silence=silence))
    await sign_up(world, "ada", "2024-03-14T23:00", phone="010-1234-5678")
    assert await births(world) == [("email", at("2024-03-14T23:00"))]
    await world.settle(at("2024-03-15T12:00"))
    opened = at("2024-03-15T08:00")
    assert (await births(world))[1:] == [("sms", opened), ("promotion", opened)]


async def test_a_goal_reaches_whoever_waits_in_silence(world: World) -> None:
    goals = [{"key": "bought", "event": "purchase", "ends_journey": True}]
    silence = [{"channels": ["email"], "ranges": [NIGHT], "closed": ["friday"]}]
    await world.add_journey(reaching(saying("email"), silence=silence, goals=goals))
    await sign_up(world, "ada", "2024-03-14T22:00")
    [run] = await world.runs()
    assert run.wake_at == at("2024-03-16T08:00")
    await world.live(
        world.event("purchase", at("2024-03-15T10:00"), user="ada"), until=at("2024-03-17T00:00")
    )
    [run] = await world.runs()
    assert (run.end_reason, run.ended_at) == ("goal", at("2024-03-15T10:00"))
    assert await births(world) == []
