"""What holds for every provider that tells of mails over HTTP, whatever it says."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import Callback, ReceiptKind
from channels.contract import Verified
from channels.email.relay import reason_of_answer
from channels.email.sendgrid import SendGridChannel, SendGridSettings
from channels.email.ses import SesChannel, SesSettings
from channels.host import build_host
from channels.reasons import Reason
from channels.testing.check import NOW

SES = SesSettings(
    region="eu-west-1", access_key_id="AKIDEXAMPLE", secret_access_key="hush", from_address="a@example.com"
)
SENDGRID = SendGridSettings(api_key="hush", from_address="a@example.com")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SES_KINDS = st.sampled_from(
    [
        *(("Send", "send"), ("Delivery", "delivery"), ("Bounce", "bounce"), ("Complaint", "complaint")),
        *(("Reject", "reject"), ("DeliveryDelay", "deliveryDelay"), ("Open", "open"), ("Click", "click")),
        *(("Rendering Failure", "failure"), ("Subscription", "subscription"), ("Other", "other")),
    ]
)
SES_FIELDS = st.sampled_from(
    [
        *(
            "timestamp",
            "recipients",
            "bounceType",
            "bounceSubType",
            "bouncedRecipients",
            "feedbackId",
            "link",
        ),
        *("complainedRecipients", "complaintFeedbackType", "complaintSubType", "delayedRecipients", "reason"),
        *("newTopicPreferences", "oldTopicPreferences", "userAgent", "errorMessage", "delayType"),
    ]
)
SENDGRID_FIELDS = st.sampled_from(
    [
        *("email", "timestamp", "sg_event_id", "sg_message_id", "sojourn_reference", "reason", "status"),
        *("response", "type", "bounce_classification", "sg_machine_open", "useragent", "ip", "url", "event"),
    ]
)
SENDGRID_KINDS = st.sampled_from(
    ["processed", "delivered", "deferred", "bounce", "dropped", "open", "click", "spamreport", "unsubscribe"]
)


def told(body: Any) -> Verified:
    return Verified(Callback("POST", "/", {}, {}, json.dumps(body).encode()), NOW)


@given(SES_KINDS, st.dictionaries(SES_FIELDS, ANYTHING), ANYTHING, ANYTHING)
def test_no_event_of_ses_is_lost_however_it_is_filled_in(
    kind: tuple[str, str], fields: dict[str, Any], addresses: Any, tags: Any
) -> None:
    mail = {"messageId": "m", "destination": addresses, "tags": tags}
    event = {"eventType": kind[0], "mail": mail, kind[1]: fields}
    verified = told({"Type": "Notification", "MessageId": "i", "Message": json.dumps(event)})
    receipts = SesChannel().parse(SES, verified)
    assert receipts
    assert receipts == SesChannel().parse(SES, verified)
    assert len({one.key for one in receipts}) == len(receipts)
    assert {one.provider_id for one in receipts if one.kind is not ReceiptKind.UNMAPPED} <= {"m"}


@given(st.lists(st.one_of(ANYTHING, st.fixed_dictionaries({"event": SENDGRID_KINDS})), max_size=3), st.data())
def test_no_event_of_sendgrid_is_lost_however_it_is_filled_in(events: list[Any], data: st.DataObject) -> None:
    filled = [
        {**one, **data.draw(st.dictionaries(SENDGRID_FIELDS, ANYTHING))} if isinstance(one, dict) else one
        for one in events
    ]
    verified = told(filled)
    receipts = SendGridChannel().parse(SENDGRID, verified)
    assert bool(receipts) is bool(filled)
    assert receipts == SendGridChannel().parse(SENDGRID, verified)
    assert len({one.key for one in receipts}) == len(receipts)


@pytest.mark.parametrize(
    ("text", "status", "reason"),
    [
        ("smtp; 550-5.1.1 The email account does not exist", "", Reason.INVALID_RECIPIENT),
        ("550 5.2.2 mailbox full", "", Reason.UNREACHABLE),
        ("550 no such user", "", Reason.INVALID_RECIPIENT),
        ("", "4.2.2", Reason.UNREACHABLE),
        ("421 try later", "", Reason.PROVIDER_ERROR),
        ("5.1.1 (bad destination mailbox address)", "", Reason.INVALID_RECIPIENT),
        ("connected to 10.0.5.50 and lost it", "", None),
        ("", "", None),
        ("", "nonsense", None),
    ],
)
def test_a_servers_answer_is_read_however_it_is_quoted(text: str, status: str, reason: Reason | None) -> None:
    assert reason_of_answer(text, status) is reason


def test_both_are_found_by_their_modules() -> None:
    host = build_host(discover=False, modules=["channels.email.ses", "channels.email.sendgrid"])
    assert {"ses", "sendgrid", "smtp"} <= set(host.channels)
