"""What messages cost, and what their credit was worth: arithmetic over an answer. Currencies never mix."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select

from server.delivery.costs import Line, read_line
from server.journey.credit import NONE
from server.store.bulk import table_of
from server.store.prices import vat_of
from server.store.sessions import ReadSession
from server.store.tables import Counter, Journey

from .ask import Answer
from .calendar import HAPPENED
from .metrics import Metric

_counters, _journeys = table_of(Counter), table_of(Journey)


class Charged(NamedTuple):
    """What is known of prices in one currency."""

    currency: str
    messages: int
    amount: int


class Billed(NamedTuple):
    """What messages of one kind cost through one connection."""

    channel: str
    line: Line
    currency: str
    messages: int
    amount: int

    @property
    def vat(self) -> int | None:
        """Of the whole; None where providers told the prices, who do not say."""
        return None if self.line.vat_rate is None else vat_of(self.amount, self.line.vat_rate)


class Unbilled(NamedTuple):
    """Messages of one kind of which nothing is booked."""

    channel: str
    line: Line
    why: str
    messages: int


def charged(answer: Answer, channel: str | None = None, step_key: str | None = None) -> list[Charged]:
    """By currency, by name; without those in which nothing is known."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in answer.of(Metric.COST, step_key):
        if channel in (None, one.channel):
            found[one.reason][0] += one.n
            found[one.reason][1] += one.amount
    return [Charged(currency, *sums) for currency, sums in sorted(found.items()) if any(sums)]


def billed(answer: Answer, channel: str | None = None, step_key: str | None = None) -> list[Billed]:
    """By channel, connection and kind."""
    counts = answer.of(Metric.BILLED, step_key)
    return _billed(one for one in counts if channel in (None, one.channel))


def unbilled(answer: Answer, channel: str | None = None, step_key: str | None = None) -> list[Unbilled]:
    counts = answer.of(Metric.UNBILLED, step_key)
    return _unbilled(one for one in counts if channel in (None, one.channel))


def _billed(counts: Iterable[Any]) -> list[Billed]:
    found: defaultdict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in counts:
        sums = found[one.channel, one.output, one.reason]
        sums[0] += one.n
        sums[1] += one.amount
    return [
        Billed(channel, read_line(output), currency, n, amount)
        for (channel, output, currency), (n, amount) in sorted(found.items())
        if n or amount
    ]


def _unbilled(counts: Iterable[Any]) -> list[Unbilled]:
    found: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for one in counts:
        found[one.channel, one.output, one.reason] += one.n
    return [
        Unbilled(channel, read_line(output), why, n)
        for (channel, output, why), n in sorted(found.items())
        if n
    ]


_OF_SPAN = (
    select(
        *(_counters.c[name] for name in ("metric", "channel", "output", "reason")),
        func.sum(_counters.c.n).label("n"),
        func.sum(_counters.c.amount).label("amount"),
    )
    .where(
        _counters.c.project_id == bindparam("of_project"),
        _counters.c.journey_id.in_(
            select(_journeys.c.id).where(_journeys.c.project_id == bindparam("of_project"))
        ),
        _counters.c.metric.in_([Metric.BILLED.value, Metric.UNBILLED.value]),
        _counters.c.clock == HAPPENED,
        _counters.c.span == bindparam("of_span"),
    )
    .group_by(*(_counters.c[name] for name in ("metric", "channel", "output", "reason")))
)


async def of_span(session: ReadSession, project_id: int, span: int) -> tuple[list[Billed], list[Unbilled]]:
    """What all journeys of a project cost in a stored span, e.g. the month 202611."""
    rows = await session.rows(_OF_SPAN, {"of_project": project_id, "of_span": span})
    found: defaultdict[str, list[_Sum]] = defaultdict(list)
    for row in rows:
        found[row.metric].append(_Sum(row.channel, row.output, row.reason, int(row.n), int(row.amount)))
    return _billed(found[Metric.BILLED]), _unbilled(found[Metric.UNBILLED])


class _Sum(NamedTuple):
    channel: str
    output: str
    reason: str
    n: int
    amount: int


def credited(answer: Answer, channel: str | None = None, step_key: str | None = None) -> dict[str, int]:
    """By goal: what the hits were worth for which these messages have the credit."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in answer.of(Metric.CREDITED, step_key):
        if one.reason != NONE and channel in (None, one.channel):
            found[one.output] += one.amount
    return dict(found)
