"""Questions of coupons: has one, which ends soon; was given one; has used one; has let one go."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ..conditions import LONGEST_BACK
from ..local_time import day_of, local_of, zone_named
from ..moment import Instant, Past
from ..reading import Reader
from .person import Facts, Person, Wanted, Wants
from .times import Times, read_times
from .visits import read_values
from .windows import EVER

COUPON = Facts("coupon")
GIVEN = "given_coupon"
"""Of a journey: the coupons with which people have come in."""
MOST_DAYS = 3660
_SECOND = 1000


class Act(StrEnum):
    """What is asked of a coupon."""

    USABLE = "usable"
    """Issued, neither used nor over at the moment of asking; its time is when it was issued."""
    ISSUED = "issued"
    USED = "used"
    EXPIRED = "expired"
    """Over without having been used."""


@dataclass(slots=True)
class Known:
    """A coupon of a person, from all that is told of it."""

    code: str
    names: set[str] = field(default_factory=set)
    issued_at: Instant | None = None
    used_at: Instant | None = None
    expired_at: Instant | None = None
    expiry: tuple[Instant, Instant] | None = None
    """When it was told, and what: the latest holds."""

    def hear(self, told: Any) -> None:
        if told["name"]:
            self.names.add(told["name"])
        for name in ("issued_at", "used_at", "expired_at"):
            at, known = told[name], getattr(self, name)
            if at is not None and (known is None or at < known):
                setattr(self, name, at)
        if told["expiry_at"] is not None:
            self.expiry = max((told["expiry_at"], told["expires_at"]), self.expiry or (0, 0))

    @property
    def expires_at(self) -> Instant | None:
        return None if self.expiry is None else self.expiry[1]

    def moment(self, act: Act, at: Instant) -> Instant | None:
        """When that was, if it was by then."""
        over = min((one for one in (self.expires_at, self.expired_at) if one is not None), default=None)
        used = self.used_at is not None and self.used_at <= at
        if act is Act.USED:
            return self.used_at if used else None
        if act is Act.EXPIRED:
            return over if over is not None and over <= at and not used else None
        if self.issued_at is None or self.issued_at > at:
            return None
        gone = used or (over is not None and over <= at)
        return None if act is Act.USABLE and gone else self.issued_at


@dataclass(frozen=True, slots=True)
class HasCoupon:
    """So many coupons of which that is true, with its time in a window."""

    act: Act
    coupons: tuple[str, ...] = ()
    """Codes or names; any if empty."""
    times: Times = Times()
    within_ms: int | None = None
    """Ends at most so long after the moment of asking."""
    within_days: int | None = None
    """Its last day is one of the next so many, today being 0."""
    in_days: int | None = None
    """Its last day is in so many days, today being 0."""

    def holds(self, person: Person) -> bool:
        moments = (
            one.moment(self.act, person.at)
            for one in _folded(person.past(COUPON))
            if self._is_meant(one) and self._ends(one.expires_at, person)
        )
        return self.times.hold((at for at in moments if at is not None), person.at, person.zone)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(COUPON, EVER),))

    def first(self, person: Person, besides: Collection[str] = ()) -> Known | None:
        """Of those of which it is true the one that ends first, ties by code; one that never ends is last."""
        found = (
            one
            for one in _folded(person.past(COUPON))
            if one.code not in besides
            and one.moment(self.act, person.at) is not None
            and self._is_meant(one)
            and self._ends(one.expires_at, person)
        )
        return min(found, key=_soonest, default=None)

    def _is_meant(self, one: Known) -> bool:
        return not self.coupons or one.code in self.coupons or not one.names.isdisjoint(self.coupons)

    def _ends(self, expires_at: Instant | None, person: Person) -> bool:
        if (self.within_ms, self.within_days, self.in_days) == (None, None, None):
            return True
        if expires_at is None:
            return False
        if self.within_ms is not None and expires_at > person.at + self.within_ms:
            return False
        # One that ends at midnight is good until the end of the day before.
        days = (day_of(expires_at - 1, person.zone) - day_of(person.at, person.zone)) // timedelta(days=1)
        if self.within_days is not None and not 0 <= days <= self.within_days:
            return False
        return self.in_days is None or days == self.in_days


@dataclass(frozen=True, slots=True)
class HasFreshCoupon:
    """One of these coupons with which the person has not come into this journey yet."""

    coupon: HasCoupon
    journey: int

    def holds(self, person: Person) -> bool:
        return self.first(person) is not None

    def first(self, person: Person) -> Known | None:
        return self.coupon.first(person, {one.properties["code"] for one in person.past(self._given)})

    def wants(self) -> Wants:
        return self.coupon.wants() | Wants(past=(Wanted(self._given, EVER),))

    @property
    def _given(self) -> Facts:
        return Facts(GIVEN, journey=self.journey)


def told(one: Known, zone: str) -> Mapping[str, Any]:
    """A coupon as texts show it: `{{ coupon.code }}`, its times by the clocks of this zone.

    One that ends at midnight is good until the end of the day before, and its last second says so.
    """
    ends = one.expires_at
    last = None if ends is None else local_of(ends - 1, zone)
    shown = ends - _SECOND if ends is not None and _is_midnight(ends, zone) else ends
    found = {
        "code": one.code,
        "name": max(one.names, default=one.code),
        "issued_at": _written(one.issued_at, zone),
        "expires_at": _written(shown, zone),
        "last_day": None if last is None else last.date().isoformat(),
    }
    return {name: value for name, value in found.items() if value is not None}


def _soonest(one: Known) -> tuple[bool, Instant, str]:
    return one.expires_at is None, one.expires_at or 0, one.code


def _is_midnight(at: Instant, zone: str) -> bool:
    return day_of(at - 1, zone) != day_of(at, zone)


def _written(at: Instant | None, zone: str) -> str | None:
    if at is None:
        return None
    return datetime.fromtimestamp(at // _SECOND, zone_named(zone)).isoformat(timespec="seconds")


def _folded(past: Sequence[Past]) -> Iterator[Known]:
    found: dict[str, Known] = {}
    for one in past:
        code = one.properties["code"]
        found.setdefault(code, Known(code)).hear(one.properties)
    yield from found.values()


def read_coupon(reader: Reader) -> HasCoupon:
    act = reader.choice("act", tuple(Act)) if reader.value("act", required=False) else Act.USABLE
    found = HasCoupon(
        Act(act),
        tuple(read_values(reader, "coupon")),
        read_times(reader),
        reader.duration("expires_within_ms", least=1000, most=LONGEST_BACK, required=False) or None,
        _days(reader, "expires_within_days"),
        _days(reader, "expires_in_days"),
    )
    if found.within_days is not None and found.in_days is not None:
        reader.refuse("expires_in_days", "Either `expires_within_days` or this can be asked for, found both")
    return found


def read_entry_coupon(reader: Reader) -> HasCoupon:
    """Which coupon somebody has to have who is let in: one that can be used."""
    found = HasCoupon(
        Act.USABLE,
        tuple(read_values(reader, "coupons")),
        Times(),
        reader.duration("expires_within_ms", least=1000, most=LONGEST_BACK, required=False) or None,
        _days(reader, "expires_within_days"),
        _days(reader, "expires_in_days"),
    )
    if found.within_days is not None and found.in_days is not None:
        reader.refuse("expires_in_days", "Either `expires_within_days` or this can be asked for, found both")
    return found


def _days(reader: Reader, key: str) -> int | None:
    if reader.value(key, required=False) is None:
        return None
    return reader.number(key, least=0, most=MOST_DAYS)
