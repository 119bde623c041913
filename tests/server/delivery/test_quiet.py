"""What would leave in silent hours, because it is late, waits for their end or expires."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from channels.contract import Deferred
from channels.reasons import Reason
from channels.testing.script import Hang, Script
from server.store.bulk import table_of
from server.store.tables import Message, Receipt
from tests.world import HOUR, World, open_world, reaching, saying

from .office import SETTINGS, Office, open_office

pytestmark = pytest.mark.anyio

SILENCE = [{"channels": ["email"], "ranges": [{"from": "21:00", "until": "08:00"}]}]


def at(text: str) -> int:
    """An instant in Seoul."""
    return int(datetime.fromisoformat(text + "+09:00").timestamp() * 1000)


EVENING, MORNING = at("2024-03-14T20:59"), at("2024-03-15T08:00")


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with open_world(database_url) as world:
        await world.add_connection()
        yield world


async def sign_up(world: World, user: str, moment: int = EVENING, **traits: Any) -> None:
    known = world.event("", moment - 1, user=user, type="identify", email=f"{user}@example.org", **traits)
    await world.live(known, world.event("sign_up", moment, user=user), until=moment)


def sent_at(office: Office) -> list[int]:
    return [message.sent_at for message in office.fake.sends]


async def test_a_message_that_a_pause_has_kept_waits_for_the_morning(world: World) -> None:
    journey = await world.add_journey(reaching(saying("email"), silence=SILENCE))
    async with open_office(world) as office:
        await sign_up(world, "ada")
        await world.set_status(journey, "paused")
        await office.settle()
        assert (await office.message()).due_at is None
        world.clock.reach(at("2024-03-14T23:00"))
        await world.set_status(journey, "running")
        await office.settle()
        message = await office.message()
        assert (message.status, message.due_at) == ("queued", MORNING)
        assert sent_at(office) == []
        world.clock.reach(MORNING + HOUR)
        await office.settle()
        assert sent_at(office) == [MORNING]
        assert (await office.message()).status == "accepted"


async def test_whoever_asks_is_told_why_it_waits(world: World) -> None:
    journey = await world.add_journey(reaching(saying("email"), silence=SILENCE))
    async with open_office(world) as office:
        await sign_up(world, "ada", timezone="Asia/Tokyo")
        await world.set_status(journey, "paused")
        await office.settle()
        world.clock.reach(at("2024-03-14T23:00"))
        await world.set_status(journey, "running")
        await office.settle()
        [receipt] = await world.rows(Receipt)
        assert (receipt.kind, receipt.code) == ("deferred", "silent_hours")
        assert receipt.detail == "waits for the end of silent hours: 2024-03-15 08:00 in Asia/Tokyo"


async def test_what_expires_before_the_morning_expires_at_its_time(world: World) -> None:
    graph = reaching(saying("email", expires_after_ms=6 * HOUR), silence=SILENCE)
    journey = await world.add_journey(graph)
    async with open_office(world) as office:
        await sign_up(world, "ada")
        await world.set_status(journey, "paused")
        await office.settle()
        world.clock.reach(at("2024-03-14T23:00"))
        await world.set_status(journey, "running")
        await office.settle()
        assert (await office.message()).due_at == EVENING + 6 * HOUR
        world.clock.reach(EVENING + 6 * HOUR)
        await office.settle()
        assert (await office.message()).status == "expired"
        assert sent_at(office) == []


async def test_another_try_is_not_made_at_night(world: World) -> None:
    await world.add_journey(reaching(saying("email"), silence=SILENCE))
    later = Deferred(EVENING + HOUR, Reason.UNREACHABLE)
    script = Script(addresses={"ada@example.org": [later]})
    async with open_office(world, script=script) as office:
        await sign_up(world, "ada")
        await office.settle()
        world.clock.reach(EVENING + 2 * HOUR)
        await office.settle()
        assert (await office.message()).due_at == MORNING
        world.clock.reach(MORNING)
        await office.settle()
        assert [message.sent_at for message in office.fake.attempts] == [EVENING, MORNING]


async def test_a_backlog_is_for_each_person_until_silence_begins_where_they_are(world: World) -> None:
    await world.add_journey(reaching(saying("email"), silence=SILENCE))
    async with open_office(world) as office:
        await sign_up(world, "seoul")
        await sign_up(world, "paris", timezone="Europe/Paris")
        night = at("2024-03-14T23:00")
        # Nothing was sent for two hours.
        table = table_of(Message)
        async with world.db.write() as session:
            await session.run(update(table).values(due_at=night))
        world.clock.reach(night)
        await office.settle()
        assert [message.to for message in office.fake.sends] == ["paris@example.org"]
        world.clock.reach(MORNING)
        await office.settle()
        assert [message.to for message in office.fake.sends][1:] == ["seoul@example.org"]


async def test_many_are_put_off_together(world: World) -> None:
    await world.add_journey(reaching(saying("email"), silence=SILENCE))
    async with open_office(world) as office:
        for n in range(12):
            await sign_up(world, f"user{n}")
        night = at("2024-03-14T23:00")
        async with world.db.write() as session:
            await session.run(update(table_of(Message)).values(due_at=night))
        world.clock.reach(night)
        await office.settle()
        assert {row.due_at for row in await world.rows(Message)} == {MORNING}


class Wall:
    """The machine's time, as the test sets it."""

    follows_events = False

    def __init__(self, now: int) -> None:
        self.at = now

    def now(self) -> int:
        return self.at

    def reach(self, at: int) -> None:
        """Nothing that happens moves it."""


async def test_what_waits_for_a_slow_provider_until_silence_has_begun_stays_here(world: World) -> None:
    await world.add_journey(reaching(saying("email"), silence=SILENCE))
    slow, clock = Hang(), Wall(EVENING)
    settings = replace(SETTINGS, send_concurrency=1)
    async with open_office(world, script=Script(turns={1: slow}), settings=settings) as office:
        await sign_up(world, "ada")
        await sign_up(world, "bob")
        office.dispatcher = office.dispatch(clock=clock)
        sending = asyncio.create_task(office.dispatcher.until_idle())
        await slow.reached.wait()
        assert {row.status for row in await world.rows(Message)} == {"attempted"}
        clock.at = at("2024-03-14T23:00")
        slow.release.set()
        await sending
        await world.engine.until_idle()
        assert len(office.fake.attempts) == 1
        waiting = [row for row in await world.rows(Message) if row.status == "queued"]
        assert [(row.due_at, row.attempt) for row in waiting] == [(MORNING, 0)]
