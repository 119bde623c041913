from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sojourn_sms.testing import FakeTwilio
from sojourn_sms.testing.twilio import FAILED, REFUSED
from sojourn_sms.twilio import TwilioChannel, TwilioSender, TwilioSettings
from sojourn_sms.twilio_callbacks import codes
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from channels import (
    Accepted,
    Actor,
    Callback,
    Deferred,
    Inbound,
    Message,
    Price,
    Reason,
    Receipt,
    ReceiptKind,
    Refused,
    Rejected,
    Tools,
    Unknown,
    Verified,
)
from channels.testing import NOW, ChannelCheck, Evidence
from channels.testing.providers import Fault, Life, client_of, everybody

pytest_plugins = ["channels.testing.plugin"]
pytestmark = pytest.mark.anyio

CHANNEL = TwilioChannel()
HOOK = "https://hooks.example/hooks/1"
ACCOUNT = "AC" + "0" * 32
SETTINGS = TwilioSettings(account_sid=ACCOUNT, auth_token="twilio-auth-token", sender="+15550001111")
MINUTE = 60_000


def settings(**changes: Any) -> TwilioSettings:
    given = {"account_sid": ACCOUNT, "auth_token": "twilio-auth-token", "sender": "+15550001111"}
    return TwilioSettings.model_validate({**given, **changes})


def a_message(text: str = "안녕하세요 👋", *, to: str = "+821012345678", **more: Any) -> Message:
    content = {"text": text, **more.pop("content", {})}
    return Message(more.pop("reference", "m-1"), to, content, NOW, **more)


@dataclass
class World:
    twilio: FakeTwilio
    tools: Tools

    def open(self, given: TwilioSettings = SETTINGS) -> TwilioSender:
        return CHANNEL.open(given, self.tools)

    def forms(self) -> list[dict[str, str]]:
        return [
            dict(parse_qsl(body.decode())) for method, _, _, body in self.twilio.requests if method == "POST"
        ]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    twilio = FakeTwilio(lambda: NOW, keys={"SK" + "1" * 32: "key-secret"})
    async with client_of(twilio) as http:
        yield World(twilio, Tools(clock=lambda: NOW, http=http, callback_url=HOOK))


def hear(callback: Callback, given: TwilioSettings = SETTINGS) -> list[Receipt]:
    verified = CHANNEL.verify(given, callback, NOW)
    assert isinstance(verified, Verified), verified
    return CHANNEL.parse(given, verified)


async def test_a_message_reaches_twilio_and_is_told_of_at_our_address(world: World) -> None:
    outcome = await world.open().send(a_message(reference="주문 1"))
    assert isinstance(outcome, Accepted)
    assert world.twilio.taken == {outcome.provider_id: "+821012345678"}
    assert world.forms() == [
        {
            "To": "+821012345678",
            "From": "+15550001111",
            "StatusCallback": HOOK + "?reference=%EC%A3%BC%EB%AC%B8+1",
            "Body": "안녕하세요 👋",
        }
    ]


async def test_a_price_that_twilio_names_at_once_is_kept(world: World) -> None:
    assert (await world.open().send(a_message())).price is None  # type: ignore[union-attr]  # it was taken over
    world.twilio.price = "-0.00750"
    outcome = await world.open().send(a_message(reference="second"))
    assert isinstance(outcome, Accepted)
    assert outcome.price == Price(Decimal("0.0075"), "USD")


async def test_twilios_own_software_makes_the_same_request(world: World) -> None:
    sent: list[dict[str, Any]] = []

    class Line:
        def request(self, method: str, url: str, **said: Any) -> Any:
            sent.append({"method": method, "url": url, "auth": said["auth"], "data": said["data"]})
            return type("Answer", (), {"status_code": 201, "text": '{"sid": "SM1"}', "headers": {}})()

    theirs = Client(ACCOUNT, "twilio-auth-token", http_client=Line())
    made = theirs.messages.create(
        to="+821012345678",
        from_="+15550001111",
        body="hello",
        media_url=["https://shop.example/1.jpg"],
        validity_period=60,
        smart_encoded=True,
        status_callback=HOOK + "?reference=m-1",
    )
    assert isinstance(made, MessageInstance)
    message = a_message("hello", content={"image_url": "https://shop.example/1.jpg"}, expires_at=NOW + MINUTE)
    await world.open().send(replace(message, options={"smart_encoded": True}))
    (theirs_sent,) = sent
    method, path, headers, _ = world.twilio.requests[0]
    assert (method, "https://api.twilio.com" + path) == (theirs_sent["method"], theirs_sent["url"])
    wanted = {
        name: value[0] if isinstance(value, list) else str(value)
        for name, value in theirs_sent["data"].items()
    }
    wanted["SmartEncoded"] = wanted["SmartEncoded"].lower()
    assert world.forms() == [wanted]
    assert headers["authorization"].startswith("Basic ")


