"""APNs against a fake of it that checks as Apple does, over a real HTTP/2 server where the wire matters."""

import asyncio
import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from channels import Accepted, Deferred, Message, Outcome, Reason, Rejected, Tools, Unknown, build_host, codes
from channels.push.apns import ApnsChannel, ApnsSettings
from channels.testing import check_channel
from channels.testing.check import NOW
from channels.testing.providers import Fault, Life, client_of, everybody
from channels.testing.providers.apns import EXPRESSES, FakeApns, a_signing_key
from channels.testing.providers.google_accounts import a_service_account
from server.egress import make_client
from tests.web import certificate, client_side, over_http2

pytestmark = pytest.mark.anyio
TOKEN = "ab" * 32
SETTINGS = ApnsSettings(
    private_key=SecretStr(a_signing_key()),
    key_id="ABC1234567",
    team_id="DEF1234567",
    topic="com.example.shop",
)
MINUTE = 60_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def a_push(reference: str = "m-1", to: str = TOKEN, **changes: Any) -> Message:
    content = {"title": "Hello", "text": "Your order is on its way 🚚", "url": "https://shop.example/o/1"}
    return replace(Message(reference, to, content, NOW), **changes)


async def send(apns: FakeApns, *messages: Message, settings: ApnsSettings = SETTINGS) -> list[Outcome]:
    async with client_of(apns) as http:
        sender = ApnsChannel().open(settings, Tools(apns.clock, http))
        return await asyncio.gather(*(sender.send(message) for message in messages))


async def test_keeps_the_contract() -> None:
    apns = FakeApns(lambda: NOW)
    down = SETTINGS.model_copy(update={"environment": "sandbox"})
    async with client_of(apns) as http:
        await check_channel(
            ApnsChannel(), SETTINGS, tools=Tools(lambda: NOW, http), message=a_push(), unreachable=down
        )


async def test_is_found_by_its_dotted_name() -> None:
    host = build_host(discover=False, modules=["channels.push.apns"])
    assert host.channels["apns"].capabilities.address_scheme == "apns:"


