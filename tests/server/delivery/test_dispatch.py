"""Messages leave once, or not at all, and every one says what became of it."""

import asyncio
from dataclasses import replace
from secrets import token_urlsafe

import pytest
from sqlalchemy import update

from channels import Accepted, Deferred, Host, Reason, Rejected, Unknown
from channels.contract import OnUnknown, Receipt, ReceiptKind, Tools
from channels.testing.fake import FakeChannel, FakeSender
from channels.testing.fates import FakeSettings
from channels.testing.script import Hang, Script
from server.delivery.hearing import place
from server.delivery.outcomes import MOST_ATTEMPTS
from server.errors import Overloaded
from server.store import connections
from server.store.bulk import table_of
from server.store.tables import ConnectionHealth, Endpoint
from server.store.tables import Receipt as ReceiptRow
from tests.server.delivery.office import BOX, SETTINGS, open_office, sign_up, welcome
from tests.waiting import until
from tests.world import DAY, HOUR, MINUTE, NOON, World

pytestmark = pytest.mark.anyio
KIM = "kim@example.com"
ONE_BY_ONE = replace(SETTINGS, send_concurrency=1)


async def born(world: World, *names: str) -> int:
    """One message to each, decided and waiting to leave."""
    await world.add_connection()
    journey_id = await world.add_journey(welcome())
    await sign_up(world, *(names or ("kim",)))
    await world.settle()
    return journey_id


async def set_endpoint(world: World, state: str) -> None:
    async with world.db.write() as session:
        await session.run(update(table_of(Endpoint)).values(state=state))


async def test_a_message_is_rendered_handed_over_and_accepted(world: World) -> None:
    await born(world)
    async with open_office(world) as office:
        await office.settle()
        [sent] = office.fake.sends
        message = await office.message()
    assert (sent.to, sent.content["subject"], sent.sent_at) == (KIM, "Hello, Kim", NOON)
    assert sent.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "https://mail.example.com/t/c/" in sent.content["html"]
    assert (message.status, message.attempt, message.attempted_at) == ("accepted", 1, NOON)
    assert message.provider_id == f"fake-{sent.reference}"
    assert message.due_at is None
    assert await office.receipts() == [("accepted", "")]
    assert await world.total("sent") == 1


async def test_the_attempt_is_on_disk_before_the_provider_hears_of_it(world: World) -> None:
    await born(world)
    hang = Hang()
    async with open_office(world, script=Script(addresses={KIM: hang})) as office:
        working = asyncio.create_task(office.dispatcher.until_idle())
        await until(hang.reached.is_set)
        message = await office.message()
        hang.release.set()
        await working
    assert (message.status, message.attempt, message.due_at) == ("attempted", 1, None)


@pytest.mark.parametrize(("state", "reason"), [("opted_out", "opted_out"), ("invalid", "invalid_address")])
async def test_nothing_goes_to_an_address_that_is_opted_out_or_invalid(
    world: World, state: str, reason: str
) -> None:
    await born(world)
    await set_endpoint(world, state)
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
        assert len(office.fake.attempts) == 0
    assert (message.status, message.reason, message.attempt) == ("skipped", reason, 0)
    assert await world.counts("skipped", "reason") == {reason: 1}
    assert await world.total("sent") == 0


@pytest.mark.parametrize("status", ["finished", "archived"])
async def test_a_stopped_journey_sends_nothing_more(world: World, status: str) -> None:
    journey_id = await born(world)
    await world.set_status(journey_id, status)
    async with open_office(world) as office:
        await office.settle()
        assert len(office.fake.attempts) == 0
    assert await office.receipts() == [("skipped", "journey_stopped")]


async def test_a_paused_journey_keeps_its_messages_out_of_the_way_until_it_goes_on(world: World) -> None:
    journey_id = await born(world)
    await world.set_status(journey_id, "paused")
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.due_at, message.attempt) == ("queued", None, 0)
        assert await office.dispatcher.work_once() is False
        await world.set_status(journey_id, "running")
        world.clock.reach(NOON + HOUR)
        await office.settle()
        assert [one.to for one in office.fake.sends] == [KIM]
        message = await office.message()
    assert (message.status, message.attempted_at) == ("accepted", NOON + HOUR)