async def test_a_service_a_name_and_an_option_choose_who_it_comes_from(world: World) -> None:
    service = "MG" + "2" * 32
    await world.open(settings(sender="", messaging_service_sid=service)).send(a_message())
    await world.open(settings(sender="Sojourn")).send(a_message())
    await world.open().send(a_message(options={"sender": "+15550002222", "max_price": 0.05}))
    first, second, third = world.forms()
    assert ("From" in first, first["MessagingServiceSid"]) == (False, service)
    assert second["From"] == "Sojourn"
    assert (third["From"], third["MaxPrice"]) == ("+15550002222", "0.05")


async def test_an_api_key_logs_in_in_place_of_the_account(world: World) -> None:
    keyed = settings(key_sid="SK" + "1" * 32, key_secret="key-secret", auth_token="")
    assert isinstance(await world.open(keyed).send(a_message()), Accepted)
    assert await CHANNEL.probe(keyed, world.tools) == []
    wrong = settings(key_sid="SK" + "1" * 32, key_secret="wrong")
    assert (await world.open(wrong).send(a_message())) == Rejected(
        Reason.AUTH_FAILED, "20003", "Authenticate"
    )
    (problem,) = await CHANNEL.probe(wrong, world.tools)
    assert (problem.path, "20003" in problem.message) == ("key_sid", True)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (a_message(to="010-1234-5678"), Reason.INVALID_RECIPIENT),
        (a_message(to="+1"), Reason.INVALID_RECIPIENT),
        (a_message("  "), Reason.CONTENT_INVALID),
        (a_message(expires_at=NOW + 900), Reason.EXPIRED),
        (a_message(options={"max_price": -1}), Reason.REQUEST_INVALID),
    ],
)
async def test_what_cannot_be_sent_never_leaves(world: World, message: Message, reason: Reason) -> None:
    outcome = await world.open().send(message)
    assert isinstance(outcome, Rejected)
    assert (outcome.reason, world.twilio.requests) == (reason, [])


@pytest.mark.parametrize(
    "url", ["", "http://localhost:8000/hooks/1", "http://127.0.0.1/h", "https://a_b.example/h"]
)
async def test_an_address_that_twilio_would_refuse_is_not_asked_for(world: World, url: str) -> None:
    tools = replace(world.tools, callback_url=url)
    assert isinstance(await CHANNEL.open(SETTINGS, tools).send(a_message()), Accepted)
    assert "StatusCallback" not in world.forms()[0]


async def test_a_message_that_may_wait_long_waits_as_long_as_twilio_can(world: World) -> None:
    await world.open().send(a_message(expires_at=NOW + 90_000))
    await world.open().send(a_message(expires_at=NOW + 1000 * MINUTE))
    assert [form["ValidityPeriod"] for form in world.forms()] == ["90", "36000"]


@pytest.mark.parametrize("reason", REFUSED)
async def test_what_twilio_refuses_has_its_reason(world: World, reason: Reason) -> None:
    world.twilio.lives = everybody(Life(refused=reason))
    outcome = await world.open().send(a_message())
    assert not isinstance(outcome, Accepted)
    assert (outcome.reason, outcome.code) == (reason, str(REFUSED[reason][1]))
    later = reason in (Reason.RATE_LIMITED, Reason.PROVIDER_ERROR)
    assert isinstance(outcome, Deferred if later else Rejected)


@pytest.mark.parametrize("reason", FAILED)
async def test_a_failure_is_told_with_its_reason_and_our_reference(world: World, reason: Reason) -> None:
    world.twilio.lives = everybody(Life(failed=reason))
    accepted = await world.open().send(a_message())
    assert isinstance(accepted, Accepted)
    (callback,) = world.twilio.callbacks(world.twilio.due(NOW + MINUTE), NOW)
    (told,) = hear(callback)
    assert (told.kind, told.reason, told.code) == (ReceiptKind.FAILED, reason, str(FAILED[reason]))
    assert (told.reference, told.provider_id) == ("m-1", accepted.provider_id)
    assert told.recipient == "+821012345678"
    assert f"ErrorCode={FAILED[reason]}" in told.raw


