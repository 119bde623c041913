import base64
import email
import email.policy
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import validate_parameters
from pydantic import SecretStr

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
from channels.email.ses import SesChannel, SesSettings
from channels.email.sns import string_to_sign
from channels.testing.check import NOW, check
from channels.testing.evidence import Evidence, Proof
from channels.testing.providers.base import Fault, client_of
from channels.testing.providers.lives import Life
from channels.testing.providers.ses import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    SIGNING_URL,
    TOPIC,
    FakeSes,
    certificate,
    notification,
)
from tests.channels.builders import a_message

pytestmark = pytest.mark.anyio
CHANNEL = SesChannel()


def settings(**changes: Any) -> SesSettings:
    usual = {
        "region": "eu-west-1",
        "access_key_id": ACCESS_KEY_ID,
        "secret_access_key": SecretStr(SECRET_ACCESS_KEY),
        "from_address": "shop@example.com",
        "configuration_set": "journeys",
        "sns_topic_arns": (TOPIC,),
        "sns_certificates": (certificate(),),
    }
    return SesSettings(**{**usual, **changes})


@pytest.fixture
async def lent() -> AsyncIterator[tuple[FakeSes, Tools]]:
    fake = FakeSes(lambda: NOW)
    async with client_of(fake) as http:
        yield fake, Tools(clock=lambda: NOW, http=http)


def heard(callback: Callback, now: int = NOW, **changes: Any) -> list[Receipt]:
    verdict = CHANNEL.verify(settings(**changes), callback, now)
    assert isinstance(verdict, Verified), verdict
    return CHANNEL.parse(settings(), verdict)


def mail(**more: Any) -> dict[str, Any]:
    tags = {"sojourn-reference": ["1-2-3"], "ses:configuration-set": ["journeys"]}
    about = {"timestamp": "2026-01-01T00:00:00.000Z", "messageId": "m", "destination": ["mina@example.com"]}
    return {**about, "tags": tags, **more}


def event(kind: str, name: str, told: dict[str, Any], **more: Any) -> Callback:
    return notification({"eventType": kind, "mail": mail(**more), name: told}, NOW)


async def test_it_keeps_the_contract(lent: tuple[FakeSes, Tools]) -> None:
    _, tools = lent
    delivered = event("Delivery", "delivery", {"recipients": ["mina@example.com"]})
    unreachable = settings(base_url="https://down.example")
    callbacks = [delivered, notification("hello", NOW, Type="SubscriptionConfirmation", Token="t")]
    await check(
        Evidence(
            channel=CHANNEL,
            settings=settings(),
            tools=tools,
            callbacks=callbacks,
            unreachable=unreachable,
            # SNS signs its fields, not the bytes around them.
            proof=Proof.BODY,
        )
    )


async def test_a_letter_leaves_as_amazon_wants_it_with_its_own_headers(lent: tuple[FakeSes, Tools]) -> None:
    fake, tools = lent
    headers = {"List-Unsubscribe": "<https://shop.example/u?x=1>"}
    message = a_message("1-2-3", subject="안녕 🎉", headers=headers, from_name="가게")
    outcome = await CHANNEL.open(settings(), tools).send(message)
    assert isinstance(outcome, Accepted)
    asked = json.loads(fake.requests[0][3])
    model = botocore.session.Session().get_service_model("sesv2").operation_model("SendEmail")
    assert asked["EmailTags"] == [{"Name": "sojourn-reference", "Value": "1-2-3"}]
    assert asked["ConfigurationSetName"] == "journeys"
    letter = email.message_from_bytes(
        base64.b64decode(asked["Content"]["Raw"]["Data"]), policy=email.policy.default
    )
    assert letter["List-Unsubscribe"] == "<https://shop.example/u?x=1>"
    assert letter["Subject"] == "안녕 🎉"
    # botocore knows Amazon's model of the request; it wants bytes where JSON has base64.
    asked["Content"]["Raw"]["Data"] = b""
    validate_parameters(asked, model.input_shape)


