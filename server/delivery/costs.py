"""What a message costs: the last of the prices that were told."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from channels.contract import Price
from server.aggregates.metrics import Metric
from server.clock import Instant
from server.journey.goals import AMOUNT_SCALE


class Cost(NamedTuple):
    """One price, as kept. Of two the greater counts: the one told later, of two at one instant the dearer."""

    told_at: Instant
    amount: int
    """In ten-thousandths of the currency's unit."""
    currency: str


def cost_of(told_at: Instant, amount: int | None, currency: str) -> Cost | None:
    """The price in a row; none if it has none."""
    return None if amount is None else Cost(told_at, amount, currency)


def to_amount(price: Price | None) -> int | None:
    """As it is kept: rounded to a ten-thousandth of the currency's unit."""
    return None if price is None else int((Decimal(price.amount) * AMOUNT_SCALE).to_integral_value())


def counted_at(cost: Cost, counted: Mapping[tuple[Metric, str], Instant]) -> Instant:
    """When it counts: when the provider took the message over; else when the price was told."""
    return counted.get((Metric.SENT, ""), cost.told_at)
