"""The laws of the engine hold through every edit with people inside: publish and move, pause and resume by
each choice, removal, erasure, stop; on one shard, on four, and on PostgreSQL."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, NamedTuple

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.aggregates import recount
from server.doctor import examine
from server.ingest.messages import ArrivedEvent
from server.journey.graph import read_graph
from server.journey.moving import version_in
from server.schema.ids import key_in, to_id
from server.store.tables import Inbox, Journey, Quarantine, Run, User, Version, Visit
from tests.server.schema.api import Api, open_api
from tests.world import DAY, HOUR, MINUTE, World, step

from .divided import divided_world, without_complaint
from .test_laws import LAW, Jump, Sent, anybody

MAIL = {"connection": "mail", "subject": "Hello", "text": "Hello"}


def _drawn(*steps: dict[str, Any], branch: str = "") -> dict[str, Any]:
    """Steps one after the other; from a step of this key, whoever has bought goes to the end."""
    edges = [
        {"from": one["key"], "output": "otherwise" if one["key"] == branch else "next", "to": two["key"]}
        for one, two in pairwise(steps)
    ]
    if branch:
        edges.append({"from": branch, "output": "bought", "to": steps[-1]["key"]})
    goals = [
        {"key": "bought", "event": "purchase", "window_ms": DAY, "amount_property": "total"},
        {"key": "gone", "event": "leave", "ends_journey": True},
    ]
    return {"steps": list(steps), "edges": edges, "goals": goals}


CART = step("cart", "entry_event", event="add_to_cart")
WHICH = step(
    "which",
    "split",
    branches=[{"output": "bought", "conditions": [{"about": "did", "event": "purchase"}]}],
)
DRAWINGS = {
    "short": _drawn(CART, step("hour", "delay", duration_ms=HOUR), step("done", "exit")),
    "long": _drawn(
        CART,
        step("hour", "delay", duration_ms=2 * HOUR),
        WHICH,
        step("mail", "email", **MAIL),
        step("day", "delay", duration_ms=DAY),
        step("done", "exit"),
        branch="which",
    ),
    "other": _drawn(
        CART,
        step("day", "delay", duration_ms=3 * HOUR),
        step("mail", "email", **MAIL),
        step("later", "delay", duration_ms=HOUR),
        step("done", "exit"),
    ),
}
MAPS: list[dict[str, str]] = [{}, {"hour": "mail"}, {"hour": "day"}, {"later": "done"}]


class Publish(NamedTuple):
    drawing: str
    fate: str
    unmapped: str
    map: int


class Resume(NamedTuple):
    policy: str


class Order(NamedTuple):
    kind: str


class Gone(NamedTuple):
    """Somebody is removed or erased."""

    how: str
    kind: str
    value: str


Move = Sent | Jump | Publish | Resume | Order | Gone

NAMES = st.sampled_from(["add_to_cart", "add_to_cart", "purchase", "view", "leave", "identify"])
sent = st.builds(
    Sent,
    anybody,
    NAMES,
    st.sampled_from([0, 1, MINUTE, HOUR - MINUTE, HOUR, 2 * HOUR]),
    st.sampled_from([0, 0, 0, MINUTE, 2 * HOUR]),
)
publish = st.builds(
    Publish,
    st.sampled_from(list(DRAWINGS)),
    st.sampled_from(["STAY", "MOVE", "MOVE", "MOVE", "END"]),
    st.sampled_from(["STAY", "END"]),
    st.sampled_from(range(len(MAPS))),
)
gone = st.builds(
    Gone, st.sampled_from(["remove", "erase"]), st.just("user_id"), st.sampled_from(["kim", "lee"])
)
anything = st.one_of(
    sent,
    sent,
    sent,
    publish,
    publish,
    st.builds(Jump, st.sampled_from([MINUTE, HOUR, DAY])),
    st.builds(Resume, st.sampled_from(["SHIFT", "CATCH_UP", "SKIP"])),
    st.builds(Order, st.sampled_from(["pause", "pause", "stop"])),
    gone,
)


class Edits:
    """Lets moves happen to one journey, by the same doors as everybody; what is refused is refused."""

    def __init__(self, api: Api, journey_id: int) -> None:
        self.api, self.world, self.journey_id = api, api.world, to_id("Journey", journey_id)
        self.revision = 0

    async def happen(self, move: Move, *, at_once: bool) -> None:
        if isinstance(move, Sent):
            await self.world.send(self._event(move))
        elif isinstance(move, Jump):
            await self.world.settle(self.world.clock.now() + move.by)
        elif isinstance(move, Publish):
            await self._publish(move)
        elif isinstance(move, Resume):
            await self.api.change("resumeJourney", id=self.journey_id, policy=move.policy)
        elif isinstance(move, Order):
            await self.api.change(f"{move.kind}Journey", id=self.journey_id)
        elif move.how == "remove":
            await self.api.change("removeFromJourneys", userIds=[move.value])
        else:
            await self.api.change("eraseUser", identity={"userId": move.value})
        if at_once:
            await self.world.settle()

    def _event(self, move: Sent) -> ArrivedEvent:
        at = self.world.clock.now() + move.after - move.late
        kind = "identify" if move.name == "identify" else "track"
        body: dict[str, Any] = {"name": f"I am {move.who}"} if kind == "identify" else {"total": 7}
        name = "" if kind == "identify" else move.name
        return self.world.event(name, at, user=move.who[0], anonymous=move.who[1], type=kind, **body)

    async def _publish(self, move: Publish) -> None:
        """Past `saveDraft`: what is drawn here is data already."""
        async with self.world.db.write() as session:
            journey = await session.get_one(Journey, key_in(self.journey_id, "Journey")[0])
            journey.draft = orjson.dumps(DRAWINGS[move.drawing]).decode()
        wanted = {**MAPS[move.map]} if move.fate == "MOVE" else {}
        pairs = [{"from": source, "to": target} for source, target in wanted.items()]
        inside = {"fate": move.fate, "unmapped": move.unmapped, "map": pairs}
        await self.api.change("publishJourney", id=self.journey_id, peopleInside=inside)


async def play(world: World, moves: Iterable[Move], *, at_once: bool) -> None:
    await world.add_connection()
    journey_id = await world.add_journey(DRAWINGS["short"])
    async with open_api(world) as api:
        edits = Edits(api, journey_id)
        for move in moves:
            await edits.happen(move, at_once=at_once)
    await world.settle()
    await holds(world)
    await world.settle(world.clock.now() + 5 * DAY)
    await holds(world)


async def holds(world: World) -> None:
    runs, visits = await world.rows(Run), await world.rows(Visit, "arrived_at", "left_at", "seq")
    assert await world.rows(Inbox) == []
    assert await world.rows(Quarantine) == []
    for finding in await examine(world.db, world.clock.now()):
        assert not finding.wrong, finding
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    await _laws_of_versions(world, runs)
    await _visits_are_paths(world, runs, visits)
    for user in await world.rows(User):
        assert user.erased_at is None or (user.attributes, user.user_id) == ("{}", None)


async def _laws_of_versions(world: World, runs: list[Any]) -> None:
    names = ("entries", "moved_in", "ended", "moved_out")
    entries, moved_in, ended, moved_out = [await world.counts(name, "version") for name in names]
    for version in {run.version for run in runs} | set(entries) | set(moved_in):
        inside = sum(run.wake_at is not None and run.version == version for run in runs)
        came = entries.get(version, 0) + moved_in.get(version, 0)
        assert came == inside + ended.get(version, 0) + moved_out.get(version, 0), version
    by = ("version", "step_key")
    arrived, left, ended_here = [await world.counts(name, *by) for name in ("arrivals", "left", "ended")]
    for key in {*arrived, *left, *ended_here}:
        waiting = sum(run.wake_at is not None and (run.version, run.step_key) == key for run in runs)
        assert arrived.get(key, 0) == waiting + left.get(key, 0) + ended_here.get(key, 0), key


async def _visits_are_paths(world: World, runs: list[Any], visits: list[Any]) -> None:
    graphs = {row.number: read_graph(orjson.loads(row.graph))[0] for row in await world.rows(Version)}
    for run in runs:
        own = [visit for visit in visits if visit.run_id == run.id]
        version, step_key, at = own[0].version, run.entry_key, run.entered_at
        for visit in own:
            assert (visit.version, visit.step_key, visit.arrived_at) == (version, step_key, at)
            moved = version_in(visit.output)
            if moved is not None:
                version, step_key, at = moved, visit.because, visit.left_at
            elif visit.end_reason is None:
                step_key, at = graphs[version].after(step_key, visit.output).key, visit.left_at
        assert (run.version, run.step_key, run.arrived_at) == (version, step_key, at)
        assert [visit.end_reason for visit in own if visit.end_reason] == (
            [run.end_reason] if run.end_reason else []
        )


MUCH: list[Move] = [
    Sent(("kim", None), "identify", 0),
    Sent(("kim", None), "add_to_cart", 0),
    Sent((None, "phone"), "add_to_cart", MINUTE),
    Publish("long", "MOVE", "STAY", 0),
    Sent(("lee", "phone"), "view", MINUTE),
    Order("pause"),
    Jump(3 * HOUR),
    Publish("other", "MOVE", "END", 2),
    Resume("CATCH_UP"),
    Sent(("kim", "tablet"), "purchase", MINUTE, 2 * HOUR),
    Order("pause"),
    Sent((None, "tablet"), "add_to_cart", HOUR),
    Resume("SKIP"),
    Publish("long", "MOVE", "STAY", 1),
    Sent(("lee", None), "add_to_cart", MINUTE),
    Sent(("kim", None), "add_to_cart", MINUTE),
    Gone("remove", "user_id", "lee"),
    Sent(("lee", None), "add_to_cart", MINUTE),
    Gone("erase", "user_id", "kim"),
    Sent(("kim", "phone"), "add_to_cart", MINUTE),
    Jump(HOUR),
]


@example(MUCH, 1, True)
@example(MUCH, 4, False)
@settings(LAW, max_examples=20)
@given(st.lists(anything, min_size=3, max_size=16), st.sampled_from([1, 4]), st.booleans())
def test_nobody_is_lost_whatever_is_edited(moves: list[Move], divided: int, at_once: bool) -> None:
    async def story() -> None:
        async with divided_world(divided) as world:
            await play(world, moves, at_once=at_once)

    with without_complaint():
        asyncio.run(story())


@pytest.mark.anyio
@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_holds_on_every_database(world: World, at_once: bool) -> None:
    await play(world, MUCH, at_once=at_once)
    # A story in which nothing happens would hold as well.
    assert len(await world.rows(Version)) == 4
    if at_once:
        # What is asked for before anybody is worked in finds nobody.
        assert set(await world.counts("ended", "reason")) >= {"completed", "removed", "erased"}
        assert await world.total("moved_in") > 0
