"""From a message to the bytes of a letter, with whatever was meant arriving unchanged. Pure.

The standard library builds the body. Header values are written here: its own folding may lose blanks between
encoded words and may break a long List-Unsubscribe address into pieces.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.base64mime import header_encode
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from hashlib import sha256

from channels.contract import Message
from channels.email.verp import HEADER
from channels.reasons import Reason

_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BODY_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LOCAL_PART = re.compile(r"[^\x00-\x20\x7f\s@<>()\[\],;:\\\"]{1,64}")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_PLAIN_REFERENCE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")

# RFC 5322 allows 998 bytes in a line, and 78 where people read it; RFC 2047 allows 75 in an encoded word.
_LONGEST_LINE = 998
_LONGEST_TEXT = 76
_BYTES_PER_WORD = 39

# What we write ourselves, or what would add recipients.
_OURS = {
    *("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version"),
    *("return-path", "received", "dkim-signature", HEADER.lower()),
}


class Unwritable(ValueError):
    """The message cannot be made into a letter; `reason` says whose fault it is."""

    def __init__(self, reason: Reason, text: str) -> None:
        super().__init__(text)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter in its envelope."""

    sender: str
    recipient: str
    message_id: str
    """Without angle brackets; the same for one reference, whatever the attempt."""
    data: bytes
    """Lines end in CRLF; without non-ASCII bytes unless `needs_utf8`."""
    token: str = ""
    """What a report about this letter is known by; empty where none is wanted."""

    @property
    def needs_utf8(self) -> bool:
        """Whether an address can only travel through servers with SMTPUTF8."""
        return not (self.sender + self.recipient).isascii() or not self.data.isascii()


def write_letter(
    message: Message,
    *,
    from_address: str,
    from_name: str = "",
    reply_to: str = "",
    return_path: str = "",
    token: str = "",
) -> Letter:
    """Write the letter of a message. Its own from_address, from_name and reply_to win over the ones given.
    A token goes along in a header, for reports that return it.

    Raises `Unwritable` when an address is malformed, when a header would contain a line break or another
    control character, or when there is nothing to say.
    """
    content = message.content
    sender = _mailbox(content.get("from_address") or from_address, Reason.SENDER_INVALID, "from_address")
    recipient = _mailbox(message.to, Reason.INVALID_RECIPIENT, "to")
    message_id = f"{_plain_reference(message.reference)}@{sender.rpartition('@')[2]}"
    mail = EmailMessage(policy=_WIRE)
    mail["From"] = _person("from_name", content.get("from_name") or from_name, sender)
    mail["To"] = recipient
    if answer_to := content.get("reply_to") or reply_to:
        mail["Reply-To"] = _mailbox(answer_to, Reason.CONTENT_INVALID, "reply_to")
    mail["Subject"] = _text("subject", content.get("subject", ""), _LONGEST_TEXT - len("Subject: "))
    mail["Date"] = format_datetime(datetime.fromtimestamp(message.sent_at / 1000, UTC))
    mail["Message-ID"] = f"<{message_id}>"
    if token:
        mail[HEADER] = token
    _add_headers(mail, message.headers)
    _add_body(mail, content.get("text", ""), content.get("html", ""))
    envelope = _mailbox(return_path, Reason.SENDER_INVALID, "return_path") if return_path else sender
    return Letter(envelope, recipient, message_id, mail.as_bytes(), token)


def check_mailbox(address: str) -> str:
    """Return an address as it travels: its domain in ASCII. Raises ValueError when it is malformed."""
    local, at, domain = address.rpartition("@")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
        local.encode()
    except UnicodeError as error:
        raise ValueError("contains characters that no address can have") from error
    if not at or not _LOCAL_PART.fullmatch(local) or not _DOMAIN.fullmatch(ascii_domain):
        raise ValueError("must look like name@example.com")
    return f"{local}@{ascii_domain}"


class _Wire(EmailPolicy):
    """Takes headers that are not about the body exactly as they were written above."""

    def header_store_parse(self, name: str, value: str) -> tuple[str, str]:
        return super().header_store_parse(name, value) if _is_of_body(name) else (name, value)

    def header_fetch_parse(self, name: str, value: str) -> str:
        return super().header_fetch_parse(name, value) if _is_of_body(name) else value

    def fold_binary(self, name: str, value: str) -> bytes:
        if _is_of_body(name):
            return super().fold_binary(name, value)
        return f"{name}: {value}\r\n".encode()


# 7bit, because not every server on the way can carry more.
_WIRE = _Wire(linesep="\r\n", cte_type="7bit")


def _is_of_body(name: str) -> bool:
    return name.lower().startswith(("content-", "mime-version"))


def _mailbox(address: str, reason: Reason, field: str) -> str:
    try:
        return check_mailbox(address)
    except ValueError as error:
        raise Unwritable(reason, f"{field} {error}") from error


def _plain_reference(reference: str) -> str:
    if len(reference) <= 128 and _PLAIN_REFERENCE.fullmatch(reference):
        return reference
    return sha256(reference.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _person(field: str, name: str, mailbox: str) -> str:
    if not name:
        return mailbox
    if _PRINTABLE.fullmatch(name) and len(name) <= 60 and not re.search(r'["\\]|=\?', name):
        return f'"{name}" <{mailbox}>'
    return f"{_encoded_words(_clean(field, name))} <{mailbox}>"


def _add_headers(mail: EmailMessage, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise Unwritable(Reason.CONTENT_INVALID, f"{name!r} is no name of a header")
        if name.lower() in _OURS or name.lower().startswith(("content-", "resent-")):
            raise Unwritable(
                Reason.CONTENT_INVALID, f"the header {name} cannot be set; use the message's fields"
            )
        mail[name] = _text(name, value, _LONGEST_LINE - len(name) - 2)


def _text(field: str, value: str, longest: int) -> str:
    _clean(field, value)
    is_plain = _PRINTABLE.fullmatch(value) and value == value.strip() and "=?" not in value
    return value if is_plain and len(value) <= longest else _encoded_words(value)


def _clean(field: str, value: str) -> str:
    if _CONTROL.search(value):
        raise Unwritable(
            Reason.CONTENT_INVALID, f"{field} contains a line break or another control character"
        )
    return _encodable(field, value)


def _encodable(field: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unwritable(
            Reason.CONTENT_INVALID, f"{field} contains half a character (a surrogate)"
        ) from error
    return value


def _encoded_words(value: str) -> str:
    words, word = [], b""
    for character in value:
        encoded = character.encode()
        if len(word) + len(encoded) > _BYTES_PER_WORD:
            words.append(word)
            word = b""
        word += encoded
    return "\r\n ".join(header_encode(word, "utf-8") for word in (*words, word))


def _add_body(mail: EmailMessage, text: str, html: str) -> None:
    if not text and not html:
        raise Unwritable(Reason.CONTENT_INVALID, "neither text nor html is filled in")
    if text:
        mail.set_content(_encodable("text", text), cte=_transfer_encoding(text))
    if html and text:
        mail.add_alternative(_encodable("html", html), subtype="html", cte=_transfer_encoding(html))
    elif html:
        mail.set_content(_encodable("html", html), subtype="html", cte=_transfer_encoding(html))


def _transfer_encoding(body: str) -> str | None:
    # The library would send control characters as they are, and NUL is not allowed on the wire.
    return "base64" if _BODY_CONTROL.search(body) else None
