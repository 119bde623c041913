"""Silent hours: when a journey sends nothing on a channel, in the zone of the person concerned.

Silence is read as wide as it can be: it begins the first time that the clock shows its beginning, and is
over the last time that it shows its end. Ranges and closed days join where they touch; so a night that
leads into a closed day lasts until that day is over, and then until its own morning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Any

from .hours import MINUTES_OF_WEEK, WHOLE_DAY, Hours, Stretch, minutes_of_week, read_hours, read_weekdays
from .local_time import ONE_DAY, Weekday, day_of, weekday_of
from .moment import Instant
from .reading import Reader

ALL, ADVERTISEMENT = "all", "advertisement"
APPLIES_TO = (ALL, ADVERTISEMENT)
"""Whether the messages that people asked for (`information`) keep silence, too."""
MOST_RULES, MOST_RANGES, MOST_CHANNELS = 20, 10, 20
_LONGEST = 15 * 86_400_000
"""A checked silence opens every week; if clocks swallow that, in the next one."""


@dataclass(frozen=True, slots=True)
class SilentHours:
    """One rule: on these channels, at these hours and on these whole days, nothing."""

    channels: frozenset[str]
    ranges: tuple[Hours, ...] = ()
    closed: frozenset[Weekday] = frozenset()
    applies_to: str = ALL

    def concerns(self, channel: str, purpose: str) -> bool:
        return channel in self.channels and self.applies_to in (ALL, purpose)

    def minutes(self) -> int:
        """The minutes of a week at which it is silent, a bit each."""
        every = [minutes_of_week(hours, Weekday) for hours in self.ranges]
        silent = minutes_of_week(WHOLE_DAY, self.closed)
        for minutes in every:
            silent |= minutes
        return silent


@lru_cache(maxsize=8192)
def _stretches(rule: SilentHours, today: date, zone: str) -> Sequence[Stretch]:
    """Its pieces that begin yesterday, today, and tomorrow: clocks may go back over midnight."""
    found = []
    for day in (today - ONE_DAY, today, today + ONE_DAY):
        found += [hours.widest_on(day, zone) for hours in rule.ranges]
        if weekday_of(day) in rule.closed:
            found.append(WHOLE_DAY.widest_on(day, zone))
    return found


@dataclass(frozen=True, slots=True)
class Silence:
    """All rules of a journey. Where several concern a message, each has its say."""

    rules: tuple[SilentHours, ...] = ()

    def next_open(self, at: Instant, channel: str, purpose: str, zone: str) -> Instant:
        """The first instant from now on at which such a message may leave: now, if nothing is silent."""
        rules = [rule for rule in self.rules if rule.concerns(channel, purpose)]
        opens = at
        while rules and opens - at < _LONGEST:
            today = day_of(opens, zone)
            around = [one for rule in rules for one in _stretches(rule, today, zone)]
            ends = [end for start, end in around if start <= opens < end]
            if not ends:
                break
            opens = max(ends)
        return opens


def read_silence(reader: Reader, key: str = "silence") -> Silence:
    """The setting of a graph; without it nothing is silent."""
    before = len(reader.problems)
    items = list(reader.items(key, most=MOST_RULES))
    silence = Silence(tuple(_read_rule(item) for item in items))
    if len(reader.problems) > before:
        return silence
    channels = frozenset().union(*(rule.channels for rule in silence.rules))
    closing = {_closing(silence, *about) for about in product(channels, ("information", ADVERTISEMENT))}
    for index in sorted(one for one in closing if one is not None):
        items[index].refuse(None, "With it a channel is silent for the whole week", "never_opens")
    return silence


def _closing(silence: Silence, channel: str, purpose: str) -> int | None:
    """The rule with which nothing is left of the week in which such a message could leave."""
    silent = 0
    for index, rule in enumerate(silence.rules):
        if rule.concerns(channel, purpose):
            silent |= rule.minutes()
        if silent == MINUTES_OF_WEEK:
            return index
    return None


def _read_rule(reader: Reader) -> SilentHours:
    applies_to: Any = reader.value("applies_to", required=False)
    before = len(reader.problems)
    rule = SilentHours(
        channels=_read_channels(reader),
        ranges=tuple(read_hours(item) for item in reader.items("ranges", most=MOST_RANGES)),
        closed=read_weekdays(reader, "closed", least=0),
        applies_to=reader.choice("applies_to", APPLIES_TO) if applies_to is not None else ALL,
    )
    if not (rule.ranges or rule.closed or len(reader.problems) > before):
        reader.refuse(None, "It needs `ranges` or `closed` weekdays; found neither", "missing")
    return rule


def _read_channels(reader: Reader) -> frozenset[str]:
    found = reader.value("channels")
    if found is None:
        return frozenset()
    if not isinstance(found, list) or not all(isinstance(one, str) and 0 < len(one) <= 64 for one in found):
        reader.refuse("channels", "`channels` must be a list of names of channels")
        return frozenset()
    if not 0 < len(found) <= MOST_CHANNELS:
        wanted = f"1 to {MOST_CHANNELS}"
        reader.refuse("channels", f"`channels` may hold {wanted} names, found {len(found)}", "out_of_range")
    return frozenset(found[:MOST_CHANNELS])
