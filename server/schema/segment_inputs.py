"""Conditions of a segment as they come in, and as they are stored: `server.journey.audience` reads them."""

from functools import cache
from typing import Any

import strawberry

from server.journey.moment import Path

from .segment_commerce import (
    SegmentCouponInput,
    SegmentPurchasedInput,
    SegmentSignedUpInput,
    SegmentSpentInput,
)
from .segment_questions import (
    SegmentDidAmountInput,
    SegmentDidInput,
    SegmentEndedInput,
    SegmentEnteredInput,
    SegmentInsideInput,
    SegmentMessageInput,
    SegmentPassedInput,
    SegmentReachedInput,
    SegmentVisitedInput,
)
from .spelling import Field, fields_of, is_input, item_of, to_spelled, to_stored
from .step_inputs import PredicateInput

Data = dict[str, Any]
_TREES = ("all", "any", "not")


@strawberry.input(one_of=True, description="A condition over users: a question, or several put together.")
class SegmentConditionInput:
    all: list["SegmentConditionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="All of these hold: 1 to 20."
    )
    any: list["SegmentConditionInput"] | None = strawberry.field(
        default=strawberry.UNSET, description="At least one of these holds: 1 to 20."
    )
    not_: "SegmentConditionInput | None" = strawberry.field(
        name="not", default=strawberry.UNSET, description="This does not hold."
    )
    attribute: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what is known of the user now."
    )
    did: SegmentDidInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what the user has done: how often, when first, when last."
    )
    did_amount: SegmentDidAmountInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what a property of what the user did comes to."
    )
    visited: SegmentVisitedInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks for visits: whence, on what, how often, first and last."
    )
    entered_journey: SegmentEnteredInput | None = strawberry.field(
        default=strawberry.UNSET, description="Has come into a journey; who was held out has not."
    )
    inside_journey: SegmentInsideInput | None = strawberry.field(
        default=strawberry.UNSET, description="Is inside a journey."
    )
    ended_journey: SegmentEndedInput | None = strawberry.field(
        default=strawberry.UNSET, description="A run of a journey is over."
    )
    passed_step: SegmentPassedInput | None = strawberry.field(
        default=strawberry.UNSET, description="Has come to a step of a journey, or left it by an output."
    )
    reached_goal: SegmentReachedInput | None = strawberry.field(
        default=strawberry.UNSET, description="Has done in a journey what it is for."
    )
    message: SegmentMessageInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what became of messages to the user."
    )
    purchased: SegmentPurchasedInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks for orders: how often, the first, the last, the n-th."
    )
    spent: SegmentSpentInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what orders come to."
    )
    signed_up: SegmentSignedUpInput | None = strawberry.field(
        default=strawberry.UNSET, description="Has signed up."
    )
    coupon: SegmentCouponInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks for coupons: has one that ends soon, has used one."
    )
    in_list: str | None = strawberry.field(
        default=strawberry.UNSET, description="Is on the uploaded list of this name."
    )
    in_segment: str | None = strawberry.field(
        default=strawberry.UNSET, description="Belongs to the segment of this name. Not in circles."
    )
    reachable_on: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Has an address in use on this channel, e.g. `email`, that can be written to.",
    )


def to_conditions(given: SegmentConditionInput) -> Data:
    """The plain data of the tree: the one member that was given, by its stored name."""
    name, value = next((one, found) for one, found in vars(given).items() if found is not strawberry.UNSET)
    if isinstance(value, list):
        return {name: [to_conditions(one) for one in value]}
    if isinstance(value, SegmentConditionInput):
        return {"not": to_conditions(value)}
    return {name: value if isinstance(value, str) else to_stored(value, type(value))}


def to_given(conditions: Any) -> Any:
    """The stored tree as JSON that `SegmentConditionInput` takes."""
    if isinstance(conditions, list):
        return [to_given(one) for one in conditions]
    (name, value) = next(iter(conditions.items()))
    if name in _TREES:
        return {name: to_given(value)}
    field = _questions()[name]
    return {field.spelled: to_spelled(value, field.type)}


def to_conditions_path(path: Path) -> list[str]:
    """Where in the input a problem lies that was found in the plain data."""
    spelled = _all_spelled()
    return [spelled.get(str(part), str(part)) for part in path]


@cache
def _questions() -> dict[str, Field]:
    return {one.stored: one for one in fields_of(SegmentConditionInput)}


@cache
def _all_spelled() -> dict[str, str]:
    """By stored name, of all that a condition may hold. No name is spelled in two ways."""
    found: dict[str, str] = {}
    waiting: list[Any] = [SegmentConditionInput]
    seen: set[Any] = set()
    while waiting:
        kind = waiting.pop()
        kind = item_of(kind) or kind
        if is_input(kind) and kind not in seen:
            seen.add(kind)
            found |= {one.stored: one.spelled for one in fields_of(kind)}
            waiting += [one.type for one in fields_of(kind)]
    return found