async def test_options_choose_the_configuration_set_and_add_tags(lent: tuple[FakeSes, Tools]) -> None:
    fake, tools = lent
    sender = CHANNEL.open(settings(), tools)
    options = {"configuration_set": "slow", "tags": {"campaign": "spring"}}
    assert isinstance(await sender.send(replace(a_message(), options=options)), Accepted)
    asked = json.loads(fake.requests[0][3])
    assert asked["ConfigurationSetName"] == "slow"
    assert {"Name": "campaign", "Value": "spring"} in asked["EmailTags"]
    outcome = await sender.send(replace(a_message(), options={"sauce": 1}))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.REQUEST_INVALID
    assert "sauce" in outcome.text


async def test_a_session_token_is_sent_and_signed(lent: tuple[FakeSes, Tools]) -> None:
    fake, tools = lent
    await CHANNEL.open(settings(session_token=SecretStr("temporary")), tools).send(a_message())
    headers = fake.requests[0][2]
    assert headers["x-amz-security-token"] == "temporary"
    assert "x-amz-security-token" in headers["authorization"]


@pytest.mark.parametrize("reason", sorted(FakeSes.refusals))
async def test_every_refusal_comes_back_with_its_reason(reason: Reason) -> None:
    fake = FakeSes(lambda: NOW, lives=lambda to: Life(refused=reason))
    async with client_of(fake) as http:
        outcome = await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message())
    assert isinstance(outcome, Rejected | Deferred)
    assert outcome.reason is reason
    is_later = reason in (Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED, Reason.PROVIDER_ERROR)
    assert isinstance(outcome, Deferred) is is_later
    assert outcome.code
    assert fake.taken == {}


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("SendingPausedException", Reason.ACCOUNT_BLOCKED),
        ("MailFromDomainNotVerifiedException", Reason.SENDER_INVALID),
        ("LimitExceededException", Reason.QUOTA_EXCEEDED),
        ("ExpiredTokenException", Reason.AUTH_FAILED),
        ("com.amazonaws#ThrottlingException:http://aws", Reason.RATE_LIMITED),
        ("NeverHeardOfException", Reason.UNKNOWN),
    ],
)
async def test_errors_are_told_apart_by_their_type(
    lent: tuple[FakeSes, Tools], kind: str, reason: Reason
) -> None:
    fake, tools = lent
    fake.faults.append(Fault(400, {"x-amzn-errortype": kind}, b'{"message": "no"}'))
    outcome = await CHANNEL.open(settings(), tools).send(a_message())
    assert isinstance(outcome, Rejected | Deferred)
    assert (outcome.reason, outcome.text) == (reason, "no")


async def test_what_left_without_an_answer_is_unknown_and_what_did_not_leave_is_deferred(
    lent: tuple[FakeSes, Tools],
) -> None:
    fake, tools = lent
    typed = Fault(504, {"x-amzn-errortype": "InternalFailure"})
    fake.faults.extend([Fault(reset_after=True), Fault(no_connection=True), Fault(502), typed, Fault(503)])
    sender = CHANNEL.open(settings(), tools)
    outcomes = [type(await sender.send(a_message())) for _ in range(5)]
    assert outcomes == [Unknown, Deferred, Unknown, Unknown, Deferred]


async def test_wrong_secrets_are_refused_and_repeated_nowhere(lent: tuple[FakeSes, Tools]) -> None:
    _, tools = lent
    wrong = settings(secret_access_key=SecretStr("another"))
    outcome = await CHANNEL.open(wrong, tools).send(a_message())
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.AUTH_FAILED
    [problem] = await CHANNEL.probe(wrong, tools)
    assert "another" not in problem.message


async def test_a_probe_tells_of_the_sandbox_and_of_old_certificates(lent: tuple[FakeSes, Tools]) -> None:
    fake, tools = lent
    assert await CHANNEL.probe(settings(), tools) == []
    fake.is_in_sandbox = True
    old = settings(sns_certificates=(certificate("2020-01-01", 365),))
    ending = certificate("2025-01-20", 365)
    first, second = await CHANNEL.probe(old, tools)
    assert [one.path for one in await CHANNEL.probe(settings(sns_certificates=(ending,)), tools)][0:1] == [
        "sns_certificates.0"
    ]
    assert first.path == "sns_certificates.0"
    assert "2020-12-31" in first.message
    assert "sandbox" in second.message


