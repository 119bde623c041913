"""Providers call back: proved first, kept next, acknowledged last."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from channels import Actor, Callback, Receipt, ReceiptKind
from channels.testing.callbacks import signed_callback
from channels.testing.fates import FakeSettings
from server.delivery.hearing import read_unclaimed
from server.delivery.polling import Poller
from server.errors import Overloaded
from server.routes.hooks import HooksDoor
from server.store import connections
from server.store.tables import Inbox, Unclaimed
from tests.server.delivery.office import BOX, Office, open_office, sign_up, welcome
from tests.world import MINUTE, NOON, World

pytestmark = pytest.mark.anyio
SETTINGS = {"callback_secret": "the provider's own secret"}


@asynccontextmanager
async def provider(office: Office, *, append: Any = None) -> AsyncIterator[httpx.AsyncClient]:
    world = office.world
    door = HooksDoor(world.db, world.clock, office.host, BOX, world.shards, append or office.append)
    transport = httpx.ASGITransport(Starlette(routes=door.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="https://mail.example.com") as client:
        yield client


async def connect(office: Office) -> int:
    async with office.world.db.write() as session:
        made = await connections.create(
            session,
            office.host,
            BOX,
            office.world.project_id,
            name="mail",
            adapter="fake",
            settings=SETTINGS,
            now=NOON,
        )
    return made.id


async def sent(office: Office) -> tuple[int, str]:
    """The connection, and the reference of the message that went out by it."""
    connection_id = await connect(office)
    await office.world.add_journey(welcome())
    await sign_up(office.world, "kim")
    await office.settle()
    [message] = office.fake.sends
    return connection_id, message.reference


def told(kind: ReceiptKind, key: str, **about: Any) -> Receipt:
    return Receipt(key, kind, NOON + MINUTE, **about)


def signed(*receipts: Any, now: int = NOON) -> Callback:
    return signed_callback(FakeSettings(**SETTINGS), receipts, now)


async def call(client: httpx.AsyncClient, connection: object, callback: Callback) -> httpx.Response:
    return await client.post(f"/hooks/{connection}", content=callback.body, headers=callback.headers)


async def test_receipts_by_reference_and_by_the_providers_id_reach_their_message_once(world: World) -> None:
    async with open_office(world) as office:
        connection_id, reference = await sent(office)
        delivered = told(ReceiptKind.DELIVERED, "a", reference=reference)
        opened = told(ReceiptKind.OPENED, "b", provider_id=f"fake-{reference}", actor=Actor.HUMAN)
        async with provider(office) as client:
            for _ in range(2):
                answer = await call(client, connection_id, signed(opened, delivered))
                assert answer.status_code == 200
        await office.settle()
        message = await office.message()
    assert message.status == "delivered"
    assert (await world.total("delivered"), await world.total("opens")) == (1, 1)


async def test_what_is_not_proved_is_refused_before_it_is_read(world: World) -> None:
    async with open_office(world) as office:
        connection_id, reference = await sent(office)
        good = signed(told(ReceiptKind.DELIVERED, "a", reference=reference))
        forged = Callback(good.method, good.path, good.headers, {}, good.body + b" ")
        old = signed(told(ReceiptKind.DELIVERED, "a", reference=reference), now=NOON - 6 * MINUTE)
        async with provider(office) as client:
            answers = [await call(client, connection_id, one) for one in (forged, old)]
            bare = await client.post(f"/hooks/{connection_id}", content=b"not even JSON")
    assert [answer.status_code for answer in (*answers, bare)] == [401, 401, 401]
    assert "signature" not in bare.text
    assert await world.rows(Inbox) == []


@pytest.mark.parametrize("connection", ["99", "x", "1e3", "-1", "9" * 30, "١"])
async def test_an_unknown_connection_is_not_found(sqlite_world: World, connection: str) -> None:
    async with open_office(sqlite_world) as office, provider(office) as client:
        assert (await call(client, connection, signed())).status_code == 404


async def test_a_full_inbox_is_told_so_that_the_provider_calls_again(world: World) -> None:
    async def full(entries: object) -> None:
        raise Overloaded("full", retry_after_seconds=7)

    async with open_office(world) as office:
        connection_id, reference = await sent(office)
        async with provider(office, append=full) as client:
            receipt = told(ReceiptKind.DELIVERED, "a", reference=reference)
            answer = await call(client, connection_id, signed(receipt))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_what_nobody_can_place_is_kept_word_for_word(world: World) -> None:
    async with open_office(world) as office:
        connection_id, _ = await sent(office)
        strange = {"kind": "teleported", "key": "x", "about": "something new"}
        async with provider(office) as client:
            lost = told(ReceiptKind.DELIVERED, "lost", provider_id="nobody")
            assert (await call(client, connection_id, signed(lost, strange))).status_code == 200
    kept = [read_unclaimed(row.receipt) for row in await world.rows(Unclaimed)]
    assert {receipt.kind for receipt in kept} == {ReceiptKind.DELIVERED, ReceiptKind.UNMAPPED}
    assert [orjson.loads(one.raw) for one in kept if one.kind == ReceiptKind.UNMAPPED] == [strange]


async def test_a_callback_cannot_speak_of_another_projects_message(world: World) -> None:
    async with open_office(world) as office:
        connection_id, reference = await sent(office)
        _, shard, message_id = reference.split("-")
        receipts = [
            told(ReceiptKind.BOUNCED, "a", reference=f"{world.project_id + 1}-{shard}-{message_id}"),
            told(ReceiptKind.BOUNCED, "b", reference=f"{world.project_id}-{shard}-{int(message_id) + 4096}"),
            told(ReceiptKind.BOUNCED, "c", reference=f"{world.project_id}-{world.shards}-{message_id}"),
            told(ReceiptKind.BOUNCED, "d", reference="' OR 1=1 --"),
        ]
        async with provider(office) as client:
            await call(client, connection_id, signed(*receipts))
        await office.settle()
        assert (await office.message()).status == "accepted"
    assert len(await world.rows(Unclaimed)) == 4


async def test_a_receipt_that_overtakes_our_own_outcome_is_placed_later(world: World) -> None:
    async with open_office(world) as office:
        connection_id = await connect(office)
        await world.add_journey(welcome())
        await sign_up(world, "kim")
        await world.settle()
        await office.dispatcher.until_idle()
        [message] = office.fake.sends
        async with provider(office) as client:
            early = told(ReceiptKind.DELIVERED, "early", provider_id=f"fake-{message.reference}")
            await call(client, connection_id, signed(early))
        assert len(await world.rows(Unclaimed)) == 1
        await world.settle()
        poller = Poller(
            world.db, world.clock, office.host, office.dispatcher.senders, world.shards, office.append
        )
        await poller.poll_once()
        await office.settle()
        assert (await office.message()).status == "delivered"
    assert await world.rows(Unclaimed) == []
