"""Counts lives by hours, and by periods that begin with each unit's own entry. Nothing but numbers.

- An hour is one of the project's zone. The n-th hour after another is the one that begins n times 3,600
  seconds later, also where clocks change.
- A period from an entry on is 24 hours long (7 or 30 times as long for weeks and months, an hour for hours)
  and begins at the instant of the entry: what is done at that very instant is in period 0, and what is done
  exactly 24 hours later in period 1.
- A cell of such periods is complete when they are over for whoever came in last at the base date.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from server.aggregates.calendar import hour_of
from server.clock import DAY, HOUR, Instant

from .definition import Definition
from .happenings import Did, Life
from .words import Alignment, Denominator, Granularity, Metric, Mode

LENGTHS = {
    Granularity.HOUR: HOUR,
    Granularity.DAY: DAY,
    Granularity.WEEK: 7 * DAY,
    Granularity.MONTH: 30 * DAY,
}
Amounts = Mapping[int, int]
"""By period: how much was done in it."""


class Frame(NamedTuple):
    """When the base periods are, and how long each period is."""

    starts: Sequence[Instant]
    """Of the base periods, one after the other; the last of all is where they end."""
    length: int
    is_rolling: bool
    zone: str
    watermark: Instant

    def base_of(self, entry: Instant) -> int:
        return bisect_right(self.starts, entry) - 1

    def mark(self, at: Instant) -> int:
        """Where periods are told from: the instant itself, or the beginning of its hour."""
        return at if self.is_rolling else hour_of(at, self.zone)

    def begun(self, base: int, first: int) -> bool:
        return self.starts[base] + first * self.length < self.watermark

    def complete(self, base: int, last: int) -> bool:
        """Whether it is over for everybody who came in at the base date."""
        ends = self.starts[base + 1] - (1 if self.is_rolling else self.length)
        return ends + (last + 1) * self.length <= self.watermark


@dataclass(slots=True)
class Cohort:
    """The figures of one base date."""

    columns: int
    size: int = 0
    cells: list[int] = field(default_factory=list)
    eligible: list[int] = field(default_factory=list)
    """By column: for how many its period is over."""
    before: int = 0
    """What comes before the first column, for those who ask for PREVIOUS."""
    metric: int = 0
    """The same metric in the base period."""
    visits: int = 0
    purchases: int = 0
    revenue: int = 0

    def __post_init__(self) -> None:
        self.cells, self.eligible = [0] * self.columns, [0] * self.columns


def count(frame: Frame, asked: Definition, lives: Iterable[Life]) -> list[Cohort]:
    """One for each base date."""
    found = [Cohort(len(asked.columns)) for _ in frame.starts[:-1]]
    for life in lives:
        entries = {frame.base_of(entry): entry for entry in reversed(life.entries)}
        if entries:
            done = _Done(*(_marked(frame, one) for one in life[1:]))
            for base, entry in entries.items():
                _add(found[base], frame, asked, entry, done)
    return found


Marked = Sequence[tuple[int, int]]
"""Mark and amount, in order."""


class _Done(NamedTuple):
    """What a life did, so far as it is counted."""

    returns: Marked
    visits: Marked
    purchases: Marked
    revenue: Marked


def _marked(frame: Frame, done: Iterable[Did]) -> Marked:
    return [(frame.mark(one.at), one.amount) for one in done if one.at < frame.watermark]


def _add(cohort: Cohort, frame: Frame, asked: Definition, entry: Instant, done: _Done) -> None:
    mark = frame.mark(entry)
    did = _by_period(frame, mark, done.returns)
    if asked.metric is Metric.PEOPLE:
        did = dict.fromkeys(did, 1)
    cohort.size += 1
    counts_all = asked.denominator is not Denominator.ELIGIBLE
    cells = zip(_cells(asked, did, asked.columns), asked.columns, strict=True)
    for place, (amount, (_, last)) in enumerate(cells):
        over = mark + (last + 1) * frame.length <= frame.watermark
        cohort.eligible[place] += over
        cohort.cells[place] += amount if over or counts_all else 0
    first = asked.first_period
    if first > 0:
        cohort.before += _cells(asked, did, ((first - 1, first - 1),))[0]
    cohort.metric += did.get(0, 0)
    cohort.visits += _in_base(frame, mark, done.visits)
    cohort.purchases += _in_base(frame, mark, done.purchases)
    cohort.revenue += _in_base(frame, mark, done.revenue)


def _by_period(frame: Frame, mark: int, done: Marked) -> dict[int, int]:
    found: dict[int, int] = {}
    for at, amount in done[bisect_left(done, (mark,)) :]:
        period = (at - mark) // frame.length
        found[period] = found.get(period, 0) + amount
    return found


def _in_base(frame: Frame, mark: int, done: Marked) -> int:
    """How much in period 0."""
    begin, end = bisect_left(done, (mark,)), bisect_left(done, (mark + frame.length,))
    return sum(amount for _, amount in done[begin:end])


def _cells(asked: Definition, did: Amounts, columns: Sequence[tuple[int, int]]) -> list[int]:
    """What this entry adds to each column."""
    if asked.mode is Mode.STREAK:
        return [int(all(n in did for n in range(asked.counts_from, last + 1))) for _, last in columns]
    bounds = _BOUNDS[asked.mode]
    found = []
    for column in columns:
        first, last = bounds(column, asked.counts_from)
        total = sum(amount for n, amount in did.items() if first <= n and (last is None or n <= last))
        found.append(min(total, 1) if asked.metric is Metric.PEOPLE else total)
    return found


_BOUNDS: dict[Mode, Callable[[tuple[int, int], int], tuple[int, int | None]]] = {
    Mode.ON: lambda column, _: column,
    Mode.ON_OR_AFTER: lambda column, _: (column[0], None),
    Mode.ON_OR_BEFORE: lambda column, counts_from: (counts_from, column[1]),
    Mode.BRACKETS: lambda column, _: column,
}


def is_by_moments(asked: Definition) -> bool:
    """Whether sets by day cannot answer it."""
    return asked.granularity is Granularity.HOUR or asked.alignment is Alignment.ROLLING
