"""Deletes the facts of runs that are over for longer than their project keeps them. Figures stay as they are.

What the facts come to is settled first, in the same transaction, by the very code that counts them again: so
a recount, which begins with what is settled, says the same before and after. A transaction takes a page of
runs; whoever is interrupted begins again and finds the rest.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from server.aggregates import merge, recount, scope
from server.aggregates.recount import Known
from server.aggregates.settling import settle
from server.clock import DAY, Instant
from server.store import pruning, setup
from server.store.database import Database
from server.store.pruning import BEFORE_ALL, Facts, Retention

RUNS_AT_ONCE = 100
REFUSALS_AT_ONCE = 200
REST = 1.0
"""Seconds of rest for each second that a page took: half of the time is left to others who write."""


@dataclass(frozen=True, slots=True)
class Pruner:
    """Prunes one project as of one instant."""

    db: Database
    shards: int
    retention: Retention
    now: Instant
    rest: float = REST

    @property
    def before(self) -> Instant:
        """Everything that happened before then may go."""
        return self.now - self.retention.days * DAY

    async def count(self) -> Facts:
        """How much would be deleted now. Changes nothing."""
        project_id, found = self.retention.project_id, Facts()
        async with self.db.read() as session:
            for journey_id in await pruning.journeys(session, project_id):
                async for page in self._pages_to_read(journey_id):
                    found += await pruning.count(session, self.shards, page)
            refused = await pruning.count_refusals(session, self.shards, project_id, self.before)
        return found + Facts(refusals=refused)

    async def _pages_to_read(self, journey_id: int) -> AsyncIterator[pruning.Page]:
        place: pruning.Place | None = BEFORE_ALL
        while place is not None:
            async with self.db.read() as session:
                about = (self.retention.project_id, journey_id, self.before, place, RUNS_AT_ONCE)
                page = await pruning.page(session, self.shards, *about)
            yield page
            place = page.following

    async def prune(self) -> AsyncIterator[Facts]:
        """What has been deleted by each transaction."""
        project_id = self.retention.project_id
        async with self.db.write() as session:
            if await pruning.keep_since(session, project_id, self.before):
                await setup.touch_catalog(session)
            known = await recount.know(session)
            journeys = await pruning.journeys(session, project_id)
        for journey_id in journeys:
            async for done in self._runs(journey_id, known):
                yield done
        for shard in range(self.shards):
            async for done in self._refusals(shard, known):
                yield done
            await self._merge_sets(shard)

    async def _runs(self, journey_id: int, known: Known) -> AsyncIterator[Facts]:
        place: pruning.Place | None = BEFORE_ALL
        while place is not None:
            began = _now()
            async with self.db.write() as session:
                await pruning.hold_engines(session)
                about = (self.retention.project_id, journey_id, self.before, place, RUNS_AT_ONCE)
                page = await pruning.page(session, self.shards, *about)
                done = await pruning.count(session, self.shards, page)
                if page.runs:
                    runs, messages = [run.id for run in page.runs], [one.id for one in page.messages]
                    facts = scope.of_runs(self.shards, runs, messages)
                    await settle(session, facts, known, part=max(runs))
                    await pruning.remove(session, self.shards, page)
            place = page.following
            await asyncio.sleep(self.rest * (_now() - began))
            if done.runs:
                yield done

    async def _refusals(self, shard: int, known: Known) -> AsyncIterator[Facts]:
        after: pruning.RefusalKey | None = None
        while True:
            about = (shard, self.retention.project_id, self.before, after, REFUSALS_AT_ONCE)
            began = _now()
            async with self.db.write() as session:
                keys = await pruning.refusals(session, *about)
                if not keys:
                    return
                await settle(session, scope.of_refusals(keys), known, part=0)
                await pruning.remove_refusals(session, keys)
            after = keys[-1]
            await asyncio.sleep(self.rest * (_now() - began))
            yield Facts(refusals=len(keys))

    async def _merge_sets(self, shard: int) -> None:
        """Every page has settled parts of its own."""
        while True:
            began = _now()
            async with self.db.write() as session:
                keys = await merge.crowded(session, shard, merge.SETTLED_SETS)
                await merge.merge(session, shard, keys, merge.SETTLED_SETS)
            if not keys:
                return
            await asyncio.sleep(self.rest * (_now() - began))


def _now() -> float:
    """Seconds of no particular clock: how long a page waits for others counts as well."""
    return asyncio.get_running_loop().time()
