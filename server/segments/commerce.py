"""Reads what is known of people's orders, coupons and sign-ups, which go where their user goes."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from server.clock import Instant
from server.journey.audience import Facts
from server.journey.audience.coupons import COUPON
from server.journey.audience.purchases import PURCHASE, SIGNED_UP
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.tables import Coupon, Life, Purchase

from .loading import Found, Looking

_purchases, _coupons, _lives = table_of(Purchase), table_of(Coupon), table_of(Life)


def _of_users(table: Any) -> Any:
    return select(table).where(
        table.c.shard == bindparam("shard"),
        table.c.project_id == bindparam("project_id"),
        among(table.c.user_number, "numbers"),
    )


_ORDERS = _of_users(_purchases).where(_purchases.c.ordered_at >= bindparam("since"))
_COUPONS = _of_users(_coupons)
_SIGN_UPS = _of_users(_lives).where(_lives.c.signed_up_at.is_not(None))
_TOLD_OF_COUPON = ("name", "issued_at", "used_at", "expired_at", "expires_at", "expiry_at")


async def read_orders(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    return [
        told_of_order(
            number,
            row.key,
            row.ordered_at,
            row.amount,
            row.currency,
            {key: (at, counted) for key, (at, _, counted) in orjson.loads(row.refunds).items()},
            orjson.loads(row.coupons),
            orjson.loads(row.products),
        )
        for number, row in await looking.rows(_ORDERS, {"since": looking.since})
    ]


def told_of_order(
    number: int,
    key: str,
    ordered_at: Instant,
    amount: int | None,
    currency: str,
    refunds: dict[str, tuple[Instant, int]],
    coupons: Iterable[str],
    products: Iterable[Sequence[str]],
) -> Found:
    about = {
        "amount": amount,
        "currency": currency,
        "refunds": list(refunds.values()),
        "cancelled_at": refunds["cancelled"][0] if "cancelled" in refunds else None,
        "coupons": coupons,
        "products": products,
    }
    return Found(number, PURCHASE, key, Past(ordered_at, about))


async def read_coupons(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    return [told_of_coupon(number, row.code, row) for number, row in await looking.rows(_COUPONS)]


def told_of_coupon(number: int, code: str, told: Any, key: str = "") -> Found:
    """`key` tells what was just heard of a coupon from what is kept of it: the question folds them."""
    about = {"code": code, **{name: getattr(told, name) for name in _TOLD_OF_COUPON}}
    return Found(number, COUPON, f"{code}{key}", Past(0, about))


async def read_sign_ups(looking: Looking, wanted: Collection[Facts]) -> list[Found]:
    return [told_of_sign_up(n, row.signed_up_at) for n, row in await looking.rows(_SIGN_UPS)]


def told_of_sign_up(number: int, at: Instant, key: str = "") -> Found:
    return Found(number, SIGNED_UP, key, Past(at, {}))
