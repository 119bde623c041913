"""Resuming asks what to do with what fell due in the pause, and counts it before."""

from typing import Any

import pytest

from server.store.tables import Inbox
from tests.server.schema.api import Api
from tests.server.schema.test_changes import start
from tests.world import DAY, HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio

PREVIEW = """query($id: ID!) { journey(id: $id) { resumePreview {
    waiting fellDue parkedMessages expiredMessages
    fates { policy goingOn ending dueWithinHour dueWithinDay } } } }"""


async def paused(api: Api) -> str:
    """The journey was paused at noon and 40 minutes: one wait ends in an hour after, one in 20 minutes.

    It is four hours later now.
    """
    world = api.world
    journey_id = await start(api)
    await world.live(world.event("add_to_cart", NOON, user="kim"))
    await world.live(world.event("add_to_cart", NOON + 40 * MINUTE, user="lee"))
    await api.change("pauseJourney", id=journey_id)
    await world.settle(NOON + 80 * MINUTE)
    return journey_id


async def resume(api: Api, journey_id: str, policy: str) -> None:
    done = await api.change("resumeJourney", id=journey_id, policy=policy)
    assert done["__typename"] == "ResumeJourneyPayload"
    await api.world.settle()
    assert await api.world.rows(Inbox) == []


async def where(api: Api) -> list[Any]:
    return [(run.step_key, run.wake_at, run.end_reason) for run in await api.world.runs()]


async def test_by_default_every_wait_goes_on_with_what_was_left(api: Api) -> None:
    journey_id = await paused(api)
    await resume(api, journey_id, "SHIFT")
    pause = 40 * MINUTE
    assert await where(api) == [
        ("hour", NOON + HOUR + pause, None),
        ("hour", NOON + 40 * MINUTE + HOUR + pause, None),
    ]


async def test_what_fell_due_can_go_on_at_once_and_not_in_the_past(api: Api) -> None:
    journey_id = await paused(api)
    await resume(api, journey_id, "CATCH_UP")
    now = NOON + 80 * MINUTE
    [(step, _, reason), other] = await where(api)
    assert (step, reason) == ("done", "completed")
    assert other == ("hour", NOON + 100 * MINUTE, None)
    assert (await api.world.runs())[0].ended_at == now


async def test_what_fell_due_can_end(api: Api) -> None:
    journey_id = await paused(api)
    await resume(api, journey_id, "SKIP")
    assert await where(api) == [("hour", None, "overdue"), ("hour", NOON + 100 * MINUTE, None)]
    assert await api.world.counts("ended", "reason") == {"overdue": 1}


async def test_many_end_a_page_a_turn(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.engine.intake.MOST_STOPPED", 2)
    world, journey_id = api.world, await start(api)
    await world.live(*(world.event("add_to_cart", NOON, user=f"user {n}") for n in range(9)))
    await world.live(world.event("add_to_cart", NOON + 40 * MINUTE, user="last"))
    await api.change("pauseJourney", id=journey_id)
    await world.settle(NOON + 80 * MINUTE)
    await resume(api, journey_id, "SKIP")
    assert await world.counts("ended", "reason") == {"overdue": 9}
    assert [bool(run.held) for run in await world.runs() if run.wake_at] == [False]


async def test_the_counts_are_there_before_the_choice(api: Api) -> None:
    journey_id = await paused(api)
    found = (await api.ask(PREVIEW, id=journey_id))["journey"]["resumePreview"]
    assert found == {
        "waiting": 2,
        "fellDue": 1,
        "parkedMessages": 0,
        "expiredMessages": 0,
        "fates": [
            {"policy": "SHIFT", "goingOn": 0, "ending": 0, "dueWithinHour": 2, "dueWithinDay": 2},
            {"policy": "CATCH_UP", "goingOn": 1, "ending": 0, "dueWithinHour": 1, "dueWithinDay": 1},
            {"policy": "SKIP", "goingOn": 0, "ending": 1, "dueWithinHour": 1, "dueWithinDay": 1},
        ],
    }


async def test_a_journey_that_is_not_paused_has_nothing_to_resume(small_api: Api) -> None:
    journey_id = await start(small_api)
    assert (await small_api.ask(PREVIEW, id=journey_id))["journey"]["resumePreview"] is None


async def test_messages_that_a_pause_keeps_back_are_counted(small_api: Api) -> None:
    world, journey_id = small_api.world, await start(small_api)
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + DAY)
    await small_api.change("pauseJourney", id=journey_id)
    found = (await small_api.ask(PREVIEW, id=journey_id))["journey"]["resumePreview"]
    assert (found["waiting"], found["parkedMessages"], found["expiredMessages"]) == (0, 1, 0)
