"""How long facts are kept, and what is answered where they are kept no longer."""

from typing import Any

import pytest

from server.errors import BadInput
from server.exports.kinds import KINDS
from server.exports.sheets import Asked, Language
from server.schema.ids import to_id
from server.store.tables import FormerMessage, FormerRun, Message, Project
from tests.server.engine.pruned import prune
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, NOON, abandoned_cart

pytestmark = pytest.mark.anyio

NOW = "{ retention { days keptSince } }"
PATHS = """query($id: ID!, $i: IdentityInput!) { journey(id: $id) { userPaths(identity: $i) {
  __typename
  ... on UserPaths { formerRuns runs { mark } }
  ... on PathsNotKept { user { userId } formerRuns keptSince message }
} } }"""


async def paths(api: Api, journey_id: int, user_id: str) -> dict[str, Any]:
    answer = await api.ask(PATHS, id=to_id("Journey", journey_id), i={"userId": user_id})
    return dict(answer["journey"]["userPaths"])


async def test_everything_is_kept_until_somebody_says_otherwise(small_api: Api) -> None:
    api = small_api
    assert (await api.ask(NOW))["retention"] == {"days": None, "keptSince": None}
    wanted = "... on SetRetentionPayload { retention { days keptSince } }"
    done = await api.change("setRetention", wanted, days=60, idempotencyKey="once")
    assert done["retention"] == {"days": 60, "keptSince": None}
    assert (await api.world.rows(Project))[0].retention_days == 60
    assert (await api.change("setRetention", wanted, days=90, idempotencyKey="once"))["code"] == (
        "IDEMPOTENCY_CONFLICT"
    )
    for days in (0, 30, 40_000):
        problem = await api.change("setRetention", wanted, days=days)
        assert (problem["code"], problem["path"]) == ("INVALID", ["input", "days"])
    assert (await api.change("setRetention", wanted))["retention"]["days"] is None


async def test_unknown_never_entered_and_no_longer_kept_are_three_answers(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    for name in ("kim", "lee", "park"):
        await world.live(world.event("", NOON, user=name, type="identify"))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR)
    await world.live(world.event("add_to_cart", NOON + 2 * HOUR, user="lee"), until=NOON + 10 * DAY)
    await prune(world)
    await world.live(world.event("add_to_cart", NOON + 10 * DAY, user="lee"))
    assert (await paths(api, journey_id, "nobody"))["__typename"] == "UnknownIdentity"
    assert (await paths(api, journey_id, "park"))["__typename"] == "NeverEntered"
    gone = await paths(api, journey_id, "kim")
    assert (gone["__typename"], gone["user"], gone["formerRuns"]) == ("PathsNotKept", {"userId": "kim"}, 1)
    assert gone["keptSince"] == "2024-03-22T11:00:00+00:00"
    both = await paths(api, journey_id, "lee")
    assert (both["formerRuns"], both["runs"]) == (1, [{"mark": "IN_PROGRESS"}])


async def test_of_several_with_an_address_it_is_who_came_in_even_if_only_figures_are_kept(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    home = {"type": "identify", "email": "home@example.com"}
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + DAY)
    await world.live(world.event("", NOON + DAY, user="kim", **home))
    await world.live(world.event("", NOON + DAY + HOUR, user="park", **home), until=NOON + 10 * DAY)
    await prune(world)
    answer = await api.ask(PATHS, id=to_id("Journey", journey_id), i={"email": "home@example.com"})
    gone = answer["journey"]["userPaths"]
    assert (gone["__typename"], gone["user"], gone["formerRuns"]) == ("PathsNotKept", {"userId": "kim"}, 1)


