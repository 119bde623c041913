"""Variables: AT016, AT032, AT038."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from channels.alimtalk.filling import texts_of, variables_in, variables_of
from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Template

from .about import About
from .lengths import units
from .rules import PACKAGE, find, quoted
from .texts import said

_VAGUE = frozenset(read_toml(PACKAGE, "words_variables")["vague"])
_NUMBERED = re.compile(r"[\s_-]*[0-9]*$")
_WELL_FORMED = re.compile(r"#\{[^{}]*\}")
_LEFT_OPEN = re.compile(r"#\{[^{}\n]{0,20}")
_LOOKALIKE = re.compile(
    r"\{\{[^{}\n]{1,40}\}\}|\$\{[^{}\n]{1,40}\}|%\{[^{}\n]{1,40}\}|#[\[(][^\])\n]{1,40}[\])]"
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200c\u200e\u200f\u2060-\u206f\u3164\ufeff\uffa0]"
)
_TRAILING = re.compile(r"[ \t\u3000\u00a0]+$")
_MOST_SHARE = 70
"""Of a hundred characters, how many may stand in variables."""


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    names = variables_of(template)
    yield from _count(names, limits, about)
    for path, text in texts_of(template):
        yield from _written(path, text)
        yield from _hidden(path, text)
    yield from _fixed_text(template)
    yield from _names(names, limits)
    yield from _spellings(names)


def _count(names: tuple[str, ...], limits: Limits, about: About) -> Iterator[Finding]:
    if len(names) > limits.variables:
        yield find("AT016", "too_many", found=len(names), limit=limits.variables)
    for name in names:
        if (length := units(about.values.get(name, ""))) > limits.variable_value:
            told: dict[str, Any] = {"length": length, "limit": limits.variable_value, "names": quoted([name])}
            yield find("AT016", "value", **told)


def _written(path: tuple[str | int, ...], text: str) -> Iterator[Finding]:
    """Whether each variable of a text is whole."""
    if any(not name.strip() for name in variables_in(text)):
        yield find("AT016", "empty", *path)
    rest = _WELL_FORMED.sub("", text)
    if found := _LEFT_OPEN.search(rest):
        yield find("AT016", "malformed", *path, found=found[0])
    if found := _LOOKALIKE.search(rest):
        yield find("AT016", "lookalike", *path, found=found[0])


def _hidden(path: tuple[str | int, ...], text: str) -> Iterator[Finding]:
    """What nobody sees, and a comparison letter by letter does."""
    if "\r" in text:
        yield find("AT038", "carriage_return", *path)
    if found := _INVISIBLE.search(text):
        yield find("AT038", "invisible", *path, found=f"U+{ord(found[0]):04X}")
    for number, line in enumerate(text.replace("\r", "").split("\n"), 1):
        if _TRAILING.search(line):
            yield find("AT038", "trailing", *path, line=number)
            return


def _fixed_text(template: Template) -> Iterator[Finding]:
    texts = [text for path, text in said(template) if path[0] not in ("buttons", "quick_replies")]
    variables = sum(len(found) for text in texts for found in _WELL_FORMED.findall(text))
    fixed = sum(_letters(_WELL_FORMED.sub("", text)) for text in texts)
    if not variables:
        return
    share = 100 * variables // (variables + fixed)
    if not fixed:
        yield find("AT032", "only", "body")
    elif share > _MOST_SHARE:
        yield find("AT032", "mostly", "body", share=share)


def _letters(text: str) -> int:
    return sum(character.isalnum() for character in text)


def _names(names: tuple[str, ...], limits: Limits) -> Iterator[Finding]:
    for name in names:
        if limits.no_dot_in_names and "." in name:
            yield find("AT016", "dot", found=f"#{{{name}}}")
        if "@" in name:
            yield find("AT016", "at_sign", found=f"#{{{name}}}")
        if name.strip() and name != name.strip():
            yield find("AT038", "spaces", names=quoted([name]))
    if vague := [name for name in names if _is_vague(name)]:
        yield find("AT032", "vague", names=quoted(vague))


def _is_vague(name: str) -> bool:
    bare = _NUMBERED.sub("", name.strip()).lower()
    return bool(name.strip()) and (bare in _VAGUE or len(bare) == 0 or (len(bare) == 1 and bare.isascii()))


def _spellings(names: tuple[str, ...]) -> Iterator[Finding]:
    alike: dict[str, list[str]] = defaultdict(list)
    for name in names:
        alike["".join(unicodedata.normalize("NFKC", name).casefold().split()).replace("_", "")].append(name)
    for same in alike.values():
        if len(same) > 1:
            yield find("AT038", "spelling", names=quoted(same))
