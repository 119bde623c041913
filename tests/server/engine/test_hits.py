"""What one hit gives away of others moves the figures, in the transaction, whatever the order."""

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from channels import ReceiptKind
from server.aggregates import recount
from server.delivery import bursts
from server.delivery.receipts import HeardReceipt
from server.engine import shard as shards
from server.engine.state import to_json
from server.store.bulk import table_of
from server.store.tables import Message, Receipt
from tests.world import NOON, World

from .divided import divided_world
from .test_receipts import attempted, hear

anyio = pytest.mark.anyio
LINKS = [f"https://shop.example/{name}" for name in "abc"]


def hit(message_id: int, kind: str, at: int, url: str = "", actor: str = "human") -> HeardReceipt:
    return HeardReceipt(message_id, f"{kind}:{at}:{url}", ReceiptKind(kind), at, actor=actor, url=url)


async def by_actor(world: World, metric: str) -> dict[str, int]:
    return {actor: n for actor, n in (await world.counts(metric, "reason")).items() if n}


async def agrees(world: World) -> None:
    async with world.db.read() as session:
        assert await recount.differences(session) == []


@anyio
async def test_a_click_is_a_machines_once_the_rest_of_its_burst_is_heard(world: World) -> None:
    message = await attempted(world)
    about = message.id
    await hear(world, message, hit(about, "opened", NOON), hit(about, "clicked", NOON + 1000, LINKS[0]))
    assert await by_actor(world, "clicks") == {"human": 1}
    assert await by_actor(world, "clicked") == {"": 1, "human": 1}
    await hear(world, message, *(hit(about, "clicked", NOON + 3000, url) for url in LINKS[1:]))
    assert await by_actor(world, "clicks") == {"machine": 3}
    assert await by_actor(world, "clicked") == {"": 1, "machine": 1}
    assert await by_actor(world, "opened") == {"": 1, "machine": 1}
    await hear(world, message, hit(about, "clicked", NOON + 60_000, LINKS[0]))
    assert await by_actor(world, "clicks") == {"machine": 3, "human": 1}
    assert await by_actor(world, "clicked") == {"": 1, "machine": 1, "human": 1}
    own = {row.actor for row in await world.rows(Receipt) if row.kind == "clicked"}
    assert own == {"human"}
    await agrees(world)


@anyio
async def test_the_honeypot_is_no_click_and_gives_away_what_was_done_around_it(world: World) -> None:
    message = await attempted(world)
    about = message.id
    message = await hear(world, message, hit(about, "trapped", NOON + 2000, actor="machine"))
    # Whoever follows a link has the message.
    assert message.status == "accepted"
    assert await by_actor(world, "clicks") == await by_actor(world, "clicked") == {}
    await hear(world, message, hit(about, "clicked", NOON, LINKS[0]))
    assert await by_actor(world, "clicks") == {"machine": 1}
    assert [row.kind for row in await world.rows(Receipt, "received_at") if row.kind == "trapped"] == [
        "trapped"
    ]
    await agrees(world)


@anyio
async def test_a_message_heard_of_before_hits_were_kept_goes_on_as_it_was(world: World) -> None:
    message = await attempted(world)
    message = await hear(world, message, hit(message.id, "clicked", NOON, LINKS[0]))
    heard = orjson.loads(message.heard)
    del heard[bursts.HITS]
    heard["clicked/human"] = heard["clicked"]
    async with world.db.write() as session:
        await session.run(update(table_of(Message)).values(heard=to_json(heard)))
    await agrees(world)
    await hear(world, message, *(hit(message.id, "clicked", NOON, url) for url in LINKS[1:]))
    assert await by_actor(world, "clicks") == {"human": 3}
    assert await by_actor(world, "clicked") == {"": 1, "human": 1}
    await agrees(world)


LAW = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    print_blob=False,
    max_examples=8,
)
told = st.lists(
    st.tuples(
        st.sampled_from(["opened", "clicked", "clicked", "clicked", "trapped"]),
        # On both sides of an hour's end, so that what moves is seen to leave its own hour.
        st.integers(-8, 8).map(lambda half: NOON + half * 700),
        st.sampled_from(LINKS),
        st.sampled_from(["human", "human", "unsure", "machine"]),
    ),
    max_size=9,
    unique_by=lambda one: one[:3],
)


async def state(world: World) -> Any:
    [message] = await world.rows(Message)
    counters: dict[Any, int] = {}
    for row in await world.hours():
        key = (row.metric, row.reason, row.span)
        counters[key] = counters.get(key, 0) + row.n
    return orjson.loads(message.heard), message.status, {key: n for key, n in counters.items() if n}


@LAW
@given(
    told.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))),
    st.integers(1, 4),
    st.sampled_from([3, bursts.MOST_HITS]),
)
def test_hits_in_any_order_and_any_repetition_give_the_same_state_and_figures(
    both: tuple[list[Any], list[Any]], most_rows: int, most_hits: int
) -> None:
    async def play(some: list[Any], *, at_once: bool) -> Any:
        async with divided_world(1) as world:
            message = await attempted(world)
            receipts = [hit(message.id, *one) for one in some]
            for batch in [receipts] if at_once else [[one] for one in receipts]:
                await hear(world, message, *batch, *batch)
            await hear(world, message, *receipts)
            await agrees(world)
            return await state(world)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bursts, "MOST_HITS", most_hits)
        whole = asyncio.run(play(both[0], at_once=True))
        assert asyncio.run(play(both[1], at_once=False)) == whole
        patch.setattr(shards, "MOST_ROWS", most_rows)
        assert asyncio.run(play(both[1], at_once=True)) == whole
