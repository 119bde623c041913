"""In step with a relay: by looks at it and by its callbacks, in any order."""

import asyncio
from dataclasses import replace
from itertools import permutations
from typing import Any

import orjson
import pytest

from channels.alimtalk.desk import Inspection, Operation, ProfileState
from channels.alimtalk.template import Template
from channels.contract import Callback, Verified
from server.desks import adopting, callbacks, following, holding
from server.desks.following import follow
from server.desks.keeper import USUALLY, WHILE_OPEN, Keeper
from server.desks.office import DeskRefused
from server.store import alimtalk_registrations, connections, open_connections
from server.store.adapters import BadSettings
from server.store.tables import (
    AlimtalkComment,
    AlimtalkRegistration,
    AlimtalkTemplate,
    AlimtalkVersion,
    Connection,
    Notice,
    SenderProfile,
)
from tests.server.desks.relay import BOX, NO, Kept, Relay, connect, desks_of, host_of
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, statements, step

pytestmark = pytest.mark.anyio
PAID = Template(body="#{이름}님, 결제되었습니다.", name="결제")


async def notices(world: World) -> list[str]:
    return [row.kind for row in await world.rows(Notice, "id")]


def a_relay(world: World, **kept: Kept) -> Relay:
    world.clock.reach(NOON)
    relay = Relay(world.clock.now)
    relay.kept = dict(kept)
    return relay


async def test_what_a_relay_has_becomes_the_projects_under_its_code(world: World) -> None:
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED), W2=Kept(PAID, Inspection.REJECTED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    for all in (False, True):
        done = await follow(desks, connection, all=all)
        assert done is not None
        assert (done.adopted, done.changed, done.is_complete) == (0 if all else 2, 0, True)
    [first, second] = await world.rows(AlimtalkTemplate, "key")
    assert (first.key, first.name, second.key) == ("W1", "결제", "W2")
    assert [row.submitted_at for row in await world.rows(AlimtalkVersion)] == [NOON, NOON]
    rows = await world.rows(AlimtalkRegistration, "code")
    assert [(row.code, row.inspection) for row in rows] == [("W1", "approved"), ("W2", "rejected")]
    [profile] = await world.rows(SenderProfile)
    assert (profile.key, profile.name, profile.state, profile.problem) == ("PF1", "소전몰", "active", "")
    # What is found so is no news.
    assert await notices(world) == []
    # Another account with the same templates: the same text is the same template, another is another.
    relay.kept["W2"] = Kept(replace(PAID, body="다른 글"))
    other = await connect(world, host, "다른 계정")
    await follow(desks, other)
    keys = [row.key for row in await world.rows(AlimtalkTemplate, "key")]
    assert keys == ["W1", "W2", "W2@다른 계정"]


async def test_callbacks_and_looks_in_any_order_come_to_the_same(sqlite_world: World) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.REQUESTED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    async with world.db.read() as session:
        opened = await open_connections.load(session, host, BOX, connection)
    said = [("in_review", MINUTE), ("rejected", 2 * MINUTE), ("approved", 3 * MINUTE)]
    world.clock.reach(NOON + HOUR)
    for order in permutations(said):
        async with world.db.write() as session:
            row = await session.get_one(AlimtalkRegistration, 1)
            row.inspection, row.told_at = "requested", NOON
        for inspection, after in (*order, *order):
            body = orjson.dumps([{"code": "W1", "inspection": inspection, "at": NOON + after}])
            verified = Verified(Callback("POST", "/", {}, {}, body), NOON)
            told = callbacks.read(opened, verified)
            await callbacks.keep(world.db, opened, told, world.clock.now())
        [row] = await world.rows(AlimtalkRegistration)
        assert (row.inspection, row.decided_at) == ("approved", NOON + 3 * MINUTE)
    assert set(await notices(world)) == {"alimtalk_rejected", "alimtalk_approved"}
    assert len(await notices(world)) == 2


async def test_news_of_a_code_that_nobody_knows_has_the_relay_looked_at(sqlite_world: World) -> None:
    relay = a_relay(sqlite_world)
    host = host_of(relay)
    connection = await connect(sqlite_world, host)
    keeper = Keeper(desks_of(sqlite_world, host))
    assert await keeper.look_once() == 1
    assert await keeper.look_once() == 0
    async with sqlite_world.db.read() as session:
        opened = await open_connections.load(session, host, BOX, connection)
    relay.kept["W9"] = Kept(PAID, Inspection.APPROVED, changed_at=NOON)
    body = orjson.dumps([{"code": "W9", "inspection": "approved", "at": NOON}])
    told = callbacks.read(opened, Verified(Callback("POST", "/", {}, {}, body), NOON))
    await callbacks.keep(sqlite_world.db, opened, told, NOON)
    assert await keeper.look_once() == 1
    assert [row.key for row in await sqlite_world.rows(AlimtalkTemplate)] == ["W9"]
    broken = Verified(Callback("POST", "/", {}, {}, b"no JSON"), NOON)
    assert callbacks.read(opened, broken) == []


async def test_a_relay_is_asked_more_often_while_a_review_is_open(sqlite_world: World) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.REQUESTED))
    host = host_of(relay)
    await connect(world, host)
    keeper, other = Keeper(desks_of(world, host)), Keeper(desks_of(world, host))
    assert await keeper.look_once() == 1
    world.clock.reach(NOON + WHILE_OPEN)
    due = await keeper._due()
    assert await holding.take(world.db, due, keeper.holder) == due
    assert await other.look_once() == 0
    assert await keeper.look_once() == 1
    relay.approve("W1")
    world.clock.reach(NOON + 2 * WHILE_OPEN)
    await keeper.look_once()
    world.clock.reach(NOON + 3 * WHILE_OPEN)
    assert await keeper.look_once() == 0
    world.clock.reach(NOON + 2 * WHILE_OPEN + USUALLY)
    assert await keeper.look_once() == 1
    # Only what has changed is asked for, and all of it once a day.
    assert relay.asked.count("templates") == 1
    world.clock.reach(NOON + DAY + HOUR)
    await keeper.look_once()
    assert relay.asked.count("templates") == 2


