"""Clock times, weekdays, days and silence are right in every zone on the days its clocks change."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import available_timezones

import pytest

from server.journey.hours import Hours, Window, next_within
from server.journey.local_time import Weekday, instant_of, last_instant_of, local_of, next_at, next_weekday_at
from server.journey.schedule import EVERY_DAYS, Schedule
from server.journey.silence import Silence, SilentHours

from .zones import Change, changes, changes_of, ms

CLOCKS = [time(0), time(0, 30), time(1, 45), time(2), time(2, 30), time(9), time(23, 30)]
HOUR = timedelta(hours=1)


def test_every_zone_is_looked_at() -> None:
    zones = available_timezones()
    assert len(zones) > 400
    looked_at = {changes_of(change.zone) for change in changes()}
    assert {changes_of(zone) for zone in zones} - {()} == looked_at
    assert len(looked_at) > 30


def test_a_time_happens_when_the_clock_first_shows_it_or_a_later_one() -> None:
    for change in changes():
        for day in change.days:
            for clock in CLOCKS:
                found = instant_of(day, clock, change.zone)
                assert found == ms(change.first(day, clock)), (change, day, clock)


def test_a_clock_time_leads_back_to_the_instants_at_which_it_is_shown() -> None:
    for change in changes():
        for at in every(41, change):
            wall = change.wall(at)
            assert local_of(ms(at), change.zone) == wall, change
            both = {find(wall.date(), wall.time(), change.zone) for find in (instant_of, last_instant_of)}
            shown = {ms(wall.replace(tzinfo=UTC) - offset) for offset in (change.before, change.after)}
            assert both == {one for one in shown if local_of(one, change.zone) == wall}, (change, wall)


def test_next_monday_at_nine_is_nine_on_a_monday_within_a_week() -> None:
    for change in changes():
        for hours in range(-9 * 24, 3 * 24, 13):
            at = change.at + hours * HOUR
            found = next_weekday_at(ms(at), [Weekday.MONDAY], time(9), change.zone)
            wall = change.wall(instant(found))
            assert (wall.weekday(), wall.time()) == (0, time(9)), (change, at)
            assert timedelta() < wall - change.wall(at) <= timedelta(days=7), (change, at)
            assert found > ms(at), (change, at)


@pytest.mark.parametrize("clock", CLOCKS, ids=str)
def test_daily_entries_come_once_a_day_at_their_time(clock: time) -> None:
    plan = Schedule(EVERY_DAYS, clock, start=date(2023, 1, 1))
    for change in changes():
        start = instant_of(change.days[0], clock, change.zone)
        found = list(islice(plan.occurrences(start - 1, change.zone), 4))
        assert [day for day, _ in found] == change.days, change
        assert [at for _, at in found] == [ms(change.first(day, clock)) for day in change.days], change
        for one, following in pairwise(found):
            assert next_at(one.at, clock, change.zone) == following.at, change


def every(minutes: int, change: Change) -> Iterator[datetime]:
    """Instants around the change, so many minutes apart."""
    return islice(change.minutes(), 0, None, minutes)


def instant(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC)


SILENCES = {
    "night": SilentHours(frozenset({"sms"}), (Hours(time(21), time(8)),)),
    "within the change": SilentHours(frozenset({"sms"}), (Hours(time(1, 30), time(2, 30)),)),
    "closed": SilentHours(frozenset({"sms"}), (), frozenset({Weekday.SATURDAY, Weekday.SUNDAY})),
    "night into a closed day": SilentHours(
        frozenset({"sms"}), (Hours(time(22), time(7, 30)),), frozenset({Weekday.SUNDAY})
    ),
}


def is_silent(rule: SilentHours, wall: datetime) -> bool:
    """What a person would say who looks at a clock and a calendar."""
    clock = wall.time()
    in_range = any(
        start <= clock or clock < end if end <= start else start <= clock < end
        for start, end in ((hours.start, hours.end) for hours in rule.ranges)
    )
    return in_range or list(Weekday)[wall.weekday()] in rule.closed


@pytest.mark.parametrize("name", SILENCES)
def test_silence_holds_whenever_the_clock_shows_it_and_ends_when_it_is_over(name: str) -> None:
    rule = SILENCES[name]
    silence = Silence((rule,))
    for change in changes():
        # Where clocks go back, a range that began before it lasts until its end; else it is exact.
        twice = max(change.before - change.after, timedelta()) + HOUR
        for at in every(53, change):
            opens = instant(silence.next_open(ms(at), "sms", "information", change.zone))
            assert not is_silent(rule, change.wall(opens)), (change, at)
            assert silence.next_open(ms(opens), "sms", "information", change.zone) == ms(opens)
            silent = is_silent(rule, change.wall(at))
            exact = abs(at - change.at) > twice or change.before < change.after
            assert opens > at if silent else (opens == at or not exact), (change, at)
            if silent and change.before < change.after:
                assert is_silent(rule, change.wall(opens - timedelta(seconds=1))), (change, at)


def test_a_window_opens_when_the_clock_shows_its_beginning() -> None:
    windows = (Window(frozenset(Weekday), Hours(time(2, 30), time(11))),)
    for change in changes():
        for day in change.days[1:]:
            opens, closes = (ms(change.first(day, clock)) for clock in (time(2, 30), time(11)))
            assert next_within(opens - 1, windows, change.zone) == opens, (change, day)
            assert next_within(opens, windows, change.zone) == opens, (change, day)
            assert next_within(closes - 1, windows, change.zone) == closes - 1, (change, day)
            assert next_within(closes, windows, change.zone) > closes, (change, day)
