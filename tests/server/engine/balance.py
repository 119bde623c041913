"""The laws that hold whatever happens: nobody is lost, and a recount gives the same figures."""

from collections import Counter as Tally

from server.aggregates import attribute_recount, recount
from server.store.tables import Inbox, Quarantine
from tests.world import World


async def balances(world: World) -> None:
    assert await world.rows(Quarantine) == []
    assert await world.rows(Inbox) == []
    runs = await world.runs()
    open_runs = [run for run in runs if run.wake_at is not None]
    assert await world.total("entries") == len(open_runs) + await world.total("ended")
    waiting = Tally((run.journey_id, run.step_key) for run in open_runs)
    arrivals, left, ended = [
        await world.counts(name, "journey_id", "step_key") for name in ("arrivals", "left", "ended")
    ]
    for step, n in arrivals.items():
        assert n == waiting[step] + left.get(step, 0) + ended.get(step, 0), step
    async with world.db.read() as session:
        assert await recount.differences(session) == []
        assert await attribute_recount.differences(session) == []
