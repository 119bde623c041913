"""Callbacks in every shape: challenges, signatures over addresses, adapters with defects, bad items."""

import random
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from channels import Callback, Host, Receipt, ReceiptKind
from channels.contract import Inbound, Instant, Refused, Verified
from channels.testing.fake import FakeChannel
from channels.testing.fates import FakeSettings
from server.aggregates.recount import differences
from server.clock import DAY
from server.delivery.hearing import read_unclaimed
from server.delivery.inbound import ANSWERS_WITHIN
from server.delivery.polling import Poller
from server.delivery.receipts import decode
from server.routes.hooks import MOST_BYTES, UNREADABLE, HooksDoor
from server.store.tables import Inbound as InboundRow
from server.store.tables import Inbox, Suppression, Unclaimed
from server.store.tables import Receipt as ReceiptRow
from tests.server.delivery.office import BOX, Office, open_office, sign_up, welcome
from tests.server.routes.test_hooks import connect, told
from tests.world import MINUTE, NOON, World, statements

pytestmark = pytest.mark.anyio


class OpenChannel(FakeChannel):
    """Believes everybody, tells what it is told to tell, and remembers every callback."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Callback] = []
        self.receipts: Any = []
        self.inbound: Any = []

    def verify(self, settings: FakeSettings, callback: Callback, now: Instant) -> Verified | Refused:
        self.calls.append(callback)
        if callback.query.get("raise"):
            raise RuntimeError("a defect")
        if callback.query.get("mode") == "subscribe":
            asked = callback.query
            return Verified(
                callback, now, answer=asked["challenge"], answer_type=asked.get("as", "text/plain")
            )
        return Verified(callback, now)

    def parse(self, settings: FakeSettings, verified: Verified) -> list[Receipt]:
        if isinstance(self.receipts, Exception):
            raise self.receipts
        return list(self.receipts)

    def parse_inbound(self, settings: FakeSettings, verified: Verified) -> list[Inbound]:
        if isinstance(self.inbound, Exception):
            raise self.inbound
        return list(self.inbound)

    async def poll(self, settings: FakeSettings, tools: Any, cursor: Any) -> Any:
        return ([], cursor) if cursor else (list(self.receipts), "told")


@asynccontextmanager
async def opened(world: World, channel: FakeChannel) -> AsyncIterator[tuple[Office, httpx.AsyncClient, int]]:
    """An office whose one channel this is, the provider's client, and a connection."""
    async with open_office(world) as office:
        office.fake, office.host = channel, Host({"fake": channel}, {})
        await office.dispatcher.aclose()
        office.dispatcher = office.dispatch()
        connection_id = await connect(office)
        url = "https://mail.example.com/"
        door = HooksDoor(world.db, world.clock, office.host, BOX, world.shards, office.append, url)
        transport = httpx.ASGITransport(Starlette(routes=door.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside.test") as client:
            yield office, client, connection_id


async def deliver(office: Office) -> str:
    """Sends kim a message, and returns its reference."""
    await office.world.add_journey(welcome())
    await sign_up(office.world, "kim")
    await office.settle()
    return office.fake.sends[-1].reference


async def test_a_challenge_is_answered_word_for_word_as_plain_text(sqlite_world: World) -> None:
    async with opened(sqlite_world, OpenChannel()) as (_, client, id):
        answer = await client.get(f"/hooks/{id}?mode=subscribe&challenge=%3Cb%3E42%3C/b%3E")
    assert (answer.status_code, answer.text) == (200, "<b>42</b>")
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    ("wished", "given"), [("application/xml", "application/xml"), ("text/html", "text/plain")]
)
async def test_an_answer_has_the_type_that_its_provider_reads_but_is_never_a_page(
    sqlite_world: World, wished: str, given: str
) -> None:
    async with opened(sqlite_world, OpenChannel()) as (_, client, id):
        answer = await client.get(f"/hooks/{id}?mode=subscribe&challenge=x&as={wished}")
    assert answer.headers["content-type"].partition(";")[0] == given


async def test_a_channel_sees_the_address_as_it_was_called_and_the_body_untouched(
    sqlite_world: World,
) -> None:
    channel = OpenChannel()
    async with opened(sqlite_world, channel) as (_, client, id):
        body = b"Body=caf%C3%A9+%2B&From=%2B8210"
        headers = [("X-Sign", "a"), ("x-sign", "b"), ("Content-Type", "application/x-www-form-urlencoded")]
        await client.post(f"/hooks/{id}?b=%7e&a=x+y&a=", content=body, headers=headers)
    (call,) = channel.calls
    assert call.url == f"https://mail.example.com/hooks/{id}?b=%7e&a=x+y&a="
    assert (call.method, call.body, call.headers["x-sign"]) == ("POST", body, "a, b")
    assert call.query["b"] == "~"


async def test_a_body_beyond_the_limit_is_refused_before_it_is_verified(sqlite_world: World) -> None:
    channel = OpenChannel()
    async with opened(sqlite_world, channel) as (_, client, id):
        answer = await client.post(f"/hooks/{id}", content=b"x" * (MOST_BYTES + 1))
    assert (answer.status_code, channel.calls) == (413, [])


async def test_what_an_adapter_with_a_defect_cannot_read_is_kept_as_it_came(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (_, client, id):
        channel.receipts = KeyError("id")
        first = await client.post(f"/hooks/{id}", content=b'{"odd": "\\u0000 \x00"}')
        channel.receipts, channel.inbound = [told(ReceiptKind.DELIVERED, "a", provider_id="x")], KeyError("y")
        second = await client.post(f"/hooks/{id}", content=b"text")
    assert (first.status_code, second.status_code) == (200, 200)
    kept = [read_unclaimed(row.receipt) for row in await world.rows(Unclaimed)]
    raws = {one.raw for one in kept if one.kind is ReceiptKind.UNMAPPED and one.code == UNREADABLE}
    assert raws == {'{"odd": "\\u0000 \N{REPLACEMENT CHARACTER}"}', "text"}
    assert [one.key for one in kept if one.kind is ReceiptKind.DELIVERED] == ["a"]


async def test_an_adapter_that_cannot_even_verify_is_asked_again_later(sqlite_world: World) -> None:
    async with opened(sqlite_world, OpenChannel()) as (_, client, id):
        answer = await client.post(f"/hooks/{id}?raise=1")
    assert (answer.status_code, "defect" in answer.text) == (503, False)


async def test_a_bad_item_costs_none_of_its_neighbours(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, client, id):
        reference = await deliver(office)
        good = told(ReceiptKind.DELIVERED, "good", reference=reference)
        bad = [
            replace(good, occurred_at="yesterday"),  # type: ignore[arg-type]  # wrong on purpose
            replace(good, key=None),  # type: ignore[arg-type]  # wrong on purpose
            replace(good, kind="teleported"),  # type: ignore[arg-type]  # wrong on purpose
            replace(good, text=7),  # type: ignore[arg-type]  # wrong on purpose
            None,
        ]
        channel.receipts = [*bad, good]
        assert (await client.post(f"/hooks/{id}")).status_code == 200
        await office.settle()
        assert (await office.message()).status == "delivered"
    assert len(await world.rows(Unclaimed)) == len(bad)


async def test_a_receipt_keeps_the_providers_own_words_and_through_whom_they_came(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, client, id):
        reference = await deliver(office)
        bounced = told(ReceiptKind.BOUNCED, "b", reference=reference, code="5.1.1", text="gone")
        channel.receipts = [replace(bounced, raw="r" * 100_000)]
        await client.post(f"/hooks/{id}")
        await office.settle()
    (row,) = [row for row in await world.rows(ReceiptRow) if row.kind == "bounced"]
    assert (row.connection_id, row.reason, row.code, row.detail) == (id, "unknown", "5.1.1", "gone")
    assert 1_000 <= len(row.raw) <= 10_000


# What people write


def wrote(key: str, text: str, at: int = NOON + MINUTE, **more: Any) -> Inbound:
    return Inbound(key, "kim@example.com", text, at, **more)


async def suppressed(world: World) -> list[tuple[str, str, str]]:
    """Those that hold."""
    rows = [row for row in await world.rows(Suppression) if row.since is not None]
    return [(row.channel, row.address, row.source) for row in rows]


async def test_a_reply_is_kept_once_and_heard_of_the_message_that_it_answers(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, client, id):
        reference = await deliver(office)
        world.clock.reach(NOON + 2 * MINUTE)
        channel.inbound = [wrote("in-1", "How much is it?", provider_id=f"fake-{reference}")]
        for _ in range(2):
            assert (await client.post(f"/hooks/{id}")).status_code == 200
        await office.settle()
        heard = orjson.loads((await office.message()).heard)
    assert heard["replied"] == [NOON + MINUTE, NOON + MINUTE, 1]
    (row,) = await world.rows(InboundRow)
    assert (row.address, row.text, row.meaning) == ("kim@example.com", "How much is it?", "")
    assert await suppressed(world) == []


@pytest.mark.parametrize("name", ["\ud800", "\0", "x" * 5000])
async def test_a_reply_to_a_name_that_no_database_can_hold_is_kept(world: World, name: str) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (_, client, id):
        channel.inbound = [wrote("in-1", "STOP", provider_id=name)]
        assert (await client.post(f"/hooks/{id}")).status_code == 200
    assert len(await world.rows(InboundRow)) == 1
    assert await suppressed(world) == [("email", "kim@example.com", "inbound")]


async def test_an_address_of_any_length_that_opts_out_costs_its_neighbours_nothing(world: World) -> None:
    channel = OpenChannel()
    endless = "".join(random.Random(7).choices(string.ascii_letters, k=70_000))
    async with opened(world, channel) as (_, client, id):
        channel.receipts = [
            told(ReceiptKind.UNSUBSCRIBED, "long", recipient=endless),
            told(ReceiptKind.UNSUBSCRIBED, "080", recipient="kim@example.com"),
        ]
        channel.inbound = [replace(wrote("in-1", "STOP"), sender=endless)]
        assert (await client.post(f"/hooks/{id}")).status_code == 200
    assert "kim@example.com" in {address for _, address, _ in await suppressed(world)}


@pytest.mark.parametrize(("later", "answers"), [(ANSWERS_WITHIN, True), (ANSWERS_WITHIN + DAY, False)])
async def test_without_a_name_a_reply_answers_our_last_message_of_seven_days(
    world: World, later: int, answers: bool
) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, client, id):
        await deliver(office)
        world.clock.reach(NOON + later)
        channel.inbound = [wrote("in-1", "thanks", NOON + later), wrote("in-2", "?")]
        channel.inbound[1] = replace(channel.inbound[0], key="in-2", sender="lee@example.com")
        await client.post(f"/hooks/{id}")
        await office.settle()
        heard = orjson.loads((await office.message()).heard)
    assert ("replied" in heard) is answers
    assert len(await world.rows(InboundRow)) == 2


async def test_stop_suppresses_the_address_and_start_lets_it_go_whatever_comes_first(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (_, client, id):
        world.clock.reach(NOON + 9 * MINUTE)
        channel.inbound = [wrote("in-1", "STOP", NOON + MINUTE)]
        await client.post(f"/hooks/{id}")
        assert await suppressed(world) == [("email", "kim@example.com", "inbound")]
        channel.inbound = [wrote("in-2", "START", NOON + 3 * MINUTE)]
        await client.post(f"/hooks/{id}")
        # An older one that comes late, and the first one told again.
        channel.inbound = [wrote("in-3", "STOP", NOON + 2 * MINUTE), wrote("in-1", "STOP", NOON + MINUTE)]
        await client.post(f"/hooks/{id}")
    assert await suppressed(world) == []
    assert [row.meaning for row in await world.rows(InboundRow, "key")] == ["stop", "start", "stop"]


async def test_a_stop_counts_for_the_message_that_it_answers_once(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, client, id):
        await deliver(office)
        channel.inbound = [wrote("in-1", "STOP"), wrote("in-2", "stop."), wrote("in-3", "Why?")]
        for _ in range(2):
            await client.post(f"/hooks/{id}")
            await office.settle()
        heard = orjson.loads((await office.message()).heard)
    assert (heard["replied"][2], heard["unsubscribed"][2]) == (3, 2)
    assert (await world.total("unsubscribed"), await world.total("replied")) == (1, 1)
    # By the callback itself, for every purpose: the receipt adds nothing to that.
    assert await suppressed(world) == [("email", "kim@example.com", "inbound")]
    async with world.db.read() as session:
        assert await differences(session) == []


async def test_what_many_write_at_once_takes_a_few_statements(world: World) -> None:
    async def callback(number: int) -> int:
        texts = [
            replace(
                wrote(f"{number}-{one}", "STOP" if one % 2 else "Hi"), sender=f"{number}-{one}@example.com"
            )
            for one in range(number)
        ]
        channel.inbound = texts
        with statements(world.db) as seen:
            assert (await client.post(f"/hooks/{id}")).status_code == 200
        return len(seen)

    channel = OpenChannel()
    async with opened(world, channel) as (_, client, id):
        few = await callback(4)
        assert await callback(400) <= few
    assert len(await suppressed(world)) == 202


async def test_an_opt_out_that_names_only_an_address_suppresses_it(world: World) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (_, client, id):
        channel.receipts = [
            told(ReceiptKind.UNSUBSCRIBED, "080", recipient="kim@example.com"),
            told(ReceiptKind.COMPLAINED, "fbl", recipient="lee@example.com"),
            told(ReceiptKind.DELIVERED, "d", recipient="park@example.com"),
        ]
        await client.post(f"/hooks/{id}")
    assert {address for _, address, _ in await suppressed(world)} == {"kim@example.com", "lee@example.com"}
    assert len(await world.rows(Unclaimed)) == 3


async def test_an_opt_out_that_a_provider_has_to_be_asked_for_suppresses_the_address_too(
    world: World,
) -> None:
    channel = OpenChannel()
    async with opened(world, channel) as (office, _, _):
        channel.receipts = [told(ReceiptKind.UNSUBSCRIBED, "080", recipient="kim@example.com")]
        senders = office.dispatcher.senders
        await Poller(world.db, world.clock, office.host, senders, world.shards, office.append).poll_once()
    assert await suppressed(world) == [("email", "kim@example.com", "receipt")]


def test_a_receipt_of_an_earlier_server_in_the_inbox_can_still_be_read() -> None:
    old = orjson.dumps({"message_id": 1, "key": "k", "kind": "delivered", "occurred_at": NOON})
    assert (decode(old).connection_id, decode(old).raw) == (None, "")


async def test_nothing_is_acknowledged_that_is_not_on_disk(sqlite_world: World) -> None:
    channel = OpenChannel()
    async with opened(sqlite_world, channel) as (office, client, id):
        reference = await deliver(office)
        channel.receipts = [told(ReceiptKind.DELIVERED, "a", reference=reference)]
        channel.inbound = [wrote("in-1", "hello")]
        assert (await client.post(f"/hooks/{id}")).status_code == 200
        assert len(await sqlite_world.rows(Inbox)) == 2
        assert len(await sqlite_world.rows(InboundRow)) == 1
