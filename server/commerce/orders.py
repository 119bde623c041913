"""An order as it is known: told once or several times, paid, given back. Folded from what events tell.

- An order is told twice when two events of a user name the same order id. It counts once, with the time
  and the properties of the event that was heard of first; an amount that was missing is filled in later.
- What is given back never exceeds what was paid, in whatever order and however often it is told. A refund
  waits for its order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from server.journey.moment import Instant

from .reading import Ordered, Refunded

ORDERED, SPENT, REFUNDED, SIGNED_UP = "ordered", "spent", "refunded", "signed_up"
CANCELLED = "cancelled"
"""Also the key of the refund that a cancellation is."""
MOST_REFUNDS = 100
"""Of one order."""


class Counts(NamedTuple):
    """What is to be counted of a user by now: a deed with its value, when it was done, and how much."""

    deed: str
    value: str
    at: Instant
    amount: int


@dataclass(slots=True)
class Refund:
    at: Instant
    wants: int | None
    """What it says was given back; none for all of it."""
    counted: int = 0


@dataclass(slots=True)
class Order:
    key: str
    order_id: str = ""
    ordered_at: Instant | None = None
    """None while only refunds were heard of it."""
    digest: str = ""
    amount: int | None = None
    currency: str = ""
    coupons: tuple[str, ...] = ()
    products: tuple[tuple[str, str, str, str], ...] = ()
    flag: str = ""
    refunds: dict[str, Refund] = field(default_factory=dict)
    """By key: the refund's own id, else its event."""
    is_changed: bool = False

    @property
    def refunded(self) -> int:
        return sum(one.counted for one in self.refunds.values())

    @property
    def cancelled_at(self) -> Instant | None:
        found = self.refunds.get(CANCELLED)
        return found.at if found else None

    def order(self, told: Ordered, at: Instant, digest: str) -> Iterator[Counts]:
        """An event tells this order. What it counts, if it is the first or tells more than the first."""
        if self.ordered_at is None:
            self.order_id, self.ordered_at, self.digest = told.order_id, at, digest
            self.coupons, self.products = told.coupons, tuple((*one,) for one in told.products)
            self.currency, self.flag, self.is_changed = told.currency, told.flag, True
            yield Counts(ORDERED, "", at, 1)
            if self.cancelled_at is not None:
                yield Counts(CANCELLED, "", self.cancelled_at, 1)
        if self.amount is None and told.amount is not None:
            self.amount, self.currency, self.flag = told.amount, told.currency, told.flag
            self.is_changed = True
            if told.amount:
                yield Counts(SPENT, self.currency, self.ordered_at, told.amount)
            yield from self.settle()

    def refund(self, told: Refunded, at: Instant, digest: str) -> Iterator[Counts]:
        """An event tells that some of it, or all, was given back."""
        self.order_id = self.order_id or told.order_id
        if told.order_id == "":
            # It stands alone: nothing is known to hold it against.
            self.currency = told.currency
        key = f"refund {told.refund_id}" if told.refund_id else digest
        yield from self.give_back(key, Refund(at, told.amount), alone=told.order_id == "")

    def cancel(self, at: Instant) -> Iterator[Counts]:
        """An event tells that nothing became of it: everything that was paid is given back."""
        yield from self.give_back(CANCELLED, Refund(at, None))

    def give_back(self, key: str, refund: Refund, *, alone: bool = False) -> Iterator[Counts]:
        if key in self.refunds or len(self.refunds) >= MOST_REFUNDS:
            return
        self.refunds[key], self.is_changed = refund, True
        if key == CANCELLED and self.ordered_at is not None:
            yield Counts(CANCELLED, "", refund.at, 1)
        if alone and refund.wants:
            refund.counted = refund.wants
            yield Counts(REFUNDED, self.currency, refund.at, refund.counted)
        yield from self.settle()

    def settle(self) -> Iterator[Counts]:
        """Counts of the refunds what the order leaves room for, the earliest first."""
        if self.ordered_at is None or self.amount is None:
            return
        left = self.amount - self.refunded
        for _, refund in sorted(self.refunds.items(), key=lambda item: (item[1].at, item[0])):
            wants = self.amount if refund.wants is None else refund.wants
            more = min(wants - refund.counted, left)
            if more > 0:
                refund.counted += more
                left -= more
                self.is_changed = True
                yield Counts(REFUNDED, self.currency, refund.at, more)

    def absorb(self, other: "Order") -> Iterator[Counts]:
        """The same order, told of a user who turned out to be this one."""
        self.order_id = self.order_id or other.order_id
        if other.ordered_at is not None:
            what = Ordered(other.order_id, other.amount, other.currency, other.coupons, (), other.flag)
            is_first = self.ordered_at is None
            yield from self.order(what, other.ordered_at, other.digest)
            if is_first:
                self.products = other.products
        for key, refund in other.refunds.items():
            alone = other.ordered_at is None and refund.counted > 0
            if alone:
                self.currency = other.currency
            yield from self.give_back(key, Refund(refund.at, refund.wants), alone=alone)
