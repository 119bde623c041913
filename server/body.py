"""The one reader of JSON bodies: every endpoint that takes JSON takes it through here.

`orjson` refuses what Python's `json` lets through (NaN, lone surrogates, bad UTF-8, endless nesting).
What it lets through itself is checked here: nesting that later recursion could not follow, NUL, which
PostgreSQL cannot store, and integers beyond 64 bits, which it silently turns into floats.
"""

import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import orjson
from starlette.requests import Request

from server.errors import BadInput

MAX_DEPTH = 32
INT_END = 2**63

# Events of one sender are alike, so an honest batch compresses 30:1; what exceeds this was built to.
MAX_RATIO = 100
_RATIO_FREE = 64 * 1024


class BodyProblem(BadInput):
    """A body that cannot be read. `status` is the HTTP answer to give, `code` is stable and for programs."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message, code=code)
        self.status = status


async def read_json(request: Request, *, limit: int) -> object:
    """The JSON value in the request's body, of at most `limit` bytes before and after decompression.

    Raises `BodyProblem`: 413 when it is too large, 415 for an encoding other than gzip, 400 for the rest.
    """
    return parse_json(await read_body(request, limit=limit))


async def read_body(request: Request, *, limit: int) -> bytes:
    """The bytes of the request's body, decompressed; stops reading as soon as `limit` is passed."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(limit)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    chunks = _capped(request, limit)
    if encoding == "identity":
        return b"".join([chunk async for chunk in chunks])
    if encoding == "gzip":
        return await _gunzip(chunks, limit)
    raise BodyProblem(
        415, "UNSUPPORTED_ENCODING", "The body must be sent as it is or with Content-Encoding: gzip."
    )


async def _capped(request: Request, limit: int) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        yield chunk


async def _gunzip(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    unpacked: list[bytes] = []
    taken = size = 0
    async for chunk in chunks:
        taken += len(chunk)
        allowed = min(limit, max(_RATIO_FREE, taken * MAX_RATIO))
        # One byte more than is allowed, so that too much can be told from just enough.
        piece = _unpack(unpacker, chunk, allowed - size + 1)
        size += len(piece)
        if size > allowed:
            raise _too_large(limit)
        unpacked.append(piece)
    if not unpacker.eof or unpacker.unused_data:
        raise _bad_gzip()
    return b"".join(unpacked)


def _unpack(unpacker: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    try:
        return unpacker.decompress(chunk, room)
    except zlib.error as error:
        raise _bad_gzip() from error


def _too_large(limit: int) -> BodyProblem:
    return BodyProblem(413, "BODY_TOO_LARGE", f"The body must not exceed {limit:,} bytes; send less at once.")


def _bad_gzip() -> BodyProblem:
    return BodyProblem(
        400, "INVALID_GZIP", "The body says Content-Encoding: gzip but is not one whole gzip stream."
    )


def parse_json(raw: bytes | str) -> object:
    """The value of a JSON text: nested at most 32 deep, no NUL in any string, every integer within 64 bits.

    Raises `BodyProblem` (400, `INVALID_JSON`).
    """
    try:
        value: object = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # The decoder's own words may quote the body; the position is enough to find the fault.
        raise _invalid(f"is not valid JSON (line {error.lineno}, column {error.colno})") from None
    _check_shape(value, raw)
    # In valid JSON a NUL can only be written escaped, so most bodies need no look at their strings.
    if (b"\\u0000" in raw) if isinstance(raw, bytes) else ("\\u0000" in raw):
        _refuse_nul(value)
    return value


def _check_shape(value: object, raw: bytes | str) -> None:
    """Level by level, without recursion: this runs for every value of every event, so it does little."""
    level: list[Any] = [[value]]
    doubtful = False
    for _ in range(MAX_DEPTH + 1):
        deeper: list[Any] = []
        for container in level:
            for item in container.values() if type(container) is dict else container:
                kind = type(item)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    deeper.append(item)
                elif (kind is int or kind is float) and not -INT_END < item < INT_END:
                    doubtful = True
        if not deeper:
            break
        level = deeper
    else:
        raise _invalid(f"is nested more than {MAX_DEPTH} deep")
    if doubtful:
        _refuse_long_integers(raw)


def _refuse_long_integers(raw: bytes | str) -> None:
    """A float beyond 64 bits may have been written as an integer: only the text still knows."""
    json.loads(raw, parse_int=_integer, parse_float=_skip)


def _integer(digits: str) -> int:
    # Python refuses to read thousands of digits at all, and 20 characters hold every 64-bit integer.
    if len(digits) > 20 or not -INT_END <= int(digits) < INT_END:
        raise _invalid("holds an integer beyond 64 bits; send it as a string")
    return int(digits)


def _skip(digits: str) -> None:
    return None


def _refuse_nul(value: object) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise _invalid("holds a NUL character (\\u0000) in a string")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key)
            _refuse_nul(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item)


def _invalid(what: str) -> BodyProblem:
    return BodyProblem(400, "INVALID_JSON", f"The body {what}.")
