import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from channels.contract import Callback, ReceiptKind, Refused, Verified
from channels.errors import PollFailed
from channels.kakao.nhn import NhnAlimtalkChannel, NhnSettings
from channels.kakao.nhn_results import of_row
from channels.testing.check import NOW, check_channel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.kakao import KAKAO_CODES
from channels.testing.providers.nhn import REFUSED, FakeNhn, result_of
from tests.channels.kakao.world import MINUTE, Clock, World, a_message, a_world

pytestmark = pytest.mark.anyio

CHANNEL = NhnAlimtalkChannel()
SETTINGS = NhnSettings(
    app_key="nhnAppKey1",
    secret_key="nhn-secret-key",
    sender_key="0" * 40,
    signing_secret="nhn-webhook-signature",
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeNhn(clock), CHANNEL, SETTINGS, clock) as made:
        yield made


async def test_a_template_is_filled_by_nhn_and_its_fallback_is_off(world: World) -> None:
    options = {"buttons": [{"type": "BC", "name": "상담하기", "chat_extra": "order_1"}]}
    outcome = await world.open().send(a_message(variables={"#{이름}": "민아"}, options=options))
    assert isinstance(outcome, Accepted)
    assert world.provider.requests[0][1].endswith("/appkeys/nhnAppKey1/messages")
    (body,) = world.sent()
    assert body == {
        "senderKey": "0" * 40,
        "templateCode": "WELCOME_01",
        "recipientList": [
            {
                "recipientNo": "01012345678",
                "resendParameter": {"isResend": False},
                "recipientGroupingKey": "m-1",
                "templateParameter": {"이름": "민아"},
                "buttons": [{"ordering": 1, "chatExtra": "order_1"}],
            }
        ],
    }


async def test_a_text_that_we_rendered_goes_out_whole(world: World) -> None:
    options = {
        "header": "주문 안내",
        "buttons": [{"type": "AL", "name": "앱 열기", "scheme_ios": "shop://", "scheme_android": "shop://"}],
        "quick_replies": [{"type": "BK", "name": "문의"}],
    }
    await world.open().send(a_message(variables={}, title="12,000원", options=options))
    assert world.provider.requests[0][1].endswith("/raw-messages")
    (recipient,) = world.sent()[0]["recipientList"]
    assert recipient["content"] == "민아님, 소전에 오신 것을 환영합니다."
    assert (recipient["templateTitle"], recipient["templateHeader"]) == ("12,000원", "주문 안내")
    assert recipient["buttons"][0] == {
        "ordering": 1,
        "type": "AL",
        "name": "앱 열기",
        "schemeAndroid": "shop://",
        "schemeIos": "shop://",
    }
    assert recipient["quickReplies"] == [{"ordering": 1, "type": "BK", "name": "문의"}]


async def test_a_batch_is_one_call_a_template_and_keeps_its_order(world: World) -> None:
    world.provider.lives = lambda to: Life(refused=Reason.OPTED_OUT) if to.endswith("2") else Life()
    messages = [
        a_message("m-0", "+821000000000"),
        a_message("m-1", "+821000000001", template="주문완료"),
        a_message("m-2", "+821000000002"),
        a_message("m-3", "+12025550123"),
        a_message("m-4", "+821000000004", variables={}),
    ]
    outcomes = await world.open().send_many(messages)
    assert [type(one) for one in outcomes] == [Accepted, Accepted, Rejected, Rejected, Accepted]
    assert len(world.sent()) == 3
    by_id = {f"{row['requestId']}:{row['recipientSeq']}": row for row in world.provider.rows}  # type: ignore[attr-defined]  # the fake's own
    for message, outcome in zip(messages, outcomes, strict=True):
        if isinstance(outcome, Accepted):
            assert by_id[outcome.provider_id]["recipientGroupingKey"] == message.reference


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_nhn_refuses_has_its_reason(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(refused=reason))
    outcome = await world.open().send(a_message())
    assert outcome == Rejected(reason, str(REFUSED[reason]), f"실패 {REFUSED[reason]}")


