"""What is heard late, of whom it cannot be said, and more than can be asked for in one look."""

from typing import Any

import orjson
import pytest

from channels.alimtalk.desk import Inspection, Operation, Registered
from channels.alimtalk.template import Template
from channels.contract import Callback, Verified
from server.desks import callbacks, following
from server.desks.following import follow
from server.desks.hearing import keep
from server.desks.keeper import Keeper
from server.desks.telling import Whose
from server.store import alimtalk_registrations as registrations
from server.store import open_connections
from server.store.tables import AlimtalkComment, AlimtalkRegistration, SenderProfile
from tests.server.desks.relay import BOX, Kept, Relay, connect, desks_of, host_of
from tests.world import HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio
PAID = Template(body="#{이름}님, 결제되었습니다.", name="결제")


async def test_an_older_look_overwrites_nothing_that_was_answered_since(world: World) -> None:
    world.clock.reach(NOON)
    relay = Relay(world.clock.now)
    relay.kept = {"W1": Kept(PAID, Inspection.APPROVED)}
    host = host_of(relay)
    connection = await connect(world, host)
    await follow(desks_of(world, host), connection)
    whose, later = Whose(world.project_id, connection, "카카오"), NOON + MINUTE
    async with world.db.read() as session:
        seen = await registrations.of_connection(session, connection)
    async with world.db.write() as session:
        await registrations.intend(session, seen[0].id, "stop", later)
        stopped = Registered("W1", Inspection.APPROVED, Operation.STOPPED)
        await keep(session, whose, [(seen[0], stopped)], later, as_of=later, is_answer=True)
        await registrations.intend(session, seen[0].id, "reuse", later + 1)
    async with world.db.write() as session:
        older = Registered("W1", Inspection.APPROVED)
        await keep(session, whose, [(seen[0], older)], later + 2, as_of=NOON + 1)
    [row] = await world.rows(AlimtalkRegistration)
    assert (row.operation, row.told_at, row.intent) == ("stopped", later, "reuse")


async def test_news_that_may_be_of_an_edit_takes_nothing_out_of_use(sqlite_world: World) -> None:
    world = sqlite_world
    world.clock.reach(NOON)
    more = {"profile_setting": "pf_id", "news_may_be_of_an_edit": True}
    relay = Relay(world.clock.now, more=more)
    relay.kept = {"W1": Kept(PAID, Inspection.APPROVED)}
    host = host_of(relay)
    connection = await connect(world, host)
    keeper = Keeper(desks_of(world, host))
    await keeper.look_once()
    async with world.db.read() as session:
        opened = await open_connections.load(session, host, BOX, connection)
    world.clock.reach(NOON + HOUR)
    for inspection in ("in_review", "rejected"):
        body = orjson.dumps([{"code": "W1", "inspection": inspection, "at": NOON + HOUR}])
        told = callbacks.read(opened, Verified(Callback("POST", "/", {}, {}, body), NOON))
        await callbacks.keep(world.db, opened, told, world.clock.now())
        [row] = await world.rows(AlimtalkRegistration)
        assert row.inspection == "approved"
    # The relay itself is asked at once, and for all: here it was the live one, after all.
    relay.kept["W1"].inspection = Inspection.REJECTED
    assert await keeper.look_once() == 1
    assert relay.asked.count("templates") == 2
    [row] = await world.rows(AlimtalkRegistration)
    assert row.inspection == "rejected"


async def test_what_is_too_much_for_one_look_is_seen_by_the_next(
    sqlite_world: World, monkeypatch: Any
) -> None:
    world = sqlite_world
    monkeypatch.setattr(following, "MOST_ASKED", 2)
    world.clock.reach(NOON)
    relay = Relay(world.clock.now)
    codes = [f"W{number}" for number in range(5)]
    relay.kept = {code: Kept(PAID, Inspection.REQUESTED) for code in codes}
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    world.clock.reach(NOON + MINUTE)
    for code in codes:
        relay.reject(code, f"{code}의 까닭")
    for look, known in ((2, 2), (32, 4), (62, 5)):
        world.clock.reach(NOON + look * MINUTE)
        done = await follow(desks, connection, all=look == 32)
        assert done is not None
        assert len(await world.rows(AlimtalkComment)) == known
        rows = await world.rows(AlimtalkRegistration)
        assert sum(row.inspection == "rejected" for row in rows) == known
    [profile] = await world.rows(SenderProfile)
    assert profile.synced_at == NOON + 62 * MINUTE
    assert (await follow(desks, connection, all=True)) is not None


async def test_a_rejection_that_came_without_a_word_is_asked_for(sqlite_world: World) -> None:
    world = sqlite_world
    world.clock.reach(NOON)
    relay = Relay(world.clock.now)
    relay.kept = {"W1": Kept(PAID, Inspection.REQUESTED)}
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    world.clock.reach(NOON + MINUTE)
    relay.reject("W1", "까닭")
    async with world.db.read() as session:
        opened = await open_connections.load(session, host, BOX, connection)
    body = orjson.dumps([{"code": "W1", "inspection": "rejected", "at": NOON + MINUTE}])
    told = callbacks.read(opened, Verified(Callback("POST", "/", {}, {}, body), NOON))
    await callbacks.keep(world.db, opened, told, world.clock.now())
    assert await world.rows(AlimtalkComment) == []
    for _ in range(2):
        await follow(desks, connection)
    assert [one.text for one in await world.rows(AlimtalkComment)] == ["까닭"]
    assert relay.asked.count("template") == 1