async def test_every_status_is_a_receipt_of_its_own(world: World) -> None:
    await world.open().send(a_message())
    (sid,) = world.twilio.forms
    kinds = {}
    for status in ("accepted", "queued", "sending", "sent", "delivered", "undelivered", "failed", "read"):
        (told,) = hear(world.twilio.status(sid, status))
        kinds[told.key] = told.kind
    assert list(kinds.values()) == [ReceiptKind.ACCEPTED] * 4 + [
        ReceiptKind.DELIVERED,
        *[ReceiptKind.FAILED] * 2,
        ReceiptKind.OPENED,
    ]
    (odd,) = hear(world.twilio.status(sid, "teleported"))
    assert (odd.kind, odd.code) == (ReceiptKind.UNMAPPED, "teleported")
    (read,) = hear(world.twilio.status(sid, "read"))
    assert (read.actor, read.reason) == (Actor.HUMAN, None)
    (silent,) = hear(world.twilio.status(sid, "failed"))
    assert (silent.reason, silent.code) == (Reason.UNKNOWN, "failed")


async def test_a_lost_answer_is_made_good_by_the_callback(world: World) -> None:
    world.twilio.faults.append(Fault(reset_after=True))
    assert isinstance(await world.open().send(a_message("x", reference="잃어버린-답")), Unknown)
    (sid,) = world.twilio.forms
    (told,) = hear(world.twilio.status(sid, "delivered"))
    assert (told.reference, told.provider_id) == ("잃어버린-답", sid)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(no_connection=True), Deferred(NOW, Reason.PROVIDER_ERROR, text="connection refused")),
        (
            Fault(429, {"retry-after": "7"}, b'{"code": 20429, "message": "x"}'),
            Deferred(NOW + 7000, Reason.RATE_LIMITED, "20429", "x"),
        ),
        (
            Fault(429, {}, b'{"code": 21999}'),
            Deferred(NOW + 1000, Reason.RATE_LIMITED, "21999", '{"code": 21999}'),
        ),
        (Fault(503, {}, b"x"), Deferred(NOW, Reason.PROVIDER_ERROR, "503", "x")),
        (Fault(504, {}, b"x"), Unknown(code="504", text="x")),
        (Fault(201, {}, b"{}"), Unknown(code="201", text="Twilio's answer names no message.")),
        (
            Fault(400, {}, b'{"code": 21999, "message": "new"}'),
            Rejected(Reason.REQUEST_INVALID, "21999", "new"),
        ),
        (
            Fault(400, {}, b'{"code": 21611, "message": "full"}'),
            Deferred(NOW + 1000, Reason.RATE_LIMITED, "21611", "full"),
        ),
    ],
)
async def test_what_goes_wrong_on_the_way(world: World, fault: Fault, expected: Any) -> None:
    world.twilio.faults.append(fault)
    assert await world.open().send(a_message()) == expected


def test_codes_that_nobody_listed_blame_no_person() -> None:
    reasons = {codes().reason(code) for code in ("20777", "21777", "30777", "63777", "99999")}
    assert reasons == {Reason.REQUEST_INVALID, Reason.UNKNOWN}


# What people write


def test_what_people_write_is_handed_on_and_nothing_is_answered() -> None:
    callback = FakeTwilio(lambda: NOW).written("+15557654321", "그만 보내세요 & 고마워요", number=7)
    verified = CHANNEL.verify(SETTINGS, callback, NOW)
    assert isinstance(verified, Verified)
    assert verified.answer == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert CHANNEL.parse(SETTINGS, verified) == []
    (said,) = CHANNEL.parse_inbound(SETTINGS, verified)
    sid = f"SM{7:032x}"
    assert replace(said, raw="") == Inbound(
        sid, "+15557654321", "그만 보내세요 & 고마워요", NOW, recipient="+15550001111"
    )


