"""An opt-out follows the person."""

import pytest

from channels.contract import ReceiptKind
from server.delivery.receipts import HeardReceipt, encode
from server.engine import catalog as catalogs
from server.store import inbox, sightings
from server.store.tables import Endpoint, Message
from tests.world import HOUR, MINUTE, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


async def test_who_opts_out_by_a_mail_to_the_user_before_a_merge_is_opted_out_after_it(world: World) -> None:
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    address = {"email": "kim@shop.example"}
    await world.live(
        world.event("", NOON, type="identify", user="kim"),
        world.event("", NOON, type="identify", anonymous="phone", **address),
        world.event("add_to_cart", NOON + 1, anonymous="phone"),
        until=NOON + HOUR + 1,
    )
    [message] = await world.rows(Message)
    await world.live(world.event("", NOON + 2 * HOUR, type="identify", user="kim", anonymous="phone"))
    heard = HeardReceipt(message.id, "unsubscribe", ReceiptKind.UNSUBSCRIBED, NOON + 2 * HOUR + MINUTE)
    async with world.db.write() as session:
        entry = inbox.Entry(message.shard, world.project_id, inbox.RECEIPT, encode(heard), NOON)
        await inbox.append(session, [entry])
    await world.settle()
    endpoints = await world.rows(Endpoint, "shard", "user_number")
    assert len(endpoints) == 2
    assert {endpoint.state for endpoint in endpoints} == {"opted_out"}


async def test_an_opt_out_that_comes_while_a_batch_is_decided_holds(world: World) -> None:
    kim = {"user": "kim", "type": "identify"}
    await world.live(world.event("", NOON, **kim, email="kim@shop.example"))
    [row] = await world.rows(Endpoint)
    await world.send(world.event("", NOON + 1, **kim, email="kim@new.example"))
    [shard] = [one for number, one in world.engine._mine.items() if number == row.shard]
    async with world.db.read() as session:
        catalog = await catalogs.load(session)
        batch, items, _ = await shard._gather(session, catalog, 10)
    shard._decide(batch, items)
    async with world.db.write() as session:
        await sightings.opt_out_address(
            session, world.project_id, "email", row.address, "", source="unsubscribe", now=NOON + 2
        )
    async with world.db.write() as session:
        await shard._commit(session, batch)
    [old] = [one for one in await world.rows(Endpoint) if one.address == row.address]
    assert (old.state, old.because, old.is_current) == ("opted_out", "unsubscribe", False)
