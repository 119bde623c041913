"""Sending by templates that NHN Cloud has approved: what fits them goes out."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import Accepted, Reason
from tests.channels.kakao.nhn_world import PAID, WELCOME, at_nhn, nhn, the_desk
from tests.channels.kakao.test_nhn import SETTINGS
from tests.channels.kakao.world import World, a_message

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with at_nhn() as made:
        yield made


async def test_everything_that_was_registered_goes_out_and_whatever_differs_is_refused(world: World) -> None:
    desk, fake = the_desk(world), nhn(world)
    await desk.create("PAID", PAID)
    fake.desk.approve("PAID")
    options: dict[str, Any] = {
        "header": "12,000원 결제",
        "highlight": {
            "title": "주문 완료",
            "description": "곧 보냅니다",
            "image_url": "https://img.example/t.png",
        },
        "items": [{"title": "상품", "description": "사과"}, {"title": "번호", "description": "A-1"}],
        "summary": {"title": "합계", "description": "12,000 원"},
        "link": {
            "mobile": "https://shop.example/o",
            "pc": "https://shop.example/o",
            "android": "shop://o",
            "ios": "shop://o",
        },
        "buttons": [
            {"type": "AC", "name": "채널 추가"},
            {"type": "WL", "name": "주문 보기", "link_mobile": "https://shop.example/A-1"},
        ],
        "quick_replies": [{"type": "BK", "name": "문의"}],
    }

    async def code_of(number: int, change: dict[str, Any], **content: str) -> str:
        text = {"template": "PAID", "text": "[소전] 민아님의 결제가 끝났습니다.", **content}
        sent = a_message(f"m-{number}", variables={}, options={**options, **change}, **text)
        return str((await world.open().send(sent)).code)

    assert await code_of(0, {}) == "0"
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"header": "다른 머리"}, "-3042"),
        ({"items": options["items"][:1]}, "-3043"),
        ({"highlight": None}, "-3043"),
        ({"link": None}, "-3046"),
        ({"buttons": options["buttons"][:1]}, "-3011"),
    ]
    for number, (change, expected) in enumerate(wrong, 1):
        assert await code_of(number, change) == expected
    assert await code_of(9, {}, text="[소전] 민아님의 결제가 끝났습니다") == "-3010"
    filled = {"이름": "민아", "금액": "12,000", "상품": "사과", "주문번호": "A-1"}
    sender = world.open()
    assert (await sender.send(a_message("v-1", variables=filled, template="PAID"))).code == "0"
    assert (await sender.send(a_message("v-2", variables={"이름": "민아"}, template="PAID"))).code == "-3049"
    await sender.send(a_message("v-3", variables={**filled, "상품": "가" * 24}, template="PAID"))
    world.clock.at += 60_000
    assert [one.code for one in await world.listen() if one.reference != "m-0"][-1] == "3037"


async def test_a_first_time_sender_and_the_cap_of_a_day(world: World) -> None:
    desk, fake = the_desk(world), nhn(world)
    await desk.create("WELCOME_01", WELCOME)
    fake.desk.approve("WELCOME_01")
    profile = fake.desk.profiles[SETTINGS.sender_key]
    profile["initialUserRestriction"], profile["alimtalk"]["dailyMaxCount"] = True, 1
    long, right = "가" * (len("#{이름}") + 15), "가" * (len("#{이름}") + 14)
    outcomes = [
        await world.open().send(a_message(f"m-{number}", variables={"이름": name}))
        for number, name in enumerate((long, right, "민아"))
    ]
    assert [one.code for one in outcomes] == ["-1028", "0", "-1017"]
    assert [getattr(one, "reason", None) for one in outcomes] == [
        Reason.CONTENT_INVALID,
        None,
        Reason.QUOTA_EXCEEDED,
    ]
    world.clock.at += 24 * 3_600_000
    assert isinstance(await world.open().send(a_message("m-9")), Accepted)
