"""Delivery issues of a project: down to the provider's code, and in accord with the counters."""

import random
from collections import Counter
from typing import Any

import pytest

from channels.contract import Receipt, ReceiptKind
from channels.reasons import Reason
from server.delivery.hearing import place, unmapped
from server.delivery.receipts import HeardReceipt, encode
from server.schema.ids import to_id
from server.store import inbox, unclaimed
from server.store.receipts import key_of
from server.store.tables import Message
from tests.server.schema.api import Api, hear
from tests.world import DAY, HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio

ROWS = """query($filter: DeliveryIssueFilter, $first: Int, $after: String) {
    deliveryIssues(filter: $filter, first: $first, after: $after) {
        edges { cursor node { channel family reason code sample firstAt lastAt connection { name }
            share { count of base rate } } }
        pageInfo { hasNextPage endCursor } } }"""
PERIOD = {"from": "2024-03-13", "until": "2024-03-15"}
GRAPH = line(
    step("entry", "entry_event", event="sign_up"),
    step("mail", "email", connection="mail", subject="Hi", html="<p>Hi</p>"),
    step("done", "exit"),
)


async def sent(world: World, *names: str) -> list[int]:
    """A message to each of these; whose name is `nobody` has no address."""
    await world.add_connection()
    await world.add_journey(GRAPH)
    for name in names:
        if name != "nobody":
            await world.send(world.event("", NOON, user=name, type="identify", email=f"{name}@example.com"))
        await world.send(world.event("sign_up", NOON, user=name))
    await world.settle(NOON + HOUR)
    return [row.id for row in await world.rows(Message, "user_number", "shard", "id") if not row.reason]


def bad(kind: str, at: int, reason: Reason, code: str = "", **more: Any) -> tuple[str, int, dict[str, Any]]:
    return kind, at, {"reason": reason.value, "code": code, **more}


async def rows(api: Api, **filter: Any) -> list[dict[str, Any]]:
    found = await api.ask(ROWS, filter={"period": PERIOD, **filter}, first=100)
    return [edge["node"] for edge in found["deliveryIssues"]["edges"]]


async def test_issues_are_told_by_connection_reason_and_the_providers_own_code(api: Api) -> None:
    world = api.world
    one, two, three = await sent(world, "kim", "lee", "park", "nobody")
    gone = {"code": "5.1.1", "detail": "no such user", "connection_id": 1}
    await hear(world, one, ("bounced", NOON + HOUR, {"reason": "invalid_recipient", **gone}))
    await hear(world, two, ("bounced", NOON + 2 * HOUR, {"reason": "invalid_recipient", **gone}))
    await hear(world, three, bad("refused", NOON + HOUR, Reason.RATE_LIMITED, "429", raw='{"slow": "down"}'))
    bounced, *others = await rows(api)
    assert bounced["share"] == {"count": 2, "of": 4, "base": "QUEUED", "rate": 0.5}
    about = ("channel", "family", "reason", "code", "sample")
    assert [bounced[name] for name in about] == [
        *("EMAIL", "BOUNCED", "INVALID_RECIPIENT", "5.1.1", "no such user"),
    ]
    assert bounced["connection"] == {"name": "mail"}
    assert (bounced["firstAt"], bounced["lastAt"]) == (
        "2024-03-13T12:00:00+00:00",
        "2024-03-13T13:00:00+00:00",
    )
    told = {(one["family"], one["reason"], one["code"], one["sample"]) for one in others}
    assert told == {
        ("FAILED", "RATE_LIMITED", "429", '{"slow": "down"}'),
        ("SKIPPED", "NO_ADDRESS", None, None),
    }


async def test_a_filter_and_pages_tell_parts_of_the_same_list(api: Api) -> None:
    one, two, three = await sent(api.world, "kim", "lee", "park")
    for message_id, code in ((one, "a"), (two, "b"), (three, "b")):
        await hear(api.world, message_id, bad("failed", NOON + HOUR, Reason.CONTENT_REJECTED, code))
    assert [(one["code"], one["share"]["count"]) for one in await rows(api)] == [("b", 2), ("a", 1)]
    connection, other = to_id("Connection", 1), to_id("Connection", 77)
    assert len(await rows(api, code="a", family="FAILED", channel="EMAIL", connectionId=connection)) == 1
    for nothing in (
        {"family": "BOUNCED"},
        {"channel": "SMS"},
        {"connectionId": other},
        {"reason": "EXPIRED"},
    ):
        assert await rows(api, **nothing) == []
    assert await rows(api, journeyId=to_id("Journey", 77)) == []
    listed, after = [], None
    while True:
        page = await api.ask(ROWS, filter={"period": PERIOD}, first=1, after=after)
        listed += [edge["node"]["code"] for edge in page["deliveryIssues"]["edges"]]
        after = page["deliveryIssues"]["pageInfo"]["endCursor"]
        if not page["deliveryIssues"]["pageInfo"]["hasNextPage"]:
            break
    assert listed == ["b", "a"]


