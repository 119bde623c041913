"""Mails that tell what became of a mail, as receipts: reports, complaints, and bounces in plain words. Pure.

Anybody can write to the address for bounces, so a mail is believed only about the message whose token it
carries (`verp`). Everything is bounded before it is parsed, because nobody has to be polite.
"""

from __future__ import annotations

import email
import email.utils
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message as Mail
from hashlib import sha256

from channels.contract import Instant, Receipt, ReceiptKind
from channels.email.bounce_words import is_bounce_subject, is_delay, reason_in_words
from channels.email.mail_text import fields_of, header, parts_of, plain_text
from channels.email.relay import reason_of_answer
from channels.email.verp import HEADER, Tokens
from channels.reasons import Reason

LONGEST_READ = 128 * 1024
"""Of one mail, in bytes: reports come first, and the mail that they return after them."""
NOT_UNDERSTOOD, NOT_PROVED, TOO_COMPLEX = "mail_not_understood", "bounce_not_proved", "mail_too_complex"

_MOST_PARTS = 40
_MOST_RECIPIENTS = 20
_LONGEST_TEXT = 2000
_LONGEST_RAW = 16_000
_OLDEST_BELIEVED_MS = 30 * 24 * 3600 * 1000
# Where a delivered mail says whom it was for; servers do not agree on a name.
_ADDRESSED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to", "to", "cc")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
# A number in a sentence is no code: it stands at the beginning of what a server said.
_CODE = re.compile(
    r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)|(?:^|[:;(] ?|said |with |code )[45]\d\d(?=[ -])", re.I
)

_ACTIONS = {
    "failed": ReceiptKind.BOUNCED,
    "delayed": ReceiptKind.DEFERRED,
    "delivered": ReceiptKind.DELIVERED,
    # Somebody else has it now who will tell no more: more than taken over is not known.
    "relayed": ReceiptKind.ACCEPTED,
    "expanded": ReceiptKind.ACCEPTED,
}
_BY_CLASS = {"5": "failed", "4": "delayed", "2": "delivered"}
_COMPLAINTS = ("abuse", "fraud")


@dataclass(frozen=True, slots=True)
class _Told:
    """One thing that a mail says, before it is known about which message."""

    kind: ReceiptKind
    key: str
    code: str
    text: str = ""
    reason: Reason | None = None
    recipient: str | None = None
    at: Instant | None = None


def receipts_of(data: bytes, tokens: Tokens, received_at: Instant) -> list[Receipt]:
    """What a mail, as bytes, tells of our messages. Nothing for automatic replies, which are no receipts;
    `UNMAPPED` for whatever is not understood, and for what does not carry a genuine token.
    """
    data, whole = data[:LONGEST_READ], data
    raw = data.decode("utf-8", "replace")[:_LONGEST_RAW]
    key = sha256(whole).hexdigest()
    unmapped = Receipt(key, ReceiptKind.UNMAPPED, received_at, code=NOT_UNDERSTOOD, raw=raw)
    # Each level of nesting takes a header of its own, so counting them bounds the depth.
    if len(re.findall(rb"(?i)content-type", data)) > _MOST_PARTS:
        return [replace(unmapped, code=TOO_COMPLEX)]
    mail = email.message_from_bytes(data)
    told = list(_told(mail))
    reference = _reference(mail, data, tokens)
    if not told:
        if _is_automatic(mail):
            return []
        return [replace(unmapped, reference=reference)]
    if reference is None:
        return [replace(unmapped, code=NOT_PROVED, text=told[0].text, reason=told[0].reason)]
    heard_at = _credible(_time(header(mail, "date")), received_at) or received_at
    found = {
        one.key: Receipt(
            key=f"{reference}/{one.key}",
            kind=one.kind,
            occurred_at=_credible(one.at, received_at) or heard_at,
            reference=reference,
            reason=one.reason,
            code=one.code,
            text=one.text[:_LONGEST_TEXT],
            recipient=one.recipient,
            raw=raw,
        )
        for one in told
    }
    return list(found.values())


def _told(mail: Mail) -> Iterator[_Told]:
    """What the first kind of report in a mail says; else what its words say."""
    parts = list(parts_of(mail, _MOST_PARTS))
    for part in parts:
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            said = list(_delivery_status(part))
            if said:
                yield from said
                return
        if part.get_content_type() == "message/feedback-report":
            yield _feedback(part)
            return
    if "disposition-notification" not in header(mail, "content-type").lower() and _is_bounce(mail):
        yield _in_words(mail, parts)


def _delivery_status(part: Mail) -> Iterator[_Told]:
    """RFC 3464: a block about the report, then one for each recipient."""
    for fields in fields_of(part)[: _MOST_RECIPIENTS + 1]:
        status = _STATUS.search(fields.get("status", ""))
        action = fields.get("action", "").split("(")[0].strip().lower()
        if action not in _ACTIONS and status:
            action = _BY_CLASS[status[1]]
        if action not in _ACTIONS:
            continue
        code = status[0] if status else ""
        text = _untyped(fields.get("diagnostic-code", "")) or code
        recipient = fields.get("original-recipient") or fields.get("final-recipient", "")
        yield _Told(
            kind=_ACTIONS[action],
            key=f"{action}/{code}",
            code=f"{action}/{code}" if code else action,
            text=text,
            reason=_reason(action, text, code),
            recipient=_untyped(recipient).strip("<>")[:254] or None,
            at=_time(fields.get("last-attempt-date", "")),
        )


