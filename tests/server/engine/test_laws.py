"""Laws of the engine, after whatever may happen: they are what makes every figure explainable."""

import asyncio
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from server.aggregates import attribute_recount, recount
from server.engine import shard as shards
from server.ingest.messages import ArrivedEvent
from server.journey.graph import read_graph
from server.store.tables import Conversion, Counter, Event, Inbox, Message, Quarantine, Run, Visit
from tests.world import DAY, HOUR, MINUTE, NOON, World, abandoned_cart, step

from .divided import divided_world, without_complaint

LOOPING: dict[str, Any] = {
    "steps": [
        step("cart", "entry_event", event="add_to_cart"),
        step("hour", "delay", duration_ms=HOUR),
        step(
            "which",
            "split",
            branches=[
                {"output": "bought", "conditions": [{"about": "did", "event": "purchase"}]},
                {
                    "output": "vip",
                    "conditions": [{"about": "attribute", "name": "vip", "operator": "exists"}],
                },
            ],
        ),
        # Nobody here has an address: some get what goes in its place, where their id is the address.
        step("mail", "email", connection="mail", subject="Hello", text="Hello", if_not_sent="end",
             fallback={"channel": "in_app", "text": "Hello"}),
        step("day", "delay", duration_ms=DAY),
        step("again", "split", branches=[{"output": "yes", "conditions": [
            {"about": "did", "event": "view"}]}]),
        step("done", "exit"),
    ],
    "edges": [
        {"from": "cart", "output": "next", "to": "hour"},
        {"from": "hour", "output": "next", "to": "which"},
        {"from": "which", "output": "bought", "to": "done"},
        {"from": "which", "output": "vip", "to": "day"},
        {"from": "which", "output": "otherwise", "to": "mail"},
        {"from": "mail", "output": "next", "to": "day"},
        {"from": "day", "output": "next", "to": "again"},
        {"from": "again", "output": "yes", "to": "done"},
        {"from": "again", "output": "otherwise", "to": "done"},
    ],
    "goals": [
        {"key": "bought", "event": "purchase", "window_ms": DAY, "amount_property": "total"},
        {"key": "gone", "event": "leave", "ends_journey": True},
    ],
}  # fmt: skip
BY_THE_CLOCK: dict[str, Any] = {
    "steps": [
        step("cart", "entry_event", event="add_to_cart"),
        step("evening", "delay", clock_time={"at": "20:30"}),
        step("vip", "delay", date_from={
            "from": "attribute", "name": "vip_until", "days": -1, "if_unreadable": "leave"}),
        step("open", "time_window", windows=[{"weekdays": ["wednesday", "friday"], "from": "10:00",
                                              "until": "20:45"}]),
        step("mail", "email", connection="mail", subject="Hello", text="Hello"),
        step("done", "exit"),
    ],
    "edges": [
        {"from": "cart", "output": "next", "to": "evening"},
        {"from": "evening", "output": "next", "to": "vip"},
        {"from": "vip", "output": "next", "to": "open"},
        {"from": "vip", "output": "passed", "to": "mail"},
        {"from": "vip", "output": "unreadable", "to": "open"},
        {"from": "open", "output": "next", "to": "mail"},
        {"from": "mail", "output": "next", "to": "done"},
    ],
    "goals": [{"key": "gone", "event": "leave", "ends_journey": True}],
    "silence": [{"channels": ["email"], "ranges": [{"from": "20:00", "until": "09:00"}]}],
}  # fmt: skip
GRAPHS = {"abandoned cart": abandoned_cart(), "two waits": LOOPING, "by the clock": BY_THE_CLOCK}


class Sent(NamedTuple):
    """Somebody does something, some time after what happened before; it may reach us late."""

    who: tuple[str | None, str | None]
    name: str
    after: int
    late: int = 0


class Jump(NamedTuple):
    by: int


class Order(NamedTuple):
    """An operator's command."""

    kind: str


Move = Sent | Jump | Order

# A world costs a fifth of a second: few examples, the same ones every time, told as they are found.
LAW = settings(
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    print_blob=False,
    max_examples=12,
)

