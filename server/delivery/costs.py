"""What a message costs: the price that was told last, else what the price list says of its result."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from channels.contract import Price
from server.aggregates.metrics import Metric
from server.clock import Instant
from server.delivery.status import DeliveryStatus
from server.journey.goals import AMOUNT_SCALE
from server.store.prices import ListPrice

ALIMTALK, BRAND_TEXT = "alimtalk", "brand_text"
_USUAL_KINDS = {"kakao": ALIMTALK, "brand_message": BRAND_TEXT}
"""By channel: what its messages are billed as unless somebody says otherwise; else by the channel's name."""
_STILL_OPEN = (DeliveryStatus.ATTEMPTED, DeliveryStatus.UNKNOWN, DeliveryStatus.ACCEPTED)


class Source(StrEnum):
    """Who says what a message costs."""

    PROVIDER = "provider"
    PRICE_LIST = "price_list"


class Open(StrEnum):
    """Why nothing is booked for a message that went out."""

    OUTCOME = "outcome"
    """Nobody knows yet whether it arrived, and its kind is billed when it has."""
    PRICE = "price"
    """The price list says nothing of it."""


class Cost(NamedTuple):
    """One price, as kept. Of two the greater counts: the one told later, of two at one instant the dearer."""

    told_at: Instant
    amount: int
    """In ten-thousandths of the currency's unit."""
    currency: str


class Line(NamedTuple):
    """What one of the figures of costs is about: it stands in the place of an output."""

    connection_id: int
    """0 for none."""
    kind: str
    source: str = ""
    vat_rate: int | None = None
    """In hundredths of a per cent; none where a provider told the price, who does not say."""

    def written(self) -> str:
        rate = "" if self.vat_rate is None else self.vat_rate
        return f"{self.connection_id}/{self.kind}/{self.source}/{rate}"


def read_line(written: str) -> Line:
    connection_id, kind, source, rate = written.split("/")
    return Line(int(connection_id), kind, source, int(rate) if rate else None)


@dataclass(frozen=True, slots=True)
class Bill:
    """What is known of the cost of one message."""

    connection_id: int | None
    kind: str
    """What it is billed as; empty while nobody knows."""
    told: Cost | None = None
    """The price that its provider told. It wins over the list."""
    listed: ListPrice | None = None
    """The price that it was booked by."""


class Charge(NamedTuple):
    """One thing that a message counts as: the metric, and what tells it apart."""

    metric: Metric
    output: str
    reason: str
    amount: int
    at: Instant


Counted = Mapping[tuple[Metric, str], Instant]


def cost_of(told_at: Instant, amount: int | None, currency: str) -> Cost | None:
    """The price in a row; none if it has none."""
    return None if amount is None else Cost(told_at, amount, currency)


def to_amount(price: Price | None) -> int | None:
    """As it is kept: rounded to a ten-thousandth of the currency's unit."""
    return None if price is None else int((Decimal(price.amount) * AMOUNT_SCALE).to_integral_value())


def usual_kind(channel: str) -> str:
    return _USUAL_KINDS.get(channel, channel)


def went_at(counted: Counted) -> Instant | None:
    """When the provider took the message over; else when it was found that nobody knows."""
    sent = counted.get((Metric.SENT, ""))
    unknown = (at for (metric, _), at in counted.items() if metric is Metric.UNKNOWN)
    return next(unknown, None) if sent is None else sent


def due_at(kind: str, status: DeliveryStatus, counted: Counted) -> Instant | None:
    """The instant whose price a message is booked by: when its provider took it over. None if it is not due.

    Alimtalks and brand messages are paid for when they were delivered, and whatever else when it was taken.
    """
    if is_paid_on_delivery(kind) and status is not DeliveryStatus.DELIVERED:
        return None
    return counted.get((Metric.SENT, ""))


def is_paid_on_delivery(kind: str) -> bool:
    return kind == ALIMTALK or kind.startswith("brand_")


def charges(bill: Bill, status: DeliveryStatus, counted: Counted) -> list[Charge]:
    """What a message counts as, as far as money goes. It counts in the period in which it was sent."""
    went, here = went_at(counted), bill.connection_id or 0
    price, source, rate = _price(bill)
    if price is not None:
        amount, currency, told_at = price
        at = counted.get((Metric.SENT, ""), told_at)
        found = [Charge(Metric.COST, "", currency, amount, at)]
        if bill.kind:
            line = Line(here, bill.kind, source, rate)
            found.append(Charge(Metric.BILLED, line.written(), currency, amount, at))
        return found
    why = _why_open(bill, status, counted)
    if went is None or not why:
        return []
    return [Charge(Metric.UNBILLED, Line(here, bill.kind).written(), why, 0, went)]


def _price(bill: Bill) -> tuple[tuple[int, str, Instant] | None, str, int | None]:
    if bill.told is not None:
        return (bill.told.amount, bill.told.currency, bill.told.told_at), Source.PROVIDER.value, None
    if bill.listed is not None:
        listed = bill.listed
        return (listed.amount, listed.currency, listed.valid_from), Source.PRICE_LIST.value, listed.vat_rate
    return None, "", None


def _why_open(bill: Bill, status: DeliveryStatus, counted: Counted) -> str:
    if not bill.kind:
        return ""
    if status is not DeliveryStatus.UNKNOWN and due_at(bill.kind, status, counted) is not None:
        return Open.PRICE.value
    return Open.OUTCOME.value if status in _STILL_OPEN else ""
