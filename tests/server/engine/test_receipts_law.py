"""Whatever is heard of a message, in any order, repeated, with crashes between: the same in the end."""

import asyncio
import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from channels import ReceiptKind
from channels.reasons import Reason
from server.aggregates import recount
from server.delivery.receipts import HeardReceipt
from server.engine import batch as batches
from server.store.tables import Message, Receipt
from tests.world import HOUR, MINUTE, NOON, World

from .divided import divided_world, without_complaint
from .test_laws import LAW
from .test_receipts import attempted, hear

BAD = (ReceiptKind.BOUNCED, ReceiptKind.FAILED, ReceiptKind.REFUSED, ReceiptKind.EXPIRED)
DONE = (
    *(ReceiptKind.ACCEPTED, ReceiptKind.DELIVERED, ReceiptKind.UNMAPPED, ReceiptKind.UNKNOWN),
    *(ReceiptKind.REPLIED, ReceiptKind.UNSUBSCRIBED, ReceiptKind.COMPLAINED),
    *(ReceiptKind.SHOWN, ReceiptKind.INTERACTED, ReceiptKind.DISMISSED),
)
BY_SOMEBODY = (ReceiptKind.OPENED, ReceiptKind.CLICKED)
WHEN = st.sampled_from([NOON, NOON + 1, NOON + MINUTE, NOON + HOUR, NOON + 2 * HOUR])
Fact = tuple[Any, ...]
"""Kind, when, reason, actor, and the amount and the currency of a price, if it tells one."""

FACTS = st.one_of(
    st.tuples(st.sampled_from(BAD), WHEN, st.sampled_from(list(Reason)).map(str), st.just("")),
    st.tuples(st.sampled_from(DONE), WHEN, st.just(""), st.just("")),
    st.tuples(
        st.sampled_from(BY_SOMEBODY), WHEN, st.just(""), st.sampled_from(["human", "machine", "unsure"])
    ),
    st.tuples(
        *(st.sampled_from([*DONE, ReceiptKind.PRICED, ReceiptKind.FAILED]), WHEN, st.just(""), st.just("")),
        *(st.sampled_from([0, 79, 84_000]), st.sampled_from(["KRW", "USD"])),
    ),
)


async def heard(facts: list[Fact], groups: list[int], crashes: set[int]) -> Any:
    """What a world knows after it has heard these, so many at a time, with crashes in some of the batches."""
    async with divided_world(1) as world:
        message = await attempted(world)
        receipts = [receipt(message, fact) for fact in facts]
        for number, size in enumerate(groups):
            told, receipts = receipts[:size], receipts[size:]
            if told and number in crashes:
                await crash(world, message, *told)
            await hear(world, message, *told)
        await hear(world, message, *receipts)
        return await state(world)


def receipt(message: Any, fact: Fact) -> HeardReceipt:
    kind, at, reason, actor, *price = fact
    amount, currency = price or (None, "")
    about: dict[str, Any] = {"reason": reason, "actor": actor, "price": amount, "currency": currency}
    return HeardReceipt(message.id, ":".join(map(str, fact)), kind, at, **about)


class PowerCut(BaseException):
    """Nothing that the loop could catch and go on from."""


async def crash(world: World, message: Any, *told: HeardReceipt) -> None:
    """The batch is decided and written, and never committed."""

    async def write(self: Any, session: Any) -> None:
        await whole(self, session)
        raise PowerCut

    whole = batches.Batch.write
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches.Batch, "write", write)
        with pytest.raises(PowerCut):
            await hear(world, message, *told)


async def state(world: World) -> Any:
    [message] = await world.rows(Message)
    receipts = sorted((row.key, row.kind, row.occurred_at) for row in await world.rows(Receipt))
    figures: dict[Any, tuple[int, int]] = {}
    for row in await world.hours():
        key = (row.metric, row.step_key, row.reason, row.span)
        n, amount = figures.get(key, (0, 0))
        figures[key] = n + row.n, amount + row.amount
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    figures = {key: n for key, n in figures.items() if any(n)}
    cost = message.price, message.currency, message.priced_at
    return message.status, message.reason, orjson.loads(message.heard), cost, receipts, figures


@settings(LAW, max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    st.lists(FACTS, max_size=8, unique=True),
    st.lists(st.integers(1, 3), max_size=4),
    st.sets(st.integers(0, 3), max_size=2),
    st.randoms(use_true_random=False),
)
@example(
    [
        (ReceiptKind.PRICED, NOON + HOUR, "", "", 84_000, "KRW"),
        (ReceiptKind.ACCEPTED, NOON, "", "", 79, "USD"),
        (ReceiptKind.DELIVERED, NOON + HOUR, "", "", 79, "KRW"),
    ],
    *([1], {0}, random.Random(2)),
)
@example([(ReceiptKind.CLICKED, NOON, "", "human")], [1], {0}, random.Random(1))
def test_any_multiset_in_any_order_with_repeats_and_crashes_folds_to_the_same(
    facts: list[Fact], groups: list[int], crashes: set[int], chance: random.Random
) -> None:
    shuffled = [*facts, *chance.sample(facts, len(facts) // 2)]
    chance.shuffle(shuffled)
    with without_complaint():
        plain = asyncio.run(heard(facts, [], set()))
        assert asyncio.run(heard(shuffled, groups, crashes)) == plain
