import re
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels import Reason, Receipt, ReceiptKind
from channels.email.dsn import LONGEST_READ, NOT_PROVED, NOT_UNDERSTOOD, TOO_COMPLEX, receipts_of
from channels.email.verp import Tokens, bounce_sender
from channels.testing.check import NOW
from tests.channels.email import dsn_mails as mails

TOKENS = Tokens((b"a secret of these tests only",))
OTHERS = Tokens((b"somebody else's secret, or a guess",))
REFERENCE = "1-0-42"
HOUR = 3_600_000


def sender(tokens: Tokens = TOKENS) -> str:
    return bounce_sender("bounces@shop.example", tokens.make(REFERENCE))


def token(tokens: Tokens = TOKENS) -> str:
    return tokens.make(REFERENCE) or ""


def heard(mail: bytes) -> list[Receipt]:
    return receipts_of(mail, TOKENS, NOW)


def the_one(mail: bytes) -> Receipt:
    [receipt] = heard(mail)
    return receipt


@pytest.mark.parametrize(
    ("fields", "kind", "reason", "code"),
    [
        (mails.POSTFIX, ReceiptKind.BOUNCED, Reason.INVALID_RECIPIENT, "failed/5.1.1"),
        (mails.POSTFIX_DELAYED, ReceiptKind.DEFERRED, Reason.PROVIDER_ERROR, "delayed/4.4.1"),
        (mails.GMAIL, ReceiptKind.BOUNCED, Reason.UNREACHABLE, "failed/5.2.2"),
        (mails.EXCHANGE, ReceiptKind.BOUNCED, Reason.INVALID_RECIPIENT, "failed/5.1.10"),
        (mails.EXIM, ReceiptKind.BOUNCED, Reason.CONTENT_REJECTED, "failed/5.0.0"),
    ],
    ids=["postfix", "postfix delayed", "gmail", "exchange", "exim"],
)
def test_a_report_tells_what_became_of_the_message(
    fields: str, kind: ReceiptKind, reason: Reason, code: str
) -> None:
    receipt = the_one(mails.report(fields, sender=sender()))
    assert (receipt.kind, receipt.reason, receipt.code) == (kind, reason, code)
    assert (receipt.reference, receipt.recipient) == (REFERENCE, "mina@example.com")
    assert receipt.raw.startswith("Return-Path: <>")


def test_what_the_server_said_is_kept_in_one_line() -> None:
    receipt = the_one(mails.report(mails.POSTFIX, sender=sender()))
    assert receipt.text == (
        "550 5.1.1 <mina@example.com>: Recipient address rejected: User unknown in virtual mailbox table"
    )


def test_a_report_about_several_recipients_says_something_of_each() -> None:
    said = heard(mails.report(mails.SEVERAL, sender=sender()))
    assert [(one.kind, one.recipient) for one in said] == [
        (ReceiptKind.BOUNCED, "team@example.com"),
        (ReceiptKind.DELIVERED, "jun@example.com"),
        (ReceiptKind.ACCEPTED, "bo@example.com"),
    ]
    assert {one.reference for one in said} == {REFERENCE}


def test_an_address_is_not_given_up_while_the_server_goes_on_trying() -> None:
    fields = mails.POSTFIX_DELAYED.replace("X-Postfix; connect to", "smtp; 550 5.1.1 user unknown")
    receipt = the_one(mails.report(fields, sender=sender()))
    assert (receipt.kind, receipt.reason) == (ReceiptKind.DEFERRED, Reason.UNREACHABLE)


def test_the_time_is_that_of_the_last_attempt_unless_it_cannot_be() -> None:
    at = the_one(mails.report(mails.GMAIL, sender=sender())).occurred_at
    assert at == NOW - 2 * HOUR + (22 * 60 + 3) * 1000 - 0 * HOUR
    ahead = mails.GMAIL.replace("31 Dec 2025 14:22:03", "31 Dec 2035 14:22:03")
    assert the_one(mails.report(ahead, sender=sender())).occurred_at == NOW - HOUR


