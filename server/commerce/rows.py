"""An order as a row of its table."""

from typing import Any

import orjson

from .orders import Order, Refund


def columns_of(one: Order) -> tuple[Any, ...]:
    refunds = {key: [refund.at, refund.wants, refund.counted] for key, refund in one.refunds.items()}
    return (
        one.order_id,
        one.ordered_at,
        one.digest,
        one.amount,
        one.currency,
        one.refunded,
        orjson.dumps(refunds).decode(),
        orjson.dumps(one.coupons).decode(),
        orjson.dumps(one.products).decode(),
        one.flag,
    )


def to_order(row: Any) -> Order:
    """From a row of the table."""
    refunds = orjson.loads(row.refunds)
    return Order(
        row.key,
        row.order_id,
        row.ordered_at,
        row.digest,
        row.amount,
        row.currency,
        tuple(orjson.loads(row.coupons)),
        tuple(tuple(one) for one in orjson.loads(row.products)),
        row.flag,
        {key: Refund(*refund) for key, refund in refunds.items()},
    )
