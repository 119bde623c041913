"""From an event to what it tells: orders, refunds, cancellations, sign-ups, coupons.

Senders write what they like: nothing here raises, and what cannot be read is left out and told as a flag.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any, NamedTuple

from server.journey.dates import Unreadable, find_date
from server.journey.local_time import instant_of
from server.journey.moment import Instant

from .amounts import is_absurd, read_amount, read_currency
from .names import Kind, Words

LONGEST = 200
"""Of an id, a code or a name that is kept; what is longer is cut."""
MOST_PRODUCTS = 100
MOST_COUPONS = 20

NO_ORDER_ID, NO_AMOUNT, UNREADABLE_AMOUNT = "no_order_id", "no_amount", "unreadable_amount"
"""Flags of an order: it cannot be told from a repetition; it names no amount, or none that can be read."""

_AMOUNTS = ("total", "revenue", "value")
"""What was paid goes before what the shop counts as revenue: refunds are told as what was paid, too."""
_CODES = ("coupon", "coupon_code", "coupon_id")
_ORDER_IDS = ("order_id", "orderId", "transaction_id")


class Product(NamedTuple):
    """One line of an order, as far as questions ask for it."""

    id: str
    sku: str
    name: str
    category: str


@dataclass(frozen=True, slots=True)
class Ordered:
    order_id: str
    amount: int | None
    currency: str
    coupons: tuple[str, ...] = ()
    products: tuple[Product, ...] = ()
    flag: str = ""


@dataclass(frozen=True, slots=True)
class Refunded:
    order_id: str
    amount: int | None
    """Of an order; none for all of it."""
    currency: str
    refund_id: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    order_id: str


@dataclass(frozen=True, slots=True)
class SignedUp:
    pass


@dataclass(frozen=True, slots=True)
class CouponTold:
    kind: Kind
    code: str
    name: str = ""
    expires_at: Instant | None = None


Told = Ordered | Refunded | Cancelled | SignedUp | CouponTold


def tell(words: Words, name: str, body: Mapping[str, Any], zone: str) -> list[Told]:
    """All that an event of this name tells. In the project's `zone` days without a clock time end."""
    kind = words.kind_of(name)
    if kind is None:
        return []
    if kind is Kind.SIGNED_UP:
        return [SignedUp()]
    if kind is Kind.ORDERED:
        return _ordered(words, body)
    order_id = _first_text(body, _ORDER_IDS)
    if kind is Kind.REFUNDED:
        return [_refunded(words, order_id, body)]
    if kind is Kind.CANCELLED:
        return [Cancelled(order_id)] if order_id else []
    return list(_coupon(kind, body, zone))


def _ordered(words: Words, body: Mapping[str, Any]) -> list[Told]:
    order_id = _first_text(body, _ORDER_IDS)
    amount, flag = _amount_in(body)
    if amount is not None and amount < 0:
        amount, flag = None, UNREADABLE_AMOUNT
    lines = _lines(body)
    codes = tuple(dict.fromkeys(code for code in _codes(body, lines) if code))[:MOST_COUPONS]
    order = Ordered(
        order_id,
        amount,
        read_currency(body.get("currency")) or words.currency,
        codes,
        tuple(_product(one) for one in lines),
        flag or ("" if order_id else NO_ORDER_ID),
    )
    return [order, *(CouponTold(Kind.COUPON_USED, code) for code in codes)]


def _amount_in(body: Mapping[str, Any]) -> tuple[int | None, str]:
    """The first amount that can be read, or why there is none."""
    given = [body[name] for name in _AMOUNTS if body.get(name) not in (None, "")]
    found = next((one for value in given if (one := read_amount(value)) is not None), None)
    if found is not None:
        return found, ""
    return None, UNREADABLE_AMOUNT if given else NO_AMOUNT


def _refunded(words: Words, order_id: str, body: Mapping[str, Any]) -> Refunded:
    amount, flag = _amount_in(body)
    lines = _lines(body)
    if amount is None and (flag == UNREADABLE_AMOUNT or lines):
        # Some of it was given back; all of it only where nothing says how much.
        worth = sum(_worth(one) for one in lines)
        amount = 0 if is_absurd(worth) else worth
    currency = read_currency(body.get("currency")) or words.currency
    refund_id = _first_text(body, ("refund_id", "refundId"))
    # Some senders write what is given back as a negative amount.
    return Refunded(order_id, None if amount is None else abs(amount), currency, refund_id)


def _worth(line: Mapping[str, Any]) -> int:
    price, quantity = read_amount(line.get("price")), line.get("quantity", 1)
    if price is None or isinstance(quantity, bool) or not isinstance(quantity, int | float):
        return 0
    return round(price * quantity) if 0 < quantity < 1_000_000 else 0


def _lines(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    for name in ("products", "items"):
        found = body.get(name)
        if isinstance(found, list):
            return [one for one in found if isinstance(one, Mapping)][:MOST_PRODUCTS]
    return []


def _product(line: Mapping[str, Any]) -> Product:
    return Product(
        _first_text(line, ("product_id", "productId", "item_id", "id")),
        _first_text(line, ("sku",)),
        _first_text(line, ("name", "item_name")),
        _first_text(line, ("category", "item_category")),
    )


def _codes(body: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield from (_first_text(one, _CODES) for one in (body, *lines))
    several = next((body[name] for name in ("coupons", "coupon") if isinstance(body.get(name), list)), ())
    for one in several[:MOST_COUPONS]:
        yield _first_text(one, ("code", *_CODES)) if isinstance(one, Mapping) else _text(one)


def _coupon(kind: Kind, body: Mapping[str, Any], zone: str) -> Iterator[CouponTold]:
    name = _first_text(body, ("coupon_name", "name"))
    code = _first_text(body, ("code", "coupon_code", "coupon_id", "coupon")) or name
    if code:
        given = next((body[one] for one in ("expires_at", "expiresAt", "expires") if body.get(one)), None)
        yield CouponTold(kind, code, name, end_of(given, zone))


def end_of(value: Any, zone: str) -> Instant | None:
    """When something ends: at that time, or at the end of that day where no clock time is told."""
    found = find_date(value, zone)
    if isinstance(found, Unreadable):
        return None
    if found.clock is None:
        return instant_of(found.day + timedelta(days=1), time(), zone)
    return instant_of(found.day, found.clock, zone)


def _first_text(found: Mapping[str, Any], names: Sequence[str]) -> str:
    return next((text for name in names if (text := _text(found.get(name)))), "")


def _text(value: Any) -> str:
    """A name or an id as a text; numbers are written as such."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    return str(value).replace("\0", "").strip()[:LONGEST]
