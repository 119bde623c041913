"""The ways to wait: for a length of time, or until a clock or a calendar shows what was asked for.

Whatever is said in clock times and days is meant in the person's zone, by the rules of `local_time`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, ClassVar

from .conditions import look_up
from .dates import Unreadable, find_date, find_yearly, instant_near, next_anniversary
from .hours import MIDNIGHT, read_clock, read_weekdays
from .local_time import Weekday, instant_of, local_of, next_at, next_weekday_at, today_at
from .moment import NEXT, Decision, End, EndReason, Instant, Leave, Moment, Outputs
from .reading import Reader
from .schedule import FIRST_DAY, read_day

PASSED, UNREADABLE = "passed", "unreadable"
"""The outputs of waits for times that have gone by, and for dates that cannot be read."""
TOMORROW, GO_ON, LEAVE, END = "tomorrow", "go_on", "leave", "end"
MOST_DAYS = 366
DAY = 86_400_000
LONGEST = 366 * DAY
_LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """One way to wait."""

    looks_again: ClassVar[bool] = True
    """Whether it asks once more when it wakes: the person may have moved, or the date was put off."""

    def takes_time(self) -> bool:
        """Whether time always passes."""
        return True

    def outputs(self) -> Outputs:
        return (NEXT,)

    def target(self, moment: Moment) -> Instant | Unreadable:
        """Until when, for whoever arrived at `moment.arrived_at` and is what the moment knows."""
        raise NotImplementedError

    def passed(self) -> str:
        """The output of those for whom it is too late on arrival."""
        return NEXT

    def unreadable(self, why: str, saw: Mapping[str, Any]) -> Decision:
        return End(EndReason.INTERNAL_ERROR, why, saw)

    def saw(self, moment: Moment) -> Mapping[str, Any]:
        """What there was to look at."""
        return {"zone": moment.zone}


@dataclass(frozen=True, slots=True)
class Length(Waiting):
    """So long, counted from the moment of arrival."""

    looks_again: ClassVar[bool] = False

    duration_ms: int

    def target(self, moment: Moment) -> Instant:
        return moment.arrived_at + self.duration_ms

    def saw(self, moment: Moment) -> Mapping[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class ClockTime(Waiting):
    """Until the clock shows this, today or, if that has passed, tomorrow or not at all."""

    at: time
    if_passed: str = TOMORROW

    def takes_time(self) -> bool:
        return self.if_passed == TOMORROW

    def target(self, moment: Moment) -> Instant:
        find = next_at if self.if_passed == TOMORROW else today_at
        return find(moment.arrived_at, self.at, moment.zone)


@dataclass(frozen=True, slots=True)
class WeekdayTime(Waiting):
    """Until the next of these weekdays at this time."""

    weekdays: frozenset[Weekday]
    at: time

    def target(self, moment: Moment) -> Instant:
        return next_weekday_at(moment.arrived_at, self.weekdays, self.at, moment.zone)


@dataclass(frozen=True, slots=True)
class DateTime(Waiting):
    """Until one day of the calendar at this time."""

    date: date
    at: time
    if_passed: str = GO_ON

    def takes_time(self) -> bool:
        return False

    def outputs(self) -> Outputs:
        return (NEXT, PASSED) if self.if_passed == LEAVE else (NEXT,)

    def target(self, moment: Moment) -> Instant:
        return instant_of(self.date, self.at, moment.zone)

    def passed(self) -> str:
        return PASSED if self.if_passed == LEAVE else NEXT


@dataclass(frozen=True, slots=True)
class DateFrom(Waiting):
    """Until so many days after, or before, a date that an attribute or the entry event's property holds."""

    source: str
    name: str
    days: int = 0
    at: time | None = None
    """None: at the time of day that the value itself tells; midnight if it tells none."""
    yearly: bool = False
    """Its next return: birthdays and anniversaries, of which the year does not matter."""
    if_passed: str = LEAVE
    if_unreadable: str = END

    def takes_time(self) -> bool:
        return self.yearly and self.if_unreadable == END

    def outputs(self) -> Outputs:
        passed = (PASSED,) if self.passed() == PASSED else ()
        return (NEXT, *passed, *((UNREADABLE,) if self.if_unreadable == LEAVE else ()))

    def target(self, moment: Moment) -> Instant | Unreadable:
        value, zone = self._value(moment), moment.zone
        if self.yearly:
            day = find_yearly(value, zone)
            if isinstance(day, Unreadable):
                return day
            return next_anniversary(moment.arrived_at, day, self.days, self.at or MIDNIGHT, zone)
        found = find_date(value, zone)
        return found if isinstance(found, Unreadable) else instant_near(found, self.days, self.at, zone)

    def passed(self) -> str:
        return PASSED if self.if_passed == LEAVE and not self.yearly else NEXT

    def unreadable(self, why: str, saw: Mapping[str, Any]) -> Decision:
        because = f"no date in the {self.source} {self.name!r}: {why}"
        if self.if_unreadable == LEAVE:
            return Leave(UNREADABLE, because, saw=saw)
        return End(EndReason.INTERNAL_ERROR, because, saw)

    def saw(self, moment: Moment) -> Mapping[str, Any]:
        return {"zone": moment.zone, f"{self.source} {self.name}": _shown(self._value(moment))}

    def _value(self, moment: Moment) -> Any:
        values = moment.attributes if self.source == "attribute" else moment.properties
        return look_up(values, self.name)