async def test_a_message_arrives_as_apple_documents_it() -> None:
    apns = FakeApns(lambda: NOW)
    options = {
        "collapse_id": "order-1",
        "subtitle": "Today",
        "sound": "default",
        "badge": 0,
        "thread_id": "orders",
        "interruption_level": "time-sensitive",
        "aps": {"alert": {"loc-key": "ORDER"}, "relevance-score": 0.5},
        "data": {"order": {"id": 1}},
    }
    content = {**a_push().content, "image_url": "https://shop.example/truck.png"}
    [outcome] = await send(apns, a_push(options=options, content=content, expires_at=NOW + 90_000))
    [(token, headers, payload)] = apns.pushes
    assert token == TOKEN
    assert outcome == Accepted(headers["apns-id"])
    assert {name: value for name, value in headers.items() if name.startswith("apns-")} == {
        "apns-id": headers["apns-id"],
        "apns-topic": "com.example.shop",
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-collapse-id": "order-1",
        "apns-expiration": str(NOW // 1000 + 90),
    }
    assert payload == {
        "order": {"id": 1},
        "url": "https://shop.example/o/1",
        "image_url": "https://shop.example/truck.png",
        "sojourn_message": "m-1",
        "aps": {
            "alert": {
                "title": "Hello",
                "subtitle": "Today",
                "body": "Your order is on its way 🚚",
                "loc-key": "ORDER",
            },
            "sound": "default",
            "badge": 0,
            "thread-id": "orders",
            "interruption-level": "time-sensitive",
            "mutable-content": 1,
            "relevance-score": 0.5,
        },
    }


async def test_a_background_push_shows_nothing_and_has_the_priority_that_apple_asks_for() -> None:
    apns = FakeApns(lambda: NOW)
    await send(apns, a_push(options={"push_type": "background"}))
    [(_, headers, payload)] = apns.pushes
    assert (headers["apns-push-type"], headers["apns-priority"]) == ("background", "5")
    assert payload["aps"] == {"content-available": 1}


async def test_the_id_is_made_of_the_reference_and_the_same_at_every_attempt() -> None:
    first, again, other = await send(FakeApns(lambda: NOW), a_push("a"), a_push("a"), a_push("b"))
    assert isinstance(first, Accepted)
    assert isinstance(other, Accepted)
    assert first == again
    assert UUID(first.provider_id).version == 5
    assert first.provider_id != other.provider_id


@pytest.mark.parametrize("reason", sorted(EXPRESSES))
async def test_every_reason_that_apns_can_give_comes_back_as_the_same(reason: Reason) -> None:
    apns = FakeApns(lambda: NOW, lives=everybody(Life(refused=reason)))
    [outcome] = await send(apns, a_push())
    assert isinstance(outcome, Rejected | Deferred)
    assert outcome.reason is reason
    assert not apns.taken
    pauses = {Reason.RATE_LIMITED: MINUTE, Reason.PROVIDER_ERROR: 15 * MINUTE}
    assert isinstance(outcome, Deferred) == (reason in pauses)
    if isinstance(outcome, Deferred):
        assert outcome.retry_at == NOW + pauses[reason]


async def test_a_dead_device_comes_with_the_time_since_when() -> None:
    apns = FakeApns(lambda: NOW, lives=everybody(Life(refused=Reason.INVALID_RECIPIENT)))
    [outcome] = await send(apns, a_push())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "Unregistered"
    assert json.loads(outcome.text)["timestamp"] == NOW - MINUTE


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Fault(no_connection=True), Deferred, Reason.PROVIDER_ERROR),
        (Fault(reset_after=True), Unknown, Reason.OUTCOME_UNKNOWN),
        (Fault(502), Unknown, Reason.OUTCOME_UNKNOWN),
        (Fault(503, {"retry-after": "9"}, b'{"reason": "Shutdown"}'), Deferred, Reason.PROVIDER_ERROR),
        (Fault(400, body=b'{"reason": "IdleTimeout"}'), Deferred, Reason.PROVIDER_ERROR),
        (Fault(403, body=b'{"reason": "BadEnvironmentKeyInToken"}'), Rejected, Reason.AUTH_FAILED),
        (Fault(400, body=b"[]"), Rejected, Reason.REQUEST_INVALID),
    ],
)
async def test_an_answer_is_read_by_what_can_have_happened(
    fault: Fault, kind: type[Outcome], reason: Reason
) -> None:
    [outcome] = await send(FakeApns(lambda: NOW, faults=[fault]), a_push())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert outcome.reason is reason


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"content": {"text": "가" * 1400}}, Reason.CONTENT_INVALID, "APNs takes 4096"),
        ({"expires_at": NOW}, Reason.EXPIRED, "its time was over"),
        ({"to": "../../../etc"}, Reason.INVALID_RECIPIENT, "hex"),
        ({"options": {"collapse_id": "순서"}}, Reason.REQUEST_INVALID, "collapse_id"),
    ],
)
async def test_what_cannot_be_sent_is_not_sent(changes: Any, reason: Reason, told: str) -> None:
    apns = FakeApns(lambda: NOW)
    [outcome] = await send(apns, a_push(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert told in outcome.text
    assert not apns.requests


async def test_a_payload_of_just_the_largest_size_is_taken() -> None:
    used = len(b'{"sojourn_message":"m-1","aps":{"alert":{"body":""}}}')
    apns = FakeApns(lambda: NOW)
    for size, kind in ((4096 - used, Accepted), (4097 - used, Rejected)):
        [outcome] = await send(apns, a_push(content={"text": "x" * size}))
        assert isinstance(outcome, kind)


# The provider token


async def test_the_provider_token_is_signed_as_an_independent_check_of_the_key_finds() -> None:
    apns = FakeApns(lambda: NOW)
    await send(apns, a_push())
    token = apns.pushes[0][1]["authorization"].removeprefix("bearer ")
    private = serialization.load_pem_private_key(a_signing_key().encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    assert len(raw) == 64
    halves = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    private.public_key().verify(encode_dss_signature(*halves), signed.encode(), ec.ECDSA(hashes.SHA256()))
    claims = jwt.decode(token, private.public_key(), ["ES256"], options={"verify_iat": False})
    assert claims == {"iss": "DEF1234567", "iat": NOW // 1000}
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": "ABC1234567"}


async def test_a_provider_token_serves_all_for_most_of_an_hour() -> None:
    clock = Clock()
    apns = FakeApns(clock)
    async with client_of(apns) as http:
        sender = ApnsChannel().open(SETTINGS, Tools(clock, http))
        for minutes, minted in ((0, 1), (49, 1), (51, 2), (90, 2), (120, 3)):
            clock.now = NOW + minutes * MINUTE
            outcomes = await asyncio.gather(*(sender.send(a_push(f"m-{n}")) for n in range(5)))
            assert all(isinstance(outcome, Accepted) for outcome in outcomes)
            assert len(apns.provider_tokens) == minted


async def test_a_token_called_expired_is_replaced_once_for_all() -> None:
    clock = Clock()
    apns = FakeApns(clock)
    async with client_of(apns) as http:
        sender = ApnsChannel().open(SETTINGS, Tools(clock, http))
        await sender.send(a_push())
        apns.expired = set(apns.provider_tokens)
        clock.now = NOW + 21 * MINUTE
        outcomes = await asyncio.gather(*(sender.send(a_push(f"m-{n}")) for n in range(10)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(apns.provider_tokens) == 2


async def test_no_second_token_is_minted_within_twenty_minutes() -> None:
    clock = Clock()
    apns = FakeApns(clock)
    async with client_of(apns) as http:
        sender = ApnsChannel().open(SETTINGS, Tools(clock, http))
        await sender.send(a_push())
        apns.expired = set(apns.provider_tokens)
        clock.now = NOW + 19 * MINUTE
        outcome = await sender.send(a_push())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.code) == (Reason.AUTH_FAILED, "ExpiredProviderToken")
    assert len(apns.provider_tokens) == 1


# Settings


@pytest.mark.parametrize("key", ["hunter2", json.loads(a_service_account())["private_key"]])
async def test_a_key_that_is_none_is_seen_at_once(key: str) -> None:
    settings = SETTINGS.model_copy(update={"private_key": SecretStr(key)})
    [problem] = ApnsChannel().problems(settings)
    assert problem.path == "private_key"
    assert key not in problem.message
    [outcome] = await send(FakeApns(lambda: NOW), a_push(), settings=settings)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, None),
        ({"key_id": "ZZZ1234567"}, "private_key"),
        ({"environment": "sandbox"}, ""),
    ],
)
async def test_a_probe_finds_what_is_wrong_and_sends_nothing(
    changes: dict[str, str], path: str | None
) -> None:
    apns = FakeApns(lambda: NOW)
    async with client_of(apns) as http:
        found = await ApnsChannel().probe(SETTINGS.model_copy(update=changes), Tools(lambda: NOW, http))
    assert [problem.path for problem in found] == ([] if path is None else [path])
    assert not apns.taken


def test_every_string_of_the_reference_has_its_reason() -> None:
    table = codes.load("channels.push", "apns_codes.csv")
    assert table.reason("ExpiredToken") is Reason.INVALID_RECIPIENT
    assert table.reason("TopicDisallowed") is Reason.SENDER_INVALID
    assert table.reason("BadEnvironmentKeyIdInToken") is Reason.AUTH_FAILED
    assert table.reason("NeverSeen") is Reason.UNKNOWN


# Over HTTP/2


class Together:
    """Answers nobody until so many requests are in the house."""

    def __init__(self, apns: FakeApns, wanted: int) -> None:
        self.apns, self.wanted = apns, wanted
        self.seen: list[tuple[str, Any]] = []
        self.all_here = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append((scope["http_version"], scope["client"]))
        if len(self.seen) >= self.wanted:
            self.all_here.set()
        await self.all_here.wait()
        await self.apns(scope, receive, send)


async def test_many_messages_travel_side_by_side_on_one_connection(tmp_path: Path) -> None:
    apns = FakeApns(lambda: NOW)
    house = Together(apns, 20)
    public, private = certificate(tmp_path)
    async with over_http2(house, public, private) as url, make_client(verify=client_side(public)) as http:
        settings = SETTINGS.model_copy(update={"base_url": url})
        sender = ApnsChannel().open(settings, Tools(lambda: NOW, http))
        outcomes = await asyncio.gather(*(sender.send(a_push(f"m-{n}")) for n in range(20)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(apns.pushes) == 20
    assert {version for version, _ in house.seen} == {"2"}
    assert len({client for _, client in house.seen}) == 1


async def test_refusals_and_time_stamps_come_over_http2_as_well(tmp_path: Path) -> None:
    apns = FakeApns(lambda: NOW, lives=everybody(Life(refused=Reason.INVALID_RECIPIENT)))
    public, private = certificate(tmp_path)
    async with over_http2(apns, public, private) as url, make_client(verify=client_side(public)) as http:
        settings = SETTINGS.model_copy(update={"base_url": url})
        outcome = await ApnsChannel().open(settings, Tools(lambda: NOW, http)).send(a_push())
    assert isinstance(outcome, Rejected)
    assert outcome.code == "Unregistered"
    assert '"timestamp"' in outcome.text


async def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(tmp_path: Path) -> None:
    apns = FakeApns(lambda: NOW)
    public, private = certificate(tmp_path)
    async with over_http2(apns, public, private) as url, make_client() as http:
        settings = SETTINGS.model_copy(update={"base_url": url})
        outcome = await ApnsChannel().open(settings, Tools(lambda: NOW, http)).send(a_push())
    assert isinstance(outcome, Deferred)
    assert "certificate" in outcome.text
    assert not apns.requests
