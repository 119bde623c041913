"""How long a text is, as those who deliver and bill it count: pure functions, for adapters and for editors.

Abroad a text is cut into segments, counted in septets of the GSM alphabet as long as every character is in
it, and in UTF-16 units otherwise. In Korea it is counted in bytes of EUC-KR, which decide what kind of
message it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from channels.korean_text import LONG_BYTES, SMS_BYTES, TITLE_BYTES, euc_kr_bytes, outside_euc_kr

__all__ = [
    "LONG_BYTES",
    "SMS_BYTES",
    "TITLE_BYTES",
    "Encoding",
    "Kind",
    "Length",
    "euc_kr_bytes",
    "international_length",
    "korean_length",
    "outside_euc_kr",
    "outside_gsm7",
]

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Each is sent as an escape and another character."""
_EVERY_GSM7 = _GSM7 | _GSM7_EXTENSION
_SEPTETS, _SEPTETS_OF_PART = 160, 153
_UTF16, _UTF16_OF_PART = 70, 67


class Encoding(StrEnum):
    """What a text is written in on its way, and what its units are."""

    GSM7 = "gsm7"
    """Units are septets; the characters `^{}\\[~]|€` and the form feed take two."""
    UCS2 = "ucs2"
    """Units are those of UTF-16; an emoji takes two or more."""
    EUC_KR = "euc_kr"
    """Units are bytes; Hangul takes two. With the additions of code page 949, so every syllable is in it."""


class Kind(StrEnum):
    """What a text is sent as."""

    SMS = "SMS"
    LMS = "LMS"
    """A long message of the Korean networks: up to 2,000 bytes, with a title."""
    MMS = "MMS"
    """The same with a picture."""
    TOO_LONG = "too_long"


@dataclass(frozen=True, slots=True)
class Length:
    """How long a text is."""

    encoding: Encoding
    units: int
    segments: int
    """How many messages are sent and paid for; 0 for an empty text."""
    kind: Kind


def international_length(text: str) -> Length:
    """The length of a text outside of Korea."""
    if outside_gsm7(text):
        encoding, limits = Encoding.UCS2, (_UTF16, _UTF16_OF_PART)
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    else:
        encoding, limits = Encoding.GSM7, (_SEPTETS, _SEPTETS_OF_PART)
        widths = [2 if character in _GSM7_EXTENSION else 1 for character in text]
    return Length(encoding, sum(widths), _segments(widths, *limits), Kind.SMS)


def _segments(widths: Sequence[int], alone: int, part: int) -> int:
    if sum(widths) <= alone:
        return 1 if widths else 0
    segments, room = 1, part
    for width in widths:
        if width > room:  # the two halves of a character stay together
            segments, room = segments + 1, part
        room -= width
    return segments


def korean_length(text: str, *, title: str = "", has_image: bool = False) -> Length:
    """The length of a text within Korea, and the kind of message that it makes.

    A character that EUC-KR does not have is counted as two bytes; `outside_euc_kr` names those.
    """
    units = euc_kr_bytes(text)
    segments = 1 if text or title or has_image else 0
    return Length(Encoding.EUC_KR, units, segments, _korean_kind(units, bool(title), has_image))


def _korean_kind(units: int, has_title: bool, has_image: bool) -> Kind:
    if units > LONG_BYTES:
        return Kind.TOO_LONG
    if has_image:
        return Kind.MMS
    return Kind.LMS if has_title or units > SMS_BYTES else Kind.SMS


def outside_gsm7(text: str) -> tuple[str, ...]:
    """The characters for which a text becomes UCS-2, each once, in the order in which they come."""
    return _once(character for character in text if character not in _EVERY_GSM7)


def _once(characters: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(characters))
