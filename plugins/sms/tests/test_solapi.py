import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest
from anyio import lowlevel
from sojourn_sms.solapi import SolapiSmsChannel, SolapiSmsSender, SolapiSmsSettings
from sojourn_sms.testing import FakeSolapiSms, a_jpeg
from sojourn_sms.testing.solapi import FAILED, REFUSED
from solapi.model.request.send_message_request import SendMessageRequest
from solapi.model.request.storage import FileTypeEnum, FileUploadRequest
from solapi.model.response.storage import FileUploadResponse
from solapi.model.webhook.single_report import SingleReportPayload

from channels import (
    Accepted,
    Callback,
    Deferred,
    Message,
    Outcome,
    Reason,
    Receipt,
    ReceiptKind,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.testing import NOW, ChannelCheck, Evidence
from channels.testing.evidence import Proof
from channels.testing.providers import Fault, Life, client_of, everybody

pytest_plugins = ["channels.testing.plugin"]
pytestmark = pytest.mark.anyio

CHANNEL = SolapiSmsChannel()
MINUTE = 60_000
PICTURE = "https://shop.example/offer.jpg"


def settings(**changes: Any) -> SolapiSmsSettings:
    given = {
        "api_key": "NCSAYU7YDBXYORXC",
        "api_secret": "solapi-api-secret",
        "sender": "02-1234-5678",
        "signing_secret": "solapi-webhook-secret",
    }
    return SolapiSmsSettings.model_validate({**given, **changes})


SETTINGS = settings()


def a_message(
    text: str = "민아님, 주문하신 꽃신이 출발했습니다.", *, to: str = "+821012345678", **more: Any
) -> Message:
    content = {"text": text, **{name: more.pop(name) for name in ("title", "image_url") if name in more}}
    return Message(more.pop("reference", "m-1"), to, content, NOW, **more)


@dataclass
class World:
    solapi: FakeSolapiSms
    tools: Tools
    clock: dict[str, int]
    shop: dict[str, httpx.Response]
    visits: list[str] = field(default_factory=list)

    def open(self) -> SolapiSmsSender:
        return CHANNEL.open(SETTINGS, self.tools)

    def asked(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(body) for _, where, _, body in self.solapi.requests if where == path and body]

    def sent(self) -> list[dict[str, Any]]:
        return [one for body in self.asked("/messages/v4/send-many/detail") for one in body["messages"]]

    async def send(self, message: Message) -> Outcome:
        return await self.open().send(message)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = {"at": NOW}
    solapi = FakeSolapiSms(lambda: clock["at"])
    shop = {PICTURE: httpx.Response(200, content=a_jpeg())}
    visits: list[str] = []

    async def answer(request: httpx.Request) -> httpx.Response:
        visits.append(str(request.url))
        await lowlevel.checkpoint()
        if str(request.url) not in shop:
            raise httpx.ConnectError("refused", request=request)
        found = shop[str(request.url)]
        return httpx.Response(found.status_code, content=found.content)

    async with (
        client_of(solapi) as http,
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as outside,
    ):
        tools = Tools(clock=lambda: clock["at"], http=http, public_http=outside)
        yield World(solapi, tools, clock, shop, visits)


async def test_a_short_text_is_sms_a_long_one_lms_and_a_picture_makes_it_mms(world: World) -> None:
    for message in (
        a_message("가" * 45),
        a_message("가" * 46),
        a_message("짧다", title="제목"),
        a_message("그림", title="제목", image_url=PICTURE),
    ):
        assert isinstance(await world.send(message), Accepted)
    assert [one["type"] for one in world.sent()] == ["SMS", "LMS", "LMS", "MMS"]
    assert world.sent()[0] == {
        "to": "01012345678",
        "from": "0212345678",
        "text": "가" * 45,
        "country": "82",
        "type": "SMS",
        "autoTypeDetect": False,
        "customFields": {"reference": "m-1"},
    }
    assert world.sent()[2]["subject"] == "제목"
    assert world.sent()[3]["imageId"] in world.solapi.files


async def test_solapis_own_software_reads_what_we_send_and_makes_the_same_upload(world: World) -> None:
    await world.send(a_message(title="제목", image_url=PICTURE))
    read = SendMessageRequest.model_validate(world.asked("/messages/v4/send-many/detail")[0])
    (message,) = read.messages
    assert (message.from_, message.to, message.subject, message.type) == (
        "0212345678",
        "01012345678",
        "제목",
        "MMS",
    )
    (upload,) = world.asked("/storage/v1/files")
    theirs = FileUploadRequest(file=upload["file"], type=FileTypeEnum.MMS).model_dump(exclude_none=True)
    assert upload == theirs
    answered = world.solapi._store(upload)
    assert FileUploadResponse.model_validate_json(bytes(answered.body)).file_id == message.image_id


async def test_another_number_may_be_chosen_for_a_message(world: World) -> None:
    assert isinstance(await world.send(a_message(options={"sender": "1588-1234"})), Accepted)
    assert world.sent()[0]["from"] == "15881234"
    assert (await world.send(a_message(options={"sender": "0319999999"}))).code == "1062"


@pytest.mark.parametrize(
    ("message", "reason", "words"),
    [
        (a_message(to="01012345678"), Reason.INVALID_RECIPIENT, "+82"),
        (a_message(to="+15557654321"), Reason.NOT_PERMITTED, "Korean numbers"),
        (a_message(" "), Reason.CONTENT_INVALID, "neither text"),
        (a_message("감사합니다 😀👍😀"), Reason.CONTENT_INVALID, "no 😀 (U+1F600), 👍 (U+1F44D): leave"),
        (a_message("본문", title="🎉"), Reason.CONTENT_INVALID, "U+1F389"),
        (a_message("가" * 1001), Reason.CONTENT_INVALID, "2002 bytes"),
        (a_message("본문", title="가" * 21), Reason.CONTENT_INVALID, "42 bytes"),
        (a_message(options={"colour": 1}), Reason.REQUEST_INVALID, "options.colour"),
    ],
)
async def test_what_the_networks_cannot_carry_never_leaves(
    world: World, message: Message, reason: Reason, words: str
) -> None:
    outcome = await world.send(message)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, words in outcome.text, world.solapi.requests) == (reason, True, [])


