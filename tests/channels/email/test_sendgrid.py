import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import sendgrid.helpers.mail as sdk
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr
from sendgrid.helpers.eventwebhook import EventWebhook

from channels import (
    Accepted,
    Actor,
    Callback,
    Deferred,
    Reason,
    Receipt,
    ReceiptKind,
    Rejected,
    Tools,
    Unknown,
)
from channels.contract import Refused, Verified
from channels.email.sendgrid import SendGridChannel, SendGridSettings
from channels.email.sendgrid_events import SIGNATURE, TIMESTAMP
from channels.testing import check_channel
from channels.testing.check import NOW
from channels.testing.providers.base import Fault, client_of
from channels.testing.providers.lives import Life
from channels.testing.providers.sendgrid import API_KEY, FakeSendGrid, signed, verification_key
from tests.channels.builders import a_message

pytestmark = pytest.mark.anyio
CHANNEL = SendGridChannel()


def settings(**changes: Any) -> SendGridSettings:
    usual = {
        "api_key": SecretStr(API_KEY),
        "from_address": "shop@example.com",
        "verification_key": verification_key(),
    }
    return SendGridSettings(**{**usual, **changes})


@pytest.fixture
async def lent() -> AsyncIterator[tuple[FakeSendGrid, Tools]]:
    fake = FakeSendGrid(lambda: NOW)
    async with client_of(fake) as http:
        yield fake, Tools(clock=lambda: NOW, http=http)


def heard(callback: Callback, now: int = NOW, **changes: Any) -> list[Receipt]:
    verdict = CHANNEL.verify(settings(**changes), callback, now)
    assert isinstance(verdict, Verified), verdict
    return CHANNEL.parse(settings(), verdict)


def told(event: str, **more: Any) -> Callback:
    usual = {"email": "mina@example.com", "timestamp": 1_767_225_600, "event": event, "sg_event_id": "e"}
    return signed([{**usual, "sg_message_id": "m.filter0001.16648.5515E0B88.0", **more}], NOW)


def refused(callback: Callback, now: int = NOW, **changes: Any) -> str:
    verdict = CHANNEL.verify(settings(**changes), callback, now)
    assert isinstance(verdict, Refused)
    return verdict.why


def another_key() -> str:
    public = generate_private_key(SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def test_it_keeps_the_contract(lent: tuple[FakeSendGrid, Tools]) -> None:
    _, tools = lent
    callbacks = [told("delivered"), told("bounce", reason="550 5.1.1 who")]
    unreachable = settings(base_url="https://down.example")
    await check_channel(CHANNEL, settings(), tools=tools, callbacks=callbacks, unreachable=unreachable)


async def test_the_request_is_the_one_that_sendgrids_own_library_makes(
    lent: tuple[FakeSendGrid, Tools],
) -> None:
    fake, tools = lent
    message = a_message(
        "1-2-3",
        subject="안녕 🎉",
        html="<p>안녕</p>",
        from_name="가게",
        reply_to="help@example.com",
        headers={"List-Unsubscribe": "<https://shop.example/u>"},
    )
    options = {"categories": ["spring"], "unsubscribe_group": 3, "ip_pool": "fast"}
    outcome = await CHANNEL.open(settings(), tools).send(replace(message, options=options))
    assert isinstance(outcome, Accepted)
    person = sdk.Personalization()
    person.add_to(sdk.To("mina@example.com"))
    person.add_custom_arg(sdk.CustomArg("sojourn_reference", "1-2-3"))
    mail = sdk.Mail(
        from_email=sdk.From("shop@example.com", "가게"),
        subject="안녕 🎉",
        plain_text_content="Good morning",
        html_content="<p>안녕</p>",
    )
    mail.add_personalization(person)
    mail.reply_to = sdk.ReplyTo("help@example.com")
    mail.header = sdk.Header("List-Unsubscribe", "<https://shop.example/u>")
    mail.category = sdk.Category("spring")
    mail.asm = sdk.Asm(sdk.GroupId(3))
    mail.ip_pool_name = sdk.IpPoolName("fast")
    mail.tracking_settings = sdk.TrackingSettings(sdk.ClickTracking(False, False), sdk.OpenTracking(False))
    assert json.loads(fake.requests[0][3]) == mail.get()


async def test_a_header_beyond_ascii_goes_encoded(lent: tuple[FakeSendGrid, Tools]) -> None:
    fake, tools = lent
    await CHANNEL.open(settings(), tools).send(a_message(headers={"X-Shop": "가게"}))
    assert json.loads(fake.requests[0][3])["headers"]["X-Shop"] == "=?utf-8?b?6rCA6rKM?="


async def test_options_of_other_adapters_are_refused(lent: tuple[FakeSendGrid, Tools]) -> None:
    fake, tools = lent
    outcome = await CHANNEL.open(settings(), tools).send(replace(a_message(), options={"tags": {}}))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.REQUEST_INVALID
    assert fake.requests == []


@pytest.mark.parametrize("reason", sorted(FakeSendGrid.refusals))
async def test_every_refusal_comes_back_with_its_reason(reason: Reason) -> None:
    fake = FakeSendGrid(lambda: NOW, lives=lambda to: Life(refused=reason))
    async with client_of(fake) as http:
        outcome = await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message())
    assert isinstance(outcome, Rejected | Deferred)
    assert outcome.reason is reason
    is_later = reason in (Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED, Reason.PROVIDER_ERROR)
    assert isinstance(outcome, Deferred) is is_later
    assert fake.taken == {}