async def test_a_parked_message_of_a_journey_that_is_stopped_is_skipped(world: World) -> None:
    journey_id = await born(world)
    await world.set_status(journey_id, "paused")
    async with open_office(world) as office:
        await office.settle()
        await world.set_status(journey_id, "finished")
        await office.settle()
        assert len(office.fake.attempts) == 0
    assert await office.receipts() == [("skipped", "journey_stopped")]


async def test_a_stop_cancels_what_waits_for_a_later_attempt_at_once(world: World) -> None:
    journey_id = await born(world)
    later = Deferred(NOON + 6 * HOUR, Reason.RATE_LIMITED)
    async with open_office(world, script=Script(addresses={KIM: later})) as office:
        await office.settle()
        assert (await office.message()).status == "queued"
        await world.set_status(journey_id, "finished")
        await office.settle()
        message = await office.message()
    assert (message.status, message.reason, message.due_at) == ("skipped", "journey_stopped", None)
    assert await world.counts("skipped", "reason") == {"journey_stopped": 1}


async def test_a_stop_cancels_what_waits_for_a_connection_that_is_off(world: World) -> None:
    await world.add_connection(is_enabled=False)
    journey_id = await world.add_journey(welcome())
    await sign_up(world, "kim")
    await world.settle()
    async with open_office(world) as office:
        await office.settle()
        assert (await office.message()).status == "queued"
        await world.set_status(journey_id, "finished")
        await office.settle()
        assert (await office.message()).reason == "journey_stopped"


async def test_a_stop_leaves_open_what_may_have_arrived(world: World) -> None:
    journey_id = await born(world)
    script = Script(addresses={KIM: Unknown()})
    async with open_office(world, script=script, on_unknown=OnUnknown.RESEND_SAME_KEY) as office:
        await office.settle()
        await world.set_status(journey_id, "finished")
        await office.settle()
        message = await office.message()
    assert (message.status, message.reason) == ("unknown", "outcome_unknown")


async def test_a_refusal_says_why_and_an_invalid_address_is_left_alone(world: World) -> None:
    await born(world)
    no = Rejected(Reason.INVALID_RECIPIENT, "550", "5.1.1 nobody here by that name")
    async with open_office(world, script=Script(addresses={KIM: no})) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.reason) == ("failed", "invalid_recipient")
        await world.live(world.event("sign_up", NOON + HOUR, user="kim"), until=NOON + HOUR)
        await office.settle()
        assert len(office.fake.attempts) == 1
    assert await office.receipts() == [
        ("refused", "invalid_recipient"),
        ("skipped", "invalid_address"),
    ]
    assert await world.counts("failed", "reason") == {"invalid_recipient": 1}


async def test_a_deferred_message_is_tried_again_when_its_time_has_come_and_not_before(
    world: World,
) -> None:
    await born(world)
    later = Deferred(NOON + 10 * MINUTE, Reason.RATE_LIMITED, "451", "slow down")
    async with open_office(world, script=Script(addresses={KIM: [later]})) as office:
        await office.settle()
        message = await office.message()
        assert (message.status, message.due_at) == ("queued", NOON + 10 * MINUTE)
        world.clock.reach(NOON + 10 * MINUTE - 1)
        await office.settle()
        assert len(office.fake.attempts) == 1
        world.clock.reach(NOON + 10 * MINUTE)
        await office.settle()
        assert len(office.fake.attempts) == 2
        assert len({attempt.reference for attempt in office.fake.attempts}) == 1
        message = await office.message()
    assert (message.status, message.attempt, message.due_at) == ("accepted", 2, None)
    assert await office.receipts() == [("deferred", "rate_limited"), ("accepted", "")]


async def test_after_enough_attempts_a_message_has_failed(world: World) -> None:
    await born(world)
    never = Deferred(0, Reason.PROVIDER_ERROR, "421", "not now")
    async with open_office(world, script=Script(addresses={KIM: never})) as office:
        for _ in range(MOST_ATTEMPTS + 2):
            await office.settle()
            if (due_at := (await office.message()).due_at) is not None:
                assert due_at > world.clock.now()
                world.clock.reach(due_at)
        message = await office.message()
        assert len(office.fake.attempts) == MOST_ATTEMPTS
    assert (message.status, message.reason) == ("failed", "provider_error")
    assert (await world.total("failed"), await world.total("sent")) == (1, 0)