def test_the_same_report_told_twice_has_one_key_however_it_came() -> None:
    first = the_one(mails.report(mails.POSTFIX, sender=sender()))
    again = the_one(b"Received: from elsewhere\r\n" + mails.report(mails.POSTFIX, sender=sender()))
    assert first.key == again.key
    assert first.key != the_one(mails.report(mails.POSTFIX_DELAYED, sender=sender())).key


@pytest.mark.parametrize("how", ["upper", "header", "envelope", "delivered-to", "encoded"])
def test_the_token_is_found_wherever_it_comes_back(how: str) -> None:
    bare = "bounces@shop.example"
    if how == "upper":
        mail = mails.report(mails.POSTFIX, sender=sender().upper())
    elif how == "header":
        mail = mails.report(mails.POSTFIX, sender=bare, token=token())
    elif how == "envelope":
        mail = mails.report(f"Original-Envelope-Id: {token()}\n{mails.POSTFIX}", sender=bare)
    elif how == "delivered-to":
        mail = mails.report(mails.POSTFIX, sender=bare, head=f"Delivered-To: {sender()}\n")
    else:
        mail = mails.plain(f"{mails.QMAIL}Return-Path: <{sender()}>", sender=bare, charset="utf-16")
    assert the_one(mail).reference == REFERENCE


def test_a_report_without_a_genuine_token_speaks_of_no_message() -> None:
    for mail in (
        mails.report(mails.POSTFIX, sender=sender(OTHERS), token=token(OTHERS)),
        mails.report(mails.POSTFIX, sender="bounces@shop.example"),
        mails.report(mails.POSTFIX, sender=f"bounces+{REFERENCE}@shop.example"),
        mails.complaint("abuse", sender=sender(OTHERS), token=token(OTHERS)),
    ):
        receipt = the_one(mail)
        assert (receipt.kind, receipt.code) == (ReceiptKind.UNMAPPED, NOT_PROVED)
        assert (receipt.reference, receipt.provider_id, receipt.recipient) == (None, None, None)
        assert receipt.raw


def test_after_a_change_of_the_secret_what_left_before_still_comes_back() -> None:
    new = Tokens((b"a new secret", *TOKENS.secrets))
    mail = mails.report(mails.POSTFIX, sender=sender())
    [receipt] = receipts_of(mail, new, NOW)
    assert receipt == the_one(mail)
    [receipt] = receipts_of(mail, Tokens(()), NOW)
    assert receipt.kind is ReceiptKind.UNMAPPED


@pytest.mark.parametrize(
    ("mail", "kind", "reason"),
    [
        (mails.plain(mails.QMAIL, sender=sender()), ReceiptKind.BOUNCED, Reason.INVALID_RECIPIENT),
        (
            mails.plain(
                mails.EXIM_PLAIN,
                sender=sender(),
                subject="Mail delivery failed: returning message to sender",
                X_Failed_Recipients="mina@example.com",
            ),
            ReceiptKind.BOUNCED,
            Reason.CONTENT_INVALID,
        ),
        (
            mails.plain(
                mails.EXIM_WAITS,
                sender=sender(),
                subject="Warning: message 1abc delayed 24 hours",
            ),
            ReceiptKind.DEFERRED,
            Reason.UNKNOWN,
        ),
        (
            mails.plain(
                mails.KOREAN,
                sender=sender(),
                subject="[메일 반송] 메일을 보내지 못했습니다",
                writer="postmaster@mail.example.com",
                charset="euc-kr",
            ),
            ReceiptKind.BOUNCED,
            Reason.INVALID_RECIPIENT,
        ),
        (
            mails.plain(mails.KOREAN, sender=sender(), subject="메일 전송 실패 안내", charset="iso-2022-kr"),
            ReceiptKind.BOUNCED,
            Reason.INVALID_RECIPIENT,
        ),
        (
            mails.plain(
                mails.KOREAN_FULL,
                sender=sender(),
                subject="발송 실패 안내",
                charset="utf-8",
                subtype="html",
            ),
            ReceiptKind.BOUNCED,
            Reason.UNREACHABLE,
        ),
    ],
    ids=["qmail", "exim", "exim waits", "euc-kr", "iso-2022-kr", "html"],
)
def test_a_bounce_without_a_report_is_understood_by_its_words(
    mail: bytes, kind: ReceiptKind, reason: Reason
) -> None:
    receipt = the_one(mail)
    assert (receipt.kind, receipt.reason, receipt.reference) == (kind, reason, REFERENCE)


