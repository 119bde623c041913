"""Consents by purpose, at the claim: what a message demands, the night in Korea, and when a consent ends."""

from typing import Any

import pytest
from sqlalchemy import update

from channels.contract import ReceiptKind
from server.delivery.receipts import HeardReceipt, encode
from server.store import inbox, projects
from server.store.bulk import table_of
from server.store.tables import Consent, Message, Suppression, User
from tests.server.delivery.office import Office, open_office, sign_up, welcome
from tests.world import DAY, HOUR, NOON, World

pytestmark = pytest.mark.anyio
NIGHT = NOON + 3 * HOUR
"""23:00 in Seoul: the world's noon is 20:00 there."""
MORNING = NOON + 12 * HOUR


async def queued(office: Office, at: int = NOON, channel: str = "sms", **values: Any) -> None:
    """A message to Kim that is due, changed like this before anybody looks at it."""
    world = office.world
    if not await world.rows(Message):
        await world.add_connection()
        await world.add_journey(welcome())
    world.clock.reach(at)
    await sign_up(world, "kim", at=at)
    await world.settle()
    table = table_of(Message)
    async with world.db.write() as session:
        await session.run(update(table).where(table.c.status == "queued").values(channel=channel, **values))


async def decide(world: World, purpose: str, at: int, *, granted: bool = True, **more: Any) -> None:
    about = {"channel": "sms", "purpose": purpose, "granted": granted, **more}
    await world.live(world.event("Consent Changed", at, user="kim", **about))


async def under_the_law(world: World) -> None:
    async with world.db.write() as session:
        await projects.set_law(session, world.project_id, "KR", "")


async def outcomes(world: World) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in await world.rows(Message, "created_at", "id")]


async def test_an_advertisement_at_night_waits_for_the_morning_unless_it_is_agreed_to(world: World) -> None:
    await under_the_law(world)
    async with open_office(world) as office:
        await queued(office, NIGHT, purpose="advertisement")
        await office.settle()
        [message] = await world.rows(Message)
        assert (message.status, message.due_at) == ("queued", MORNING)
        # A consent to advertisements is none to those at night; and a consent that has ended is none.
        await decide(world, "advertisement", NIGHT + 1)
        await decide(world, "night_advertisement", NIGHT + 2, until="2024-03-13T14:30:00Z")
        world.clock.reach(NIGHT + HOUR)
        await queued(office, NIGHT + HOUR, purpose="advertisement")
        await office.settle()
        assert [one[0] for one in await outcomes(world)] == ["queued", "queued"]
        await decide(world, "night_advertisement", NIGHT + HOUR + 1)
        await queued(office, NIGHT + HOUR + 2, purpose="advertisement")
        await office.settle()
        assert [one[0] for one in await outcomes(world)] == ["queued", "queued", "accepted"]
        world.clock.reach(MORNING)
        await office.settle()
        assert [one[0] for one in await outcomes(world)] == ["accepted"] * 3


async def test_by_night_go_information_and_e_mail_and_whatever_goes_by_no_law(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, NIGHT, purpose="advertisement")
        await office.settle()
        await under_the_law(world)
        await queued(office, NIGHT + 1, purpose="information")
        await office.settle()
        await queued(office, NIGHT + 2, "email", purpose="advertisement")
        await office.settle()
        assert [one[0] for one in await outcomes(world)] == ["accepted"] * 3


async def test_what_a_message_demands_is_looked_at_when_it_leaves(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, demands="benefit_notice")
        await office.settle()
        # Asked under KakaoTalk, whose template demands it, also of the text message in its place.
        agreed = {"channel": "kakao", "basis": "terms", "until": "2024-03-14T11:00:00Z"}
        await decide(world, "benefit_notice", NOON + 1, **agreed)
        await queued(office, NOON + HOUR, demands="benefit_notice")
        await office.settle()
        await queued(office, NOON + DAY, demands="benefit_notice")
        await office.settle()
        async with world.db.write() as session:
            await session.run(update(table_of(User)).values(user_id=None))
        table = table_of(Message)
        async with world.db.write() as session:
            await session.run(update(table).where(table.c.id == (await world.rows(Message, "id"))[-1].id)
                              .values(status="queued", due_at=NOON + DAY))  # fmt: skip
        await office.settle()
    found = await outcomes(world)
    assert found[:2] == [("skipped", "no_consent"), ("accepted", "")]
    assert found[2][1] == "not_member"
    [consent] = await world.rows(Consent)
    assert (consent.basis, consent.until) == ("terms", NOON + DAY)


async def test_a_block_of_the_channel_an_opt_out_and_a_withdrawal_stay_three_things(world: World) -> None:
    async with open_office(world) as office:
        await queued(office, NOON, "kakao")
        [message] = await world.rows(Message)
        await office.settle()
        await decide(world, "advertisement", NOON + 1, granted=True)
        receipt = HeardReceipt(
            message.id, "3020", ReceiptKind.FAILED, NOON + 2, reason="opted_out", code="3020"
        )
        entry = inbox.Entry(message.shard, world.project_id, inbox.RECEIPT, encode(receipt), NOON)
        async with world.db.write() as session:
            await inbox.append(session, [entry])
        await world.settle()
    # The channel's block is the address's on that channel, and no word about advertisements.
    assert [(one.channel, one.reason) for one in await world.rows(Suppression)] == [("kakao", "opted_out")]
    assert [(one.channel, one.purpose, one.granted) for one in await world.rows(Consent)] == [
        ("sms", "advertisement", True)
    ]
    # An opt-out of advertisements is a consent withdrawn on one channel, and suppresses no address.
    await decide(world, "advertisement", NOON + 3, granted=False)
    assert [one.channel for one in await world.rows(Suppression)] == ["kakao"]
    # Neither is a person who is gone.
    [user] = await world.rows(User)
    assert user.erased_at is None


async def test_an_event_that_says_nonsense_of_a_consent_decides_nothing(world: World) -> None:
    await sign_up(world, "kim")
    for more in ({"basis": "hope"}, {"until": "soon"}):
        await decide(world, "night_advertisement", NOON + 1, **more)
    await decide(world, "weather", NOON + 1)
    assert await world.rows(Consent) == []
