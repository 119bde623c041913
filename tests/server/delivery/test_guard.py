"""A journey's sending pauses itself over bounces and complaints, and goes on when it is told to."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.contract import ReceiptKind
from server.aggregates.recount import differences
from server.delivery.guard import BOUNCED, COMPLAINED, figures_of, rearm, why_held
from server.delivery.receipts import HeardReceipt, encode
from server.store import guards, inbox
from server.store.guards import USUAL, Figures, Sending, Setting
from server.store.setup import touch_catalog
from server.store.tables import Guard, Message, Notice
from tests.server.delivery.office import Office, open_office
from tests.world import DAY, HOUR, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio
SMALL = replace(USUAL, least_sent=4, bounce_rate=0.5, complaint_rate=0.25)


async def set_guard(world: World, setting: Setting = SMALL) -> None:
    async with world.db.write() as session:
        await guards.put_setting(session, world.project_id, setting, NOON)


async def sent(world: World, office: Office, event: str, *names: str, at: int = NOON) -> list[Any]:
    """The messages that this event makes go out to these people."""
    for name in names:
        traits = {"email": f"{name}@example.com"}
        await world.send(
            world.event("", at, user=name, type="identify", **traits), world.event(event, at, user=name)
        )
    await world.settle(at)
    await office.settle()
    return [row for row in await world.rows(Message, "id") if row.created_at == at]


async def hear(world: World, kind: ReceiptKind, messages: list[Any], at: int, **more: Any) -> None:
    entries = [
        inbox.Entry(
            one.shard,
            world.project_id,
            inbox.RECEIPT,
            encode(HeardReceipt(one.id, f"{kind}-{at}", kind, at, **more)),
            at,
        )
        for one in messages
    ]
    async with world.db.write() as session:
        await inbox.append(session, entries)
    await world.settle(at)


async def bounce(world: World, messages: list[Any], at: int, reason: str = "invalid_recipient") -> None:
    await hear(world, ReceiptKind.BOUNCED, messages, at, reason=reason)


async def arm(world: World, office: Office, sending: Sending) -> None:
    async with world.db.write() as session:
        await rearm(session, world.project_id, sending, "Asia/Seoul", world.clock.now())
        await touch_catalog(session)
    await office.settle()


async def opened(world: World) -> Sending:
    """A journey by `buy` that sends one e-mail, and its connection."""
    connection_id = await world.add_connection()
    journey_id = await world.add_journey(reaching(saying("email", connection="mail"), event="buy"))
    return Sending(journey_id, connection_id)


async def test_too_many_bounces_hold_what_follows_and_tell_the_operator_once(world: World) -> None:
    sending = await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages[:2], NOON + HOUR)
        assert await world.rows(Guard) == []
        await bounce(world, messages[2:3], NOON + HOUR)
        [guard] = await world.rows(Guard)
        later = await sent(world, office, "buy", "e", at=NOON + 2 * HOUR)
        assert [(one.status, one.due_at) for one in later] == [("queued", None)]
        await bounce(world, messages[3:], NOON + 3 * HOUR)
    assert Sending(guard.journey_id, guard.connection_id) == sending
    assert (guard.because, guard.tripped_at) == (BOUNCED, NOON + HOUR)
    assert Figures(guard.sent, guard.bounced, guard.complained) == Figures(4, 3, 0)
    [notice] = await world.rows(Notice)
    assert (notice.kind, notice.journey_id, notice.connection_id) == ("sending_held", *sending)
    assert "3 bounced: 75.00%" in notice.text


async def test_complaints_have_a_rate_of_their_own(world: World) -> None:
    await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", *"abcdefgh")
        await hear(world, ReceiptKind.COMPLAINED, messages[:2], NOON + HOUR)
        assert await world.rows(Guard) == []
        await hear(world, ReceiptKind.COMPLAINED, messages[2:3], NOON + HOUR)
    assert [one.because for one in await world.rows(Guard)] == [COMPLAINED]


async def test_other_journeys_and_other_connections_go_on(world: World) -> None:
    await opened(world)
    await world.add_connection("other")
    await world.add_journey(reaching(saying("email", connection="mail"), event="look"))
    await world.add_journey(reaching(saying("email", connection="other"), event="buy"))
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        mail = [one for one in messages if one.connection_id == messages[0].connection_id]
        await bounce(world, mail[:3], NOON + HOUR)
        assert len(await world.rows(Guard)) == 1
        looked = await sent(world, office, "look", "x", at=NOON + 2 * HOUR)
        bought = await sent(world, office, "buy", "y", at=NOON + 3 * HOUR)
    assert [one.status for one in looked] == ["accepted"]
    assert sorted(one.status for one in bought) == ["accepted", "queued"]


async def test_armed_again_what_waited_leaves_and_the_window_is_fresh(world: World) -> None:
    sending = await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages[:3], NOON)
        held = await sent(world, office, "buy", "e", "f", "g", "h", at=NOON + 1)
        assert {one.status for one in held} == {"queued"}
        await arm(world, office, sending)
        held = [one for one in await world.rows(Message, "id") if one.created_at == NOON + 1]
        assert {one.status for one in held} == {"accepted"}
        # Of this very hour only what came after counts: two of four are not more than half.
        await bounce(world, held[:2], NOON + HOUR)
        assert [one.tripped_at for one in await world.rows(Guard)] == [None]
        await bounce(world, held[2:3], NOON + HOUR)
        [guard] = await world.rows(Guard)
    assert (guard.tripped_at, guard.sent, guard.bounced) == (NOON + HOUR, 4, 3)
    assert len(await world.rows(Notice)) == 2


async def test_what_waited_too_long_does_not_leave_when_it_is_armed_again(world: World) -> None:
    connection_id = await world.add_connection()
    mail = saying("email", connection="mail", expires_after_ms=HOUR)
    journey_id = await world.add_journey(reaching(mail, event="buy"))
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages[:3], NOON)
        await sent(world, office, "buy", "e", at=NOON + 1)
        world.clock.reach(NOON + 2 * HOUR)
        await arm(world, office, Sending(journey_id, connection_id))
        assert (await world.rows(Message, "id"))[-1].status == "expired"


async def test_a_journey_that_is_stopped_gives_up_what_its_guard_held(world: World) -> None:
    sending = await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages[:3], NOON)
        await sent(world, office, "buy", "e", at=NOON + 1)
        await world.set_status(sending.journey_id, "paused")
        await office.settle()
        await world.set_status(sending.journey_id, "finished")
        await office.settle()
    assert (await world.rows(Message, "id"))[-1].reason == "journey_stopped"


async def test_what_was_sent_before_the_window_does_not_count(world: World) -> None:
    await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages, NOON + 2 * DAY)
    assert await world.rows(Guard) == []


async def test_who_cannot_be_reached_for_now_speaks_against_nobody(world: World) -> None:
    await opened(world)
    await set_guard(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages, NOON + HOUR, reason="unreachable")
    assert await world.rows(Guard) == []


@pytest.mark.parametrize("setting", [replace(SMALL, is_on=False), replace(SMALL, channels=("sms",))])
async def test_what_is_not_watched_is_not_held(world: World, setting: Setting) -> None:
    await opened(world)
    await set_guard(world, setting)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages, NOON + HOUR)
    assert await world.rows(Guard) == []


async def test_news_that_nobody_looked_at_are_looked_at_by_whoever_comes_next(world: World) -> None:
    await opened(world)
    await set_guard(world, replace(SMALL, is_on=False))
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages, NOON + HOUR)
        await world.engine.let_go()
        await set_guard(world)
        await world.send(world.event("look", NOON + HOUR, user="x"))
        await world.settle()
    assert [one.because for one in await world.rows(Guard)] == [BOUNCED]


async def test_what_connections_carried_is_what_a_recount_finds(world: World) -> None:
    sending = await opened(world)
    async with open_office(world) as office:
        messages = await sent(world, office, "buy", "a", "b", "c", "d")
        await bounce(world, messages[:1], NOON + DAY)
        await bounce(world, messages[1:2], NOON + DAY, reason="unreachable")
        await hear(world, ReceiptKind.COMPLAINED, messages[2:3], NOON + DAY)
    by_connection = {
        metric: await world.counts(metric, "output")
        for metric in ("carried", "carried_bounced", "carried_complained")
    }
    output = str(sending.connection_id)
    assert by_connection == {
        "carried": {output: 4},
        "carried_bounced": {output: 1},
        "carried_complained": {output: 1},
    }
    async with world.db.read() as session:
        assert await differences(session) == []


COUNTS = st.integers(0, 10_000)


@given(COUNTS, COUNTS, COUNTS)
def test_nothing_is_held_without_enough_messages_or_below_both_rates(
    sent: int, bounced: int, complained: int
) -> None:
    why = why_held(Figures(sent, bounced, complained), USUAL)
    if why == BOUNCED:
        assert sent >= 200
        assert bounced > sent * 0.05
    elif why == COMPLAINED:
        assert sent >= 200
        assert complained >= 3
        assert complained > sent * 0.001
    else:
        assert sent < 200 or (bounced <= sent * 0.05 and (complained < 3 or complained <= sent * 0.001))


def test_of_the_hour_in_which_it_was_armed_again_only_the_rest_counts() -> None:
    hours = {NOON - HOUR: Figures(9, 9, 9), NOON: Figures(5, 3, 0), NOON + HOUR: Figures(1, 1, 1)}
    guard = Guard(project_id=1, journey_id=1, connection_id=1, since=NOON, sent_before=4, bounced_before=3)
    assert figures_of(hours, guard) == Figures(2, 1, 1)
    assert figures_of(hours, None) == Figures(15, 13, 10)