@pytest.mark.parametrize(
    "period",
    [{"preset": "ALL"}, {"from": "2024-01-01", "until": "2024-03-01"}, {"from": "2024-03-01"}],
)
async def test_a_period_that_is_too_long_is_refused_with_what_to_do(
    small_api: Api, period: dict[str, str]
) -> None:
    error = await small_api.error(ROWS, filter={"period": period})
    assert (error["extensions"]["code"], "31" in error["message"]) == ("BAD_USER_INPUT", True)


STATS = """query($journey: ID!, $period: PeriodInput) { journey(id: $journey) { stats(period: $period) {
    communications { issues { family reason share { count } } } } } }"""
_ENDS = ("bounced", "failed", "refused", "expired", "unknown", "delivered", "accepted", "deferred")
_WHY = (Reason.UNREACHABLE, Reason.INVALID_RECIPIENT, Reason.UNKNOWN)


def heard(draw: random.Random, world: World, message_id: int) -> list[inbox.Entry]:
    """Up to four things about a message, good and bad, in any order of time."""
    found = []
    for turn in range(draw.randint(0, 4)):
        kind, at = draw.choice(_ENDS), NOON + draw.randint(0, 60) * HOUR
        reason = "" if kind in ("delivered", "accepted") else draw.choice(_WHY).value
        told = HeardReceipt(message_id, str(turn), ReceiptKind(kind), at, reason, draw.choice(("", "1", "2")))
        shard, _ = key_of(message_id)
        found.append(inbox.Entry(shard, world.project_id, inbox.RECEIPT, encode(told), at))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_the_issues_add_up_to_the_counters_of_the_same_days(api: Api, seed: int) -> None:
    world, draw = api.world, random.Random(seed)
    mine = await sent(world, *(f"user{number}" for number in range(40)), "nobody")
    entries = [entry for message_id in mine for entry in heard(draw, world, message_id)]
    draw.shuffle(entries)
    async with world.db.write() as session:
        await inbox.append(session, entries)
    await world.settle()
    ids = {row.journey_id for row in await world.rows(Message)}
    journey = to_id("Journey", ids.pop())
    for period in (PERIOD, {"from": "2024-03-14", "until": "2024-03-15"}):
        stats = (await api.ask(STATS, journey=journey, period=period))["journey"]["stats"]
        counted = {
            (one["family"], one["reason"]): one["share"]["count"]
            for channel in stats["communications"]
            for one in channel["issues"]
        }
        summed: Counter[tuple[str, str]] = Counter()
        for one in await rows(api, period=period, journeyId=journey):
            summed[one["family"], one["reason"]] += one["share"]["count"]
        assert len(counted) >= 4
        assert dict(summed) == counted


async def test_what_no_map_explains_is_listed_whether_its_message_is_known_or_not(api: Api) -> None:
    world = api.world
    (message_id,) = await sent(world, "kim")
    await hear(world, message_id, bad("bounced", NOON + HOUR, Reason.UNKNOWN, "9.9.9", detail="odd"))
    strange = Receipt("s", ReceiptKind.FAILED, NOON, reason=Reason.UNKNOWN, code="E77", provider_id="x")
    lost = [unmapped("<teleported/>", "", NOON), strange, Receipt("d", ReceiptKind.DELIVERED, NOON)]
    async with world.db.read() as session:
        placed = await place(session, world.shards, (1, world.project_id), lost, NOON + DAY)
    async with world.db.write() as session:
        await unclaimed.keep(session, placed.unclaimed)
    text = """query($period: PeriodInput) {
        unmappedCodes(period: $period) { kind code sample count lastAt connection { name } } }"""
    found = (await api.ask(text, period=PERIOD))["unmappedCodes"]
    assert {(one["kind"], one["code"], one["sample"], one["count"]) for one in found} == {
        ("BOUNCED", "9.9.9", "odd", 1),
        ("UNMAPPED", None, "<teleported/>", 1),
        ("FAILED", "E77", None, 1),
    }


async def test_a_message_tells_its_connection_and_the_providers_own_words(api: Api) -> None:
    (message_id,) = await sent(api.world, "kim")
    told = {"reason": "unknown", "raw": '{"odd": 1}', "connection_id": 1}
    await hear(api.world, message_id, ("bounced", NOON + HOUR, told))
    (row,) = await api.world.rows(Message)
    text = """query($id: ID!) { message(id: $id) { address attempts status purpose expiresAt providerId
        connection { name } receipts { kind raw connection { name } } } }"""
    found = (await api.ask(text, id=to_id("Message", row.shard, row.id)))["message"]
    (bounced,) = [one for one in found.pop("receipts") if one["kind"] == "BOUNCED"]
    assert bounced == {"kind": "BOUNCED", "raw": '{"odd": 1}', "connection": {"name": "mail"}}
    assert found == {
        "address": "kim@example.com",
        "attempts": 0,
        "status": "BOUNCED",
        "purpose": "INFORMATION",
        "expiresAt": None,
        "providerId": None,
        "connection": {"name": "mail"},
    }
