"""Asks counters and user sets: the figures of many journeys in a small, fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, case, func, select

from server.clock import Instant
from server.journey.holdout import HOLDOUT
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Counter

from . import sets
from .calendar import ALL_TIME, FIRST_HOUR, HAPPENED, counting, covering, start_of
from .metrics import Dimension, Metric

_counters = table_of(Counter)

_FLOW = (
    Metric.ENTRIES,
    Metric.ARRIVALS,
    Metric.LEFT,
    Metric.ENDED,
    Metric.MOVED_IN,
    Metric.MOVED_OUT,
)
"""What tells who is where now: sums of it over all time."""
HOURS, DAYS = "hours", "days"
"""What a series is made of."""
_EARLIEST = date(2000, 1, 1)
"""Of a span without a beginning: before anything that a user can have done here."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a project's zone: from `first` up to, not including, `until`. None is without that end."""

    zone: str
    first: date | None = None
    until: date | None = None

    @property
    def is_everything(self) -> bool:
        return self.first is None and self.until is None

    def stored(self, today: date) -> list[int]:
        """The fewest stored days, months or all time that make it up."""
        return [ALL_TIME] if self.is_everything else covering(*self._ends(today))

    def counting(self, today: date) -> tuple[list[int], list[int]]:
        """The stored spans to add up for a sum over it, and those to take away again."""
        return ([ALL_TIME], []) if self.is_everything else counting(*self._ends(today), today)

    def _ends(self, today: date) -> tuple[date, date]:
        # Nothing lies further ahead: clocks that are wrong by more are put right when they are heard. The
        # year after the next begins long after the last day of this one and what is told then of tomorrow.
        latest = date(today.year + 2, 1, 1)
        return max(self.first or _EARLIEST, _EARLIEST), min(self.until or latest, latest)


_DIMENSIONS = (
    (Dimension.ENTERED.value,),
    tuple(
        dimension.value
        for dimension in (
            Dimension.ARRIVED,
            Dimension.SENT,
            Dimension.OPENED,
            Dimension.CLICKED,
            Dimension.REACHED,
        )
    ),
    (Dimension.LEFT.value,),
)
"""Which user sets are of a journey, of a step or goal of it, of an output of a step. Branches that are
compared have further ones, and are read with what is known of them."""
_READ = {dimension for dimensions in _DIMENSIONS for dimension in dimensions}
_NOBODY: Mapping[int, BitMap] = {}


class Count(NamedTuple):
    """How often something happened in a span."""

    metric: str
    step_key: str
    output: str
    channel: str
    reason: str
    n: int
    amount: int


class SpanCount(NamedTuple):
    """How often something happened in one hour or on one day."""

    at: Instant
    """When that hour or day began."""
    metric: str
    step_key: str
    """Empty unless the series are asked for by step."""
    output: str
    channel: str
    reason: str
    n: int
    amount: int


