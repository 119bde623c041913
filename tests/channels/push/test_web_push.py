import base64
import json
import re
from dataclasses import replace
from typing import Any

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02
from pydantic import SecretStr, ValidationError
from pywebpush import WebPusher

from channels import Accepted, Deferred, Message, Outcome, Rejected, Tools, Unknown
from channels.host import build_host
from channels.push.vapid import Vapid, base64url
from channels.push.web_push import WebPushChannel, WebPushSettings, subscription_of
from channels.reasons import Reason
from channels.testing import NOW, Evidence, check
from channels.testing.providers import Fault, Life, client_of, everybody
from channels.testing.providers.web_push import (
    EXPRESSES,
    FakeApplePush,
    FakeAutopush,
    FakeWebPush,
    a_vapid_key,
)
from server.egress import make_public_client

pytestmark = pytest.mark.anyio
SETTINGS = WebPushSettings(private_key=SecretStr(a_vapid_key()), subject="mailto:push@shop.kr")
HOUR = 3_600_000
SERVICES = [FakeWebPush, FakeAutopush, FakeApplePush]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def a_push(to: str = "", reference: str = "m-1", **changes: Any) -> Message:
    content = {"title": "안녕", "text": "Your order is on its way 🚚", "url": "https://shop.example/o/1"}
    return replace(Message(reference, to or FakeWebPush.subscription("mina"), content, NOW), **changes)


async def send(
    service: FakeWebPush, message: Message, settings: WebPushSettings = SETTINGS
) -> tuple[Outcome, list[tuple[str, Any, Any]]]:
    async with client_of(service) as http:
        outcome = await WebPushChannel().open(settings, Tools(service.clock, http)).send(message)
    return outcome, service.messages


@pytest.mark.parametrize("kind", SERVICES)
async def test_keeps_the_contract(kind: type[FakeWebPush]) -> None:
    async with client_of(kind(lambda: NOW)) as http:
        message = a_push(kind.subscription("mina"))
        tools = Tools(lambda: NOW, http, public_http=http)
        await check(Evidence(channel=WebPushChannel(), settings=SETTINGS, tools=tools, message=message))


async def test_is_found_by_its_dotted_name() -> None:
    host = build_host(discover=False, modules=["channels.push.web_push"])
    assert host.channels["web_push"].capabilities.address_scheme == "webpush:"


@pytest.mark.parametrize("kind", SERVICES)
async def test_a_message_arrives_as_the_standards_say(kind: type[FakeWebPush]) -> None:
    options = {"urgency": "high", "topic": "order-1", "data": {"order": {"id": 1}}}
    content = {**a_push().content, "image_url": "https://shop.example/truck.png"}
    message = a_push(kind.subscription("mina"), options=options, content=content, expires_at=NOW + 90_500)
    outcome, taken = await send(kind(lambda: NOW), message)
    [(browser, headers, payload)] = taken
    assert outcome == Accepted(f"{kind.base_url}/message/{1:016x}")
    assert browser == "mina"
    wanted = {
        "ttl": "90",
        "urgency": "high",
        "topic": "order-1",
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
    }
    assert {name: headers[name] for name in wanted} == wanted
    assert payload == {
        "title": "안녕",
        "text": "Your order is on its way 🚚",
        "url": "https://shop.example/o/1",
        "image_url": "https://shop.example/truck.png",
        "data": {"order": {"id": 1}},
        "sojourn_message": "m-1",
    }


async def test_a_message_that_never_expires_is_kept_as_long_as_the_settings_say() -> None:
    for settings, ttl in ((SETTINGS, "2419200"), (SETTINGS.model_copy(update={"ttl_seconds": 60}), "60")):
        _, [(_, headers, _)] = await send(FakeWebPush(lambda: NOW), a_push(), settings)
        assert headers["ttl"] == ttl
        assert "topic" not in headers


async def test_a_browser_written_by_others_reads_the_payload() -> None:
    service = FakeWebPush(lambda: NOW)
    browser, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    point = browser.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    keys = {"p256dh": base64url(point), "auth": base64url(auth)}
    endpoint = "https://fcm.googleapis.com/fcm/send/somebody"
    await send(service, a_push(json.dumps({"endpoint": endpoint, "keys": keys})))
    [(_, _, _, body)] = service.requests
    read = http_ece.decrypt(body, private_key=browser, auth_secret=auth)
    assert json.loads(read)["title"] == "안녕"