def shown_in(at: Instant, zone: str) -> str:
    """An instant as a clock in the zone shows it, for whoever asks why."""
    return local_of(at, zone).isoformat(timespec="minutes")


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONGEST_SHOWN]
    return None if isinstance(value, list | dict) else value


def read_waiting(reader: Reader) -> Waiting:
    """Exactly one of the ways to wait."""
    given = [name for name in WAYS if reader.value(name, required=False) is not None]
    if len(given) != 1:
        found = ", ".join(f"`{name}`" for name in given) or "none"
        reader.refuse(
            None,
            f"It waits in exactly one way ({', '.join(WAYS)}), found {found}",
            "invalid" if given else "missing",
        )
        return Length(DAY)
    return WAYS[given[0]](reader)


def _read_length(reader: Reader) -> Waiting:
    return Length(reader.duration("duration_ms", least=1000, most=LONGEST))


def _read_clock_time(reader: Reader) -> Waiting:
    reader = reader.inside("clock_time")
    clock = read_clock(reader, "at") or MIDNIGHT
    return ClockTime(clock, _read_choice(reader, "if_passed", (TOMORROW, GO_ON)))


def _read_weekday_time(reader: Reader) -> Waiting:
    reader = reader.inside("weekday_time")
    return WeekdayTime(read_weekdays(reader, "weekdays"), read_clock(reader, "at") or MIDNIGHT)


def _read_date_time(reader: Reader) -> Waiting:
    reader = reader.inside("date_time")
    day, clock = read_day(reader, "date"), read_clock(reader, "at")
    return DateTime(day or FIRST_DAY, clock or MIDNIGHT, _read_choice(reader, "if_passed", (GO_ON, LEAVE)))


def _read_date_from(reader: Reader) -> Waiting:
    reader = reader.inside("date_from")
    return DateFrom(
        reader.choice("from", ("attribute", "property")),
        reader.text("name", longest=256),
        reader.number("days", least=-MOST_DAYS, most=MOST_DAYS, required=False),
        read_clock(reader, "at", required=False),
        reader.flag("yearly"),
        _read_choice(reader, "if_passed", (LEAVE, GO_ON)),
        _read_choice(reader, "if_unreadable", (END, LEAVE)),
    )


def _read_choice(reader: Reader, key: str, choices: tuple[str, ...]) -> str:
    """One of the choices, the first if nothing is said."""
    return choices[0] if reader.value(key, required=False) is None else reader.choice(key, choices)


WAYS = {
    "duration_ms": _read_length,
    "clock_time": _read_clock_time,
    "weekday_time": _read_weekday_time,
    "date_time": _read_date_time,
    "date_from": _read_date_from,
}
"""By the name of the field that says it."""
