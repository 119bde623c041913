"""FCM against a fake of it that checks signatures, tokens and messages as Google does."""

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import SecretStr

from channels import Accepted, Deferred, Message, Outcome, Reason, Rejected, Tools, Unknown, build_host, codes
from channels.push.fcm import SCOPE, FcmChannel, FcmSettings
from channels.push.google_token import AccessToken
from channels.testing import check_channel
from channels.testing.check import NOW
from channels.testing.providers import Fault, Life, client_of, everybody
from channels.testing.providers.fcm import EXPRESSES, FakeFcm
from channels.testing.providers.google_accounts import a_service_account

pytestmark = pytest.mark.anyio
TOKEN = "fcm-token-of-mina:APA91b"
SETTINGS = FcmSettings(service_account=SecretStr(a_service_account()))


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def a_push(reference: str = "m-1", to: str = TOKEN, **changes: Any) -> Message:
    content = {"title": "Hello", "text": "Your order is on its way 🚚", "url": "https://shop.example/o/1"}
    return replace(Message(reference, to, content, NOW), **changes)


async def send(fcm: FakeFcm, *messages: Message, settings: FcmSettings = SETTINGS) -> list[Outcome]:
    """All of them at once, with one sender."""
    async with client_of(fcm, fcm.accounts) as http:
        sender = FcmChannel().open(settings, Tools(fcm.clock, http))
        try:
            return await asyncio.gather(*(sender.send(message) for message in messages))
        finally:
            await sender.aclose()


async def test_keeps_the_contract() -> None:
    fcm = FakeFcm(lambda: NOW)
    down = SETTINGS.model_copy(update={"base_url": "https://down.example"})
    async with client_of(fcm, fcm.accounts) as http:
        await check_channel(
            FcmChannel(), SETTINGS, tools=Tools(lambda: NOW, http), message=a_push(), unreachable=down
        )


async def test_is_found_by_its_dotted_name() -> None:
    host = build_host(discover=False, modules=["channels.push.fcm"])
    assert host.channels["fcm"].capabilities.address_scheme == "fcm:"


