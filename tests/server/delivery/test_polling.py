"""Providers that are asked: nothing is lost, and nothing counts twice."""

from collections.abc import Sequence

import pytest

from server.delivery.polling import Poller
from server.delivery.recording import Append
from server.store.inbox import Entry
from server.store.tables import PollCursor
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