@dataclass(slots=True)
class Answer:
    """The figures of one journey in one span."""

    counts: defaultdict[str, defaultdict[str, list[Count]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    """By metric, then by step."""
    flow: dict[tuple[str, str], int] = field(default_factory=dict)
    """By metric and step, over all time."""
    has_sets: bool = False
    """Whether user sets were asked for."""
    sets: dict[tuple[str, str], dict[int, BitMap]] = field(default_factory=dict)
    """By dimension and value: the users of each shard."""
    series: dict[str, list[SpanCount]] = field(default_factory=dict)
    """Hours and days in which something happened, the earliest first."""
    held_out: list[Count] = field(default_factory=list)
    """Of the runs of people who are held out; everything else here is without them."""

    def of(self, metric: Metric, step_key: str | None = None) -> list[Count]:
        """The counts of a metric, at one step or at all of them."""
        by_step: Mapping[str, list[Count]] = self.counts.get(metric.value, {})
        if step_key is not None:
            return by_step.get(step_key, [])
        return [count for counts in by_step.values() for count in counts]

    def total(
        self,
        metric: Metric,
        step_key: str | None = None,
        *,
        output: str | None = None,
        channel: str | None = None,
        reason: str | None = None,
    ) -> int:
        return sum(
            count.n
            for count in self.of(metric, step_key)
            if (output is None or count.output == output)
            and (channel is None or count.channel == channel)
            and (reason is None or count.reason == reason)
        )

    def by_reason(
        self, metric: Metric, step_key: str | None = None, channel: str | None = None
    ) -> dict[str, int]:
        """A metric by what its reason tells apart, without zeros, the most frequent first."""
        found: defaultdict[str, int] = defaultdict(int)
        for count in self.of(metric, step_key):
            if channel is None or count.channel == channel:
                found[count.reason] += count.n
        return {reason: n for reason, n in sorted(found.items(), key=lambda item: (-item[1], item[0])) if n}

    def inside_now(self) -> int:
        came = self._ever(Metric.ENTRIES) + self._ever(Metric.MOVED_IN)
        return came - self._ever(Metric.ENDED) - self._ever(Metric.MOVED_OUT)

    def waiting_now(self, step_key: str) -> int:
        arrived, left, ended = (
            self.flow.get((metric.value, step_key), 0)
            for metric in (Metric.ARRIVALS, Metric.LEFT, Metric.ENDED)
        )
        return arrived - left - ended

    def _ever(self, metric: Metric) -> int:
        return sum(n for (name, _), n in self.flow.items() if name == metric.value)

    def users(self, dimension: Dimension, *values: str) -> int:
        """How many different users are in any of these sets. A user lives in one shard, so shards add up."""
        assert dimension in _READ, f"Nobody reads the user sets of {dimension.value}."
        places = [self.sets.get((dimension.value, value), _NOBODY) for value in values]
        if len(places) == 1:
            return sum(map(len, places[0].values()))
        shards = {shard for place in places for shard in place}
        return sum(
            len(BitMap.union(*(place[shard] for place in places if shard in place))) for shard in shards
        )


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures: of these journeys, in this span, of one version or of all, by which clock."""

    project_id: int
    span: Span
    version: int | None = None
    clock: int = HAPPENED
    users: bool = True
    """Whether user sets are wanted."""
    series: frozenset[tuple[str, str]] = frozenset()
    """Metrics of which a series is wanted, with `HOURS` or `DAYS`."""
    series_by_step: bool = False


async def figures(
    session: ReadSession,
    question: Question,
    shards: int,
    values: Mapping[int, Sequence[str]],
    today: date,
) -> dict[int, Answer]:
    """The figures by journey. `values` are, by journey, the values of its user sets.

    Every statement is for all journeys at once: their number does not change that of the statements.
    """
    answers = {journey_id: Answer() for journey_id in values}
    about = _about(question, shards, list(values))
    for journey_id, *what, variant, n, amount in await session.rows(_counts(question, about, today)):
        # A journey of some steps has a thousand of them.
        _keep(answers[journey_id], variant, Count._make((*what, int(n), int(amount))))
    if question.span.is_everything:
        for answer in answers.values():
            answer.flow = _flowing(answer)
    else:
        for row in await session.rows(_flow(about)):
            answers[row.journey_id].flow[row.metric, row.step_key] = int(row.n)
    await _read_series(session, question, about, answers)
    if question.users:
        await _read_sets(session, question, shards, values, answers, today)
    return answers


def _keep(answer: Answer, variant: str, count: Count) -> None:
    if variant == HOLDOUT:
        answer.held_out.append(count)
    else:
        answer.counts[count.metric][count.step_key].append(count)


def _flowing(answer: Answer) -> dict[tuple[str, str], int]:
    """Of all time, that is what is counted anyway."""
    return {
        (metric.value, step_key): sum(count.n for count in counts)
        for metric in _FLOW
        for step_key, counts in answer.counts.get(metric.value, {}).items()
    }


_Where = tuple[ColumnElement[bool], ...]


def _about(question: Question, shards: int, journey_ids: list[int]) -> _Where:
    """All but the clock and the span, in the order of the primary key."""
    found = (
        _counters.c.shard.in_(list(range(shards))),
        _counters.c.project_id == question.project_id,
        _counters.c.journey_id.in_(journey_ids),
    )
    if question.version is None:
        return found
    return (*found, _counters.c.version == question.version)


def _spans(clock: int, spans: list[int]) -> _Where:
    # All time is the same by both clocks.
    return _counters.c.clock == (HAPPENED if spans == [ALL_TIME] else clock), _counters.c.span.in_(spans)


_KEYS = tuple(
    _counters.c[name]
    for name in ("journey_id", "metric", "step_key", "output", "channel", "reason", "variant")
)
_TREATED = _counters.c.variant == ""
"""People who are held out are no part of the figures of a journey: it did nothing for them."""
_SUMS = (func.sum(_counters.c.n).label("n"), func.sum(_counters.c.amount).label("amount"))


def _counts(question: Question, about: _Where, today: date) -> Select[Any]:
    added, taken = question.span.counting(today)
    within = _spans(question.clock, added + taken)
    sums = _differences(taken) if taken else _SUMS
    return select(*_KEYS, *sums).where(*about, *within).group_by(*_KEYS)


def _differences(taken: list[int]) -> tuple[ColumnElement[int], ...]:
    sign = case((_counters.c.span.in_(taken), -1), else_=1)
    return func.sum(_counters.c.n * sign).label("n"), func.sum(_counters.c.amount * sign).label("amount")


def _flow(about: _Where) -> Select[Any]:
    keys = (_counters.c.journey_id, _counters.c.metric, _counters.c.step_key)
    flowing = _counters.c.metric.in_([metric.value for metric in _FLOW])
    ever = _spans(HAPPENED, [ALL_TIME])
    return select(*keys, _SUMS[0]).where(*about, *ever, flowing, _TREATED).group_by(*keys)


async def _read_series(
    session: ReadSession, question: Question, about: _Where, answers: dict[int, Answer]
) -> None:
    zone = question.span.zone
    for unit in sorted({unit for _, unit in question.series}):
        for answer in answers.values():
            answer.series[unit] = []
        for row in await session.rows(_series(question, about, unit)):
            at = row.span if unit == HOURS else _beginning(row.span, zone)
            step_key = row.step_key if question.series_by_step else ""
            what = (row.metric, step_key, row.output, row.channel, row.reason)
            answers[row.journey_id].series[unit].append(SpanCount(at, *what, int(row.n), int(row.amount)))


def _series(question: Question, about: _Where, unit: str) -> Select[Any]:
    metrics = sorted(metric for metric, of in question.series if of == unit)
    names = ("journey_id", "span", "metric", "output", "channel", "reason")
    keys = [_counters.c[name] for name in (*names, *(("step_key",) if question.series_by_step else ()))]
    first, until = _ends(question.span, unit)
    chosen = (
        *about,
        _counters.c.metric.in_(metrics),
        _counters.c.clock == question.clock,
        _counters.c.span >= first,
        _counters.c.span < until,
        _TREATED,
    )
    return select(*keys, *_SUMS).where(*chosen).group_by(*keys).order_by(_counters.c.span)


def _ends(span: Span, unit: str) -> tuple[int, int]:
    """Between which stored spans the hours or days of a span lie."""
    if unit == HOURS:
        first = FIRST_HOUR if span.first is None else start_of(span.first, span.zone)
        return first, 1 << 62 if span.until is None else start_of(span.until, span.zone)
    return _day_code(span.first or _EARLIEST), _day_code(span.until or date.max)


def _day_code(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _beginning(day: int, zone: str) -> Instant:
    return start_of(date(day // 10_000, day // 100 % 100, day % 100), zone)


async def _read_sets(
    session: ReadSession,
    question: Question,
    shards: int,
    values: Mapping[int, Sequence[str]],
    answers: dict[int, Answer],
    today: date,
) -> None:
    for answer in answers.values():
        answer.has_sets = True
    owner = {value: journey_id for journey_id, found in values.items() for value in found}
    spans = tuple(question.span.stored(today))
    clock = HAPPENED if spans == (ALL_TIME,) else question.clock
    asked = sets.Asked(question.project_id, clock, spans, question.version)
    for place, users in (await sets.read(session, asked, shards, _wanted(owner))).items():
        of_shards = answers[owner[place.value]].sets.setdefault((place.dimension, place.value), {})
        of_shards[place.shard] = users


def _wanted(values: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """Each value with those dimensions that have such values."""
    found: dict[tuple[str, ...], list[str]] = {}
    for value in sorted(values):
        found.setdefault(_DIMENSIONS[value.count("/")], []).append(value)
    return found
