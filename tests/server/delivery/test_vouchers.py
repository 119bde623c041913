"""Every code goes to one person, with the message that carries it, and to nobody else whatever breaks."""

import asyncio
from typing import Any

import pytest

from channels import Reason, Rejected, Unknown
from channels.contract import OnUnknown
from channels.testing.script import Hang, Script
from server.delivery.claims import claim
from server.store import vouchers
from server.store.tables import Message, Notice, User, Voucher
from tests.server.delivery.office import open_office, sign_up
from tests.waiting import PATIENCE
from tests.world import HOUR, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio
KIM = "kim@example.com"


async def pool(world: World, *codes: str, name: str = "summer", low_water: int = 0) -> int:
    async with world.db.write() as session:
        pool_id = await vouchers.create(session, world.project_id, name, low_water, NOON)
        assert pool_id is not None
        await vouchers.add(session, world.project_id, pool_id, codes)
    return pool_id


def coupon(**more: Any) -> dict[str, Any]:
    text = "Your code: {{ voucher.code }}"
    return saying("email", connection="mail", text=text, voucher={"pool": "summer", **more})


async def ready(world: World, *users: str, **more: Any) -> None:
    await world.add_connection()
    await world.add_journey(reaching(coupon(**more)))
    await sign_up(world, *users)
    await world.settle()


async def carried(world: World) -> dict[str, str]:
    """The code of each address."""
    return {row.address.partition("@")[0]: row.voucher for row in await world.rows(Message)}


async def taken(world: World) -> dict[str, int | None]:
    return {row.code: row.message_id for row in await world.rows(Voucher, "number")}


async def test_each_message_carries_a_code_of_its_own_in_every_template(world: World) -> None:
    await pool(world, "A1", "B2", "C3")
    await ready(world, "kim", "lee")
    async with open_office(world) as office:
        await office.settle()
        said = {sent.to: sent.content["text"] for sent in office.fake.sends}
    codes = await carried(world)
    assert sorted(codes.values()) == ["A1", "B2"]
    assert said == {f"{name}@example.com": f"Your code: {code}" for name, code in codes.items()}
    messages = {row.voucher: row.id for row in await world.rows(Message)}
    assert await taken(world) == {"A1": messages["A1"], "B2": messages["B2"], "C3": None}


