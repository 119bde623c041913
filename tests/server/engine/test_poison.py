"""A run, a step or an entry that raises is set aside with its reason, and stops nobody else."""

from typing import Any

import pytest

from server.aggregates import recount
from server.journey.passage import Stuck
from server.journey.steps import Delay, EntryEvent, Exit
from server.store.tables import Event, Message, Quarantine, Visit
from tests.world import DAY, HOUR, NOON, World, abandoned_cart, line, reaching, saying, step

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _as_in_production(world: World) -> None:
    world.engine.strict = False


def poison(monkeypatch: pytest.MonkeyPatch, kind: type[Any], method: str, *keys: str) -> None:
    """Has the steps of these keys raise where the others do what they do."""
    sound = getattr(kind, method)

    def poisoned(self: Any, *about: Any) -> Any:
        if self.key in keys:
            raise KeyError("a value that cannot be")
        return sound(self, *about)

    monkeypatch.setattr(kind, method, poisoned)


async def ended(world: World) -> dict[str, str]:
    return {run.entry_key: run.end_reason for run in await world.runs() if run.end_reason}


async def sound(world: World) -> None:
    """Nothing is aside, nothing is lost, and every figure agrees with the facts."""
    assert await world.rows(Quarantine) == []
    async with world.db.read() as session:
        assert await recount.differences(session) == []


def waiting(key: str, **more: Any) -> dict[str, Any]:
    return line(
        step(f"in-{key}", "entry_event", event="sign_up"),
        step(key, "delay", duration_ms=HOUR),
        step(f"out-{key}", "exit"),
        **more,
    )


async def test_a_step_that_raises_on_arrival_ends_its_run_and_the_event_counts_for_all_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, Delay, "arrive", "bad")
    for key in ("good", "bad", "other"):
        await world.add_journey(waiting(key))
    await world.live(world.event("sign_up", NOON, user="kim"), world.event("sign_up", NOON, user="lee"))
    assert len(await world.rows(Event)) == 2
    assert await world.counts("ended", "step_key", "reason") == {("bad", "internal_error"): 2}
    [because, _] = [visit.because for visit in await world.rows(Visit) if visit.end_reason]
    assert because == "KeyError: 'a value that cannot be'"
    await world.settle(NOON + HOUR)
    assert await world.counts("ended", "reason") == {"internal_error": 2, "completed": 4}
    await sound(world)


async def test_a_step_that_raises_when_its_wait_is_over_ends_its_run_at_that_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, Delay, "wake", "bad")
    for key in ("good", "bad"):
        await world.add_journey(waiting(key))
    await world.live(world.event("sign_up", NOON, user="kim"), until=NOON + DAY)
    assert {run.end_reason: run.ended_at for run in await world.runs()} == {
        "completed": NOON + HOUR,
        "internal_error": NOON + HOUR,
    }
    await sound(world)


async def test_an_event_that_wakes_a_poisoned_run_first_does_everything_else_that_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, Delay, "wake", "bad")
    await world.add_journey(waiting("bad"))
    await world.add_journey(waiting("good", goals=[{"key": "won", "event": "won"}]))
    await world.live(world.event("sign_up", NOON, user="kim"))
    await world.send(world.event("won", NOON + 2 * HOUR, user="kim"))
    await world.settle(NOON + 2 * HOUR)
    assert await world.counts("reached", "output") == {"won": 1}
    assert await ended(world) == {"in-bad": "internal_error", "in-good": "completed"}
    await sound(world)


async def test_a_run_that_breaks_half_way_has_its_visits_up_to_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.add_connection()
    await world.add_journey(reaching(saying("email", "one"), saying("email", "two")))
    sending = mailing_send()

    def broken(batch: Any, run: Any, step: Any, *more: Any) -> Any:
        if step.key == "two":
            raise ValueError
        return sending(batch, run, step, *more)

    monkeypatch.setattr("server.engine.mailing.send", broken)
    await world.live(world.event("sign_up", NOON, user="kim"))
    [run] = await world.runs()
    assert (run.step_key, run.end_reason) == ("two", "internal_error")
    assert await world.path(run.id) == [("entry", "next"), ("one", "next"), ("two", "internal_error")]
    assert len(await world.rows(Message)) == 1
    await sound(world)


def mailing_send() -> Any:
    from server.engine import mailing

    return mailing.send


async def test_an_entry_that_cannot_decide_refuses_and_the_others_let_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison(monkeypatch, EntryEvent, "lets_in", "in-bad")
    for key in ("bad", "good"):
        await world.add_journey(waiting(key))
    await world.live(world.event("sign_up", NOON, user="kim"))
    assert [run.entry_key for run in await world.runs()] == ["in-good"]
    assert await world.counts("refused", "reason") == {"internal_error": 1}
    await sound(world)


async def test_a_goal_that_raises_ends_its_run_only(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.journey.goals import Goal

    told = Goal.amount_of

    def broken(self: Goal, properties: Any) -> int:
        if self.key == "bad":
            raise OverflowError("too much")
        return told(self, properties)

    monkeypatch.setattr(Goal, "amount_of", broken)
    for key in ("bad", "good"):
        await world.add_journey(waiting(key, goals=[{"key": key, "event": "won"}]))
    await world.live(world.event("sign_up", NOON, user="kim"))
    await world.live(world.event("won", NOON + 1, user="kim"))
    assert await world.counts("reached", "output") == {"good": 1}
    assert await ended(world) == {"in-bad": "internal_error"}
    await world.settle(NOON + 2 * HOUR)
    await world.live(world.event("won", NOON + 3 * HOUR, user="kim"))
    assert await world.counts("hits", "output") == {"good": 2}
    await sound(world)


async def test_in_tests_what_raises_is_raised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.engine.strict = True
    poison(monkeypatch, Exit, "arrive", "done")
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    with pytest.raises(Stuck) as stuck:
        await world.settle(NOON + HOUR)
    assert isinstance(stuck.value.__cause__, KeyError)
