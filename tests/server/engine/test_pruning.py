"""Old facts are deleted beside a working engine; what comes for them later changes nothing."""

from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

import server.pruning as pruning_pages
from server.aggregates import recount
from server.engine.shard import Shard
from server.pruning import Pruner
from server.store import messages, pruning, retention, setup
from server.store.pruning import Retention
from server.store.receipts import key_of
from server.store.tables import (
    Conversion,
    FormerMessage,
    FormerRun,
    Message,
    Receipt,
    Refusal,
    Run,
    SettledCounter,
    SettledSet,
    Visit,
)
from tests.world import DAY, HOUR, NOON, World, abandoned_cart

from .balance import balances
from .flows import heard
from .pruned import aggregates, prune

pytestmark = pytest.mark.anyio


async def lived(world: World, people: int = 3, **more: Any) -> int:
    """Some put things into their carts, got an e-mail, and one bought."""
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart(**more))
    for n in range(people):
        name = f"user {n}"
        address = {"email": f"{n}@example.com"}
        await world.live(world.event("", NOON, user=name, type="identify", **address))
        await world.live(world.event("add_to_cart", NOON, user=name))
    await world.live(world.event("add_to_cart", NOON + 1, user="user 0"), until=NOON + 2 * HOUR)
    for message in await world.rows(Message):
        await heard(world, message.id, "accepted", NOON + 2 * HOUR)
    await world.live(world.event("purchase", NOON + 3 * HOUR, user="user 0", total=5))
    return journey_id


async def test_everything_of_a_run_goes_and_every_figure_stays(world: World) -> None:
    await lived(world)
    before = await aggregates(world)
    await world.settle(NOON + 10 * DAY)
    done = await prune(world)
    assert (done.runs, done.messages, done.receipts, done.conversions, done.refusals) == (3, 3, 3, 1, 1)
    for gone in (Run, Visit, Message, Receipt, Conversion, Refusal):
        assert await world.rows(gone) == []
    assert await aggregates(world) == before
    await balances(world)
    assert (await prune(world)).runs == 0
    async with world.db.write() as session:
        await recount.rebuild(session)
    assert [row for row in (await aggregates(world))[0] if row[-2]] == before[0]


async def test_what_is_young_open_or_heard_of_lately_stays(world: World) -> None:
    await lived(world)
    await world.settle(NOON + 7 * DAY + 2 * HOUR)
    assert (await prune(world)).runs == 0  # Goals count until the eighth day, and a day is kept.
    await world.settle(NOON + 9 * DAY)
    first, second, _ = await world.rows(Message, "id")
    await heard(world, first.id, "clicked", NOON + 9 * DAY - HOUR, actor="human")
    async with world.db.write() as session:
        message = await session.get(Message, (second.shard, second.id))
        assert message is not None
        message.due_at = NOON + 10 * DAY
    assert (await prune(world)).runs == 1
    assert {run.id for run in await world.rows(Run)} == {first.run_id, second.run_id}
    await balances(world)


async def test_what_is_heard_of_a_message_later_changes_nothing(world: World) -> None:
    await lived(world)
    await world.settle(NOON + 10 * DAY)
    message = (await world.rows(Message, "id"))[0]
    await prune(world)
    before = await aggregates(world)
    for kind in ("opened", "clicked", "bounced"):
        more: dict[str, Any] = {"reason": "unreachable"} if kind == "bounced" else {"actor": "human"}
        await heard(world, message.id, kind, NOON + 10 * DAY, **more)
    await world.live(world.event("purchase", NOON + 4 * HOUR, user="user 1", total=3))
    assert await aggregates(world) == before
    assert (await world.rows(Receipt), await world.rows(Conversion)) == ([], [])
    await balances(world)


