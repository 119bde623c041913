"""What a picture is, by its first bytes: PNG or JPEG, and how large. Pure; the picture is not decoded.

A library that decodes pictures is a large thing with a history of holes; wanted are a kind and two numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of JPEG that say how large the picture is."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""


class NoPicture(ValueError):
    """It is no PNG and no JPEG, or it is cut off."""


@dataclass(frozen=True, slots=True)
class Picture:
    media_type: str
    width: int
    height: int


def look(content: bytes) -> Picture:
    """Raises NoPicture."""
    if content.startswith(_PNG):
        return Picture("image/png", *_size_of_png(content))
    if content.startswith(_JPEG):
        return Picture("image/jpeg", *_size_of_jpeg(content))
    raise NoPicture("A picture is a PNG or a JPEG; this is neither.")


def _size_of_png(content: bytes) -> tuple[int, int]:
    if len(content) < 33 or content[12:16] != b"IHDR":
        raise NoPicture("The PNG is cut off.")
    width, height = unpack(">II", content[16:24])
    return _real(width, height)


def _size_of_jpeg(content: bytes) -> tuple[int, int]:
    """Goes from marker to marker up to the one that begins the picture."""
    place = 2
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            break
        marker = content[place + 1]
        if marker == 0xFF or marker in _ALONE:
            place += 1 if marker == 0xFF else 2
            continue
        if marker in _FRAMES and place + 9 <= len(content):
            height, width = unpack(">HH", content[place + 5 : place + 9])
            return _real(width, height)
        (length,) = unpack(">H", content[place + 2 : place + 4])
        place += 2 + length
    raise NoPicture("The JPEG is cut off, or does not say how large it is.")


def _real(width: int, height: int) -> tuple[int, int]:
    if not width or not height:
        raise NoPicture("The picture has no width or no height.")
    return width, height