def test_only_a_complaint_complains_and_names_no_address_to_suppress() -> None:
    for redacted in (False, True):
        receipt = the_one(mails.complaint("abuse", sender=sender(), token=token(), redacted=redacted))
        assert (receipt.kind, receipt.reason) == (ReceiptKind.COMPLAINED, Reason.OPTED_OUT)
        assert (receipt.reference, receipt.recipient) == (REFERENCE, None)
    receipt = the_one(mails.complaint("not-spam", sender=sender(), token=token()))
    assert (receipt.kind, receipt.code) == (ReceiptKind.UNMAPPED, "feedback/not-spam")


@pytest.mark.parametrize(
    "mark",
    [{"Auto_Submitted": "auto-replied (vacation)"}, {"X_Autoreply": "yes"}, {"Precedence": "auto_reply"}],
)
def test_an_automatic_reply_is_no_receipt(mark: dict[str, str]) -> None:
    usual: dict[str, Any] = {"sender": sender(), "subject": "Out of office: Hello"}
    mail = mails.plain(mails.VACATION, writer="Mina <mina@example.com>", **usual, **mark)
    assert heard(mail) == []


def test_what_a_person_wrote_is_kept_and_says_nothing() -> None:
    mail = mails.plain("550 5.1.1? Thanks!", sender=sender(), writer="mina@example.com", subject="Re: Hello")
    receipt = the_one(mail)
    assert (receipt.kind, receipt.code) == (ReceiptKind.UNMAPPED, NOT_UNDERSTOOD)


def test_a_report_that_is_encoded_in_base64_is_read() -> None:
    import base64

    fields = base64.encodebytes(mails.POSTFIX.encode()).decode().strip()
    mail = mails.report(fields, sender=sender()).replace(
        b"message/delivery-status\r\n", b"message/delivery-status\r\nContent-Transfer-Encoding: base64\r\n"
    )
    assert the_one(mail).code == "failed/5.1.1"


def test_a_huge_mail_is_read_at_its_beginning_only() -> None:
    mail = mails.report(mails.POSTFIX, sender=sender()) + b"x" * 20_000_000
    receipt = the_one(mail)
    assert receipt.kind is ReceiptKind.BOUNCED
    assert len(receipt.raw) <= 16_000
    late = b"Received: from somewhere\r\n" * 20_000 + mails.report(mails.POSTFIX, sender=sender())
    assert the_one(late).kind is ReceiptKind.UNMAPPED


def nested(depth: int) -> bytes:
    head = [f'Content-Type: multipart/mixed; boundary="{n}"\r\n\r\n--{n}\r\n' for n in range(depth)]
    return "".join(head).encode()


def test_a_bomb_of_parts_costs_no_time() -> None:
    bombs = [
        nested(3000),
        b"Content-Type: message/rfc822\r\n\r\n" * 5000,
        nested(19) + b"\r\n" * LONGEST_READ,
        b"Content-Type: text/html\r\n\r\n" + b"<style>" * 20_000,
        b"Content-Type: text/plain\r\n\r\n" + b"a-a" * 40_000 + b" 5.1.1 said " * 3000,
        b"To: " + b"=?utf-8?b?" * 10_000 + b"\r\n\r\n" + b"\r\n \r\n" * 20_000,
        b"Subject: hi\r\n\r\nx" + b"\r\n \r\n" * 20_000,
        b"Subject: hi\r\n\r\n" + b"user " * 20_000,
    ]
    for bomb in bombs:
        started = time.process_time()
        found = heard(b"From: mailer-daemon@example.com\r\n" + bomb)
        assert time.process_time() - started < 2
        assert all(one.reference is None for one in found)
    assert the_one(nested(3000)).code == TOO_COMPLEX


