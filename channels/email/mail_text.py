"""What can be read in a mail that somebody else wrote, perhaps badly: headers, parts, fields, words. Pure.

Nothing here raises for whatever a mail contains.
"""

from __future__ import annotations

import base64
import binascii
import html
import quopri
import re
from collections.abc import Iterator
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Mail

_LONGEST_HEADER = 4000
_LONGEST_WORDS = 8000
# Codecs of the library that make something else of bytes than the letters that they are.
_NO_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"}
# What follows these is our own mail, sent back.
_RETURNED = re.compile(
    r"(?im)^[^\w\n]{0,20}(?:below this line is a copy of the message|this is a copy of (?:the|your) message"
    r"|original message|undelivered message|returned message|message headers? follow|원본 ?(?:메시지|메일)"
    r"|(?:return-path|received|x-sojourn-reference|dkim-signature):)"
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_UNSEEN = re.compile(r"(?i)<(/?)(?:style|script|head)\b[^<>]*>")


def header(mail: Mail, name: str) -> str:
    """The first header of this name in one line of plain letters; empty where there is none."""
    value = str(mail.get(name, ""))[:_LONGEST_HEADER]
    if "=?" in value:
        value = _decoded_words(value)
    return " ".join(value.split())


def parts_of(mail: Mail, most: int) -> Iterator[Mail]:
    """The mail and what it consists of, outermost first, at most so many."""
    for count, part in enumerate(mail.walk()):
        if count == most:
            return
        yield part


def fields_of(part: Mail) -> list[dict[str, str]]:
    """The blocks of fields in a part that reports; names in lower case, the first of a name counts."""
    inside = part.get_payload()
    blocks = [_headers(one) for one in inside if isinstance(one, Mail)] if isinstance(inside, list) else []
    # Some servers encode a report, which no parser of theirs expects.
    texts = [one.get_payload() for one in inside if isinstance(one, Mail)] if blocks else [inside]
    encoded = "\n".join(text for text in texts if isinstance(text, str))
    if encoded.strip():
        blocks += [_fields(one) for one in re.split(r"\n[ \t]*\n", _transferred(part, encoded))]
    return [block for block in blocks if block]


def plain_text(parts: list[Mail], *, whole: bool = False) -> str:
    """The words of a mail, up to where it quotes another one, unless the whole is wanted."""
    texts = [one for one in parts if one.get_content_maintype() == "text" and not one.is_multipart()]
    texts.sort(key=lambda one: one.get_content_subtype() != "plain")
    if whole:
        return "\n".join(_text(one) for one in texts)
    text = next((text for one in texts if (text := _text(one)[: 4 * _LONGEST_WORDS]).strip()), "")
    returned = _RETURNED.search(text)
    return (text[: returned.start()] if returned else text)[:_LONGEST_WORDS]


def _headers(mail: Mail) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in mail.items():
        found.setdefault(name.lower(), " ".join(str(value)[:_LONGEST_HEADER].split()))
    return found


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in re.sub(r"\r?\n[ \t]+", " ", text).splitlines():
        name, colon, value = line.partition(":")
        if colon and re.fullmatch(r"[!-9;-~]{1,70}", name.strip()):
            found.setdefault(name.strip().lower(), value.strip()[:_LONGEST_HEADER])
    return found


def _transferred(part: Mail, text: str) -> str:
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    data = text.encode("utf-8", "surrogateescape")
    try:
        if encoding == "base64":
            data = base64.b64decode(data)
        elif encoding == "quoted-printable":
            data = quopri.decodestring(data)
    except (binascii.Error, ValueError):
        pass
    return data.decode("utf-8", "replace")


def _text(part: Mail) -> str:
    data = part.get_payload(decode=True)
    text = _letters(data, part.get_content_charset("utf-8")) if isinstance(data, bytes) else ""
    if part.get_content_subtype() == "html":
        text = html.unescape(_TAG.sub(" ", _seen(text)))
    return text


def _seen(page: str) -> str:
    """A page without its scripts and styles. One look at each letter, however often they begin."""
    before, *rest = _UNSEEN.split(page)
    return before + " ".join(text for slash, text in zip(rest[::2], rest[1::2], strict=True) if slash)


def _letters(data: bytes, charset: str | None) -> str:
    """Korean servers say ks_c_5601-1987 or euc-kr and mean its larger sister."""
    name = (charset or "utf-8").lower().replace("-", "_")
    if name in ("euc_kr", "ks_c_5601_1987", "ksc5601", "ks_c_5601", "windows_949"):
        name = "cp949"
    if name in _NO_CHARSETS:
        name = "utf-8"
    try:
        text = data.decode(name, "replace")
    except (LookupError, ValueError, AssertionError):
        text = data.decode("utf-8", "replace")
    return text


def _decoded_words(value: str) -> str:
    try:
        words = decode_header(value)
    except (HeaderParseError, binascii.Error, ValueError):
        return value
    return "".join(
        _letters(word, charset or "latin-1") if isinstance(word, bytes) else word for word, charset in words
    )
