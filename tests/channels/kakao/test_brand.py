"""Brand Messages through all three relays, and what each of them writes on its wire."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast

import pytest

from channels import Accepted, Deferred, Message, Purpose, Reason, Rejected, Unknown
from channels.contract import Callback, ReceiptKind, Verified
from channels.host import build_host
from channels.kakao.nhn_brand import NhnBrandChannel, NhnBrandSettings
from channels.kakao.sens_brand import SensBrandChannel, SensBrandSettings
from channels.kakao.solapi_brand import SolapiBrandChannel, SolapiBrandSettings
from channels.testing.check import NOW, check_channel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.kakao import KAKAO_CODES
from channels.testing.providers.nhn_brand import FakeNhnBrand
from channels.testing.providers.sens_brand import FakeSensBrand
from channels.testing.providers.solapi_brand import FakeSolapiBrand
from tests.channels.kakao.world import MINUTE, Clock, World, a_world

pytestmark = pytest.mark.anyio

HOUR = 60 * MINUTE
SOLAPI = (
    FakeSolapiBrand,
    SolapiBrandChannel(),
    SolapiBrandSettings(
        api_key="NCSAYU7YDBXYORXC",
        api_secret="solapi-api-secret",
        signing_secret="solapi-webhook-secret",
        pf_id="KA01PF1",
    ),
)
NHN = (
    FakeNhnBrand,
    NhnBrandChannel(),
    NhnBrandSettings(
        app_key="nhnAppKey1",
        secret_key="nhn-secret-key",
        sender_key="0" * 40,
        signing_secret="nhn-webhook-signature",
        unsubscribe_number="080-123-4567",
    ),
)
SENS = (
    FakeSensBrand,
    SensBrandChannel(),
    SensBrandSettings(
        access_key="ncp-access-key",
        secret_key="ncp-secret-key",
        service_id="ncp:kkobizmsg:kr:2700000000006:sens",
        channel_id="@소전",
    ),
)
RELAYS: list[tuple[Any, Any, Any]] = [SOLAPI, NHN, SENS]
LINK = {"mobile": "https://shop.example/a"}
WL = {"type": "WL", "name": "보러 가기", "link_mobile": "https://shop.example/a"}
COUPON = {"title": "10% 할인 쿠폰", "description": "주말까지", "link": LINK}
PRODUCT = {"title": "사과", "regular_price": 12000, "discount_price": 9000, "discount_rate": 25}
CARD = {"header": "사과", "text": "답니다", "image": "https://p/1", "buttons": [WL]}
BUBBLES: dict[str, dict[str, Any]] = {
    "TEXT": {"buttons": [WL], "coupon": COUPON},
    "IMAGE": {"type": "IMAGE", "image": "https://p/1", "image_link": "https://shop.example/p"},
    "WIDE": {"type": "WIDE", "image": "https://p/1", "buttons": [WL, WL]},
    "WIDE_ITEM_LIST": {
        "type": "WIDE_ITEM_LIST",
        "header": "이번 주",
        "items": [{"title": f"과일 {number}", "image": "https://p/1", "link": LINK} for number in range(3)],
    },
    "COMMERCE": {"type": "COMMERCE", "image": "https://p/1", "commerce": PRODUCT, "buttons": [WL]},
    "CAROUSEL_FEED": {"type": "CAROUSEL_FEED", "carousel": {"cards": [CARD, CARD], "tail": LINK}},
    "CAROUSEL_COMMERCE": {
        "type": "CAROUSEL_COMMERCE",
        "carousel": {
            "head": {"header": "추천", "text": "고른 것", "image": "https://p/1", "link": LINK},
            "cards": [{"commerce": PRODUCT, "image": "https://p/1", "buttons": [WL]}],
        },
    },
}


def an_advert(
    reference: str = "m-1", to: str = "+821012345678", *, options: Any = None, **content: str
) -> Message:
    told = {"text": "민아님, 사과가 나왔습니다.", **content}
    return Message(reference, to, told, NOW, options=options or {}, purpose=Purpose.ADVERTISEMENT)


def of_bubble(kind: str, reference: str = "m-1") -> Message:
    without_text = kind in ("WIDE_ITEM_LIST", "COMMERCE", "CAROUSEL_FEED", "CAROUSEL_COMMERCE")
    return an_advert(reference, options=BUBBLES[kind], **({"text": ""} if without_text else {}))


def body_of(world: World) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(world.provider.requests[-1][3]))


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
        outcome = await world.open().send(of_bubble(kind, f"m-{kind}"))
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
        (an_advert(options={"image": "https://p/1"}), Reason.CONTENT_INVALID, "has no image"),
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


async def test_how_solapi_writes_it() -> None:
    clock = Clock()
    async with a_world(FakeSolapiBrand(clock), SOLAPI[1], SOLAPI[2], clock) as world:
        await world.open().send(of_bubble("TEXT"))
        (said,) = body_of(world)["messages"]
        assert (said["type"], said["text"]) == ("BMS_FREE", "민아님, 사과가 나왔습니다.")
        link = {"linkMobile": "https://shop.example/a"}
        assert said["kakaoOptions"] == {
            "pfId": "KA01PF1",
            "disableSms": True,
            "bms": {
                "targeting": "I",
                "chatBubbleType": "TEXT",
                "adult": False,
                "buttons": [{"linkType": "WL", "name": "보러 가기", **link}],
                "coupon": {"title": "10% 할인 쿠폰", "description": "주말까지", **link},
            },
        }
        await world.open().send(of_bubble("WIDE_ITEM_LIST", "m-2"))
        bubble = body_of(world)["messages"][0]["kakaoOptions"]["bms"]
        assert bubble["mainWideItem"]["title"] == "과일 0"
        assert [one["title"] for one in bubble["subWideItemList"]] == ["과일 1", "과일 2"]


async def test_how_nhn_writes_it(at_nhn: World) -> None:
    await at_nhn.open().send_many(
        [of_bubble("WIDE", f"m-{number}") for number in range(3)] + [an_advert("m-9", text="다른 글")]
    )
    bodies = [json.loads(body) for _, _, _, body in at_nhn.provider.requests]
    # What is shown stands once for a request: the same goes out together, a name apart.
    assert [len(body["recipientList"]) for body in bodies] == [3, 1]
    first = bodies[0]
    assert first["recipientList"][0] == {
        "recipientNo": "01012345678",
        "targeting": "I",
        "resendParameter": {"isResend": False},
        "recipientGroupingKey": "m-0",
    }
    del first["recipientList"]
    button = {"type": "WL", "name": "보러 가기", "linkMo": "https://shop.example/a"}
    assert first == {
        "senderKey": "0" * 40,
        "chatBubbleType": "WIDE",
        "adult": False,
        "pushAlarm": True,
        "content": "민아님, 사과가 나왔습니다.",
        "image": {"imageUrl": "https://p/1"},
        "buttons": [button, button],
        "unsubscribeNo": "080-123-4567",
    }


async def test_how_sens_writes_it() -> None:
    clock = Clock()
    async with a_world(FakeSensBrand(clock), SENS[1], SENS[2], clock) as world:
        await world.open().send(of_bubble("COMMERCE"))
        said = body_of(world)
        assert (said["messageType"], said["targeting"], said["isAdult"]) == ("COMMERCE", "I", False)
        assert said["messages"][0]["commerce"] == {
            "title": "사과",
            "regularPrice": "12000",
            "discountPrice": "9000",
            "discountRate": "25",
        }
        outcome = await world.open().send(
            an_advert("m-2", options={"buttons": [{"type": "AC", "name": "채널 추가"}]})
        )
        assert "takes no button" in outcome.text


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
