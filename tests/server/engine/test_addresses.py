"""What events tell of addresses, and the messages that are born for them."""

import asyncio
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.engine.addresses import MOST_DEVICES, region_of
from server.store import sightings
from server.store.tables import Endpoint, Message, User
from tests.world import DAY, HOUR, NOON, World, reaching, saying

from .divided import divided_world, without_complaint
from .test_laws import LAW

pytestmark = pytest.mark.anyio

IPHONE = {"device": {"type": "ios", "token": "a1b2"}}
ANDROID = {"device": {"type": "android", "token": "cXy:APA91b-Z"}}
SUBSCRIPTION = {
    "endpoint": "https://push.example/abc",
    "expirationTime": None,
    "keys": {"p256dh": "BNc", "auth": "tBH"},
}
WEB = 'webpush:{"endpoint":"https://push.example/abc","keys":{"auth":"tBH","p256dh":"BNc"}}'


async def tell(world: World, at: int = NOON, /, *, user: str = "kim", **traits: Any) -> None:
    await world.live(world.event("", at, user=user, type="identify", **traits))


async def current(world: World, channel: str = "push") -> list[str]:
    """Latest first."""
    rows = [row for row in await world.rows(Endpoint) if row.channel == channel and row.is_current]
    return [row.address for row in sorted(rows, key=lambda row: -row.changed_at)]


async def born(world: World) -> list[tuple[str, str, str]]:
    return [(row.address, row.status, row.reason) for row in await world.rows(Message, "address")]


@pytest.mark.parametrize(
    ("zone", "region"),
    [("Asia/Seoul", "KR"), ("America/New_York", "US"), ("Europe/Berlin", "DE"), ("UTC", "ZZ")],
)
def test_a_time_zone_has_a_country(zone: str, region: str) -> None:
    assert region_of(zone) == region


async def test_one_number_is_for_texts_whatsapp_and_kakao(world: World) -> None:
    await tell(world, phone="010-1234-5678")
    for channel in ("sms", "whatsapp", "kakao", "brand_message"):
        assert await current(world, channel) == ["+821012345678"]
    await tell(world, NOON + 1, phone=None)
    assert await current(world, "sms") == []


@pytest.mark.parametrize("number", ["12", "call me", 7.5, True, ["010-1234-5678"], "0" * 5000])
async def test_what_can_be_no_number_is_no_address_and_no_error(world: World, number: Any) -> None:
    await tell(world, phone=number, name="Kim")
    assert await world.rows(Endpoint) == []
    [user] = await world.rows(User)
    assert orjson.loads(user.attributes)["name"] == "Kim"


async def test_a_device_tells_its_token_with_any_event(world: World) -> None:
    await world.live(world.event("view", NOON, user="kim", context=IPHONE))
    await world.live(world.event("view", NOON + 1, user="kim", context=ANDROID))
    assert await current(world) == ["fcm:cXy:APA91b-Z", "apns:a1b2"]


async def test_tokens_and_subscriptions_come_as_a_trait(world: World) -> None:
    await tell(world, push_tokens=SUBSCRIPTION)
    await tell(world, NOON + 1, push_tokens=["fcm:one", "no scheme", "hcm:two", {"keys": {}}, 7])
    assert set(await current(world)) == {WEB, "fcm:one", "hcm:two"}
    await tell(world, NOON + 2, push_tokens=None)
    assert await current(world) == []


async def test_an_app_that_is_gone_takes_its_token_along(world: World) -> None:
    await world.live(world.event("view", NOON, user="kim", context=IPHONE))
    await world.live(world.event("view", NOON + 1, user="kim", context=ANDROID))
    await world.live(world.event("Application Uninstalled", NOON + 2, user="kim", context=ANDROID))
    assert await current(world) == ["apns:a1b2"]
    await world.live(world.event("Application Uninstalled", NOON + 3, user="kim", push_tokens="apns:a1b2"))
    assert await current(world) == []


async def test_of_many_devices_the_latest_stay(world: World) -> None:
    for n in range(MOST_DEVICES + 2):
        await tell(world, NOON + n, push_tokens=f"fcm:{n}")
    assert await current(world) == [f"fcm:{n}" for n in reversed(range(2, MOST_DEVICES + 2))]
    assert len(await world.rows(Endpoint)) == MOST_DEVICES + 2


async def test_a_device_that_is_heard_of_every_minute_is_written_down_once_a_day(world: World) -> None:
    for at in (NOON, NOON + HOUR, NOON + DAY, NOON + DAY + HOUR):
        await world.live(world.event("view", at, user="kim", context=IPHONE))
        [row] = await world.rows(Endpoint)
        assert row.changed_at == (NOON if at < NOON + DAY else NOON + DAY)


async def test_a_message_goes_to_each_device_by_the_connection_that_writes_to_it(world: World) -> None:
    apns = await world.add_connection("apple", channel="push", takes="apns:")
    fcm = await world.add_connection("google", channel="push", takes="fcm:")
    await world.add_journey(reaching(saying("push", expires_after_ms=HOUR, purpose="advertisement")))
    await tell(world, push_tokens=["apns:a", "fcm:b", "hcm:c"])
    await world.live(world.event("sign_up", NOON + 1, user="kim"))
    found = await world.rows(Message, "address")
    assert [(row.address, row.connection_id) for row in found] == [("apns:a", apns), ("fcm:b", fcm)]
    assert all(row.may_fail_over and row.purpose == "advertisement" for row in found)
    assert all(row.expires_at == row.created_at + HOUR for row in found)
    assert await world.total("queued") == 2
    [path] = await world.runs()
    assert await world.path(path.id) == [("entry", "next"), ("push", "next"), ("done", "completed")]


