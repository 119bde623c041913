"""What a journey achieved, and which messages have the credit: arithmetic over an answer."""

from typing import NamedTuple

from server.journey.credit import NONE, OPENED, SENT

from .ask import Answer, Count
from .metrics import Metric


class Reached(NamedTuple):
    """What a journey achieved for one goal, or for all of them."""

    runs: int
    """Each once for each goal."""
    hits: int
    amount: int
    """Of all hits."""
    first_amount: int
    """Of each run's first."""


class Credit(NamedTuple):
    """Hits by the message that has the credit."""

    after_open: int
    after_send: int
    runs_after_open: int
    """Runs by their first hit, each once for each goal."""
    runs_after_send: int
    assisted: int
    amount: int
    """Of those credited."""

    @property
    def total(self) -> int:
        return self.after_open + self.after_send

    @property
    def runs(self) -> int:
        return self.runs_after_open + self.runs_after_send


def reached(answer: Answer, goal: str | None = None) -> Reached:
    first, every = _of(answer, Metric.REACHED, goal), _of(answer, Metric.HITS, goal)
    return Reached(_n(first), _n(every), _amount(every), _amount(first))


def credit(answer: Answer, step_key: str, goal: str | None = None, channel: str | None = None) -> Credit:
    """The conversions that the messages of a step have the credit for, on one channel or on all."""
    found = _of(answer, Metric.CREDITED, goal, step_key, channel)
    first = _of(answer, Metric.CREDITED_FIRST, goal, step_key, channel)
    return Credit(
        after_open=_by(found, OPENED),
        after_send=_by(found, SENT),
        runs_after_open=_by(first, OPENED),
        runs_after_send=_by(first, SENT),
        assisted=_n(_of(answer, Metric.ASSISTED, goal, step_key, channel)),
        amount=_amount(found),
    )


def by_credit(answer: Answer, goal: str | None = None) -> dict[str, int]:
    """All hits of the journey: after an open, after a sending, and before anything was sent."""
    found = _of(answer, Metric.CREDITED, goal)
    return {how: _by(found, how) for how in (OPENED, SENT, NONE)}


def _of(
    answer: Answer,
    metric: Metric,
    goal: str | None,
    step_key: str | None = None,
    channel: str | None = None,
) -> list[Count]:
    return [
        one
        for one in answer.of(metric, step_key)
        if goal in (None, one.output) and channel in (None, one.channel)
    ]


def _by(counts: list[Count], how: str) -> int:
    return _n([one for one in counts if one.reason == how])


def _n(counts: list[Count]) -> int:
    return sum(one.n for one in counts)


def _amount(counts: list[Count]) -> int:
    return sum(one.amount for one in counts)