async def test_why_a_relay_does_not_answer_is_kept_and_all_stays_as_it_was(sqlite_world: World) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    relay.fails = {"changes": NO}
    with pytest.raises(DeskRefused):
        await follow(desks, connection)
    await Keeper(desks).look_once()
    [profile], [row] = await world.rows(SenderProfile), await world.rows(AlimtalkRegistration)
    assert "no, with … in it" in profile.problem
    assert (row.inspection, profile.state) == ("approved", "active")
    relay.fails = {}
    await follow(desks, connection)
    assert (await world.rows(SenderProfile))[0].problem == ""


async def test_what_the_relay_has_no_more_is_let_go_once_it_was_asked_twice(sqlite_world: World) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    world.clock.reach(NOON + MINUTE)
    steps = (step("in", "entry_event", event="paid"), step("say", "alimtalk", template="W1"))
    await world.add_journey(line(*steps, step("out", "exit")))
    kept = relay.kept.pop("W1")
    await follow(desks, connection)
    assert len(await world.rows(AlimtalkRegistration)) == 1
    await follow(desks, connection, all=True)
    assert await world.rows(AlimtalkRegistration) == []
    # Nobody had to look for it to hear so, nor which journeys it is taken from.
    assert await notices(world) == ["alimtalk_gone", "alimtalk_unsendable"]
    relay.kept["W1"] = kept
    world.clock.reach(NOON + 2 * MINUTE)
    await follow(desks, connection, all=True)
    assert [row.key for row in await world.rows(AlimtalkTemplate)] == ["W1"]


async def test_operators_hear_of_sanctions_of_sleep_and_of_journeys_that_send_it(world: World) -> None:
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    graph = line(
        step("in", "entry_event", event="paid"), step("say", "alimtalk", template="W1"), step("out", "exit")
    )
    journey = await world.add_journey(graph)
    async with world.db.write() as session:
        await alimtalk_registrations.note_sent(session, [1], NOON)
    for day, left in ((334, []), (336, [30]), (337, [30])):
        world.clock.reach(NOON + day * DAY)
        await follow(desks, connection)
        kinds = ["alimtalk_dormant_soon", "sender_profile_dormant_soon"]
        assert sorted(await notices(world)) == kinds * bool(left)
    async with world.db.write() as session:
        await alimtalk_registrations.note_sent(session, [1], world.clock.now())
    world.clock.reach(NOON + 360 * DAY)
    await follow(desks, connection)
    assert len(await notices(world)) == 2
    relay.kept["W1"].is_blocked = True
    relay.told_profile = replace(relay.told_profile, state=ProfileState.BLOCKED, is_blocked=True)
    relay._touched("W1")
    for _ in range(2):
        await follow(desks, connection, all=True)
    told = (await world.rows(Notice, "id"))[2:]
    assert sorted(one.kind for one in told) == [
        "alimtalk_stopped",
        "alimtalk_unsendable",
        "sender_profile_blocked",
    ]
    [lost] = [one for one in told if one.kind == "alimtalk_unsendable"]
    assert (lost.journey_id, lost.connection_id) == (journey, connection)
    assert "결제" in lost.text