async def test_the_way_out_of_a_message_leads_to_its_address_for_good(world: World) -> None:
    await lived(world, 1)
    await world.settle(NOON + 10 * DAY)
    [message] = await world.rows(Message)
    await prune(world)
    async with world.db.read() as session:
        owner = await messages.owner(session, *key_of(message.id))
    assert owner is not None
    assert (owner.channel, owner.address, owner.purpose) == ("email", "0@example.com", "information")


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ({"reentry": "never"}, ["entered_before"]),
        ({"reentry_rules": {"after_ms": 30 * DAY}}, ["too_soon"]),
        ({"reentry_rules": {"most": 1, "within_ms": 20 * DAY}}, ["too_often"]),
        ({"reentry_rules": {"most": 2, "within_ms": 20 * DAY}}, []),
        ({}, []),
    ],
)
async def test_who_may_come_again_is_decided_as_if_nothing_were_gone(
    world: World, rules: dict[str, Any], refused: list[str]
) -> None:
    await lived(world, **rules)
    await world.settle(NOON + 10 * DAY)
    await prune(world)
    await world.live(world.event("add_to_cart", NOON + 10 * DAY + 1, user="user 1"))
    assert [row.reason for row in await world.rows(Refusal)] == refused
    assert len(await world.rows(Run)) == (0 if refused else 1)
    await balances(world)


async def test_what_a_batch_had_read_and_is_deleted_before_it_commits_is_decided_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(world)
    await world.settle(NOON + 10 * DAY)
    async with world.db.write() as session:  # As an earlier time has done: from then on engines look.
        await pruning.keep_since(session, world.project_id, NOON + 10 * DAY)
        await setup.touch_catalog(session)
    await world.settle()
    message = (await world.rows(Message, "id"))[0]
    before = await aggregates(world)
    gather, done = Shard._gather, []

    async def then_prune(self: Shard, *about: Any) -> Any:
        found = await gather(self, *about)
        if not done and found[1]:
            done.append(await prune(world))
        return found

    monkeypatch.setattr(Shard, "_gather", then_prune)
    await heard(world, message.id, "opened", NOON + 3 * HOUR, actor="human")
    assert done[0].runs == 3
    assert await aggregates(world) == before
    assert await world.rows(Receipt) == []
    await balances(world)


async def test_after_every_page_others_have_as_long_as_it_took(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(world)
    await world.settle(NOON + 10 * DAY)
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    seconds = count(step=3)
    monkeypatch.setattr(pruning_pages, "_now", lambda: next(seconds))
    monkeypatch.setattr(pruning_pages, "asyncio", SimpleNamespace(sleep=rest))
    pages = Pruner(world.db, world.shards, Retention(world.project_id, 1), world.clock.now())
    done = [page async for page in pages.prune()]
    assert [bool(page.runs) for page in done] == [True, False]
    assert rests == [3, 3]


async def test_a_run_that_was_deleted_is_counted_as_one_that_was(world: World) -> None:
    journey_id = await lived(world, 1)
    await world.settle(NOON + 10 * DAY)
    [run] = await world.rows(Run)
    await prune(world)
    [former] = await world.rows(FormerRun)
    assert (former.id, former.entered_at, former.ended_at) == (run.id, run.entered_at, run.ended_at)
    assert len(await world.rows(FormerMessage)) == 1
    async with world.db.read() as session:
        lost = await retention.missing_since(session, world.project_id, None, journey_id)
        assert lost == NOON + 9 * DAY
        assert await retention.missing_since(session, world.project_id, NOON + 9 * DAY, journey_id) is None
        assert await retention.missing_since(session, world.project_id, NOON, journey_id) == lost
        assert await retention.missing_since(session, world.project_id, NOON, journey_id + 1) is None


async def test_pages_that_were_settled_are_put_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.pruning.RUNS_AT_ONCE", 1)
    await lived(world, 12)
    await world.settle(NOON + 10 * DAY)
    assert (await prune(world)).runs == 12
    parts: dict[Any, int] = {}
    for row in await world.rows(SettledSet):
        parts[row[:-2]] = parts.get(row[:-2], 0) + 1
    assert max(parts.values()) <= 8
    assert await world.rows(SettledCounter)
    await balances(world)
