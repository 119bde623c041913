"""A law: whatever order receipts, decisions and merges come in, the same people may be written to."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels.contract import ReceiptKind
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox
from server.store.tables import Consent, Endpoint, Message, Suppression, User
from tests.server.engine.divided import divided_world, without_complaint
from tests.world import DAY, HOUR, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio
START = NOON + 2 * HOUR
BAD = (
    (ReceiptKind.BOUNCED, "invalid_recipient"),
    (ReceiptKind.FAILED, "not_on_channel"),
    (ReceiptKind.FAILED, "unreachable"),
    (ReceiptKind.COMPLAINED, ""),
    (ReceiptKind.UNSUBSCRIBED, ""),
    (ReceiptKind.DELIVERED, ""),
    (ReceiptKind.CLICKED, ""),
)
RECEIPTS = st.lists(st.tuples(st.sampled_from(BAD), st.integers(1, 9), st.integers(0, 1)), max_size=6)
DECISIONS = st.lists(
    st.tuples(st.booleans(), st.integers(1, 9), st.sampled_from(["kim", "phone"]), st.sampled_from("ab")),
    max_size=5,
)


async def permissions(shards: int, told: list[Any], *, merge_at: int) -> Any:
    """What holds after the messages of two users who are one have been told of in this order."""
    async with divided_world(shards) as world:
        await world.add_connection()
        await world.add_journey(abandoned_cart())
        mail = {"type": "identify", "email": "kim@example.com"}
        await world.live(
            world.event("", NOON, user="kim", **mail),
            world.event("", NOON, anonymous="phone", **mail),
            world.event("add_to_cart", NOON, user="kim"),
            world.event("add_to_cart", NOON, anonymous="phone"),
            until=START,
        )
        messages = sorted(await world.rows(Message), key=lambda one: (one.shard, one.id))
        for place, (what, *about) in enumerate(told):
            if place == merge_at:
                await merge(world)
            await tell(world, messages, what, *about)
            if place % 2 == 0:
                await world.settle()
        await merge(world)
        await world.settle()
        return await found(world)


async def merge(world: World) -> None:
    event = world.event("", START, type="identify", user="kim", anonymous="phone", message_id="merge")
    await world.live(event)


async def tell(world: World, messages: list[Any], what: str, *about: Any) -> None:
    if what == "decision":
        granted, day, who, source = about
        key = {"user": "kim"} if who == "kim" else {"anonymous": "phone"}
        said = {"channel": "email", "purpose": "advertisement", "granted": granted, "source": source}
        event = world.event("Consent Changed", START, **key, **said, message_id=f"{about}")
        await world.send(event._replace(occurred_at=START + day))
        return
    (kind, reason), day, number = about
    message = messages[number % len(messages)]
    receipt = HeardReceipt(message.id, f"{about}", kind, START + day * DAY, reason=reason)
    entry = inbox.Entry(message.shard, world.project_id, inbox.RECEIPT, encode(receipt), START)
    async with world.db.write() as session:
        await inbox.append(session, [entry])


async def found(world: World) -> Any:
    [kim] = [one for one in await world.rows(User) if one.merged_into is None]
    mine = (kim.shard, kim.number)
    decided = [
        (bool(one.granted), one.decided_at, one.source)
        for one in await world.rows(Consent)
        if (one.shard, one.user_number) == mine
    ]
    held = [(one.purpose, one.reason, one.since, one.until) for one in await world.rows(Suppression)]
    states = {one.state for one in await world.rows(Endpoint) if (one.shard, one.user_number) == mine}
    return decided, sorted(one for one in held if one[2] is not None), states


@settings(max_examples=14, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([1, 3]), RECEIPTS, DECISIONS, st.randoms(use_true_random=False), st.integers(0, 12))
@example(1, [(BAD[0], 1, 1), (BAD[5], 2, 0)], [], random.Random(1), 12)
@example(3, [(BAD[0], 1, 1), (BAD[5], 2, 0)], [], random.Random(1), 12)
async def test_any_order_of_receipts_decisions_and_merges_ends_in_the_same_permissions(
    shards: int, receipts: list[Any], decisions: list[Any], chance: random.Random, merge_at: int
) -> None:
    told = [("receipt", *one) for one in dict.fromkeys(receipts)]
    told += [("decision", *one) for one in dict.fromkeys(decisions)]
    shuffled = list(told)
    chance.shuffle(shuffled)
    with without_complaint():
        assert await permissions(shards, shuffled, merge_at=merge_at) == await permissions(
            shards, told, merge_at=99
        )
