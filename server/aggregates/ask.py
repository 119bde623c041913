"""Asks counters and user sets: the figures of many journeys in a small, fixed number of statements."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from pyroaring import BitMap
from sqlalchemy import ColumnElement, Select, func, select

from server.clock import Instant
from server.journey.holdout import HOLDOUT
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Counter, UserSet

from .calendar import ALL_TIME, covering, start_of
from .metrics import Dimension, Metric

_counters, _sets = table_of(Counter), table_of(UserSet)

_FLOW = (
    Metric.ENTRIES,
    Metric.ARRIVALS,
    Metric.LEFT,
    Metric.ENDED,
    Metric.MOVED_IN,
    Metric.MOVED_OUT,
)
"""What tells who is where now: sums of it over all time."""


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a project's zone: from `first` up to, not including, `until`. None is without that end."""

    zone: str
    first: date | None = None
    until: date | None = None

    def days(self, earliest: date, latest: date) -> list[int]:
        """The stored days and months that make it up. It never reaches beyond the days given."""
        if self.first is None and self.until is None:
            return [ALL_TIME]
        return covering(max(self.first or earliest, earliest), min(self.until or latest, latest))


class Count(NamedTuple):
    """How often something happened in a span."""

    metric: str
    step_key: str
    output: str
    channel: str
    reason: str
    n: int
    amount: int


class HourCount(NamedTuple):
    hour: Instant
    metric: str
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
    sets: dict[tuple[str, str], dict[int, BitMap]] = field(default_factory=dict)
    """By dimension and value: the users of each shard."""
    hours: list[HourCount] = field(default_factory=list)
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
        wide: defaultdict[int, BitMap] = defaultdict(BitMap)
        for value in values:
            for shard, users in self.sets.get((dimension.value, value), {}).items():
                wide[shard] |= users
        return sum(len(users) for users in wide.values())


@dataclass(frozen=True, slots=True)
class Question:
    """Which figures: of these journeys, in this span, of one version or of all."""

    project_id: int
    span: Span
    version: int | None = None
    hourly: bool = False


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
    for row in await session.rows(_counts(question, list(values))):
        _keep(answers[row.journey_id], row.variant, _count(row))
    for row in await session.rows(_flow(question, list(values))):
        answers[row.journey_id].flow[row.metric, row.step_key] = int(row.n)
    if question.hourly:
        for row in await session.rows(_hours(question, list(values))):
            answers[row.journey_id].hours.append(_hour_count(row))
    if question.version is None:
        await _read_sets(session, question, shards, values, answers, today)
    return answers


def _keep(answer: Answer, variant: str, count: Count) -> None:
    if variant == HOLDOUT:
        answer.held_out.append(count)
    else:
        answer.counts[count.metric][count.step_key].append(count)


def _count(row: Any) -> Count:
    return Count(row.metric, row.step_key, row.output, row.channel, row.reason, int(row.n), int(row.amount))


def _hour_count(row: Any) -> HourCount:
    return HourCount(row.hour, row.metric, row.channel, row.reason, int(row.n), int(row.amount))


def _about(question: Question, journey_ids: list[int]) -> list[ColumnElement[bool]]:
    found = [
        _counters.c.project_id == question.project_id,
        _counters.c.journey_id.in_(journey_ids),
    ]
    if question.version is not None:
        found.append(_counters.c.version == question.version)
    return found


def _within(span: Span) -> Iterable[ColumnElement[bool]]:
    if span.first is not None:
        yield _counters.c.hour >= start_of(span.first, span.zone)
    if span.until is not None:
        yield _counters.c.hour < start_of(span.until, span.zone)


_KEYS = (
    _counters.c.journey_id,
    _counters.c.metric,
    _counters.c.step_key,
    _counters.c.output,
    _counters.c.channel,
    _counters.c.reason,
    _counters.c.variant,
)
_TREATED = _counters.c.variant == ""
"""People who are held out are no part of the figures of a journey: it did nothing for them."""
_HOURLY = (
    _counters.c.journey_id,
    _counters.c.hour,
    _counters.c.metric,
    _counters.c.channel,
    _counters.c.reason,
)
_SUMS = (func.sum(_counters.c.n).label("n"), func.sum(_counters.c.amount).label("amount"))


def _counts(question: Question, journey_ids: list[int]) -> Select[Any]:
    chosen = (*_about(question, journey_ids), *_within(question.span))
    return select(*_KEYS, *_SUMS).where(*chosen).group_by(*_KEYS)


def _hours(question: Question, journey_ids: list[int]) -> Select[Any]:
    chosen = (*_about(question, journey_ids), *_within(question.span), _TREATED)
    return select(*_HOURLY, *_SUMS).where(*chosen).group_by(*_HOURLY).order_by(_counters.c.hour)


def _flow(question: Question, journey_ids: list[int]) -> Select[Any]:
    keys = (_counters.c.journey_id, _counters.c.metric, _counters.c.step_key)
    flowing = _counters.c.metric.in_([metric.value for metric in _FLOW])
    chosen = (*_about(question, journey_ids), flowing, _TREATED)
    return select(*keys, _SUMS[0]).where(*chosen).group_by(*keys)


async def _read_sets(
    session: ReadSession,
    question: Question,
    shards: int,
    values: Mapping[int, Sequence[str]],
    answers: dict[int, Answer],
    today: date,
) -> None:
    owner = {value: journey_id for journey_id, found in values.items() for value in found}
    days = question.span.days(_EARLIEST, date(today.year + 1, 1, 1))
    statement = select(_sets.c.shard, _sets.c.dimension, _sets.c.value, _sets.c.bitmap).where(
        _sets.c.shard.in_(list(range(shards))),
        _sets.c.project_id == question.project_id,
        _sets.c.dimension.in_([dimension.value for dimension in Dimension]),
        # Every step of every journey: as parameters they would be more than a statement can have.
        among(_sets.c.value, "values"),
        _sets.c.day.in_(days),
    )
    for row in await session.rows_in(statement, "values", owner):
        sets = answers[owner[row.value]].sets.setdefault((row.dimension, row.value), {})
        sets[row.shard] = sets.get(row.shard, BitMap()) | BitMap.deserialize(row.bitmap)


_EARLIEST = date(2000, 1, 1)
"""Of a span without a beginning: before anything that a user can have done here."""