@pytest.mark.parametrize("reason", [*KAKAO_CODES, Reason.UNKNOWN])
async def test_what_kakao_says_later_is_heard_by_asking(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(failed=reason))
    accepted = await world.open().send(a_message())
    world.clock.at += MINUTE
    (receipt,) = await world.listen()
    maybe = reason is Reason.OUTCOME_UNKNOWN
    assert receipt.kind is (ReceiptKind.UNKNOWN if maybe else ReceiptKind.FAILED)
    assert (receipt.reason, receipt.provider_id) == (reason, accepted.provider_id)
    assert receipt.occurred_at == NOW + 20_000
    assert json.loads(receipt.raw)["resultCode"] == receipt.code


async def test_pages_of_results_end_and_begin_again_with_an_overlap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.kakao.nhn.PAGE", 7)
    await world.open().send_many([a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(20)])
    world.clock.at += MINUTE
    heard = await world.listen()
    assert len({one.key for one in heard}) == 20
    assert {one.kind for one in heard} == {ReceiptKind.DELIVERED}
    assert await world.listen() == []
    world.clock.at += MINUTE
    assert {one.key for one in await world.listen()} == {one.key for one in heard}
    world.clock.at += 10 * MINUTE
    await world.listen()
    world.clock.at += 10 * MINUTE
    assert await world.listen() == []


async def test_after_a_lost_answer_nhn_is_asked_by_our_reference(world: World) -> None:
    world.provider.faults.append(Fault(reset_after=True))
    sender = world.open()
    assert isinstance(await sender.send(a_message("주문-1")), Unknown)
    found = await sender.ask("주문-1")
    assert isinstance(found, Accepted)
    assert isinstance(await sender.ask("없는-것"), Unknown)
    world.provider.faults.append(Fault(no_connection=True))
    assert isinstance(await sender.ask("주문-1"), Unknown)
    world.clock.at += MINUTE
    assert [one.provider_id for one in await world.listen()] == [found.provider_id]


async def test_the_same_reference_twice_is_one_message(world: World) -> None:
    sender = world.open()
    first = await sender.send(a_message("주문-1"))
    assert await sender.send(a_message("주문-1")) == Accepted(first.provider_id)
    assert await sender.send_many([a_message("주문-1"), a_message("주문-2")]) != [first]
    assert [row["recipientGroupingKey"] for row in world.provider.rows] == ["주문-1", "주문-1", "주문-2"]  # type: ignore[attr-defined]  # the fake's own


async def test_a_batch_twice_is_one_batch(world: World) -> None:
    messages = [a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(5)]
    first = await world.open().send_many(messages)
    again = await world.open().send_many(messages)
    assert [one.provider_id for one in again] == [one.provider_id for one in first]
    assert len(world.provider.taken) == 5


async def test_a_key_without_a_message_leaves_the_outcome_open(world: World) -> None:
    refused = {"header": {"resultCode": -1005, "resultMessage": "중복", "isSuccessful": False}}
    world.provider.faults.append(Fault(200, {}, json.dumps(refused).encode()))
    outcome = await world.open().send(a_message())
    assert isinstance(outcome, Unknown)
    assert outcome.code == "-1005"


async def test_one_bad_message_does_not_take_the_others_with_it(world: World) -> None:
    refused = {"header": {"resultCode": -2001, "resultMessage": "필수 값", "isSuccessful": False}}
    body = json.dumps(refused).encode()
    # The whole, the second half and the last one are refused: the culprit is the last.
    world.provider.faults.extend(
        [Fault(200, {}, body), Fault(), Fault(200, {}, body), Fault(), Fault(200, {}, body)]
    )
    outcomes = await world.open().send_many([a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(4)])
    assert outcomes[3] == Rejected(Reason.REQUEST_INVALID, "-2001", "필수 값")
    assert [type(one) for one in outcomes[:3]] == [Accepted] * 3


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(no_connection=True), Deferred(NOW, Reason.PROVIDER_ERROR, text="connection refused")),
        (Fault(429, {"retry-after": "7"}, b"x"), Deferred(NOW + 7000, Reason.RATE_LIMITED, "429", "x")),
        (Fault(500, {}, b"x"), Deferred(NOW, Reason.PROVIDER_ERROR, "500", "x")),
        (Fault(502, {}, b"x"), Unknown(code="502", text="x")),
        (Fault(200, {}, b"<html>"), Unknown(text="NHN's answer says nothing of these messages.")),
        (
            Fault(200, {}, b'{"header": {"resultCode": -9999, "resultMessage": "x"}}'),
            Deferred(NOW, Reason.PROVIDER_ERROR, "-9999", "x"),
        ),
    ],
)
async def test_what_goes_wrong_on_the_way(world: World, fault: Fault, expected: Any) -> None:
    world.provider.faults.append(fault)
    assert await world.open().send(a_message()) == expected


