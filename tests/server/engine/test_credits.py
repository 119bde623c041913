"""Conversions and the messages that they are credited to, in whatever order both become known."""

from typing import Any

import pytest

from server.aggregates import recount
from server.store.ids import shard_of
from server.store.tables import Conversion, Message
from tests.world import DAY, HOUR, MINUTE, NOON, World, line, saying, statements, step

from .flows import heard

pytestmark = pytest.mark.anyio

GOAL = {"key": "bought", "event": "purchase", "amount_property": "total", "window_ms": 7 * DAY}
TWO_MAILS: dict[str, Any] = line(
    step("in", "entry_event", event="sign_up"),
    saying("email", "first"),
    step("hour", "delay", duration_ms=HOUR),
    saying("email", "second"),
    step("out", "exit"),
    goals=[GOAL],
)


async def two_mails(world: World) -> list[int]:
    """Kim gets two mails, an hour apart; both are taken over."""
    await world.add_connection()
    await world.add_journey(TWO_MAILS)
    await world.live(
        world.event("", NOON - 1, user="kim", type="identify", email="kim@b.c"),
        world.event("sign_up", NOON, user="kim"),
        until=NOON + HOUR,
    )
    ids = [row.id for row in await world.rows(Message, "created_at", "id")]
    for number, message in enumerate(ids):
        await heard(world, message, "accepted", NOON + number * HOUR + 1)
    return ids


async def credits(world: World) -> dict[tuple[str, str], int]:
    """Hits by the step that they are credited to and how; and by the steps that assisted."""
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    found = await world.counts("credited", "step_key", "reason")
    assisted = await world.counts("assisted", "step_key")
    return {**found, **{(key, "assisted"): n for key, n in assisted.items()}}


async def test_without_an_open_the_last_sent_has_the_credit(world: World) -> None:
    await two_mails(world)
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim", total=5))
    assert await credits(world) == {("second", "sent"): 1, ("first", "assisted"): 1}


async def test_an_open_that_is_heard_of_later_takes_the_credit_over(world: World) -> None:
    first, _ = await two_mails(world)
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim", total=5))
    await heard(world, first, "opened", NOON + HOUR + MINUTE, actor="human")
    assert await credits(world) == {("first", "opened"): 1, ("second", "assisted"): 1}


async def test_an_open_by_a_machine_or_after_the_purchase_takes_nothing(world: World) -> None:
    first, second = await two_mails(world)
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim", total=5))
    await heard(world, first, "opened", NOON + HOUR + MINUTE, actor="machine")
    await heard(world, second, "opened", NOON + 3 * HOUR, actor="human")
    assert await credits(world) == {("second", "sent"): 1, ("first", "assisted"): 1}


async def test_before_anything_was_sent_a_purchase_is_credited_to_none(world: World) -> None:
    await world.add_connection()
    await world.add_journey(TWO_MAILS)
    await world.live(
        world.event("sign_up", NOON, user="kim"), world.event("purchase", NOON + MINUTE, user="kim")
    )
    assert await credits(world) == {("", ""): 1}


async def test_the_credit_follows_a_user_who_turns_out_to_be_another(world: World) -> None:
    await world.add_connection("fcm", channel="push", takes="fcm:")
    graph = line(
        step("in", "entry_event", event="sign_up"), saying("push"), step("out", "exit"), goals=[GOAL]
    )
    await world.add_journey(graph)
    device = {"device": {"type": "android", "token": "abc"}}
    await world.live(world.event("view", NOON - 5, user="kim"))
    await world.live(world.event("sign_up", NOON, anonymous="phone", context=device))
    (message,) = [row.id for row in await world.rows(Message)]
    await heard(world, message, "accepted", NOON + 1)
    await world.live(world.event("purchase", NOON + MINUTE, anonymous="phone", total=1))
    await world.live(world.event("view", NOON + 2 * MINUTE, user="kim", anonymous="phone"))
    await world.live(world.event("purchase", NOON + HOUR, user="kim", total=2))
    assert await credits(world) == {("push", "sent"): 2}
    await heard(world, message, "opened", NOON + MINUTE - 1, actor="human")
    assert await credits(world) == {("push", "opened"): 2}
    assert len(await world.rows(Conversion)) == 2


async def test_what_is_heard_while_a_run_is_on_its_way_to_another_user_of_the_shard_holds(
    world: World,
) -> None:
    await world.add_connection("fcm", channel="push", takes="fcm:")
    entry = step("in", "entry_event", event="sign_up")
    await world.add_journey(line(entry, saying("push"), step("out", "exit"), goals=[GOAL]))
    home = shard_of(world.project_id, "kim", world.shards)
    phones = (f"phone-{n}" for n in range(1000))
    phone = next(one for one in phones if shard_of(world.project_id, one, world.shards) == home)
    device = {"device": {"type": "android", "token": "abc"}}
    await world.live(world.event("view", NOON - 5, user="kim"))
    await world.live(world.event("sign_up", NOON, anonymous=phone, context=device))
    (message,) = [row.id for row in await world.rows(Message)]
    await heard(world, message, "accepted", NOON + 1)
    await world.live(world.event("purchase", NOON + HOUR, anonymous=phone, total=1))
    await world.send(world.event("view", NOON + HOUR + 1, user="kim", anonymous=phone))
    await heard(world, message, "opened", NOON + 2, actor="human")
    assert await credits(world) == {("push", "opened"): 1}


async def test_the_messages_of_a_run_are_read_only_where_there_is_a_conversion_to_credit(
    world: World,
) -> None:
    first, _ = await two_mails(world)
    with statements(world.db) as seen:
        await heard(world, first, "opened", NOON + HOUR + MINUTE, actor="human")
    assert not [one for one in seen if "FROM message" in one and "message.run_id IN" in one]
    await world.live(world.event("purchase", NOON + 2 * HOUR, user="kim", total=5))
    assert await credits(world) == {("first", "opened"): 1, ("second", "assisted"): 1}
