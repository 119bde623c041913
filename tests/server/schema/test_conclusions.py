"""What the evidence says of a split, and whether it may be stopped."""

from typing import Any

import pytest

from server.schema.ids import to_id
from tests.server.engine.test_experiments import PEOPLE, branches, sign_up, splitting
from tests.server.schema.api import Api
from tests.world import HOUR, NOON

pytestmark = pytest.mark.anyio

ASKED = """query($id: ID!) { journey(id: $id) { stats { steps {
    step { key } conclusions { by goal { key } hasEnoughPeople winner mayStop }
} } } }"""


async def conclusions(api: Api, journey_id: int) -> dict[str, Any]:
    steps = (await api.ask(ASKED, id=to_id("Journey", journey_id)))["journey"]["stats"]["steps"]
    found = {one["step"]["key"]: one["conclusions"] for one in steps}
    assert all(told is None for key, told in found.items() if key != "split")
    return {one.pop("by"): one for one in found["split"]}


async def test_a_split_may_be_stopped_once_the_evidence_chooses_among_enough_people(api: Api) -> None:
    world = api.world
    await world.add_connection()
    decides = {"by": "opened", "least_people": 30}
    journey_id = await world.add_journey(splitting(sends=True, split={"decides": decides}))
    await sign_up(world, *PEOPLE)
    undecided = {"hasEnoughPeople": True, "winner": None, "mayStop": False}
    found = await conclusions(api, journey_id)
    assert found["GOAL"] == {"goal": {"key": "bought"}, **undecided}
    assert found["OPENED"] == found["CLICKED"] == {"goal": None, **undecided}
    drawn = await branches(world)
    for name in PEOPLE:
        if drawn[name] == ["b"]:
            await world.send(world.event("purchase", NOON + HOUR, user=name))
    await world.settle()
    found = await conclusions(api, journey_id)
    decided = {"hasEnoughPeople": True, "winner": "b", "mayStop": True}
    assert found["GOAL"] == {"goal": {"key": "bought"}, **decided}
    assert found["OPENED"] == {"goal": None, **undecided}


async def test_the_first_branch_wins_once_every_other_is_worse(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting())
    await sign_up(world, *PEOPLE)
    drawn = await branches(world)
    for name in PEOPLE:
        if drawn[name] == ["a"]:
            await world.send(world.event("purchase", NOON + HOUR, user=name))
    await world.settle()
    assert (await conclusions(api, journey_id))["GOAL"]["winner"] == "a"


async def test_few_people_are_not_enough_whatever_they_do(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(splitting())
    await sign_up(world, *PEOPLE[:10])
    found = await conclusions(api, journey_id)
    assert not any(one["hasEnoughPeople"] or one["mayStop"] for one in found.values())
