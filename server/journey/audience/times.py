"""How often something happened in a window, or whether its first or last time lies there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from ..conditions import LONGEST_BACK, MOST_TIMES
from ..moment import Instant
from ..reading import Reader
from .windows import EVER, Window, read_window


class Which(StrEnum):
    """Which of the times are looked at."""

    EVERY = "every"
    FIRST = "first"
    """Only the first there ever was."""
    LAST = "last"
    """Only the last there was until the moment of asking."""


@dataclass(frozen=True, slots=True)
class Times:
    window: Window = EVER
    which: Which = Which.EVERY
    at_least: int = 1
    at_most: int | None = None

    def hold(self, moments: Iterable[Instant], at: Instant, zone: str) -> bool:
        return self.fit(self.count(moments, at, zone))

    def count(self, moments: Iterable[Instant], at: Instant, zone: str) -> int:
        """How many of the moments that are looked at lie in the window."""
        bounds = self.window.bounds(at, zone)
        known = [one for one in moments if one <= at]
        if self.which is not Which.EVERY:
            known = [(min if self.which is Which.FIRST else max)(known)] if known else []
        return sum(map(bounds.hold, known))

    def fit(self, count: int) -> bool:
        return count >= self.at_least and (self.at_most is None or count <= self.at_most)

    @property
    def fits_none(self) -> bool:
        """Whether it holds of somebody to whom it never happened."""
        return self.fit(0)

    @property
    def reads(self) -> Window:
        """In which time there is something to look at."""
        return self.window if self.which is Which.EVERY else EVER


def read_times(reader: Reader) -> Times:
    at_least, at_most = read_count(reader)
    which = Which.EVERY
    if reader.value("which", required=False) is not None:
        which = Which(reader.choice("which", tuple(Which)))
    return Times(_with_duration(reader, read_window(reader)), which, at_least, at_most)


def _with_duration(reader: Reader, window: Window) -> Window:
    """`within_ms` beside the window is how a duration was said before there were windows."""
    within = reader.duration("within_ms", least=1000, most=LONGEST_BACK, required=False) or None
    if within is not None and window.within_ms is not None:
        reader.refuse("within_ms", "It is said twice: here and in the window")
    return window if within is None else replace(window, within_ms=within)


def read_count(reader: Reader) -> tuple[int, int | None]:
    """At least and at most how often. "At most so often" alone says that none is enough, too."""
    at_most: int | None = None
    if reader.value("at_most", required=False) is not None:
        at_most = reader.number("at_most", least=0, most=MOST_TIMES)
    usual = 1 if at_most is None else 0
    at_least = reader.number("at_least", least=0, most=MOST_TIMES, required=False, default=usual)
    if at_most is not None and at_most < at_least:
        reader.refuse("at_most", f"It must be {at_least} or more, found {at_most}", "out_of_range")
    return at_least, at_most
