"""The guard of the reputation over the API: set, shown, and armed again."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store import guards, outbox
from server.store.guards import Figures, Sending
from server.store.tables import Guard, Message
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, reaching, saying

pytestmark = pytest.mark.anyio

SETTING = "isOn channels windowSeconds bounceRate complaintRate leastSent"
SET = f"... on SetReputationGuardPayload {{ guard {{ {SETTING} }} }}"
HELD = """held { journey { title } connection { name } heldSince because sent bounced complained
    waitingMessages }"""
ARMED = f"... on RearmReputationGuardPayload {{ releasedMessages guard {{ {HELD} }} }}"


async def held_back(api: Api) -> Sending:
    """A journey whose sending through a connection is held back, with one message that waits."""
    world = api.world
    connection_id = await world.add_connection("mail")
    graph = reaching(saying("email", connection="mail"))
    journey_id = await world.add_journey(graph, title="Welcome")
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("sign_up", NOON, user="kim"))
    [message] = await world.rows(Message)
    sending = Sending(journey_id, connection_id)
    async with world.db.write() as session:
        await outbox.park(session, message.shard, [message.id])
        await guards.trip(session, world.project_id, sending, "bounced", Figures(200, 20, 1), NOON + HOUR)
    return sending


async def test_the_usual_holds_until_something_is_set(api: Api) -> None:
    usual = (await api.ask(f"{{ reputationGuard {{ {SETTING} held {{ sent }} }} }}"))["reputationGuard"]
    assert usual == {
        "isOn": True,
        "channels": ["email"],
        "windowSeconds": 86400,
        "bounceRate": 0.05,
        "complaintRate": 0.001,
        "leastSent": 200,
        "held": [],
    }
    changed = await api.change("setReputationGuard", SET, bounceRate=0.02, channels=["EMAIL", "sms"])
    assert changed["guard"] == {k: v for k, v in usual.items() if k != "held"} | {
        "bounceRate": 0.02,
        "channels": ["email", "sms"],
    }
    again = await api.change("setReputationGuard", SET, leastSent=500)
    assert (again["guard"]["bounceRate"], again["guard"]["leastSent"]) == (0.02, 500)


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"bounceRate": 0}, "bounceRate"),
        ({"complaintRate": 1.1}, "complaintRate"),
        ({"windowSeconds": 3599}, "windowSeconds"),
        ({"leastSent": 0}, "leastSent"),
        ({"channels": ["no channel"]}, "channels"),
    ],
)
async def test_what_cannot_be_is_refused(small_api: Api, wrong: dict[str, Any], path: str) -> None:
    answer = await small_api.change("setReputationGuard", **wrong)
    assert (answer["__typename"], answer["path"][1]) == ("InputProblem", path)


async def test_what_is_held_is_shown_and_goes_on_when_it_is_armed_again(api: Api) -> None:
    sending = await held_back(api)
    [held] = (await api.ask(f"{{ reputationGuard {{ {HELD} }} }}"))["reputationGuard"]["held"]
    assert (held["journey"], held["connection"]) == ({"title": "Welcome"}, {"name": "mail"})
    assert (held["because"], held["sent"], held["bounced"]) == ("BOUNCED", 200, 20)
    assert held["waitingMessages"] == 1
    ids = {"journeyId": to_id("Journey", sending.journey_id)}
    ids["connectionId"] = to_id("Connection", sending.connection_id)
    answer = await api.change("rearmReputationGuard", ARMED, **ids)
    assert (answer["releasedMessages"], answer["guard"]["held"]) == (1, [])
    assert api.wakes
    again = await api.change("rearmReputationGuard", **ids)
    assert (again["__typename"], again["path"]) == ("NotFoundProblem", ["input", "connectionId"])


async def test_switched_off_it_holds_nothing_any_more(small_api: Api) -> None:
    await held_back(small_api)
    await small_api.change("setReputationGuard", SET, isOn=False)
    assert [one.tripped_at for one in await small_api.world.rows(Guard)] == [None]


async def test_what_is_held_takes_the_same_statements_however_much_it_is(small_api: Api) -> None:
    world, counts = small_api.world, []
    sending = await held_back(small_api)
    for more in (0, 3):
        async with world.db.write() as session:
            for number in range(more):
                other = Sending(sending.journey_id, sending.connection_id + number + 1)
                await guards.trip(session, world.project_id, other, "bounced", Figures(), NOON)
        with small_api.statements() as seen:
            await small_api.ask(f"{{ reputationGuard {{ {HELD} }} }}")
        counts.append(len(seen))
    assert counts[0] == counts[1]
