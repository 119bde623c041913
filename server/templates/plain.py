"""Texts that only name values, as most messages do: `Hello {{ user.name }}`.

They are filled in here without the engine of the templates, which takes ten times as long for them. Whatever
is not quite so plain, in the template or in a value, is left to the engine; a law in the tests holds that
nobody can tell the difference.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from markupsafe import escape as escaped

_WORD = r"""[^'"\\{}%<>&\r\n]*"""
_PLACE = re.compile(
    r"\{\{\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    rf"""(?:\s*\|\s*default:\s*(?:'({_WORD})'|"({_WORD})"))?\s*\}}\}}""",
    re.ASCII,
)
"""A value by its name, perhaps with a word for whoever has none."""
_MARKS = ("{{", "}}", "{%", "%}", "\r")
"""What the engine reads something else in: tags, and line ends of other machines."""
_MEANT_OTHERWISE = frozenset(
    [
        "true",
        "false",
        "nil",
        "null",
        "none",
        "empty",
        "blank",
        "and",
        "or",
        "not",
        "contains",
        "in",
        "if",
        "unless",
        "else",
        "for",
        "now",
        "today",
        "size",
        "first",
        "last",
    ]
)
_MOST_PLACES = 500


class Plain(NamedTuple):
    """Texts and the places between them: one text more than places."""

    texts: list[str]
    places: list[list[str]]
    defaults: list[str | None]


@lru_cache(maxsize=256)
def read(source: str) -> Plain | None:
    """The template in parts; None if it is not plain."""
    parts = _PLACE.split(source)
    texts, names = parts[::4], parts[1::4]
    defaults = [one if other is None else other for one, other in zip(parts[2::4], parts[3::4], strict=True)]
    places = [name.split(".") for name in names]
    if len(places) > _MOST_PLACES or any(mark in text for text in texts for mark in _MARKS):
        return None
    if any(text.endswith("{") for text in texts[:-1]) or any(text.startswith("}") for text in texts[1:]):
        return None
    if any(segment in _MEANT_OTHERWISE for place in places for segment in place):
        return None
    return Plain(texts, places, defaults)


def fill(plain: Plain, variables: Mapping[str, object], *, escape: bool) -> str | None:
    """The text for these values; None if one of them is for the engine to write."""
    parts = [plain.texts[0]]
    # The three are equally long, as `read` made them.
    for place, default, text in zip(plain.places, plain.defaults, plain.texts[1:], strict=False):
        value: object = variables
        for segment in place:
            if type(value) is not dict and not isinstance(value, Mapping):
                return None
            value = value.get(segment, "")
        if default is not None and (value is None or value == ""):
            parts.append(default)
        elif type(value) is str:
            parts.append(str(escaped(value)) if escape else value)
        elif type(value) is int:
            parts.append(str(value))
        else:
            return None
        parts.append(text)
    return "".join(parts)
