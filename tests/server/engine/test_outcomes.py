"""Message steps that wait to know: split by what happens to the message, or another way if none is sent."""

from typing import Any

import pytest

from channels.contract import ReceiptKind
from server.aggregates import recount
from server.delivery.receipts import HeardReceipt, encode
from server.engine import catalog as catalogs
from server.engine import shard as shards
from server.store import inbox
from server.store.ids import shard_of
from server.store.receipts import key_of
from server.store.tables import Inbox, Message, Run, Visit
from tests.world import DAY, HOUR, MINUTE, NOON, World, saying, step

from .flows import fan, first_message, heard

pytestmark = pytest.mark.anyio

ENTRY = step("joined", "entry_event", event="sign_up")


def asking(*outputs: str, kind: str = "email", **config: Any) -> dict[str, Any]:
    return fan(ENTRY, saying(kind, "mail", **config), *outputs)


async def come_in(world: World, graph: dict[str, Any], user: str = "kim", **traits: Any) -> None:
    await world.add_connection()
    await world.add_journey(graph)
    known = world.event("", NOON - 1, user=user, type="identify", **traits)
    await world.live(known, world.event("sign_up", NOON, user=user))


async def way(world: World) -> tuple[str, str, int] | None:
    """By which output, or with what end, the run left the message step, why, and after how long."""
    found = [one for one in await world.rows(Visit) if one.step_key == "mail"]
    if not found:
        return None
    (visit,) = found
    return visit.output or visit.end_reason, visit.because, visit.left_at - visit.arrived_at


async def is_sound(world: World) -> None:
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_opened_by_a_person_leads_on_at_once_and_by_a_machine_not(world: World) -> None:
    await come_in(world, asking("opened", "not_opened", split_by="opened"), email="kim@shop.example")
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await heard(world, message, "opened", NOON + MINUTE, actor="machine")
    assert await way(world) is None
    await heard(world, message, "opened", NOON + HOUR, actor="human")
    assert await way(world) == ("opened", "", HOUR)
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "mail"]
    assert visit.message_id == message
    assert visit.saw == '{"accepted":1,"opened":1}'
    await is_sound(world)


async def test_not_opened_in_time_leaves_by_the_other_way_and_a_later_open_changes_nothing(
    world: World,
) -> None:
    graph = asking("opened", "not_opened", split_by="opened", split_after_ms=2 * HOUR)
    await come_in(world, graph, email="kim@shop.example")
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await world.settle(NOON + 2 * HOUR)
    assert await way(world) == ("not_opened", "not in time", 2 * HOUR)
    await heard(world, message, "opened", NOON + 3 * HOUR, actor="human")
    assert (await way(world)) == ("not_opened", "not in time", 2 * HOUR)
    await is_sound(world)


async def test_a_bounce_is_known_not_to_be_delivered_without_waiting_any_longer(world: World) -> None:
    graph = asking("delivered", "not_delivered", split_by="delivered")
    await come_in(world, graph, email="kim@shop.example")
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await heard(world, message, "bounced", NOON + MINUTE, reason="invalid_recipient")
    assert await way(world) == ("not_delivered", "bounced", MINUTE)


async def test_whoever_has_no_address_is_dropped_at_once_where_the_step_says_so(world: World) -> None:
    await come_in(world, asking("next", if_not_sent="end"))
    assert await way(world) == ("send_error", "no_address", 0)
    (run,) = await world.rows(Run)
    assert run.end_reason == "send_error"
    assert await world.counts("ended", "reason") == {"send_error": 1}
    await is_sound(world)


async def test_or_goes_another_way(world: World) -> None:
    await come_in(world, asking("next", "not_sent", if_not_sent="branch"))
    assert await way(world) == ("not_sent", "no_address", 0)


async def test_it_waits_for_the_provider_to_take_the_message_over_before_it_goes_on(world: World) -> None:
    graph = asking("next", "not_sent", if_not_sent="branch")
    await come_in(world, graph, email="kim@shop.example")
    message = await first_message(world)
    assert await way(world) is None
    await heard(world, message, "accepted", NOON + MINUTE)
    assert await way(world) == ("next", "", MINUTE)


async def test_what_is_kept_back_for_days_and_leaves_then_was_sent(world: World) -> None:
    graph = asking("next", "not_sent", if_not_sent="branch")
    await come_in(world, graph, email="kim@shop.example")
    message = await first_message(world)
    await world.settle(NOON + 5 * DAY)
    assert await way(world) is None
    await heard(world, message, "accepted", NOON + 5 * DAY)
    assert await way(world) == ("next", "", 5 * DAY)
    await is_sound(world)


async def test_what_is_kept_back_for_days_and_given_up_then_was_not_sent(world: World) -> None:
    await come_in(world, asking("next", if_not_sent="end"), email="kim@shop.example")
    message = await first_message(world)
    await world.settle(NOON + 5 * DAY)
    await heard(world, message, "skipped", NOON + 5 * DAY, reason="no_consent")
    assert await way(world) == ("send_error", "no_consent", 5 * DAY)
    await is_sound(world)


async def test_what_the_provider_refuses_was_not_sent_and_says_why(world: World) -> None:
    graph = asking("next", "not_sent", if_not_sent="branch")
    await come_in(world, graph, email="kim@shop.example")
    await heard(world, await first_message(world), "refused", NOON + MINUTE, reason="content_rejected")
    assert await way(world) == ("not_sent", "content_rejected", MINUTE)


async def test_what_may_have_arrived_counts_as_sent(world: World) -> None:
    graph = asking("next", "not_sent", if_not_sent="branch")
    await come_in(world, graph, email="kim@shop.example")
    await heard(world, await first_message(world), "unknown", NOON + MINUTE, reason="outcome_unknown")
    assert await way(world) == ("next", "", MINUTE)


