"""Whether a template that a relay tells of is one of ours, and under which code it is registered. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict
from hashlib import blake2b
from typing import Any

from channels.alimtalk.template import Template

_NOT_SAID = ("name", "category", "more", "image", "link", "is_secure")
"""What a relay may keep otherwise, or not tell of."""
LONGEST_KEY = 100


def is_same(one: Template, other: Template) -> bool:
    """Whether both say the same to their reader, apart from how line ends and margins are written."""
    return bool(_said(one) == _said(other))


def _said(template: Template) -> Any:
    data = {name: value for name, value in asdict(template).items() if name not in _NOT_SAID}
    if data["highlight"] is not None:
        data["highlight"].pop("image")
    return _plain(data)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return "\n".join(line.rstrip() for line in value.replace("\r\n", "\n").split("\n")).strip()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def code_for(key: str, number: int, longest: int) -> str:
    """The code under which a version is registered where the sender chooses it: of ASCII, and no longer."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "", key)
    ending = f"_{number}"
    room = longest - len(ending)
    if plain != key or len(plain) > room:
        # Two keys that look alike to the relay must not become one.
        digest = blake2b(key.encode(), digest_size=4).hexdigest()
        plain = f"{plain[: max(0, room - len(digest) - 1)]}-{digest}".lstrip("-")
    return f"{plain[:room]}{ending}"


def key_for(code: str, taken: Collection[str], connection: str) -> str:
    """The key of a template that is adopted from a relay: its code, so that steps that name it still do."""
    code = code[:LONGEST_KEY]
    if code not in taken:
        return code
    base = f"{code}@{connection}"[: LONGEST_KEY - 6]
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, 10_000))
    return next(name for name in names if name not in taken)
