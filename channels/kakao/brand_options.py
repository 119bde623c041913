"""What a Brand Message can carry besides its text, in words that all relays share.

How much of it fits, and what goes together, is told by `channels.alimtalk.lint.brand`: most of these texts
are templates, and only what they say can be measured.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from channels.kakao.options import TapLink

BrandType = Literal[
    "TEXT", "IMAGE", "WIDE", "WIDE_ITEM_LIST", "COMMERCE", "CAROUSEL_FEED", "CAROUSEL_COMMERCE"
]
BrandButtonType = Literal["WL", "AL", "BK", "MD", "BC", "BT", "AC", "BF"]
_LONGEST = 2000
_PICTURE = (
    "A picture: an address that it is fetched from and handed to the relay once, or the relay's own name of "
    "it. SENS takes its own ids only."
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BrandButton(_Part):
    """A button: WL web link, AL app link, BK bot keyword, MD message, BC consultation, BT bot, AC add
    channel, BF form."""

    type: BrandButtonType
    name: str = Field(min_length=1, max_length=100)
    link_mobile: str = Field("", max_length=_LONGEST)
    link_pc: str = Field("", max_length=_LONGEST)
    scheme_android: str = Field("", max_length=_LONGEST)
    scheme_ios: str = Field("", max_length=_LONGEST)
    chat_extra: str = Field("", max_length=100)
    chat_event: str = Field("", max_length=100)
    form_id: str = Field("", max_length=100, description="The business form (BF).")
    target: Literal["", "out"] = ""


class BrandLink(TapLink):
    """Where a tap leads."""

    mobile: str = Field("", max_length=_LONGEST)
    pc: str = Field("", max_length=_LONGEST)
    android: str = Field("", max_length=_LONGEST)
    ios: str = Field("", max_length=_LONGEST)


class Coupon(_Part):
    title: str = Field(max_length=100, description="In one of five forms, e.g. 10% 할인 쿠폰.")
    description: str = Field("", max_length=200)
    link: BrandLink = BrandLink()


class WideItem(_Part):
    """One of three or four; the first is shown large."""

    title: str = Field("", max_length=200)
    image: str = Field("", max_length=_LONGEST, description=_PICTURE)
    link: BrandLink = BrandLink()


class Commerce(_Part):
    """A product with its price, in won."""

    title: str = Field(min_length=1, max_length=200)
    regular_price: int = Field(ge=0, le=99_999_999)
    discount_price: int | None = Field(None, ge=0, le=99_999_999)
    discount_rate: int | None = Field(None, ge=0, le=100, description="In percent.")
    discount_fixed: int | None = Field(None, ge=0, le=999_999)


class Card(_Part):
    """One card of a carousel: header and text of a feed, a product of the other."""

    header: str = Field("", max_length=200)
    text: str = Field("", max_length=2000)
    commerce: Commerce | None = None
    additional: str = Field("", max_length=200)
    image: str = Field("", max_length=_LONGEST, description=_PICTURE)
    image_link: str = Field("", max_length=_LONGEST)
    buttons: tuple[BrandButton, ...] = Field((), max_length=5)
    coupon: Coupon | None = None


class Head(_Part):
    """What a carousel of products begins with."""

    header: str = Field("", max_length=200)
    text: str = Field("", max_length=500)
    image: str = Field("", max_length=_LONGEST, description=_PICTURE)
    link: BrandLink = BrandLink()


class Carousel(_Part):
    cards: tuple[Card, ...] = Field(max_length=10)
    head: Head | None = None
    tail: BrandLink | None = Field(None, description="Where more of it is to be seen.")


class BrandOptions(_Part):
    """Options of a Brand Message, the same with every relay."""

    type: BrandType = Field("TEXT", description="With a template: the type that it was registered as.")
    targeting: Literal["I", "M", "N"] = Field(
        "I",
        description="I: the channel's friends. M: everybody who has agreed to advertisements by KakaoTalk. "
        "N: those of M who are no friends. KakaoTalk has to grant M and N to the channel.",
    )
    image: str = Field("", max_length=_LONGEST, description=_PICTURE)
    image_link: str = Field("", max_length=_LONGEST, description="Where a tap on the picture leads.")
    header: str = Field("", max_length=200, description="Of WIDE_ITEM_LIST.")
    additional: str = Field("", max_length=200, description="Of COMMERCE.")
    items: tuple[WideItem, ...] = Field((), max_length=10)
    commerce: Commerce | None = None
    carousel: Carousel | None = None
    coupon: Coupon | None = None
    buttons: tuple[BrandButton, ...] = Field((), max_length=10)
    adult: bool = Field(False, description="Covered until its reader's age is proved.")
    push_alarm: bool = Field(True, description="Whether the phone rings (NHN Cloud).")