async def test_ours_and_solapis_own_idea_of_a_length_are_the_same(world: World) -> None:
    for text in ("가" * 45, "가" * 45 + "a", "a" * 90, "a" * 91, "똠방각하 뷁 € ①", "가" * 1000):
        assert isinstance(await world.send(a_message(text)), Accepted), text


async def test_a_picture_is_fetched_and_handed_over_once(world: World) -> None:
    sender = world.open()
    messages = [a_message(reference=f"m-{i}", to=f"+8210000000{i:02d}", image_url=PICTURE) for i in range(20)]
    assert all(isinstance(one, Accepted) for one in await sender.send_many(messages))
    assert isinstance(await sender.send(a_message(image_url=PICTURE)), Accepted)
    assert (len(world.visits), len(world.asked("/storage/v1/files"))) == (1, 1)
    world.clock["at"] += 25 * 60 * MINUTE
    assert isinstance(await sender.send(a_message(image_url=PICTURE)), Accepted)
    assert len(world.visits) == 2


async def test_messages_that_leave_at_once_share_their_picture(world: World) -> None:
    sender, outcomes = world.open(), []

    async def send(number: int) -> None:
        outcomes.append(await sender.send(a_message(reference=f"m-{number}", image_url=PICTURE)))

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(send, number)
    assert [type(one) for one in outcomes] == [Accepted] * 10
    assert (len(world.visits), len(world.asked("/storage/v1/files"))) == (1, 1)


