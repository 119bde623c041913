"""Deletes old facts of a world, and reads what must not change by it."""

from typing import Any

from server.pruning import Pruner
from server.store.pruning import Facts, Retention
from server.store.tables import Counter, UserSet
from tests.world import World


async def prune(world: World, days: int = 1) -> Facts:
    done = Facts()
    pruner = Pruner(world.db, world.shards, Retention(world.project_id, days), world.clock.now(), 0)
    expected = await pruner.count()
    async for page in pruner.prune():
        done += page
    assert done == expected
    return done


async def aggregates(world: World) -> list[Any]:
    return [sorted(map(tuple, await world.rows(model))) for model in (Counter, UserSet)]