async def test_an_address_beyond_ascii_is_not_on_this_channel(lent: tuple[FakeSes, Tools]) -> None:
    fake, tools = lent
    outcome = await CHANNEL.open(settings(), tools).send(a_message(to="미나@example.com"))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NOT_ON_CHANNEL
    assert fake.requests == []


@pytest.mark.parametrize("reason", sorted(FakeSes.failures))
@pytest.mark.parametrize("version", ["1", "2"])
async def test_every_bounce_comes_back_with_its_reason(reason: Reason, version: str) -> None:
    fake = FakeSes(lambda: NOW, lives=lambda to: Life(failed=reason))
    fake.signature_version = version
    async with client_of(fake) as http:
        outcome = await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message("1-2-3"))
    assert isinstance(outcome, Accepted)
    later = NOW + 60_000
    [receipt] = heard(fake.callback(fake.due(later), later), later)
    assert (receipt.provider_id, receipt.reference) == (outcome.provider_id, "1-2-3")
    assert receipt.reason is reason
    assert receipt.kind is (ReceiptKind.FAILED if reason is Reason.OPTED_OUT else ReceiptKind.BOUNCED)
    assert receipt.recipient == "mina@example.com"


async def test_a_life_of_a_letter_is_heard_in_order() -> None:
    lives = Life(opened_after=1000, clicked_after=2000, delivered_after=500)
    fake = FakeSes(lambda: NOW, lives=lambda to: lives)
    async with client_of(fake) as http:
        await CHANNEL.open(settings(), Tools(lambda: NOW, http)).send(a_message())
    told = [heard(fake.callback([one], NOW))[0] for one in fake.due(NOW + 5000)]
    assert [one.kind for one in told] == [ReceiptKind.DELIVERED, ReceiptKind.OPENED, ReceiptKind.CLICKED]
    assert [one.occurred_at - NOW for one in told] == [500, 1000, 2000]
    assert [one.actor for one in told] == [None, Actor.UNSURE, Actor.UNSURE]
    assert "Macintosh" in told[1].actor_why
    assert told[2].url == "https://shop.example/"


def bounce(kind: str, sub: str, text: str = "", status: str = "") -> Callback:
    one = {"emailAddress": "mina@example.com", "diagnosticCode": text, "status": status}
    told = {"bounceType": kind, "bounceSubType": sub, "bouncedRecipients": [one], "feedbackId": "f"}
    return event("Bounce", "bounce", told)


@pytest.mark.parametrize(
    ("kind", "sub", "text", "status", "reason"),
    [
        ("Permanent", "General", "", "", Reason.INVALID_RECIPIENT),
        ("Permanent", "General", "smtp; 550 5.7.1 message looks like spam", "5.7.1", Reason.CONTENT_REJECTED),
        ("Permanent", "General", "", "5.7.25", Reason.SENDER_INVALID),
        ("Transient", "General", "smtp; 550 5.1.1 unknown", "5.1.1", Reason.UNREACHABLE),
        ("Undetermined", "Undetermined", "smtp; 550 5.1.1 unknown", "", Reason.INVALID_RECIPIENT),
        ("Transient", "NewSubType", "", "", Reason.UNREACHABLE),
        ("NewType", "NewSubType", "", "", Reason.UNKNOWN),
    ],
)
def test_a_vague_bounce_is_read_from_the_servers_words(
    kind: str, sub: str, text: str, status: str, reason: Reason
) -> None:
    [receipt] = heard(bounce(kind, sub, text, status))
    assert (receipt.kind, receipt.reason) == (ReceiptKind.BOUNCED, reason)
    assert receipt.code == f"Bounce/{kind}/{sub}"


