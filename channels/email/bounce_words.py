"""What servers say in plain words when they bring a mail back without a report, in English and Korean. Pure.

The people's language of servers, not a standard: extend it from what is stored as `mail_not_understood`.
"""

import re

from channels.email.enhanced_codes import Stage, read_answer
from channels.reasons import Reason

_SUBJECT = re.compile(
    r"undeliver(ed|able)|delivery (status|failure|has failed|report|delayed|incomplete)|returned mail"
    r"|failure notice|mail delivery (failed|system|failure)|(message|mail) delivery delayed"
    r"|could ?n.t be delivered"
    r"|반송|배달되지|(전송|발송|배달|전달).{0,6}(실패|불가|지연)|메일.{0,10}(보내지 못|전송되지)",
    re.IGNORECASE,
)
_DELAY = re.compile(
    r"has not yet been delivered|(still|will) be(ing)? retried"
    r"|(will|shall) (keep|continue) (on )?(trying|to (try|retry))"
    r"|delivery (is|has been|was) delayed|delivery delayed|do(es)? not need to (resend|do anything)"
    r"|warning message only|지연|다시 시도(합|할|하겠)|재시도(합|할|하겠)",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"permanent(ly)? (error|failure|failed)|giv(en|ing) up|no longer be retried|최종|영구", re.IGNORECASE
)
_KOREAN = [
    (
        Reason.INVALID_RECIPIENT,
        r"존재하지 ?않는|없는 (사용자|수신자|메일|계정|주소)"
        r"|(사용자|수신자|계정|주소).{0,12}(없습|찾을 수 없|잘못|탈퇴)",
    ),
    (
        Reason.UNREACHABLE,
        r"(편지함|메일함|사서함|용량|저장 ?공간).{0,12}(초과|가득|부족|꽉)|휴면|일시적|응답.{0,6}없",
    ),
    (Reason.CONTENT_REJECTED, r"스팸|차단|수신 ?거부|바이러스|정책"),
    (Reason.CONTENT_INVALID, r"(크기|용량).{0,10}(제한|커서|큽니다)"),
]
# Answers with this code say by themselves only that something is wrong: the words decide.
_SAYS_NOTHING = 500


def is_bounce_subject(subject: str) -> bool:
    return bool(_SUBJECT.search(subject))


def is_delay(subject: str, text: str) -> bool:
    """Whether the server goes on trying."""
    told = f"{subject}\n{text}"
    return bool(_DELAY.search(told)) and not _GIVEN_UP.search(told)


def reason_in_words(text: str) -> Reason | None:
    """What a text without any code says; None where it says nothing that is known."""
    for reason, pattern in _KOREAN:
        if re.search(pattern, text):
            return reason
    reason = read_answer(Stage.RCPT, _SAYS_NOTHING, text).reason
    return None if reason is Reason.REQUEST_INVALID else reason
