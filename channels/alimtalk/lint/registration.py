"""What a template is registered under: AT034, AT035."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import OTHER_CATEGORY, Template

from .about import About
from .lengths import Limited
from .rules import find

_CATEGORY = re.compile(r"[0-9]{6}")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    yield from _category(template.category, about)
    if about.code and limits.code:
        yield from Limited("AT035", ("code",), "code", about.code, limits.code).look_filled()
    if about.code and about.code in about.known_codes:
        yield find("AT035", "taken", "code", field="code", found=about.code[:40])
    if template.name and template.name in about.known_names:
        yield find("AT035", "taken", "name", field="name", found=template.name[:40])


def _category(category: str, about: About) -> Iterator[Finding]:
    if category == OTHER_CATEGORY:
        yield find("AT034", "other", "category")
    elif not _CATEGORY.fullmatch(category):
        yield find("AT034", "malformed", "category", found=category[:20])
    elif about.categories and category not in about.categories:
        yield find("AT034", "unknown", "category", found=category)
