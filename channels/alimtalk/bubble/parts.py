"""A filled template as the parts of its bubble, in the order in which people see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ..filling import variables_of
from ..template import Button, Highlight, Link, Template

AD_NOTICE = "채널 추가하고 이 채널의 마케팅 메시지 등을 카카오톡으로 받기"
"""KakaoTalk adds it to what invites to the channel (AD, MI); nobody may write it anew."""
_CUT = "…"


class PartKind(StrEnum):
    IMAGE = "image"
    HEADER = "header"
    SUBTITLE = "subtitle"
    TITLE = "title"
    HIGHLIGHT = "highlight"
    ITEM = "item"
    SUMMARY = "summary"
    BODY = "body"
    EXTRA = "extra"
    AD_NOTICE = "ad_notice"


_LONGEST_SHOWN = {PartKind.TITLE: (23, 27), PartKind.SUBTITLE: (18, 21)}
"""In characters, on Android and on iOS: of longer ones the end is cut off."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a part shows on either system."""

    android: str
    ios: str


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bubble. Of items and highlights `text` is the title; of pictures the address is `url`."""

    kind: PartKind
    text: str = ""
    description: str = ""
    url: str = ""

    @property
    def shown(self) -> Shown:
        """The text as it is on either system, cut where that cuts."""
        android, ios = _LONGEST_SHOWN.get(self.kind, (len(self.text), len(self.text)))
        return Shown(_cut(self.text, android), _cut(self.text, ios))

    @property
    def is_cut(self) -> bool:
        return self.shown != Shown(self.text, self.text)


@dataclass(frozen=True, slots=True)
class Tap:
    """A button or a quick reply, and where it leads."""

    type: str
    name: str
    link: Link
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Bubble:
    """What a recipient sees."""

    sender: str
    """The name of the channel."""
    parts: tuple[Part, ...]
    buttons: tuple[Tap, ...] = ()
    quick_replies: tuple[Tap, ...] = ()
    link: Link | None = None
    """Where a tap on the bubble itself leads."""
    is_secure: bool = False
    unfilled: tuple[str, ...] = ()
    """Variables that have no value yet."""


def bubble_of(template: Template, sender: str = "") -> Bubble:
    """The bubble of a template, filled or not; whatever is wrong with it is drawn as well as can be."""
    return Bubble(
        sender=sender,
        parts=tuple(_parts(template)),
        buttons=tuple(_tap(one) for one in template.buttons),
        quick_replies=tuple(_tap(one) for one in template.quick_replies),
        link=template.link,
        is_secure=template.is_secure,
        unfilled=variables_of(template),
    )


def _parts(template: Template) -> Iterator[Part]:
    if template.emphasis == "IMAGE" and template.image is not None:
        yield Part(PartKind.IMAGE, template.image.name, url=template.image.url)
    if template.emphasis == "TEXT":
        yield from _texts((PartKind.SUBTITLE, template.subtitle), (PartKind.TITLE, template.title))
    if template.emphasis == "ITEM_LIST":
        yield from _list(template)
    yield from _texts((PartKind.BODY, template.body))
    if template.message_type in ("EX", "MI"):
        yield from _texts((PartKind.EXTRA, template.extra))
    if template.message_type in ("AD", "MI"):
        yield Part(PartKind.AD_NOTICE, AD_NOTICE)


def _list(template: Template) -> Iterator[Part]:
    if template.image is not None and template.image.url:
        yield Part(PartKind.IMAGE, template.image.name, url=template.image.url)
    yield from _texts((PartKind.HEADER, template.header))
    if template.highlight is not None:
        yield _highlight(template.highlight)
    for item in template.items:
        yield Part(PartKind.ITEM, item.title, item.description)
    if template.summary is not None:
        yield Part(PartKind.SUMMARY, template.summary.title, template.summary.description)


def _highlight(highlight: Highlight) -> Part:
    url = highlight.image.url if highlight.image else ""
    return Part(PartKind.HIGHLIGHT, highlight.title, highlight.description, url)


def _texts(*found: tuple[PartKind, str]) -> Iterator[Part]:
    for kind, text in found:
        if text:
            yield Part(kind, text)


def _tap(button: Button) -> Tap:
    link = Link(button.link_mobile, button.link_pc, button.scheme_android, button.scheme_ios)
    return Tap(button.type, button.name, link, button.phone)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[:longest] + _CUT
