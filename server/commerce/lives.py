"""The life of a user in a few figures: first and last seen, visits, orders. A fold in any order."""

from dataclasses import dataclass, fields
from typing import Any

from server.journey.moment import Instant

from .orders import CANCELLED, ORDERED, SIGNED_UP, Counts


@dataclass(slots=True)
class Life:
    """Also what one batch adds to one: everything is a minimum, a maximum or a sum."""

    first_seen_at: Instant | None = None
    last_seen_at: Instant | None = None
    first_visit_at: Instant | None = None
    last_visit_at: Instant | None = None
    first_order_at: Instant | None = None
    last_order_at: Instant | None = None
    signed_up_at: Instant | None = None
    visits: int = 0
    orders: int = 0
    cancelled: int = 0

    def see(self, at: Instant) -> None:
        self.first_seen_at, self.last_seen_at = _range(at, self.first_seen_at, self.last_seen_at)

    def visit(self, at: Instant) -> None:
        """Something was done on a device of the user's own."""
        self.first_visit_at, self.last_visit_at = _range(at, self.first_visit_at, self.last_visit_at)

    def count(self, one: Counts) -> None:
        if one.deed == ORDERED:
            self.orders += 1
            self.first_order_at, self.last_order_at = _range(one.at, self.first_order_at, self.last_order_at)
        elif one.deed == CANCELLED:
            self.cancelled += 1
        elif one.deed == SIGNED_UP:
            self.signed_up_at = _least(self.signed_up_at, one.at)

    def add(self, other: "Life") -> None:
        """What another knows of the same user."""
        for name in FIRSTS:
            setattr(self, name, _least(getattr(self, name), getattr(other, name)))
        for name in LASTS:
            setattr(self, name, _most(getattr(self, name), getattr(other, name)))
        for name in SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in NAMES)


FIRSTS = ("first_seen_at", "first_visit_at", "first_order_at", "signed_up_at")
LASTS = ("last_seen_at", "last_visit_at", "last_order_at")
SUMS = ("visits", "orders", "cancelled")
NAMES = tuple(one.name for one in fields(Life))
"""In the order of the table's columns."""


def _range(at: Instant, first: Instant | None, last: Instant | None) -> tuple[Instant, Instant]:
    return (at if first is None else min(first, at)), (at if last is None else max(last, at))


def _least(one: Instant | None, two: Instant | None) -> Instant | None:
    return min((at for at in (one, two) if at is not None), default=None)


def _most(one: Instant | None, two: Instant | None) -> Instant | None:
    return max((at for at in (one, two) if at is not None), default=None)
