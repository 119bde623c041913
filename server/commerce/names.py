"""Which events of a project tell of commerce: by Segment's names, by GA4's, and by the project's own."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

MOST_NAMES = 20
"""Of a project's own, for one kind."""


class Kind(StrEnum):
    """What an event tells."""

    ORDERED = "ordered"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    SIGNED_UP = "signed_up"
    COUPON_ISSUED = "coupon_issued"
    COUPON_APPLIED = "coupon_applied"
    COUPON_USED = "coupon_used"
    COUPON_EXPIRED = "coupon_expired"


KNOWN: Mapping[Kind, Sequence[str]] = {
    Kind.ORDERED: ("Order Completed", "Completed Order", "purchase"),
    Kind.REFUNDED: ("Order Refunded", "refund"),
    Kind.CANCELLED: ("Order Cancelled", "Order Canceled"),
    Kind.SIGNED_UP: ("Signed Up", "sign_up"),
    Kind.COUPON_ISSUED: ("Coupon Issued",),
    Kind.COUPON_APPLIED: ("Coupon Applied",),
    Kind.COUPON_USED: ("Coupon Used",),
    Kind.COUPON_EXPIRED: ("Coupon Expired",),
}
"""Segment's e-commerce spec (v2, and the older name of an order), GA4's recommended events, and ours."""


class Words(NamedTuple):
    """How a project tells of commerce."""

    kinds: Mapping[str, Kind]
    """By the name of an event, as `same` writes it."""
    currency: str = ""
    """Of amounts that name none."""

    def kind_of(self, name: str) -> Kind | None:
        return self.kinds.get(same(name))


@lru_cache(maxsize=4096)
def same(name: str) -> str:
    """One spelling for `Order Completed`, `order_completed` and `ORDER COMPLETED`."""
    return " ".join(name.casefold().replace("_", " ").split())


@lru_cache(maxsize=1024)
def read_words(settings: str) -> Words:
    """From a project's settings, which are JSON that we wrote ourselves."""
    given: dict[str, Any] = orjson.loads(settings or "{}")
    kinds = {same(name): kind for kind, names in KNOWN.items() for name in names}
    for kind, names in given.get("events", {}).items():
        kinds |= {same(name): Kind(kind) for name in names}
    return Words(kinds, given.get("currency", ""))


SPEC = read_words("")
"""Of a project that has set nothing."""
