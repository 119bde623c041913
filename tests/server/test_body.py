"""The one reader of JSON bodies."""

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from server.body import MAX_DEPTH, BodyProblem, parse_json, read_json


def request(chunks: Iterable[bytes], **headers: str) -> Request:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks
    ]
    messages.append({"type": "http.request", "body": b"", "more_body": False})
    remaining = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(remaining)

    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": named}, receive)


async def problem(chunks: Iterable[bytes], limit: int = 1_000, **headers: str) -> tuple[int, str]:
    with pytest.raises(BodyProblem) as raised:
        await read_json(request(chunks, **headers), limit=limit)
    return raised.value.status, raised.value.code


@pytest.mark.anyio
async def test_a_body_in_pieces_is_one_value() -> None:
    assert await read_json(request([b'{"a"', b": [1, 2.5, ", b'null, "\xed\x95\x9c"]}']), limit=100) == {
        "a": [1, 2.5, None, "한"]
    }


@pytest.mark.anyio
async def test_the_limit_is_exact() -> None:
    body = b'"' + b"x" * 98 + b'"'
    assert await read_json(request([body]), limit=100) == "x" * 98
    assert await problem([body], limit=99) == (413, "BODY_TOO_LARGE")


@pytest.mark.anyio
async def test_an_announced_size_is_refused_before_anything_is_read() -> None:
    assert await problem([], content_length="1001") == (413, "BODY_TOO_LARGE")


@pytest.mark.anyio
async def test_reading_stops_at_the_limit() -> None:
    given_out = 0

    def endless() -> Iterable[bytes]:
        nonlocal given_out
        while True:
            given_out += 1
            yield b"[" * 100

    stream = iter(endless())

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": next(stream), "more_body": True}

    with pytest.raises(BodyProblem):
        await read_json(Request({"type": "http", "method": "POST", "headers": []}, receive), limit=1_000)
    assert given_out == 11


@pytest.mark.anyio
async def test_gzip_is_unpacked_wherever_it_is_cut() -> None:
    value = {"batch": [{"event": f"Event {i}"} for i in range(50)]}
    packed = gzip.compress(json.dumps(value).encode())
    for size in (1, 7, len(packed)):
        pieces = [packed[i : i + size] for i in range(0, len(packed), size)]
        assert await read_json(request(pieces, content_encoding="gzip"), limit=5_000) == value


@pytest.mark.anyio
async def test_the_limit_holds_for_what_was_unpacked() -> None:
    exact = gzip.compress(b'"' + b"x" * 998 + b'"')
    assert await read_json(request([exact], content_encoding="GZIP"), limit=1_000) == "x" * 998
    over = gzip.compress(b'"' + b"x" * 999 + b'"')
    assert await problem([over], content_encoding="gzip") == (413, "BODY_TOO_LARGE")


@pytest.mark.anyio
async def test_a_bomb_is_refused_before_it_unfolds() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    for size in (len(bomb), 200):
        pieces = [bomb[i : i + size] for i in range(0, len(bomb), size)]
        tracemalloc.start()
        assert await problem(pieces, 20_000_000, content_encoding="gzip") == (413, "BODY_TOO_LARGE")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 250 * len(bomb)  # the ratio, twice while a buffer grows


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        b'{"not": "gzip"}',
        gzip.compress(b'{"a": 1}', mtime=0)[:-4],
        gzip.compress(b"[1", mtime=0) + gzip.compress(b"]", mtime=0),
        gzip.compress(b"[]", mtime=0) + b"more",
        zlib.compress(b"[]"),
        b"",
    ],
)
async def test_what_is_not_one_whole_gzip_stream_is_refused(body: bytes) -> None:
    assert await problem([body], content_encoding="gzip") == (400, "INVALID_GZIP")


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
async def test_other_encodings_are_refused(encoding: str) -> None:
    assert await problem([b"[]"], content_encoding=encoding) == (415, "UNSUPPORTED_ENCODING")


BAD = {
    "nothing": b"",
    "half a value": b'{"a":',
    "deep beyond every parser": b"[" * 100_000,
    "deep and whole": b"[" * 33 + b"]" * 33,
    "deep in objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "a deep branch beside shallow ones": b"[" + b"[1]," * 50 + b"[" * 32 + b"]" * 32 + b"]",
    "thousands of digits": b"9" * 5_000,
    "an integer above 64 bits": b"[18446744073709551616]",
    "an unsigned 64-bit integer": b'{"n": 9223372036854775808}',
    "an integer below 64 bits": b"[1.5, -9223372036854775809]",
    "not a number": b"[NaN]",
    "infinity": b"[1e999]",
    "a NUL": b'["a\\u0000b"]',
    "a NUL in a key": b'[{"a\\u0000": 1}]',
    "a raw control character": b'["\x00"]',
    "a lone surrogate": b'["\\ud800"]',
    "bad UTF-8": b'["\xff"]',
    "an encoded surrogate": b'["\xed\xa0\x80"]',
    "a byte order mark": b"\xef\xbb\xbf[]",
}


@pytest.mark.anyio
@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
async def test_bad_json_is_400(body: bytes) -> None:
    assert await problem([body], limit=200_000) == (400, "INVALID_JSON")


def test_what_only_looks_bad_is_read() -> None:
    assert parse_json(b'"a \\\\u0000 in words"') == "a \\u0000 in words"
    assert parse_json(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]
    assert parse_json(b"[1e300, -1.0e19, 18446744073709551616.0]") == [1e300, -1e19, 2.0**64]
    assert parse_json(b'["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]') == ["[" * 46]
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert parse_json('{"from": "text"}') == {"from": "text"}


def test_the_message_does_not_repeat_the_body() -> None:
    with pytest.raises(BodyProblem) as raised:
        parse_json(b'{"password": "hunter2" oops}')
    assert raised.value.message == "The body is not valid JSON (line 1, column 24)."
    assert raised.value.__cause__ is None


scalars = (
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**63), 2**63 - 1)
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
values = st.recursive(
    scalars | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=30
)


@given(values)
def test_every_fit_value_comes_through_unchanged(value: object) -> None:
    assert parse_json(json.dumps(value)) == value


@given(
    st.integers(min_value=2**63) | st.integers(max_value=-(2**63) - 1),
    st.sampled_from(["{}", "[1, {{}}]", '{{"a": {}}}']),
)
def test_no_integer_beyond_64_bits_comes_through(number: int, around: str) -> None:
    with pytest.raises(BodyProblem):
        parse_json(
            around.replace("{{}}", "{}").replace("{}", str(number)).replace("{{", "{").replace("}}", "}")
        )
