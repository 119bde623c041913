"""What is kept of what people do: sessions, devices, deeds; and who they turn out to be."""

from collections import Counter as Tally
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.aggregates import deed_merge, deed_sets, recount, recount_deeds
from server.aggregates.deed_sets import Of
from server.aggregates.deeds import Deed, Unit
from server.engine import loop
from server.engine.device_gather import together
from server.store.tables import DeedSet, Device, Event, VisitSession
from tests.world import DAY, HOUR, MINUTE, NOON, World, reaching, step

from .divided import divided_world, without_complaint

pytestmark = pytest.mark.anyio
FROM_AD = {"campaign": {"source": "naver", "medium": "cpc", "name": "spring"}}
TODAY, TOMORROW = 20240313, 20240314


@pytest.fixture(params=[1, 4])
async def town(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    with without_complaint():
        async with divided_world(request.param) as world:
            yield world
            async with world.db.read() as session:
                assert await recount.differences(session) == []


def page(world: World, at: int, name: str = "Home", **more: Any) -> Any:
    return world.event(name, at, type="page", **more)


async def told(
    world: World, deed: Deed, value: str = "", *, span: int = 0, unit: Unit = Unit.USER
) -> tuple[int, int]:
    """How many did it, and how often or how much in all."""
    of = Of(unit, deed, value)
    async with world.db.read() as session:
        found = await deed_sets.read(session, world.project_id, world.shards, [of], [span])
    sums = sum(int(one.amounts.sum()) for one in found.values() if one.amounts is not None)
    return sum(len(one.users) for one in found.values()), sums


async def sessions(world: World) -> list[tuple[int, int]]:
    """When each began and ended, in minutes after noon."""
    rows = await world.rows(VisitSession, "started_at")
    return [((row.started_at - NOON) // MINUTE, (row.last_at - NOON) // MINUTE) for row in rows if row.begun]


async def test_half_an_hour_without_an_event_ends_a_session(town: World) -> None:
    times = (0, 20, 49, 79, 80)
    await town.live(*(page(town, NOON + minute * MINUTE, anonymous="phone") for minute in times))
    assert await sessions(town) == [(0, 49), (79, 80)]
    assert await told(town, Deed.VISITED, span=TODAY) == (1, 2)
    assert await told(town, Deed.DID, "$page") == (1, 5)
    assert await told(town, Deed.DID, "Home", unit=Unit.DEVICE) == (1, 5)
    assert await told(town, Deed.SOURCE, "direct") == (1, 2)


async def test_a_page_that_is_called_like_all_pages_is_one_page(town: World) -> None:
    await town.live(page(town, NOON, "$page", anonymous="phone"), page(town, NOON, "$screen", anonymous="pc"))
    assert await told(town, Deed.DID, "$page") == (2, 2)
    assert await told(town, Deed.DID, "$screen") == (1, 1)


async def test_a_visit_from_elsewhere_begins_another_session(town: World) -> None:
    await town.live(page(town, NOON, anonymous="phone"))
    await town.live(
        page(town, NOON + MINUTE, anonymous="phone", context=FROM_AD),
        page(town, NOON + 2 * MINUTE, anonymous="phone", context=FROM_AD),
        page(town, NOON + 3 * MINUTE, anonymous="phone"),
    )
    assert await sessions(town) == [(0, 0), (1, 3)]
    assert await told(town, Deed.CAMPAIGN, "spring", span=202403) == (1, 1)
    assert await told(town, Deed.SOURCE, "direct") == (1, 1)


async def test_a_page_that_loads_once_stays_one_visit_when_the_tags_are_gone(town: World) -> None:
    shop, search = "https://shop.kr/", "https://search.naver.com/search.naver?query=우산"
    seen = [{"url": shop + "?n_query=우산", "referrer": search}, {"url": shop + "cart", "referrer": search}]
    for at, found in enumerate(seen):
        await town.live(page(town, NOON + at * MINUTE, anonymous="phone", context={"page": found}))
    assert await sessions(town) == [(0, 1)]
    assert await told(town, Deed.AD, "naver") == (1, 1)
    assert await told(town, Deed.SOURCE, "search") == (0, 0)


async def test_a_session_over_midnight_is_of_both_days_and_begins_once(town: World) -> None:
    midnight = NOON + 4 * HOUR
    await town.live(*(page(town, midnight + at * MINUTE, anonymous="phone") for at in (-5, 5)))
    assert await told(town, Deed.VISITED, span=TODAY) == (1, 1)
    assert await told(town, Deed.VISITED, span=TOMORROW) == (1, 0)
    assert await told(town, Deed.VISITED) == (1, 1)


def test_sessions_between_late_events_are_not_read() -> None:
    long = 7 * HOUR
    assert together([(5, 1)]) == [[(5, 1)]]
    assert together([(long + 9, 2), (5, 1), (9, 2)]) == [[(5, 1), (9, 2)], [(long + 9, 2)]]
    events = [(n * (long + n), n) for n in range(20)]
    found = together(events)
    assert [one for near in found for one in near] == events
    # The longest pauses are cut, and no more than there are statements.
    assert [len(near) for near in found] == [13, *[1] * 7]


async def test_events_of_long_ago_and_of_today_each_find_their_session(town: World) -> None:
    for at in (-30 * DAY, -10 * DAY, 0, DAY):
        await town.live(town.event("view", NOON + at, anonymous="kim"))
    late = (-30 * DAY + MINUTE, -10 * DAY - MINUTE, MINUTE, -5 * DAY)
    await town.live(*(town.event("view", NOON + at, anonymous="kim") for at in late))
    spans = [(row.first_at - NOON, row.last_at - NOON) for row in await town.rows(VisitSession, "started_at")]
    days = (-30 * DAY, -10 * DAY, -5 * DAY, 0, DAY)
    earlier, later = (0, MINUTE, 0, 0, 0), (MINUTE, 0, 0, MINUTE, 0)
    told = zip(days, earlier, later, strict=True)
    assert spans == [(day - before, day + after) for day, before, after in told]


async def test_what_comes_late_is_part_of_the_session_that_it_lies_in(town: World) -> None:
    await town.live(*(page(town, NOON + at * MINUTE, anonymous="phone") for at in (0, 10, 120)))
    late = (5, 35, 65, -10, 100)
    for at in late:
        await town.live(page(town, NOON + at * MINUTE, anonymous="phone"))
    assert await sessions(town) == [(0, 35), (65, 65), (120, 120)]
    events = {row.session_at for row in await town.rows(Event)}
    assert events == {NOON, NOON + 65 * MINUTE, NOON + 120 * MINUTE}


async def test_what_a_server_tells_is_no_visit(town: World) -> None:
    await town.live(town.event("purchase", NOON, user="kim", total=7))
    assert await told(town, Deed.DID, "purchase") == (1, 1)
    assert await told(town, Deed.VISITED) == (0, 0)
    assert await told(town, Deed.DID, "purchase", unit=Unit.DEVICE) == (0, 0)
    assert await town.rows(Device) == []


async def test_who_acts_by_a_user_id_is_a_member(town: World) -> None:
    await town.live(page(town, NOON, anonymous="phone"), page(town, NOON + DAY, anonymous="pc", user="kim"))
    assert await told(town, Deed.MEMBER) == (1, 0)
    assert await told(town, Deed.MEMBER, span=TODAY) == (0, 0)
    assert await told(town, Deed.MEMBER, span=TOMORROW, unit=Unit.DEVICE) == (1, 0)


async def test_history_is_counted_like_what_happens_now(town: World) -> None:
    from server.store import inbox

    await town.send(page(town, NOON - DAY, anonymous="phone"), kind=inbox.HISTORY)
    await town.settle()
    assert await told(town, Deed.VISITED, span=20240312) == (1, 1)


async def test_a_log_in_goes_on_with_the_session_of_the_nameless_visitor(town: World) -> None:
    await town.live(town.event("", NOON - DAY, user="kim", type="identify"))
    await town.live(page(town, NOON, anonymous="phone", context=FROM_AD))
    await town.live(
        town.event("", NOON + MINUTE, user="kim", anonymous="phone", type="identify"),
        page(town, NOON + 2 * MINUTE, "Account", user="kim", anonymous="phone"),
    )
    await town.live(page(town, NOON + 3 * MINUTE, "Account", user="kim", anonymous="phone"))
    for unit in Unit:
        assert await told(town, Deed.VISITED, unit=unit) == (1, 1)
        assert await told(town, Deed.SOURCE, "ad", unit=unit) == (1, 1)
        assert await told(town, Deed.SOURCE, "direct", unit=unit) == (0, 0)
        assert await told(town, Deed.DID, "$page", unit=unit) == (1, 3)
        assert await told(town, Deed.DID, "Home", unit=unit, span=TODAY) == (1, 1)


async def test_a_known_user_on_a_new_device_comes_directly(town: World) -> None:
    await town.live(town.event("", NOON - DAY, user="kim", type="identify"))
    await town.live(page(town, NOON, user="kim", anonymous="phone"))
    assert await told(town, Deed.SOURCE, "direct") == (1, 1)
    assert await told(town, Deed.VISITED) == (1, 1)


async def test_events_that_move_with_an_open_run_count_once(town: World) -> None:
    await town.add_connection()
    await town.add_journey(reaching(step("day", "delay", duration_ms=DAY)))
    await town.live(town.event("", NOON - DAY, user="kim", type="identify"))
    await town.live(page(town, NOON, anonymous="phone"))
    await town.live(town.event("sign_up", NOON + MINUTE, anonymous="phone"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="kim", anonymous="phone", type="identify"))
    assert await told(town, Deed.DID, "sign_up") == (1, 1)
    assert await told(town, Deed.DID, "sign_up", unit=Unit.DEVICE) == (1, 1)
    assert await told(town, Deed.DID, "$page") == (1, 1)


async def test_a_chain_of_merges_takes_everything_along(town: World) -> None:
    await town.live(town.event("", NOON - DAY, user="kim", type="identify"))
    await town.live(town.event("", NOON - DAY, user="lee", type="identify"))
    await town.live(page(town, NOON, anonymous="phone"))
    await town.live(page(town, NOON + MINUTE, user="kim", anonymous="phone"))
    await town.live(town.event("", NOON + 2 * MINUTE, user="lee", previous="kim", type="alias"))
    await town.live(page(town, NOON + 3 * MINUTE, anonymous="phone"))
    for unit in Unit:
        assert await told(town, Deed.VISITED, unit=unit) == (1, 1)
        assert await told(town, Deed.DID, "$page", unit=unit) == (1, 3)


async def test_a_device_in_other_hands_is_another_device(town: World) -> None:
    await town.live(page(town, NOON, user="kim", anonymous="pc"))
    await town.live(page(town, NOON + MINUTE, user="lee", anonymous="pc"))
    assert await told(town, Deed.VISITED) == (2, 2)
    assert await told(town, Deed.VISITED, unit=Unit.DEVICE) == (2, 2)


async def test_a_rebuild_says_the_same(town: World) -> None:
    await town.live(
        page(town, NOON, anonymous="phone"),
        page(town, NOON + MINUTE, user="kim", anonymous="phone"),
        town.event("Order Completed", NOON + DAY, user="kim", order_id="1", total=19900, currency="KRW"),
    )
    before = [await told(town, deed, "KRW" if deed is Deed.SPENT else "") for deed in Deed]
    async with town.db.write() as session:
        await recount.rebuild(session)
    assert [await told(town, deed, "KRW" if deed is Deed.SPENT else "") for deed in Deed] == before
    assert await told(town, Deed.SPENT, "KRW") == (1, 199_000_000)


async def test_parts_are_put_together_while_the_engine_works(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MERGE_EVERY", 1)
    for number in range(30):
        at = NOON + number * HOUR
        await sqlite_world.live(
            page(sqlite_world, at, user=f"user {number % 7}", anonymous=f"pc {number % 7}")
        )
    parts = Tally((row.dimension, row.span) for row in await sqlite_world.rows(DeedSet) if row.unit == "user")
    assert 1 < parts["visited", 0] <= 2 * deed_merge.MOST_PARTS
    assert await told(sqlite_world, Deed.VISITED) == (7, 30)
    async with sqlite_world.db.read() as session:
        assert await recount.differences(session) == []


async def test_a_recount_in_many_parts_says_the_same(town: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recount_deeds, "MOST_ACTS", 1)
    await town.live(
        *(page(town, NOON + at * DAY, anonymous=who) for at in range(3) for who in ("pc", "phone"))
    )
    async with town.db.write() as session:
        await recount_deeds.rebuild(session)
    assert await told(town, Deed.VISITED) == (2, 6)
    assert await told(town, Deed.DID, "Home", unit=Unit.DEVICE, span=202403) == (2, 6)


async def test_a_recount_tells_what_is_wrong(sqlite_world: World) -> None:
    await sqlite_world.live(page(sqlite_world, NOON, anonymous="phone"))
    async with sqlite_world.db.write() as session:
        row = deed_sets.Row(0, sqlite_world.project_id, Of("user", "visited", ""), 0, deed_sets.BitMap([7]))
        await deed_sets.write_deeds(session, 1 << 40, [row])
    async with sqlite_world.db.read() as session:
        [found] = await recount.differences(session)
    assert "user/visited/, 0: 0 missing, 1 too many" in found


async def test_postgresql_and_sqlite_agree_with_their_facts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "MERGE_EVERY", 1)
    await world.live(world.event("", NOON - DAY, user="kim", type="identify"))
    for number in range(12):
        await world.live(page(world, NOON + number * MINUTE, anonymous=f"pc {number % 3}", context=FROM_AD))
    for number in range(3):
        await world.live(page(world, NOON + HOUR, user="kim", anonymous=f"pc {number}"))
    await world.live(world.event("Order Completed", NOON + HOUR, user="kim", order_id="1", total=1))
    assert await told(world, Deed.VISITED) == (1, 6)
    assert await told(world, Deed.DID, "$page") == (1, 15)
    async with world.db.read() as session:
        assert await recount.differences(session) == []
