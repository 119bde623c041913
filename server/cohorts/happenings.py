"""What one unit did, moment by moment, and what of it a report looks at. Nothing but data.

It is asked in the same words as sets are (`acts.Parts`): the act itself at its moment, and what has to have
been done beside it on the same day.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from server.clock import Instant

from . import acts
from .acts import Parts, Source, Turn
from .definition import Definition
from .words import Alignment, Metric, Occurrence

Deeds = Mapping[tuple[str, str], int]
"""Dimension and value, and how much of it."""


Enters = Callable[[Instant], bool]
"""Whether whoever did it at that instant came in: at a base date, and in the segment that is asked for."""


class Happening(NamedTuple):
    """Something that happened, all at once."""

    at: Instant
    day: int
    """In the project's zone."""
    deeds: Deeds


class Did(NamedTuple):
    """When, and how much."""

    at: Instant
    amount: int


class Life(NamedTuple):
    """Of one unit, what a report looks at; each in order of time."""

    entries: Sequence[Instant]
    returns: Sequence[Did]
    visits: Sequence[Did]
    purchases: Sequence[Did]
    revenue: Sequence[Did]


@dataclass(slots=True)
class Past:
    """Of one unit, everything that was read, in order of time."""

    happenings: Sequence[Happening]
    before: Collection[Source] = ()
    """What was done on some day before the first that was read."""
    _days: dict[int, set[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in self.happenings:
            self._days.setdefault(one.day, set()).update(one.deeds)

    def amounts(self, parts: Parts) -> list[Did]:
        """Each time that the act was done, with everything beside it on that day."""
        return [
            Did(one.at, sum(one.deeds.get((of.dimension, of.value), 0) for of in parts.act.ofs))
            for one in self._times(parts.act)
            if all(self._is_day_of(source, one.day) for source in parts.beside)
        ]

    def _times(self, source: Source) -> Iterator[Happening]:
        first: int | None = None
        was_before = source._replace(turn=Turn.ANY) in self.before
        for one in self.happenings:
            if not any((of.dimension, of.value) in one.deeds for of in source.ofs):
                continue
            is_later = was_before or (first is not None and one.day != first)
            if _counts(source.turn, is_first=first is None and not was_before, is_later=is_later):
                yield one
            first = one.day if first is None else first

    def _is_day_of(self, source: Source, day: int) -> bool:
        """Whether it was done on that day: for the first time ever, or again, if that is asked."""
        if not self._did(source, day):
            return False
        was_before = source._replace(turn=Turn.ANY) in self.before
        is_first = not was_before and day == min(one for one in self._days if self._did(source, one))
        return _counts(source.turn, is_first=is_first, is_later=not is_first)

    def _did(self, source: Source, day: int) -> bool:
        done = self._days.get(day, ())
        return any((of.dimension, of.value) in done for of in source.ofs)


def _counts(turn: Turn, *, is_first: bool, is_later: bool) -> bool:
    return turn in (Turn.ANY, Turn.SO_FAR) or (is_first if turn is Turn.FIRST else is_later)


def life_of(past: Past, asked: Definition, paid: str, value: str | None, enters: Enters) -> Life:
    """Of one value of a breakdown, or of all; `paid` is the currency."""
    entries = [one.at for one in past.amounts(acts.entry_of(asked, value)) if enters(one.at)]
    # From each entry on everybody has periods of its own: those of the first one.
    if asked.occurrence is not Occurrence.EVERY or asked.alignment is Alignment.ROLLING:
        entries = entries[:1]
    if not entries:
        return Life((), (), (), (), ())
    if asked.metric is Metric.PEOPLE:
        returns = [Did(one.at, 1) for one in past.amounts(acts.back_of(asked, value))]
    else:
        returns = _measured(past, asked, asked.metric, paid, value)
    base = (Metric.VISITS, Metric.PURCHASES, Metric.REVENUE)
    return Life(entries, returns, *(_measured(past, asked, one, paid, value) for one in base))


def _measured(past: Past, asked: Definition, metric: Metric, currency: str, value: str | None) -> list[Did]:
    parts, taken = acts.measured(asked, metric, currency, value)
    found = past.amounts(parts)
    if taken is not None:
        found += [Did(one.at, -one.amount) for one in past.amounts(taken)]
    return sorted(found)
