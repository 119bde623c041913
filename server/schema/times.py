"""Times in a stored graph: ways to wait, windows, silent hours."""

from typing import Any

import strawberry

from server.journey.reading import Reader
from server.journey.waits import read_waiting

from .steps import Step
from .time_words import IfDatePassed, IfTimePassed, IfUnreadable, SilenceAppliesTo, ValueSource, Weekday

Data = dict[str, Any]

_AT = "The time of day as HH:MM, in the person's zone."


@strawberry.type(description="From one time of day until another, in the person's zone.")
class Hours:
    start: str = strawberry.field(name="from", description="The beginning, as HH:MM.")
    until: str = strawberry.field(
        description="The end, as HH:MM; on the next day if it is not later. 24:00 is the end of the day."
    )


@strawberry.type(description="Hours on some days of the week.")
class Window(Hours):
    weekdays: list[Weekday] = strawberry.field(
        description="The days on which it begins; none named are all.", metadata={"list_size": 5}
    )


@strawberry.type(description="A time of day.")
class ClockTime:
    at: str = strawberry.field(description=_AT)
    if_passed: IfTimePassed = strawberry.field(description="What follows if it is later than that already.")


@strawberry.type(description="The next of some weekdays at a time of day.")
class WeekdayTime:
    weekdays: list[Weekday] = strawberry.field(description="The days.", metadata={"list_size": 2})
    at: str = strawberry.field(description=_AT)


@strawberry.type(description="One day of the calendar and a time of day.")
class CalendarTime:
    date: str = strawberry.field(description="The day as YYYY-MM-DD, in the person's zone.")
    at: str = strawberry.field(description=_AT)
    if_passed: IfDatePassed = strawberry.field(description="What follows for whoever arrives later.")


@strawberry.type(description="A date that is known of the person, or some days before or after it.")
class DateFrom:
    source: ValueSource = strawberry.field(name="from", description="Where the date stands.")
    name: str = strawberry.field(description="Under which name.")
    days: int = strawberry.field(description="So many days after the date, or before it if negative.")
    at: str | None = strawberry.field(description="The time of day as HH:MM; null: the value's own.")
    yearly: bool = strawberry.field(description="Whether its next return counts, as of a birthday.")
    if_passed: IfDatePassed = strawberry.field(description="What follows for whoever arrives later.")
    if_unreadable: IfUnreadable = strawberry.field(description="What follows if there is no date.")


@strawberry.type(description="Waits, in one of these ways.")
class DelayStep(Step):
    duration_seconds: int | None = strawberry.field(description="So long from the moment of arrival.")
    clock_time: ClockTime | None = strawberry.field(description="Until a time of day.")
    weekday_time: WeekdayTime | None = strawberry.field(description="Until the next of some weekdays.")
    date_time: CalendarTime | None = strawberry.field(description="Until a date.")
    date_from: DateFrom | None = strawberry.field(description="Until a date that is known of the person.")


@strawberry.type(description="Goes on while a window is open, and waits for the next one otherwise.")
class TimeWindowStep(Step):
    windows: list[Window] = strawberry.field(
        description="One that is open is enough.", metadata={"list_size": 2}
    )


@strawberry.type(description="When a journey sends nothing on some channels, in the person's zone.")
class SilentHours:
    channels: list[str] = strawberry.field(
        description="The channels by name, e.g. sms, push, kakao.", metadata={"list_size": 3}
    )
    ranges: list[Hours] = strawberry.field(description="Hours of every day.", metadata={"list_size": 1})
    closed: list[Weekday] = strawberry.field(description="Whole days.", metadata={"list_size": 1})
    applies_to: SilenceAppliesTo = strawberry.field(description="Which messages keep it.")


def to_delay(item: Data, common: Data) -> Step:
    """Of a draft that waits in no way, or in several, what there is."""
    length, clock = item.get("duration_ms"), item.get("clock_time")
    weekday, day, found = item.get("weekday_time"), item.get("date_time"), item.get("date_from")
    common["outputs"] = list(read_waiting(Reader(item)).outputs())
    return DelayStep(
        **common,
        duration_seconds=None if length is None else length // 1000,
        clock_time=_clock_time(clock) if clock else None,
        weekday_time=WeekdayTime(weekdays=_weekdays(weekday), at=weekday["at"]) if weekday else None,
        date_time=_calendar_time(day) if day else None,
        date_from=_date_from(found) if found else None,
    )


def to_time_window(item: Data, common: Data) -> Step:
    windows = [
        Window(start=one["from"], until=one["until"], weekdays=_weekdays(one)) for one in item["windows"]
    ]
    return TimeWindowStep(**common, windows=windows)


def to_silence(data: Data) -> list[SilentHours]:
    return [
        SilentHours(
            channels=list(one["channels"]),
            ranges=[Hours(start=hours["from"], until=hours["until"]) for hours in one.get("ranges") or ()],
            closed=_weekdays(one, "closed"),
            applies_to=SilenceAppliesTo(one.get("applies_to") or "all"),
        )
        for one in data.get("silence") or ()
    ]


def _weekdays(item: Data, key: str = "weekdays") -> list[Weekday]:
    return [Weekday(one) for one in item.get(key) or ()]


def _clock_time(item: Data) -> ClockTime:
    return ClockTime(at=item["at"], if_passed=IfTimePassed(item.get("if_passed") or "tomorrow"))


def _calendar_time(item: Data) -> CalendarTime:
    if_passed = IfDatePassed(item.get("if_passed") or "go_on")
    return CalendarTime(date=item["date"], at=item["at"], if_passed=if_passed)


def _date_from(item: Data) -> DateFrom:
    return DateFrom(
        source=ValueSource(item["from"]),
        name=item["name"],
        days=item.get("days") or 0,
        at=item.get("at"),
        yearly=item.get("yearly") or False,
        if_passed=IfDatePassed(item.get("if_passed") or "leave"),
        if_unreadable=IfUnreadable(item.get("if_unreadable") or "end"),
    )
