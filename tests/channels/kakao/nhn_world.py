"""What the tests of NHN Cloud's desk share: two templates, and a relay that sends only approved ones."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels.alimtalk.desk import DeskError, Registered
from channels.alimtalk.template import Button, Highlight, Image, Item, Link, Template
from channels.kakao.nhn import NhnAlimtalkChannel, NhnSettings
from channels.kakao.nhn_desk import NhnDesk
from channels.testing.providers.nhn import FakeNhn
from tests.channels.kakao.test_nhn import SETTINGS
from tests.channels.kakao.world import Clock, World, a_world

CHANNEL = NhnAlimtalkChannel()
WELCOME = Template(name="가입 환영", body="#{이름}님, 소전에 오신 것을 환영합니다.", category="001001")
PAID = Template(
    name="결제 완료",
    body="[소전] #{이름}님의 결제가 끝났습니다.",
    message_type="MI",
    emphasis="ITEM_LIST",
    extra="자세한 내용은 누리집에 있습니다.",
    header="#{금액}원 결제",
    highlight=Highlight("주문 완료", "곧 보냅니다", Image("", "https://img.example/t.png")),
    items=(Item("상품", "#{상품}"), Item("번호", "#{주문번호}")),
    summary=Item("합계", "#{금액} 원"),
    link=Link("https://shop.example/o", "https://shop.example/o", "shop://o", "shop://o"),
    buttons=(
        Button(type="AC", name="채널 추가"),
        Button(type="WL", name="주문 보기", link_mobile="https://shop.example/#{주문번호}"),
    ),
    quick_replies=(Button(type="BK", name="문의"),),
    category="002001",
)


@asynccontextmanager
async def at_nhn() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeNhn(clock, is_strict=True), CHANNEL, SETTINGS, clock) as made:
        yield made


def nhn(world: World) -> FakeNhn:
    assert isinstance(world.provider, FakeNhn)
    return world.provider


def the_desk(world: World, settings: NhnSettings = SETTINGS) -> NhnDesk:
    return CHANNEL.open_desk(settings, world.tools)


async def standing(desk: NhnDesk, code: str) -> Registered:
    found = await desk.template(code)
    assert found is not None
    return found


async def refused(asked: Any) -> DeskError:
    with pytest.raises(DeskError) as caught:
        await asked
    return caught.value