async def test_a_relay_that_knows_no_first_message_does_not_make_an_active_one_ready(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)
    await follow(desks, connection)
    async with world.db.write() as session:
        await alimtalk_registrations.note_sent(session, [1], NOON)
    world.clock.reach(NOON + MINUTE)
    await follow(desks, connection, all=True)
    [row] = await world.rows(AlimtalkRegistration)
    assert row.operation == Operation.ACTIVE


async def test_a_connection_without_a_profile_is_not_looked_at_and_one_that_goes_takes_all_along(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.REJECTED))
    relay.reject("W1", "왜")
    host = host_of(relay)
    empty = await connect(world, host, "빈 연동", pf_id="")
    desks = desks_of(world, host)
    assert await follow(desks, empty) is None
    assert relay.asked == []
    with pytest.raises(BadSettings, match="Register a sender profile"):
        async with world.db.read() as session:
            await open_connections.load(session, host, BOX, empty)
    connection = await connect(world, host)
    await follow(desks, connection)
    assert len(await world.rows(AlimtalkComment)) == 1
    async with world.db.write() as session:
        await connections.remove(session, world.project_id, connection)
    left: list[Any] = []
    for table in (AlimtalkRegistration, AlimtalkComment, SenderProfile):
        left += await world.rows(table)
    assert left == []
    assert len(await world.rows(Connection)) == 1
    assert len(await world.rows(AlimtalkTemplate)) == 1


async def test_many_templates_take_as_many_statements_as_few(sqlite_world: World) -> None:
    world, counts = sqlite_world, []
    for number, size in enumerate((1, 40)):
        relay = a_relay(world)
        host = host_of(relay)
        connection = await connect(world, host, f"연동 {number}")
        for one in range(size):
            relay.kept[f"N{number}-{one}"] = Kept(PAID, Inspection.APPROVED)
        for all in (False, True):
            with statements(world.db) as seen:
                await follow(desks_of(world, host), connection, all=all)
            counts.append(len(seen))
    assert counts[:2] == counts[2:]
    assert len(await world.rows(AlimtalkTemplate)) == 41


async def test_of_what_was_approved_before_we_knew_it_nobody_says_when_it_sleeps(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    await follow(desks_of(world, host), connection)
    world.clock.reach(NOON + 350 * DAY)
    await follow(desks_of(world, host), connection)
    assert await notices(world) == ["sender_profile_dormant_soon"]


async def test_two_accounts_that_are_looked_at_at_once_adopt_one_after_the_other(world: World) -> None:
    relay = a_relay(world, **{f"W{number}": Kept(PAID, Inspection.APPROVED) for number in range(20)})
    host = host_of(relay)
    ids = [await connect(world, host, f"계정 {number}") for number in range(3)]
    desks = desks_of(world, host)
    done = await asyncio.gather(*(follow(desks, one) for one in ids))
    assert [one.adopted for one in done if one] == [20, 20, 20]
    assert len(await world.rows(AlimtalkTemplate)) == 20
    assert len(await world.rows(AlimtalkRegistration)) == 60


async def test_a_look_that_stumbles_is_not_repeated_at_once_and_what_has_no_room_is_told(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    relay = a_relay(world, W1=Kept(PAID, Inspection.APPROVED), W2=Kept(PAID, Inspection.APPROVED))
    host = host_of(relay)
    connection = await connect(world, host)
    desks = desks_of(world, host)

    async def stumble(*_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(following, "adopt", stumble)
        assert await Keeper(desks).look_once() == 1
        assert await Keeper(desks).look_once() == 0
    monkeypatch.setattr(adopting, "MOST_TEMPLATES", 1)
    for _ in range(2):
        done = await follow(desks, connection, all=True)
        assert done is not None
        assert not done.is_complete
    assert await notices(world) == ["alimtalk_full"]
    assert len(await world.rows(AlimtalkTemplate)) == 1
