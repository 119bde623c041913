"""Whether a template that a relay tells of is one of ours, and under which code it is registered. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict
from enum import IntEnum
from hashlib import blake2b
from typing import Any

from channels.alimtalk.template import OTHER_CATEGORY, Image, Link, Template

_NOT_SAID = ("name", "category", "more", "image", "link", "is_secure")
"""What goes beside the text: relays tell of it, or do not."""
_OF_BUTTONS = ("chat_extra", "chat_event", "target", "one_click_id", "product_id")
"""What may go with a button at its sending alone."""
LONGEST_KEY = 100


class Likeness(IntEnum):
    """How like a version of ours is to what a relay tells; the more the higher."""

    OTHER = 0
    ALIKE = 1
    """The same text, with something else beside it: a picture, a link, a category."""
    UNTOLD = 2
    """The same as far as it is told: of what we have beside the text the relay tells nothing."""
    SAME = 3


def likeness(told: Template, ours: Template, not_told: Collection[str] = ()) -> Likeness:
    """How like they are; `not_told` are the fields that this relay neither keeps nor tells of."""
    if not is_same(told, ours):
        return Likeness.OTHER
    theirs, mine = _beside(told), _beside(ours)
    names = [name for name in theirs if name.rpartition(".")[2] not in not_told]
    pictures = [_like_picture(told.image, ours.image)]
    if told.highlight is not None and ours.highlight is not None:
        pictures.append(_like_picture(told.highlight.image, ours.highlight.image))
    return min([*pictures, *(_like(theirs[name], mine[name]) for name in names)])


def _beside(template: Template) -> dict[str, Any]:
    """What goes beside the text, flat; what is empty says nothing."""
    said: dict[str, Any] = {"name": _plain(template.name), "is_secure": template.is_secure}
    said["category"] = "" if template.category == OTHER_CATEGORY else template.category
    said |= {f"link.{name}": _plain(value) for name, value in asdict(template.link or Link()).items()}
    for kind, buttons in (("buttons", template.buttons), ("quick_replies", template.quick_replies)):
        for place, button in enumerate(buttons):
            said |= {f"{kind}.{place}.{name}": getattr(button, name) for name in _OF_BUTTONS}
    return said


def _like(told: Any, ours: Any) -> Likeness:
    if told == ours:
        return Likeness.SAME
    return Likeness.ALIKE if told else Likeness.UNTOLD


def _like_picture(told: Image | None, ours: Image | None) -> Likeness:
    """By its address, or where only one side has it by its name."""
    if told is None:
        return Likeness.SAME if ours is None else Likeness.UNTOLD
    if ours is None:
        return Likeness.ALIKE
    if told.url and ours.url:
        return _like(told.url, ours.url)
    return _like(told.name, ours.name) if told.name and ours.name else Likeness.UNTOLD


def is_same(one: Template, other: Template) -> bool:
    """Whether both say the same to their reader, apart from how line ends and margins are written."""
    return bool(_said(one) == _said(other))


def _said(template: Template) -> Any:
    data = {name: value for name, value in asdict(template).items() if name not in _NOT_SAID}
    if data["highlight"] is not None:
        data["highlight"].pop("image")
    for button in (*data["buttons"], *data["quick_replies"]):
        for name in _OF_BUTTONS:
            button.pop(name)
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
