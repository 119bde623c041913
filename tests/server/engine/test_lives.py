"""Whatever happens to a journey and its people, nobody is lost, and every figure can be counted again.

Events come late, early and twice; operators pause, resume, edit, move people and take them out; receipts come
in any order; the process dies in the middle of a batch; the clock jumps. A failing example prints how to have
it again.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as play

from server.engine import batch as batches
from server.engine.loop import Engine
from server.schema.ids import to_id
from server.schema.to_data import to_variables
from server.store.tables import Message, Run
from tests.server.schema.api import Api, open_api
from tests.world import DAY, HOUR, MINUTE, World, open_world

from .balance import balances
from .divided import divided_world, without_complaint
from .flows import heard
from .pruned import aggregates, prune
from .random_graphs import EVENTS, Data, graphs

T = TypeVar("T")
OpenWorld = Callable[[], AbstractAsyncContextManager[World]]

PEOPLE: list[tuple[str | None, str | None]] = [
    ("kim", None),
    ("lee", None),
    (None, "phone"),
    ("kim", "phone"),
    ("lee", "phone"),
]
people = st.sampled_from(PEOPLE)
names = st.sampled_from(["sign_up", *EVENTS])
news = st.sampled_from(["accepted", "delivered", "opened", "clicked", "bounced", "refused", "unknown"])
spans = st.sampled_from([0, 1, MINUTE, HOUR, 6 * HOUR, DAY, 4 * DAY])


class PowerCut(BaseException):
    """Nothing that the loop could catch and go on from."""


class Lives(RuleBasedStateMachine):
    """One journey of a project, its people, and its operators."""

    def __init__(self, open_it: OpenWorld) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.stack.enter_context(without_complaint())
        self.world: World = self.do(self.stack.enter_async_context(open_it()))
        self.api: Api = self.do(self.stack.enter_async_context(open_api(self.world)))
        self.status = "draft"
        self.told: list[Any] = []

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.do(self.world.settle(self.world.clock.now() + DAY))
        self.do(balances(self.world))
        self.do(self.stack.aclose())
        self.runner.close()

    @initialize(graph=graphs())
    def draw(self, graph: Data) -> None:
        self.do(self.world.add_connection())
        made = self.change("createJourney", title="Journey", graph=to_variables(graph))
        assert made["__typename"] == "CreateJourneyPayload", made
        self.id = to_id("Journey", 1)
        self.act("publishJourney", id=self.id)
        self.act("startJourney", id=self.id)
        self.status = "running"
        for who in (("kim", None), ("lee", None), (None, "phone")):
            self.tells_of_itself(who, True)
            self.comes_in(who, 1)

    def change(self, name: str, **input: Any) -> dict[str, Any]:
        answer = self.do(self.api.change(name, **input))
        self.do(self.world.settle())
        return answer

    def act(self, name: str, **input: Any) -> None:
        answer = self.change(name, **input)
        assert answer["__typename"].endswith("Payload"), answer

    # What people do

    @rule(who=people, after=spans)
    def comes_in(self, who: tuple[str | None, str | None], after: int) -> None:
        self.happens(who, "sign_up", after, 0)

    @rule(who=people, name=names, after=spans, late=st.sampled_from([0, 0, 0, MINUTE, 2 * HOUR]))
    def happens(self, who: tuple[str | None, str | None], name: str, after: int, late: int) -> None:
        at = self.world.clock.now() + after - late
        event = self.world.event(name, at, user=who[0], anonymous=who[1], total=7)
        self.told.append(event)
        self.do(self.world.live(event))

    @rule(who=people, has_address=st.booleans())
    def tells_of_itself(self, who: tuple[str | None, str | None], has_address: bool) -> None:
        traits = {"email": f"{who[0] or who[1]}@shop.example"} if has_address else {"email": None}
        at = self.world.clock.now()
        told = self.world.event("", at, user=who[0], anonymous=who[1], type="identify", **traits)
        self.do(self.world.live(told))

    @precondition(lambda self: self.told)
    @rule()
    def everything_is_sent_again(self) -> None:
        self.do(self.world.live(*self.told))

    @rule(kind=news, by=st.sampled_from(["human", "machine"]), after=spans, which=st.integers(0, 50))
    def is_heard_of_a_message(self, kind: str, by: str, after: int, which: int) -> None:
        messages = self.do(self.world.rows(Message, "id"))
        if messages:
            more = {"actor": by} if kind in ("opened", "clicked") else {}
            reason = {"reason": "unreachable"} if kind in ("bounced", "refused") else {}
            message = messages[which % len(messages)]
            self.do(heard(self.world, message.id, kind, message.created_at + after, **more, **reason))

    @rule(by=spans)
    def time_passes(self, by: int) -> None:
        self.do(self.world.settle(self.world.clock.now() + by))

    # What operators do

    @precondition(lambda self: self.status == "running")
    @rule()
    def is_paused(self) -> None:
        self.act("pauseJourney", id=self.id)
        self.status = "paused"

    @precondition(lambda self: self.status == "paused")
    @rule(policy=st.sampled_from(["SHIFT", "CATCH_UP", "SKIP"]))
    def is_resumed(self, policy: str) -> None:
        self.act("resumeJourney", id=self.id, policy=policy)
        self.status = "running"

    @rule(
        graph=graphs(),
        fate=st.sampled_from(["STAY", "MOVE", "MOVE", "END"]),
        unmapped=st.sampled_from(["STAY", "END"]),
    )
    def is_edited(self, graph: Data, fate: str, unmapped: str) -> None:
        revision = self.do(self.api.ask("query($id: ID!) { journey(id: $id) { revision } }", id=self.id))
        about = {"expectedRevision": revision["journey"]["revision"]}
        self.act("saveDraft", id=self.id, graph=to_variables(graph), **about)
        self.act("publishJourney", id=self.id, peopleInside={"fate": fate, "unmapped": unmapped})

    @rule(who=st.sampled_from(["kim", "lee"]))
    def somebody_is_taken_out(self, who: str) -> None:
        self.change("removeFromJourneys", userIds=[who])

    @rule(after=st.sampled_from([0, 40 * DAY]))
    def old_facts_are_deleted(self, after: int) -> None:
        self.do(self.world.settle(self.world.clock.now() + after))
        before = self.do(aggregates(self.world))
        self.do(prune(self.world))
        assert self.do(aggregates(self.world)) == before

    # What goes wrong

    @rule(who=people, name=names)
    def dies_in_the_middle_of_a_batch(self, who: tuple[str | None, str | None], name: str) -> None:
        event = self.world.event(name, self.world.clock.now() + 1, user=who[0], anonymous=who[1], total=3)
        self.told.append(event)
        with pytest.MonkeyPatch.context() as patch:
            whole = batches.Batch.write

            async def write(batch: Any, session: Any) -> None:
                await whole(batch, session)
                raise PowerCut

            patch.setattr(batches.Batch, "write", write)
            with pytest.raises(PowerCut):
                self.do(self.world.live(event))
        # Another process goes on, and knows only what is on disk.
        world = self.world
        world.engine = Engine(world.db, world.clock, world.shards, holder=world.engine.holder, strict=True)
        self.do(world.settle())

    # What always holds

    @invariant()
    def everybody_inside_has_a_future_and_everybody_else_an_end(self) -> None:
        now = self.world.clock.now()
        for run in self.do(self.world.rows(Run)):
            assert (run.wake_at is None) == (run.end_reason is not None) == (run.ended_at is not None)
            if run.wake_at is not None:
                assert run.held == (self.status == "paused")
                assert run.held or run.wake_at > now

    @invariant()
    def nobody_is_lost_and_every_figure_can_be_counted_again(self) -> None:
        self.do(balances(self.world))


def lives(open_it: OpenWorld, examples: int) -> None:
    chosen = settings(
        max_examples=examples,
        stateful_step_count=18,
        deadline=None,
        derandomize=True,
        print_blob=True,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    play(lambda: Lives(open_it), settings=chosen)


@pytest.mark.parametrize("shards", [1, 3])
def test_nobody_is_lost_whatever_happens(shards: int) -> None:
    lives(lambda: divided_world(shards), 5)


@pytest.mark.postgres
def test_nobody_is_lost_on_postgresql_either(new_postgres_database: Callable[[], str]) -> None:
    lives(lambda: open_world(new_postgres_database()), 2)
