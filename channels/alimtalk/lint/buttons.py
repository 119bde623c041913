"""Buttons and quick replies: AT004, AT017, AT018, AT022, AT023, AT024."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from channels.alimtalk.filling import variables_in
from channels.alimtalk.findings import Finding, read_toml
from channels.alimtalk.limits import Limits
from channels.alimtalk.template import Button, Template

from .about import About
from .rules import PACKAGE, find, quoted

ADD_CHANNEL = "채널 추가"
_FORMS = ("톡에서 예약하기", "톡에서 설문하기", "톡에서 응모하기")
_CALLS = ("전화 연결", "고객센터 연결", "상담원 연결")
_PHONE = re.compile(r"[0-9-]{1,14}")
_WITH_CHANNEL = {"BA": "AD", "EX": "MI"}
_EVENTS = read_toml(PACKAGE, "words_advertising")["events"]
_IS_EVENT = re.compile("|".join(_EVENTS["names"]))
_SAYS_WHERE = re.compile(_EVENTS["said"], re.DOTALL)
_CARRIERS = read_toml(PACKAGE, "words_carriers")
_INVOICE = re.compile(_CARRIERS["invoice"])


def look(template: Template, limits: Limits, about: About) -> Iterator[Finding]:
    yield from _channel(template)
    yield from _count(template, limits)
    for place, field in (("buttons", "button_name"), ("quick_replies", "reply_name")):
        for index, button in enumerate(getattr(template, place)):
            yield from _name(button, (place, index, "name"), field)
            yield from _form(button, place, index, template)
            yield from _call(button, place, index)
    if any(one.type == "DS" for one in template.buttons):
        yield from _delivery(template.body)
    yield from _events(template)


def _channel(template: Template) -> Iterator[Finding]:
    kind = template.message_type
    places = [index for index, one in enumerate(template.buttons) if one.type == "AC"]
    if kind in _WITH_CHANNEL:
        for index in places:
            yield find("AT004", "unwanted", "buttons", index, type=kind, other=_WITH_CHANNEL[kind])
        return
    if kind in ("AD", "MI") and not places:
        yield find("AT004", "missing", "buttons", type=kind)
    for number, index in enumerate(places):
        name = template.buttons[index].name
        if number:
            yield find("AT004", "twice", "buttons", index)
        elif index:
            yield find("AT004", "place", "buttons", index, found=index + 1)
        if name != ADD_CHANNEL:
            yield find("AT004", "name", "buttons", index, "name", found=name[:20])


def _count(template: Template, limits: Limits) -> Iterator[Finding]:
    buttons, replies = len(template.buttons), len(template.quick_replies)
    if buttons > limits.buttons:
        over: dict[str, Any] = {"limit": limits.buttons, "over": buttons - limits.buttons}
        yield find("AT017", "buttons", "buttons", found=buttons, **over)
    elif replies and buttons > limits.buttons_with_replies:
        yield find("AT017", "beside", "buttons", found=buttons, limit=limits.buttons_with_replies)
    if replies > limits.quick_replies:
        over = {"limit": limits.quick_replies, "over": replies - limits.quick_replies}
        yield find("AT017", "replies", "quick_replies", found=replies, **over)
    elif replies > limits.quick_replies_often:
        over = {"limit": limits.quick_replies_often, "over": replies - limits.quick_replies_often}
        yield find("AT017", "often", "quick_replies", found=replies, **over)


def _name(button: Button, path: tuple[str | int, ...], field: str) -> Iterator[Finding]:
    if not button.name.strip():
        yield find("AT018", "empty", *path, field=field)
    if names := variables_in(button.name):
        yield find("AT018", "no_variable", *path, field=field, names=quoted(names))


def _form(button: Button, place: str, index: int, template: Template) -> Iterator[Finding]:
    if button.type != "BF":
        return
    if button.name not in _FORMS:
        told: dict[str, Any] = {"type": "BF", "found": button.name[:20], "known": ", ".join(_FORMS)}
        yield find("AT022", "name", place, index, "name", **told)
    above = template.buttons[:index] if place == "buttons" else template.quick_replies[:index]
    if any(one.type not in ("AC", "BF") for one in above):
        yield find("AT022", "place", place, index, found=index + 1)
    if not button.form_id.strip():
        yield find("AT022", "form", place, index, "form_id")


def _call(button: Button, place: str, index: int) -> Iterator[Finding]:
    if button.type != "TN":
        return
    if button.name not in _CALLS:
        told: dict[str, Any] = {"type": "TN", "found": button.name[:20], "known": ", ".join(_CALLS)}
        yield find("AT022", "name", place, index, "name", **told)
    if not _PHONE.fullmatch(button.phone):
        yield find("AT022", "phone", place, index, "phone", found=button.phone[:20])


def _delivery(body: str) -> Iterator[Finding]:
    names = " ".join(variables_in(body)).lower()
    if unsupported := [one for one in _CARRIERS["unsupported"] if one in body]:
        yield find("AT023", "unsupported", "body", found=unsupported[0])
    by_name = any(one in names for one in _CARRIERS["carrier_variables"])
    if not by_name and not any(one in body for one in _CARRIERS["names"]):
        yield find("AT023", "carrier", "body")
    by_name = any(one in names for one in _CARRIERS["invoice_variables"])
    if not by_name and not _INVOICE.search(body):
        yield find("AT023", "invoice", "body")


def _events(template: Template) -> Iterator[Finding]:
    for index, button in enumerate(template.buttons):
        if _IS_EVENT.search(button.name) and not _SAYS_WHERE.search(template.extra):
            yield find("AT024", "unsaid", "buttons", index, found=button.name[:20])