async def test_no_attempt_comes_later_than_a_day(world: World) -> None:
    await born(world)
    long = Deferred(NOON + DAY + 1, Reason.QUOTA_EXCEEDED)
    async with open_office(world, script=Script(addresses={KIM: long})) as office:
        await office.settle()
        message = await office.message()
    assert (message.status, message.reason, message.due_at) == ("expired", "quota_exceeded", None)


async def test_an_unknown_outcome_is_never_sent_again(world: World) -> None:
    await born(world)
    async with open_office(world, script=Script(addresses={KIM: Unknown()})) as office:
        await office.settle()
        world.clock.reach(NOON + 2 * DAY)
        await office.settle()
        await (await office.another()).until_idle()
        await office.settle()
        assert len(office.fake.attempts) == 1
        message = await office.message()
    assert (message.status, message.reason) == ("unknown", "outcome_unknown")
    assert await office.receipts() == [("unknown", "outcome_unknown")]


async def test_an_adapter_that_raises_leaves_the_outcome_unknown(world: World) -> None:
    await born(world)
    async with open_office(world, script=Script(addresses={KIM: ValueError("a defect")})) as office:
        await office.settle()
    assert await office.receipts() == [("unknown", "outcome_unknown")]


@pytest.mark.parametrize("after_leaving", [True, False])
async def test_after_a_crash_in_mid_send_the_outcome_is_unknown_once_and_nothing_goes_out_again(
    world: World, after_leaving: bool
) -> None:
    await born(world)
    hang = Hang(after_leaving=after_leaving)
    async with open_office(world, script=Script(turns={1: hang})) as office:
        crashing = asyncio.create_task(office.dispatcher.until_idle())
        await until(hang.reached.is_set)
        crashing.cancel()
        await asyncio.gather(crashing, return_exceptions=True)
        await world.settle()
        assert (await office.message()).status == "attempted"
        for _ in range(3):
            await office.another()
            await office.settle()
        world.clock.reach(NOON + 2 * DAY)
        await office.settle()
        message = await office.message()
        assert len(office.fake.attempts) == 1
    assert (message.status, message.due_at) == ("unknown", None)
    assert await office.receipts() == [("unknown", "outcome_unknown")]
    assert await world.total("unknown") == 1


async def test_after_a_crash_before_the_outcome_was_kept_nothing_goes_out_again(world: World) -> None:
    await born(world)

    async def power_cut(entries: object) -> None:
        raise RuntimeError("the power went")

    async with open_office(world) as office:
        office.dispatcher = office.dispatch(append=power_cut)
        with pytest.raises(RuntimeError, match="power"):
            await office.dispatcher.until_idle()
        await office.another()
        await office.settle()
        assert len(office.fake.attempts) == 1
    assert await office.receipts() == [("unknown", "outcome_unknown")]


async def test_an_outcome_that_waits_in_the_inbox_is_not_overruled_by_a_takeover(world: World) -> None:
    await born(world)
    async with open_office(world) as office:
        await office.dispatcher.until_idle()
        await (await office.another()).until_idle()
        await office.settle()
        message = await office.message()
    assert message.status == "accepted"
    assert await office.receipts() == [("accepted", "")]


async def test_a_deferral_that_waits_in_the_inbox_survives_a_takeover(world: World) -> None:
    await born(world)
    later = Deferred(NOON + HOUR, Reason.RATE_LIMITED)
    async with open_office(world, script=Script(addresses={KIM: [later]})) as office:
        await office.dispatcher.until_idle()
        await office.another()
        await office.settle()
        world.clock.reach(NOON + HOUR)
        await office.settle()
    assert (await office.message()).status == "accepted"
    assert await office.receipts() == [("deferred", "rate_limited"), ("accepted", "")]