def test_one_notification_tells_of_many_recipients_each_once() -> None:
    people = [{"emailAddress": f"{name}@example.com"} for name in ("a", "b", "b")]
    told = {"complainedRecipients": people, "complaintFeedbackType": "abuse", "feedbackId": "f"}
    receipts = heard(event("Complaint", "complaint", told))
    assert [one.recipient for one in receipts] == ["a@example.com", "b@example.com"]
    assert {one.kind for one in receipts} == {ReceiptKind.COMPLAINED}
    assert {one.reason for one in receipts} == {Reason.OPTED_OUT}


def test_the_same_event_through_another_topic_has_the_same_keys() -> None:
    told = {"eventType": "Send", "mail": mail(), "send": {}}
    first = heard(notification(told, NOW, MessageId="one"))
    again = heard(notification(told, NOW + 1, MessageId="two"), NOW + 1)
    assert [one.key for one in first] == [one.key for one in again]


def test_what_two_kinds_of_notification_tell_of_one_thing_has_one_key() -> None:
    about = {"timestamp": "2026-01-01T00:00:01.000Z", "recipients": ["mina@example.com"]}
    [first] = heard(event("Delivery", "delivery", about))
    other = {"notificationType": "Delivery", "mail": mail(tags={}), "delivery": {**about, "new": 1}}
    [again] = heard(notification(other, NOW))
    assert first.key == again.key
    assert (first.reference, again.reference) == ("1-2-3", None)


def test_a_complaint_is_known_by_amazons_own_name_for_it() -> None:
    told = {"complainedRecipients": [{"emailAddress": "a@b.c"}], "feedbackId": "f"}
    told_of = {"eventType": "Complaint", "mail": mail(), "complaint": told}
    [first] = heard(notification(told_of, NOW))
    [again] = heard(notification(told_of, NOW + 1000), NOW + 1000)
    assert first.key == again.key


def test_out_of_the_spam_folder_is_no_complaint() -> None:
    told = {"complainedRecipients": [{"emailAddress": "a@b.c"}], "complaintFeedbackType": "not-spam"}
    [receipt] = heard(event("Complaint", "complaint", told))
    assert receipt.kind is ReceiptKind.UNMAPPED


def test_a_delay_is_no_retry_of_ours() -> None:
    told = {"delayType": "MailboxFull", "delayedRecipients": [{"emailAddress": "a@b.c", "status": "4.2.2"}]}
    [receipt] = heard(event("DeliveryDelay", "deliveryDelay", told))
    assert (receipt.kind, receipt.reason) == (ReceiptKind.DEFERRED, Reason.UNREACHABLE)


@pytest.mark.parametrize(
    ("kind", "name", "told", "expected"),
    [
        ("Send", "send", {}, (ReceiptKind.ACCEPTED, None)),
        ("Reject", "reject", {"reason": "Bad content"}, (ReceiptKind.FAILED, Reason.CONTENT_REJECTED)),
        (
            "Rendering Failure",
            "failure",
            {"errorMessage": "name is missing"},
            (ReceiptKind.FAILED, Reason.CONTENT_INVALID),
        ),
        (
            "Subscription",
            "subscription",
            {"newTopicPreferences": {"unsubscribeAll": True}},
            (ReceiptKind.UNSUBSCRIBED, Reason.OPTED_OUT),
        ),
        (
            "Subscription",
            "subscription",
            {"newTopicPreferences": {"unsubscribeAll": False}},
            (ReceiptKind.UNMAPPED, None),
        ),
        ("Weather", "weather", {}, (ReceiptKind.UNMAPPED, None)),
    ],
)
def test_every_kind_of_event_has_its_receipt(
    kind: str, name: str, told: dict[str, Any], expected: tuple[ReceiptKind, Reason | None]
) -> None:
    [receipt] = heard(event(kind, name, told))
    assert (receipt.kind, receipt.reason) == expected
    assert json.loads(receipt.raw)["eventType"] == kind


async def test_a_confirmation_is_kept_for_the_operator_and_not_visited(lent: tuple[FakeSes, Tools]) -> None:
    link = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    asked = notification(
        "You have chosen", NOW, Type="SubscriptionConfirmation", Token="t", SubscribeURL=link
    )
    [receipt] = heard(asked)
    assert (receipt.kind, receipt.url) == (ReceiptKind.UNMAPPED, link)
    assert link in receipt.raw
    assert receipt.text.startswith(link)
    assert lent[0].requests == []