NAMED = [("kim", None), ("lee", None)]
NAMELESS: list[tuple[str | None, str | None]] = [(None, "phone"), (None, "tablet")]
BOTH = [("kim", "phone"), ("lee", "phone"), ("kim", "tablet")]
NAMES = st.sampled_from(["add_to_cart", "add_to_cart", "purchase", "view", "leave", "identify"])
AFTER = st.sampled_from([0, 1, MINUTE, HOUR - MINUTE, HOUR, 2 * HOUR, DAY])
anybody = st.sampled_from([*NAMED, *NAMELESS, *BOTH])
in_order = st.just(0)
sent_in_order = st.builds(Sent, anybody, NAMES, AFTER, in_order)
sent = st.builds(Sent, anybody, NAMES, AFTER, st.sampled_from([0, 0, 0, MINUTE, 2 * HOUR]))
anything = st.one_of(
    sent,
    sent,
    sent,
    st.builds(Jump, st.sampled_from([MINUTE, HOUR, DAY])),
    st.builds(Order, st.sampled_from(["pause", "resume", "stop"])),
)


class Story:
    """Lets moves happen in a world, one after the other."""

    def __init__(self, world: World, journeys: list[int]) -> None:
        self.world, self.journeys = world, journeys
        self.status = dict.fromkeys(journeys, "running")
        self.paused_at = 0
        self.told: list[ArrivedEvent] = []

    async def happen(self, move: Move) -> None:
        if isinstance(move, Sent):
            await self.world.live(self.event(move))
        elif isinstance(move, Jump):
            await self.world.settle(self.world.clock.now() + move.by)
        else:
            await self.order(move.kind)

    def event(self, move: Sent) -> ArrivedEvent:
        at = self.world.clock.now() + move.after - move.late
        kind = "identify" if move.name == "identify" else "track"
        body: dict[str, Any] = (
            {"vip": True, "vip_until": "2024-03-16"} if kind == "identify" else {"total": 7}
        )
        name = "" if kind == "identify" else move.name
        event = self.world.event(name, at, user=move.who[0], anonymous=move.who[1], type=kind, **body)
        self.told.append(event)
        return event

    async def order(self, kind: str) -> None:
        """To the first journey; one that its status does not allow is left out."""
        journey, now = self.journeys[0], self.world.clock.now()
        wanted = {"pause": "running", "resume": "paused"}.get(kind)
        if self.status[journey] == "finished" or (wanted and self.status[journey] != wanted):
            return
        self.status[journey] = {"pause": "paused", "resume": "running", "stop": "finished"}[kind]
        more = {"stop": {"at": now}, "resume": {"shift_ms": now - self.paused_at}}.get(kind, {})
        if kind == "pause":
            self.paused_at = now
        await self.world.set_status(journey, self.status[journey])
        await self.world.command(kind, journey_id=journey, **more)
        await self.world.settle()


def tell(moves: Iterable[Move], then: Callable[[Story], Awaitable[Any]], *, divided: int = 1) -> Any:
    """The world after these moves, handed to `then`."""

    async def play() -> Any:
        async with divided_world(divided) as world:
            await world.add_connection()
            await world.add_connection("app", channel="in_app")
            story = Story(world, [await world.add_journey(graph) for graph in GRAPHS.values()])
            for move in moves:
                await story.happen(move)
            return await then(story)

    with without_complaint():
        return asyncio.run(play())


async def figures(world: World) -> dict[Any, tuple[int, int]]:
    """Every counter that is not 0, summed over shards."""
    found: dict[Any, tuple[int, int]] = {}
    for row in await world.hours():
        key = (row.metric, row.journey_id, row.step_key, row.output, row.channel, row.reason, row.span)
        n, amount = found.get(key, (0, 0))
        found[key] = (n + row.n, amount + row.amount)
    return {key: value for key, value in found.items() if value != (0, 0)}


async def everything(world: World) -> dict[str, list[Any]]:
    tables = (Run, Visit, Event, Conversion, Message, Counter, Inbox)
    return {model.__name__: sorted(map(tuple, await world.rows(model))) for model in tables}