async def test_what_another_sender_sends_our_fake_service_reads() -> None:
    service = FakeWebPush(lambda: NOW)
    told = json.loads(FakeWebPush.subscription("mina"))
    body = WebPusher(told).encode(b'{"text": "theirs"}', content_encoding="aes128gcm")["body"]
    authorization = Vapid(a_vapid_key(), "mailto:a@b.kr").authorization(service.base_url, NOW)
    headers = {"authorization": authorization, "ttl": "0", "content-encoding": "aes128gcm"}
    async with client_of(service) as http:
        response = await http.post(told["endpoint"], content=body, headers=headers)
    assert response.status_code == 201
    assert service.messages[0][2] == {"text": "theirs"}


async def test_a_payload_of_just_the_largest_size_is_taken() -> None:
    used = len(b'{"text":"","sojourn_message":"m-1"}')
    for size, kind in ((3993 - used, Accepted), (3994 - used, Rejected)):
        outcome, taken = await send(FakeWebPush(lambda: NOW), a_push(content={"text": "x" * size}))
        assert isinstance(outcome, kind)
        assert len(taken) == (kind is Accepted)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.CONTENT_INVALID
    assert "3994 bytes, a push service takes 3993" in outcome.text


# Answers


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("reason", sorted(EXPRESSES))
async def test_every_reason_that_a_service_can_give_comes_back_as_the_same(
    reason: Reason, kind: type[FakeWebPush]
) -> None:
    service = kind(lambda: NOW, lives=everybody(Life(refused=reason)))
    outcome, taken = await send(service, a_push(kind.subscription("mina")))
    assert isinstance(outcome, Rejected | Deferred)
    is_told_alike = kind is FakeAutopush and reason is Reason.SENDER_INVALID
    assert outcome.reason is (Reason.AUTH_FAILED if is_told_alike else reason)
    assert not taken
    assert isinstance(outcome, Deferred) == (reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR))
    if isinstance(outcome, Deferred):
        assert outcome.retry_at == NOW + 30_000


@pytest.mark.parametrize(
    ("fault", "kind", "reason", "code"),
    [
        (Fault(no_connection=True), Deferred, Reason.PROVIDER_ERROR, ""),
        (Fault(reset_after=True), Unknown, Reason.OUTCOME_UNKNOWN, ""),
        (Fault(502), Unknown, Reason.OUTCOME_UNKNOWN, "502"),
        (Fault(500, body=b'{"code":500,"errno":999}'), Deferred, Reason.PROVIDER_ERROR, "errno 999"),
        (
            Fault(500, body=b'{"reason":"PayloadTooLarge"}'),
            Deferred,
            Reason.PROVIDER_ERROR,
            "PayloadTooLarge",
        ),
        (Fault(503, {"retry-after": "9"}), Deferred, Reason.PROVIDER_ERROR, "503"),
        (Fault(406), Deferred, Reason.RATE_LIMITED, "406"),
        (Fault(404), Rejected, Reason.INVALID_RECIPIENT, "404"),
        (Fault(410), Rejected, Reason.INVALID_RECIPIENT, "410"),
        (Fault(404, body=b'{"code":404,"errno":102}'), Rejected, Reason.INVALID_RECIPIENT, "errno 102"),
        (Fault(401), Rejected, Reason.AUTH_FAILED, "401"),
        (Fault(413), Rejected, Reason.CONTENT_INVALID, "413"),
        (Fault(400, body=b'{"reason":"NeverSeen"}'), Rejected, Reason.REQUEST_INVALID, "NeverSeen"),
        (Fault(301), Rejected, Reason.REQUEST_INVALID, "301"),
    ],
)
async def test_an_answer_is_read_by_what_can_have_happened(
    fault: Fault, kind: type[Outcome], reason: Reason, code: str
) -> None:
    outcome, _ = await send(FakeWebPush(lambda: NOW, faults=[fault]), a_push())
    assert isinstance(outcome, kind)
    assert not isinstance(outcome, Accepted)
    assert (outcome.reason, outcome.code) == (reason, code)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_every_success_is_one_with_our_reference_where_the_service_names_nothing(status: int) -> None:
    outcome, _ = await send(FakeWebPush(lambda: NOW, faults=[Fault(status)]), a_push())
    assert outcome == Accepted("m-1")