SAMPLES = [
    *(mails.report(one, sender=sender()) for one in (mails.POSTFIX, mails.GMAIL, mails.SEVERAL)),
    mails.plain(mails.KOREAN, sender=sender(), subject="반송", charset="euc-kr"),
    mails.complaint("abuse", sender=sender(), token=token()),
]
FORGED = [
    *(mails.report(one, sender=sender(OTHERS), token=token(OTHERS)) for one in (mails.POSTFIX, mails.EXIM)),
    mails.plain(mails.QMAIL, sender=sender(OTHERS)),
    mails.complaint("abuse", sender=sender(OTHERS), token=token(OTHERS)),
]

JUNK = [
    *(b"\r\n\r\n", b"\r\n--B1\r\n", b"; boundary*0*=utf-8''B1", b"charset=idna", b"\0", b"=?"),
    *(b"Content-Transfer-Encoding: x-uuencode\r\n", b"Content-Type: message/rfc822\r\n\r\n"),
    *(b"1-0-43-" + b"a" * 16, b"Content-Type: text/plain; charset*=x'y'%ff%\r\n"),
]


@st.composite
def mutated(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    mail = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(mail)))
        to = draw(st.one_of(st.just(len(mail)), st.integers(at, min(len(mail), at + 200))))
        junk = draw(
            st.one_of(
                st.binary(max_size=30),
                st.sampled_from(JUNK),
            )
        )
        mail[at:to] = junk
    return bytes(mail)


@settings(max_examples=250, deadline=None)
@given(mutated(FORGED))
@example(FORGED[0])
def test_no_mutation_of_a_forged_bounce_speaks_of_a_message(mail: bytes) -> None:
    for receipt in heard(mail):
        assert receipt.kind is ReceiptKind.UNMAPPED
        assert receipt.reference is None


@settings(max_examples=250, deadline=None)
@given(mutated(SAMPLES))
def test_a_damaged_bounce_never_raises_and_speaks_of_its_own_message_only(mail: bytes) -> None:
    said = heard(mail)
    assert {one.reference for one in said} <= {REFERENCE, None}
    assert all(one.reference or one.kind is ReceiptKind.UNMAPPED for one in said)
    assert len({one.key for one in said}) == len(said)


@given(st.binary(max_size=2000))
def test_any_bytes_are_read(mail: bytes) -> None:
    assert all(one.kind is ReceiptKind.UNMAPPED for one in heard(mail))


@given(st.from_regex(r"[1-9][0-9]{0,5}-[0-9]{1,2}-[1-9][0-9]{0,12}", fullmatch=True))
def test_a_token_survives_its_way_and_nothing_near_it_does(reference: str) -> None:
    made = TOKENS.make(reference)
    assert made is not None
    address = bounce_sender("bounces@shop.example", made)
    assert len(address.partition("@")[0]) <= 64
    assert TOKENS.find(f"<{address.upper()}>") == reference
    assert OTHERS.find(address) is None
    assert TOKENS.find(re.sub(r"\+(\d)", r"+9\1", address)) is None
    assert TOKENS.find(f"{made}a") is None


def test_a_reference_that_fits_no_address_has_no_token_there() -> None:
    assert TOKENS.make("Check_1") is None
    long = TOKENS.make("9" * 18 + "-" + "9" * 9 + "-" + "9" * 18)
    assert bounce_sender("bounces@shop.example", long) == "bounces@shop.example"
    assert "secret" not in repr(TOKENS)
