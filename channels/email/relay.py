"""What mail providers with an HTTP API have in common: letters without SMTPUTF8, servers' words in events.

Their receipts speak of what a receiving server said, so it is read as `SmtpChannel` would read it.
"""

import re
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel

from channels import options
from channels.contract import ContentField, Instant, Message, Rejected
from channels.email.enhanced_codes import Stage, read_answer
from channels.email.letter import Letter, Unwritable, check_mailbox, write_letter
from channels.reasons import Reason

Mailbox = Annotated[str, AfterValidator(check_mailbox)]

CONTENT = MappingProxyType(
    {
        "subject": ContentField(max_length=998, required=True),
        "html": ContentField(),
        "text": ContentField(),
        "from_address": ContentField(max_length=254),
        "from_name": ContentField(max_length=200),
        "reply_to": ContentField(max_length=254),
    }
)

Options = TypeVar("Options", bound=BaseModel)

# Providers quote as they like: "smtp; 550-5.7.1 …", "550 5.1.1 …", "5.1.1 (bad destination)".
_BASIC = re.compile(r"(?<![\d.])([45]\d\d)(?=[ -])")
_ENHANCED = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)")


class Letterhead(Protocol):
    """The settings that say whom mail is from."""

    @property
    def from_address(self) -> str: ...
    @property
    def from_name(self) -> str: ...
    @property
    def reply_to(self) -> str | None: ...


def letter_of(message: Message, head: Letterhead) -> Letter:
    """The letter of a message, for providers that take addresses in ASCII only. Raises `Unwritable`."""
    letter = write_letter(
        message, from_address=head.from_address, from_name=head.from_name, reply_to=head.reply_to or ""
    )
    if not letter.recipient.isascii():
        raise Unwritable(Reason.NOT_ON_CHANNEL, "the provider cannot carry addresses beyond ASCII")
    if letter.needs_utf8:
        raise Unwritable(Reason.SENDER_INVALID, "the sender's address has to be in ASCII")
    return letter


def options_of(model: type[Options], message: Message) -> Options:
    """What `Message.options` says. Raises `Unwritable` for what the model does not take."""
    read = options.options_of(model, message)
    if isinstance(read, Rejected):
        raise Unwritable(read.reason, read.text)
    return read


def reason_of_answer(text: str, status: str = "") -> Reason | None:
    """What a receiving server's answer means, quoted in an event; None where it carries no code."""
    basic, enhanced = _BASIC.search(text), _ENHANCED.search(text)
    if not enhanced and _ENHANCED.fullmatch(status):
        text, enhanced = f"{status} {text}", _ENHANCED.match(status)
    if not basic and not enhanced:
        return None
    code = int(basic[1]) if basic else (500 if enhanced and enhanced[0][0] == "5" else 400)
    return read_answer(Stage.RCPT, code, text).reason


def read_time(value: Any, otherwise: Instant) -> Instant:
    """An ISO 8601 text, UTC where it names no zone."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        return otherwise