async def test_a_callback_tells_the_same_as_the_list(world: World) -> None:
    world.provider.lives = lambda to: Life(failed=Reason.NOT_ON_CHANNEL) if to.endswith("2") else Life()
    await world.open().send_many([a_message("가-1", "+821000000001"), a_message("가-2", "+821000000002")])
    world.clock.at += MINUTE
    reports = world.provider.due(world.clock.at)
    callback = world.provider.callback(reports, world.clock.at)
    verified = CHANNEL.verify(SETTINGS, callback, world.clock.at)
    assert isinstance(verified, Verified)
    told = CHANNEL.parse(SETTINGS, verified)
    assert [(one.reference, one.kind, one.reason) for one in told] == [
        ("가-1", ReceiptKind.DELIVERED, None),
        ("가-2", ReceiptKind.FAILED, Reason.NOT_ON_CHANNEL),
    ]
    rows = [result_of(one.extra["row"], one.reason, one.at) for one in reports]
    listed = [of_row(row, world.clock.at) for row in rows]
    assert [(one.key, one.occurred_at) for one in listed] == [(one.key, one.occurred_at) for one in told]


@pytest.mark.parametrize("word", ["", "nhn-webhook", "틀림"])
async def test_a_callback_without_the_word_is_refused(world: World, word: str) -> None:
    callback = replace(world.provider.callback([], NOW), headers={"x-toast-webhook-signature": word})
    assert isinstance(CHANNEL.verify(SETTINGS, callback, NOW), Refused)
    unset = NhnSettings(app_key="a", secret_key="b", sender_key="c")
    assert isinstance(CHANNEL.verify(unset, callback, NOW), Refused)


@pytest.mark.parametrize(
    "body", [b"{}", b"\xff", b"[" * 100_000, b'{"event": "TEMPLATE", "hooks": [{"status": "TSC03"}]}']
)
def test_a_strange_callback_is_kept(body: bytes) -> None:
    told = CHANNEL.parse(SETTINGS, Verified(Callback("POST", "/", {}, {}, body), NOW))
    assert [one.kind for one in told] == [ReceiptKind.UNMAPPED]


async def test_wrong_keys_are_told_by_probe_send_and_poll(world: World) -> None:
    assert await CHANNEL.probe(SETTINGS, world.tools) == []
    for change, path in (
        ("secret_key", "secret_key"),
        ("app_key", "secret_key"),
        ("sender_key", "sender_key"),
    ):
        wrong = SETTINGS.model_validate(
            {"app_key": "nhnAppKey1", "secret_key": "nhn-secret-key", "sender_key": "0" * 40}
            | {change: "wrong"}
        )
        (problem,) = await CHANNEL.probe(wrong, world.tools)
        assert problem.path == path
        outcome = await CHANNEL.open(wrong, world.tools).send(a_message(change))
        assert isinstance(outcome, Rejected)
        assert outcome.reason is (Reason.SENDER_INVALID if change == "sender_key" else Reason.AUTH_FAILED)
        if change != "sender_key":
            with pytest.raises(PollFailed, match="-100"):
                await CHANNEL.poll(wrong, world.tools, None)


async def test_the_channel_keeps_the_contract(world: World) -> None:
    down = SETTINGS.model_copy(update={"base_url": "https://down.example"})
    await check_channel(CHANNEL, SETTINGS, tools=world.tools, message=a_message(), unreachable=down)
