"""What is drawn over time, point by point: arithmetic over the series of an answer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from server.clock import Instant

from .ask import Answer, Span, SpanCount
from .health import INTERNAL_ERROR, SEND_ERROR
from .intervals import check_length, intervals
from .messages import BY_ACTOR_TOO
from .metrics import Metric
from .series import MADE_OF, beginning_of

OF_HEALTH = (Metric.ENTRIES, Metric.SENT, Metric.OPENED, Metric.ENDED, Metric.REACHED, Metric.HITS)
"""The series that a chart of a journey's health is made of."""
OF_GOAL = (Metric.REACHED, Metric.HITS)


class Chart(NamedTuple):
    """Which series to draw."""

    interval: str
    fill: bool
    """With points for intervals in which nothing happened."""
    span: Span
    now: Instant


class Line(NamedTuple):
    """What of a metric is drawn; None is all of it."""

    metric: Metric
    channel: str | None = None
    step_key: str | None = None
    output: str | None = None
    reason: str | None = None

    def takes(self, one: SpanCount) -> bool:
        return (
            one.metric == self.metric
            and self.channel in (None, one.channel)
            and self.step_key in (None, one.step_key)
            and self.output in (None, one.output)
            and self._takes_reason(one.reason)
        )

    def _takes_reason(self, reason: str) -> bool:
        if self.reason is None and self.metric in BY_ACTOR_TOO:
            return not reason
        return self.reason in (None, reason)


class Sums(NamedTuple):
    n: int
    amount: int


class HealthSums(NamedTuple):
    """One interval of a journey."""

    entries: int
    sent: dict[str, int]
    """By channel, the most used first."""
    opened: int
    completed: int
    internal: int
    send: int
    reached: int
    hits: int


def points(answer: Answer, line: Line, chart: Chart) -> Iterator[tuple[Instant, Sums]]:
    """The points of one line, the earliest first."""
    counts = [one for one in answer.series.get(MADE_OF[chart.interval], ()) if line.takes(one)]
    for at, found in _drawn(counts, chart):
        yield at, sums(found)


def groups(
    answer: Answer, metrics: Iterable[Metric], chart: Chart
) -> Iterator[tuple[Instant, list[SpanCount]]]:
    """All counts of these metrics by interval, the earliest first."""
    wanted = {metric.value for metric in metrics}
    counts = [one for one in answer.series.get(MADE_OF[chart.interval], ()) if one.metric in wanted]
    yield from _drawn(counts, chart)


def _drawn(counts: list[SpanCount], chart: Chart) -> Iterator[tuple[Instant, list[SpanCount]]]:
    found: defaultdict[Instant, list[SpanCount]] = defaultdict(list)
    for one in counts:
        if one.n or one.amount:
            found[beginning_of(one.at, chart.interval, chart.span.zone)].append(one)
    times = sorted(found)
    check_length(len(times))
    if chart.fill:
        every = intervals(chart.span, chart.interval, times[0] if times else None, chart.now)
        times = sorted({*times, *every})
    for at in times:
        yield at, found.get(at, [])


def sums(counts: Iterable[SpanCount], line: Line | None = None) -> Sums:
    taken = [one for one in counts if line is None or line.takes(one)]
    return Sums(sum(one.n for one in taken), sum(one.amount for one in taken))


def health_of(counts: list[SpanCount]) -> HealthSums:
    return HealthSums(
        entries=_n(counts, Metric.ENTRIES),
        sent=_by_channel(counts),
        opened=_n(counts, Metric.OPENED),
        completed=_n(counts, Metric.ENDED, "completed"),
        internal=_n(counts, Metric.ENDED, INTERNAL_ERROR),
        send=_n(counts, Metric.ENDED, SEND_ERROR),
        reached=_n(counts, Metric.REACHED),
        hits=_n(counts, Metric.HITS),
    )


def _n(counts: list[SpanCount], metric: Metric, reason: str | None = None) -> int:
    return sums(counts, Line(metric, reason=reason)).n


def _by_channel(counts: list[SpanCount]) -> dict[str, int]:
    found: defaultdict[str, int] = defaultdict(int)
    for one in counts:
        if one.metric == Metric.SENT:
            found[one.channel] += one.n
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