async def test_too_fast_waits_until_the_window_starts_anew(lent: tuple[FakeSendGrid, Tools]) -> None:
    fake, tools = lent
    headers = {"x-ratelimit-reset": str(NOW // 1000 + 30)}
    fake.faults.append(Fault(429, headers, b'{"errors":[{"field":null,"message":"too many requests"}]}'))
    outcome = await CHANNEL.open(settings(), tools).send(a_message())
    assert outcome == Deferred(NOW + 30_000, Reason.RATE_LIMITED, "429", "too many requests")


async def test_what_left_without_an_answer_is_unknown_and_what_did_not_leave_is_deferred(
    lent: tuple[FakeSendGrid, Tools],
) -> None:
    fake, tools = lent
    fake.faults.extend([Fault(reset_after=True), Fault(no_connection=True), Fault(502), Fault(503)])
    sender = CHANNEL.open(settings(), tools)
    outcomes = [type(await sender.send(a_message())) for _ in range(4)]
    assert outcomes == [Unknown, Deferred, Unknown, Deferred]


async def test_a_probe_tells_of_wrong_keys_and_missing_permissions(lent: tuple[FakeSendGrid, Tools]) -> None:
    fake, tools = lent
    assert await CHANNEL.probe(settings(), tools) == []
    fake.scopes = ("stats.read",)
    [problem] = await CHANNEL.probe(settings(), tools)
    assert "Mail Send" in problem.message
    [problem] = await CHANNEL.probe(settings(api_key=SecretStr("SG.other")), tools)
    assert problem.path == "api_key"
    assert "SG.other" not in problem.message


@pytest.mark.parametrize("reason", sorted(FakeSendGrid.failures))
async def test_every_failure_comes_back_with_its_reason(reason: Reason) -> None:
    fake = FakeSendGrid(lambda: NOW, lives=lambda to: Life(failed=reason))
    async with client_of(fake) as http:
        outcome = await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message("1-2-3"))
    assert isinstance(outcome, Accepted)
    later = NOW + 60_000
    [receipt] = heard(fake.callback(fake.due(later), later), later)
    assert (receipt.provider_id, receipt.reference) == (outcome.provider_id, "1-2-3")
    assert receipt.reason is reason
    is_dropped = reason in (Reason.OPTED_OUT, Reason.QUOTA_EXCEEDED)
    assert receipt.kind is (ReceiptKind.FAILED if is_dropped else ReceiptKind.BOUNCED)


async def test_a_life_of_a_letter_is_heard_in_one_callback() -> None:
    lives = Life(delivered_after=1000, opened_after=2000, clicked_after=3000)
    fake = FakeSendGrid(lambda: NOW, lives=lambda to: lives)
    async with client_of(fake) as http:
        await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message())
    receipts = heard(fake.callback(fake.due(NOW + 5000), NOW))
    assert [one.kind for one in receipts] == [
        ReceiptKind.DELIVERED,
        ReceiptKind.OPENED,
        ReceiptKind.CLICKED,
    ]
    assert [one.occurred_at - NOW for one in receipts] == [1000, 2000, 3000]
    assert len({one.key for one in receipts}) == 3


def test_sendgrids_own_verifier_believes_what_the_fake_signs_and_refuses_what_we_refuse() -> None:
    callback = told("delivered", note="안녕")
    theirs = EventWebhook(verification_key())
    body, headers = callback.body.decode(), callback.headers
    assert theirs.verify_signature(body, headers[SIGNATURE], headers[TIMESTAMP])
    assert not theirs.verify_signature(body + " ", headers[SIGNATURE], headers[TIMESTAMP])
    assert heard(callback)
    assert "signature" in refused(replace(callback, body=callback.body + b" "))


