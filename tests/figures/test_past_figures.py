"""What is over stays as it was, whatever is edited, merged or erased; only late facts change it."""

from datetime import date
from typing import Any

import orjson
import pytest

from server.aggregates import recount
from server.clock import to_datetime
from server.schema.ids import to_id
from server.schema.to_data import to_variables
from server.store.tables import Message
from tests.server.engine.flows import heard
from tests.server.schema.api import Api, open_api
from tests.world import DAY, HOUR, MINUTE, NOON, World, reaching, saying, step

from .comparing import Question, screens, wrong
from .screens import flat

pytestmark = pytest.mark.anyio
ZONE = "Asia/Seoul"
JOURNEY = to_id("Journey", 1)
GOALS = [{"key": "bought", "event": "purchase", "window_ms": 7 * DAY, "amount_property": "total"}]
LETTER = reaching(
    saying("email", "letter", connection="mail"), step("hour", "delay", duration_ms=HOUR), goals=GOALS
)
IS_OVER = Question(until=date(2024, 3, 15))
NOW = ("insideNow", "waitingNow", "insideByStep", "ofPrevious")
"""Figures about the present, whatever the period; and which steps lead to a step, which edits draw."""


async def publish(api: Api, graph: dict[str, Any], **inside: str) -> None:
    asked = await api.ask("query($id: ID!) { journey(id: $id) { revision } }", id=JOURNEY)
    about = {"id": JOURNEY, "expectedRevision": asked["journey"]["revision"]}
    for done in (
        await api.change("saveDraft", **about, graph=to_variables(graph)),
        await api.change("publishJourney", id=JOURNEY, peopleInside={"fate": "MOVE", **inside}),
    ):
        assert done["__typename"].endswith("Payload"), done
    await api.world.settle()


async def come_in(world: World, *names: str, at: int = NOON) -> None:
    for name in names:
        who = {"anonymous": name} if name == "phone" else {"user": name}
        about = world.event(
            "", at, type="identify", **who, email=f"{name}@shop.example", phone="+821012345678"
        )
        await world.live(about, world.event("sign_up", at + 1, **who))


async def live_two_days(world: World) -> None:
    await world.add_connection()
    await world.add_connection("text", "fake", channel="sms")
    await world.add_journey(LETTER)
    await come_in(world, "kim", "lee", "phone")
    for message in await world.rows(Message, "id"):
        await heard(world, message.id, "accepted", NOON + MINUTE)
        await heard(world, message.id, "opened", NOON + 10 * MINUTE, actor="human")
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="lee", total=12.5))
    await come_in(world, "kim", at=NOON + DAY)
    await world.settle(NOON + 2 * DAY)


async def figures(api: Api) -> dict[str, Any]:
    found = flat(await screens(api, IS_OVER))
    return {path: value for path, value in found if not any(word in path for word in NOW)}


async def stays(api: Api, before: dict[str, Any]) -> None:
    """What was shown is shown still. New steps may have come, of which there is nothing to tell."""
    after = await figures(api)
    assert {path: after.get(path, "gone") for path in before if not _of_channels(path)} == {
        path: value for path, value in before.items() if not _of_channels(path)
    }
    for path in filter(_of_channels, before):
        assert after[path] in (before[path], None)
    assert await wrong(api, ZONE, IS_OVER, Question()) == []


def _of_channels(path: str) -> bool:
    """Sets know steps, not channels: of a step that has had two, they tell nothing of one."""
    return path.startswith("communications") and path.endswith(".users")


async def test_edits_merges_and_erasures_change_no_past_figure(world: World) -> None:
    await live_two_days(world)
    async with open_api(world) as api:
        before = await figures(api)
        assert before["communications[EMAIL].metrics[OPENED].users"] == 3
        # Another channel, no delay, another goal: nothing is left as it was but the keys.
        texts = reaching(saying("sms", "letter", connection="text"), goals=[{**GOALS[0], "key": "paid"}])
        await publish(api, texts, unmapped="END")
        await stays(api, before)
        del texts["steps"][1]
        texts["edges"] = [{"from": "entry", "output": "next", "to": "done"}]
        await publish(api, texts)
        await stays(api, before)
        # The phone turns out to be Kim's; Lee is forgotten.
        await world.live(world.event("view", world.clock.now(), user="kim", anonymous="phone"))
        await api.change("eraseUser", identity={"userId": "lee"})
        await world.settle()
        await stays(api, before)
        for action in ("stopJourney", "archiveJourney"):
            await api.change(action, id=JOURNEY)
            await world.settle()
        async with world.db.write() as session:
            await recount.rebuild(session)
        await stays(api, before)


async def test_a_late_fact_changes_a_past_figure_and_the_watermark_told_of_it(world: World) -> None:
    await live_two_days(world)
    async with open_api(world) as api:
        before = await figures(api)
        now = world.clock.now()
        late = world.event("purchase", NOON + 3 * HOUR, user="kim", total=7)
        await world.send(late._replace(received_at=now - MINUTE))
        mark = "query($id: ID!) { journey(id: $id) { stats { watermark } } }"
        told = (await api.ask(mark, id=JOURNEY))["journey"]["stats"]["watermark"]
        assert told == to_datetime(now - MINUTE).isoformat()
        await world.settle()
        told = (await api.ask(mark, id=JOURNEY))["journey"]["stats"]["watermark"]
        assert told == to_datetime(now).isoformat()
        after = await figures(api)
        assert before["performance[bought].hits"] + 1 == after["performance[bought].hits"]
        assert await wrong(api, ZONE, IS_OVER, Question()) == []


async def test_what_a_provider_tells_of_the_beginning_of_time_counts_once(world: World) -> None:
    await live_two_days(world)
    for message in await world.rows(Message, "id"):
        await heard(world, message.id, "clicked", 0, actor="human", url="https://shop.example")
    async with open_api(world) as api:
        for question in (Question(), IS_OVER):
            found = dict(flat(await screens(api, question)))
            assert found["communications[EMAIL].metrics[CLICKED].unique"] == 4
            assert found["communications[EMAIL].metrics[CLICKED].users"] == 3


async def test_on_the_last_day_of_a_year_what_is_told_of_tomorrow_is_tomorrow(world: World) -> None:
    """Phones go ahead of us by up to a day, and are believed."""
    at = NOON + 293 * DAY
    assert to_datetime(at).date() == date(2024, 12, 31)
    world.clock.reach(at)
    await world.add_connection()
    await world.add_journey(LETTER)
    await world.send(world.event("sign_up", at + 20 * HOUR, user="kim"))
    await world.engine.until_idle()
    async with open_api(world) as api:
        tomorrow = Question(first=date(2025, 1, 1), until=date(2025, 1, 2))
        found = await screens(api, tomorrow)
        assert (found["audience"]["entries"], found["audience"]["users"]) == (1, 1)
        assert await wrong(api, ZONE, tomorrow, Question(first=date(2024, 12, 30)), Question()) == []


def test_a_screen_that_differs_is_told() -> None:
    """What all of the above stands on."""
    from .screens import differences

    one = {"audience": {"entries": 1}, "steps": [{"step": {"key": "a"}, "left": 0}]}
    two = orjson.loads(orjson.dumps(one))
    assert differences(one, two) == []
    two["steps"][0]["left"] = 1
    assert differences(one, two) == ["steps[a].left: shown 0, the facts say 1"]