def test_a_word_that_twilio_took_for_stop_is_an_opt_out_whatever_it_was() -> None:
    fake = FakeTwilio(lambda: NOW)
    (told,) = hear(fake.written("+15557654321", "arrête", opt_out="STOP"))
    assert (told.kind, told.recipient) == (ReceiptKind.UNSUBSCRIBED, "+15557654321")
    assert hear(fake.written("+15557654321", "start", opt_out="START")) == []
    assert hear(fake.written("+15557654321", "help", opt_out="HELP")) == []


# Who may speak


def theirs(callback: Callback, token: str = "twilio-auth-token") -> bool:
    """What Twilio's own software thinks of a callback."""
    body = callback.body.decode()
    form: Any = (
        body if "json" in callback.headers["content-type"] else dict(parse_qsl(body, keep_blank_values=True))
    )
    given = callback.headers["x-twilio-signature"]
    settings_header = callback.headers.get("x-twilio-webhooks-signature-settings", "")
    algorithm = settings_header.rpartition("=")[2] or None
    return bool(RequestValidator(token).validate(callback.url, form, given, algorithm))


def ours(callback: Callback, given: TwilioSettings = SETTINGS) -> bool:
    return isinstance(CHANNEL.verify(given, callback, NOW), Verified)


SAID = {"MessageSid": "SM1", "MessageStatus": "sent", "To": "+821012345678", "Empty": "", "Body": "한 글+&= "}


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    "url",
    [
        HOOK,
        HOOK + "?reference=m-1",
        "https://hooks.example:8443/hooks/1?reference=%EC%A3%BC%EB%AC%B8+1",
        "http://hooks.example/hooks/1",
    ],
)
def test_twilios_own_software_and_ours_believe_the_same(url: str, as_json: bool) -> None:
    callback = FakeTwilio(lambda: NOW).signed(url, SAID, as_json=as_json)
    assert theirs(callback)
    assert ours(callback)
    twisted = [
        replace(callback, body=callback.body.replace(b"sent", b"read")),
        replace(callback, body=callback.body + b" "),
        replace(callback, url=callback.url.replace("hooks.example", "hooks.exampl")),
        replace(callback, url=callback.url + ("&" if "?" in url else "?") + "x=1"),
        replace(callback, headers={**callback.headers, "x-twilio-signature": "AAAA"}),
    ]
    for one in twisted:
        assert not theirs(one)
        assert not ours(one)


@given(
    said=st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), max_size=6),
    as_json=st.booleans(),
)
def test_whatever_twilio_says_is_believed_and_kept(said: dict[str, str], as_json: bool) -> None:
    callback = FakeTwilio(lambda: NOW).signed(HOOK + "?reference=m-1", said, as_json=as_json)
    assert theirs(callback)
    assert [one.kind for one in hear(callback)] == [ReceiptKind.UNMAPPED]
    assert not ours(callback, settings(auth_token="somebody else's"))


@pytest.mark.parametrize("algorithm", ["HMAC_SHA1", "HMAC_SHA256"])
def test_a_port_may_be_signed_or_not_and_a_newer_hash_may_be_used(algorithm: str) -> None:
    fake = FakeTwilio(lambda: NOW)
    for signed, called in (
        ("https://hooks.example:443/h", "https://hooks.example/h"),
        ("https://hooks.example/h", "https://hooks.example:443/h"),
    ):
        callback = replace(fake.signed(signed, SAID, algorithm=algorithm), url=called)
        assert theirs(callback)
        assert ours(callback)
    strange = {**callback.headers, "x-twilio-webhooks-signature-settings": "algorithm=HMAC_MD5"}
    assert not ours(replace(callback, headers=strange))


