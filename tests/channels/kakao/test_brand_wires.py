"""What each relay is told of a Brand Message, word for word."""

import json
from collections.abc import AsyncIterator

import pytest

from channels.testing.providers.nhn_brand import FakeNhnBrand
from channels.testing.providers.sens_brand import FakeSensBrand
from channels.testing.providers.solapi_brand import FakeSolapiBrand
from tests.channels.kakao.brand_world import NHN, SENS, SOLAPI, an_advert, body_of, of_bubble, own_picture
from tests.channels.kakao.world import Clock, World, a_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def at_nhn() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeNhnBrand(clock), NHN[1], NHN[2], clock) as made:
        yield made


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
        [of_bubble("WIDE", f"m-{number}", own_picture(NHN[1])) for number in range(3)]
        + [an_advert("m-9", text="다른 글")]
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
        "image": {"imageUrl": own_picture(NHN[1])},
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