# Addresses


def changed(**changes: Any) -> str:
    told = json.loads(FakeWebPush.subscription("mina"))
    keys = {**told["keys"], **changes.pop("keys", {})}
    return json.dumps({**told, "keys": keys, **changes})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "null",
        "[" * 5000,
        '"https://fcm.googleapis.com/x"',
        "{}",
        changed(endpoint=5),
        changed(endpoint="//fcm.googleapis.com/x"),
        changed(endpoint="http://fcm.googleapis.com/x"),
        changed(endpoint="https://fcm.googleapis.com:8443/x"),
        changed(endpoint="https://user@fcm.googleapis.com/x"),
        changed(endpoint="https://fcm.googleapis.com/\n"),
        changed(endpoint="https://fcm.googleapis.com/" + "x" * 5000),
        changed(endpoint="https://fcm.googleapis.com/\ud800"),
        changed(keys={"auth": "AAAA"}),
        changed(keys={"auth": "열쇠"}),
        changed(keys={"p256dh": base64url(b"\x04" + b"\x01" * 64)}),
        changed(keys={"p256dh": base64url(b"\x00")}),
    ],
)
async def test_what_is_no_subscription_is_not_sent_to(address: str) -> None:
    service = FakeWebPush(lambda: NOW)
    outcome, _ = await send(service, a_push(address or "x"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.INVALID_RECIPIENT
    assert not service.requests


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "[::1]",
        "localhost",
        "evil.example",
        "fcm.googleapis.com.evil.example",
        "fcm.googleapis.com.",
        "notify.windows.com",
        "evilpush.apple.com",
    ],
)
async def test_only_listed_push_services_are_sent_to(host: str) -> None:
    service = FakeWebPush(lambda: NOW)
    outcome, _ = await send(service, a_push(changed(endpoint=f"https://{host}/x")))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NOT_PERMITTED
    assert not service.requests


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/a:b",
        "https://updates.push.services.mozilla.com/wpush/v2/a",
        "https://web.push.apple.com/QGu",
        "https://db5p.notify.windows.com/w/?token=a%2b%2fb%3d%3d",
    ],
)
async def test_the_services_of_the_known_browsers_are_listed_and_called_as_they_were_given(
    endpoint: str,
) -> None:
    service = FakeWebPush(lambda: NOW)
    outcome, _ = await send(service, a_push(changed(endpoint=endpoint)))
    assert getattr(outcome, "reason", None) is not Reason.NOT_PERMITTED
    assert str(subscription_of(changed(endpoint=endpoint)).endpoint) == endpoint


async def test_a_listed_name_that_leads_inside_is_not_called() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["169.254.169.254"]

    service = FakeWebPush(lambda: NOW)
    async with client_of(service) as http, make_public_client(resolve=resolve) as outside:
        sender = WebPushChannel().open(SETTINGS, Tools(lambda: NOW, http, public_http=outside))
        outcome = await sender.send(a_push())
    assert isinstance(outcome, Deferred)
    assert "169.254.169.254" in outcome.text
    assert not service.requests


async def test_keys_may_be_in_the_plain_alphabet_with_padding() -> None:
    keys = json.loads(FakeWebPush.subscription("mina"))["keys"]
    plain = {k: base64.b64encode(base64.urlsafe_b64decode(v + "==")).decode() for k, v in keys.items()}
    outcome, _ = await send(FakeWebPush(lambda: NOW), a_push(changed(keys=plain)))
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"expires_at": NOW}, Reason.EXPIRED, "its time was over"),
        ({"options": {"topic": "주문"}}, Reason.REQUEST_INVALID, "topic"),
        ({"options": {"urgency": "now"}}, Reason.REQUEST_INVALID, "urgency"),
    ],
)
async def test_what_cannot_be_sent_is_not_sent(changes: Any, reason: Reason, told: str) -> None:
    service = FakeWebPush(lambda: NOW)
    outcome, _ = await send(service, a_push(**changes))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is reason
    assert told in outcome.text
    assert not service.requests