async def test_a_message_arrives_as_google_documents_it() -> None:
    fcm = FakeFcm(lambda: NOW)
    options = {
        "data": {"order": "1"},
        "collapse_key": "order-1",
        "priority": "high",
        "analytics_label": "spring",
        "android": {"notification": {"channel_id": "orders"}},
        "apns": {"payload": {"aps": {"sound": "default"}}},
        "webpush": {"headers": {"Urgency": "very-low"}},
    }
    content = {**a_push().content, "image_url": "https://shop.example/truck.png"}
    message = a_push(options=options, content=content, expires_at=NOW + 90_500)
    [outcome] = await send(fcm, message)
    assert outcome == Accepted(next(iter(fcm.taken)))
    assert fcm.messages == [
        {
            "token": TOKEN,
            "notification": {
                "title": "Hello",
                "body": "Your order is on its way 🚚",
                "image": "https://shop.example/truck.png",
            },
            "data": {"order": "1", "url": "https://shop.example/o/1", "sojourn_message": "m-1"},
            "android": {
                "ttl": "90s",
                "collapse_key": "order-1",
                "priority": "HIGH",
                "notification": {"channel_id": "orders"},
            },
            "apns": {
                "headers": {
                    "apns-expiration": str((NOW + 90_500) // 1000),
                    "apns-collapse-id": "order-1",
                    "apns-priority": "10",
                },
                "payload": {"aps": {"sound": "default"}},
            },
            "webpush": {
                "headers": {"TTL": "90", "Urgency": "very-low"},
                "fcm_options": {"link": "https://shop.example/o/1"},
            },
            "fcm_options": {"analytics_label": "spring"},
        }
    ]


async def test_a_message_that_only_the_app_shows_has_no_notification() -> None:
    fcm = FakeFcm(lambda: NOW)
    await send(fcm, a_push(options={"data_only": True}))
    assert "notification" not in fcm.messages[0]
    assert fcm.messages[0]["data"]["body"] == "Your order is on its way 🚚"


async def test_nobody_can_take_the_place_of_our_reference() -> None:
    fcm = FakeFcm(lambda: NOW)
    await send(fcm, a_push(options={"data": {"sojourn_message": "other"}}))
    assert fcm.messages[0]["data"]["sojourn_message"] == "m-1"


@pytest.mark.parametrize("reason", sorted(EXPRESSES))
async def test_every_reason_that_fcm_can_give_comes_back_as_the_same(reason: Reason) -> None:
    fcm = FakeFcm(lambda: NOW, lives=everybody(Life(refused=reason)))
    [outcome] = await send(fcm, a_push())
    assert isinstance(outcome, Rejected | Deferred)
    assert outcome.reason is reason
    assert outcome.code
    assert not fcm.taken
    pauses = {Reason.RATE_LIMITED: 60_000, Reason.PROVIDER_ERROR: 30_000}
    assert isinstance(outcome, Deferred) == (reason in pauses)
    if isinstance(outcome, Deferred):
        assert outcome.retry_at == NOW + pauses[reason]


FCM_ERROR = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError"}
BAD_REQUEST = {"@type": "type.googleapis.com/google.rpc.BadRequest"}
INVALID = {**FCM_ERROR, "errorCode": "INVALID_ARGUMENT"}


@pytest.mark.parametrize(
    ("told", "details", "reason"),
    [
        ("The registration token is not a valid FCM registration token", [INVALID], Reason.INVALID_RECIPIENT),
        (
            "Request contains an invalid argument.",
            [INVALID, {**BAD_REQUEST, "fieldViolations": [{"field": "message.token"}]}],
            Reason.INVALID_RECIPIENT,
        ),
        (
            "Invalid value at 'message.data[0].value' (TYPE_STRING), 12",
            [{**BAD_REQUEST, "fieldViolations": [{"field": "message.data[0].value"}]}],
            Reason.CONTENT_INVALID,
        ),
        # It says no more than that: nobody's token is given up for it.
        ("Request contains an invalid argument.", [INVALID], Reason.REQUEST_INVALID),
        ("Request contains an invalid argument.", [], Reason.REQUEST_INVALID),
        ("?", [{"@type": 7}, 8, {**BAD_REQUEST, "fieldViolations": 9}], Reason.REQUEST_INVALID),
    ],
)
async def test_one_status_has_the_reason_of_its_details(told: str, details: Any, reason: Reason) -> None:
    error = {"code": 400, "message": told, "status": "INVALID_ARGUMENT", "details": details}
    fcm = FakeFcm(lambda: NOW, faults=[Fault(400, body=json.dumps({"error": error}).encode())])
    [outcome] = await send(fcm, a_push())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.text) == (reason, told)


@pytest.mark.parametrize(
    ("fault", "kind", "reason"),
    [
        (Fault(no_connection=True), Deferred, Reason.PROVIDER_ERROR),
        (Fault(reset_after=True), Unknown, Reason.OUTCOME_UNKNOWN),
        (Fault(502, body=b"<html>"), Unknown, Reason.OUTCOME_UNKNOWN),
        (Fault(500, body=b"<html>"), Deferred, Reason.PROVIDER_ERROR),
        (Fault(429, {"retry-after": "7"}), Deferred, Reason.RATE_LIMITED),
        (Fault(404, body=b"<html>"), Rejected, Reason.REQUEST_INVALID),
        (Fault(200, body=b"<html>a portal</html>"), Unknown, Reason.OUTCOME_UNKNOWN),
    ],
)
async def test_an_answer_in_nobodys_words_is_read_by_what_can_have_happened(
    fault: Fault, kind: type[Outcome], reason: Reason
) -> None:
    [outcome] = await send(FakeFcm(lambda: NOW, faults=[fault]), a_push())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert outcome.reason is reason


