"""What messages cost, in a batch: the price that counts, and the figures that move with it."""

from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.costs import Cost, cost_of, counted_at
from server.delivery.receipts import HeardReceipt
from server.delivery.status import Counted

from .batch import Batch
from .state import MessageState

Charged = tuple[Cost, Instant]
"""A price, and when it counts."""


def hear(message: MessageState, receipt: HeardReceipt) -> None:
    """A price that was told before a known one changes nothing."""
    told = cost_of(receipt.occurred_at, receipt.price, receipt.currency)
    if told is not None and (message.cost is None or told > message.cost):
        message.cost = told


def charged(message: MessageState, counted: Counted) -> Charged | None:
    return None if message.cost is None else (message.cost, counted_at(message.cost, counted))


def count_change(batch: Batch, message: MessageState, before: Charged | None, after: Charged | None) -> None:
    """Takes back what was counted, and counts what is."""
    if before == after:
        return
    for sign, found in ((-1, before), (1, after)):
        if found is not None:
            cost, at = found
            about = (message.project_id, message.journey_id, message.version, message.step_key)
            batch.tally.count(
                *(Metric.COST, *about, at, message.entered_at),
                channel=message.channel,
                reason=cost.currency,
                n=sign,
                amount=sign * cost.amount,
            )
