"""The texts of a message: AT003, AT006, AT007, AT014, AT015, AT025, AT033, and every length."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.alimtalk.filling import texts_of, variables_in, variables_of
from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import SHOWN, Limits
from channels.alimtalk.template import Button, Template

from .about import About
from .lengths import measure, units
from .limited import body_limit, body_often, limited
from .rules import PACKAGE, find, quoted

_EMOTICONS = frozenset(read_toml(PACKAGE, "words_emoticons")["names"])
_IN_PARENTHESES = re.compile(r"\(([^()\s]{1,8})\)")
_PHONES = {"android": "Android", "ios": "iOS"}
_NOT_WORDS = frozenset({"image", "link", *Button.__dataclass_fields__}) - {"name"}
"""What is in the path of a text that nobody reads."""


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    for one in limited(template, limits):
        yield from one.look(about.values)
    yield from _fixed(template)
    yield from _often(template, limits, about)
    yield from _cut(template, about)
    yield from _marks(template)
    yield from _emoticons(template)


def look_filled(template: Template, limits: Limits) -> Iterator[Finding]:
    """The lengths of one recipient's message."""
    for one in limited(template, limits):
        yield from one.look_filled()


def said(template: Template) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The texts that a recipient reads, with their paths: no addresses."""
    for path, text in texts_of(template):
        if text and not _NOT_WORDS & {*path}:
            yield path, text


def _fixed(template: Template) -> Iterator[Finding]:
    for rule, name in (("AT003", "extra"), ("AT006", "subtitle")):
        if names := variables_in(getattr(template, name)):
            yield find(rule, "no_variable", name, field=name, names=quoted(names))
    if not template.body.strip():
        yield find("AT015", "empty", "body", field="body")


def _often(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    extra = units(template.extra)
    if limits.extra_often < extra <= limits.extra:
        yield find("AT003", "often", "extra", length=extra, limit=limits.extra_often)
    body, often = measure(template.body, about.values), body_often(template, limits)
    if often < body.most <= body_limit(template, limits):
        yield find("AT015", "often", "body", length=body.most, limit=often)
    if guessed := [name for name in variables_of(template) if name not in about.values]:
        yield find("AT015", "guessed", names=quoted(guessed[:10]))


def _cut(template: Template, about: About) -> Iterator[Finding]:
    if template.emphasis != "TEXT":
        return
    for place, name in enumerate(("title", "subtitle")):
        length = measure(getattr(template, name), about.values).most
        phones = [_PHONES[phone] for phone, shown in SHOWN.items() if length > shown[place]]
        if phones:
            least = min(shown[place] for shown in SHOWN.values())
            told = {"length": length, "phones": ", ".join(phones), "limit": least}
            yield find("AT007", "cut", name, field=name, **told)


def _marks(template: Template) -> Iterator[Finding]:
    if template.title.endswith("\\s"):
        yield find("AT025", "mark", "title", field="title")
    if template.highlight is not None and template.highlight.title.endswith("\\s"):
        yield find("AT025", "mark", "highlight", "title", field="highlight_title")


def _emoticons(template: Template) -> Iterator[Finding]:
    for path, text in said(template):
        for word in dict.fromkeys(_IN_PARENTHESES.findall(text)):
            if word in _EMOTICONS:
                yield find("AT033", "emoticon", *path, found=f"({word})")