async def test_the_connection_that_a_step_names_is_used_and_no_other(world: World) -> None:
    await world.add_connection("apple", channel="push", takes="apns:")
    fcm = await world.add_connection("google", channel="push", takes="fcm:")
    await world.add_journey(reaching(saying("push", connection="google")))
    await tell(world, push_tokens=["apns:a", "fcm:b"])
    await world.live(world.event("sign_up", NOON + 1, user="kim"))
    [message] = await world.rows(Message)
    assert (message.address, message.connection_id, message.may_fail_over) == ("fcm:b", fcm, False)


async def test_without_a_name_the_most_preferred_that_is_on_sends(world: World) -> None:
    await world.add_connection("first", channel="sms", preference=1, is_enabled=False)
    await world.add_connection("third", channel="sms", preference=3)
    second = await world.add_connection("second", channel="sms", preference=2)
    await world.add_journey(reaching(saying("sms")))
    await tell(world, phone="010-1234-5678")
    await world.live(world.event("sign_up", NOON + 1, user="kim"))
    [message] = await world.rows(Message)
    assert (message.address, message.connection_id) == ("+821012345678", second)


@pytest.mark.parametrize(
    ("channels", "traits", "reason"),
    [
        ((), {"push_tokens": ["fcm:a", "fcm:b"]}, "no_connection"),
        (("apns:",), {"push_tokens": ["fcm:a", "fcm:b"]}, "no_connection"),
        (("fcm:",), {}, "no_address"),
    ],
)
async def test_what_cannot_be_sent_is_one_message_that_says_why(
    world: World, channels: tuple[str, ...], traits: dict[str, Any], reason: str
) -> None:
    for takes in channels:
        await world.add_connection(takes, channel="push", takes=takes)
    await world.add_journey(reaching(saying("push")))
    await tell(world, **traits)
    await world.live(world.event("sign_up", NOON + 1, user="kim"))
    assert [(status, why) for _, status, why in await born(world)] == [("skipped", reason)]
    assert await world.counts("skipped", "channel", "reason") == {("push", reason): 1}


@pytest.mark.parametrize("kind", ["in_app", "webhook"])
async def test_in_the_app_and_on_webhooks_the_user_id_is_the_address(world: World, kind: str) -> None:
    await world.add_connection(channel=kind)
    await world.add_journey(reaching(saying(kind)))
    await world.live(
        world.event("sign_up", NOON, user="kim"), world.event("sign_up", NOON, anonymous="phone")
    )
    assert await born(world) == [("", "skipped", "no_address"), ("kim", "queued", "")]
    assert await world.rows(Endpoint) == []


async def test_a_channel_of_somebody_elses_has_its_steps(world: World) -> None:
    await world.add_connection(channel="pigeon")
    await world.add_journey(reaching(saying("message")))
    await world.live(world.event("sign_up", NOON, user="kim"))
    assert await world.counts("skipped", "channel", "reason") == {("pigeon", "no_address"): 1}


NUMBERS = st.lists(st.integers(0, 7), max_size=5)


@settings(LAW, max_examples=10)
@given(NUMBERS, NUMBERS, st.sets(st.integers(0, 7), max_size=3), st.sets(st.integers(0, 7), max_size=3))
def test_merging_two_users_keeps_the_union_of_their_devices_and_every_opt_out(
    kims: list[int], phones: list[int], kim_out: set[int], phone_out: set[int]
) -> None:
    async def play() -> None:
        async with divided_world(4) as world:
            await world.live(
                world.event("", NOON, user="kim", type="identify"),
                world.event("", NOON, anonymous="phone", type="identify"),
            )
            numbers = {row.user_id: (row.shard, row.number) for row in await world.rows(User)}
            for who, own in ({"user": "kim"}, kims), ({"anonymous": "phone"}, phones):
                for n in own:
                    await world.live(
                        world.event("", NOON + n, type="identify", push_tokens=f"fcm:{n}", **who)
                    )
            for n in kim_out | phone_out:
                await opt_out(world, f"fcm:{n}")
            await world.live(world.event("", NOON + HOUR, user="kim", anonymous="phone", type="identify"))
            rows = [
                row for row in await world.rows(Endpoint) if (row.shard, row.user_number) == numbers["kim"]
            ]
            assert {row.address for row in rows if row.is_current} == {f"fcm:{n}" for n in {*kims, *phones}}
            opted = {f"fcm:{n}" for n in (kim_out | phone_out) & {*kims, *phones}}
            assert {row.address for row in rows if row.state == "opted_out"} == opted

    with without_complaint():
        asyncio.run(play())


async def opt_out(world: World, address: str) -> None:
    async with world.db.write() as session:
        about = (world.project_id, "push", address, "")
        await sightings.opt_out_address(session, *about, source="unsubscribe", now=NOON + 10)
