"""Launches among everything else that happens: nobody is lost, and nobody comes in twice by one."""

import asyncio
from collections import Counter as Tally
from typing import Any

import orjson
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from server.engine import launches
from server.engine.loop import Engine
from server.store.tables import Launch
from tests.world import DAY, HOUR, MINUTE, World, line, step

from .balance import balances
from .divided import divided_world, without_complaint

LAW = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    print_blob=False,
    max_examples=15,
)
PEOPLE = ["kim", "lee", "park", "choi"]
ZONES = ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati", "Etc/GMT+12"]

learns = st.tuples(st.just("learn"), st.sampled_from(PEOPLE), st.sampled_from(ZONES))
meets = st.tuples(st.just("meet"), st.sampled_from(PEOPLE), st.sampled_from(["phone", "tablet"]))
walks = st.tuples(st.just("walk"), st.just(""), st.sampled_from(["phone", "tablet"]))
jumps = st.tuples(st.just("jump"), st.just(""), st.sampled_from([MINUTE, HOUR, 7 * HOUR, DAY]))
orders = st.tuples(st.just("order"), st.sampled_from(["pause", "resume"]), st.just(""))
dies = st.tuples(st.just("die"), st.just(""), st.just(""))
moves = st.lists(st.one_of(learns, learns, meets, walks, jumps, jumps, orders, dies), max_size=14)


def graph(zone: str, policy: str) -> dict[str, Any]:
    when = {"kind": "every_days", "every": 1, "start": "2024-03-01", "at": "09:00"}
    entry = step("in", "entry_audience", when=when, zone=zone, if_passed=policy)
    return line(entry, step("wait", "delay", duration_ms=30 * HOUR), step("out", "exit"))


class Life:
    """Lets moves happen in a world with one journey."""

    def __init__(self, world: World, journey: int) -> None:
        self.world, self.journey, self.paused_at = world, journey, 0

    async def happen(self, kind: str, who: str, what: Any) -> None:
        world, now = self.world, self.world.clock.now()
        if kind == "learn":
            await world.live(world.event("", now, user=who, type="identify", timezone=what))
        elif kind == "meet":
            await world.live(world.event("view", now, user=who, anonymous=what))
        elif kind == "walk":
            await world.live(world.event("view", now, anonymous=what))
        elif kind == "jump":
            await world.settle(now + what)
        elif kind == "die":
            await world.engine.let_go()
            world.engine = Engine(world.db, world.clock, world.shards, strict=True)
        else:
            await self.order(who)

    async def order(self, kind: str) -> None:
        world, now = self.world, self.world.clock.now()
        if (kind == "pause") is bool(self.paused_at):
            return
        more = {} if kind == "pause" else {"shift_ms": now - self.paused_at}
        self.paused_at = now if kind == "pause" else 0
        await world.set_status(self.journey, "paused" if kind == "pause" else "running")
        await world.command(kind, journey_id=self.journey, **more)
        await world.settle()


async def holds(life: Life) -> None:
    await balances(life.world)
    runs = await life.world.runs()
    own = [run for run in runs if run.end_reason != "merged"]
    days = Tally((run.shard, run.user_number, orjson.loads(run.properties)["day"]) for run in own)
    assert set(days.values()) <= {1}
    assert sum(row.entered for row in await life.world.rows(Launch)) == len(runs)


@LAW
@given(
    moves,
    st.sampled_from(["project", "person"]),
    st.sampled_from(["at_once", "next_day", "skip"]),
    st.sampled_from([1, 3]),
)
def test_whoever_is_let_in_is_let_in_once_a_day_and_counted(
    moves: list[Any], zone: str, policy: str, shards: int
) -> None:
    async def play() -> None:
        async with divided_world(shards) as world:
            life = Life(world, await world.add_journey(graph(zone, policy)))
            for move in moves:
                await life.happen(*move)
            if life.paused_at:
                await life.order("resume")
            await world.settle(world.clock.now() + DAY)
            await holds(life)

    with pytest.MonkeyPatch.context() as patch, without_complaint():
        patch.setattr(launches, "MOST_PEOPLE", 2)
        asyncio.run(play())
