"""SENS's desk, which only looks; and sending what it shows, rendered whole."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from channels import Reason, Rejected
from channels.alimtalk.desk import (
    CommentKind,
    DeskError,
    Inspection,
    Operation,
    ProfileState,
    WithDesk,
)
from channels.alimtalk.template import Button, Highlight, Item, Template
from channels.kakao.sens import SensAlimtalkChannel, SensSettings
from channels.kakao.sens_desk import SensDesk
from channels.testing import DeskEvidence, Evidence
from channels.testing.check import findings
from channels.testing.providers import Fault
from channels.testing.providers.sens import FakeSens
from channels.testing.providers.sens_desk import RefusedByConsole
from tests.channels.kakao.test_sens import SETTINGS
from tests.channels.kakao.world import MINUTE, Clock, World, a_message, a_world

pytestmark = pytest.mark.anyio

CHANNEL = SensAlimtalkChannel()
PAID: dict[str, Any] = {
    "templateCode": "PAID",
    "templateName": "결제 완료",
    "content": "[소전] #{이름}님의 결제가 끝났습니다.",
    "categoryCode": "002001",
    "emphasizeType": "ITEM_LIST",
    "headerContent": "#{금액}원 결제",
    "itemHighlight": {"title": "주문 완료", "description": "곧 보냅니다"},
    "item": {
        "list": [{"title": "상품", "description": "#{상품}"}, {"title": "번호", "description": "#{번호}"}],
        "summary": {"title": "합계", "description": "#{금액} 원"},
    },
    "buttons": [
        {"order": 1, "type": "WL", "name": "주문 보기", "linkMobile": "https://shop.example/#{번호}"}
    ],
}
TEMPLATE = Template(
    name="결제 완료",
    body="[소전] #{이름}님의 결제가 끝났습니다.",
    emphasis="ITEM_LIST",
    header="#{금액}원 결제",
    highlight=Highlight("주문 완료", "곧 보냅니다"),
    items=(Item("상품", "#{상품}"), Item("번호", "#{번호}")),
    summary=Item("합계", "#{금액} 원"),
    buttons=(Button(type="WL", name="주문 보기", link_mobile="https://shop.example/#{번호}"),),
    category="002001",
)
OPTIONS: dict[str, Any] = {
    "header": "12,000원 결제",
    "highlight": {"title": "주문 완료", "description": "곧 보냅니다"},
    "items": [{"title": "상품", "description": "사과"}, {"title": "번호", "description": "A-1"}],
    "summary": {"title": "합계", "description": "12,000 원"},
    "buttons": [{"type": "WL", "name": "주문 보기", "link_mobile": "https://shop.example/A-1"}],
}
TEXT = "[소전] 민아님의 결제가 끝났습니다."


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeSens(clock, is_strict=True), CHANNEL, SETTINGS, clock) as made:
        desk = made.provider.desk  # type: ignore[attr-defined]  # the fake's own
        desk.register(PAID)
        desk.request("PAID")
        desk.approve("PAID")
        yield made


def sens(world: World) -> FakeSens:
    assert isinstance(world.provider, FakeSens)
    return world.provider


def the_desk(world: World, settings: SensSettings = SETTINGS) -> SensDesk:
    return CHANNEL.open_desk(settings, world.tools)


async def test_the_desk_keeps_the_contract(world: World) -> None:
    assert isinstance(CHANNEL, WithDesk)
    shown = DeskEvidence(template=TEMPLATE, approved_code="PAID")
    evidence = Evidence(channel=CHANNEL, settings=SETTINGS, tools=world.tools, desk=shown)
    assert await findings(evidence, "desk") == []


async def test_what_only_the_console_does_says_where(world: World) -> None:
    for asked in (the_desk(world).create("A", TEMPLATE), the_desk(world).update("A", TEMPLATE)):
        with pytest.raises(DeskError, match="console") as caught:
            await asked
        assert caught.value.reason is Reason.NOT_PERMITTED
    with pytest.raises(DeskError, match="AlimTalk Channel"):
        await the_desk(world).register_profile("@a", "1", "2", "3")


async def test_a_connection_without_a_channel_sends_nothing(world: World) -> None:
    empty = SETTINGS.model_copy(update={"channel_id": ""})
    assert [one.path for one in CHANNEL.problems(empty)] == ["channel_id"]
    assert [one.path for one in await CHANNEL.probe(empty, world.tools)] == ["channel_id"]
    outcome = await CHANNEL.open(empty, world.tools).send(a_message())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, len(world.provider.requests)) == (Reason.SENDER_INVALID, 0)
    assert await CHANNEL.poll(empty, world.tools, None) == ([], None)
    with pytest.raises(DeskError) as caught:
        await the_desk(world, empty).templates()
    assert caught.value.path == "channel_id"


async def test_a_review_in_the_console_is_seen(world: World) -> None:
    desk, console = the_desk(world), sens(world).desk
    console.register({**PAID, "templateCode": "NEW"})
    world.clock.at += MINUTE
    console.request("NEW")
    told = {one.code: one.inspection for one in await desk.templates()}
    assert told == {"PAID": Inspection.APPROVED, "NEW": Inspection.IN_REVIEW}
    assert [one.code for one in await desk.templates(world.clock.at)] == ["NEW"]
    console.reject("NEW", "화면을 보여 주세요.")
    found = await desk.template("NEW")
    assert found is not None
    assert (found.inspection, found.comments[0].kind) == (Inspection.REJECTED, CommentKind.REJECTION)
    assert found.comments[0].at == world.clock.at
    console.review_after, console.reviewer = 1000, lambda row: ""
    console.request("NEW")
    world.clock.at += 1000
    console.stop("PAID")
    standing = {one.code: one.operation for one in await desk.templates()}
    assert standing == {"PAID": Operation.STOPPED, "NEW": Operation.ACTIVE}
    with pytest.raises(RefusedByConsole, match="taken"):
        console.register(PAID)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, ProfileState.ACTIVE),
        ({"isBlock": True}, ProfileState.BLOCKED),
        ({"isDormant": True}, ProfileState.DORMANT),
        ({"channelStatus": "PENDING_DELETE"}, ProfileState.CLOSED),
        ({"channelStatus": "DELETING_PERMANETLY"}, ProfileState.DELETED),
        ({"channelStatus": "SOMETHING"}, ProfileState.UNKNOWN),
    ],
)
async def test_how_a_channel_stands(world: World, change: dict[str, Any], state: ProfileState) -> None:
    sens(world).desk.channel |= change
    (profile,) = await the_desk(world).profiles()
    assert (profile.state, profile.key) == (state, "@소전")


async def test_everything_goes_out_rendered(world: World) -> None:
    await world.open().send(a_message(template="PAID", variables={}, options=OPTIONS, text=TEXT))
    (message,) = world.sent()[0]["messages"]
    assert message["headerContent"] == "12,000원 결제"
    assert message["itemHighlight"] == {"title": "주문 완료", "description": "곧 보냅니다"}
    assert message["item"]["list"][1] == {"title": "번호", "description": "A-1"}
    assert message["item"]["summary"] == {"title": "합계", "description": "12,000 원"}
    world.clock.at += MINUTE
    assert [one.code for one in await world.listen()] == ["0000"]


WRONG: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("3015", {}, {"template": "NOBODY"}),
    ("3016", {}, {"text": "다른 글"}),
    ("3028", {}, {"title": "제목"}),
    ("3031", {"header": "다른 머리"}, {}),
    ("3033", {"highlight": None}, {}),
    ("3036", {"items": OPTIONS["items"][:1]}, {}),
    ("3038", {"summary": None}, {}),
    ("3027", {"buttons": []}, {}),
]


@pytest.mark.parametrize(("code", "change", "content"), WRONG, ids=[one[0] for one in WRONG])
async def test_what_differs_from_its_template_fails_later(
    world: World, code: str, change: dict[str, Any], content: dict[str, str]
) -> None:
    said = {"template": "PAID", "text": TEXT, **content}
    await world.open().send(a_message(variables={}, options={**OPTIONS, **change}, **said))
    world.clock.at += MINUTE
    assert [one.code for one in await world.listen()] == [code]


@pytest.mark.parametrize("name", ["quick_replies", "link"])
async def test_what_sens_has_no_field_for_is_refused_here(world: World, name: str) -> None:
    options = {"quick_replies": [{"type": "BK", "name": "문의"}], "link": {"mobile": "https://shop.example"}}
    outcome = await world.open().send(a_message(options={name: options[name]}))
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.code, world.sent()) == (Reason.CONTENT_INVALID, name, [])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(no_connection=True), Reason.PROVIDER_ERROR),
        (Fault(reset_after=True), Reason.OUTCOME_UNKNOWN),
        (Fault(401, {}, b'{"error": {"errorCode": "210", "message": "x"}}'), Reason.AUTH_FAILED),
        (Fault(429, {}, b"x"), Reason.RATE_LIMITED),
        (Fault(200, {}, b"{}"), Reason.PROVIDER_ERROR),
    ],
)
async def test_a_desk_that_cannot_be_reached_says_so(world: World, fault: Fault, reason: Reason) -> None:
    world.provider.faults.append(fault)
    with pytest.raises(DeskError) as caught:
        await the_desk(world).templates()
    assert caught.value.reason is reason