async def test_whoever_came_in_so_long_ago_is_told_to_have_come_in(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = to_id("Journey", await world.add_journey(abandoned_cart()))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 10 * DAY)
    text = """query($id: ID!, $i: IdentityInput!) { explainEntry(journey: $id, identity: $i) {
        ... on EntryExplanation { verdict facts { code at text } }
    } }"""
    before = (await api.ask(text, id=journey_id, i={"userId": "kim"}))["explainEntry"]
    await prune(world)
    after = (await api.ask(text, id=journey_id, i={"userId": "kim"}))["explainEntry"]
    assert before["verdict"] == after["verdict"] == "ENTERED"
    was, now = ([one for one in told["facts"] if one["code"] == "ENTERED"] for told in (before, after))
    assert [one["at"] for one in was] == [one["at"] for one in now] == ["2024-03-13T11:00:00+00:00"]
    assert now[0]["text"].endswith("only figures are kept of it.")


async def test_an_export_of_what_is_gone_is_refused_and_of_what_is_kept_is_not(api: Api) -> None:
    world = api.world
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 10 * DAY)
    await prune(world)
    about = {"journeyId": to_id("Journey", journey_id)}
    refused = await api.change("startExport", what={"runs": about})
    assert "2024-03-22T11:00:00+00:00" in refused["message"]
    young = {**about, "filter": {"enteredFrom": "2024-03-22T11:00:00Z"}}
    assert (await api.change("startExport", what={"runs": young}))["__typename"] == "StartExportPayload"
    other = {"journeyId": to_id("Journey", await world.add_journey(abandoned_cart(), title="Other"))}
    assert (await api.change("startExport", what={"runs": other}))["__typename"] == "StartExportPayload"


@pytest.mark.parametrize(
    ("kind", "more"),
    [("runs", {}), ("step_users", {"step_key": "hour"}), ("message_users", {"step_key": "mail"})],
)
async def test_an_export_is_not_shorter_than_asked_for_though_facts_go_while_it_is_written(
    small_api: Api, kind: str, more: dict[str, str]
) -> None:
    world = small_api.world
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 10 * DAY)
    about = (world.db, world.project_id, world.shards, "Asia/Seoul", Language.EN, world.clock.now())
    export = KINDS[kind]
    sheet = await export.open(Asked(*about), export.arguments(journey_id=journey_id, **more))
    await prune(world)
    with pytest.raises(BadInput, match="kept since"):
        [page async for page in sheet.pages]


async def test_providers_codes_are_told_of_days_of_which_receipts_are_kept_and_figures_of_all(
    api: Api,
) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 10 * DAY)
    text = """query($id: ID!, $period: PeriodInput!) { journey(id: $id) { stats(period: $period) {
      communications { issues { count codes { code } } } } } }"""
    old = {"from": "2024-03-13", "until": "2024-03-15"}
    asked = {"id": to_id("Journey", journey_id), "period": old}

    async def found() -> Any:
        [channel] = (await api.ask(text, **asked))["journey"]["stats"]["communications"]
        return channel["issues"]

    [before] = await found()
    assert before == {"count": 1, "codes": [{"code": None}]}
    await prune(world)
    assert await found() == [{"count": 1, "codes": None}]
    listed = """query($filter: DeliveryIssueFilter!) {
      deliveryIssues(filter: $filter) { edges { node { code } } } }"""
    error = await api.error(listed, filter={"period": old})
    assert "2024-03-22T11:00:00+00:00" in error["message"]


async def test_whoever_is_erased_leaves_no_address_behind_in_what_was_kept(api: Api) -> None:
    world = api.world
    await world.add_connection()
    rules = {"reentry_rules": {"one_per": "sku", "after_ms": DAY}}
    journey_id = await world.add_journey(abandoned_cart(**rules))
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim", sku="red shoes"), until=NOON + 2 * HOUR)
    await hear(world, (await world.rows(Message))[0].id, ("accepted", NOON + 2 * HOUR, {}))
    await world.settle(NOON + 10 * DAY)
    await prune(world)
    [run], [message] = await world.rows(FormerRun), await world.rows(FormerMessage)
    assert (run.entry_value, message.address) == ("red shoes", "kim@example.com")
    done = await api.change("eraseUser", identity={"userId": "kim"})
    assert done["__typename"] == "EraseUserPayload", done
    await world.settle()
    [run], [message] = await world.rows(FormerRun), await world.rows(FormerMessage)
    assert (run.journey_id, run.entry_value, message.address) == (journey_id, "", "")
