import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from solapi.model.request.send_message_request import SendMessageRequest
from solapi.model.webhook.single_report import SingleReportPayload

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from channels.contract import Callback, ReceiptKind, Refused, Verified
from channels.errors import PollFailed
from channels.kakao.solapi import SolapiAlimtalkChannel, SolapiSettings
from channels.testing.check import NOW, check_channel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.solapi import FAILED, REFUSED, FakeSolapi
from tests.channels.kakao.world import MINUTE, Clock, World, a_message, a_world

pytestmark = pytest.mark.anyio

CHANNEL = SolapiAlimtalkChannel()
SETTINGS = SolapiSettings(
    api_key="NCSAYU7YDBXYORXC",
    api_secret="solapi-api-secret",
    pf_id="KA01PF0001",
    signing_secret="solapi-webhook-secret",
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeSolapi(clock), CHANNEL, SETTINGS, clock) as made:
        yield made


def fake(world: World) -> FakeSolapi:
    assert isinstance(world.provider, FakeSolapi)
    return world.provider


async def test_a_message_reaches_solapi_with_its_variables_and_without_its_fallback(world: World) -> None:
    outcome = await world.open().send(a_message(variables={"이름": "민아", "#{상품}": "꽃신"}))
    assert isinstance(outcome, Accepted)
    (body,) = world.sent()
    (message,) = body["messages"]
    assert message["to"] == "01012345678"
    assert message["kakaoOptions"] == {
        "pfId": "KA01PF0001",
        "templateId": "WELCOME_01",
        "disableSms": True,
        "variables": {"#{이름}": "민아", "#{상품}": "꽃신"},
    }
    assert message["customFields"] == {"reference": "m-1"}
    assert "text" not in message


async def test_without_variables_the_text_itself_is_sent_with_title_and_buttons(world: World) -> None:
    buttons = [{"type": "WL", "name": "주문 보기", "link_mobile": "https://shop.example/주문"}]
    await world.open().send(a_message(variables={}, title="12,000원", options={"buttons": buttons}))
    (message,) = world.sent()[0]["messages"]
    assert message["text"] == "민아님, 소전에 오신 것을 환영합니다."
    assert message["kakaoOptions"]["title"] == "12,000원"
    assert message["kakaoOptions"]["buttons"] == [
        {"buttonType": "WL", "buttonName": "주문 보기", "linkMo": "https://shop.example/주문"}
    ]


async def test_solapis_own_software_reads_what_we_send(world: World) -> None:
    await world.open().send(a_message())
    read = SendMessageRequest.model_validate(world.sent()[0])
    assert read.allow_duplicates
    (message,) = read.messages
    assert message.kakao_options.disable_sms
    assert message.kakao_options.variables == {"#{이름}": "민아"}
    assert message.custom_fields == {"reference": "m-1"}


async def test_each_of_a_batch_has_its_own_outcome_in_order(world: World) -> None:
    world.provider.lives = lambda to: Life(refused=Reason.OPTED_OUT) if to.endswith("2") else Life()
    numbers = ["+821000000001", "+821000000002", "없음", "+821000000004", "+821000000001"]
    outcomes = await world.open().send_many([a_message(f"m-{i}", to) for i, to in enumerate(numbers)])
    assert [type(one) for one in outcomes] == [Accepted, Rejected, Rejected, Accepted, Accepted]
    assert [one.reason for one in outcomes if isinstance(one, Rejected)] == [
        Reason.OPTED_OUT,
        Reason.INVALID_RECIPIENT,
    ]
    taken = fake(world).rows
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Accepted):
            assert taken[outcome.provider_id]["customFields"] == {"reference": f"m-{number}"}
    assert len(world.sent()) == 1


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_solapi_refuses_has_its_reason(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(refused=reason))
    outcome = await world.open().send(a_message())
    assert outcome == Rejected(reason, REFUSED[reason], f"상태 {REFUSED[reason]}")


@pytest.mark.parametrize("reason", FAILED)
async def test_a_failure_is_told_alike_by_webhook_and_by_list(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(failed=reason))
    accepted = await world.open().send(a_message())
    world.clock.at += MINUTE
    callback = world.provider.callback(world.provider.due(world.clock.at), world.clock.at)
    (told,) = CHANNEL.parse(SETTINGS, Verified(callback, world.clock.at))
    (listed,) = await world.listen()
    assert (told.key, told.kind, told.reason) == (listed.key, ReceiptKind.FAILED, reason)
    assert told.occurred_at == listed.occurred_at == NOW + 20_000
    assert told.reference == listed.reference == "m-1"
    assert told.provider_id == accepted.provider_id
    assert listed.code == FAILED[reason]
    assert json.loads(told.raw)["statusMessage"] == f"결과 {FAILED[reason]}"


async def test_solapis_own_software_reads_the_callbacks_of_the_fake(world: World) -> None:
    await world.open().send(a_message())
    world.clock.at += MINUTE
    callback = world.provider.callback(world.provider.due(world.clock.at), world.clock.at)
    (report,) = SingleReportPayload.model_validate_json(callback.body).root
    assert (report.data.status_code, report.data.custom_fields) == ("4000", {"reference": "m-1"})


async def test_pages_of_results_are_told_once_until_time_moves_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.kakao.solapi_relay.PAGE", 7)
    await world.open().send_many([a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(20)])
    assert await world.listen() == []
    world.clock.at += MINUTE
    heard = await world.listen()
    assert sorted(str(one.reference) for one in heard) == sorted(f"m-{i}" for i in range(20))
    assert await world.listen() == []
    world.clock.at += MINUTE
    again = await world.listen()
    assert {one.key for one in again} <= {one.key for one in heard}


