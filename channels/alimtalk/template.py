"""A template of an Alimtalk (알림톡): what KakaoTalk reviews, and what is filled for each recipient.

The records take what people write down, right or wrong: what is wrong with it is for `channels.alimtalk.lint`
to say. Texts may hold variables as `#{이름}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

OTHER_CATEGORY = "999999"
"""Of a template that names no category; such a one is reviewed last."""
MESSAGE_TYPES = ("BA", "EX", "AD", "MI")
"""Basic, with additional information, with the channel's button, with both."""
EMPHASES = ("NONE", "TEXT", "IMAGE", "ITEM_LIST")


@dataclass(frozen=True, slots=True)
class Link:
    """Where a tap on the bubble leads, by what it is tapped on."""

    mobile: str = ""
    pc: str = ""
    android: str = ""
    ios: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button, or a quick reply: WL web link, AL app link, DS delivery, BK bot keyword, MD message, BC
    consultation, BT bot, AC add channel, BF form, TN call, P1 to P3 plug-ins."""

    type: str
    name: str
    link_mobile: str = ""
    link_pc: str = ""
    scheme_android: str = ""
    scheme_ios: str = ""
    chat_extra: str = ""
    chat_event: str = ""
    target: str = ""
    phone: str = ""
    form_id: str = ""
    plugin_id: str = ""
    one_click_id: str = ""
    product_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an item list, or its summary."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as a relay keeps it. Size and kind are known once it was looked at; 0 and empty before."""

    name: str = ""
    url: str = ""
    width: int = 0
    height: int = 0
    size: int = 0
    """In bytes."""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Highlight:
    """The first thing of an item list, larger than the rest."""

    title: str
    description: str
    image: Image | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One version of a template, as it is reviewed; filled, it is what one recipient sees."""

    name: str = ""
    """Not shown to recipients."""
    body: str
    message_type: str = "BA"
    emphasis: str = "NONE"
    extra: str = ""
    """Additional information (부가정보), of EX and MI."""
    title: str = ""
    subtitle: str = ""
    header: str = ""
    highlight: Highlight | None = None
    items: tuple[Item, ...] = ()
    summary: Item | None = None
    image: Image | None = None
    link: Link | None = None
    """Where a tap on the bubble leads (대표 링크)."""
    buttons: tuple[Button, ...] = ()
    quick_replies: tuple[Button, ...] = ()
    category: str = OTHER_CATEGORY
    is_secure: bool = False
    """Its text shows on the main device only, e.g. one-time passwords."""
    more: dict[str, Any] = field(default_factory=dict)
    """What only the relay understands, as it told it."""