async def test_a_picture_that_solapi_has_lost_is_handed_over_again(world: World) -> None:
    sender = world.open()
    await sender.send(a_message(image_url=PICTURE))
    world.solapi.files.clear()
    lost = await sender.send(a_message(image_url=PICTURE))
    assert (lost.code, isinstance(await sender.send(a_message(image_url=PICTURE)), Accepted)) == (
        "1034",
        True,
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.Response(404), Rejected(Reason.CONTENT_INVALID, text="image_url answers 404.")),
        (httpx.Response(302), Rejected(Reason.CONTENT_INVALID, text="image_url answers 302.")),
        (
            httpx.Response(200, content=b"\x89PNG"),
            Rejected(Reason.CONTENT_INVALID, text="The picture is no JPEG; MMS takes no other."),
        ),
        (
            httpx.Response(200, content=a_jpeg(200 * 1024 + 1)),
            Rejected(Reason.CONTENT_INVALID, text="The picture is larger than 200 KB."),
        ),
        (
            httpx.Response(503),
            Deferred(NOW, Reason.PROVIDER_ERROR, text="The picture's server answers 503."),
        ),
    ],
)
async def test_a_picture_that_cannot_be_had_spoils_its_own_message_only(
    world: World, answer: httpx.Response, expected: Outcome
) -> None:
    world.shop["https://shop.example/bad.jpg"] = answer
    bad = a_message(reference="m-2", image_url="https://shop.example/bad.jpg")
    spoilt, fine = await world.open().send_many([bad, a_message(image_url=PICTURE)])
    assert spoilt == expected
    assert isinstance(fine, Accepted)


async def test_a_picture_of_exactly_the_limit_is_taken_and_an_odd_address_is_not(world: World) -> None:
    world.shop[PICTURE] = httpx.Response(200, content=a_jpeg(200 * 1024))
    assert isinstance(await world.send(a_message(image_url=PICTURE)), Accepted)
    for odd in ("offer.jpg", "ftp://shop.example/1.jpg", "https://[::1"):
        outcome = await world.send(a_message(image_url=odd))
        assert outcome == Rejected(
            Reason.CONTENT_INVALID, text="image_url is no address: https://… is wanted."
        )
    nobody = await world.send(a_message(image_url="https://10.0.0.1/1.jpg"))
    assert isinstance(nobody, Deferred)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(reset_after=True), Reason.PROVIDER_ERROR),
        (Fault(504), Reason.PROVIDER_ERROR),
        (Fault(429), Reason.RATE_LIMITED),
        (Fault(200, {}, b"{}"), Reason.PROVIDER_ERROR),
    ],
)
async def test_an_upload_that_fails_defers_the_message(world: World, fault: Fault, reason: Reason) -> None:
    world.solapi.faults.append(fault)
    outcome = await world.send(a_message(image_url=PICTURE))
    assert isinstance(outcome, Deferred)
    assert (outcome.reason, world.sent()) == (reason, [])


async def test_a_picture_that_solapi_does_not_like_is_to_blame_and_not_the_request(world: World) -> None:
    refused = b'{"errorCode": "ValidationError", "errorMessage": "1500x1440"}'
    world.solapi.faults.append(Fault(400, {}, refused))
    outcome = await world.send(a_message(image_url=PICTURE))
    assert outcome == Rejected(Reason.CONTENT_INVALID, "ValidationError", "1500x1440")


async def test_each_of_a_batch_has_its_own_outcome_in_order(world: World) -> None:
    world.solapi.lives = lambda to: Life(refused=Reason.OPTED_OUT) if to.endswith("2") else Life()
    numbers = ["+821000000001", "+821000000002", "없음", "+15557654321", "+821000000001"]
    outcomes = await world.open().send_many(
        [a_message(reference=f"m-{i}", to=to) for i, to in enumerate(numbers)]
    )
    assert [getattr(one, "reason", None) for one in outcomes] == [
        None,
        Reason.OPTED_OUT,
        Reason.INVALID_RECIPIENT,
        Reason.NOT_PERMITTED,
        None,
    ]
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Accepted):
            assert world.solapi.rows[outcome.provider_id]["customFields"] == {"reference": f"m-{number}"}
    assert len(world.asked("/messages/v4/send-many/detail")) == 1


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_solapi_refuses_has_its_reason(world: World, reason: Reason) -> None:
    world.solapi.lives = everybody(Life(refused=reason))
    assert await world.send(a_message()) == Rejected(reason, REFUSED[reason], f"상태 {REFUSED[reason]}")


