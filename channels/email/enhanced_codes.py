"""What a mail server's answer means: from its codes, its words and the moment it came, to a reason.

The three-digit code alone says too little: 550 is an unknown person, a spam filter or a missing DNS record.
So the enhanced status code (RFC 3463) decides where there is one, the words where it is overloaded or
missing, and the basic code only then. Which step was answered matters as well: a refusal of the sender
condemns no recipient.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from channels.reasons import Reason

# 5.7.1 in "550 5.7.1 no" and in "550 #5.1.0 no", but not the address in "blocked: 5.7.1.12".
_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")


class Stage(StrEnum):
    """The step of the conversation that was answered."""

    CONNECT = "connect"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    END = "end"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer means. `is_final` is False when a later attempt may succeed."""

    is_final: bool
    reason: Reason


# By subject and detail, for answers of class 5; a subject alone covers every detail not named.
_PERMANENT = {
    "1": Reason.INVALID_RECIPIENT,
    "1.7": Reason.SENDER_INVALID,
    "1.8": Reason.SENDER_INVALID,
    "2": Reason.UNREACHABLE,
    "2.1": Reason.INVALID_RECIPIENT,
    "2.3": Reason.CONTENT_INVALID,
    "2.4": Reason.INVALID_RECIPIENT,
    "3": Reason.PROVIDER_ERROR,
    "3.4": Reason.CONTENT_INVALID,
    "4": Reason.UNREACHABLE,
    "4.4": Reason.INVALID_RECIPIENT,
    "4.5": Reason.QUOTA_EXCEEDED,
    "4.7": Reason.EXPIRED,
    "5": Reason.REQUEST_INVALID,
    "5.3": Reason.RATE_LIMITED,
    "6": Reason.CONTENT_INVALID,
    # Mail to this address needs international addressing all the way; the person is fine.
    "6.7": Reason.NOT_ON_CHANNEL,
    "7": Reason.CONTENT_REJECTED,
    "7.2": Reason.NOT_PERMITTED,
    "7.8": Reason.AUTH_FAILED,
    "7.9": Reason.AUTH_FAILED,
    "7.11": Reason.AUTH_FAILED,
    "7.13": Reason.ACCOUNT_BLOCKED,
    "7.14": Reason.AUTH_FAILED,
    **{f"7.{detail}": Reason.SENDER_INVALID for detail in range(20, 28)},
}

_TRANSIENT = {
    "2.2": Reason.UNREACHABLE,
    "4.7": Reason.EXPIRED,
    "7": Reason.RATE_LIMITED,
}

# Details that servers use for anything; the words know better.
_OVERLOADED = {"0.0", "7.0", "7.1", "2.1", "5.0"}

# The first that fits wins. The people's language of servers, not a standard: extend it from stored answers.
_WORDS = [
    (
        Reason.RATE_LIMITED,
        r"rate.?limit|throttl|too many (messages|connections|recipients|errors)|too (quickly|fast)"
        r"|gr[ea]y.?list|slow down",
    ),
    (Reason.QUOTA_EXCEEDED, r"(daily|sending|hourly|monthly) (user )?(sending )?(quota|limit)"),
    (
        Reason.UNREACHABLE,
        r"(mailbox|inbox|storage).{0,20}full|over.?quota|quota exceeded|exceeded.{0,20}quota",
    ),
    (Reason.NOT_PERMITTED, r"not (authori[sz]ed|permitted|allowed) to (send|post)"),
    (
        Reason.SENDER_INVALID,
        r"relay|\bspf\b|\bdkim\b|\bdmarc\b|reverse dns|\brdns\b|\bptr\b|unauthenticated"
        r"|authentication|not authenticated|sender (address )?(rejected|verif)",
    ),
    (
        Reason.INVALID_RECIPIENT,
        r"(user|mailbox|recipient|account|address).{0,30}(unknown|not found|does ?n.?t exist|does not exist"
        r"|invalid|inactive|disabled|no longer)|no such (user|mailbox|person|recipient)"
        r"|unknown (user|recipient)|no mailbox here",
    ),
    (Reason.CONTENT_INVALID, r"too (large|big|long)|size limit|exceeds.{0,20}size"),
    (
        Reason.CONTENT_REJECTED,
        r"spam|blocked|block.?list|black.?list|dnsbl|\brbl\b|reputation|unsolicited|virus|policy|content",
    ),
]

