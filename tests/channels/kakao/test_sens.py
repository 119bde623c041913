import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from channels import Accepted, Deferred, Reason, Rejected, Unknown
from channels.contract import ReceiptKind
from channels.errors import PollFailed
from channels.kakao.sens import SensAlimtalkChannel, SensSettings
from channels.kakao.sens_auth import headers
from channels.testing.check import NOW, check_channel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.kakao import KAKAO_CODES
from channels.testing.providers.sens import FakeSens
from tests.channels.kakao.world import MINUTE, Clock, World, a_message, a_world

pytestmark = pytest.mark.anyio

CHANNEL = SensAlimtalkChannel()
SETTINGS = SensSettings(
    access_key="ncp-access-key",
    secret_key="ncp-secret-key",
    service_id="ncp:kkobizmsg:kr:2700000000006:sens",
    channel_id="@소전",
)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    clock = Clock()
    async with a_world(FakeSens(clock), CHANNEL, SETTINGS, clock) as made:
        yield made


def test_the_signature_is_the_one_that_the_documents_describe() -> None:
    # Their example, put together line by line and signed by another library.
    expected = HMAC(b"secretKey", hashes.SHA256())
    for part in (
        "GET", " ", "/photos/puppy.jpg?query1=&query2", "\n", "1505290625682", "\n", "D78BB444D6D3C84CA38D"
    ):  # fmt: skip
        expected.update(part.encode())
    given = headers(
        "D78BB444D6D3C84CA38D", "secretKey", "GET", "/photos/puppy.jpg?query1=&query2", 1505290625682
    )
    assert given == {
        "x-ncp-apigw-timestamp": "1505290625682",
        "x-ncp-iam-access-key": "D78BB444D6D3C84CA38D",
        "x-ncp-apigw-signature-v2": base64.b64encode(expected.finalize()).decode(),
    }


async def test_a_message_is_sent_rendered_and_without_the_relays_fallback(world: World) -> None:
    options = {"buttons": [{"type": "WL", "name": "주문 보기", "link_mobile": "https://shop.example/주문"}]}
    outcome = await world.open().send(a_message(title="12,000원", options=options))
    assert isinstance(outcome, Accepted)
    (body,) = world.sent()
    assert body == {
        "plusFriendId": "@소전",
        "templateCode": "WELCOME_01",
        "messages": [
            {
                "countryCode": "82",
                "to": "01012345678",
                "content": "민아님, 소전에 오신 것을 환영합니다.",
                "useSmsFailover": False,
                "title": "12,000원",
                "buttons": [{"type": "WL", "name": "주문 보기", "linkMobile": "https://shop.example/주문"}],
            }
        ],
    }


async def test_each_of_a_batch_has_its_own_outcome_in_order(world: World) -> None:
    world.provider.lives = lambda to: Life(refused=Reason.SENDER_INVALID) if to.endswith("2") else Life()
    numbers = ["+821000000001", "+821000000002", "없음", "+821000000004", "+821000000001"]
    messages = [a_message(f"m-{i}", to, text=f"{i}번 안내") for i, to in enumerate(numbers)]
    outcomes = await world.open().send_many(messages)
    assert [type(one) for one in outcomes] == [Accepted, Rejected, Rejected, Accepted, Accepted]
    rows: Any = world.provider.rows  # type: ignore[attr-defined]  # the fake's own
    for number, outcome in enumerate(outcomes):
        if isinstance(outcome, Accepted):
            assert rows[outcome.provider_id]["content"] == f"{number}번 안내"
    assert len(world.sent()) == 1


async def test_one_bad_message_does_not_take_the_others_with_it(world: World) -> None:
    messages = [a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(10)]
    messages[6] = a_message("m-6", "+821000000006", text="")
    outcomes = await world.open().send_many(messages)
    assert [number for number, one in enumerate(outcomes) if not isinstance(one, Accepted)] == [6]
    bad = outcomes[6]
    assert isinstance(bad, Rejected)
    assert bad.reason is Reason.REQUEST_INVALID
    assert "수신 번호 또는 내용" in bad.text
    assert len(world.provider.taken) == 9