def test_only_what_sendgrid_signed_lately_passes() -> None:
    good = told("delivered")
    day = 86_400_000
    assert heard(good, NOW + day)
    assert "too old" in refused(good, NOW + 2 * day)
    assert "ahead" in refused(good, NOW - 600_000)
    assert "too old" in refused(good, NOW + 120_000, callback_window_seconds=60)
    assert "base64" in refused(replace(good, headers={**good.headers, SIGNATURE: "é"}))
    assert "signature" in refused(replace(good, headers={**good.headers, SIGNATURE: ""}))
    assert "seconds" in refused(replace(good, headers={**good.headers, TIMESTAMP: "١٢٣"}))
    other = {**good.headers, TIMESTAMP: str(NOW // 1000 + 1)}
    assert "signature" in refused(replace(good, headers=other))
    assert "verification_key" in refused(good, verification_key="")
    assert "signature" in refused(good, verification_key=another_key())


def test_while_keys_change_both_are_believed() -> None:
    changes = {"verification_key": another_key(), "previous_verification_key": verification_key()}
    assert heard(told("delivered"), **changes)


@pytest.mark.parametrize(
    ("event", "more", "kind", "reason"),
    [
        ("processed", {}, ReceiptKind.ACCEPTED, None),
        ("delivered", {"response": "250 OK"}, ReceiptKind.DELIVERED, None),
        ("deferred", {"response": "452 4.2.2 mailbox full"}, ReceiptKind.DEFERRED, Reason.UNREACHABLE),
        ("deferred", {"response": "400 try again later"}, ReceiptKind.DEFERRED, Reason.PROVIDER_ERROR),
        ("deferred", {}, ReceiptKind.DEFERRED, Reason.UNREACHABLE),
        ("spamreport", {}, ReceiptKind.COMPLAINED, Reason.OPTED_OUT),
        ("unsubscribe", {}, ReceiptKind.UNSUBSCRIBED, Reason.OPTED_OUT),
        ("group_unsubscribe", {"asm_group_id": 1}, ReceiptKind.UNSUBSCRIBED, Reason.OPTED_OUT),
        ("group_resubscribe", {"asm_group_id": 1}, ReceiptKind.UNMAPPED, None),
        ("account_status_change", {"type": "compliance_suspend"}, ReceiptKind.UNMAPPED, None),
        ("dropped", {"reason": "Bounced Address"}, ReceiptKind.FAILED, Reason.INVALID_RECIPIENT),
        ("dropped", {"reason": "Spam Reporting Address"}, ReceiptKind.FAILED, Reason.OPTED_OUT),
        ("dropped", {"reason": "Invalid"}, ReceiptKind.FAILED, Reason.INVALID_RECIPIENT),
        ("dropped", {"reason": "Bad mood"}, ReceiptKind.FAILED, Reason.UNKNOWN),
        # Neither status nor classification need be there.
        ("bounce", {"reason": "550 5.1.1 unknown"}, ReceiptKind.BOUNCED, Reason.INVALID_RECIPIENT),
        (
            "bounce",
            {"type": "blocked", "bounce_classification": "Unclassified", "reason": "unable to get mx info"},
            ReceiptKind.BOUNCED,
            Reason.UNREACHABLE,
        ),
        (
            "bounce",
            {"type": "bounce", "bounce_classification": "Unclassified", "status": "5.7.26", "reason": "no"},
            ReceiptKind.BOUNCED,
            Reason.SENDER_INVALID,
        ),
    ],
)
def test_every_kind_of_event_has_its_receipt(
    event: str, more: dict[str, Any], kind: ReceiptKind, reason: Reason | None
) -> None:
    [receipt] = heard(told(event, **more))
    assert (receipt.kind, receipt.reason) == (kind, reason)
    assert (receipt.key, receipt.provider_id, receipt.occurred_at) == ("e", "m", NOW)
    assert json.loads(receipt.raw)["event"] == event


def test_an_open_by_a_machine_is_told_apart() -> None:
    [machine] = heard(told("open", sg_machine_open=True))
    assert (machine.actor, machine.actor_why) == (Actor.MACHINE, "sg_machine_open")
    [other] = heard(told("open", sg_machine_open=False, useragent="Mail/1", ip="203.0.113.9"))
    assert (other.actor, other.actor_why) == (Actor.UNSURE, "agent: Mail/1; address: 203.0.113.9")


def test_older_names_of_messages_are_cut_where_the_machine_begins() -> None:
    [receipt] = heard(told("delivered", sg_message_id="14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0"))
    assert receipt.provider_id == "14c5d75ce93.dfd.64b469"


def test_one_bad_event_spoils_no_other_and_a_double_counts_once() -> None:
    event = json.loads(told("delivered").body)[0]
    receipts = heard(signed([event, None, 7, event, {"event": ["x"]}, {**event, "sg_event_id": ""}], NOW))
    kinds = [one.kind for one in receipts]
    assert kinds.count(ReceiptKind.DELIVERED) == 2
    assert kinds.count(ReceiptKind.UNMAPPED) == 3
    assert heard(signed(b"no json", NOW))[0].raw == "no json"


def test_settings_that_cannot_work_are_told() -> None:
    assert CHANNEL.problems(settings()) == []
    assert CHANNEL.problems(settings(verification_key=another_key())) == []
    [problem] = CHANNEL.problems(settings(previous_verification_key="AAAA"))
    assert problem.path == "previous_verification_key"
