import pytest

from channels import Reason
from channels.email.enhanced_codes import Stage, read_answer

R, S = Reason, Stage


@pytest.mark.parametrize(
    ("stage", "code", "text", "is_final", "reason"),
    [
        (S.RCPT, 550, "5.1.1 <x@y> no such user", True, R.INVALID_RECIPIENT),
        (S.RCPT, 550, "#5.1.0 Address rejected.", True, R.INVALID_RECIPIENT),
        (S.RCPT, 550, "5.1.10 Recipient not found", True, R.INVALID_RECIPIENT),
        (S.MAIL, 550, "5.1.8 bad sender", True, R.SENDER_INVALID),
        (S.MAIL, 550, "5.1.1 who are you", True, R.SENDER_INVALID),
        (S.RCPT, 452, "4.2.2 mailbox full", False, R.UNREACHABLE),
        (S.RCPT, 552, "5.2.2 mailbox full", True, R.UNREACHABLE),
        (S.RCPT, 550, "5.2.1 mailbox disabled", True, R.INVALID_RECIPIENT),
        (S.RCPT, 450, "4.2.1 receiving mail too quickly", False, R.RATE_LIMITED),
        (S.END, 552, "5.3.4 message too big", True, R.CONTENT_INVALID),
        (S.END, 552, "5.2.3 message length exceeds limit", True, R.CONTENT_INVALID),
        (S.MAIL, 451, "4.3.0 try later", False, R.PROVIDER_ERROR),
        (S.RCPT, 451, "4.4.1 no answer from host", False, R.PROVIDER_ERROR),
        (S.RCPT, 550, "5.4.1 no answer", True, R.UNREACHABLE),
        (S.RCPT, 550, "5.4.4 unable to route", True, R.INVALID_RECIPIENT),
        (S.END, 550, "5.4.5 Daily sending quota exceeded", False, R.QUOTA_EXCEEDED),
        (S.END, 554, "5.4.7 delivery time expired", True, R.EXPIRED),
        (S.RCPT, 503, "5.5.1 bad sequence", True, R.REQUEST_INVALID),
        (S.END, 554, "5.6.0 conversion failed", True, R.CONTENT_INVALID),
        (S.RCPT, 553, "5.6.7 no international addresses", True, R.NOT_ON_CHANNEL),
        (S.END, 550, "5.7.1 looks like spam", True, R.CONTENT_REJECTED),
        (S.END, 554, "5.7.0 no", True, R.CONTENT_REJECTED),
        (S.RCPT, 554, "5.7.1 relay access denied", True, R.SENDER_INVALID),
        (S.RCPT, 550, "5.7.1 not authorized to send to this group", True, R.NOT_PERMITTED),
        (S.END, 550, "5.7.26 unauthenticated mail", True, R.SENDER_INVALID),
        (S.RCPT, 450, "4.7.1 greylisted, come back", False, R.RATE_LIMITED),
        (S.MAIL, 421, "4.7.28 unusual rate", False, R.RATE_LIMITED),
        (S.MAIL, 530, "5.7.0 Must issue a STARTTLS command first", False, R.AUTH_FAILED),
        (S.AUTH, 535, "5.7.8 bad credentials", False, R.AUTH_FAILED),
        (S.AUTH, 454, "4.7.0 temporary failure", False, R.PROVIDER_ERROR),
        (S.CONNECT, 554, "your address is on a list", False, R.SENDER_INVALID),
        (S.CONNECT, 421, "too many connections", False, R.RATE_LIMITED),
        # The basic code alone: the step decides.
        (S.RCPT, 550, "no", True, R.INVALID_RECIPIENT),
        (S.MAIL, 550, "no", True, R.SENDER_INVALID),
        (S.END, 550, "no", True, R.CONTENT_REJECTED),
        (S.END, 552, "over quota", True, R.UNREACHABLE),
        (S.RCPT, 450, "mailbox busy", False, R.UNREACHABLE),
        (S.RCPT, 450, "user unknown", False, R.UNREACHABLE),
        (S.END, 451, "local error", False, R.PROVIDER_ERROR),
        # The enhanced class wins over the basic code; an IP address is no status.
        (S.RCPT, 550, "4.2.2 full for now", False, R.UNREACHABLE),
        (S.END, 550, "blocked: 5.1.1.12 is on a list", True, R.CONTENT_REJECTED),
        (S.END, 554, "5.99.1 never seen", True, R.UNKNOWN),
    ],
)
def test_an_answer_means(stage: Stage, code: int, text: str, is_final: bool, reason: Reason) -> None:
    reading = read_answer(stage, code, text)
    assert (reading.is_final, reading.reason) == (is_final, reason)
