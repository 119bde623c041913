"""Nothing is handed over to who must not be written to, whatever said so and however late."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from channels import Deferred, Reason
from channels.contract import ReceiptKind
from channels.testing.script import Script
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox, sightings, suppressions
from server.store.bulk import table_of
from server.store.suppressions import PutRow
from server.store.tables import Consent, Endpoint, Message, Project, Suppression, User
from tests.server.delivery.office import Office, open_office, sign_up, welcome
from tests.world import DAY, HOUR, NOON, World

pytestmark = pytest.mark.anyio
KIM = "kim@example.com"


async def queued(office: Office, purpose: str = "information", *names: str) -> None:
    """A message that is due, for each of these users."""
    await office.world.add_connection()
    await office.world.add_journey(welcome())
    await again(office, purpose, *names)


async def again(office: Office, purpose: str = "information", *names: str) -> None:
    world = office.world
    await sign_up(world, *(names or ("kim",)), at=world.clock.now())
    await world.settle()
    table = table_of(Message)
    async with world.db.write() as session:
        await session.run(update(table).where(table.c.status == "queued").values(purpose=purpose))


async def outcomes(world: World) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in await world.rows(Message, "created_at", "id")]


async def hear(world: World, message: Any, kind: ReceiptKind, at: int, **more: Any) -> None:
    receipt = HeardReceipt(message.id, f"{kind}-{at}", kind, at, **more)
    entry = inbox.Entry(message.shard, world.project_id, inbox.RECEIPT, encode(receipt), at)
    async with world.db.write() as session:
        await inbox.append(session, [entry])
    await world.settle()


async def in_force(world: World) -> list[tuple[str, str, str]]:
    rows = await world.rows(Suppression, "channel", "address", "purpose")
    return [(row.address, row.purpose, row.reason) for row in rows if row.since is not None]


async def require_consent(world: World) -> None:
    async with world.db.write() as session:
        await session.run(update(table_of(Project)).values(requires_consent=True))


async def agree(world: World, granted: bool, at: int, user: str = "kim") -> None:
    about = {"channel": "email", "purpose": "advertisement", "granted": granted, "source": "checkout"}
    await world.live(world.event("Consent Changed", at, user=user, **about))


async def test_a_hard_bounce_ends_in_the_endpoint_and_in_a_suppression_at_once(world: World) -> None:
    async with open_office(world) as office:
        await queued(office)
        await office.settle()
        [message] = await world.rows(Message)
        await hear(world, message, ReceiptKind.BOUNCED, NOON + 1, reason="invalid_recipient")
        assert await in_force(world) == [(KIM, "", "invalid_recipient")]
        assert [one.state for one in await world.rows(Endpoint)] == ["invalid"]
        await again(office)
        await office.settle()
        assert (await outcomes(world))[1] == ("skipped", "invalid_address")


async def test_a_delivery_that_was_later_than_the_bounce_ends_it_in_either_order(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, "information", "kim")
        await again(office, "information", "kim")
        await office.settle()
        one, other = await world.rows(Message, "id")
        await hear(world, one, ReceiptKind.DELIVERED, NOON + 5)
        await hear(world, other, ReceiptKind.BOUNCED, NOON + 4, reason="invalid_recipient")
        assert await in_force(world) == []
        await hear(world, other, ReceiptKind.FAILED, NOON + 9, reason="invalid_recipient")
        assert await in_force(world) == [(KIM, "", "invalid_recipient")]
        await hear(world, one, ReceiptKind.OPENED, NOON + 10, actor="human")
        assert await in_force(world) == []
        assert [one.state for one in await world.rows(Endpoint)] == ["usable"]


async def test_a_complaint_about_an_advertisement_stops_advertisements_only(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, "advertisement")
        await office.settle()
        [message] = await world.rows(Message)
        await hear(world, message, ReceiptKind.COMPLAINED, NOON + 1)
        assert await in_force(world) == [(KIM, "advertisement", "opted_out")]
        await again(office, "advertisement")
        await office.settle()
        await again(office, "information")
        await office.settle()
        assert [one[0] for one in await outcomes(world)] == ["accepted", "skipped", "accepted"]
        assert (await outcomes(world))[1][1] == "suppressed"


async def test_who_is_not_on_the_channel_is_written_to_again_after_a_while(world: World) -> None:
    async with open_office(world) as office:
        await queued(office)
        await office.settle()
        [message] = await world.rows(Message)
        await hear(world, message, ReceiptKind.FAILED, NOON, reason="not_on_channel")
        assert [one.state for one in await world.rows(Endpoint)] == ["usable"]
        world.clock.reach(NOON + 60 * DAY - 1)
        await again(office)
        await office.settle()
        world.clock.reach(NOON + 60 * DAY + HOUR)
        await again(office)
        await office.settle()
        assert [one[1] for one in await outcomes(world)][1:] == ["suppressed", ""]


async def test_an_address_is_suppressed_for_everybody_who_has_it_and_in_any_case(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, "information", "kim", "lee")
        row = PutRow(world.project_id, "email", "KIM@Example.com", "", "opted_out", NOON, None, "import", "")
        async with world.db.write() as session:
            await suppressions.put(session, [row])
        await office.settle()
        assert sorted(await outcomes(world)) == [("accepted", ""), ("skipped", "suppressed")]


async def test_a_stop_that_comes_between_the_decision_and_the_hand_over_holds(world: World) -> None:
    async with open_office(world) as office:
        await queued(office)
        about = (world.project_id, "email", KIM, "")
        async with world.db.write() as session:
            await sightings.opt_out_address(session, *about, source="inbound", now=NOON + 1)
        await office.settle()
        assert await outcomes(world) == [("skipped", "opted_out")]
        async with world.db.write() as session:
            await sightings.opt_in_address(session, *about, now=NOON + 2)
        await again(office)
        await office.settle()
        assert (await outcomes(world))[1] == ("accepted", "")


async def test_a_start_ends_nothing_that_people_have_set(world: World) -> None:
    row = PutRow(world.project_id, "email", KIM, "", "opted_out", NOON, None, "api", "")
    async with world.db.write() as session:
        await suppressions.put(session, [row])
        await sightings.opt_in_address(session, world.project_id, "email", KIM, "", now=NOON + 2)
    assert await in_force(world) == [(KIM, "", "opted_out")]


@pytest.mark.parametrize(("granted", "expected"), [(True, "accepted"), (False, "skipped"), (None, "skipped")])
async def test_where_consent_is_required_only_those_who_agreed_get_advertisements(
    world: World, granted: bool | None, expected: str
) -> None:
    await require_consent(world)
    async with open_office(world) as office:
        await queued(office, "advertisement")
        if granted is not None:
            await agree(world, granted, NOON + 1)
        await office.settle()
        [(status, reason)] = await outcomes(world)
        assert status == expected
        assert reason == ("" if granted else "no_consent")


async def test_where_it_is_not_required_a_withdrawal_still_holds_for_its_purpose(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, "advertisement")
        await agree(world, False, NOON + 1)
        await office.settle()
        await again(office, "information")
        await office.settle()
        assert await outcomes(world) == [("skipped", "no_consent"), ("accepted", "")]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_latest_decision_holds_in_whatever_order_they_come(
    world: World, order: tuple[int, int]
) -> None:
    told = [(True, NOON + 1), (False, NOON + 2)]
    for index in order:
        await agree(world, *told[index])
    [row] = await world.rows(Consent)
    assert (bool(row.granted), row.decided_at, row.source) == (False, NOON + 2, "checkout")


async def test_a_user_who_turns_out_to_be_another_keeps_the_latest_decision_of_both(world: World) -> None:
    about = {"channel": "email", "purpose": "advertisement"}
    await world.live(
        world.event("Consent Changed", NOON + 1, user="kim", **about, granted=True),
        world.event("Consent Changed", NOON + 2, anonymous="phone", **about, granted=False),
        world.event("Consent Changed", NOON + 2, anonymous="phone", channel="sms", purpose="advertisement",
                    granted=True),
    )  # fmt: skip
    await world.live(world.event("", NOON + 3, type="identify", user="kim", anonymous="phone"))
    [kim] = [one for one in await world.rows(User) if one.user_id == "kim"]
    mine = [
        one for one in await world.rows(Consent) if (one.shard, one.user_number) == (kim.shard, kim.number)
    ]
    decided = {one.channel: bool(one.granted) for one in mine}
    assert decided == {"email": False, "sms": True}


async def test_a_message_born_before_its_user_turned_out_to_be_another_heeds_the_others_decision(
    world: World,
) -> None:
    await world.add_connection()
    await world.add_journey(welcome())
    script = Script(addresses={KIM: [Deferred(0, Reason.RATE_LIMITED)]})
    async with open_office(world, script=script) as office:
        await world.live(
            world.event("", NOON, anonymous="phone", type="identify", email=KIM, name="Kim"),
            world.event("sign_up", NOON, anonymous="phone"),
        )
        async with world.db.write() as session:
            await session.run(update(table_of(Message)).values(purpose="advertisement"))
        await office.settle()
        await world.live(world.event("opened the shop", NOON + 1, user="kim"))
        await world.live(world.event("", NOON + 2, type="identify", user="kim", anonymous="phone"))
        await agree(world, False, NOON + 3)
        world.clock.reach(NOON + HOUR)
        await office.settle()
        assert await outcomes(world) == [("skipped", "no_consent")]


async def test_a_push_token_that_was_handed_in_again_survives_an_older_report(world: World) -> None:
    """The provider says when it saw the token die; the app came back after that."""
    async with open_office(world) as office:
        await queued(office)
        await office.settle()
        [message] = await world.rows(Message)
        row = (message.shard, world.project_id, message.user_number, "push", "apns:abc", True, "usable")
        async with world.db.write() as session:
            columns = ("shard", "project_id", "user_number", "channel", "address", "is_current", "state")
            values = dict(zip(columns, row, strict=True)) | {"changed_at": NOON + HOUR, "because": ""}
            await session.run(insert(table_of(Endpoint)).values(values))
            await session.run(update(table_of(Message)).values(channel="push", address="apns:abc"))
        await hear(world, message, ReceiptKind.FAILED, NOON + HOUR - 1, reason="invalid_recipient")
        assert await in_force(world) == []
        await hear(world, message, ReceiptKind.BOUNCED, NOON + HOUR + 1, reason="invalid_recipient")
        assert await in_force(world) == [("apns:abc", "", "invalid_recipient")]
        assert {one.channel: one.state for one in await world.rows(Endpoint)}["push"] == "invalid"


async def test_a_withdrawal_holds_however_its_channel_and_purpose_are_written(world: World) -> None:
    async with open_office(world) as office:
        about = {"channel": "EMAIL", "purpose": "ADVERTISEMENT", "granted": False, "source": "checkout"}
        await world.live(world.event("Consent Changed", NOON, user="kim", **about))
        await queued(office, "advertisement")
        await office.settle()
        assert await outcomes(world) == [("skipped", "no_consent")]
