"""A coupon of a user as it is known: issued, put on a cart, used, over. A fold in any order."""

from dataclasses import dataclass, fields
from typing import Any

from server.journey.moment import Instant

from .names import Kind
from .reading import CouponTold

_FIRSTS = {Kind.COUPON_ISSUED: "issued_at", Kind.COUPON_USED: "used_at", Kind.COUPON_EXPIRED: "expired_at"}


@dataclass(slots=True)
class Coupon:
    """Also what one batch adds to one."""

    name: str = ""
    name_at: Instant | None = None
    """When its name was told; the latest holds."""
    expires_at: Instant | None = None
    expiry_at: Instant | None = None
    """When its expiry was told; the latest holds."""
    issued_at: Instant | None = None
    applied_at: Instant | None = None
    """The last time that it was put on a cart."""
    used_at: Instant | None = None
    expired_at: Instant | None = None
    """When it was told to be over, whatever its expiry says."""

    def hear(self, told: CouponTold, at: Instant) -> None:
        if told.name:
            self._name(at, told.name)
        if told.expires_at is not None:
            self._end(at, told.expires_at)
        if told.kind is Kind.COUPON_APPLIED:
            self.applied_at = at if self.applied_at is None else max(self.applied_at, at)
        else:
            self._first(_FIRSTS[told.kind], at)

    def add(self, other: "Coupon") -> None:
        if other.name_at is not None:
            self._name(other.name_at, other.name)
        if other.expiry_at is not None and other.expires_at is not None:
            self._end(other.expiry_at, other.expires_at)
        if other.applied_at is not None:
            self.applied_at = max(other.applied_at, self.applied_at or other.applied_at)
        for name in _FIRSTS.values():
            self._first(name, getattr(other, name))

    def row(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in NAMES)

    def _name(self, at: Instant, name: str) -> None:
        if self.name_at is None or (at, name) > (self.name_at, self.name):
            self.name_at, self.name = at, name

    def _end(self, at: Instant, expires_at: Instant) -> None:
        if self.expiry_at is None or (at, expires_at) > (self.expiry_at, self.expires_at or 0):
            self.expiry_at, self.expires_at = at, expires_at

    def _first(self, name: str, at: Instant | None) -> None:
        known = getattr(self, name)
        if at is not None and (known is None or at < known):
            setattr(self, name, at)


NAMES = tuple(one.name for one in fields(Coupon))
"""In the order of the table's columns."""