async def test_a_full_inbox_loses_no_outcome(world: World) -> None:
    await born(world)
    refused = []

    async with open_office(world) as office:

        async def full_at_first(entries: list[object]) -> None:
            if len(refused) < 3:
                refused.append(entries)
                raise Overloaded("full", retry_after_seconds=0)
            await office.append(entries)

        office.dispatcher = office.dispatch(append=full_at_first)
        await office.settle()
    assert len(refused) == 3
    assert await office.receipts() == [("accepted", "")]


async def test_a_template_that_cannot_be_rendered_skips_this_message_only(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome(subject='{{ user.when | date: "%Y", user.zone }}'))
    await sign_up(world, "kim", "lee")
    traits = {"when": "2024-01-01T00:00:00Z", "zone": "x"}
    await world.send(world.event("", NOON, user="kim", type="identify", **traits))
    await world.settle()
    async with open_office(world) as office:
        await office.settle()
        assert [one.to for one in office.fake.sends] == ["lee@example.com"]
    assert sorted(await office.receipts()) == [("accepted", ""), ("skipped", "template_error")]


async def test_a_connection_that_cannot_be_opened_defers_its_messages(world: World) -> None:
    await world.add_connection(adapter="gone")
    await world.add_journey(welcome())
    await sign_up(world, "kim")
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
    assert message.status == "queued"
    assert message.due_at > NOON
    assert await office.receipts() == [("deferred", "provider_error")]


async def test_values_of_a_user_cannot_break_out_of_a_header_or_into_html(world: World) -> None:
    await world.add_connection()
    await world.add_journey(welcome())
    await world.send(
        world.event("", NOON, user="kim", type="identify", email=KIM, name="<b>\r\nBcc: x@example.com"),
        world.event("sign_up", NOON, user="kim"),
    )
    async with open_office(world) as office:
        await office.settle()
        [sent] = office.fake.sends
    assert sent.content["subject"] == "Hello, <b> Bcc: x@example.com"
    assert "<b>" not in sent.content["html"]


async def test_hundreds_of_messages_leave_each_once(world: World) -> None:
    names = [f"user{number}" for number in range(450)]
    await born(world, *names)
    async with open_office(world) as office:
        await office.settle()
        assert len(office.fake.attempts) == 450
    assert await office.receipts() == [("accepted", "")] * 450


async def test_a_shutdown_lets_what_is_on_its_way_arrive_and_gives_up_the_shards(world: World) -> None:
    await born(world)
    hang = Hang()
    stopping = asyncio.Event()
    async with open_office(world, script=Script(addresses={KIM: hang})) as office:
        running = asyncio.create_task(office.dispatcher.run(stopping))
        await until(hang.reached.is_set)
        stopping.set()
        await asyncio.sleep(0)
        hang.release.set()
        await running
        office.dispatcher = office.dispatch()
        await office.settle()
        assert len(office.fake.attempts) == 1
    assert await office.receipts() == [("accepted", "")]


async def test_a_shutdown_puts_back_what_has_not_left(
    world: World,
) -> None:
    await born(world, "kim", "lee")
    hang = Hang()
    stopping = asyncio.Event()
    async with open_office(world, script=Script(turns={1: hang}), settings=ONE_BY_ONE) as office:
        running = asyncio.create_task(office.dispatcher.run(stopping))
        await until(hang.reached.is_set)
        stopping.set()
        await until(office.dispatcher.hands.courier.closing.is_set)
        hang.release.set()
        await running
        office.dispatcher = office.dispatch()
        await office.settle()
        assert len(office.fake.attempts) == 2
    assert sorted(await office.receipts()) == [("accepted", ""), ("accepted", "")]