async def test_a_message_that_is_tried_again_carries_the_code_that_it_has(world: World) -> None:
    await pool(world, "A1", "B2")
    await ready(world, "kim")
    script = Script(addresses={KIM: [Unknown(), Unknown()]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        await office.settle()
        world.clock.reach(NOON + 5 * HOUR)
        await office.settle()
        said = {sent.content["text"] for sent in office.fake.attempts}
        assert (len(office.fake.attempts), said) == (3, {"Your code: A1"})
    assert await taken(world) == {"A1": (await office.message()).id, "B2": None}


async def test_an_empty_pool_skips_and_tells_the_operator_once(world: World) -> None:
    pool_id = await pool(world, "A1", low_water=1)
    await ready(world, "kim", "lee", "park")
    async with open_office(world) as office:
        await office.settle()
        assert len(office.fake.sends) == 1
    assert await world.counts("skipped", "reason") == {"no_voucher": 2}
    told = await world.rows(Notice, "cause")
    causes = [one.cause for one in told]
    assert causes == [f"vouchers_low:{pool_id}:1:empty", f"vouchers_low:{pool_id}:1:low"]
    assert {one.pool_id for one in told} == {pool_id}
    assert "'summer' is empty" in told[0].text


async def test_every_filling_is_told_of_anew(world: World) -> None:
    pool_id = await pool(world, "A1", low_water=1)
    await ready(world, "kim")
    async with open_office(world) as office:
        await office.settle()
        async with world.db.write() as session:
            await vouchers.add(session, world.project_id, pool_id, ["B2"])
        await sign_up(world, "lee", at=NOON + HOUR)
        await world.settle(NOON + HOUR)
        await office.settle()
    lows = [one.cause for one in await world.rows(Notice, "cause")]
    assert lows == [f"vouchers_low:{pool_id}:1:low", f"vouchers_low:{pool_id}:2:low"]


async def test_a_pool_that_does_not_exist_gives_nothing(world: World) -> None:
    await ready(world, "kim")
    async with open_office(world) as office:
        await office.settle()
    assert (await office.message()).reason == "no_voucher"


async def test_one_passage_to_several_devices_carries_one_code(world: World) -> None:
    await pool(world, "A1", "B2", "C3")
    await world.add_connection("apns", channel="push", takes="apns:")
    await world.add_connection("fcm", channel="push", takes="fcm:")
    await world.add_journey(reaching(saying("push", voucher={"pool": "summer"})))
    tokens = {"push_tokens": ["fcm:one", "fcm:two", "apns:three"]}
    await world.send(world.event("", NOON, user="kim", type="identify", **tokens))
    await world.live(world.event("sign_up", NOON, user="kim"))
    async with open_office(world) as office:
        await office.settle()
    assert {row.voucher for row in await world.rows(Message)} == {"A1"}
    assert list((await taken(world)).values()).count(None) == 2


async def test_a_code_can_be_remembered_at_its_user(world: World) -> None:
    await pool(world, "A1")
    await ready(world, "kim", remember_as="last_voucher")
    async with open_office(world) as office:
        await office.settle()
    [user] = await world.rows(User)
    assert '"last_voucher":"A1"' in user.attributes


async def test_what_is_refused_keeps_its_code_and_nobody_else_gets_it(world: World) -> None:
    await pool(world, "A1", "B2")
    await ready(world, "kim", "lee")
    script = Script(addresses={KIM: Rejected(Reason.CONTENT_REJECTED)})
    async with open_office(world, script=script) as office:
        await office.settle()
    assert sorted((await carried(world)).values()) == ["A1", "B2"]


async def test_a_worker_that_is_killed_while_it_sends_leaves_each_code_with_one_message(world: World) -> None:
    await pool(world, *(f"C{number:02}" for number in range(40)))
    names = [f"u{number:02}" for number in range(20)]
    await ready(world, *names)
    hang = Hang()
    script = Script(addresses={f"{names[3]}@example.com": hang})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        working = asyncio.create_task(office.dispatcher.until_idle())
        async with asyncio.timeout(PATIENCE):
            await hang.reached.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        before = await carried(world)
        hang.release.set()
        await office.another()
        for hours in range(1, 4):
            world.clock.reach(NOON + hours * HOUR)
            await office.settle()
        said = {(sent.to, sent.content["text"]) for sent in office.fake.attempts}
    after = await carried(world)
    assert {name: code for name, code in before.items() if code}.items() <= after.items()
    assert len(set(after.values())) == len(names)
    assert said == {(f"{name}@example.com", f"Your code: {code}") for name, code in after.items()}
    assert sum(message is not None for message in (await taken(world)).values()) == len(names)


async def test_nothing_is_taken_when_the_claim_is_not_written(world: World) -> None:
    await pool(world, "A1")
    await ready(world, "kim")
    message = (await world.rows(Message))[0]
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        about = (message.shard, office.dispatcher._mine[message.shard], message.connection_id)
        async with world.db.write() as session:
            claimed = await claim(session, world.clock, *about, 10)
            assert [one.voucher for one in claimed.messages] == ["A1"]
            await session.rollback()
        assert await taken(world) == {"A1": None}
        await office.settle()
    assert await carried(world) == {"kim": "A1"}


async def test_workers_of_several_shards_never_give_one_code_twice(world: World) -> None:
    """On PostgreSQL they hold codes at the same time, and pass over each other's."""
    names = [f"u{number:02}" for number in range(60)]
    await pool(world, *(f"C{number:02}" for number in range(50)))
    await ready(world, *names)
    async with open_office(world) as office:
        other = office.dispatch()
        try:
            for _ in range(4):
                await asyncio.gather(other.until_idle(), office.dispatcher.until_idle())
                await world.engine.until_idle()
        finally:
            await other.aclose()
        said = [sent.content["text"] for sent in office.fake.sends]
    assert len(said) == len(set(said)) == 50
    assert await world.counts("skipped", "reason") == {"no_voucher": 10}
    assert None not in (await taken(world)).values()


async def test_while_another_worker_holds_the_last_codes_nobody_is_told_that_there_are_none(
    world: World,
) -> None:
    if world.db.is_sqlite:
        pytest.skip("SQLite has one writer")
    pool_id = await pool(world, "A1")
    await ready(world, "kim")
    async with open_office(world) as office:
        async with world.db.write() as holding:
            assert await vouchers.hold(holding, pool_id, 5) == ["A1"]
            await office.dispatcher.take_shards()
            await office.dispatcher.work_once()
            assert (await office.message()).status == "queued"
        await office.settle()
    assert await carried(world) == {"kim": "A1"}


async def test_codes_that_the_project_has_already_are_named(world: World) -> None:
    first = await pool(world, "A1", "B2")
    async with world.db.write() as session:
        second = await vouchers.create(session, world.project_id, "winter", 0, NOON)
        assert second is not None
        assert await vouchers.create(session, world.project_id, "winter", 0, NOON) is None
        assert await vouchers.add(session, world.project_id, second, ["B2", "D4"]) == {"B2": first}
    async with world.db.read() as session:
        assert await vouchers.stocks(session, [first, second]) == {first: (2, 2), second: (1, 1)}
