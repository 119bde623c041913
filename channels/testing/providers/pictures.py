"""How large a picture is, from its first bytes: for fake providers that refuse those of the wrong shape."""

import struct
import zlib

_PNG = b"\x89PNG\r\n\x1a\n"


def size_of(content: bytes) -> tuple[str, int, int] | None:
    """The kind (png, jpeg) with width and height; None for what is neither."""
    if content[:8] == _PNG and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return "png", width, height
    return _jpeg(content) if content[:2] == b"\xff\xd8" else None


def _jpeg(content: bytes) -> tuple[str, int, int] | None:
    at = 2
    while at + 9 < len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        # The frames that tell a size; C4, C8 and CC lie among them and tell something else.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return "jpeg", width, height
        at += 2 + length
    return None


def a_png(width: int, height: int) -> bytes:
    """A grey picture of this size."""
    rows = (b"\0" + b"\x80" * width) * height
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows))]
    return _PNG + b"".join(_chunk(name, data) for name, data in [*parts, (b"IEND", b"")])


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
