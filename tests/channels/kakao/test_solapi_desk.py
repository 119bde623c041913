"""SOLAPI's desk, from a channel's token to a template that is out of use; and sending by its templates."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from channels import Accepted, Reason, Rejected
from channels.alimtalk.desk import (
    Attachment,
    CommentKind,
    DeskError,
    Does,
    Inspection,
    Operation,
    ProfileState,
    WithDesk,
)
from channels.alimtalk.template import Button, Highlight, Image, Item, Link, Template
from channels.kakao.solapi import SolapiAlimtalkChannel, SolapiSettings
from channels.kakao.solapi_desk import SolapiDesk
from channels.kakao.solapi_desk_words import in_their_words, template_of, untold
from channels.testing import DeskEvidence, Evidence
from channels.testing.check import findings
from channels.testing.providers import Fault
from channels.testing.providers.pictures import a_png
from channels.testing.providers.solapi import FakeSolapi
from tests.channels.kakao.test_solapi import SETTINGS
from tests.channels.kakao.world import Clock, World, a_message, a_world

pytestmark = pytest.mark.anyio

CHANNEL = SolapiAlimtalkChannel()
WELCOME = Template(name="가입 환영", body="#{이름}님, 소전에 오신 것을 환영합니다.", category="001001")
PAID = Template(
    name="결제 완료",
    body="[소전] #{이름}님의 결제가 끝났습니다.",
    message_type="MI",
    emphasis="ITEM_LIST",
    extra="자세한 내용은 누리집에 있습니다.",
    header="#{금액}원 결제",
    highlight=Highlight("주문 완료", "곧 보냅니다", Image("ST01FL01")),
    items=(Item("상품", "#{상품}"), Item("번호", "#{주문번호}")),
    summary=Item("합계", "#{금액} 원"),
    buttons=(
        Button(type="AC", name="채널 추가"),
        Button(type="WL", name="주문 보기", link_mobile="https://shop.example/#{주문번호}", target="out"),
    ),
    quick_replies=(Button(type="BK", name="문의"),),
    category="002001",
)
GOOD = Attachment("그림.png", "image/png", a_png(800, 400))


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeSolapi(clock, is_strict=True), CHANNEL, SETTINGS, clock) as made:
        yield made


def fake(world: World) -> FakeSolapi:
    assert isinstance(world.provider, FakeSolapi)
    return world.provider


def the_desk(world: World, settings: SolapiSettings = SETTINGS) -> SolapiDesk:
    return CHANNEL.open_desk(settings, world.tools)


async def refused(asked: Any) -> DeskError:
    with pytest.raises(DeskError) as caught:
        await asked
    return caught.value


async def approved(world: World, template: Template) -> str:
    made = await the_desk(world).create("", template)
    await the_desk(world).request_review(made.code)
    fake(world).desk.approve(made.code)
    return made.code


async def test_the_desk_keeps_the_contract(world: World) -> None:
    desk = fake(world).desk
    shown = DeskEvidence(
        template=replace(PAID, highlight=Highlight("주문 완료", "곧 보냅니다")),
        approve=desk.approve,
        reject=desk.reject,
        token=lambda name: desk.tokens[name, "01012345678"],
        picture=GOOD,
    )
    evidence = Evidence(channel=CHANNEL, settings=SETTINGS, tools=world.tools, desk=shown)
    assert await findings(evidence, "desk") == []
    assert isinstance(CHANNEL, WithDesk)
    assert not {Does.REVISE, Does.ATTACH, Does.NEWS} & CHANNEL.desk_can.does


@pytest.mark.parametrize("template", [WELCOME, PAID, replace(PAID, image=Image("ST01FL02"))])
def test_a_template_comes_back_as_it_went(template: Template) -> None:
    assert template_of(in_their_words(template)) == template


async def test_a_channel_proves_itself_by_a_token_and_may_then_send(world: World) -> None:
    empty = SETTINGS.model_copy(update={"pf_id": ""})
    assert [one.path for one in CHANNEL.problems(empty)] == ["pf_id"]
    assert CHANNEL.problems(SETTINGS) == []
    outcome = await CHANNEL.open(empty, world.tools).send(a_message())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, len(world.provider.requests)) == (Reason.SENDER_INVALID, 0)
    desk = the_desk(world, empty)
    assert (await refused(desk.create("", WELCOME))).path == "pf_id"
    category = (await desk.profile_categories())[0].code
    await desk.ask_token("@새가게", "01012345678")
    wrong = await refused(desk.register_profile("@새가게", "01012345678", "1", category))
    assert (wrong.reason, wrong.path) == (Reason.REQUEST_INVALID, "token")
    token = fake(world).desk.tokens["@새가게", "01012345678"]
    made = await desk.register_profile("@새가게", "01012345678", token, category)
    assert (made.search_id, made.state) == ("@새가게", ProfileState.ACTIVE)
    assert [one.search_id for one in await desk.profiles()] == ["@소전", "@새가게"]
    fake(world).desk.channels[made.key]["isBlocked"] = True
    assert (await desk.profiles())[1].is_blocked


async def test_a_review_from_the_draft_over_a_rejection_to_approval_and_sending(world: World) -> None:
    desk = the_desk(world)
    made = await desk.create("ignored", WELCOME)
    assert (made.inspection, made.code.startswith("KA01TP")) == (Inspection.DRAFT, True)
    message = a_message(template=made.code)
    assert (await world.open().send(message)).reason is Reason.TEMPLATE_UNAVAILABLE
    asked = await desk.request_review(made.code, "가입 안내입니다.")
    assert (asked.inspection, asked.comments[0].kind) == (Inspection.IN_REVIEW, CommentKind.QUESTION)
    assert (await refused(desk.update(made.code, WELCOME))).code == "BadRequest"
    fake(world).desk.reject(made.code, "화면을 보여 주세요.")
    told = await desk.template(made.code)
    assert told is not None
    assert (told.inspection, told.comments[-1].kind) == (Inspection.REJECTED, CommentKind.REPLY)
    assert (await desk.update(made.code, WELCOME)).inspection is Inspection.DRAFT
    await desk.request_review(made.code)
    assert (await refused(desk.request_review(made.code, "", [GOOD]))).path == "attachments"
    assert (await desk.comment(made.code, "급합니다.")).comments[-1].text == "급합니다."
    world.clock.at += 1000
    fake(world).desk.review_after = 1000
    assert [one.inspection for one in await desk.templates()] == [Inspection.APPROVED]
    assert isinstance(await world.open().send(message), Accepted)
    assert (
        await world.open().send(a_message("m-2", template=made.code, variables={"성": "김"}))
    ).code == "1043"
    assert (await desk.stop(made.code)).operation is Operation.STOPPED
    assert (await refused(desk.delete(made.code))).reason is Reason.REQUEST_INVALID
    await desk.reuse(made.code)
    fake(world).desk.templates[made.code]["isDormant"] = True
    assert [one.is_dormant for one in await desk.templates()] == [True]
    assert (await world.open().send(a_message("m-3", template=made.code))).code == "1042"
    assert not (await desk.release(made.code)).is_dormant
    assert (await refused(desk.release(made.code))).code == "BadRequest"


async def test_everything_that_was_registered_goes_out_by_its_variables(world: World) -> None:
    code = await approved(world, replace(PAID, highlight=Highlight("주문 완료", "곧 보냅니다")))
    filled = {"이름": "민아", "금액": "12,000", "상품": "사과", "주문번호": "A-1"}
    assert (await world.open().send(a_message(template=code, variables=filled))).code == "2000"
    lacking = {**filled}
    del lacking["상품"]
    assert (await world.open().send(a_message("m-2", template=code, variables=lacking))).code == "1043"
    long = {**filled, "금액": "1" * 20}
    assert (await world.open().send(a_message("m-3", template=code, variables=long))).code == "1031"


async def test_a_text_of_our_own_is_compared_with_its_template(world: World) -> None:
    button = Button(type="WL", name="보기", link_mobile="https://shop.example/#{번호}", chat_extra="a")
    code = await approved(world, replace(WELCOME, buttons=(button,)))
    shown = {"type": "WL", "name": "보기", "link_mobile": "https://shop.example/1", "chat_extra": "a"}

    async def sent(number: int, buttons: list[dict[str, str]], **content: str) -> str:
        message = a_message(
            f"m-{number}", template=code, variables={}, options={"buttons": buttons}, **content
        )
        return str((await world.open().send(message)).code)

    assert await sent(1, [shown]) == "2000"
    assert world.sent("send-many")[-1]["messages"][0]["kakaoOptions"]["buttons"][0]["chatExtra"] == "a"
    assert await sent(2, [shown], text="다른 글") == "1043"
    assert await sent(3, []) == "1046"
    assert await sent(4, [{**shown, "name": "다른 이름"}]) == "1052"
    assert await sent(5, [{**shown, "link_mobile": "https://other.example"}]) == "1045"


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("body", {"body": " "}),
    ("body", {"body": "#{user.name}님"}),
    ("name", {"name": "가" * 151}),
    ("subtitle", {"emphasis": "TEXT", "title": "제목"}),
    ("title", {"title": "제목"}),
    ("extra", {"message_type": "EX"}),
    ("extra", {"extra": "덧붙임"}),
    ("buttons", {"message_type": "AD"}),
    ("image", {"emphasis": "IMAGE"}),
    ("image", {"emphasis": "IMAGE", "image": Image("nobody-has-it")}),
    ("is_secure", {"emphasis": "ITEM_LIST", "header": "머리", "is_secure": True}),
    ("items", {"items": (Item("하나", "뿐"),)}),
    ("highlight", {"highlight": Highlight("가" * 31, "나")}),
    ("buttons", {"buttons": (Button(type="WL", name="보기"),)}),
    ("quick_replies", {"quick_replies": (Button(type="BK", name="#{이름}"),)}),
    ("link", {"link": Link("https://shop.example")}),
    ("buttons", {"buttons": (Button(type="TN", name="전화 연결", phone="02-123-4567"),)}),
]


@pytest.mark.parametrize(("path", "change"), WRONG, ids=[f"{n}-{one[0]}" for n, one in enumerate(WRONG)])
async def test_what_solapi_refuses_is_told_with_its_place(
    world: World, path: str, change: dict[str, Any]
) -> None:
    error = await refused(the_desk(world).create("", replace(WELCOME, **change)))
    assert error.path == path
    assert error.reason is Reason.CONTENT_INVALID


async def test_pictures_have_a_shape_and_the_purse_a_balance(world: World) -> None:
    desk = the_desk(world)
    image = await desk.upload_image("image", GOOD)
    assert (image.name in fake(world).desk.files, image.size) == (True, len(GOOD.content))
    odd = await refused(desk.upload_image("image", replace(GOOD, content=a_png(300, 200))))
    assert (odd.reason, odd.path) == (Reason.CONTENT_INVALID, "image")
    assert (await refused(desk.upload_image("video", GOOD))).path == "kind"
    balance = await desk.balance()
    assert (balance.amount, balance.currency, balance.points) == (Decimal(10_000), "KRW", Decimal(0))


async def test_only_what_has_changed_since_and_page_after_page(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.kakao.solapi_desk.PAGE", 2)
    desk = the_desk(world)
    for number in range(5):
        await desk.create("", replace(WELCOME, name=f"환영 {number}"))
        world.clock.at += 60_000
    assert len(await desk.templates()) == 5
    assert len(await desk.templates(world.clock.at - 60_000)) == 1


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(no_connection=True), Reason.PROVIDER_ERROR),
        (Fault(reset_after=True), Reason.OUTCOME_UNKNOWN),
        (Fault(403, {}, b'{"errorCode": "InvalidAPIKey", "errorMessage": "x"}'), Reason.AUTH_FAILED),
        (Fault(402, {}, b'{"errorCode": "NotEnoughBalance"}'), Reason.ACCOUNT_BLOCKED),
        (Fault(400, {}, b'{"errorCode": "NobodyKnowsIt"}'), Reason.REQUEST_INVALID),
        (Fault(429, {}, b"x"), Reason.RATE_LIMITED),
        (Fault(503, {}, b"x"), Reason.PROVIDER_ERROR),
    ],
)
async def test_a_desk_that_cannot_be_reached_says_so(world: World, fault: Fault, reason: Reason) -> None:
    world.provider.faults.append(fault)
    assert (await refused(the_desk(world).templates())).reason is reason


def test_what_solapi_has_no_field_for_is_said_before_it_is_left_out() -> None:
    talk = Button(type="BC", name="상담", chat_extra="주문")
    assert untold(Template(body="a", buttons=(talk,))) == ""
    assert untold(Template(body="a", quick_replies=(replace(talk, chat_event="e"),))) == "quick_replies"