def refused(callback: Callback, now: int = NOW, **changes: Any) -> str:
    verdict = CHANNEL.verify(settings(**changes), callback, now)
    assert isinstance(verdict, Refused)
    return verdict.why


def changed(callback: Callback, **fields: Any) -> Callback:
    return replace(callback, body=json.dumps({**json.loads(callback.body), **fields}).encode())


def test_only_what_sns_signed_lately_for_our_topic_passes() -> None:
    good = event("Send", "send", {})
    heard(good)
    assert "signature" in refused(changed(good, Message="{}"))
    assert "signature" in refused(changed(good, Subject="added"))
    assert "SignatureVersion" in refused(changed(good, SignatureVersion="3"))
    assert "base64" in refused(changed(good, Signature="é"))
    assert "base64" in refused(changed(good, Signature=[1]))
    assert "headers" in refused(replace(good, headers={}))
    assert "headers" in refused(replace(changed(good, TopicArn=None), headers={}))
    assert "topic" in refused(notification("{}", NOW, topic=TOPIC + "2"))
    assert "time stamp" in refused(good, NOW + 3 * 3_600_000)
    assert "time stamp" in refused(good, NOW - 10 * 60_000)
    assert "sns_certificates" in refused(good, sns_certificates=())


def test_what_sns_signs_are_its_fields_by_name_a_line_each() -> None:
    told = {"Type": "Notification", "TopicArn": "t", "Message": "안녕\n", "MessageId": "i"}
    told["Timestamp"] = "now"
    usual = "Message\n안녕\n\nMessageId\ni\nTimestamp\nnow\nTopicArn\nt\nType\nNotification\n"
    assert string_to_sign({**told, "SigningCertURL": "x"}).decode() == usual
    with_subject = usual.replace("Timestamp", "Subject\ns\nTimestamp")
    assert string_to_sign({**told, "Subject": "s"}).decode() == with_subject
    asked = {**told, "Type": "SubscriptionConfirmation", "Token": "k", "SubscribeURL": "u", "Subject": "s"}
    assert string_to_sign(asked).decode() == (
        "Message\n안녕\n\nMessageId\ni\nSubscribeURL\nu\nTimestamp\nnow\nToken\nk\nTopicArn\nt\n"
        "Type\nSubscriptionConfirmation\n"
    )


def test_a_signature_by_sha1_is_none_by_sha256() -> None:
    first = notification("{}", NOW, version="1")
    assert heard(first)
    assert "signature" in refused(changed(first, SignatureVersion="2"))


def test_a_certificate_that_is_out_of_date_proves_nothing() -> None:
    old = certificate("2020-01-01", 365)
    assert "signature" in refused(event("Send", "send", {}), sns_certificates=(old,))
    assert heard(event("Send", "send", {}), sns_certificates=(old, certificate()))


def test_a_new_certificates_address_is_told_only_if_it_is_amazons() -> None:
    good = changed(event("Send", "send", {}), Message="x")
    assert SIGNING_URL in refused(good)
    for url in (
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem",
        "https://s3.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/evil.pem",
        "https://u@sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
    ):
        assert url not in refused(changed(good, SigningCertURL=url))


def test_settings_that_cannot_work_are_told() -> None:
    def paths(**changes: Any) -> list[str]:
        return [problem.path for problem in CHANNEL.problems(settings(**changes))]

    assert paths() == []
    assert paths(sns_certificates=("no",)) == ["sns_certificates.0"]
    assert paths(sns_certificates=()) == ["sns_certificates"]
    assert paths(sns_topic_arns=()) == ["sns_topic_arns"]
    assert paths(configuration_set="") == ["configuration_set"]


def test_the_region_leads_to_its_own_address() -> None:
    assert settings().url == "https://email.eu-west-1.amazonaws.com"
    assert settings(region="cn-north-1").url == "https://email.cn-north-1.amazonaws.com.cn"
    assert settings(base_url="http://localhost:4566/").url == "http://localhost:4566"
