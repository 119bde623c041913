"""The questions that a segment's conditions may ask, a type each."""

import strawberry

from .segment_words import SegmentMessageAct, SegmentSum, SegmentWhich
from .step_inputs import PredicateInput
from .words import EndReason

WHERE = "What has to be true of the event's properties: all of it."


@strawberry.input(
    description="In which time something has to have happened. All that is said holds together; whatever it "
    "says, nothing counts that happened after the moment of asking."
)
class SegmentWindowInput:
    within_seconds: int | None = strawberry.field(
        default=None, description="At most so long before the moment of asking."
    )
    before_seconds: int | None = strawberry.field(
        default=None, description="At least so long before the moment of asking."
    )
    last_days: int | None = strawberry.field(
        default=None, description="On the last so many days of the project's zone, today among them."
    )
    before_last_days: int | None = strawberry.field(
        default=None, description="Before the last so many days; 1 means before today."
    )
    since: str | None = strawberry.field(
        default=None, description="On this day of the project's zone or later: YYYY-MM-DD."
    )
    until: str | None = strawberry.field(
        default=None, description="Before this day, which is not part of it: YYYY-MM-DD."
    )


@strawberry.input(description="How often, and in which time.")
class SegmentTimesInput:
    at_least: int | None = strawberry.field(
        default=None, description="How often at least: once by default, or not at all with `atMost`."
    )
    at_most: int | None = strawberry.field(
        default=None, description="How often at most; 0 for those who did not. Any number by default."
    )
    which: SegmentWhich = strawberry.field(
        default=SegmentWhich.EVERY, description="Which of the times are looked at."
    )
    window: SegmentWindowInput | None = strawberry.field(
        default=None, description="In which time; ever by default."
    )


@strawberry.input(description="Something that a user did, or did not, so often in a time.")
class SegmentDidInput(SegmentTimesInput):
    event: str = strawberry.field(
        description="The event's name; `$page` and `$screen` for every page and screen."
    )
    where: list[PredicateInput] | None = strawberry.field(default=None, description=WHERE)
    within_seconds: int | None = strawberry.field(
        default=None, description="As the window's; kept for whoever has no other need of a window."
    )


@strawberry.input(description="What a property of events comes to.")
class SegmentDidAmountInput:
    event: str = strawberry.field(
        description="The event's name; `$page` and `$screen` for every page and screen."
    )
    of: SegmentSum = strawberry.field(description="What is made of the numbers.")
    property: str = strawberry.field(
        description="The property that holds them; `a.b` looks into an object. What is no number is passed "
        "over."
    )
    at_least: float | None = strawberry.field(default=None, description="How much at least.")
    at_most: float | None = strawberry.field(default=None, description="How much at most.")
    where: list[PredicateInput] | None = strawberry.field(default=None, description=WHERE)
    window: SegmentWindowInput | None = strawberry.field(
        default=None, description="In which time; ever by default."
    )


@strawberry.input(
    description="Visits to the site or the app that began in a time. Of each list one value has to be met, "
    "and all that is asked has to be true of the same visit."
)
class SegmentVisitedInput(SegmentTimesInput):
    device: list[str] | None = strawberry.field(
        default=None, description="`pc_web`, `mobile_web`, `hybrid_app`, `app`."
    )
    source: list[str] | None = strawberry.field(
        default=None,
        description="`search`, `social`, `referral`, `direct`, `ad`, `email`, `message`.",
    )
    origin: list[str] | None = strawberry.field(
        default=None, description="`google`, `naver`, a domain, or what `utm_source` said."
    )
    medium: list[str] | None = strawberry.field(
        default=None, description="What `utm_medium` said, or what follows."
    )
    campaign: list[str] | None = strawberry.field(default=None, description="The campaign's name.")
    keyword: list[str] | None = strawberry.field(default=None, description="What was searched for.")
    ad: list[str] | None = strawberry.field(
        default=None, description="The network of the ad, or the source its tags name."
    )
    landing: list[str] | None = strawberry.field(
        default=None, description="Host and path of the first page, e.g. `shop.example/sale`."
    )


@strawberry.input(description="Has come into a journey.")
class SegmentEnteredInput(SegmentTimesInput):
    journey: strawberry.ID = strawberry.field(description="The journey.")


@strawberry.input(description="Is inside a journey.")
class SegmentInsideInput:
    journey: strawberry.ID = strawberry.field(description="The journey.")
    step: str | None = strawberry.field(
        default=None, description="The key of the step at which the run waits now; anywhere by default."
    )


@strawberry.input(description="A run of a journey is over.")
class SegmentEndedInput(SegmentTimesInput):
    journey: strawberry.ID = strawberry.field(description="The journey.")
    reasons: list[EndReason] | None = strawberry.field(
        default=None, description="For one of these reasons; any by default."
    )


@strawberry.input(description="Has come to a step, or left it by an output.")
class SegmentPassedInput(SegmentTimesInput):
    journey: strawberry.ID = strawberry.field(description="The journey.")
    step: str = strawberry.field(description="The step's key.")
    output: str | None = strawberry.field(
        default=None, description="Left it by this output; has come to it by default."
    )


@strawberry.input(description="Has reached a goal of a journey.")
class SegmentReachedInput(SegmentTimesInput):
    journey: strawberry.ID = strawberry.field(description="The journey.")
    goal: str | None = strawberry.field(default=None, description="The goal's key; any by default.")


@strawberry.input(description="What became of messages to the user.")
class SegmentMessageInput(SegmentTimesInput):
    act: SegmentMessageAct = strawberry.field(description="What became of it.")
    journey: strawberry.ID | None = strawberry.field(
        default=None, description="Of this journey; of any by default."
    )
    step: str | None = strawberry.field(
        default=None, description="Of the step with this key; of any by default."
    )
    channel: str | None = strawberry.field(
        default=None, description="On this channel, e.g. `email`; on any by default."
    )
