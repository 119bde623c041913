"""From events as they come in to cells: merges, late events, refunds; beside brute force over the events."""

import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from server.cohorts import asking, people
from server.cohorts.asking import Asker
from server.cohorts.buckets import date_of
from server.cohorts.definition import Act, Breakdown, Days, Definition
from server.cohorts.narrowing import base_day, narrowed
from server.cohorts.people import Place, Side
from server.cohorts.words import Binds, Granularity, Kind, Metric, Mode, Occurrence, Unit
from server.store.paging import Page
from tests.world import DAY, HOUR, NOON, World, reaching, saying

from .brute import Brute, Fact

pytestmark = pytest.mark.anyio

ZONE, START = "Asia/Seoul", NOON - 8 * DAY
PEOPLE = ("kim", "lee", "park", "choi")
BASES = Days(date_of(START, ZONE), date_of(START, ZONE) + timedelta(days=5))
BRUTE = Brute()
QUESTIONS = [
    Definition(days=BASES),
    Definition(days=BASES, mode=Mode.ON_OR_AFTER),
    Definition(days=BASES, occurrence=Occurrence.FIRST_EVER, mode=Mode.STREAK),
    Definition(days=BASES, entry=Act(Kind.REVISIT), returning=Act(Kind.EVENT, name="read")),
    Definition(days=BASES, entry=Act(Kind.PURCHASE), metric=Metric.REVENUE, currency="KRW"),
    Definition(days=BASES, metric=Metric.PURCHASES, mode=Mode.ON_OR_BEFORE, counts_from=0),
    Definition(days=BASES, unit=Unit.MEMBER),
    Definition(days=BASES, granularity=Granularity.WEEK, week_start=6, last_period=2),
]


def history(random: Random) -> Iterator[tuple[Fact, dict[str, Any]]]:
    """Deeds with the events that tell of them. Each person's device shows who it is only from some day on."""
    for who, name in enumerate(PEOPLE):
        known_from = START + random.randrange(9) * DAY
        for number in range(random.randrange(4, 9)):
            at = START + random.randrange(8 * 24) * HOUR - random.randrange(2)
            user = name if at >= known_from or number == 0 else None
            told = {"at": at, "user": user, "anonymous": f"browser of {name}"}
            yield Fact(who, at, "visited", "", 1), {**told, "type": "page", "name": "Home"}
            if user:
                yield Fact(who, at, "member"), {}
        for number in range(random.randrange(3)):
            at, id = START + random.randrange(8 * 24) * HOUR, f"{name} {number}"
            order = {"order_id": id, "total": 100.0, "currency": "KRW"}
            told = {"at": at, "user": name, "anonymous": None}
            yield Fact(who, at, "ordered", "", 1), {**told, "name": "Order Completed", **order}
            yield Fact(who, at, "spent", "KRW", 1_000_000), {}
            yield Fact(who, at, "member"), {}
            if random.random() < 0.5:
                back = at + random.randrange(30) * HOUR
                yield (
                    Fact(who, back, "refunded", "KRW", 1_000_000),
                    {**told, "at": back, "name": "Order Refunded", **order},
                )
                yield Fact(who, back, "member"), {}
        at = START + random.randrange(8 * 24) * HOUR
        yield Fact(who, at, "did", "read", 1), {"at": at, "user": name, "anonymous": None, "name": "read"}
        yield Fact(who, at, "member"), {}


async def lived(world: World, seed: int) -> list[Fact]:
    """In an order of its own: what happened first need not come first."""
    random = Random(seed)
    told = [(fact, event) for fact, event in history(random) if fact.at < NOON]
    events = [event for _, event in told if event]
    random.shuffle(events)
    world.clock.reach(NOON)
    for start in range(0, len(events), 7):
        await world.live(*(_event(world, dict(one)) for one in events[start : start + 7]))
    return [fact for fact, _ in told]


def _event(world: World, told: dict[str, Any]) -> Any:
    name, at = told.pop("name"), told.pop("at")
    return world.event(name, at, **told)


async def report(world: World, asked: Definition) -> Any:
    async with world.db.read() as session:
        asker = Asker(session, world.project_id, world.shards, ZONE, NOON)
        return await asking.report(asker, asked, None)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_report_is_what_brute_force_finds_in_the_events(world: World, seed: int) -> None:
    facts = await lived(world, seed)
    BRUTE.load(facts, ZONE)
    for asked in QUESTIONS:
        found = (await report(world, asked)).groups[0]
        assert asked.days.first
        assert asked.days.until
        horizon = date(2024, 3, 16) if asked.granularity is Granularity.WEEK else date(2024, 3, 13)
        wanted = BRUTE.tell(asked, asked.days.first, asked.days.until - timedelta(days=1), horizon)
        assert {row.day: row.size for row in found.rows if row.size} == wanted.sizes, asked
        for row in found.rows:
            for cell in row.cells:
                if cell.numerator is not None:
                    assert cell.numerator == wanted.cells.get((row.day, cell.first, cell.last), 0), (
                        asked,
                        cell,
                    )


