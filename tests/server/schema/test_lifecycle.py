"""Journeys start and end at their times, are copied, and tell the second of two people who change them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.server.schema.api import Api
from tests.server.schema.test_changes import draw, graph, start
from tests.world import DAY, HOUR, MINUTE, NOON

pytestmark = pytest.mark.anyio

LIFE = "status allowedActions startsAt startedAt endsAt finishedAt"


def time(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1000, UTC).isoformat()


async def published(api: Api) -> str:
    await api.world.add_connection()
    journey_id = await draw(api)
    await api.change("publishJourney", id=journey_id)
    return journey_id


async def life(api: Api, journey_id: str) -> dict[str, Any]:
    text = f"query($id: ID!) {{ journey(id: $id) {{ {LIFE} }} }}"
    return dict((await api.ask(text, id=journey_id))["journey"])


async def test_a_journey_starts_at_its_time_before_the_events_of_that_time(api: Api) -> None:
    world = api.world
    journey_id = await published(api)
    selection = f"... on ScheduleJourneyPayload {{ journey {{ {LIFE} }} }}"
    done = await api.change("scheduleJourney", selection, id=journey_id, at=time(NOON + HOUR))
    assert done["journey"]["status"] == "SCHEDULED"
    assert done["journey"]["allowedActions"] == ["SCHEDULE", "UNSCHEDULE", "START"]
    assert done["journey"]["startsAt"] == time(NOON + HOUR)
    early = world.event("add_to_cart", NOON + HOUR - 1, user="early")
    await world.live(early, world.event("add_to_cart", NOON + HOUR, user="kim"))
    assert len(await world.runs()) == 1
    found = await life(api, journey_id)
    assert (found["status"], found["startedAt"]) == ("RUNNING", time(NOON + HOUR))


async def test_a_scheduled_journey_starts_without_any_event_and_lets_nobody_in_before(api: Api) -> None:
    world = api.world
    journey_id = await published(api)
    await api.change("scheduleJourney", id=journey_id, at=time(NOON + HOUR))
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    assert (await world.runs(), await world.total("refused")) == ([], 0)
    await world.settle(NOON + HOUR)
    assert (await life(api, journey_id))["status"] == "RUNNING"


async def test_a_start_can_be_moved_and_taken_back(small_api: Api) -> None:
    api, world = small_api, small_api.world
    journey_id = await published(api)
    await api.change("scheduleJourney", id=journey_id, at=time(NOON + HOUR))
    await api.change("scheduleJourney", id=journey_id, at=time(NOON + DAY))
    await world.settle(NOON + 2 * HOUR)
    assert (await life(api, journey_id))["status"] == "SCHEDULED"
    await api.change("unscheduleJourney", id=journey_id)
    await world.settle(NOON + 2 * DAY)
    assert (await life(api, journey_id))["status"] == "DRAFT"


async def test_what_is_scheduled_can_be_started_now(small_api: Api) -> None:
    api, world = small_api, small_api.world
    journey_id = await published(api)
    await api.change("scheduleJourney", id=journey_id, at=time(NOON + DAY))
    await api.change("startJourney", id=journey_id)
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    assert len(await world.runs()) == 1


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"at": NOON - 1}, ["input", "at"]),
        ({"at": NOON + HOUR, "endsAt": NOON + HOUR}, ["input", "endsAt"]),
        ({"at": NOON + HOUR, "endsAt": NOON + MINUTE}, ["input", "endsAt"]),
    ],
)
async def test_times_that_cannot_be_are_refused(
    small_api: Api, wish: dict[str, int], path: list[str]
) -> None:
    journey_id = await published(small_api)
    times = {name: time(at) for name, at in wish.items()}
    refused = await small_api.change("scheduleJourney", id=journey_id, **times)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", path)
    assert (await life(small_api, journey_id))["status"] == "DRAFT"


async def test_after_its_end_nobody_enters_and_with_the_last_one_it_is_finished(api: Api) -> None:
    world = api.world
    journey_id = await start(api)
    await world.live(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    await api.change("setJourneyEnd", id=journey_id, endsAt=time(NOON + 10 * MINUTE))
    before = world.event("add_to_cart", NOON + 10 * MINUTE - 1, user="lee")
    await world.live(before, world.event("add_to_cart", NOON + 10 * MINUTE, user="late"))
    assert len(await world.runs()) == 2
    assert await world.counts("refused", "reason") == {"ended": 1}
    assert (await life(api, journey_id))["status"] == "RUNNING"
    await world.settle(NOON + DAY)
    assert {run.end_reason for run in await world.runs()} == {"completed"}
    found = await life(api, journey_id)
    assert (found["status"], found["finishedAt"]) == ("FINISHED", time(NOON + DAY))


async def test_what_happened_before_the_end_and_was_not_worked_in_yet_still_enters(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine.loop.FINISH_EVERY", 1)
    world, journey_id = api.world, await start(api)
    await api.change("setJourneyEnd", id=journey_id, endsAt=time(NOON + HOUR))
    await world.send(world.event("add_to_cart", NOON + MINUTE, user="kim"))
    await world.settle(NOON + DAY)
    assert [run.end_reason for run in await world.runs()] == ["completed"]
    assert (await life(api, journey_id))["status"] == "FINISHED"


async def test_an_end_can_be_moved_and_taken_away(small_api: Api) -> None:
    api, world = small_api, small_api.world
    journey_id = await start(api)
    await api.change("setJourneyEnd", id=journey_id, endsAt=time(NOON + HOUR))
    await api.change("setJourneyEnd", id=journey_id, endsAt=time(NOON + DAY))
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="kim"))
    await api.change("setJourneyEnd", id=journey_id, endsAt=None)
    await world.live(world.event("add_to_cart", NOON + 2 * DAY, user="lee"))
    assert len(await world.runs()) == 2
    assert (await life(api, journey_id))["endsAt"] is None
    refused = await api.change("setJourneyEnd", id=journey_id, endsAt=time(NOON))
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "endsAt"])


async def test_the_second_of_two_who_publish_and_stop_is_told(small_api: Api) -> None:
    api = small_api
    journey_id = await start(api)
    await api.change("saveDraft", id=journey_id, graph=graph(), expectedRevision=1)
    first = await api.change("publishJourney", id=journey_id, expectedVersion=1)
    assert first["__typename"] == "PublishJourneyPayload"
    await api.change("saveDraft", id=journey_id, graph=graph(), expectedRevision=2)
    for name in ("publishJourney", "pauseJourney", "stopJourney"):
        second = await api.change(name, id=journey_id, expectedVersion=1)
        told = (second["__typename"], second["expectedVersion"], second["actualVersion"])
        assert told == ("VersionConflictProblem", 1, 2)
    assert (await life(api, journey_id))["status"] == "RUNNING"


async def test_a_stop_says_how_many_runs_and_messages_it_ends(api: Api) -> None:
    world = api.world
    journey_id = await start(api)
    await world.live(*(world.event("add_to_cart", NOON + MINUTE, user=f"user {n}") for n in range(3)))
    await world.live(world.event("identify", NOON + MINUTE, user="user 0", type="identify", email="a@b.c"))
    await world.settle(NOON + 2 * HOUR)
    await world.live(world.event("add_to_cart", NOON + 3 * HOUR, user="user 9"))
    selection = "... on StopJourneyPayload { endingRuns cancelledMessages }"
    stopped = await api.change("stopJourney", selection, id=journey_id)
    assert (stopped["endingRuns"], stopped["cancelledMessages"]) == (1, 1)
    await world.settle()
    assert await world.counts("ended", "reason") == {"completed": 3, "stopped": 1}


async def test_a_copy_has_the_drawing_and_nothing_of_what_happened(small_api: Api) -> None:
    api = small_api
    journey_id = await start(api)
    changed = graph(reentry="NEVER")
    await api.change("saveDraft", id=journey_id, graph=changed, expectedRevision=1)
    selection = "... on CloneJourneyPayload { journey { title category status revision draft { reentry } } }"
    copy = await api.change("cloneJourney", selection, id=journey_id, title="Cart, again")
    assert copy["journey"] == {
        "title": "Cart, again",
        "category": None,
        "status": "DRAFT",
        "revision": 1,
        "draft": {"reentry": "NEVER"},
    }
    plain = await api.change("cloneJourney", selection, id=journey_id, withDraft=False)
    assert plain["journey"]["title"] == "Cart"
    assert plain["journey"]["draft"] == {"reentry": "AFTER_LEAVING"}


@pytest.mark.parametrize("no_time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
async def test_a_time_in_no_year_of_ours_is_refused(small_api: Api, no_time: str) -> None:
    """It could be kept, and never shown again."""
    journey_id = await start(small_api)
    refused = await small_api.change("setJourneyEnd", id=journey_id, endsAt=no_time)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", "endsAt"])
