"""The item list: AT010 to AT013."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from channels.alimtalk.filling import fill_text, variables_in
from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Template

from .about import About
from .rules import find, quoted

_VARIABLE = re.compile(r"#\{[^{}]*\}")
_CURRENCY = re.compile(r"[A-Z]{3}|원|달러|유로|위안|엔")
_DECIMALS = re.compile(r"\.[0-9]{3,}")
_PLAIN = frozenset("0123456789,. ")
_PARTS = ("header", "highlight", "items", "summary")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    yield from _whole(template)
    yield from _items(template, limits)
    yield from _summary(template)
    if (summary := template.summary) is not None:
        yield from amount(fill_text(summary.description, about.values))
    if (highlight := template.highlight) is not None:
        for name in ("title", "description"):
            if not getattr(highlight, name).strip():
                yield find("AT013", "empty", "highlight", name, field=f"highlight_{name}")


def amount(text: str) -> Iterator[Finding]:
    """Whether this can be the amount of a summary; variables may be anything."""
    rest = _CURRENCY.sub("", _VARIABLE.sub("", text))
    odd = dict.fromkeys(one for one in rest if one not in _PLAIN and unicodedata.category(one) != "Sc")
    if odd:
        yield find("AT012", "amount", "summary", "description", found="".join(odd)[:14])
    if _DECIMALS.search(text):
        yield find("AT012", "decimals", "summary", "description")


def _whole(template: Template) -> Iterator[Finding]:
    given = [name for name in _PARTS if getattr(template, name)]
    if template.emphasis == "ITEM_LIST":
        if not any(name != "summary" for name in given) and template.image is None:
            yield find("AT010", "missing", "items")
        if template.is_secure:
            yield find("AT010", "secure", "is_secure")
    else:
        for name in given:
            yield find("AT010", "unused", name, field=name, emphasis=template.emphasis[:20])


def _items(template: Template, limits: Limits) -> Iterator[Finding]:
    count = len(template.items)
    if count and not limits.items_least <= count <= limits.items_most:
        told: dict[str, Any] = {"found": count, "least": limits.items_least, "most": limits.items_most}
        yield find("AT011", "count", "items", **told)
    for index, item in enumerate(template.items):
        if names := variables_in(item.title):
            yield find(
                "AT011", "no_variable", "items", index, "title", field="item_title", names=quoted(names)
            )
        for name in ("title", "description"):
            if not getattr(item, name).strip():
                yield find("AT011", "empty", "items", index, name, field=f"item_{name}")


def _summary(template: Template) -> Iterator[Finding]:
    summary = template.summary
    if summary is None:
        return
    if not template.items:
        yield find("AT012", "alone", "summary")
    if names := variables_in(summary.title):
        yield find("AT012", "no_variable", "summary", "title", field="summary_title", names=quoted(names))
    for name in ("title", "description"):
        if not getattr(summary, name).strip():
            yield find("AT012", "empty", "summary", name, field=f"summary_{name}")
