"""Times in a drawn graph, as they come in: ways to wait, windows, silent hours."""

import strawberry

from .step_inputs import NodeInput
from .time_words import IfDatePassed, IfTimePassed, IfUnreadable, SilenceAppliesTo, ValueSource, Weekday

_AT = "The time of day as HH:MM, in the person's zone."


@strawberry.input(description="From one time of day until another, in the person's zone.")
class HoursInput:
    start: str = strawberry.field(name="from", description="The beginning, as HH:MM.")
    until: str = strawberry.field(
        description="The end, as HH:MM; on the next day if it is not later. 24:00 is the end of the day."
    )


@strawberry.input(description="Hours on some days of the week.")
class WindowInput(HoursInput):
    weekdays: list[Weekday] | None = strawberry.field(
        default=None, description="The days on which it begins; every day by default."
    )


@strawberry.input(description="A time of day.")
class ClockTimeInput:
    at: str = strawberry.field(description=_AT)
    if_passed: IfTimePassed = strawberry.field(
        default=IfTimePassed.TOMORROW, description="What follows if it is later than that already."
    )


@strawberry.input(description="The next of some weekdays at a time of day; never now, but in up to a week.")
class WeekdayTimeInput:
    weekdays: list[Weekday] = strawberry.field(description="At least one.")
    at: str = strawberry.field(description=_AT)


@strawberry.input(description="One day of the calendar and a time of day.")
class DateTimeInput:
    date: str = strawberry.field(description="The day as YYYY-MM-DD, in the person's zone.")
    at: str = strawberry.field(description=_AT)
    if_passed: IfDatePassed = strawberry.field(
        default=IfDatePassed.GO_ON, description="What follows for whoever arrives later."
    )


@strawberry.input(
    description="A date that is known of the person, or some days before or after it. It is looked at on "
    "arrival and again when it has come, so a date that was put off is waited for."
)
class DateFromInput:
    source: ValueSource = strawberry.field(name="from", description="Where the date stands.")
    name: str = strawberry.field(description="Under which name; `a.b` looks into an object.")
    days: int = strawberry.field(
        default=0, description="So many days after the date, or before it if negative: up to 366."
    )
    at: str | None = strawberry.field(
        default=None,
        description="The time of day as HH:MM; by default the value's own, and midnight if it tells none.",
    )
    yearly: bool = strawberry.field(
        default=False, description="Whether its next return counts, as of a birthday; it is never too late."
    )
    if_passed: IfDatePassed = strawberry.field(
        default=IfDatePassed.LEAVE, description="What follows for whoever arrives later."
    )
    if_unreadable: IfUnreadable = strawberry.field(
        default=IfUnreadable.END, description="What follows if there is no date."
    )


@strawberry.input(description="Waits: in exactly one of these ways.")
class DelayStepInput(NodeInput):
    duration_seconds: int | None = strawberry.field(
        default=None, description="So long from the moment of arrival: from a second to 366 days."
    )
    clock_time: ClockTimeInput | None = strawberry.field(default=None, description="Until a time of day.")
    weekday_time: WeekdayTimeInput | None = strawberry.field(
        default=None, description="Until the next of some weekdays."
    )
    date_time: DateTimeInput | None = strawberry.field(default=None, description="Until a date.")
    date_from: DateFromInput | None = strawberry.field(
        default=None, description="Until a date that is known of the person."
    )


@strawberry.input(description="Goes on while a window is open, and waits for the next one otherwise.")
class TimeWindowStepInput(NodeInput):
    windows: list[WindowInput] = strawberry.field(description="1 to 20; one that is open is enough.")


@strawberry.input(
    description="When a journey sends nothing on some channels, in the person's zone. Whoever comes to a "
    "message then waits there until it is over."
)
class SilentHoursInput:
    channels: list[str] = strawberry.field(description="The channels by name, e.g. sms, push, kakao.")
    ranges: list[HoursInput] | None = strawberry.field(default=None, description="Hours of every day.")
    closed: list[Weekday] | None = strawberry.field(default=None, description="Whole days.")
    applies_to: SilenceAppliesTo = strawberry.field(
        default=SilenceAppliesTo.ALL, description="Which messages keep it."
    )
