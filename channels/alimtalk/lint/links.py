"""Where buttons lead: AT019, AT020, AT021."""

from __future__ import annotations

import re
from collections.abc import Iterator

from channels.alimtalk.filling import fill_text
from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Button, Template

from .about import About
from .rules import find

_WEB = re.compile(r"https?://\S", re.IGNORECASE)
_HANDED = re.compile(r"[A-Za-z0-9_]{1,50}")
_TARGETS = ("link_mobile", "scheme_android", "scheme_ios")


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    for place in ("buttons", "quick_replies"):
        for index, button in enumerate(getattr(template, place)):
            yield from _button(button, (place, index), about)
    if template.link is not None:
        for name in ("mobile", "pc"):
            yield from _web("AT019", getattr(template.link, name), ("link", name), about)


def is_web(link: str) -> bool:
    """Whether it leads into the web; schemes are written in any case."""
    return _WEB.match(link) is not None


def _button(button: Button, path: tuple[str, int], about: About) -> Iterator[Finding]:
    if button.type == "WL":
        if not button.link_mobile.strip():
            yield find("AT019", "missing", *path, "link_mobile")
        for name in ("link_mobile", "link_pc"):
            yield from _web("AT019", getattr(button, name), (*path, name), about)
    elif button.type == "AL":
        found = sum(bool(getattr(button, name).strip()) for name in _TARGETS)
        if found < 2:
            yield find("AT020", "missing", *path, found=found)
        yield from _web("AT020", button.link_mobile, (*path, "link_mobile"), about)
    elif button.type in ("BC", "BT"):
        yield from _handed(button, path)


def _web(rule: str, link: str, path: tuple[str | int, ...], about: About) -> Iterator[Finding]:
    filled = fill_text(link, about.values)
    if not link.strip() or is_web(filled):
        return
    problem = "may_not_be_web" if filled.startswith("#{") else "not_web"
    yield find(rule, problem, *path, link=link[:80])


def _handed(button: Button, path: tuple[str, int]) -> Iterator[Finding]:
    for name in ("chat_extra", "chat_event"):
        text = getattr(button, name)
        if text and not _HANDED.fullmatch(text):
            yield find("AT021", "malformed", *path, name, found=text[:60])