def _reason(action: str, text: str, status: str) -> Reason | None:
    if _ACTIONS[action] not in (ReceiptKind.BOUNCED, ReceiptKind.DEFERRED):
        return None
    reason = _known(reason_of_answer(text, status)) or reason_in_words(text) or Reason.UNKNOWN
    return _while_delayed(reason) if action == "delayed" else reason


def _known(reason: Reason | None) -> Reason | None:
    return None if reason is Reason.UNKNOWN else reason


def _while_delayed(reason: Reason) -> Reason:
    """A server that goes on trying has not given the address up."""
    return Reason.UNREACHABLE if reason is Reason.INVALID_RECIPIENT else reason


def _feedback(part: Mail) -> _Told:
    """RFC 5965: somebody pressed a button. Only `abuse` and `fraud` say that they want no more.

    Names no recipient: that would be an address to suppress on the word of whoever wrote the mail.
    """
    fields = {name: value for block in fields_of(part) for name, value in block.items()}
    kind = re.sub(r"[^a-z0-9-]", "", fields.get("feedback-type", "").lower())[:40]
    at = _time(fields.get("received-date") or fields.get("arrival-date", ""))
    code = f"feedback/{kind}"
    if kind not in _COMPLAINTS:
        return _Told(ReceiptKind.UNMAPPED, code, code, at=at)
    text = fields.get("user-agent", "")
    return _Told(ReceiptKind.COMPLAINED, code, code, text, Reason.OPTED_OUT, at=at)


def _in_words(mail: Mail, parts: list[Mail]) -> _Told:
    """A bounce without a report: the line with a code says most, the words the rest."""
    text = plain_text(parts)
    lines = [line.strip() for line in text.splitlines()]
    at = next((at for at, line in enumerate(lines) if _CODE.search(line)), None)
    answer = " ".join(lines[at : at + 2]) if at is not None else ""
    status = _STATUS.search(answer)
    reason = _known(reason_of_answer(answer)) or reason_in_words(text) or Reason.UNKNOWN
    is_waiting = is_delay(header(mail, "subject"), text)
    action = "delayed" if is_waiting else "failed"
    code = status[0] if status else ""
    return _Told(
        kind=_ACTIONS[action],
        key=f"{action}/{code}",
        code=f"{action}/{code}" if code else action,
        text=answer or " ".join(text.split())[:500],
        reason=_while_delayed(reason) if is_waiting else reason,
        recipient=header(mail, "x-failed-recipients").split(",")[0].strip()[:254] or None,
    )


def _is_bounce(mail: Mail) -> bool:
    """Servers write bounces under a name of their own, or tell whom they could not reach."""
    if header(mail, "x-failed-recipients"):
        return True
    sender = email.utils.parseaddr(header(mail, "from"))[1].lower().partition("@")[0]
    if sender == "mailer-daemon":
        return True
    is_from_nobody = header(mail, "return-path").strip() == "<>" or sender in ("postmaster", "")
    return is_from_nobody and is_bounce_subject(header(mail, "subject"))


def _is_automatic(mail: Mail) -> bool:
    """RFC 3834, and what was in use before it; and receipts for reading, which we never ask for."""
    submitted = header(mail, "auto-submitted").split(";")[0].strip().lower()
    if submitted and submitted != "no":
        return True
    if "disposition-notification" in header(mail, "content-type").lower():
        return True
    if any(header(mail, name) for name in ("x-autoreply", "x-autorespond", "x-autoresponse")):
        return True
    return header(mail, "precedence").strip().lower() == "auto_reply"


def _reference(mail: Mail, data: bytes, tokens: Tokens) -> str | None:
    """The address that the mail came to says it best; else whatever of our mail was sent back."""
    for name in _ADDRESSED:
        if found := tokens.find(header(mail, name)):
            return found
    for part in parts_of(mail, _MOST_PARTS):
        said = [header(part, HEADER), header(part, "return-path")]
        if part.get_content_maintype() == "message" or part.get_content_type() == "text/rfc822-headers":
            said += [text for block in fields_of(part) for text in block.values()]
        if found := tokens.find("\n".join(said)):
            return found
    return tokens.find(plain_text(list(parts_of(mail, _MOST_PARTS)), whole=True)) or tokens.find(
        data.decode("latin-1")
    )


def _untyped(value: str) -> str:
    """`rfc822; mina@example.com` and `smtp; 550 …` without their first word."""
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and re.fullmatch(r"[\w-]{1,20}", kind.strip()) else value.strip()


def _time(text: str) -> Instant | None:
    try:
        return int(email.utils.parsedate_to_datetime(text).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _credible(at: Instant | None, received_at: Instant) -> Instant | None:
    """None for a clock that is wrong: a report is not written before what it tells of, nor kept for long."""
    if at is None or not received_at - _OLDEST_BELIEVED_MS <= at <= received_at:
        return None
    return at
