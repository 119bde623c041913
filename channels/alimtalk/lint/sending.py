"""What holds of one recipient's message: AT026, AT027, AT028."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from channels.alimtalk.filling import texts_of, variables_in
from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Button, Template

from .about import About
from .items import amount
from .lengths import guess, units
from .links import is_web
from .rules import PACKAGE, find, quoted
from .texts import said

_AUTH: list[str] = read_toml(PACKAGE, "words_authentication")["words"]
_VARIABLE = re.compile(r"#\{[^{}]*\}")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    if about.is_auth:
        yield from _authentication(template)
    if about.is_first_time:
        yield from _growth_of_longest(template, limits, about)


def look_filled(
    template: Template,
    filled: Template,
    limits: Limits,
    about: About,
    values: Mapping[str, str] | None = None,
) -> Iterator[Finding]:
    yield from _same(template, filled)
    if filled.summary is not None:
        yield from amount(filled.summary.description)
    if about.is_auth:
        yield from _authentication(filled)
    if about.is_first_time and (grown := _growth(template, filled, values)) > limits.first_time_growth:
        yield find("AT027", "growth", length=grown, limit=limits.first_time_growth)
    yield from _links(filled)


def _same(template: Template, filled: Template) -> Iterator[Finding]:
    """Whether what is sent is what was approved, apart from the values of its variables."""
    if _named(template.buttons) != _named(filled.buttons):
        yield find("AT026", "buttons", "buttons")
        return
    if _named(template.quick_replies) != _named(filled.quick_replies):
        yield find("AT026", "buttons", "quick_replies")
        return
    before, after = list(texts_of(template)), list(texts_of(filled))
    if [path for path, _ in before] != [path for path, _ in after]:
        yield find("AT026", "shape")
        return
    for (path, pattern), (_, text) in zip(before, after, strict=True):
        if pattern != text and not _fits(text, _pieces(pattern)):
            yield find("AT026", "text", *path)
        elif "#{" in text and (names := variables_in(text)) and "#{" in pattern:
            yield find("AT026", "unfilled", *path, names=quoted(dict.fromkeys(names)))


def _named(buttons: tuple[Button, ...]) -> list[tuple[str, str]]:
    return [(one.type, one.name) for one in buttons]


@lru_cache(maxsize=2048)
def _pieces(pattern: str) -> tuple[str, ...]:
    return tuple(_VARIABLE.split(pattern))


def _fits(text: str, pieces: tuple[str, ...]) -> bool:
    """Whether the text is the pieces in their order, with anything in between."""
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return text == first
    end = len(text) - len(last)
    if not text.startswith(first) or not text.endswith(last) or end < len(first):
        return False
    at = len(first)
    for piece in pieces[1:-1]:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def _links(filled: Template) -> Iterator[Finding]:
    for place in ("buttons", "quick_replies"):
        for index, button in enumerate(getattr(filled, place)):
            link = button.link_mobile
            if button.type == "WL" and not is_web(link):
                yield find("AT019", "not_web", place, index, "link_mobile", link=link[:80])


def _authentication(template: Template) -> Iterator[Finding]:
    texts = " ".join(text for _, text in said(template)).lower()
    if not any(word in texts for word in _AUTH):
        yield find("AT028", "word", "body", known=", ".join(_AUTH))


def _growth(template: Template, filled: Template, values: Mapping[str, str] | None) -> int:
    """How much longer the values are than the variables that they fill: a short one makes up for no other.
    Where the values are not known, text by text, which finds less."""
    if values is None:
        pairs = zip(texts_of(template), texts_of(filled), strict=False)
        return sum(max(0, units(text) - units(pattern)) for (_, pattern), (_, text) in pairs)
    names = (name for _, text in texts_of(template) for name in variables_in(text))
    return sum(_grows(name, units(values[name])) for name in names if name in values)


def _growth_of_longest(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    names = [name for _, text in texts_of(template) for name in variables_in(text)]
    known = sum(_grows(name, units(about.values[name])) for name in names if name in about.values)
    most = known + sum(_grows(name, guess(name)) for name in names if name not in about.values)
    if known > limits.first_time_growth:
        yield find("AT027", "growth", length=known, limit=limits.first_time_growth)
    elif most > limits.first_time_growth:
        yield find("AT027", "may_grow", length=most, limit=limits.first_time_growth)


def _grows(name: str, length: int) -> int:
    return max(0, length - units(f"#{{{name}}}"))
