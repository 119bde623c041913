"""What messages cost, and what their credit was worth: arithmetic over an answer. Currencies never mix."""

from collections import defaultdict
from typing import NamedTuple

from server.journey.credit import NONE

from .ask import Answer
from .metrics import Metric


class Charged(NamedTuple):
    """What providers have told of prices in one currency."""

    currency: str
    messages: int
    amount: int


def charged(answer: Answer, channel: str | None = None, step_key: str | None = None) -> list[Charged]:
    """By currency, by name; without those in which nothing was told."""
    found: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in answer.of(Metric.COST, step_key):
        if channel in (None, one.channel):
            found[one.reason][0] += one.n
            found[one.reason][1] += one.amount
    return [Charged(currency, *sums) for currency, sums in sorted(found.items()) if any(sums)]


def credited(answer: Answer, channel: str | None = None, step_key: str | None = None) -> dict[str, int]:
    """By goal: what the hits were worth for which these messages have the credit."""
    found: defaultdict[str, int] = defaultdict(int)
    for one in answer.of(Metric.CREDITED, step_key):
        if one.reason != NONE and channel in (None, one.channel):
            found[one.output] += one.amount
    return dict(found)
