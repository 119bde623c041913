"""Providers that are asked: nothing is lost, and nothing counts twice."""

from collections.abc import Sequence

import pytest
from sqlalchemy import update

from channels.contract import Receipt, ReceiptKind
from server.delivery.hearing import place
from server.delivery.polling import MOST_UNCLAIMED, Poller
from server.delivery.recording import Append
from server.store import unclaimed
from server.store.bulk import table_of
from server.store.inbox import Entry
from server.store.tables import Message, PollCursor, Unclaimed
from tests.server.delivery.office import Office, open_office, sign_up, welcome
from tests.world import DAY, NOON, World

pytestmark = pytest.mark.anyio


def poller(office: Office, append: Append | None = None) -> Poller:
    world, senders = office.world, office.dispatcher.senders
    return Poller(world.db, world.clock, office.host, senders, world.shards, append or office.append)


async def test_what_people_do_with_a_message_is_heard_by_asking(world: World) -> None:
    await world.add_connection(opened=1, clicked=1, unsubscribed=1)
    await world.add_journey(welcome())
    await sign_up(world, "kim", "lee")
    async with open_office(world) as office:
        await office.settle()
        asking = poller(office)
        assert await asking.poll_once() == 0
        world.clock.reach(NOON + DAY)
        assert await asking.poll_once() == 8
        assert await asking.poll_once() == 0
        await office.settle()
    assert await world.counts("delivered") == {"": 2}
    assert await world.counts("clicked", "reason") == {"": 2, "human": 2}
    assert await world.total("unsubscribed") == 2


async def test_the_cursor_moves_only_after_the_receipts_are_on_disk(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome())
    await sign_up(world, "kim")

    power = {"on": False}
    async with open_office(world) as office:

        async def append(entries: Sequence[Entry]) -> None:
            if not power["on"]:
                raise RuntimeError("the power went")
            await office.append(entries)

        await office.settle()
        world.clock.reach(NOON + DAY)
        asking = poller(office, append)
        await asking.poll_once()
        assert await world.rows(PollCursor) == []
        power["on"] = True
        assert await asking.poll_once() == 1
        assert len(await world.rows(PollCursor)) == 1
        await office.settle()
    assert await world.total("delivered") == 1


async def test_only_one_process_asks_for_a_connection(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome())
    await sign_up(world, "kim")
    async with open_office(world) as office:
        await office.settle()
        world.clock.reach(NOON + DAY)
        first, second = poller(office), poller(office)
        assert await first.poll_once() == 1
        assert await second._ours() == []


async def test_a_receipt_of_no_message_is_kept_for_ninety_days(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.delivery.polling.MOST_FORGOTTEN", 2)
    told = [Receipt(f"of-day-{day}", ReceiptKind.DELIVERED, NOON, provider_id="x") for day in range(5)]
    async with open_office(world) as office:
        async with world.db.write() as session:
            placed = await place(session, world.shards, (1, world.project_id), told, NOON)
            rows = [(*row[:3], NOON + day * DAY) for day, row in enumerate(placed.unclaimed)]
            await unclaimed.keep(session, rows)
        asking, left = poller(office), []
        for days in (90, 92, 92, 93, 95, 95):
            world.clock.reach(NOON + days * DAY + 1)
            await asking.poll_once()
            left.append(len(await world.rows(Unclaimed)))
    assert left == [4, 2, 2, 1, 0, 0]


async def test_a_receipt_that_overtook_our_record_is_found_behind_any_number_of_others(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome())
    await sign_up(world, "kim")
    ours, others = "fake-of-ours", [f"of-nobody-{number}" for number in range(3 * MOST_UNCLAIMED)]
    told = [Receipt(name, ReceiptKind.DELIVERED, NOON, provider_id=name) for name in (ours, *others)]
    async with open_office(world) as office:
        async with world.db.write() as session:
            placed = await place(session, world.shards, (1, world.project_id), told, NOON)
            await unclaimed.keep(session, [(*row[:3], NOON + (row[1] != ours)) for row in placed.unclaimed])
        await office.settle()
        async with world.db.write() as session:
            await session.run(update(table_of(Message)).values(provider_id=ours))
        asking = poller(office)
        for _ in range(4):
            await asking.poll_once()
        await office.settle()
    assert await world.total("delivered") == 1
    assert len(await world.rows(Unclaimed)) == len(others)
