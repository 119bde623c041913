"""Entries by audience and by API of a drawn graph, as they come in."""

import strawberry

from .entry_words import IfMomentPassed, LaunchZone
from .step_inputs import NodeInput
from .time_words import Weekday

AT = "The time of day as HH:MM."
_FIRST = "From which day on, as YYYY-MM-DD."
_LAST = "The last day on which it may be; for ever if left out."


@strawberry.input(description="One day of the calendar.")
class OnDateInput:
    date: str = strawberry.field(description="The day as YYYY-MM-DD.")
    at: str = strawberry.field(description=AT)


@strawberry.input(description="Several days of the calendar.")
class OnDatesInput:
    dates: list[str] = strawberry.field(description="The days as YYYY-MM-DD: 1 to 366.")
    at: str = strawberry.field(description=AT)


@strawberry.input(description="Every so many days.")
class EveryDaysInput:
    every: int = strawberry.field(default=1, description="How many days from one to the next: 1 to 366.")
    start: str = strawberry.field(description=_FIRST)
    until: str | None = strawberry.field(default=None, description=_LAST)
    at: str = strawberry.field(description=AT)


@strawberry.input(description="Every so many weeks.")
class EveryWeeksInput:
    every: int = strawberry.field(default=1, description="How many weeks from one to the next: 1 to 52.")
    weekdays: list[Weekday] = strawberry.field(description="On which days of such a week: at least one.")
    start: str = strawberry.field(description=f"{_FIRST} Its week is the first.")
    until: str | None = strawberry.field(default=None, description=_LAST)
    at: str = strawberry.field(description=AT)


@strawberry.input(one_of=True, description="The days and the time at which an audience is let in.")
class ScheduleInput:
    once: OnDateInput | None = strawberry.field(default=strawberry.UNSET, description="On one day.")
    dates: OnDatesInput | None = strawberry.field(default=strawberry.UNSET, description="On several days.")
    every_days: EveryDaysInput | None = strawberry.field(
        default=strawberry.UNSET, description="Every so many days."
    )
    every_weeks: EveryWeeksInput | None = strawberry.field(
        default=strawberry.UNSET, description="Every so many weeks, on some weekdays."
    )


@strawberry.input(
    description="A coupon that can be used, which whoever is let in has to have. The one that ends first "
    "comes along, as `{{ coupon.code }}`; never one with which the person has come in before."
)
class EntryCouponInput:
    coupons: list[str] | None = strawberry.field(
        default=None, description="Codes or names, e.g. 장바구니 20%; any by default."
    )
    expires_within_seconds: int | None = strawberry.field(
        default=None, description="It ends at most so long after the moment of the launch."
    )
    expires_within_days: int | None = strawberry.field(
        default=None,
        description="The last day on which it can be used is today (0) or one of the next so many, in the "
        "project's zone.",
    )
    expires_in_days: int | None = strawberry.field(
        default=None, description="That day is exactly so many days from today."
    )


@strawberry.input(description="Lets in everybody, or everybody of a segment or of a list.")
class EntryAudienceStepInput(NodeInput):
    segment: str | None = strawberry.field(default=None, description="The name of a segment.")
    list: str | None = strawberry.field(default=None, description="The name of an uploaded list.")
    coupon: EntryCouponInput | None = strawberry.field(
        default=None, description="Only who has such a coupon; it is what `{{ coupon }}` shows."
    )
    members: bool = strawberry.field(
        default=False,
        description="Only users with a user id. Whoever is on a list is let in as named.",
    )
    when: ScheduleInput | None = strawberry.field(
        default=None, description="At which times; once at the start if left out."
    )
    zone: LaunchZone = strawberry.field(
        default=LaunchZone.PROJECT, description="In which zone the times are meant."
    )
    if_passed: IfMomentPassed = strawberry.field(
        default=IfMomentPassed.AT_ONCE,
        description="What becomes of a person whose time of that day has passed when the journey starts.",
    )
    relaunches: bool = strawberry.field(
        default=False,
        description="Whether a new version, or the end of a pause, lets those in again who have been let in "
        "at once or on the one day.",
    )


@strawberry.input(description="Lets in those whom `enterJourney` names.")
class EntryApiStepInput(NodeInput):
    pass