# What is refused before it leaves


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"content": {"text": "가" * 1400}}, Reason.CONTENT_INVALID, "FCM takes 4096"),
        ({"expires_at": NOW}, Reason.EXPIRED, "its time was over"),
        ({"options": {"colour": "red"}}, Reason.REQUEST_INVALID, "colour: Extra inputs"),
        ({"options": {"data": {"google.x": "1"}}}, Reason.REQUEST_INVALID, "kept by Google"),
    ],
)
async def test_what_cannot_be_sent_is_not_sent(changes: Any, reason: Reason, told: str) -> None:
    fcm = FakeFcm(lambda: NOW)
    [outcome] = await send(fcm, a_push(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert told in outcome.text
    assert not fcm.requests


async def test_a_payload_of_just_the_largest_size_is_sent() -> None:
    used = len("body" + "sojourn_message" + "m-1")
    fcm = FakeFcm(lambda: NOW)
    for size, kind in ((4096 - used, Accepted), (4097 - used, Rejected)):
        [outcome] = await send(fcm, a_push(content={"text": "x" * size}))
        assert isinstance(outcome, kind)


# The access token


async def test_the_claim_is_signed_as_an_independent_check_of_the_key_finds() -> None:
    fcm = FakeFcm(lambda: NOW)
    await send(fcm, a_push())
    form = httpx.QueryParams(fcm.accounts.requests[0][3].decode())
    claim, account = form["assertion"], json.loads(fcm.service_account)
    private = serialization.load_pem_private_key(account["private_key"].encode(), None)
    assert isinstance(private, RSAPrivateKey)
    signed, _, signature = claim.rpartition(".")
    decoded = base64.urlsafe_b64decode(signature + "==")
    private.public_key().verify(decoded, signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    no_time = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(
        claim, private.public_key(), ["RS256"], options=no_time, audience=account["token_uri"]
    )
    assert claims["iss"] == account["client_email"]
    assert claims["scope"] == "https://www.googleapis.com/auth/firebase.messaging"
    assert (claims["iat"], claims["exp"]) == (NOW // 1000, NOW // 1000 + 3600)
    assert jwt.get_unverified_header(claim)["kid"] == account["private_key_id"]


async def test_however_many_wait_one_token_is_fetched() -> None:
    fcm = FakeFcm(lambda: NOW)
    outcomes = await send(fcm, *(a_push(f"m-{number}") for number in range(30)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(fcm.accounts.requests) == 1


async def test_the_token_is_fetched_anew_shortly_before_it_ends() -> None:
    clock = Clock()
    fcm = FakeFcm(clock)
    async with client_of(fcm, fcm.accounts) as http:
        sender = FcmChannel().open(SETTINGS, Tools(clock, http))
        for minutes, fetched in ((0, 1), (54, 1), (56, 2), (100, 2)):
            clock.now = NOW + minutes * 60_000
            assert isinstance(await sender.send(a_push()), Accepted)
            assert len(fcm.accounts.requests) == fetched


async def test_a_token_that_is_still_good_is_used_when_no_other_can_be_had() -> None:
    clock = Clock()
    fcm = FakeFcm(clock)
    async with client_of(fcm, fcm.accounts) as http:
        sender = FcmChannel().open(SETTINGS, Tools(clock, http))
        await sender.send(a_push())
        fcm.accounts.faults.extend([Fault(503), Fault(503)])
        clock.now = NOW + 57 * 60_000
        assert isinstance(await sender.send(a_push()), Accepted)
        clock.now = NOW + 61 * 60_000
        outcome = await sender.send(a_push())
    assert isinstance(outcome, Deferred)
    assert outcome.reason is Reason.PROVIDER_ERROR


async def test_a_token_that_is_refused_is_replaced_once_for_all() -> None:
    fcm = FakeFcm(lambda: NOW)
    async with client_of(fcm, fcm.accounts) as http:
        sender = FcmChannel().open(SETTINGS, Tools(lambda: NOW, http))
        await sender.send(a_push())
        fcm.accounts.revoke_all()
        outcomes = await asyncio.gather(*(sender.send(a_push(f"m-{n}")) for n in range(10)))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert len(fcm.accounts.requests) == 2


async def test_a_refusal_that_comes_late_does_not_cost_the_new_token() -> None:
    fcm = FakeFcm(lambda: NOW)
    async with client_of(fcm, fcm.accounts) as http:
        token = AccessToken(SETTINGS.account(), SCOPE, Tools(lambda: NOW, http))
        old = await token.get()
        assert isinstance(old, str)
        for _ in range(3):
            token.forget(old)
            assert await token.get() != old
    assert len(fcm.accounts.requests) == 2


async def test_a_second_refusal_is_the_end_of_it() -> None:
    fcm = FakeFcm(lambda: NOW, faults=[Fault(401), Fault(401)])
    [outcome] = await send(fcm, a_push())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED
    assert len(fcm.requests) == 2


@pytest.mark.parametrize(
    "fault", [Fault(no_connection=True), Fault(reset_after=True), Fault(504), Fault(429)]
)
async def test_without_a_token_nothing_has_left(fault: Fault) -> None:
    fcm = FakeFcm(lambda: NOW)
    fcm.accounts.faults.append(fault)
    [outcome] = await send(fcm, a_push())
    assert isinstance(outcome, Deferred)
    assert not fcm.requests


async def test_who_gives_up_waiting_does_not_take_the_token_from_the_others() -> None:
    fcm = FakeFcm(lambda: NOW)
    async with client_of(fcm, fcm.accounts) as http:
        sender = FcmChannel().open(SETTINGS, Tools(lambda: NOW, http))
        first, second = (asyncio.create_task(sender.send(a_push(f"m-{n}"))) for n in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert isinstance(await second, Accepted)
        await sender.aclose()
    assert first.cancelled()
    assert list(fcm.taken.values()) == [TOKEN]


async def test_a_key_that_google_does_not_know_is_refused_without_being_told() -> None:
    fcm = FakeFcm(lambda: NOW)
    other = a_service_account("another-shop")
    settings = FcmSettings(service_account=SecretStr(other))
    [outcome] = await send(fcm, a_push(), settings=settings)
    assert outcome == Rejected(Reason.AUTH_FAILED, "invalid_grant", "Invalid JWT Signature.")


# Settings


def broken(**changes: Any) -> FcmSettings:
    account = {**json.loads(a_service_account()), **changes}
    return FcmSettings(service_account=SecretStr(json.dumps(account)))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (FcmSettings(service_account=SecretStr("{")), "no JSON"),
        (broken(type="authorized_user"), "(type)"),
        (broken(private_key="hunter2"), "no private RSA key"),
    ],
)
async def test_a_key_file_that_is_none_is_seen_at_once(settings: FcmSettings, told: str) -> None:
    [problem] = FcmChannel().problems(settings)
    assert problem.path == "service_account"
    assert told in problem.message
    assert "hunter2" not in problem.message
    fcm = FakeFcm(lambda: NOW)
    [outcome] = await send(fcm, a_push(), settings=settings)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED
    assert "hunter2" not in repr(outcome)


async def test_a_probe_sends_nothing() -> None:
    fcm = FakeFcm(lambda: NOW)
    async with client_of(fcm, fcm.accounts) as http:
        assert await FcmChannel().probe(SETTINGS, Tools(lambda: NOW, http)) == []
    assert not fcm.taken
    assert json.loads(fcm.requests[0][3])["validate_only"] is True


@pytest.mark.parametrize(
    ("changes", "path"),
    [({"project_id": "elsewhere"}, "project_id"), ({"base_url": "https://down.example"}, "")],
)
async def test_a_probe_finds_what_is_wrong(changes: dict[str, str], path: str) -> None:
    fcm = FakeFcm(lambda: NOW)
    async with client_of(fcm, fcm.accounts) as http:
        [problem] = await FcmChannel().probe(SETTINGS.model_copy(update=changes), Tools(lambda: NOW, http))
    assert problem.path == path


def test_every_code_of_the_reference_has_its_reason() -> None:
    table = codes.load("channels.push", "fcm_codes.csv")
    assert table.reason("UNREGISTERED") is Reason.INVALID_RECIPIENT
    assert table.reason("SENDER_ID_MISMATCH") is Reason.SENDER_INVALID
    assert table.reason("THIRD_PARTY_AUTH_ERROR") is Reason.AUTH_FAILED
    assert table.reason("NEVER_SEEN") is Reason.UNKNOWN