@pytest.mark.parametrize("reason", FAILED)
async def test_a_failure_is_told_alike_by_webhook_and_by_list(world: World, reason: Reason) -> None:
    world.solapi.lives = everybody(Life(failed=reason))
    accepted = await world.send(a_message())
    assert isinstance(accepted, Accepted)
    world.clock["at"] += MINUTE
    now = world.clock["at"]
    callback = world.solapi.callback(world.solapi.due(now), now)
    assert SingleReportPayload.model_validate_json(callback.body).root[0].data.status_code == FAILED[reason]
    (told,) = CHANNEL.parse(SETTINGS, Verified(callback, now))
    listed, _ = await CHANNEL.poll(SETTINGS, world.tools, None)
    assert [one.key for one in listed] == [told.key]
    assert (told.kind, told.reason, told.code) == (ReceiptKind.FAILED, reason, FAILED[reason])
    assert (told.reference, told.provider_id) == ("m-1", accepted.provider_id)


async def test_results_of_other_kinds_of_message_are_left_to_their_own_connections(world: World) -> None:
    await world.send(a_message())
    world.clock["at"] += MINUTE
    world.solapi.due(world.clock["at"])
    (row,) = world.solapi.rows.values()
    world.solapi.rows["M-ATA"] = {**row, "messageId": "M-ATA", "type": "ATA"}
    listed, _ = await CHANNEL.poll(SETTINGS, world.tools, None)
    assert [(one.kind, one.reference) for one in listed] == [(ReceiptKind.DELIVERED, "m-1")]


async def test_a_lost_answer_is_unknown_and_made_good_by_the_result(world: World) -> None:
    world.solapi.faults.append(Fault(reset_after=True))
    assert isinstance(await world.send(a_message(reference="잃어버린-답")), Unknown)
    world.clock["at"] += MINUTE
    listed, _ = await CHANNEL.poll(SETTINGS, world.tools, None)
    assert [one.reference for one in listed] == ["잃어버린-답"]


def test_a_sender_is_a_korean_number_as_it_is_dialled() -> None:
    for good in ("02-1234-5678", "0212345678", "1588-1234", "010 1234 5678", "070-1234-5678"):
        assert CHANNEL.problems(settings(sender=good)) == []
    for bad in ("+82212345678", "Sojourn", "12", "212345678"):
        assert [one.path for one in CHANNEL.problems(settings(sender=bad))] == ["sender"]


# The contract


def golden() -> list[tuple[Callback, list[Receipt]]]:
    fake = FakeSolapiSms(lambda: NOW)
    row = {"messageId": "M1", "statusCode": "4000", "customFields": {"reference": "m-1"}, "type": "SMS"}
    named: dict[str, Any] = {"reference": "m-1", "provider_id": "M1", "billed_as": "sms"}
    told = {
        "4000": Receipt("M1:4000", ReceiptKind.DELIVERED, NOW, code="4000", **named),
        "3043": Receipt("M1:3043", ReceiptKind.FAILED, NOW, code="3043", reason=Reason.UNREACHABLE, **named),
    }
    callbacks = []
    for code, receipt in told.items():
        headers = fake.callback([], NOW).headers
        body = json.dumps([{"eventDataId": "E1", "data": {**row, "statusCode": code}}]).encode()
        callbacks.append((Callback("POST", "/hooks/1", headers, {}, body), [receipt]))
    return callbacks


@pytest.fixture
def channel_evidence() -> Evidence:
    return Evidence(
        channel=CHANNEL,
        settings=SETTINGS,
        tools=Tools(clock=lambda: NOW, http=client_of(FakeSolapiSms(lambda: NOW))),
        message=a_message(),
        callbacks=golden(),
        proof=Proof.SECRET,
        rotated=settings(signing_secret="the new one", previous_signing_secret="solapi-webhook-secret"),
        foreign=settings(signing_secret="somebody else's"),
        unreachable=settings(base_url="https://down.example"),
    )


async def test_the_channel_keeps_the_contract(channel_check: ChannelCheck) -> None:
    await channel_check.run()
