"""An upgrade finds devices, sessions and deeds in the events that are already there."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from server.aggregates import recount_deeds, recount_lives
from server.aggregates.deeds import Deed, Unit
from server.engine import earlier_events
from server.store import setup
from server.store.bulk import table_of
from server.store.tables import (
    AdoptedDeeds,
    Catalog,
    Coupon,
    DeedSet,
    DeedValue,
    Device,
    Event,
    Life,
    Purchase,
    Spending,
    VisitSession,
)
from tests.world import DAY, MINUTE, NOON, World

from .test_deeds import page, town  # noqa: F401 - a fixture
from .test_deeds_law import figures

pytestmark = pytest.mark.anyio
NEW = (AdoptedDeeds, Coupon, DeedSet, DeedValue, Device, Life, Purchase, Spending, VisitSession)


async def as_before_the_upgrade(world: World) -> None:
    events = table_of(Event)
    async with world.db.write() as session:
        for model in NEW:
            await session.run(delete(table_of(model)))
        blank = {"device_number": None, "session_at": None, "by_member": False, "deeds": ""}
        await session.run(update(events).values(blank))
        await session.run(update(table_of(Catalog)).values(deeds_due=True))


async def upgrade(world: World) -> None:
    async with world.db.write() as session:
        assert await setup.deeds_are_due(session)
        assert not await setup.deeds_are_due(session)
        await earlier_events.find(session, world.shards, world.clock.now())
        await recount_lives.rebuild(session)
        await recount_deeds.rebuild(session)
    await world.settle()


def order(world: World, at: int, **who: Any) -> Any:
    return world.event("Order Completed", at, order_id="7", total=19900, currency="KRW", **who)


async def test_what_was_told_before_is_counted_as_if_it_came_now(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(earlier_events, "PAGE", 2)
    monkeypatch.setattr(earlier_events, "_PAGE", earlier_events._PAGE.limit(2))
    world.engine._mine.clear()
    await world.live(
        *(page(world, NOON + minute * MINUTE, anonymous="phone") for minute in (0, 10, 50)),
        order(world, NOON + 51 * MINUTE, user="kim", anonymous="phone", context={"userAgent": "Mozilla/5.0"}),
        order(world, NOON + DAY, user="kim"),
        page(world, NOON + DAY, anonymous="pc", context={"device": {"id": "pc-1"}}),
        world.event("checked", NOON + DAY, user="lee"),
    )
    before = await figures(world)
    await as_before_the_upgrade(world)
    world.engine._mine.clear()
    await upgrade(world)
    after = await figures(world)
    assert after == before
    assert after[("user", "visited", ""), 0] == (2, 3)


async def test_who_turned_out_to_be_another_takes_what_was_done_along(
    town: World,  # noqa: F811 - the fixture
) -> None:
    await town.live(town.event("", NOON - DAY, user="kim", type="identify"))
    await town.live(page(town, NOON, anonymous="phone"), order(town, NOON, anonymous="phone"))
    await town.live(page(town, NOON + MINUTE, user="kim", anonymous="phone"))
    await as_before_the_upgrade(town)
    town.engine._mine.clear()
    await upgrade(town)
    after = await figures(town)
    assert after[(Unit.USER, Deed.DID, "$page"), 0] == (1, 2)
    assert after[(Unit.USER, Deed.SPENT, "KRW"), 0] == (1, 199_000_000)
    assert after[(Unit.USER, Deed.VISITED, ""), 0][0] == 1