@pytest.mark.parametrize("reason", [*KAKAO_CODES, Reason.UNKNOWN])
async def test_what_is_refused_at_once_has_its_reason(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(refused=reason))
    outcome = await world.open().send(a_message())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason


@pytest.mark.parametrize("reason", [*KAKAO_CODES, Reason.UNKNOWN])
async def test_what_kakao_says_later_is_heard_by_asking(world: World, reason: Reason) -> None:
    world.provider.lives = everybody(Life(failed=reason))
    accepted = await world.open().send(a_message())
    assert await world.listen() == []
    world.clock.at += MINUTE
    (receipt,) = await world.listen()
    maybe = reason is Reason.OUTCOME_UNKNOWN
    assert receipt.kind is (ReceiptKind.UNKNOWN if maybe else ReceiptKind.FAILED)
    assert (receipt.reason, receipt.provider_id) == (reason, accepted.provider_id)
    assert receipt.occurred_at == NOW + 20_000
    assert json.loads(receipt.raw)["messageStatusCode"] == receipt.code


async def test_pages_and_days_of_results_come_to_an_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.kakao.sens.PAGE", 3)
    await world.open().send_many([a_message(f"m-{i}", f"+8210000000{i:02d}") for i in range(10)])
    await world.listen()
    world.clock.at += 3 * 24 * 60 * MINUTE
    heard = await world.listen()
    assert len({one.key for one in heard}) == 10
    assert {one.kind for one in heard} == {ReceiptKind.DELIVERED}
    assert await world.listen() == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(no_connection=True), Deferred(NOW, Reason.PROVIDER_ERROR, text="connection refused")),
        (Fault(429, {"retry-after": "7"}, b"x"), Deferred(NOW + 7000, Reason.RATE_LIMITED, "429", "x")),
        (Fault(503, {}, b"x"), Deferred(NOW, Reason.PROVIDER_ERROR, "503", "x")),
        (Fault(504, {}, b'{"error": {"errorCode": "510", "message": "x"}}'), Unknown(code="510", text="x")),
        (Fault(reset_after=True), Unknown(text="connection reset by peer")),
        (Fault(202, {}, b"<html>"), Unknown(text="SENS's answer says nothing of this message.")),
        (
            Fault(401, {}, b'{"error": {"errorCode": "210", "message": "Permission Denied"}}'),
            Rejected(Reason.AUTH_FAILED, "210", "Permission Denied"),
        ),
        (Fault(403, {}, b"x"), Rejected(Reason.AUTH_FAILED, "403", "x")),
    ],
)
async def test_what_goes_wrong_on_the_way(world: World, fault: Fault, expected: Any) -> None:
    world.provider.faults.append(fault)
    assert await world.open().send(a_message()) == expected


async def test_wrong_keys_are_told_by_probe_send_and_poll(world: World) -> None:
    assert await CHANNEL.probe(SETTINGS, world.tools) == []
    stranger = SETTINGS.model_copy(update={"channel_id": "@남의가게"})
    assert [one.path for one in await CHANNEL.probe(stranger, world.tools)] == ["channel_id"]
    wrong = SETTINGS.model_copy(update={"secret_key": type(SETTINGS.secret_key)("틀린 비밀")})
    assert [one.path for one in await CHANNEL.probe(wrong, world.tools)] == ["access_key"]
    outcome = await CHANNEL.open(wrong, world.tools).send(a_message())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED
    with pytest.raises(PollFailed, match="401"):
        await CHANNEL.poll(wrong, world.tools, None)


async def test_the_channel_keeps_the_contract(world: World) -> None:
    down = SETTINGS.model_copy(update={"base_url": "https://down.example"})
    await check_channel(CHANNEL, SETTINGS, tools=world.tools, message=a_message(), unreachable=down)
