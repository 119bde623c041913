"""Questions of orders and sign-ups: how often, how much, the first, the last, the n-th, and when.

An order counts once, however often it was told, and with everything in it: whoever asks for a product asks
for orders that have it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..goals import AMOUNT_SCALE
from ..moment import Instant, Past
from ..reading import Reader
from .happened import Sum, amount_of, read_amounts
from .person import Facts, Person, Wanted, Wants
from .times import Times, Which, read_times
from .visits import read_values
from .windows import EVER, Window, read_window

PURCHASE, SIGNED_UP = Facts("purchase"), Facts("signed_up")
MOST_NTH = 1000


@dataclass(frozen=True, slots=True)
class Orders:
    """Which orders are meant."""

    products: tuple[str, ...] = ()
    """Ids, SKUs or names, of which one has to be in it."""
    categories: tuple[str, ...] = ()
    coupons: tuple[str, ...] = ()
    kept: bool = False
    """Neither cancelled nor given back as a whole."""

    def of(self, person: Person) -> list[Past]:
        """Those that the person had made by the moment of asking, the first first."""
        found = (one for one in person.past(PURCHASE) if one.at <= person.at)
        return sorted((one for one in found if self._fits(one, person.at)), key=lambda one: one.at)

    def _fits(self, order: Past, at: Instant) -> bool:
        told = order.properties
        return (
            (not self.products or any(one in self.products for line in told["products"] for one in line[:3]))
            and (not self.categories or any(line[3] in self.categories for line in told["products"]))
            and (not self.coupons or any(code in self.coupons for code in told["coupons"]))
            and (not self.kept or is_kept(told, at))
        )


def is_kept(told: Any, at: Instant) -> bool:
    cancelled_at = told["cancelled_at"]
    if cancelled_at is not None and cancelled_at <= at:
        return False
    return not told["amount"] or refunded_by(told, at) < told["amount"]


def refunded_by(told: Any, at: Instant) -> int:
    """How much had been given back by then, in ten-thousandths."""
    return sum(counted for when, counted in told["refunds"] if when <= at)


@dataclass(frozen=True, slots=True)
class Bought:
    """So many orders in a window; or the first, the last or the n-th order lies there."""

    orders: Orders
    times: Times
    nth: int = 0
    """Which one alone is looked at; 0 for all that `times` says."""

    def holds(self, person: Person) -> bool:
        moments = [one.at for one in self.orders.of(person)]
        if self.nth:
            moments = moments[self.nth - 1 : self.nth]
        return self.times.hold(moments, person.at, person.zone)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(PURCHASE, EVER if self.nth else self.times.reads),))


@dataclass(frozen=True, slots=True)
class Spent:
    """What orders in a window come to in one currency. Of no orders the sum is 0, and the rest nothing.

    Where none is named it is the person's own: amounts of several are never added up.
    """

    orders: Orders
    of: Sum
    currency: str
    """Empty for the one in which most of the person's orders are that cost something."""
    at_least: int | None
    at_most: int | None
    """In ten-thousandths."""
    window: Window
    net: bool = False
    """Without what was given back."""

    def holds(self, person: Person) -> bool:
        orders = self._paid(person)
        currency = self.currency or currency_of(orders)
        paid = [told for told in orders if told["currency"] == currency]
        found = amount_of(self.of, [self._left_of(told, person.at) for told in paid])
        return found is not None and self.fits(found)

    def fits(self, found: float) -> bool:
        enough = self.at_least is None or found >= self.at_least
        return enough and (self.at_most is None or found <= self.at_most)

    def _paid(self, person: Person) -> list[Mapping[str, Any]]:
        bounds = self.window.bounds(person.at, person.zone)
        found = (one.properties for one in self.orders.of(person) if bounds.hold(one.at))
        return [told for told in found if told["amount"] is not None]

    def _left_of(self, told: Mapping[str, Any], at: Instant) -> int:
        amount: int = told["amount"]
        return amount - (refunded_by(told, at) if self.net else 0)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(PURCHASE, self.window),))


def currency_of(orders: Iterable[Mapping[str, Any]]) -> str:
    """The one in which most of these orders are that cost something; of several such, the first by name."""
    listed = list(orders)
    often = Counter(told["currency"] for told in listed if told["amount"])
    often = often or Counter(told["currency"] for told in listed)
    return min(often, key=lambda one: (-often[one], one), default="")


@dataclass(frozen=True, slots=True)
class SignedUp:
    """The sign-up, the first if it was told several times, lies in a window."""

    window: Window

    def holds(self, person: Person) -> bool:
        moments = [one.at for one in person.past(SIGNED_UP)]
        return bool(moments) and self.window.bounds(person.at, person.zone).hold(min(moments))

    def wants(self) -> Wants:
        return Wants(past=(Wanted(SIGNED_UP, EVER),))


def read_purchased(reader: Reader) -> Bought:
    times = read_times(reader)
    nth = reader.number("nth", least=1, most=MOST_NTH, required=False)
    if nth and times.which is not Which.EVERY:
        reader.refuse("nth", "Either `nth` or `which` can be asked for, found both")
    return Bought(_read_orders(reader), times, nth)


def read_spent(reader: Reader) -> Spent:
    at_least, at_most = (_scaled(one) for one in read_amounts(reader))
    of = reader.choice("of", tuple(Sum)) if reader.value("of", required=False) else Sum.SUM
    return Spent(
        _read_orders(reader),
        Sum(of),
        reader.text("currency", required=False, longest=3).upper(),
        at_least,
        at_most,
        read_window(reader),
        reader.flag("net"),
    )


def read_signed_up(reader: Reader) -> SignedUp:
    return SignedUp(read_window(reader))


def _read_orders(reader: Reader) -> Orders:
    products, categories, coupons = (
        tuple(read_values(reader, name)) for name in ("product", "category", "coupon")
    )
    return Orders(products, categories, coupons, reader.flag("kept"))


def _scaled(amount: float | None) -> int | None:
    return None if amount is None else round(amount * AMOUNT_SCALE)
