"""The questions of a segment's conditions about orders, sign-ups and coupons."""

from enum import Enum

import strawberry

from .segment_questions import SegmentTimesInput, SegmentWindowInput
from .segment_words import SegmentSum
from .words import value

PRODUCT = "One of these products is in it, by id, SKU or name."
CATEGORY = "A product of one of these categories is in it."
WITH_COUPON = "It used a coupon with one of these codes."


@strawberry.enum(description="What is asked of a coupon.")
class SegmentCouponAct(Enum):
    USABLE = value(
        "usable", description="It can be used at the moment of asking. Its time is that of its issue."
    )
    ISSUED = value("issued", description="It was issued, whatever became of it.")
    USED = value("used", description="It was used.")
    EXPIRED = value("expired", description="It is over, and was not used.")


@strawberry.input(
    description="Orders that the user has made, each once however often it was told. For days since the last "
    "one: `which: LAST` and a window."
)
class SegmentPurchasedInput(SegmentTimesInput):
    nth: int | None = strawberry.field(
        default=None, description="Only the n-th order is looked at: 1 is the first. Not with `which`."
    )
    product: list[str] | None = strawberry.field(default=None, description=PRODUCT)
    category: list[str] | None = strawberry.field(default=None, description=CATEGORY)
    coupon: list[str] | None = strawberry.field(default=None, description=WITH_COUPON)
    kept: bool = strawberry.field(
        default=False, description="Only orders that were neither cancelled nor given back as a whole."
    )


@strawberry.input(
    description="What the user's orders come to, in one currency: amounts of several are never added up."
)
class SegmentSpentInput:
    of: SegmentSum = strawberry.field(default=SegmentSum.SUM, description="What is made of the amounts.")
    currency: str = strawberry.field(
        default="",
        description="Of orders in this currency, e.g. KRW. By default in the user's own: the one in which "
        "most of these orders are that cost something. In a shop of one currency that is this currency.",
    )
    at_least: float | None = strawberry.field(default=None, description="How much at least.")
    at_most: float | None = strawberry.field(default=None, description="How much at most.")
    net: bool = strawberry.field(default=False, description="Without what was given back.")
    product: list[str] | None = strawberry.field(default=None, description=PRODUCT)
    category: list[str] | None = strawberry.field(default=None, description=CATEGORY)
    coupon: list[str] | None = strawberry.field(default=None, description=WITH_COUPON)
    kept: bool = strawberry.field(
        default=False, description="Only orders that were neither cancelled nor given back as a whole."
    )
    window: SegmentWindowInput | None = strawberry.field(
        default=None, description="In which time the orders were made; ever by default."
    )


@strawberry.input(description="Has signed up, as an event told.")
class SegmentSignedUpInput:
    window: SegmentWindowInput | None = strawberry.field(
        default=None, description="In which time; ever by default."
    )


@strawberry.input(description="Coupons of the user: how many of which that is true.")
class SegmentCouponInput(SegmentTimesInput):
    act: SegmentCouponAct = strawberry.field(
        default=SegmentCouponAct.USABLE, description="What is asked of them."
    )
    coupon: list[str] | None = strawberry.field(
        default=None, description="Codes or names, e.g. 장바구니 20%; any by default."
    )
    expires_within_seconds: int | None = strawberry.field(
        default=None, description="It ends at most so long after the moment of asking."
    )
    expires_within_days: int | None = strawberry.field(
        default=None,
        description="The last day on which it can be used is today (0) or one of the next so many, in the "
        "project's zone.",
    )
    expires_in_days: int | None = strawberry.field(
        default=None,
        description="The last day on which it can be used is exactly so many days from today: asked every "
        "day, everybody is met once.",
    )
