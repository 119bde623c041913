"""A project declares properties, and people are counted by their values from then on."""

from typing import Any

import pytest

from server.aggregates import deed_sets, recount
from server.aggregates.deed_sets import Of
from server.aggregates.deeds import Deed, Unit, property_value
from tests.server.schema.api import Api
from tests.world import MINUTE, NOON

pytestmark = pytest.mark.anyio
DECLARE = """
mutation ($input: DeclarePropertiesInput!) {
  declareProperties(input: $input) {
    ... on DeclarePropertiesPayload { declaredProperties { event property declaredAt } }
    ... on InputProblem { message path }
  }
}
"""


async def declare(api: Api, *properties: tuple[str, str]) -> Any:
    listed = [{"event": event, "property": name} for event, name in properties]
    return (await api.ask(DECLARE, input={"properties": listed}))["declareProperties"]


async def counted(api: Api, name: str, value: str) -> tuple[int, int]:
    of = Of(Unit.USER, Deed.PROPERTY, property_value("view", name, value))
    async with api.world.db.read() as session:
        found = await deed_sets.read(session, api.world.project_id, api.world.shards, [of], [0])
    sums = sum(int(one.amounts.sum()) for one in found.values() if one.amounts is not None)
    return sum(len(one.users) for one in found.values()), sums


async def test_events_are_counted_by_what_is_declared_from_then_on(api: Api) -> None:
    world = api.world
    await world.live(world.event("view", NOON, user="kim", category="신발"))
    found = await declare(api, ("view", "category"), ("view", "sizes"))
    assert [one["property"] for one in found["declaredProperties"]] == ["category", "sizes"]
    about: dict[str, Any] = {"category": "신발", "sizes": [95, "100", 95, {"no": 1}, None, True]}
    await world.live(world.event("view", NOON + MINUTE, user="kim", **about))
    await world.live(world.event("view", NOON + MINUTE, user="lee", category="", colour="red"))
    assert await counted(api, "category", "신발") == (1, 1)
    for value in ("95", "100", "true"):
        assert await counted(api, "sizes", value) == (1, 1)
    assert await counted(api, "colour", "red") == (0, 0)
    await declare(api)
    await world.live(world.event("view", NOON + 2 * MINUTE, user="kim", category="신발"))
    assert await counted(api, "category", "신발") == (1, 1)
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_what_can_be_no_property_is_refused(api: Api) -> None:
    found = await declare(api, ("view", ""))
    assert found["path"] == ["input", "properties", "0", "property"]
    for wanted in (("view", "a\x1fb"), ("a\x1fb", "size")):
        assert "wanted" in (await declare(api, wanted))["message"]
    assert "At most 50" in (await declare(api, *(("view", str(n)) for n in range(51))))["message"]
