"""A message whose connection cannot send goes through the next one, once, and says so."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from channels.contract import Message as Outgoing
from channels.contract import OnUnknown
from channels.testing.script import Fault, Script
from server.delivery.breaker import FAILURES_TO_OPEN, FIRST_PAUSE
from server.delivery.health import HealthBook
from server.store import connections, projects, setup, sightings
from server.store.bulk import table_of
from server.store.tables import Connection, ConnectionHealth, Message, Receipt
from tests.server.delivery.office import Office, open_office, sign_up, welcome
from tests.world import DAY, HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio
KIM = "kim@example.com"
BROKE = Rejected(Reason.ACCOUNT_BLOCKED, "402", "unpaid")


async def born(world: World, *names: str, connections: int = 2, movable: bool = True) -> None:
    """Messages that wait for the first of some connections and may go through the others."""
    for number in range(connections):
        await world.add_connection("mail" if number == 0 else f"other{number}", seed=number)
    await world.add_journey(welcome())
    await sign_up(world, *(names or ("kim",)))
    await world.settle()
    await set_message(world, may_fail_over=movable)


async def set_message(world: World, **values: Any) -> None:
    async with world.db.write() as session:
        await session.run(update(table_of(Message)).values(**values))


async def set_connection(world: World, number: int, **values: Any) -> None:
    table = table_of(Connection)
    async with world.db.write() as session:
        await session.run(update(table).where(table.c.id == number).values(**values))
        await setup.touch_catalog(session)


async def health(world: World, number: int = 1) -> Any:
    [found] = [row for row in await world.rows(ConnectionHealth) if row.connection_id == number]
    return found


async def told(world: World) -> list[tuple[str, str, int | None]]:
    rows = await world.rows(Receipt, "message_id", "key")
    return [(row.kind, row.reason, row.connection_id) for row in rows]


@pytest.mark.parametrize(
    "fault",
    [
        BROKE,
        Rejected(Reason.AUTH_FAILED),
        Deferred(NOON + DAY, Reason.QUOTA_EXCEEDED),
        Deferred(0, Reason.PROVIDER_ERROR),
    ],
)
async def test_a_fault_of_the_sender_sends_it_on_to_the_next_connection_at_once(
    world: World, fault: Fault
) -> None:
    await born(world)
    async with open_office(world, script=Script(turns={1: fault})) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.connection_id, message.attempt) == ("accepted", 2, 2)
        assert (len(office.fake.sends_of("1")), len(office.fake.sends_of("2"))) == (0, 1)
    assert await told(world) == [("deferred", fault.reason.value, 1), ("accepted", "", 2)]  # type: ignore[union-attr]  # a fault that has one


@pytest.mark.parametrize("fault", [Rejected(Reason.INVALID_RECIPIENT), Rejected(Reason.CONTENT_REJECTED)])
async def test_a_fault_of_the_message_goes_nowhere_else(world: World, fault: Fault) -> None:
    await born(world)
    async with open_office(world, script=Script(turns={1: fault})) as office:
        await office.settle()
        assert ((await office.message()).status, len(office.fake.attempts)) == ("failed", 1)


async def test_a_message_whose_step_names_its_connection_stays_there(world: World) -> None:
    await born(world, movable=False)
    async with open_office(world, script=Script(turns={1: BROKE})) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.connection_id) == ("failed", 1)


async def test_a_message_does_not_go_on_to_a_connection_that_was_deleted_meanwhile(world: World) -> None:
    await born(world, connections=3)
    async with open_office(world, script=Script(turns={1: BROKE, 2: BROKE})) as office:
        await office.dispatcher.until_idle()
        async with world.db.write() as session:
            await connections.remove(session, world.project_id, 2)
        await office.settle()
        message = await office.message()
        assert (message.status, message.connection_id) == ("accepted", 3)


async def test_only_the_refusal_of_the_last_one_is_final_and_each_was_asked_once(world: World) -> None:
    await born(world, connections=3)
    async with open_office(world, script=Script(addresses={KIM: BROKE})) as office:
        await office.settle()
        message = await office.message()
        assert len(office.fake.attempts) == 3
    assert (message.status, message.reason, message.connection_id) == ("failed", "account_blocked", 3)
    assert [kind for kind, _, _ in await told(world)] == ["deferred", "deferred", "refused"]


@pytest.mark.parametrize("on_unknown", list(OnUnknown))
async def test_what_may_have_arrived_never_goes_through_another(world: World, on_unknown: OnUnknown) -> None:
    await born(world)
    faults = [Unknown(), BROKE, BROKE, BROKE]
    async with open_office(world, script=Script(addresses={KIM: faults}), on_unknown=on_unknown) as office:
        for _ in range(6):
            await office.settle()
            world.clock.reach((await office.message()).due_at or world.clock.now())
        assert not office.fake.sends_of("2")
        assert (await office.message()).connection_id == 1


async def test_it_goes_on_in_order_of_preference_among_those_of_its_kind(world: World) -> None:
    await born(world, connections=5)
    await set_connection(world, 2, is_enabled=False)
    await set_connection(world, 3, takes="fcm:")
    await set_connection(world, 4, preference=101)
    async with open_office(world, script=Script(turns={1: BROKE})) as office:
        await office.settle()
        assert (await office.message()).connection_id == 5


async def test_a_disabled_connection_sends_nothing_and_lets_go_of_what_may_move(world: World) -> None:
    await born(world, "kim", "lee")
    await set_connection(world, 1, is_enabled=False)
    table = table_of(Message)
    async with world.db.write() as session:
        await session.run(update(table).where(table.c.address != KIM).values(may_fail_over=False))
    async with open_office(world) as office:
        await office.settle()
        assert [one.to for one in office.fake.sends] == [KIM]
        assert await told(world) == [("accepted", "", 2), ("deferred", "", 1)]
        await set_connection(world, 1, is_enabled=True)
        await office.settle()
        assert [one.to for one in office.fake.sends_of("1").values()] == ["lee@example.com"]


async def test_nothing_leaves_after_its_time_wherever_it_waits(world: World) -> None:
    await born(world, movable=False)
    await set_message(world, expires_at=NOON + HOUR)
    await set_connection(world, 1, is_enabled=False)
    world.clock.reach(NOON + HOUR)
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.reason, len(office.fake.attempts)) == ("expired", "expired", 0)
    assert await told(world) == [("expired", "expired", 1)]


async def test_a_message_past_its_time_is_not_claimed(world: World) -> None:
    await born(world)
    await set_message(world, expires_at=NOON + HOUR)
    world.clock.reach(NOON + HOUR)
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.attempt, len(office.fake.attempts)) == ("expired", 0, 0)
    assert await world.counts("failed", "reason") == {"expired": 1}


async def test_no_attempt_comes_after_the_message_has_expired(world: World) -> None:
    await born(world, connections=1)
    await set_message(world, expires_at=NOON + 5 * MINUTE)
    late = Deferred(NOON + 10 * MINUTE, Reason.RATE_LIMITED)
    async with open_office(world, script=Script(turns={1: late})) as office:
        await office.settle()
        assert (await office.message()).status == "expired"


# The breaker


def failing(count: int) -> Script:
    return Script(turns=dict.fromkeys(range(1, count + 1), Deferred(0, Reason.PROVIDER_ERROR, "503", "down")))


async def broken(office: Office, names: Sequence[str]) -> None:
    await office.settle()
    assert len(office.fake.attempts) >= min(FAILURES_TO_OPEN, len(names))


async def test_a_connection_that_fails_is_left_alone_then_tried_with_one_message(world: World) -> None:
    names = [f"user{number}" for number in range(FAILURES_TO_OPEN)]
    await born(world, *names, connections=1)
    async with open_office(world, script=failing(FAILURES_TO_OPEN)) as office:
        await broken(office, names)
        found = await health(world)
        assert (found.breaker, found.failures, found.open_until) == ("open", 5, NOON + FIRST_PAUSE)
        assert (found.reason, found.code, found.detail, found.failed_at) == (
            "provider_error",
            "503",
            "down",
            NOON,
        )
        await set_message(world, due_at=NOON)
        world.clock.reach(NOON + FIRST_PAUSE - 1)
        await office.settle()
        assert len(office.fake.attempts) == FAILURES_TO_OPEN
        world.clock.reach(NOON + FIRST_PAUSE)
        office.dispatcher._look_again_at.clear()
        await office.dispatcher.take_shards()
        await office.dispatcher.work_once()
        assert office.dispatcher.progress.claimed == FAILURES_TO_OPEN + 1
        await office.settle()
        assert len(office.fake.sends) == FAILURES_TO_OPEN
        assert ((await health(world)).breaker, (await health(world)).succeeded_at) == (
            "closed",
            NOON + FIRST_PAUSE,
        )


async def test_a_provider_that_does_not_answer_does_not_make_a_whole_campaign_uncertain(world: World) -> None:
    names = [f"user{number}" for number in range(FAILURES_TO_OPEN)]
    await born(world, *names, connections=1)
    silent = Script(turns=dict.fromkeys(range(1, FAILURES_TO_OPEN + 1), Unknown()))
    async with open_office(world, script=silent) as office:
        await broken(office, names)
        assert ((await health(world)).breaker, (await health(world)).reason) == ("open", "outcome_unknown")


async def test_while_it_is_left_alone_messages_go_through_the_next_one(world: World) -> None:
    names = [f"user{number}" for number in range(FAILURES_TO_OPEN)]
    await born(world, *names)
    async with open_office(world, script=failing(FAILURES_TO_OPEN)) as office:
        await office.settle()
        assert len(office.fake.sends_of("2")) == FAILURES_TO_OPEN
        await world.live(world.event("sign_up", NOON + 1, user="user0"), until=NOON + 1)
        await set_message(world, may_fail_over=True)
        await office.settle()
        assert len(office.fake.sends_of("2")) == FAILURES_TO_OPEN + 1
        moved = [row for row in await world.rows(Receipt) if row.code == "moved"]
        assert [(row.kind, row.reason, row.connection_id) for row in moved] == [
            ("deferred", "provider_error", 1)
        ]


async def test_a_restart_remembers_an_open_breaker_and_new_settings_close_it(world: World) -> None:
    names = [f"user{number}" for number in range(FAILURES_TO_OPEN)]
    await born(world, *names, connections=1)
    async with open_office(world, script=failing(FAILURES_TO_OPEN)) as office:
        await broken(office, names)
        await set_message(world, due_at=NOON)
        await office.another()
        await office.settle()
        assert len(office.fake.attempts) == FAILURES_TO_OPEN
        await set_connection(world, 1, changed_at=NOON + 1)
        await office.settle()
        assert len(office.fake.sends) == FAILURES_TO_OPEN
        assert (await health(world)).breaker == "closed"


async def test_a_process_that_has_not_heard_of_an_open_breaker_does_not_write_over_it(world: World) -> None:
    await born(world, connections=1)
    one, other = HealthBook(world.db), HealthBook(world.db)
    other.hear(1, Accepted("earlier"), NOON)
    for _ in range(FAILURES_TO_OPEN):
        one.hear(1, BROKE, NOON + 1)
    await one.save(at_once=True)
    await other.save(at_once=True)
    assert (await health(world)).breaker == "open"
    assert not other.of(1).may_send(NOON + 2)


# Batches


async def test_messages_go_together_where_the_provider_takes_many(world: World) -> None:
    await born(world, *(f"user{number}" for number in range(25)), connections=1)
    async with open_office(world, batch_size=10) as office:
        await office.settle()
        assert max(office.fake.batches) == 10
        assert (sum(office.fake.batches), len(office.fake.batches) <= 4) == (25, True)
        assert len(office.fake.sends) == 25
    assert await office.receipts() == [("accepted", "")] * 25


async def test_one_that_cannot_be_rendered_does_not_hold_back_the_rest_of_its_batch(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome(subject='{{ user.when | date: "%Y", user.zone }}'))
    await sign_up(world, "kim", "lee", "ann")
    traits = {"when": "2024-01-01T00:00:00Z", "zone": "x"}
    await world.send(world.event("", NOON, user="kim", type="identify", **traits))
    await world.settle()
    async with open_office(world, batch_size=10) as office:
        await office.settle()
        assert (list(office.fake.batches), len(office.fake.sends)) == ([2], 2)
    assert sorted(await office.receipts())[-1] == ("skipped", "template_error")


@pytest.mark.parametrize("many", [[], [Rejected(Reason.UNKNOWN)] * 4, None, ValueError("a defect")])
async def test_a_call_that_tells_too_little_or_raises_leaves_all_of_it_unknown(
    world: World, many: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await born(world, "kim", "lee", "ann", connections=1)

    async def send_many(self: Any, messages: Sequence[Outgoing]) -> Any:
        if isinstance(many, Exception):
            raise many
        return many

    monkeypatch.setattr("channels.testing.fake.FakeSender.send_many", send_many)
    async with open_office(world, batch_size=10) as office:
        await office.settle()
    assert await office.receipts() == [("unknown", "outcome_unknown")] * 3


@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize(
    "told",
    [
        None,
        "ok",
        Accepted(7),  # type: ignore[arg-type]  # wrong on purpose
        Rejected("no_such_reason"),  # type: ignore[arg-type]  # wrong on purpose
        Rejected(Reason.UNKNOWN, 404),  # type: ignore[arg-type]  # wrong on purpose
        Deferred("soon", Reason.RATE_LIMITED),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
async def test_an_adapter_that_tells_no_outcome_leaves_this_message_unknown_and_the_others_alone(
    world: World, told: Any, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    await born(world, "kim", "lee", connections=1)

    async def send(self: Any, message: Outgoing) -> Any:
        return told if message.to == KIM else Accepted(f"to-{message.to}")

    async def send_many(self: Any, messages: Sequence[Outgoing]) -> Any:
        return [await send(self, message) for message in messages]

    monkeypatch.setattr("channels.testing.fake.FakeSender.send", send)
    monkeypatch.setattr("channels.testing.fake.FakeSender.send_many", send_many)
    async with open_office(world, batch_size=batch_size) as office:
        await office.settle()
    found = {row.address: row.status for row in await world.rows(Message)}
    assert found == {KIM: "unknown", "lee@example.com": "accepted"}


# What may have arrived


async def test_an_unknown_outcome_is_sent_again_where_the_provider_drops_the_double(world: World) -> None:
    await born(world, connections=1)
    script = Script(addresses={KIM: [Unknown(), Unknown()]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        for _ in range(3):
            await office.settle()
            world.clock.reach((await office.message()).due_at or world.clock.now())
        message = await office.message()
        assert (message.status, message.attempt, len(office.fake.sends)) == ("accepted", 3, 1)
        assert len({one.reference for one in office.fake.attempts}) == 1
    assert await office.receipts() == [("deferred", "outcome_unknown")] * 2 + [("accepted", "")]


async def test_an_outcome_that_stays_unknown_ends_unknown_also_when_the_last_word_is_no(world: World) -> None:
    await born(world, connections=1)
    script = Script(addresses={KIM: [Unknown(), *[Deferred(0, Reason.PROVIDER_ERROR)] * 20]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        for _ in range(12):
            await office.settle()
            world.clock.reach((await office.message()).due_at or world.clock.now() + HOUR)
        message = await office.message()
    assert (message.status, message.reason, message.due_at) == ("unknown", "outcome_unknown", None)


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_where_the_provider_can_be_asked_it_is_asked_and_nothing_is_sent_blindly(
    world: World, has_arrived: bool
) -> None:
    await born(world, connections=1)
    fault = Unknown() if has_arrived else Unknown(text="lost")
    script = Script(addresses={KIM: [fault]})
    async with open_office(world, script=script, on_unknown=OnUnknown.ASK) as office:
        await office.settle()
        if not has_arrived:
            office.fake._ledger("1").messages.clear()
        assert (await office.message()).status == "queued"
        for _ in range(3):
            world.clock.reach((await office.message()).due_at or world.clock.now())
            await office.settle()
        assert (await office.message()).status == "accepted"
        assert len(office.fake.asked) == 1
        assert len(office.fake.attempts) == (1 if has_arrived else 2)


async def test_an_attempt_cut_off_by_a_crash_goes_on_where_the_provider_drops_the_double(
    world: World,
) -> None:
    await born(world, connections=1)

    async def power_cut(entries: object) -> None:
        raise RuntimeError("the power went")

    async with open_office(world, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        office.dispatcher = office.dispatch(append=power_cut)
        with pytest.raises(RuntimeError, match="power"):
            await office.dispatcher.until_idle()
        await office.another()
        await office.settle()
        world.clock.reach(NOON + HOUR)
        await office.settle()
        assert (len(office.fake.attempts), len(office.fake.sends)) == (2, 1)
    assert (await office.message()).status == "accepted"
    assert await office.receipts() == [("deferred", "outcome_unknown"), ("accepted", "")]


@pytest.mark.parametrize("end", ["stopped", "opted out", "expired", "expired where nothing is sent"])
async def test_what_may_have_arrived_and_may_not_go_again_ends_unknown_and_is_neither_skipped_nor_expired(
    world: World, end: str
) -> None:
    await born(world, connections=1)
    script = Script(addresses={KIM: [Unknown()]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        await office.settle()
        if end == "stopped":
            await world.set_status(1, "finished")
        elif end == "opted out":
            about = (world.project_id, "email", KIM, "")
            async with world.db.write() as session:
                await sightings.opt_out_address(session, *about, source="inbound", now=NOON + 1)
        else:
            await set_message(world, expires_at=NOON + MINUTE)
            await set_connection(world, 1, is_enabled=end == "expired")
        world.clock.reach(NOON + HOUR)
        await office.settle()
        message = await office.message()
        assert (message.status, message.reason) == ("unknown", "outcome_unknown")
        assert len(office.fake.attempts) == 1
    assert await world.counts("unknown") == {"": 1}
    assert (await world.total("skipped"), await world.total("failed")) == (0, 0)


@pytest.mark.parametrize("is_enabled", [True, False])
async def test_what_may_have_arrived_is_not_sent_again_days_later_however_it_had_to_wait(
    world: World, is_enabled: bool
) -> None:
    """By then its provider may have forgotten the first one, and would not drop the double."""
    await born(world, connections=1)
    script = Script(addresses={KIM: [Unknown()]})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        await office.settle()
        world.clock.reach(NOON + 3 * DAY)
        await set_connection(world, 1, is_enabled=is_enabled)
        await office.settle()
        message = await office.message()
        assert (message.status, message.due_at, len(office.fake.attempts)) == ("unknown", None, 1)


# Retries, by reason


@pytest.mark.parametrize(
    ("reason", "attempts"),
    [
        (Reason.AUTH_FAILED, 2),
        (Reason.UNKNOWN, 2),
        (Reason.UNREACHABLE, 4),
        (Reason.RATE_LIMITED, 8),
        (Reason.WINDOW_CLOSED, 1),
        (Reason.INVALID_RECIPIENT, 1),
    ],
)
async def test_a_definite_no_is_tried_again_as_often_as_its_reason_allows(
    world: World, reason: Reason, attempts: int
) -> None:
    await born(world, connections=1)
    async with open_office(world, script=Script(addresses={KIM: Rejected(reason)})) as office:
        for _ in range(10):
            await office.settle()
            world.clock.reach((await office.message()).due_at or world.clock.now())
        message = await office.message()
        assert len(office.fake.attempts) == attempts
    assert (message.status, message.reason) == ("failed", reason.value)


# Fair, and paced


async def test_a_million_messages_of_one_project_do_not_make_ten_of_another_wait(world: World) -> None:
    await world.add_connection("mail")
    await world.add_journey(welcome())
    names = [f"user{number}" for number in range(300)]
    await sign_up(world, *names)
    await world.settle()
    few = await world.add_connection("few")
    async with world.db.write() as session:
        other = (await projects.create(session, "Other", "Asia/Seoul", NOON)).project_id
    table = table_of(Message)
    last = [row.id for row in await world.rows(Message, "id")][-10:]
    async with world.db.write() as session:
        theirs = {"connection_id": few, "project_id": other}
        await session.run(update(table).where(table.c.id.in_(last)).values(**theirs))
    await set_connection(world, few, project_id=other)
    async with open_office(world) as office:
        office.dispatcher.hands.shares.most = 20
        await office.dispatcher.take_shards()
        await office.dispatcher.work_once()
        assert {one.row.connection_id for one in office.dispatcher.hands.in_hand.values()} == {1, few}
        assert len(office.dispatcher.hands.in_hand) <= 20
        await office.settle()
        assert len(office.fake.attempts) == 300


async def test_a_connection_sends_no_more_at_once_than_it_may(world: World) -> None:
    await born(world, *(f"user{number}" for number in range(20)), connections=1)
    await set_connection(world, 1, concurrency=3)
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        await office.dispatcher.work_once()
        assert len(office.dispatcher.hands.lanes[1].workers) == 3
        await office.settle()
        assert len(office.fake.sends) == 20


async def test_a_connection_with_a_rate_has_little_in_hand(world: World) -> None:
    await born(world, *(f"user{number}" for number in range(20)), connections=1)
    await set_connection(world, 1, rate_per_second=2.0)
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        await office.dispatcher.work_once()
        assert len(office.dispatcher.hands.in_hand) == 4
        for _ in range(5):
            await asyncio.sleep(0)


async def test_processes_that_share_the_shards_share_the_rate_of_a_connection(world: World) -> None:
    await born(world, "kim", connections=1)
    await set_connection(world, 1, rate_per_second=30.0)
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        await office.dispatcher.work_once()
        other = office.dispatch()
        for one in (other, office.dispatcher, other):
            await one.take_shards()
            await one.work_once()
        lanes = [one.hands.lane(1) for one in (office.dispatcher, other) if one._mine]
        assert sum(lane.per_second or 0 for lane in lanes) == 30.0
        await other.let_go()
        await other.aclose()
