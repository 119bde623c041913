"""Brand Messages in journeys: who may be written to, and what a drawn step is told about."""

from typing import Any

import pytest
from sqlalchemy import update

from channels.contract import Purpose
from channels.testing.fake import FakeChannel
from server.store import sightings
from server.store.bulk import table_of
from server.store.tables import Consent, Message, Project
from tests.server.delivery.office import Office, open_office
from tests.world import NOON, World, reaching, saying

pytestmark = pytest.mark.anyio

BRAND = "brand_message"


def agree(world: World, user: str, channel: str, granted: bool, at: int = NOON) -> Any:
    said = {"channel": channel, "purpose": "advertisement", "granted": granted}
    return world.event("Consent Changed", at, user=user, **said)


async def reach(office: Office, world: World, *users: str) -> dict[str, tuple[str, str]]:
    """What became of the message to each."""
    office.host.channels["any"] = FakeChannel(key="any", channel=BRAND)
    await world.add_connection("mine", "any", channel=BRAND)
    await world.add_journey(reaching(saying(BRAND)))
    for number, user in enumerate(users):
        phone = f"010-1234-567{number}"
        await world.send(world.event("", NOON + 1, user=user, type="identify", phone=phone))
        await world.send(world.event("sign_up", NOON + 2, user=user))
    await office.settle()
    rows = await world.rows(Message, "address")
    return {user: (row.status, row.reason) for user, row in zip(users, rows, strict=True)}


async def test_consent_to_advertisements_by_kakaotalk_is_one_whatever_it_was_called(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    async with world.db.write() as session:
        await session.run(update(table_of(Project)).values(requires_consent=True))
    await world.send(
        agree(world, "kakao-yes", "kakao", True),
        agree(world, "brand-yes", BRAND, True),
        agree(world, "brand-no", "kakao", True),
        agree(world, "brand-no", BRAND, False, NOON + 1),
        agree(world, "sms-yes", "sms", True),
    )
    async with open_office(world) as office:
        told = await reach(office, world, "kakao-yes", "brand-yes", "brand-no", "sms-yes")
    skipped = ("skipped", "no_consent")
    assert told == {
        "kakao-yes": ("accepted", ""),
        "brand-yes": ("accepted", ""),
        "brand-no": skipped,
        "sms-yes": skipped,
    }
    kept = [(row.channel, row.granted) for row in await world.rows(Consent, "user_number")]
    assert sorted(kept) == [("kakao", False), ("kakao", True), ("kakao", True), ("sms", True)]


async def test_it_is_an_advertisement_for_its_adapter(sqlite_world: World) -> None:
    async with open_office(sqlite_world) as office:
        told = await reach(office, sqlite_world, "kim")
        assert told == {"kim": ("accepted", "")}
        fake = office.host.channels["any"]
        assert isinstance(fake, FakeChannel)
        (message,) = fake.attempts
    assert (message.to, message.purpose) == ("+821012345670", Purpose.ADVERTISEMENT)


async def test_who_wants_nothing_by_kakaotalk_gets_no_brand_message(world: World) -> None:
    async with world.db.write() as session:
        about = (session, world.project_id, "kakao", "+821012345670", "advertisement")
        await sightings.opt_out_address(*about, source="api", now=NOON)
    async with open_office(world) as office:
        told = await reach(office, world, "kim", "lee")
    assert told == {"kim": ("skipped", "suppressed"), "lee": ("accepted", "")}