async def test_what_has_waited_since_its_claim_is_looked_at_again_before_it_leaves(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.delivery.courier.FRESH_SECONDS", -1)
    await born(world, "kim", "lee")
    hang = Hang()
    async with open_office(world, script=Script(turns={1: hang}), settings=ONE_BY_ONE) as office:
        working = asyncio.create_task(office.dispatcher.until_idle())
        await until(hang.reached.is_set)
        await set_endpoint(world, "opted_out")
        hang.release.set()
        await working
        await office.settle()
        assert len(office.fake.attempts) == 1
    assert sorted(await office.receipts()) == [("accepted", ""), ("skipped", "opted_out")]


async def test_a_slow_provider_does_not_hold_up_another(world: World) -> None:
    await world.add_connection("mail", seed=1)
    await world.add_connection("other", seed=2)
    await world.add_journey(welcome())
    other = welcome()
    other["steps"][0]["event"], other["steps"][1]["connection"] = "other", "other"
    await world.add_journey(other)
    names = [f"user{number}" for number in range(250)]
    await sign_up(world, *names)
    await world.live(
        world.event("", NOON, user="else", type="identify", email="else@shop.example"),
        world.event("other", NOON + 1, user="else"),
    )
    hang = Hang()
    slow = Script(addresses={f"{name}@example.com": hang for name in names})
    async with open_office(world, script=slow) as office:
        working = asyncio.create_task(office.dispatcher.until_idle())
        await until(lambda: bool(office.fake.sends_of("2")))
        await until(lambda: len(office.fake.attempts) == 33)
        assert not office.fake.sends_of("1")
        hang.release.set()
        await working
        await office.settle()
        assert len(office.fake.sends) == 251


async def test_settings_that_change_are_used_for_the_next_message(world: World) -> None:
    await born(world)
    async with open_office(world) as office:
        await office.settle()
        async with world.db.write() as session:
            await connections.update(
                session, office.host, BOX, world.project_id, 1, settings={"refused": 1}, now=NOON
            )
        await world.live(world.event("sign_up", NOON + HOUR, user="kim"), until=NOON + HOUR)
        await office.settle()
    assert await office.receipts() == [("accepted", ""), ("refused", "invalid_recipient")]


class Unopenable(FakeChannel):
    """An adapter with a defect: it cannot even be opened."""

    def open(self, settings: FakeSettings, tools: Tools) -> FakeSender:
        raise RuntimeError("a certificate that cannot be read")


async def test_an_adapter_that_cannot_be_opened_is_in_nobody_elses_way(world: World) -> None:
    await born(world)
    async with open_office(world) as office:
        good, office.host.channels["fake"] = office.fake, Unopenable()
        await office.dispatcher.until_idle()
        await world.engine.until_idle()
        message = await office.message()
        assert (message.status, message.attempt) == ("queued", 1)
        assert await office.receipts() == [("deferred", "provider_error")]
        office.host.channels["fake"] = good
        await world.settle(NOON + HOUR)
        await office.settle()
        assert len(office.fake.sends) == 1


async def test_the_providers_name_of_a_message_may_be_of_any_length(world: World) -> None:
    await born(world)
    name = token_urlsafe(9000)
    async with open_office(world, script=Script(addresses={KIM: Accepted(name)})) as office:
        await office.settle()
        message = await office.message()
        assert message.status == "accepted"
        heard = Receipt("d1", ReceiptKind.DELIVERED, NOON, provider_id=name)
        async with world.db.read() as session:
            whose = (message.connection_id, world.project_id)
            placed = await place(session, world.shards, whose, [heard], NOON)
        assert (len(placed.entries), placed.unclaimed) == (1, [])


async def test_a_receipt_from_beyond_the_calendar_is_counted(world: World) -> None:
    await born(world)
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
        heard = Receipt("o1", ReceiptKind.OPENED, 2**63, provider_id=message.provider_id)
        async with world.db.read() as session:
            whose = (message.connection_id, world.project_id)
            placed = await place(session, world.shards, whose, [heard], NOON)
        await office.append(placed.entries)
        await office.settle()
    assert await world.total("opens") == 1


async def test_a_provider_that_quotes_a_key_does_not_bring_it_into_receipts_or_health(world: World) -> None:
    await born(world)
    key = "k-1234567890"
    async with world.db.write() as session:
        await connections.update(
            session, Host({"fake": FakeChannel()}), BOX, world.project_id, 1,
            settings={"callback_secret": key}, now=NOON,
        )  # fmt: skip
    said = Rejected(Reason.AUTH_FAILED, "401", f"no such key {key}")
    async with open_office(world, script=Script(addresses={KIM: said})) as office:
        await office.settle()
        [health] = await world.rows(ConnectionHealth)
        texts = [row.detail for row in await world.rows(ReceiptRow)] + [health.detail]
    assert "no such key …" in texts
    assert key not in "".join(texts)
