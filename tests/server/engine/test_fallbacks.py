"""Messages in the place of others: one, in the transaction that folds the end, whatever comes when."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import orjson
import pytest
from sqlalchemy import insert, update

from channels import ReceiptKind
from server.aggregates import recount
from server.delivery import claims
from server.delivery.receipts import HeardReceipt
from server.store import outbox
from server.store.bulk import table_of
from server.store.tables import Consent, Message, Run, User, Visit
from tests.world import DAY, HOUR, MINUTE, NOON, World, saying, step

from .flows import fan, heard
from .test_receipts import hear
from .test_receipts_law import crash

pytestmark = pytest.mark.anyio

ENTRY = step("joined", "entry_event", event="sign_up")
SMS = {"channel": "sms", "text": "{{ user.name }}, your order"}
PHONE = "+821012345678"
NEXT, NOT_SENT = "next", "not_sent"


def graph(
    kind: str = "alimtalk", *outputs: str, fallback: dict[str, Any] = SMS, **more: Any
) -> dict[str, Any]:
    return fan(ENTRY, saying(kind, "mail", connection="", **more, fallback=fallback), *(outputs or (NEXT,)))


async def come_in(world: World, drawn: dict[str, Any], user: str = "kim", **traits: Any) -> list[Any]:
    for channel in ("kakao", "sms", "push"):
        await world.add_connection(channel, channel=channel)
    await world.add_journey(drawn)
    traits = traits or {"phone": PHONE}
    known = world.event("", NOON - 1, user=user, type="identify", **traits)
    await world.live(known, world.event("sign_up", NOON, user=user))
    return await messages(world)


async def messages(world: World) -> list[Any]:
    return await world.rows(Message, "id")


async def is_sound(world: World) -> None:
    async with world.db.read() as session:
        assert await recount.differences(session) == []


async def test_a_failed_alimtalk_goes_by_text_message_once(world: World) -> None:
    (first,) = await come_in(world, graph())
    await heard(world, first.id, "accepted", NOON + 1)
    assert len(await messages(world)) == 1
    await heard(world, first.id, "failed", NOON + MINUTE, reason="not_on_channel")
    first, second = await messages(world)
    assert (second.channel, second.address, second.status) == ("sms", PHONE, "queued")
    assert (second.fallback_of, first.fallback_id) == (first.id, second.id)
    assert (second.run_id, second.step_key, second.created_at) == (first.run_id, "mail", NOON + MINUTE)
    assert second.expires_at == NOON + DAY
    await heard(world, first.id, "failed", NOON + HOUR, reason="unreachable")
    assert len(await messages(world)) == 2
    (run,) = await world.rows(Run)
    assert run.ended_at is not None  # It has gone on long ago.
    await heard(world, second.id, "accepted", NOON + HOUR)
    await heard(world, second.id, "delivered", NOON + HOUR + 1)
    assert await world.counts("fallback_sent", "channel") == {"sms": 1}
    assert await world.counts("fallback_delivered", "channel") == {"sms": 1}
    # It arrives after all: that is told of it, and of nothing else.
    await heard(world, first.id, "delivered", NOON + 2 * HOUR)
    assert [one.status for one in await messages(world)] == ["delivered", "delivered"]
    await is_sound(world)


@pytest.mark.parametrize(
    ("reason", "purpose", "goes"),
    [
        ("unreachable", "information", True),
        ("template_mismatch", "information", True),
        ("content_rejected", "information", False),
        ("opted_out", "information", False),
        ("invalid_recipient", "information", False),
        ("auth_failed", "information", False),
    ],
)
async def test_the_reason_decides(world: World, reason: str, purpose: str, goes: bool) -> None:
    (first,) = await come_in(world, graph(purpose=purpose))
    await heard(world, first.id, "refused", NOON + 1, reason=reason)
    assert len(await messages(world)) == 1 + goes


async def test_what_may_have_arrived_is_sent_otherwise_only_if_it_must_arrive(world: World) -> None:
    (first,) = await come_in(world, graph())
    await heard(world, first.id, "accepted", NOON + 1)
    await heard(world, first.id, "unknown", NOON + MINUTE, reason="outcome_unknown")
    assert len(await messages(world)) == 1
    # Two days later KakaoTalk says that it failed: by then nobody wants the text message.
    await heard(world, first.id, "failed", NOON + 2 * DAY, reason="unreachable")
    assert len(await messages(world)) == 1


async def test_or_at_once_where_one_too_many_is_better_than_none(world: World) -> None:
    (first,) = await come_in(world, graph(fallback={**SMS, "must_arrive": True}))
    await heard(world, first.id, "accepted", NOON + 1)
    await heard(world, first.id, "unknown", NOON + MINUTE, reason="outcome_unknown")
    _, second = await messages(world)
    assert second.channel == "sms"


ORDERS = list(
    permutations([("accepted", 1, ""), ("unknown", 2, "outcome_unknown"), ("failed", 3, "unreachable")])
)


@pytest.mark.parametrize("order", [ORDERS[0], ORDERS[3], ORDERS[5]])
@pytest.mark.parametrize("late", ["delivered", "failed"])
async def test_any_order_of_the_same_news_ends_the_same(
    world: World, order: Sequence[tuple[str, int, str]], late: str
) -> None:
    (first,) = await come_in(world, graph())
    for kind, after, reason in order:
        await heard(world, first.id, kind, NOON + after, reason=reason)
    await heard(world, first.id, late, NOON + HOUR, reason="" if late == "delivered" else "unreachable")
    first, second = await messages(world)
    assert first.status == late
    # Not claimed yet: what has arrived after all needs nothing in its place.
    assert (second.status, second.reason) == (
        ("skipped", "arrived") if late == "delivered" else ("queued", "")
    )
    await is_sound(world)


async def test_the_step_waits_for_what_goes_in_its_place(world: World) -> None:
    drawn = graph("alimtalk", "delivered", "not_delivered", split_by="delivered")
    (first,) = await come_in(world, drawn)
    await heard(world, first.id, "failed", NOON + MINUTE, reason="not_on_channel")
    first, second = await messages(world)
    assert [one for one in await world.rows(Visit) if one.step_key == "mail"] == []
    await heard(world, second.id, "accepted", NOON + 2 * MINUTE)
    await heard(world, second.id, "delivered", NOON + 3 * MINUTE)
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "mail"]
    assert (visit.output, visit.left_at, visit.message_id) == ("delivered", NOON + 3 * MINUTE, first.id)
    await is_sound(world)


async def test_neither_sent_is_not_sent(world: World) -> None:
    (first,) = await come_in(world, graph("alimtalk", NEXT, NOT_SENT, if_not_sent="branch"))
    await heard(world, first.id, "refused", NOON + MINUTE, reason="not_on_channel")
    _, second = await messages(world)
    await heard(world, second.id, "refused", NOON + 2 * MINUTE, reason="unreachable")
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "mail"]
    assert (visit.output, orjson.loads(visit.saw)) == (NOT_SENT, {"failed": 2})
    assert len(await messages(world)) == 2


async def test_whoever_has_no_device_gets_the_text_message_at_once(world: World) -> None:
    first, second = await come_in(world, graph("push", NEXT, NOT_SENT, if_not_sent="branch"))
    assert (first.status, first.reason, first.fallback_id) == ("skipped", "no_address", second.id)
    assert (second.channel, second.status, second.fallback_of) == ("sms", "queued", first.id)
    assert [one for one in await world.rows(Visit) if one.step_key == "mail"] == []
    await heard(world, second.id, "accepted", NOON + 1)
    (visit,) = [one for one in await world.rows(Visit) if one.step_key == "mail"]
    assert visit.output == NEXT
    await is_sound(world)


async def test_of_two_devices_both_have_to_be_lost(world: World) -> None:
    tokens = ["fcm:one", "fcm:two"]
    one, two = await come_in(world, graph("push"), phone=PHONE, push_tokens=tokens)
    await heard(world, one.id, "refused", NOON + 1, reason="invalid_recipient")
    assert len(await messages(world)) == 2
    await heard(world, two.id, "refused", NOON + 2, reason="unreachable")
    *_, sms = found = await messages(world)
    assert [x.fallback_id for x in found] == [sms.id, sms.id, None]
    await is_sound(world)


async def test_whoever_has_no_number_gets_neither_and_both_say_so(world: World) -> None:
    found = await come_in(world, graph(), email="kim@shop.example")
    assert [(one.channel, one.reason) for one in found] == [("kakao", "no_address"), ("sms", "no_address")]
    await is_sound(world)


async def test_a_crash_while_it_is_born_leaves_one_and_not_two(sqlite_world: World) -> None:
    world = sqlite_world
    (first,) = await come_in(world, graph())
    told = HeardReceipt(first.id, "final", ReceiptKind.FAILED, NOON + MINUTE, reason="not_on_channel")
    await crash(world, first, told)
    assert len(await messages(world)) == 1
    await hear(world, first, told, told)
    assert [one.channel for one in await messages(world)] == ["kakao", "sms"]
    await is_sound(world)


async def test_erased_people_get_nothing_in_the_place_of_anything(sqlite_world: World) -> None:
    world = sqlite_world
    (first,) = await come_in(world, graph())
    async with world.db.write() as session:
        users = table_of(User)
        await session.run(update(users).values(erased_at=NOON))
    await heard(world, first.id, "failed", NOON + MINUTE, reason="not_on_channel")
    assert len(await messages(world)) == 1


async def test_what_its_template_demands_is_decided_under_kakao_whatever_carries_it(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    (first,) = await come_in(world, graph())
    whose = {"shard": first.shard, "project_id": first.project_id, "user_number": first.user_number}
    said = {"granted": True, "decided_at": NOON - 5, "source": "", "evidence": "", "basis": "consent"}
    async with world.db.write() as session:
        await session.run(update(table_of(Message)).values(demands="benefit_notice"))
        consent = {**whose, "channel": "kakao", "purpose": "benefit_notice", **said}
        await session.run(insert(table_of(Consent)).values(**consent))
    await heard(world, first.id, "failed", NOON + MINUTE, reason="not_on_channel")
    _, second = await messages(world)
    async with world.db.read() as session:
        (row,) = await outbox.with_their_world(session, first.shard, [second.id])
    assert (second.channel, claims.why_not(row, NOON + MINUTE)) == ("sms", "")


async def test_of_a_push_to_two_devices_the_voucher_of_either_goes_on(sqlite_world: World) -> None:
    world = sqlite_world
    tokens = ["fcm:one", "fcm:two"]
    one, two = await come_in(world, graph("push"), phone=PHONE, push_tokens=tokens)
    async with world.db.write() as session:
        table = table_of(Message)
        await session.run(update(table).where(table.c.id == one.id).values(voucher="CODE1"))
    await heard(world, one.id, "refused", NOON + 1, reason="unreachable")
    await heard(world, two.id, "skipped", NOON + 2, reason="template_error")
    assert [found.voucher for found in await messages(world)] == ["CODE1", "", "CODE1"]


async def test_of_a_push_to_two_suppressed_devices_one_goes_in_their_place(sqlite_world: World) -> None:
    world = sqlite_world
    tokens = ["fcm:one", "fcm:two"]
    one, two = await come_in(world, graph("push"), phone=PHONE, push_tokens=tokens)
    await heard(world, one.id, "skipped", NOON + 1, reason="suppressed", code="unreachable")
    await heard(world, two.id, "skipped", NOON + 2, reason="suppressed", code="unreachable")
    assert [found.channel for found in await messages(world)] == ["push", "push", "sms"]
    await is_sound(world)


async def test_a_consent_that_is_demanded_since_its_birth_lets_nothing_go_either(sqlite_world: World) -> None:
    world = sqlite_world
    (first,) = await come_in(world, graph(fallback={**SMS, "must_arrive": True}))
    why = {"reason": "no_consent", "code": "benefit_notice"}
    await heard(world, first.id, "skipped", NOON + MINUTE, **why)
    assert len(await messages(world)) == 1
