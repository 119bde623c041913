"""What messages cost, in a batch: told by providers, else booked by the price list with the result."""

from server.delivery.costs import Bill, Charge, charges, cost_of, due_at, usual_kind, went_at
from server.delivery.receipts import HeardReceipt
from server.delivery.status import Counted, status_of
from server.store.prices import Wanted

from .batch import Batch
from .state import MessageState


def hear(message: MessageState, receipt: HeardReceipt) -> None:
    """A price that was told before a known one changes nothing; nor does the order of what is told."""
    told = cost_of(receipt.occurred_at, receipt.price, receipt.currency)
    if told is not None and (message.cost is None or told > message.cost):
        message.cost = told
    if receipt.billed_as:
        _hear_kind(message, receipt.billed_as)


def _hear_kind(message: MessageState, told: str) -> None:
    """What is told wins over what is usual; of several, the last by name."""
    usual, known = usual_kind(message.channel), message.billed_as
    message.billed_as = max(known, told, key=lambda kind: (kind != "", kind != usual, kind))
    if message.billed_as != known:
        # Another line of the list may say more of it.
        message.priced_by = None


def book(batch: Batch, message: MessageState, counted: Counted) -> None:
    """Books what the list says of the result, or takes it back: the price at which it was taken over."""
    if went_at(counted) is not None:
        message.billed_as = message.billed_as or usual_kind(message.channel)
    at = due_at(message.billed_as, status_of(message.heard), counted)
    if at is None or message.cost is not None or not message.billed_as:
        message.priced_by = None
    elif message.priced_by is None:
        wanted = Wanted(message.channel, message.connection_id, message.billed_as, at)
        message.priced_by = batch.catalog.prices.at(message.project_id, wanted)


def charged(message: MessageState, counted: Counted) -> list[Charge]:
    bill = Bill(message.connection_id, message.billed_as, message.cost, message.priced_by)
    return charges(bill, status_of(message.heard), counted)


def count_change(batch: Batch, message: MessageState, before: list[Charge], after: list[Charge]) -> None:
    """Takes back what was counted, and counts what is."""
    if before == after:
        return
    about = (message.project_id, message.journey_id, message.version, message.step_key)
    for sign, found in ((-1, before), (1, after)):
        for one in found:
            batch.tally.count(
                *(one.metric, *about, one.at, message.entered_at),
                output=one.output,
                channel=message.channel,
                reason=one.reason,
                n=sign,
                amount=sign * one.amount,
            )
