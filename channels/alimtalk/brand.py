"""What a Brand Message (브랜드 메시지) may hold, and when and to whom it may be sent: data, for each relay.

A Brand Message is always an advertisement. KakaoTalk prints "(광고)" and the way to refuse it by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol, runtime_checkable

_MINUTE = 60_000
_DAY = 24 * 60
_KOREA = 9 * 60
"""Minutes that a Korean clock is ahead of UTC; it never changes."""
CHANNEL_BUTTON = "채널 추가"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """What one type of message may hold. Lengths are in characters; 0 where there is no such text."""

    text: int = 0
    breaks: int = 0
    """Ends of lines within the text."""
    header: int = 0
    additional: int = 0
    buttons: tuple[int, int] = (0, 2)
    """At least, at most."""
    buttons_with_coupon: int = 2
    button_name: int = 8
    coupon_text: int = 12
    channel_button_first: bool = False
    """Where the button that adds the channel stands; else it is the last."""
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("buttons", "coupon")
    """What it may have besides what it needs."""
    items: tuple[int, int] = (0, 0)
    cards: tuple[int, int] = (0, 0)
    cards_with_head: tuple[int, int] = (0, 0)


_LETTER = Bubble(text=1300, breaks=99, buttons=(0, 5), buttons_with_coupon=4, button_name=14)
BUBBLES: Mapping[str, Bubble] = MappingProxyType(
    {
        "TEXT": replace(_LETTER, needs=("text",), channel_button_first=True),
        "IMAGE": replace(
            _LETTER,
            needs=("text", "image"),
            takes=("image_link", "buttons", "coupon"),
            channel_button_first=True,
        ),
        "WIDE": Bubble(
            text=76,
            breaks=1,
            coupon_text=18,
            needs=("text", "image"),
            takes=("image_link", "buttons", "coupon"),
        ),
        "WIDE_ITEM_LIST": Bubble(header=20, coupon_text=18, needs=("header", "items"), items=(3, 4)),
        "COMMERCE": Bubble(
            additional=34,
            buttons=(1, 2),
            needs=("image", "commerce", "buttons"),
            takes=("image_link", "additional", "coupon"),
        ),
        "CAROUSEL_FEED": Bubble(
            header=20, text=180, buttons=(1, 2), needs=("carousel",), takes=(), cards=(2, 6)
        ),
        "CAROUSEL_COMMERCE": Bubble(
            additional=34,
            buttons=(1, 2),
            needs=("carousel",),
            takes=(),
            cards=(2, 6),
            cards_with_head=(1, 5),
        ),
    }
)
"""KakaoTalk's own limits. Of a carousel they hold for each of its cards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandCan:
    """What one relay takes."""

    opens: int = 8 * 60
    """Minutes after midnight, in Korea."""
    closes: int = 20 * 60 + 50
    bubbles: Mapping[str, Bubble] = field(default_factory=lambda: BUBBLES)
    targeting: tuple[str, ...] = ("I", "M", "N")
    """I: the channel's friends. M: who has agreed to advertisements. N: those of M who are no friends."""
    granted: tuple[str, ...] = ("M", "N")
    """Those that KakaoTalk has to grant to the channel before."""
    buttons: tuple[str, ...] = ("WL", "AL", "BK", "MD", "AC", "BT", "BF")
    """Types of buttons in a message that is written out."""
    card_buttons: tuple[str, ...] = ()
    """In products and carousels; the same if empty."""
    link: int = 1000
    takes_addresses: bool = True
    """Whether a picture may be an address that it is fetched from; else it is the relay's own id alone."""

    def opens_at(self, now: int) -> int | None:
        """When sending is next allowed, in milliseconds since the epoch; None while it is."""
        minute = (now // _MINUTE + _KOREA) % _DAY
        if self.opens <= minute < self.closes:
            return None
        wait = (self.opens - minute) % _DAY
        return (now // _MINUTE + wait) * _MINUTE


@runtime_checkable
class WithBrand(Protocol):
    """The side of a channel that sends Brand Messages."""

    brand_can: BrandCan


_SHORT_IMAGE = replace(BUBBLES["IMAGE"], text=400, breaks=29)
SOLAPI_BRAND = BrandCan(
    closes=20 * 60, buttons=("WL", "AL", "BK", "MD", "BC", "BT", "AC", "BF"), card_buttons=("WL", "AL")
)
NHN_BRAND = BrandCan(bubbles=MappingProxyType({**BUBBLES, "IMAGE": _SHORT_IMAGE}))
_NO_CAROUSELS = {name: one for name, one in BUBBLES.items() if not one.cards[1]}
SENS_BRAND = BrandCan(
    bubbles=MappingProxyType(_NO_CAROUSELS),
    buttons=("WL", "AL", "BF", "BK", "MD", "BC", "BT"),
    takes_addresses=False,
)
"""SENS has carousels as well; how it writes them down we have not seen, so none are sent."""