class Repeated(dict[str, list[str]]):
    """Parameters as web frameworks hand them to Twilio's software."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def test_parameters_that_come_twice_are_signed_as_twilio_signs_them() -> None:
    form = Repeated({"a": ["1"], "b": ["9", "23", "9"]})
    signature = RequestValidator("twilio-auth-token").compute_signature(HOOK, form)
    headers = {"content-type": "application/x-www-form-urlencoded", "x-twilio-signature": signature}
    assert ours(Callback("POST", "/hooks/1", headers, {}, b"b=9&a=1&b=23&b=9", HOOK))
    for body in (b"b=9&a=1", b"b=23&a=1", b"b=9&a=1&b=23&b=24"):
        assert not ours(Callback("POST", "/hooks/1", headers, {}, body, HOOK))


def test_a_form_is_proved_by_its_parameters_even_where_the_address_speaks_of_a_hash() -> None:
    callback = FakeTwilio(lambda: NOW).signed(HOOK + "?bodySHA256=abc", SAID)
    assert theirs(callback)
    assert ours(callback)
    assert not ours(replace(callback, body=callback.body.replace(b"sent", b"read")))


def test_a_body_without_a_hash_cannot_ride_on_the_signature_of_an_address() -> None:
    bare = FakeTwilio(lambda: NOW).signed(HOOK, {})
    assert ours(bare)
    for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain", ""):
        smuggled = replace(
            bare, body=b'{"MessageSid": "SM1"}', headers={**bare.headers, "content-type": kind}
        )
        assert not ours(smuggled)


def test_either_of_two_tokens_is_believed_and_none_without_an_address() -> None:
    callback = FakeTwilio(lambda: NOW).signed(HOOK, SAID)
    changing = settings(auth_token="the new one", previous_auth_token="twilio-auth-token")
    assert ours(callback, changing)
    assert not ours(callback, settings(auth_token="the new one"))
    assert CHANNEL.verify(settings(auth_token="", previous_auth_token=""), callback, NOW) == Refused(
        "auth_token is not set"
    )
    nameless = CHANNEL.verify(SETTINGS, replace(callback, url=""), NOW)
    assert isinstance(nameless, Refused)
    assert "public address" in nameless.why


def test_settings_say_what_is_missing() -> None:
    assert CHANNEL.problems(SETTINGS) == []
    assert [one.path for one in CHANNEL.problems(settings(sender=""))] == ["sender"]
    assert [one.path for one in CHANNEL.problems(settings(auth_token=""))] == ["auth_token"]
    half = settings(key_sid="SK" + "1" * 32)
    assert [one.path for one in CHANNEL.problems(half)] == ["key_secret"]
    for sender in ("+15551234567", "28849", "Sojourn", "My Shop 24"):
        assert CHANNEL.problems(settings(sender=sender)) == []
    for sender in ("010-1234-5678", "A name of twelve", "+12", "1234567890123"):
        assert [one.path for one in CHANNEL.problems(settings(sender=sender))] == ["sender"]


# The contract


def golden() -> list[tuple[Callback, list[Receipt | Inbound]]]:
    fake = FakeTwilio(lambda: NOW)
    fake.forms["SM1"] = {"To": "+821012345678", "StatusCallback": HOOK + "?reference=m-1"}
    common: dict[str, Any] = {"reference": "m-1", "provider_id": "SM1", "recipient": "+821012345678"}
    why = "the recipient's own device says so"
    told = {
        "sent": Receipt("SM1:sent", ReceiptKind.ACCEPTED, NOW, code="sent", **common),
        "delivered": Receipt("SM1:delivered", ReceiptKind.DELIVERED, NOW, code="delivered", **common),
        "read": Receipt(
            "SM1:read", ReceiptKind.OPENED, NOW, code="read", actor=Actor.HUMAN, actor_why=why, **common
        ),
    }
    failed = Receipt(
        "SM1:undelivered", ReceiptKind.FAILED, NOW, reason=Reason.UNREACHABLE, code="30003", **common
    )
    sid, writer = f"SM{1:032x}", "+15557654321"
    stop = Receipt(f"{sid}:STOP", ReceiptKind.UNSUBSCRIBED, NOW, code="STOP", recipient=writer)
    written = Inbound(sid, writer, "stop", NOW, recipient="+15550001111")
    return [
        *((fake.status("SM1", status), [receipt]) for status, receipt in told.items()),
        (fake.status("SM1", "undelivered", 30003), [failed]),
        (fake.status("SM1", "sent", as_json=True), [told["sent"]]),
        (fake.written(writer, "stop", opt_out="STOP"), [stop, written]),
    ]


@pytest.fixture
def channel_evidence() -> Evidence:
    fake = FakeTwilio(lambda: NOW)
    return Evidence(
        channel=CHANNEL,
        settings=SETTINGS,
        tools=Tools(clock=lambda: NOW, http=client_of(fake), callback_url=HOOK),
        message=a_message(),
        callbacks=golden(),
        rotated=settings(auth_token="the new one", previous_auth_token="twilio-auth-token"),
        foreign=settings(auth_token="somebody else's"),
        unreachable=settings(base_url="https://down.example"),
    )


async def test_the_channel_keeps_the_contract(channel_check: ChannelCheck) -> None:
    await channel_check.run()
