"""Hours and rolling periods over the engine: who turned out to be another, devices, segments, and bounds."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from server.aggregates import deed_values
from server.aggregates.deeds import OTHER
from server.cohorts import facts
from server.cohorts.answering import answer
from server.cohorts.asking import Asker
from server.cohorts.definition import Act, Breakdown, Days, Definition, SegmentFilter
from server.cohorts.report import Base, Report
from server.cohorts.words import Alignment, AsOf, DeviceFilter, Granularity, Kind, Metric, Occurrence, Unit
from server.errors import BadInput
from tests.world import DAY, HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio

PC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
DAYS = Definition(days=Days(date(2024, 3, 13), date(2024, 3, 16)), last_period=2)
HOURS = replace(DAYS, granularity=Granularity.HOUR, last_period=3)
ROLLING = replace(DAYS, alignment=Alignment.ROLLING)


async def told(world: World, asked: Definition) -> Report:
    async with world.db.read() as session:
        about = (world.project_id, world.shards, "Asia/Seoul", world.clock.now())
        return await answer(Asker(session, *about), asked)


def seen(world: World, at: int, who: str = "", device: str = "d", *, on: str = PC, **more: Any) -> Any:
    page = {"url": "https://shop.kr/", "referrer": more.pop("referrer", "")}
    about = {"context": {"userAgent": on, "page": page}, "anonymous": device, "user": who or None}
    return world.event(more.pop("name", ""), at, type=more.pop("type", "page"), **about, **more)


def bought(world: World, at: int, who: str, order: str, total: int) -> Any:
    body = {"order_id": order, "total": total, "currency": "KRW"}
    return seen(world, at, who, f"{who}-pc", name="Order Completed", type="track", **body)


async def lived(world: World) -> None:
    """Kim is first nobody, then Kim on a PC and on a telephone; Lee buys, and gives one thing back."""
    await world.live(
        seen(world, NOON, "", "kim-pc", referrer="https://www.google.com/"),
        seen(world, NOON + HOUR + MINUTE, "", "kim-pc"),
        seen(world, NOON + 10 * MINUTE, "lee", "lee-pc"),
        bought(world, NOON + 20 * MINUTE, "lee", "o-1", 30_000),
        until=NOON + 3 * HOUR,
    )
    await world.live(
        seen(world, NOON + 4 * HOUR, "kim", "kim-pc", type="identify"),
        seen(world, NOON + 5 * HOUR, "kim", "kim-phone", on=PHONE),
        seen(world, NOON + DAY - 1, "kim", "kim-pc"),
        seen(world, NOON + DAY + 30 * MINUTE, "lee", "lee-pc"),
        bought(world, NOON + DAY + 40 * MINUTE, "lee", "o-2", 10_000),
        world.event("Order Refunded", NOON + DAY + 50 * MINUTE, user="lee", order_id="o-1", total=5_000),
        until=NOON + 2 * DAY,
    )
    for _ in range(3):
        await world.settle()


def sums(report: Report) -> Base:
    return report.groups[0].totals


async def test_hours_add_up_to_the_days_that_sets_know(world: World) -> None:
    """Of every unit, and on every device: visits, orders and money that were counted quite otherwise."""
    await lived(world)
    for unit in Unit:
        for device in (DeviceFilter.ALL, DeviceFilter.PC_WEB, DeviceFilter.MOBILE_WEB):
            for entry in (Kind.VISIT, Kind.PURCHASE):
                asked = replace(DAYS, unit=unit, device=device, entry=Act(entry))
                by_day = sums(await told(world, asked))
                by_hour = sums(await told(world, replace(asked, granularity=Granularity.HOUR)))
                what = ("visits",) if entry is Kind.VISIT else ("purchases",)
                for name in what:
                    assert getattr(by_day, name) == getattr(by_hour, name), (unit, device, entry)
    assert sums(await told(world, DAYS)).visits == 6


async def test_what_a_visitor_did_is_told_by_the_hour_of_the_customer_it_turned_out_to_be(
    world: World,
) -> None:
    """The sessions have moved to the customer, perhaps into another shard; the events are where they were."""
    people = [f"kim-{n}" for n in range(4)]
    await world.live(*(world.event("", NOON - 20 * DAY, user=who, type="identify") for who in people))
    found = "https://www.google.com/"
    await world.live(*(seen(world, NOON, "", f"{who}-pc", referrer=found) for who in people))
    await world.live(
        *(seen(world, NOON + 4 * HOUR, who, f"{who}-pc", type="identify") for who in people), until=NOON + DAY
    )
    for _ in range(3):
        await world.settle()
    by_source = replace(DAYS, breakdown=Breakdown("source", ("search",)))
    for unit in (Unit.USER, Unit.DEVICE):
        for asked in (DAYS, HOURS, ROLLING):
            asked = replace(asked, breakdown=by_source.breakdown, unit=unit)
            groups = (await told(world, asked)).groups
            assert [(sum(row.size for row in one.rows), one.totals.visits) for one in groups] == [(4, 4)] * 2


async def test_values_without_sets_of_their_own_are_among_the_others_by_hours_too(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = sqlite_world
    monkeypatch.setattr(deed_values, "MOST_VALUES", 2)
    people = [f"kim-{n}" for n in range(5)]
    for n, who in enumerate(people):
        await world.live(seen(world, NOON + n, who, f"{who}-pc", referrer=f"https://shop-{n}.kr/"))
    await world.settle(NOON + DAY)
    for asked in (DAYS, HOURS, ROLLING):
        report = await told(world, replace(asked, breakdown=Breakdown("origin")))
        sizes = {one.value: sum(row.size for row in one.rows) for one in report.groups}
        assert sizes == {None: 5, OTHER: 3, "shop-0.kr": 1, "shop-1.kr": 1}


async def test_who_turned_out_to_be_another_is_one_person_from_the_first_visit_on(world: World) -> None:
    await lived(world)
    [group] = (await told(world, ROLLING)).groups
    assert [row.size for row in group.rows] == [2, 0, 0]
    # Kim came again within 24 hours and never after; Lee came again in the second.
    assert [cell.numerator for cell in group.rows[0].cells] == [2, 1, 0]
    assert [cell.complete for cell in group.rows[0].cells] == [True, False, False]
    devices = (await told(world, replace(ROLLING, unit=Unit.DEVICE))).groups[0].rows
    # Kim's telephone came in for itself, after midnight.
    assert [row.size for row in devices] == [2, 1, 0]
    assert [cell.numerator for cell in devices[0].cells] == [2, 1, 0]


async def test_money_is_told_by_each_persons_own_days(world: World) -> None:
    await lived(world)
    asked = replace(ROLLING, metric=Metric.REVENUE, entry=Act(Kind.PURCHASE))
    report = await told(world, asked)
    row = report.groups[0].rows[0]
    assert [(cell.numerator or 0) // cell.scale for cell in row.cells] == [30_000, 5_000, 0]
    assert (row.base.purchases, row.base.revenue // 10_000) == (1, 30_000)
    assert report.currency == "KRW"


async def test_a_source_and_a_segment_are_asked_of_the_day_of_the_entry(world: World) -> None:
    await lived(world)
    by_source = replace(HOURS, breakdown=Breakdown("source", ("search", "direct")))
    groups = {one.value: one for one in (await told(world, by_source)).groups}
    assert [row.size for row in groups[None].rows if row.size][:2] == [2, 1]
    # Kim came from a search engine that day; in the second of the two hours as well.
    assert sum(row.size for row in groups["search"].rows) == 2
    conditions = {"did": {"event": "Order Completed"}}
    for as_of, sizes in ((AsOf.ENTRY, [1]), (AsOf.NOW, [1])):
        chosen = replace(ROLLING, segment=SegmentFilter(conditions=conditions, as_of=as_of))
        rows = (await told(world, chosen)).groups[0].rows
        assert [row.size for row in rows if row.size] == sizes


async def test_the_first_time_ever_is_not_the_first_time_in_the_period(sqlite_world: World) -> None:
    world = sqlite_world
    await world.live(
        seen(world, NOON - 5 * DAY, "kim", "kim-pc"),
        seen(world, NOON, "kim", "kim-pc"),
        seen(world, NOON, "lee", "lee-pc"),
        until=NOON + DAY,
    )
    for asked in (ROLLING, HOURS):
        first = (await told(world, replace(asked, occurrence=Occurrence.FIRST_EVER))).groups[0]
        assert [row.size for row in first.rows if row.size] == [1]
        newcomers = (await told(world, replace(asked, entry=Act(Kind.FIRST_VISIT)))).groups[0]
        assert [row.size for row in newcomers.rows if row.size] == [1]
        again = (await told(world, replace(asked, entry=Act(Kind.REVISIT)))).groups[0]
        assert [row.size for row in again.rows if row.size] == [1]


async def test_more_events_than_can_be_read_are_refused_with_their_number(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lived(sqlite_world)
    monkeypatch.setattr(facts, "MOST_EVENTS", 5)
    with pytest.raises(BadInput, match=r"5 at most, found \d+"):
        await told(sqlite_world, HOURS)
    monkeypatch.setattr(facts, "MOST_EVENTS", 1)
    with pytest.raises(BadInput, match=r"1 at most, found 2 or more"):
        await told(sqlite_world, HOURS)
    with pytest.raises(BadInput, match="31 base days at most, found 40"):
        await told(sqlite_world, replace(HOURS, days=Days(last=40)))
    with pytest.raises(BadInput, match="journeys"):
        await told(sqlite_world, replace(ROLLING, entry=Act(Kind.JOURNEY, "opened", journey_id=1)))
    # By days it is answered all the same.
    assert (await told(sqlite_world, DAYS)).groups
