"""The text message that stands in: AT036."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.alimtalk.filling import fill_text, variables_in
from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Template
from channels.korean_text import LONG_BYTES, SMS_BYTES, TITLE_BYTES, euc_kr_bytes, outside_euc_kr

from .about import About
from .advertising import MARK
from .lengths import guess
from .rules import find

_LIQUID = re.compile(r"\{\{(.*?)\}\}|\{%.*?%\}", re.DOTALL)


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    if about.fallback:
        yield from look_text(_longest(about.fallback, about), _longest(about.fallback_title, about))


def look_text(text: str, title: str = "") -> Iterator[Finding]:
    """What is wrong with a text message that stands in, once it is filled."""
    for field, one, most in (("fallback", text, LONG_BYTES), ("fallback_title", title, TITLE_BYTES)):
        if odd := outside_euc_kr(one):
            yield find("AT036", "characters", field, field=field, found=_shown(odd))
        if (length := euc_kr_bytes(one)) > most:
            yield find("AT036", "too_long", field, field=field, length=length, limit=most)
    if SMS_BYTES < (length := euc_kr_bytes(text)) <= LONG_BYTES:
        yield find("AT036", "long_message", "fallback", length=length, limit=SMS_BYTES)
    if found := MARK.search(text) or MARK.search(title):
        yield find("AT036", "advertising", "fallback", found=found[0])


def _longest(text: str, about: About) -> str:
    """With the values that are known, and as much Hangul as is to be expected of the others."""
    guessed = {name: "가" * guess(name) for name in variables_in(text)}
    filled = fill_text(text, {**guessed, **about.values})
    return _LIQUID.sub(lambda found: "가" * guess(found[1] or "") if found[1] else "", filled)


def _shown(characters: tuple[str, ...]) -> str:
    shown = (one if one.isprintable() else f"U+{ord(one):04X}" for one in characters[:10])
    return " ".join(shown)