async def holds(story: Story) -> None:
    world = story.world
    runs, visits = await world.rows(Run), await world.rows(Visit, "arrived_at", "left_at", "seq")
    assert await world.rows(Inbox) == []
    assert await world.rows(Quarantine) == []
    _every_run_waits_or_has_ended(runs)
    for journey in story.journeys:
        own = [run for run in runs if run.journey_id == journey]
        by = "journey_id"
        entries, ended = await world.counts("entries", by), await world.counts("ended", by)
        inside = sum(run.wake_at is not None for run in own)
        assert entries.get(journey, 0) == inside + ended.get(journey, 0)
        arrivals = await world.counts("arrivals", by, "step_key")
        waiting = Tally(run.step_key for run in own if run.wake_at is not None)
        left = await world.counts("left", by, "step_key")
        here = await world.counts("ended", by, "step_key")
        for one in GRAPHS[list(GRAPHS)[story.journeys.index(journey)]]["steps"]:
            key = (journey, one["key"])
            assert arrivals.get(key, 0) == waiting[one["key"]] + left.get(key, 0) + here.get(key, 0), key
    _visits_are_paths(story, runs, visits)
    async with world.db.read() as session:
        assert await recount.differences(session) == []
        assert await attribute_recount.differences(session) == []


def _every_run_waits_or_has_ended(runs: list[Any]) -> None:
    for run in runs:
        assert (run.wake_at is None) == (run.end_reason is not None) == (run.ended_at is not None)
        assert run.entered_at <= run.arrived_at <= (run.wake_at or run.ended_at)


def _visits_are_paths(story: Story, runs: list[Any], visits: list[Any]) -> None:
    for run in runs:
        graph = read_graph(GRAPHS[list(GRAPHS)[story.journeys.index(run.journey_id)]])[0]
        own = [visit for visit in visits if visit.run_id == run.id]
        step_key, at = run.entry_key, run.entered_at
        for visit in own:
            assert (visit.step_key, visit.arrived_at) == (step_key, at)
            if visit.end_reason is None:
                step_key, at = graph.after(step_key, visit.output).key, visit.left_at
        assert (run.step_key, run.arrived_at) == (step_key, at)
        assert [visit.end_reason for visit in own if visit.end_reason] == (
            [run.end_reason] if run.end_reason else []
        )


MOVED_WHILE_WAITING: list[Move] = [
    Sent(("kim", None), "identify", 0),
    Sent((None, "tablet"), "add_to_cart", MINUTE),
    Sent(("kim", "tablet"), "view", MINUTE),
    Jump(2 * HOUR),
]


@example(MOVED_WHILE_WAITING, 1)
@example(MOVED_WHILE_WAITING, 4)
@settings(LAW, max_examples=15)
@given(st.lists(anything, max_size=14), st.sampled_from([1, 4]))
def test_whoever_came_in_is_inside_or_has_ended_and_whoever_arrived_waits_has_left_or_has_ended(
    moves: list[Move], divided: int
) -> None:
    tell(moves, holds, divided=divided)


@LAW
@given(st.lists(anything, max_size=10), st.sampled_from([1, 4]))
def test_sending_everything_again_changes_nothing(moves: list[Move], divided: int) -> None:
    async def again(story: Story) -> None:
        before = await everything(story.world)
        await story.world.live(*story.told)
        assert await everything(story.world) == before

    tell(moves, again, divided=divided)


@LAW
@given(st.lists(st.one_of(sent_in_order, sent_in_order, anything), max_size=12))
def test_one_shard_and_four_give_the_same_figures(moves: list[Move]) -> None:
    async def read(story: Story) -> Any:
        await story.world.settle(story.world.clock.now() + 3 * DAY)
        return await figures(story.world)

    assert tell(moves, read, divided=1) == tell(moves, read, divided=4)


@LAW
@given(
    st.lists(st.builds(Sent, st.sampled_from([*NAMED, *NAMELESS]), NAMES, AFTER, in_order), max_size=14),
    st.integers(1, 5),
)
def test_one_big_batch_and_many_small_ones_give_the_same_figures(moves: list[Sent], most: int) -> None:
    async def all_at_once(story: Story) -> Any:
        at, events = NOON, []
        for move in moves:
            at += move.after
            events.append(story.event(move)._replace(occurred_at=at, received_at=at))
        await story.world.live(*events)
        await story.world.settle(at + 3 * DAY)
        return await figures(story.world)

    whole = tell([], all_at_once)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "MOST_ROWS", most)
        assert tell([], all_at_once) == whole

    async def one_by_one(story: Story) -> Any:
        for move in moves:
            await story.happen(move)
        await story.world.settle(story.world.clock.now() + 3 * DAY)
        return await figures(story.world)

    assert tell([], one_by_one) == whole
