"""The basis phrase (발송 근거 문구): why a message about a coupon or points is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from channels.alimtalk.findings import read_toml

from .rules import PACKAGE

BASIS: dict[str, Any] = read_toml(PACKAGE, "words_benefits")["basis"]
_PARTS = [re.compile(BASIS[name]) for name in ("notice", "benefit", "fate")]
_GROUNDS = {name: re.compile(pattern) for name, pattern in BASIS["grounds"].items()}
_MARK = "※"
_TOP = 2
"""How many lines are the top of a body: its first belongs to the company's name."""


class Place(Enum):
    TOP = auto()
    MIDDLE = auto()
    BOTTOM = auto()
    EXTRA = auto()


@dataclass(frozen=True, slots=True)
class Basis:
    """A basis phrase that was found."""

    grounds: tuple[str, ...]
    place: Place
    is_marked: bool
    """Whether it begins with ※."""


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    first: int
    last: int
    """The numbers of its lines, blank ones not counted."""


def look_for(body: str, extra: str) -> Basis | None:
    """The basis phrase of a message, the best placed if it has several."""
    found = [*_in(extra, is_extra=True), *_in(body, is_extra=False)]
    return min(found, key=lambda one: (one.place is Place.MIDDLE, not one.is_marked), default=None)


def _in(text: str, *, is_extra: bool) -> Iterator[Basis]:
    paragraphs = list(_paragraphs(text))
    for number, one in enumerate(paragraphs):
        grounds = tuple(name for name, pattern in _GROUNDS.items() if pattern.search(one.text))
        if grounds and all(part.search(one.text) for part in _PARTS):
            below = paragraphs[number + 1 :]
            place = Place.EXTRA if is_extra else _place(one, below)
            yield Basis(grounds, place, one.text.startswith(_MARK))


def _place(one: _Paragraph, below: list[_Paragraph]) -> Place:
    if one.first < _TOP:
        return Place.TOP
    # Other notes, each with its mark, may stand at the bottom beside it.
    is_bottom = all(other.text.startswith(_MARK) for other in below)
    return Place.BOTTOM if is_bottom else Place.MIDDLE


def _paragraphs(text: str) -> Iterator[_Paragraph]:
    """The lines of a text; one that begins with ※ goes on until the next such, or a blank one."""
    number, note = 0, None
    for line in (raw.strip() for raw in text.splitlines()):
        goes_on = note is not None and line and not line.startswith(_MARK)
        if note is not None and not goes_on:
            yield note
            note = None
        if not line:
            continue
        if note is not None:
            note = _Paragraph(f"{note.text} {line}", note.first, number)
        elif line.startswith(_MARK):
            note = _Paragraph(line, number, number)
        else:
            yield _Paragraph(line, number, number)
        number += 1
    if note is not None:
        yield note
