"""Advertising: AT029."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Template

from .about import About
from .rules import PACKAGE, find
from .texts import said

_WORDS = read_toml(PACKAGE, "words_advertising")
MARK = re.compile(_WORDS["mark"])
_KINDS = [
    (one["en"], one["ko"], re.compile("|".join(one["patterns"]), re.IGNORECASE), one.get("except_for", ()))
    for one in _WORDS["kinds"]
]
_VARIABLE = re.compile(r"#\{[^{}]*\}")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    for path, text in said(template):
        # The name of a variable is not read by anybody.
        fixed = _VARIABLE.sub(" ", text)
        if found := MARK.search(fixed):
            yield find("AT029", "mark", *path, found=found[0])
        for en, ko, pattern, except_for in _KINDS:
            found = pattern.search(fixed)
            if found and about.declaration not in except_for:
                yield find("AT029", "word", *path, found=found[0], kind_en=en, kind_ko=ko)