async def test_a_cell_is_as_large_as_the_people_behind_it(world: World) -> None:
    """In every mode, and by either side."""
    await lived(world, 4)
    for asked in (*QUESTIONS[:4], Definition(days=BASES, mode=Mode.BRACKETS, brackets=((0, 1), (2, 5)))):
        rows = (await report(world, asked)).groups[0].rows
        async with world.db.read() as session:
            asker = Asker(session, world.project_id, world.shards, ZONE, NOON)
            gathered = await asking.gather(asker, asked, None, has_base=False)
            for base, row in enumerate(rows):
                for column, cell in enumerate(row.cells):
                    if cell.numerator is not None:
                        places = [
                            (gathered, Place(base, column, None), side) for side in (Side.RETURNED, Side.LOST)
                        ]
                        sets = [await asyncio.to_thread(people.behind, *one) for one in places]
                        sizes = [sum(map(len, one.values())) for one in sets]
                        assert sizes == [cell.numerator, row.size - cell.numerator], (asked, cell)


async def test_a_cell_alone_has_the_people_that_it_has_in_the_whole_report(sqlite_world: World) -> None:
    world = sqlite_world
    await lived(world, 5)
    today, brackets = date_of(NOON, ZONE), ((0, 1), (2, 5))
    for asked in (
        *QUESTIONS,
        Definition(days=BASES, occurrence=Occurrence.FIRST_MATCHING),
        Definition(days=BASES, mode=Mode.BRACKETS, brackets=brackets),
        Definition(days=BASES, breakdown=Breakdown("source", ("direct",), binds=Binds.BOTH)),
    ):
        value = asked.breakdown.values[0] if asked.breakdown else None
        async with world.db.read() as session:
            asker = Asker(session, world.project_id, world.shards, ZONE, NOON)
            whole = await asking.gather(asker, asked, None, has_base=False)
            for base, bucket in enumerate(whole.work.periods.bases):
                day = base_day(asked, bucket.first, today)
                assert day
                for column, side in ((0, Side.COHORT), (0, Side.LOST), (1, Side.RETURNED)):
                    one = None if side is Side.COHORT else asked.columns[column]
                    small = narrowed(asked, day, one, value, today)
                    alone = await asking.gather(asker, small, None, has_base=False)
                    place = Place(len(alone.work.periods.bases) - 1, 0, value)
                    assert people.behind(alone, place, side) == people.behind(
                        whole, Place(base, column, value), side
                    ), (asked, base, side)
                    assert asked.occurrence is Occurrence.FIRST_MATCHING or place.base == 0


async def test_who_opened_a_message_before_being_known_comes_back_as_who_it_is(world: World) -> None:
    """A journey's sets keep the number of their time; the deeds are those of the user who stays."""
    await world.add_connection()
    journey_id = await world.add_journey(reaching(saying("email", connection="mail")))
    entered = Act(Kind.JOURNEY, name="entered", journey_id=journey_id)
    asked = Definition(entry=entered, returning=Act(Kind.VISIT), days=BASES, last_period=3)
    device = "browser of kim"
    await world.live(world.event("", START - DAY, user="kim", type="identify"))
    await world.live(world.event("sign_up", START, anonymous=device))
    assert (await report(world, asked)).groups[0].rows[0].size == 1
    # Only now does the device tell whose it is; and then it comes back.
    await world.live(world.event("Home", START + 2 * DAY, anonymous=device, user="kim", type="page"))
    await world.settle(NOON)
    (row, *_) = (await report(world, asked)).groups[0].rows
    assert (row.size, [cell.numerator for cell in row.cells]) == (1, [1, 0, 1, 0])
    async with world.db.read() as session:
        asker = Asker(session, world.project_id, world.shards, ZONE, NOON)
        gathered = await asking.gather(asker, asked, None, has_base=False)
        sets = people.behind(gathered, Place(0, 2, None), Side.RETURNED)
        page = await people.page(session, world.project_id, sets, Page(10))
    assert [user.user_id for user in page.rows] == ["kim"]
