"""Payloads as they ought not to be: cut off, in another order, with more or other things in them."""

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

_CUTS = 60
_LONGEST_WALK = 150
_ODD: tuple[Any, ...] = ("never-seen-before", None, 5, -1e300, True, [], {}, "", "\0é한" * 10)


def mutations(body: bytes) -> Iterator[tuple[str, bytes, bool]]:
    """Each with what was done to it, and whether it still says the same."""
    for n in range(_CUTS):
        at = n * len(body) // _CUTS
        yield f"cut off after {at} bytes", body[:at], False
    payload = _json(body)
    if isinstance(payload, dict | list):
        yield from _of_json(payload)
    elif payload is None and b"=" in body and b"\n" not in body:
        yield from _of_form(body.decode("utf-8", "replace"))


def repeated(body: bytes, times: int) -> bytes | None:
    """A payload that is a list, with its items again and again; None if it is something else."""
    payload = _json(body)
    if not isinstance(payload, list) or not payload:
        return None
    return _bytes((payload * times)[:times] if len(payload) <= times else payload)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _bytes(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _of_json(payload: dict[str, Any] | list[Any]) -> Iterator[tuple[str, bytes, bool]]:
    yield "with unknown fields added", _bytes(_with_more(payload)), True
    if isinstance(payload, list) and len(payload) > 1:
        shuffled = random.Random(1).sample(payload, len(payload))
        yield "with its items in another order", _bytes(shuffled), True
        yield "with its items backwards", _bytes(payload[::-1]), True
    for path in list(_leaves(payload))[:_LONGEST_WALK]:
        for odd in _ODD:
            where = ".".join(map(str, path))
            yield f"whose {where} is {odd!r:.30}", _bytes(_with(payload, path, odd)), False
        yield f"without {'.'.join(map(str, path))}", _bytes(_without(payload, path)), False


def _with_more(payload: Any) -> Any:
    if isinstance(payload, list):
        return [_with_more(item) for item in payload]
    return {**payload, "zzUnknown": {"a": [1, None]}} if isinstance(payload, dict) else payload


def _leaves(payload: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    inside = payload.items() if isinstance(payload, dict) else enumerate(payload)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _leaves(value, (*path, key))


def _with(payload: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(payload) if isinstance(payload, dict) else list(payload)
    copy[path[0]] = _with(payload[path[0]], path[1:], value)
    return copy


def _without(payload: Any, path: tuple[str | int, ...]) -> Any:
    copy: Any = dict(payload) if isinstance(payload, dict) else list(payload)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = _without(payload[path[0]], path[1:])
    return copy


def _of_form(body: str) -> Iterator[tuple[str, bytes, bool]]:
    fields = parse_qsl(body, keep_blank_values=True)
    yield "with unknown fields added", urlencode([*fields, ("ZzUnknown", "1")]).encode(), True
    for at, (name, _) in enumerate(fields):
        yield f"without {name}", urlencode(fields[:at] + fields[at + 1 :]).encode(), False
        for odd in ("never-seen-before", "", "5", "\0é한" * 10):
            changed = [*fields[:at], (name, odd), *fields[at + 1 :]]
            yield f"whose {name} is {odd!r:.30}", urlencode(changed).encode(), False
