"""Message type, emphasis, and what belongs to which: AT001, AT002, AT005."""

from __future__ import annotations

from collections.abc import Iterator

from channels.alimtalk.findings import Finding
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import EMPHASES, MESSAGE_TYPES, Template

from .about import About
from .rules import find

BUTTONS = ("WL", "AL", "DS", "BK", "MD", "BC", "BT", "AC", "BF", "TN", "P1", "P2", "P3")
QUICK_REPLIES = ("WL", "AL", "BK", "BC", "BT", "BF")
_WITH_EXTRA = {"BA": "EX", "AD": "MI"}
_WITHOUT_EXTRA = {"EX": "BA", "MI": "AD"}


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    yield from _known(template)
    yield from _extra(template)
    yield from _titles(template)


def _known(template: Template) -> Iterator[Finding]:
    if template.message_type not in MESSAGE_TYPES:
        yield find("AT001", "message_type", "message_type", found=template.message_type[:20])
    if template.emphasis not in EMPHASES:
        yield find("AT001", "emphasis", "emphasis", found=template.emphasis[:20])
    for index, button in enumerate(template.buttons):
        if button.type not in BUTTONS:
            known = ", ".join(BUTTONS)
            yield find("AT001", "button", "buttons", index, "type", found=button.type[:20], known=known)
    for index, button in enumerate(template.quick_replies):
        if button.type not in QUICK_REPLIES:
            known = ", ".join(QUICK_REPLIES)
            yield find("AT001", "reply", "quick_replies", index, "type", found=button.type[:20], known=known)


def _extra(template: Template) -> Iterator[Finding]:
    kind = template.message_type
    if kind in _WITHOUT_EXTRA and not template.extra.strip():
        yield find("AT002", "missing", "extra", type=kind, other=_WITHOUT_EXTRA[kind])
    if kind in _WITH_EXTRA and template.extra:
        yield find("AT002", "unwanted", "extra", type=kind, other=_WITH_EXTRA[kind])


def _titles(template: Template) -> Iterator[Finding]:
    for name in ("title", "subtitle"):
        text = getattr(template, name)
        if template.emphasis == "TEXT" and not text.strip():
            yield find("AT005", "missing", name, field=name)
        elif template.emphasis == "NONE" and text:
            yield find("AT005", "unwanted", name, field=name)
        elif template.emphasis in ("IMAGE", "ITEM_LIST") and text:
            yield find("AT005", "unused", name, field=name, emphasis=template.emphasis)