_BASIC = {
    421: Reason.PROVIDER_ERROR,
    450: Reason.UNREACHABLE,
    451: Reason.PROVIDER_ERROR,
    452: Reason.PROVIDER_ERROR,
    551: Reason.INVALID_RECIPIENT,
    552: Reason.CONTENT_INVALID,
    556: Reason.INVALID_RECIPIENT,
}

# 550, 553, 554 and their like say only "no": to what, the step tells.
_NO_TO = {
    Stage.CONNECT: Reason.SENDER_INVALID,
    Stage.AUTH: Reason.AUTH_FAILED,
    Stage.MAIL: Reason.SENDER_INVALID,
    Stage.RCPT: Reason.INVALID_RECIPIENT,
    Stage.DATA: Reason.CONTENT_REJECTED,
    Stage.END: Reason.CONTENT_REJECTED,
}

_AUTH_CODES = {530, 534, 535, 538}

# These say nothing about the message: it keeps its turn whatever the code.
_KEEPS_ITS_TURN = {Reason.AUTH_FAILED, Reason.RATE_LIMITED, Reason.QUOTA_EXCEEDED}


def read_answer(stage: Stage, code: int, text: str) -> Reading:
    """Say what an answer of class 4 or 5, given at `stage`, means for the message."""
    enhanced = _ENHANCED.search(text)
    is_permanent = enhanced[1] == "5" if enhanced and enhanced[1] != "2" else code >= 500
    reason = _at_stage(stage, is_permanent, _reason(stage, code, enhanced, text.lower()))
    # A server that will not talk to us at all has judged no message.
    is_final = is_permanent and stage not in (Stage.CONNECT, Stage.AUTH) and reason not in _KEEPS_ITS_TURN
    return Reading(is_final, reason)


def _reason(stage: Stage, code: int, enhanced: re.Match[str] | None, text: str) -> Reason:
    if code in _AUTH_CODES or (stage is Stage.AUTH and code >= 500):
        return Reason.AUTH_FAILED
    if stage is Stage.AUTH:
        return Reason.PROVIDER_ERROR
    detail = f"{int(enhanced[2])}.{int(enhanced[3])}" if enhanced else "0.0"
    if detail in _OVERLOADED and (worded := _by_words(text)):
        return worded
    if enhanced and enhanced[2] != "0":
        if enhanced[1] == "4":
            return _look_up(_TRANSIENT, detail) or Reason.PROVIDER_ERROR
        return _look_up(_PERMANENT, detail) or Reason.UNKNOWN
    return _by_basic_code(stage, code)


def _look_up(table: dict[str, Reason], detail: str) -> Reason | None:
    return table.get(detail) or table.get(detail.partition(".")[0])


def _by_words(text: str) -> Reason | None:
    return next((reason for reason, pattern in _WORDS if re.search(pattern, text)), None)


def _by_basic_code(stage: Stage, code: int) -> Reason:
    if code in _BASIC:
        return _BASIC[code]
    if 500 <= code <= 504 or code == 555:
        return Reason.REQUEST_INVALID
    return _NO_TO[stage] if code >= 500 else Reason.PROVIDER_ERROR


def _at_stage(stage: Stage, is_permanent: bool, reason: Reason) -> Reason:
    """Keep an answer that was not about the recipient from condemning one."""
    if reason is not Reason.INVALID_RECIPIENT:
        return reason
    if stage not in (Stage.RCPT, Stage.DATA, Stage.END):
        return Reason.SENDER_INVALID
    return reason if is_permanent else Reason.UNREACHABLE
