"""Commerce: the life of a user in figures, and orders."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import orjson
import strawberry

from server.aggregates.calendar import day_of
from server.clock import Instant, to_datetime, to_datetime_if_any
from server.journey.goals import AMOUNT_SCALE
from server.resolvers.commerce import KnownLife
from server.store.paging import Slice

from .costs import to_money
from .fields import field
from .figures import Money
from .pages import PageInfo, cursor_of, page_info
from .words import value

ORDER = "orders"


@strawberry.type(description="What a user has paid and got back in one currency.")
class Spending:
    currency: str = strawberry.field(description="Such as KRW; empty where orders name none.")
    spent: Decimal = strawberry.field(description="What its orders were worth, exact.")
    refunded: Decimal = strawberry.field(description="What was given back; never more than was paid.")
    net: Decimal = strawberry.field(description="The difference.")


@strawberry.type(description="The life of a user in figures, kept as it happens.")
class UserLife:
    known: strawberry.Private[KnownLife]

    @field("When it was first heard of.")
    def first_seen_at(self) -> datetime | None:
        return self._at("first_seen_at")

    @field("When it was last heard of.")
    def last_seen_at(self) -> datetime | None:
        return self._at("last_seen_at")

    @field("When it first did something on a device of its own.")
    def first_visit_at(self) -> datetime | None:
        return self._at("first_visit_at")

    @field("When it last did something on a device of its own.")
    def last_visit_at(self) -> datetime | None:
        return self._at("last_visit_at")

    @field("Days of the project's zone since then; 0 on the same day.")
    def days_since_last_visit(self) -> int | None:
        return self._days("last_visit_at")

    @field("How many visits (sessions) it has begun on devices of its own.")
    def visits(self) -> int:
        return self.known.life.visits if self.known.life else 0

    @field("When it signed up, as an event said; null if none did.")
    def signed_up_at(self) -> datetime | None:
        return self._at("signed_up_at")

    @field("How many orders it has made, each once however often it was told; cancelled ones, too.")
    def orders(self) -> int:
        return self.known.life.orders if self.known.life else 0

    @field("How many of these were cancelled.")
    def cancelled_orders(self) -> int:
        return self.known.life.cancelled if self.known.life else 0

    @field("When its first order was made.")
    def first_order_at(self) -> datetime | None:
        return self._at("first_order_at")

    @field("When its last order was made.")
    def last_order_at(self) -> datetime | None:
        return self._at("last_order_at")

    @field("Days of the project's zone since then; 0 on the same day.")
    def days_since_last_order(self) -> int | None:
        return self._days("last_order_at")

    @field("What it has paid and got back, by currency.", list_size=2)
    def spending(self) -> list[Spending]:
        return [
            Spending(
                currency=row.currency,
                spent=Decimal(row.spent) / AMOUNT_SCALE,
                refunded=Decimal(row.refunded) / AMOUNT_SCALE,
                net=Decimal(row.spent - row.refunded) / AMOUNT_SCALE,
            )
            for row in self.known.spending
        ]

    def _at(self, name: str) -> datetime | None:
        return to_datetime_if_any(getattr(self.known.life, name) if self.known.life else None)

    def _days(self, name: str) -> int | None:
        at = getattr(self.known.life, name) if self.known.life else None
        return None if at is None else days_between(at, self.known.now, self.known.zone)


def days_between(at: Instant, now: Instant, zone: str) -> int:
    return (_date(now, zone) - _date(at, zone)).days


def _date(at: Instant, zone: str) -> date:
    day = day_of(at, zone)
    return date(day // 10_000, day // 100 % 100, day % 100)


@strawberry.enum(description="Why an order is not known whole.")
class OrderFlag(Enum):
    NO_ORDER_ID = value(
        "no_order_id", description="It names no id: told again, it could not be told from another."
    )
    NO_AMOUNT = value("no_amount", description="It names no amount, and counts without.")
    UNREADABLE_AMOUNT = value(
        "unreadable_amount", description="No amount that it names can be read; it counts without."
    )


@strawberry.type(description="A line of an order.")
class OrderedProduct:
    product_id: str | None = strawberry.field(description="The shop's id of it.")
    sku: str | None = strawberry.field(description="Its stock keeping unit.")
    name: str | None = strawberry.field(description="What it is called.")
    category: str | None = strawberry.field(description="Its category.")


@strawberry.type(description="An order of a user, once, however often it was told.")
class Order:
    order_id: str | None = strawberry.field(description="The shop's id of it; null if none was told.")
    ordered_at: datetime = strawberry.field(description="When it was made.")
    amount: Money | None = strawberry.field(description="What was paid; null if nothing could be read.")
    refunded: Money | None = strawberry.field(description="How much of that was given back.")
    cancelled_at: datetime | None = strawberry.field(description="When it was cancelled, if it was.")
    coupons: list[str] = strawberry.field(
        description="The codes of the coupons that it used.", metadata={"list_size": 3}
    )
    products: list[OrderedProduct] = strawberry.field(
        description="What was bought.", metadata={"list_size": 10}
    )
    flag: OrderFlag | None = strawberry.field(description="What could not be read; null if all is well.")

    @classmethod
    def from_record(cls, row: Any) -> "Order":
        has_amount = row.amount is not None
        cancelled = orjson.loads(row.refunds).get("cancelled")
        return cls(
            order_id=row.order_id or None,
            ordered_at=to_datetime(row.ordered_at),
            amount=to_money(row.amount, row.currency) if has_amount else None,
            refunded=to_money(row.refunded, row.currency) if has_amount else None,
            cancelled_at=to_datetime(cancelled[0]) if cancelled else None,
            coupons=orjson.loads(row.coupons),
            products=[OrderedProduct(**_product(one)) for one in orjson.loads(row.products)],
            flag=OrderFlag(row.flag) if row.flag else None,
        )


def _product(one: list[str]) -> dict[str, Any]:
    names = ("product_id", "sku", "name", "category")
    return {name: text or None for name, text in zip(names, one, strict=True)}


@strawberry.type(description="An order and its place among the user's orders.")
class OrderEdge:
    node: Order = strawberry.field(description="The order.")
    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")


@strawberry.type(description="A page of orders.")
class OrderConnection:
    edges: list[OrderEdge] = strawberry.field(description="The page, the latest order first.")
    page_info: PageInfo = strawberry.field(description="Where the page lies.")

    @classmethod
    def from_slice(cls, found: Slice) -> "OrderConnection":
        edges = [
            OrderEdge(node=Order.from_record(row), cursor=cursor_of(ORDER, row.ordered_at, row.key))
            for row in found.rows
        ]
        return cls(edges=edges, page_info=page_info(found, [edge.cursor for edge in edges]))