# VAPID


async def test_the_vapid_token_is_verified_by_another_implementation() -> None:
    _, [(_, headers, _)] = await send(FakeWebPush(lambda: NOW), a_push())
    # It splits at the last space, where the standard allows one more.
    assert Vapid02.verify(headers["authorization"].replace(", ", ","))
    found = re.fullmatch(r"vapid t=(\S+), k=(\S+)", headers["authorization"])
    assert found
    theirs = Vapid02.from_pem(a_vapid_key().encode()).public_key
    assert base64url(theirs.public_bytes(*_POINT)) == found[2]
    claims = jwt.decode(
        found[1], theirs, ["ES256"], audience=FakeWebPush.base_url, options={"verify_exp": False}
    )
    assert claims == {
        "aud": "https://fcm.googleapis.com",
        "exp": (NOW + 12 * HOUR) // 1000,
        "sub": "mailto:push@shop.kr",
    }


_POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


async def test_one_token_serves_a_push_service_for_hours_and_no_other() -> None:
    clock = Clock()
    google, mozilla = FakeWebPush(clock), FakeAutopush(clock)
    async with client_of(google, mozilla) as http:
        sender = WebPushChannel().open(SETTINGS, Tools(clock, http))
        for hours, minted in ((0, 1), (10.9, 1), (11.1, 2), (22, 2), (23, 3)):
            clock.now = NOW + int(hours * HOUR)
            for service in (google, mozilla):
                outcome = await sender.send(a_push(service.subscription("mina"), sent_at=clock.now))
                assert isinstance(outcome, Accepted)
                assert len({headers["authorization"] for _, headers, _ in service.messages}) == minted


async def test_a_key_in_base64url_is_the_same_key() -> None:
    key = serialization.load_pem_private_key(a_vapid_key().encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    raw = base64url(key.private_numbers().private_value.to_bytes(32, "big"))
    assert Vapid(raw, "").public_key == Vapid(a_vapid_key(), "").public_key
    settings = SETTINGS.model_copy(update={"private_key": SecretStr(raw)})
    assert WebPushChannel().problems(settings) == []


async def test_a_browser_that_subscribed_with_another_key_says_so() -> None:
    service = FakeWebPush(lambda: NOW, application_server="another")
    outcome, _ = await send(service, a_push())
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.code) == (Reason.SENDER_INVALID, "403 other key")


# Settings


@pytest.mark.parametrize("key", ["hunter2", "", "A" * 43, "-----BEGIN nonsense"])
async def test_a_key_that_is_none_is_seen_at_once(key: str) -> None:
    settings = SETTINGS.model_copy(update={"private_key": SecretStr(key)})
    [problem] = WebPushChannel().problems(settings)
    assert problem.path == "private_key"
    assert not key or key not in problem.message
    outcome, _ = await send(FakeWebPush(lambda: NOW), a_push(), settings)
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({}, None),
        ({"subject": "https://shop.kr/contact"}, None),
        ({"subject": "mailto:a@localhost"}, "subject"),
        ({"subject": "https://relay.local/x"}, "subject"),
        ({"push_services": ("*",)}, "push_services"),
        ({"push_services": ()}, "push_services"),
        ({"push_services": ("https://fcm.googleapis.com",)}, "push_services"),
    ],
)
def test_what_push_services_would_refuse_is_seen_before(changes: dict[str, Any], path: str | None) -> None:
    found = WebPushChannel().problems(SETTINGS.model_copy(update=changes))
    assert [problem.path for problem in found] == ([] if path is None else [path])


@pytest.mark.parametrize("subject", ["", "push@shop.kr", "http://shop.kr", "mailto:nobody"])
def test_a_subject_is_a_way_to_reach_the_sender(subject: str) -> None:
    with pytest.raises(ValidationError):
        WebPushSettings(private_key=SecretStr("x"), subject=subject)
