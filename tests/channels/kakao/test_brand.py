"""Brand Messages through all three relays: what goes out, when, to whom, and what is heard."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from channels import Accepted, Deferred, Message, Purpose, Reason, Rejected, Unknown
from channels.contract import Callback, ReceiptKind, Verified
from channels.host import build_host
from channels.testing.check import NOW, check_channel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.kakao import KAKAO_CODES
from channels.testing.providers.nhn_brand import FakeNhnBrand
from tests.channels.kakao.brand_world import (
    BUBBLES,
    COUPON,
    NHN,
    RELAYS,
    WL,
    an_advert,
    body_of,
    of_bubble,
    own_picture,
)
from tests.channels.kakao.world import MINUTE, Clock, World, a_world

pytestmark = pytest.mark.anyio

HOUR = 60 * MINUTE


@pytest.fixture(params=RELAYS, ids=lambda relay: relay[1].key)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    fake, channel, settings = request.param
    clock = Clock()
    async with a_world(fake(clock), channel, settings, clock) as made:
        yield made


@pytest.fixture
async def at_nhn() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeNhnBrand(clock), NHN[1], NHN[2], clock) as made:
        yield made


def test_the_host_has_all_three() -> None:
    channels = build_host(discover=False).channels
    ours = [key for key, one in channels.items() if one.channel == "brand_message"]
    assert ours == ["nhn_brand", "sens_brand", "solapi_brand"]


async def test_every_bubble_that_a_relay_has_goes_out_and_arrives(world: World) -> None:
    for kind in BUBBLES:
        message = of_bubble(kind, f"m-{kind}", own_picture(world.channel))
        outcome = await world.open().send(message)
        if kind in world.channel.brand_can.bubbles:
            assert isinstance(outcome, Accepted), (kind, outcome)
        else:
            assert (outcome.reason, outcome.code) == (Reason.CONTENT_INVALID, "AT037")
    world.clock.at += MINUTE
    kinds = {one.kind for one in await world.listen()}
    assert kinds == {ReceiptKind.DELIVERED}


@pytest.mark.parametrize(
    ("wrong", "reason", "told"),
    [
        (replace(an_advert(), purpose=Purpose.INFORMATION), Reason.CONTENT_INVALID, "always an advert"),
        (an_advert(to="+12025550123"), Reason.INVALID_RECIPIENT, "Korean"),
        (an_advert(text="(광고) 사과가 나왔습니다"), Reason.CONTENT_INVALID, "(광고) itself"),
        (an_advert(text=" ( 광 고 ) 사과"), Reason.CONTENT_INVALID, "text: "),
        (an_advert(text=""), Reason.CONTENT_INVALID, "wants text"),
        (an_advert(text="가" * 1301), Reason.CONTENT_INVALID, "1300 characters"),
        (an_advert(text="가\n" * 100), Reason.CONTENT_INVALID, "99 line breaks"),
        (an_advert(options={"색": 1}), Reason.CONTENT_INVALID, "options.색"),
        (
            an_advert(options={"image": "PICTURE"}),
            Reason.CONTENT_INVALID,
            "has no image",
        ),
        (an_advert(options={"type": "WIDE"}), Reason.CONTENT_INVALID, "wants image"),
        (an_advert(options={"buttons": [WL] * 6}), Reason.CONTENT_INVALID, "buttons: From 0 to 5"),
        (an_advert(options={"buttons": [WL] * 5, "coupon": COUPON}), Reason.CONTENT_INVALID, "0 to 4"),
        (
            an_advert(options={"coupon": {**COUPON, "title": "사은품"}}),
            Reason.CONTENT_INVALID,
            "coupon.title",
        ),
        (
            an_advert(options={"buttons": [{"type": "AC", "name": "추가"}]}),
            Reason.CONTENT_INVALID,
            "buttons.0",
        ),
    ],
)
async def test_what_no_relay_could_send_is_refused_before_anybody_is_asked(
    world: World, wrong: Message, reason: Reason, told: str
) -> None:
    outcome = await world.open().send(wrong)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert told in outcome.text
    assert world.provider.requests == []


async def test_nobody_is_called_outside_of_the_hours(world: World) -> None:
    closes = world.channel.brand_can.closes
    at_closing = NOW - 9 * HOUR + closes * MINUTE
    world.clock.at = at_closing - 1
    assert isinstance(await world.open().send(an_advert("m-0")), Accepted)
    calls = len(world.provider.requests)
    for at in (at_closing, NOW + 14 * HOUR, NOW + 23 * HOUR - 1):
        world.clock.at = at
        outcome = await world.open().send(an_advert("m-1"))
        assert isinstance(outcome, Deferred)
        assert (outcome.retry_at, outcome.reason) == (NOW + 23 * HOUR, Reason.WINDOW_CLOSED)
    assert len(world.provider.requests) == calls
    world.clock.at = NOW + 23 * HOUR
    assert isinstance(await world.open().send(an_advert("m-2")), Accepted)


async def test_others_than_friends_are_reached_once_that_is_granted(world: World) -> None:
    wanted = an_advert(options={"targeting": "M"})
    outcome = await world.open().send(wanted)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NOT_PERMITTED
    cast("Any", world.provider).is_granted = True
    assert isinstance(await world.open().send(replace(wanted, reference="m-2")), Accepted)


async def test_results_are_heard_by_asking(world: World) -> None:
    world.provider.lives = lambda to: Life(failed=Reason.SENDER_INVALID) if to.endswith("2") else Life()
    outcomes = await world.open().send_many(
        [an_advert(f"m-{number}", f"+82101234567{number}") for number in range(3)]
    )
    world.clock.at += MINUTE
    heard = {one.provider_id: one for one in await world.listen()}
    told = [heard[one.provider_id] for one in outcomes]
    assert [one.reason for one in told] == [None, None, Reason.SENDER_INVALID]
    assert await world.listen() == []


async def test_the_relay_s_own_fallback_is_off(world: World) -> None:
    await world.open().send(an_advert())
    said = json.dumps(body_of(world))
    words = ('"disableSms": true', '"isResend": false', '"useSmsFailover": false')
    assert sum(word in said for word in words) == 1


async def test_a_template_is_filled_by_the_relay(world: World) -> None:
    message = replace(an_advert(template="SALE", text=""), variables={"#{이름}": "민아"})
    assert isinstance(await world.open().send(message), Accepted)
    said = json.dumps(body_of(world), ensure_ascii=False)
    assert '"SALE"' in said
    assert "민아" in said
    assert "content" not in said
    wrong = replace(message, reference="m-2", variables={"a@b": "1"})
    assert "no @" in (await world.open().send(wrong)).text


async def test_nhn_is_asked_for_what_was_lost_and_for_what_is_still_under_way(at_nhn: World) -> None:
    sender = at_nhn.open()
    at_nhn.provider.faults.append(Fault(reset_after=True))
    assert isinstance(await sender.send(an_advert("주문-1")), Unknown)
    found = await sender.ask("주문-1")
    assert isinstance(found, Accepted)
    assert isinstance(await sender.ask("없는-것"), Unknown)
    at_nhn.provider.lives = everybody(Life(delivered_after=3 * HOUR))
    slow = await sender.send(an_advert("주문-2"))
    at_nhn.clock.at += MINUTE
    assert [one.provider_id for one in await at_nhn.listen()] == [found.provider_id]
    for _ in range(3):
        at_nhn.clock.at += HOUR + 1
        heard = await at_nhn.listen()
    assert slow.provider_id in [one.provider_id for one in heard]


async def test_nhn_s_webhook_tells_each_kind_to_its_own(at_nhn: World) -> None:
    at_nhn.provider.lives = everybody(Life(failed=Reason.OPTED_OUT))
    accepted = await at_nhn.open().send(an_advert("가-1"))
    at_nhn.clock.at += MINUTE
    callback = at_nhn.provider.callback(at_nhn.provider.due(at_nhn.clock.at), at_nhn.clock.at)
    verified = NHN[1].verify(NHN[2], callback, at_nhn.clock.at)
    assert isinstance(verified, Verified)
    (told,) = NHN[1].parse(NHN[2], verified)
    assert (told.provider_id, told.reference, told.reason) == (
        accepted.provider_id,
        "가-1",
        Reason.OPTED_OUT,
    )
    other = json.loads(callback.body)
    other["hooks"][0]["kakaoMessageType"] = "ALIMTALK_NORMAL"
    body = json.dumps(other).encode()
    assert NHN[1].parse(NHN[2], Verified(Callback("POST", "/", {}, {}, body), NOW)) == []


@pytest.mark.parametrize("reason", KAKAO_CODES)
async def test_what_kakao_says_has_its_reason(at_nhn: World, reason: Reason) -> None:
    at_nhn.provider.lives = everybody(Life(failed=reason))
    await at_nhn.open().send(an_advert())
    at_nhn.clock.at += MINUTE
    (receipt,) = await at_nhn.listen()
    assert receipt.reason is reason


async def test_wrong_keys_are_told_by_probe(world: World) -> None:
    assert await world.channel.probe(world.settings, world.tools) == []
    secret = next(name for name in ("api_key", "secret_key") if hasattr(world.settings, name))
    wrong = type(world.settings).model_validate({**world.settings.model_dump(mode="python"), secret: "wrong"})
    (problem,) = await world.channel.probe(wrong, world.tools)
    assert problem.path in ("api_key", "secret_key", "access_key")
    outcome = await world.channel.open(wrong, world.tools).send(an_advert())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED


async def test_every_channel_keeps_the_contract(world: World) -> None:
    down = world.settings.model_copy(update={"base_url": "https://down.example"})
    await check_channel(
        world.channel, world.settings, tools=world.tools, message=an_advert(), unreachable=down
    )
