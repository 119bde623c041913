"""Sets answer just what asking every single person does, whatever is asked, and as of whatever moment."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.aggregates import attribute_recount, attribute_sets
from server.clock import Instant
from server.journey.audience import read_question
from server.journey.reading import Reader
from server.segments import asking, reading, sets
from server.segments.reading import Askable
from server.store.tables import AttributeSet
from tests.server.engine.divided import divided_world
from tests.world import DAY, HOUR, NOON, World

from .lives import DAYS, live
from .trees import attributes, conditions

END = NOON + DAYS * DAY
MOMENTS = (END, END, END + 9 * DAY, NOON + 3 * DAY, NOON + 2 * DAY + 4 * HOUR - 1, NOON + 2 * DAY + 4 * HOUR)


class Lived:
    """A world that has had its lives, and a loop to ask in."""

    def __init__(self, world: World, loop: asyncio.AbstractEventLoop, journey: int) -> None:
        self.world, self.loop, self.journey = world, loop, journey

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)


WORLDS = {"one-shard": (1, 1, False), "four-shards": (2, 4, False), "few-sets": (3, 2, True)}


@pytest.fixture(scope="module", params=WORLDS.values(), ids=WORLDS)
def lived(request: pytest.FixtureRequest) -> Iterator[Lived]:
    """With few sets most values of attributes, and most attributes, have none of their own."""
    seed, shards, has_few = request.param
    with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patch:
        if has_few:
            patch.setattr(attribute_sets, "MOST_VALUES", 2)
            patch.setattr(attribute_sets, "MOST_NAMES", 3)
        opened = divided_world(shards)
        world = runner.run(opened.__aenter__())
        journey = runner.run(live(world, seed))
        yield Lived(world, runner.get_loop(), journey)
        runner.run(opened.__aexit__(None, None, None))


async def one_by_one(world: World, askable: Askable, at: Instant) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    async with world.db.read() as session:
        for shard in range(world.shards):
            found[shard] = set()
            async for rows in asking.pages(session, world.project_id, shard):
                about = (session, world.project_id, shard, rows, askable, at)
                found[shard].update(await asking.meeting(*about))
    return found


async def by_sets(world: World, askable: Askable, at: Instant) -> dict[int, set[int]]:
    async with world.db.read() as session:
        about = (session, world.project_id, world.shards, askable.question, askable.lists, at)
        return {shard: set(users) for shard, users in (await sets.members(*about)).items()}


async def read(world: World, tree: Any) -> Askable | None:
    reader = Reader(tree)
    question = read_question(reader)
    if reader.problems:
        return None
    async with world.db.read() as session:
        askable, _ = await reading.read(session, world.project_id, {"all": [{"in_list": "march"}]})
    return askable._replace(question=question)


@given(st.data(), st.sampled_from(MOMENTS))
@settings(max_examples=45)
def test_sets_say_what_asking_everybody_says(lived: Lived, data: st.DataObject, at: Instant) -> None:
    _agree(lived, data.draw(conditions(lived.journey)), at)


@given(attributes)
@settings(max_examples=15)
def test_each_comparison_of_attributes(lived: Lived, tree: Any) -> None:
    _agree(lived, tree, END)
    _agree(lived, {"not": tree}, END)


def _agree(lived: Lived, tree: Any, at: Instant) -> None:
    askable = lived.run(read(lived.world, tree))
    if askable is not None:
        asked = lived.run(one_by_one(lived.world, askable, at))
        assert lived.run(by_sets(lived.world, askable, at)) == asked


def test_sets_of_attributes_are_those_of_the_users(lived: Lived) -> None:
    async def differences() -> list[str]:
        async with lived.world.db.read() as session:
            return await attribute_recount.differences(session)

    assert lived.run(differences()) == []
    assert len(lived.run(lived.world.rows(AttributeSet))) > 5


def test_sets_that_are_made_anew_say_the_same(lived: Lived) -> None:
    """As after an upgrade, and with all parts put together."""

    async def everything() -> dict[int, set[int]]:
        tree = {"any": [{"attribute": {"name": "plan", "operator": "equals", "value": "vip"}}]}
        askable = await read(lived.world, tree)
        assert askable is not None
        return await by_sets(lived.world, askable, END)

    async def anew() -> None:
        async with lived.world.db.write() as session:
            for shard in range(lived.world.shards):
                rows = [row for row in await lived.world.rows(AttributeSet) if row.shard == shard]
                keys = sorted({(row.project_id, row.name, row.value) for row in rows})
                await attribute_sets.merge(session, shard, keys)

    async def rebuilt() -> None:
        async with lived.world.db.write() as session:
            await attribute_recount.rebuild(session)

    before = lived.run(everything())
    for change in (anew, rebuilt):
        lived.run(change())
        assert lived.run(everything()) == before
        test_sets_of_attributes_are_those_of_the_users(lived)