async def test_of_several_devices_one_that_opens_is_enough_and_all_have_to_fail(world: World) -> None:
    graph = asking("opened", "not_opened", "not_sent", kind="push", split_by="opened", if_not_sent="branch")
    await world.add_connection("fcm", channel="push", takes="fcm:")
    await world.add_journey(graph)
    tokens = ["fcm:one", "fcm:two"]
    for user in ("kim", "lee"):
        await world.live(
            world.event("", NOON - 1, user=user, type="identify", push_tokens=[f"{t}{user}" for t in tokens]),
            world.event("sign_up", NOON, user=user),
        )
    messages = await world.rows(Message, "id")
    assert len(messages) == 4
    kim = [row.id for row in messages if row.address.endswith("kim")]
    lee = [row.id for row in messages if row.address.endswith("lee")]
    await heard(world, kim[0], "refused", NOON + 1, reason="not_on_channel")
    await heard(world, lee[0], "refused", NOON + 1, reason="not_on_channel")
    assert await way(world) is None
    await heard(world, lee[1], "refused", NOON + 2, reason="unreachable")
    await heard(world, kim[1], "accepted", NOON + 2)
    await heard(world, kim[1], "opened", NOON + 3, actor="human")
    visits = [one for one in await world.rows(Visit, "left_at") if one.step_key == "mail"]
    assert [visit.output for visit in visits] == ["not_sent", "opened"]
    await is_sound(world)


async def test_news_during_a_pause_moves_the_run_when_it_is_let_go(world: World) -> None:
    await world.add_connection()
    journey = await world.add_journey(asking("opened", "not_opened", split_by="opened"))
    await world.live(
        world.event("", NOON - 1, user="kim", type="identify", email="kim@shop.example"),
        world.event("sign_up", NOON, user="kim"),
    )
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await world.settle(NOON + HOUR)
    await world.pause(journey)
    await heard(world, message, "opened", NOON + HOUR, actor="human")
    assert await way(world) is None
    await world.settle(NOON + 2 * HOUR)
    await world.resume(journey)
    assert await way(world) == ("opened", "", 2 * HOUR)


async def test_news_finds_the_run_of_a_user_who_has_turned_out_to_be_another(world: World) -> None:
    await world.add_connection("fcm", channel="push", takes="fcm:")
    graph = asking("opened", "not_opened", kind="push", split_by="opened")
    await world.add_journey(graph)
    device = {"device": {"type": "android", "token": "abc"}}
    await world.live(world.event("view", NOON - 5, user="kim"))
    await world.live(world.event("sign_up", NOON, anonymous="phone", context=device))
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await world.live(world.event("view", NOON + 2, user="kim", anonymous="phone"))
    await heard(world, message, "opened", NOON + HOUR, actor="human")
    assert await way(world) == ("opened", "", HOUR)
    (run,) = await world.rows(Run)
    assert run.end_reason == "completed"
    assert await world.rows(Inbox) == []
    await is_sound(world)


@pytest.mark.parametrize("is_alone", [True, False], ids=["one-shard", "two-shards"])
async def test_news_that_comes_while_the_run_is_on_its_way_to_the_other_user_is_not_lost(
    world: World, is_alone: bool
) -> None:
    if not is_alone and world.shards == 1:
        pytest.skip("there is only one shard")
    await world.add_connection("fcm", channel="push", takes="fcm:")
    goal = {"key": "bought", "title": "Bought", "event": "purchase"}
    graph = asking("opened", "not_opened", kind="push", split_by="opened")
    await world.add_journey({**graph, "goals": [goal]})
    home = shard_of(world.project_id, "kim", world.shards)
    phones = (f"phone-{n}" for n in range(1000))
    phone = next(one for one in phones if (shard_of(world.project_id, one, world.shards) == home) == is_alone)
    device = {"device": {"type": "android", "token": "abc"}}
    await world.live(world.event("view", NOON - 5, user="kim"))
    await world.live(world.event("sign_up", NOON, anonymous=phone, context=device))
    message = await first_message(world)
    await heard(world, message, "accepted", NOON + 1)
    await world.live(world.event("purchase", NOON + HOUR, anonymous=phone))
    shard, _ = key_of(message)
    # Behind the event that shows who it is, or behind the link that it sends.
    link = world.event("view", NOON + HOUR + 1, user="kim", anonymous=phone)
    await world.send(link)
    if not is_alone:
        await turn_of(world, home)
    opened = HeardReceipt(message, "opened", ReceiptKind.OPENED, NOON + 2, actor="human")
    async with world.db.write() as session:
        await inbox.append(
            session, [inbox.Entry(shard, world.project_id, inbox.RECEIPT, encode(opened), NOON + HOUR + 2)]
        )
    await world.settle()
    assert await way(world) == ("opened", "", 2)
    assert await world.counts("credited", "reason") == {"opened": 1}
    await is_sound(world)


async def turn_of(world: World, shard: int) -> None:
    """Lets one shard alone take a turn."""
    await world.engine.take_shards()
    async with world.db.read() as session:
        catalog = await catalogs.load(session)
    await world.engine._mine[shard].turn(catalog)


async def test_nothing_is_sent_twice_when_a_batch_is_decided_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "MOST_ROWS", 1)
    await come_in(world, asking("opened", "not_opened", split_by="opened"), email="kim@shop.example")
    await world.settle(NOON + 3 * DAY)
    assert len(await world.rows(Message)) == 1
    assert await way(world) == ("not_opened", "not in time", DAY)