async def test_a_result_written_down_late_is_still_found(world: World) -> None:
    await world.open().send(a_message())
    world.clock.at += 2 * MINUTE
    rows, fake(world).rows = fake(world).rows, {}
    fake(world)._reports.clear()
    assert await world.listen() == []
    (row,) = rows.values()
    row |= {"statusCode": "4000", "dateUpdated": "2026-01-01T00:00:30.000Z"}
    fake(world).rows = rows
    world.clock.at += MINUTE
    assert [one.kind for one in await world.listen()] == [ReceiptKind.DELIVERED]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(no_connection=True), Deferred(NOW, Reason.PROVIDER_ERROR, text="connection refused")),
        (Fault(429, {"retry-after": "7"}, b"{}"), Deferred(NOW + 7000, Reason.RATE_LIMITED, "429", "{}")),
        (Fault(503, {}, b"x"), Deferred(NOW, Reason.PROVIDER_ERROR, "503", "x")),
        (Fault(reset_after=True), Unknown(text="connection reset by peer")),
        (Fault(504, {}, b"x"), Unknown(code="504", text="x")),
        (Fault(200, {}, b"<html>"), Unknown(text="SOLAPI's answer says nothing of this message.")),
        (
            Fault(402, {}, '{"errorCode": "NotEnoughBalance", "errorMessage": "잔액 부족"}'.encode()),
            Rejected(Reason.ACCOUNT_BLOCKED, "NotEnoughBalance", "잔액 부족"),
        ),
        (
            Fault(403, {}, b'{"errorCode": "DuplicatedSignature", "errorMessage": "x"}'),
            Deferred(NOW, Reason.RATE_LIMITED, "DuplicatedSignature", "x"),
        ),
    ],
)
async def test_what_goes_wrong_on_the_way(world: World, fault: Fault, expected: Any) -> None:
    world.provider.faults.append(fault)
    assert await world.open().send(a_message()) == expected


async def test_a_lost_answer_is_made_good_by_the_result(world: World) -> None:
    world.provider.faults.append(Fault(reset_after=True))
    assert isinstance(await world.open().send(a_message("잃어버린-답")), Unknown)
    world.clock.at += MINUTE
    (receipt,) = await world.listen()
    assert (receipt.reference, receipt.kind) == ("잃어버린-답", ReceiptKind.DELIVERED)


async def test_wrong_keys_and_a_wrong_clock_are_told_by_probe_and_send(world: World) -> None:
    assert await CHANNEL.probe(SETTINGS, world.tools) == []
    world.settings = SETTINGS.model_copy(update={"api_secret": type(SETTINGS.api_secret)("틀린 비밀")})
    (problem,) = await CHANNEL.probe(world.settings, world.tools)
    assert (problem.path, "SignatureDoesNotMatch" in problem.message) == ("api_key", True)
    assert (await world.open().send(a_message())).reason is Reason.AUTH_FAILED
    world.settings = SETTINGS
    late = replace(world.tools, clock=lambda: NOW - 16 * MINUTE)
    assert (await CHANNEL.open(SETTINGS, late).send(a_message())).code == "RequestTimeTooSkewed"  # type: ignore[union-attr]  # it was refused
    world.provider.faults.append(Fault(500))
    with pytest.raises(PollFailed, match="500"):
        await CHANNEL.poll(SETTINGS, world.tools, None)


async def test_a_callback_is_believed_for_either_secret_and_for_no_other(world: World) -> None:
    callback = world.provider.callback([], NOW)
    changing = SETTINGS.model_copy(
        update={
            "signing_secret": type(SETTINGS.api_key)("새 비밀"),
            "previous_signing_secret": SETTINGS.signing_secret,
        }
    )
    assert isinstance(CHANNEL.verify(SETTINGS, callback, NOW), Verified)
    assert isinstance(CHANNEL.verify(changing, callback, NOW), Verified)
    unset = SolapiSettings(api_key="k", api_secret="s", pf_id="p")
    assert CHANNEL.verify(unset, callback, NOW) == Refused("signing_secret is not set")
    empty = replace(callback, headers={"x-solapi-secret": "da39a3ee5e6b4b0d3255bfef95601890afd80709"})
    assert isinstance(CHANNEL.verify(unset, empty, NOW), Refused)
    assert isinstance(CHANNEL.verify(SETTINGS, empty, NOW), Refused)


@pytest.mark.parametrize("body", [b'[{"kind": "?"}]', b"{}", b"\xff", b"[" * 100_000, b"[1, null]"])
def test_a_strange_callback_is_kept_and_an_interim_one_is_no_receipt(body: bytes) -> None:
    told = CHANNEL.parse(SETTINGS, Verified(Callback("POST", "/", {}, {}, body), NOW))
    assert {one.kind for one in told} == {ReceiptKind.UNMAPPED}
    for quiet in (b'[{"data": {"messageId": "M1", "statusCode": "3000"}}]', b'[{"data": {"groupId": "G1"}}]'):
        assert CHANNEL.parse(SETTINGS, Verified(Callback("POST", "/", {}, {}, quiet), NOW)) == []


async def test_the_channel_keeps_the_contract(world: World) -> None:
    down = SETTINGS.model_copy(update={"base_url": "https://down.example"})
    await check_channel(CHANNEL, SETTINGS, tools=world.tools, message=a_message(), unreachable=down)
