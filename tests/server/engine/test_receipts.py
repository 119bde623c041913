"""Receipts come late, early and twice; the dispatcher goes on meanwhile; nothing goes out twice by that."""

from itertools import permutations
from typing import Any

import pytest

from channels import ReceiptKind
from server.delivery.receipts import INTERRUPTED, HeardReceipt, encode
from server.engine.state import to_json
from server.store import attempts, inbox, messages
from server.store.tables import Message
from tests.server.delivery.office import sign_up, welcome
from tests.world import HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio


async def attempted(world: World) -> Any:
    """A message whose first attempt is under way."""
    await world.add_connection()
    await world.add_journey(welcome())
    await sign_up(world, "kim")
    await world.settle()
    return await attempt(world)


async def attempt(world: World) -> Any:
    [message] = await world.rows(Message)
    async with world.db.write() as session:
        await attempts.begin(session, message.shard, [message.id], world.clock.now(), when_due=False)
    return (await world.rows(Message))[0]


async def hear(world: World, message: Any, *receipts: HeardReceipt) -> Any:
    entries = [
        inbox.Entry(message.shard, world.project_id, inbox.RECEIPT, encode(one), NOON) for one in receipts
    ]
    async with world.db.write() as session:
        await inbox.append(session, entries)
    await world.settle()
    return (await world.rows(Message))[0]


def outcome(message: Any, kind: ReceiptKind, attempt: int = 1, **more: Any) -> HeardReceipt:
    return HeardReceipt(message.id, f"attempt:{attempt}:{kind}", kind, NOON, attempt=attempt, **more)


def deferred(message: Any, attempt: int = 1) -> HeardReceipt:
    return outcome(message, ReceiptKind.DEFERRED, attempt, retry_at=NOON + HOUR, reason="rate_limited")


def delivered(message: Any) -> HeardReceipt:
    return HeardReceipt(message.id, "provider:1", ReceiptKind.DELIVERED, NOON + MINUTE)


async def test_a_deferral_makes_it_due_again_and_the_next_outcome_counts(world: World) -> None:
    message = await hear(world, first := await attempted(world), deferred(first))
    assert (message.status, message.due_at, message.reason) == ("queued", NOON + HOUR, "rate_limited")
    world.clock.reach(NOON + HOUR)
    second = await attempt(world)
    assert (second.status, second.attempt, second.due_at) == ("attempted", 2, None)
    message = await hear(world, second, outcome(second, ReceiptKind.ACCEPTED, 2))
    assert (message.status, message.due_at) == ("accepted", None)


@pytest.mark.parametrize("order", list(permutations(range(2))))
async def test_what_was_delivered_is_not_due_again_whatever_came_first(
    world: World, order: tuple[int, ...]
) -> None:
    first = await attempted(world)
    told = [deferred(first), delivered(first)]
    for index in order:
        message = await hear(world, first, told[index])
    assert (message.status, message.due_at) == ("delivered", None)


async def test_the_deferral_of_an_earlier_attempt_comes_too_late(world: World) -> None:
    await hear(world, first := await attempted(world), deferred(first))
    world.clock.reach(NOON + HOUR)
    second = await attempt(world)
    late = HeardReceipt(first.id, "again", ReceiptKind.DEFERRED, NOON, attempt=1, retry_at=NOON + 2 * HOUR)
    message = await hear(world, second, late)
    assert (message.status, message.due_at) == ("attempted", None)


async def test_a_providers_own_deferral_does_not_send_it_again(world: World) -> None:
    first = await attempted(world)
    queue = HeardReceipt(first.id, "7:queue", ReceiptKind.DEFERRED, NOON, reason="unreachable")
    message = await hear(world, first, queue)
    assert (message.status, message.due_at) == ("attempted", None)


async def test_an_unmapped_receipt_leaves_an_attempt_an_attempt(world: World) -> None:
    first = await attempted(world)
    strange = HeardReceipt(first.id, "7:x", ReceiptKind.UNMAPPED, NOON, detail="{}")
    assert (await hear(world, first, strange)).status == "attempted"


async def test_an_interruption_counts_only_while_nothing_else_is_known(world: World) -> None:
    first = await attempted(world)
    lost = HeardReceipt(
        first.id, "attempt:1:interrupted", ReceiptKind.UNKNOWN, NOON, code=INTERRUPTED, attempt=1
    )
    message = await hear(world, first, deferred(first), lost)
    assert (message.status, message.due_at) == ("queued", NOON + HOUR)
    assert await world.total("unknown") == 0


async def test_an_outcome_after_an_interruption_replaces_it_in_status_and_figures(world: World) -> None:
    first = await attempted(world)
    lost = HeardReceipt(
        first.id, "attempt:1:interrupted", ReceiptKind.UNKNOWN, NOON, code=INTERRUPTED, attempt=1
    )
    message = await hear(world, first, lost)
    assert message.status == "unknown"
    message = await hear(world, first, outcome(first, ReceiptKind.ACCEPTED))
    assert message.status == "accepted"
    assert (await world.total("unknown"), await world.total("sent")) == (0, 1)


async def test_what_the_engine_read_before_a_claim_does_not_undo_the_claim(world: World) -> None:
    """The engine read the message while it was queued, the dispatcher claimed it, the engine wrote."""
    message = await attempted(world)
    heard = to_json({"unmapped": [NOON, NOON, 1]})
    async with world.db.write() as session:
        for retry_at in (None, NOON):
            stale = (
                *(message.shard, message.id, 0, False, "queued", "", retry_at, None, "", heard),
                *(None, "", None, None, "", None),
            )
            await session.bulk(messages.CHANGED, [stale])
    [row] = await world.rows(Message)
    assert (row.status, row.due_at, row.attempt, row.heard) == ("attempted", None, 1, heard)
