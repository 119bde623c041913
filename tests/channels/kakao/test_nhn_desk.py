"""NHN Cloud's desk, from a profile's token to a template that is dormant."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from channels import Accepted, Reason, Rejected
from channels.alimtalk.desk import (
    Attachment,
    CommentKind,
    Does,
    Inspection,
    ProfileState,
    Registered,
    WithDesk,
)
from channels.alimtalk.template import Button, Highlight, Image, Item, Template
from channels.contract import Verified
from channels.kakao.nhn import NhnSettings
from channels.kakao.nhn_desk_words import in_their_words, template_of
from channels.testing.check import NOW, findings
from channels.testing.desk_evidence import DeskEvidence
from channels.testing.evidence import Evidence
from channels.testing.providers import Fault
from channels.testing.providers.pictures import a_png
from tests.channels.kakao.nhn_world import (
    CHANNEL,
    PAID,
    WELCOME,
    at_nhn,
    nhn,
    refused,
    standing,
    the_desk,
)
from tests.channels.kakao.test_nhn import SETTINGS
from tests.channels.kakao.world import World, a_message

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with at_nhn() as made:
        yield made


def test_the_channel_has_a_desk() -> None:
    assert isinstance(CHANNEL, WithDesk)
    assert CHANNEL.desk_can.more["profile_setting"] in NhnSettings.model_fields
    assert not {Does.DRAFT, Does.STOP, Does.RELEASE, Does.BALANCE} & CHANNEL.desk_can.does


@pytest.mark.parametrize("template", [WELCOME, PAID, replace(PAID, image=Image("a.png", "https://a/b.png"))])
def test_a_template_comes_back_as_it_went(template: Template) -> None:
    assert template_of(in_their_words(template)) == template


async def test_a_profile_proves_itself_by_a_token_and_may_then_send(world: World) -> None:
    empty = SETTINGS.model_copy(update={"sender_key": "", "sender_groups": ("g" * 40,)})
    desk = the_desk(world, empty)
    (problem,) = await CHANNEL.probe(empty, world.tools)
    assert problem.path == "sender_key"
    assert CHANNEL.problems(empty) == [problem]
    assert CHANNEL.problems(SETTINGS) == []
    outcome = await CHANNEL.open(empty, world.tools).send(a_message())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, len(world.sent())) == (Reason.SENDER_INVALID, 0)
    assert (await refused(desk.create("W", WELCOME))).path == "sender_key"
    assert (await refused(desk.ask_token("@새가게", "01012345678"))).path == "category"
    category = (await desk.profile_categories())[0]
    assert (category.code, category.name) == ("00100010001", "쇼핑 > 종합쇼핑 > 온라인쇼핑몰")
    await desk.ask_token("@새가게", "01012345678", category.code)
    token = str(nhn(world).desk.tokens["@새가게"][0])
    wrong = await refused(desk.register_profile("@새가게", "01012345678", "999999", category.code))
    assert (wrong.reason, wrong.path) == (Reason.REQUEST_INVALID, "token")
    assert (await refused(desk.register_profile("@새가게", "0", "12a", category.code))).path == "token"
    made = await desk.register_profile("@새가게", "01012345678", token, category.code)
    assert (made.state, made.daily_cap, made.is_first_time) == (ProfileState.ACTIVE, 1000, True)
    nhn(world).desk.groups["g" * 40] = {"groupName": "모든 가게", "senders": []}
    assert (await refused(desk.join_group("모든 가게", made.key))).code == "-1029"
    nhn(world).desk.profiles[made.key]["initialUserRestriction"] = False
    await desk.join_group("모든 가게", made.key)
    assert await desk.groups() == {"모든 가게": (made.key,)}
    assert [one.search_id for one in await desk.profiles()] == ["@소전", "@새가게"]


@pytest.mark.parametrize(
    ("change", "state", "is_blocked"),
    [
        ({"status": "YSC02", "kakaoStatus": None}, ProfileState.WAITING, False),
        ({"dormant": True}, ProfileState.DORMANT, False),
        ({"block": True}, ProfileState.BLOCKED, True),
        ({"kakaoStatus": "S"}, ProfileState.BLOCKED, True),
        ({"profileSpamLevel": "영구제한"}, ProfileState.BLOCKED, True),
        ({"profileSpamLevel": "경고제한"}, ProfileState.ACTIVE, False),
        ({"kakaoProfileStatus": "C"}, ProfileState.CLOSED, False),
        ({"kakaoProfileStatus": "E"}, ProfileState.DELETED, False),
    ],
)
async def test_how_a_profile_stands(
    world: World, change: dict[str, Any], state: ProfileState, is_blocked: bool
) -> None:
    nhn(world).desk.profiles[SETTINGS.sender_key] |= change
    (profile,) = await the_desk(world).profiles()
    assert (profile.state, profile.is_blocked) == (state, is_blocked)


async def test_a_review_from_the_request_over_a_rejection_to_approval_and_sending(world: World) -> None:
    desk, fake = the_desk(world), nhn(world)
    made = await desk.create("WELCOME_01", WELCOME)
    assert (made.code, made.inspection) == ("WELCOME_01", Inspection.REQUESTED)
    outcome = await world.open().send(a_message())
    assert (outcome.reason, outcome.code) == (Reason.TEMPLATE_UNAVAILABLE, "-3005")
    # Nobody may speak before the reviewer has begun, and nothing can be edited meanwhile.
    assert (await refused(desk.comment("WELCOME_01", "잘 부탁드립니다."))).code == "-3100"
    assert (await refused(desk.update("WELCOME_01", WELCOME))).reason is Reason.NOT_PERMITTED
    assert (await desk.request_review("WELCOME_01")).inspection is Inspection.REQUESTED
    fake.desk.take_up("WELCOME_01")
    proof = Attachment("증빙.pdf", "application/pdf", b"%PDF")
    asked = await desk.comment("WELCOME_01", "가입 화면입니다.", [proof])
    assert asked.comments[-1].attachments == ("/files/증빙.pdf",)
    assert (await refused(desk.comment("WELCOME_01", "!", [replace(proof, name="a.exe")]))).path == (
        "attachments"
    )
    fake.desk.reject("WELCOME_01", "회원가입 화면을 보여 주세요.")
    told = await standing(desk, "WELCOME_01")
    assert told.inspection is Inspection.REJECTED
    assert [one.kind for one in told.comments] == [CommentKind.QUESTION, CommentKind.REJECTION]
    assert (told.comments[-1].text, told.comments[-1].at) == ("회원가입 화면을 보여 주세요.", NOW)
    assert (await desk.request_review("WELCOME_01", "고쳤습니다.")).inspection is Inspection.IN_REVIEW
    fake.desk.approve("WELCOME_01")
    assert (await standing(desk, "WELCOME_01")).inspection is Inspection.APPROVED
    assert (await standing(desk, "WELCOME_01")).template == WELCOME
    assert isinstance(await world.open().send(a_message("m-2")), Accepted)
    assert (await refused(desk.delete("WELCOME_01"))).code == "-3034"
    world.clock.at += 4 * 24 * 3_600_000
    await desk.delete("WELCOME_01")
    assert await desk.template("WELCOME_01") is None


async def test_an_approved_template_stays_live_while_its_edit_is_at_review(world: World) -> None:
    desk, fake = the_desk(world), nhn(world)
    await desk.create("WELCOME_01", WELCOME)
    fake.desk.approve("WELCOME_01")
    longer = replace(WELCOME, body="#{이름}님, 정말 환영합니다.")
    made = await desk.update("WELCOME_01", longer)
    assert (made.inspection, made.is_revision) == (Inspection.REQUESTED, True)
    assert (await refused(desk.update("WELCOME_01", longer))).code == "-3013"
    live, edit = await desk.templates()
    assert (live.inspection, live.template, live.is_revision) == (Inspection.APPROVED, WELCOME, False)
    assert (edit.inspection, edit.template, edit.is_revision) == (Inspection.REQUESTED, longer, True)
    assert edit.code == live.code
    assert isinstance(await world.open().send(a_message()), Accepted)
    fake.desk.reject("WELCOME_01", "너무 깁니다.")
    edit = await standing(desk, "WELCOME_01")
    assert (edit.inspection, edit.is_revision) == (Inspection.REJECTED, True)
    world.clock.at += 60_000
    await desk.update("WELCOME_01", longer)
    fake.desk.approve("WELCOME_01")
    now = await standing(desk, "WELCOME_01")
    assert (now.inspection, now.is_revision, now.template) == (Inspection.APPROVED, False, longer)


async def test_many_approved_ones_are_asked_for_side_by_side_and_one_that_went_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, fake = the_desk(world), nhn(world)
    for number in range(4):
        await desk.create(f"W{number}", replace(WELCOME, name=f"환영 {number}"))
        fake.desk.approve(f"W{number}")
    ask, here = desk._with_edit, list[int]()
    waiting: set[str] = set()

    async def asked(code: str) -> list[Registered]:
        waiting.add(code)
        await asyncio.sleep(0)
        here.append(len(waiting))
        if code == "W2":
            await desk.delete(code)
        told = await ask(code)
        waiting.remove(code)
        return told

    monkeypatch.setattr(desk, "_with_edit", asked)
    assert [one.code for one in await desk.templates()] == ["W0", "W1", "W3"]
    assert max(here) == 4


async def test_sanctions_and_dormancy_are_told_and_end_the_sending(world: World) -> None:
    desk, fake = the_desk(world), nhn(world)
    await desk.create("WELCOME_01", WELCOME)
    fake.desk.approve("WELCOME_01")
    (one,) = fake.desk.templates.values()
    one.is_dormant = True
    (told,) = await desk.templates()
    assert (told.is_dormant, told.is_blocked) == (True, False)
    assert (await world.open().send(a_message())).code == "-3005"
    assert (await refused(desk.release("WELCOME_01"))).reason is Reason.NOT_PERMITTED
    for asked in (desk.stop("W"), desk.reuse("W"), desk.cancel_request("W"), desk.cancel_approval("W")):
        assert (await refused(asked)).reason is Reason.NOT_PERMITTED
    assert (await refused(desk.balance())).reason is Reason.NOT_PERMITTED
    one.is_dormant, fake.desk.profiles[SETTINGS.sender_key]["block"] = False, True
    assert (await world.open().send(a_message("m-2"))).reason is Reason.ACCOUNT_BLOCKED


async def test_only_what_has_changed_since(world: World) -> None:
    desk = the_desk(world)
    await desk.create("A", WELCOME)
    world.clock.at += 60_000
    await desk.create("B", replace(WELCOME, name="또"))
    assert [one.code for one in await desk.templates(world.clock.at)] == ["B"]


WRONG: list[tuple[str, str, dict[str, Any]]] = [
    ("-2001", "body", {"body": " "}),
    ("-2000", "name", {"name": "가" * 151}),
    ("-3016", "subtitle", {"emphasis": "TEXT", "title": "제목"}),
    ("-3017", "subtitle", {"emphasis": "TEXT", "title": "제목", "subtitle": "#{이름}"}),
    ("-3027", "title", {"title": "제목"}),
    ("-3018", "extra", {"message_type": "EX"}),
    ("-3028", "extra", {"extra": "덧붙임"}),
    ("-3021", "extra", {"message_type": "EX", "extra": "#{이름}"}),
    ("-3050", "buttons", {"message_type": "AD"}),
    ("-3024", "buttons", {"buttons": (Button(type="AC", name="채널 추가"),)}),
    ("-3032", "image", {"emphasis": "IMAGE"}),
    ("-3036", "is_secure", {"emphasis": "ITEM_LIST", "header": "머리", "is_secure": True}),
    ("-2033", "items", {"items": (Item("하나", "뿐"),)}),
    ("-3037", "items", {"items": (Item("#{가}", "나"), Item("다", "라"))}),
    ("-3039", "summary", {"summary": Item("합계", "1,000원")}),
    ("-3040", "highlight", {"highlight": Highlight("가" * 22, "나", Image("", "https://a/b"))}),
    ("-3000", "buttons", {"buttons": (Button(type="WL", name="보기"),)}),
    ("-3008", "buttons", {"buttons": (Button(type="BK", name="#{이름}"),)}),
    ("-3053", "buttons", {"buttons": (Button(type="TN", name="전화 연결", phone="공이"),)}),
    ("-3102", "quick_replies", {"quick_replies": (Button(type="BK", name="#{이름}"),)}),
]


@pytest.mark.parametrize(("code", "path", "change"), WRONG, ids=[one[0] for one in WRONG])
async def test_what_nhn_refuses_is_told_with_its_place(
    world: World, code: str, path: str, change: dict[str, Any]
) -> None:
    error = await refused(the_desk(world).create("W", replace(WELCOME, **change)))
    assert (error.code, error.path) == (code, path)
    assert error.reason in (Reason.CONTENT_INVALID, Reason.REQUEST_INVALID)


async def test_a_code_or_a_name_that_is_taken(world: World) -> None:
    desk = the_desk(world)
    await desk.create("W", WELCOME)
    error = await refused(desk.create("V", WELCOME))
    assert (error.reason, error.path) == (Reason.DUPLICATE, "name")


async def test_pictures_have_the_shape_of_their_kind(world: World) -> None:
    desk = the_desk(world)
    wide = Attachment("그림.png", "image/png", a_png(800, 400))
    image = await desk.upload_image("image", wide)
    assert (image.name, image.size, image.media_type) == ("그림.png", len(wide.content), "image/png")
    assert image.url.startswith("https://")
    assert (await refused(desk.upload_image("thumbnail", wide))).reason is Reason.CONTENT_INVALID
    assert (await desk.upload_image("thumbnail", replace(wide, content=a_png(108, 108)))).url
    assert (await refused(desk.upload_image("image", replace(wide, name="그림.gif")))).code == "-4009"
    assert (await refused(desk.upload_image("video", wide))).path == "kind"


async def test_the_webhook_tells_of_reviews_and_is_no_receipt(world: World) -> None:
    fake = nhn(world)
    await the_desk(world).create("WELCOME_01", WELCOME)
    fake.desk.review_after, fake.desk.reviewer = 1000, lambda said: "" if "소전" in str(said) else "누구세요?"
    assert fake.desk.news() == []
    world.clock.at += 1000
    (callback,) = fake.desk.news()
    verified = CHANNEL.verify(SETTINGS, callback, NOW)
    assert isinstance(verified, Verified)
    assert CHANNEL.parse(SETTINGS, verified) == []
    (told,) = CHANNEL.template_news(SETTINGS, verified)
    assert (told.code, told.inspection, told.template) == ("WELCOME_01", Inspection.APPROVED, None)
    assert [one.kind for one in told.comments] == [CommentKind.APPROVAL]
    other = SETTINGS.model_copy(update={"sender_key": "1" * 40})
    assert CHANNEL.template_news(other, verified) == []
    for body in (b"", b"\xff", b"[]", b'{"hooks": [{"templateCode": "A", "status": 3}]}'):
        strange = Verified(replace(callback, body=body), NOW)
        assert CHANNEL.template_news(SETTINGS, strange) == []


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(no_connection=True), Reason.PROVIDER_ERROR),
        (Fault(reset_after=True), Reason.OUTCOME_UNKNOWN),
        (Fault(401, {}, b"x"), Reason.AUTH_FAILED),
        (Fault(429, {}, b"x"), Reason.RATE_LIMITED),
        (Fault(503, {}, b"x"), Reason.PROVIDER_ERROR),
        (Fault(200, {}, b"<html>"), Reason.PROVIDER_ERROR),
        (Fault(200, {}, json.dumps({"header": {"resultCode": -1000}}).encode()), Reason.AUTH_FAILED),
    ],
)
async def test_a_desk_that_cannot_be_reached_says_so(world: World, fault: Fault, reason: Reason) -> None:
    world.provider.faults.append(fault)
    assert (await refused(the_desk(world).templates())).reason is reason


@pytest.mark.parametrize("template", [WELCOME, PAID], ids=["plain", "rich"])
async def test_the_desk_does_what_it_claims(world: World, template: Template) -> None:
    fake = nhn(world)
    fake.is_strict = False
    shown = DeskEvidence(
        template=template,
        approve=fake.desk.approve,
        reject=fake.desk.reject,
        token=lambda name: str(fake.desk.tokens[name][0]),
        picture=Attachment("그림.png", "image/png", a_png(800, 400)),
    )
    about = {"tools": world.tools, "message": a_message(), "desk": shown}
    found = await findings(Evidence(channel=CHANNEL, settings=SETTINGS, **about), "desk")
    assert found == []
