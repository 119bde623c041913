"""The small shapes that every figure is made of."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from server.aggregates.messages import Part
from server.resolvers import periods

from .figure_words import Base, PeriodPreset
from .scalars import Count


@strawberry.type(description="A count with the whole that it is a part of.")
class Share:
    count: Count = strawberry.field(description="The part.")
    of: Count = strawberry.field(description="The whole.")
    base: Base = strawberry.field(description="What the whole is.")
    rate: float | None = strawberry.field(
        description="Part by whole. Null when the whole is 0. Above 1 where a period has more of the part."
    )


def share(count: int, of: int, base: Base) -> Share:
    return Share(count=count, of=of, base=base, rate=count / of if of else None)


def share_of(part: Part) -> Share:
    return share(part.count, part.of, Base(part.base.value))


@strawberry.type(description="How often, and by how many different users.")
class Tally:
    total: Count = strawberry.field(description="How often.")
    users: Count | None = strawberry.field(
        description="By how many different users; null where that is not kept."
    )


@strawberry.type(description="An amount of money.")
class Money:
    amount: Decimal = strawberry.field(description="Exact, in the currency's unit.")
    currency: str = strawberry.field(description="Such as KRW; empty if the goal names none.")


@strawberry.type(description="One point of a series.")
class Point:
    at: datetime = strawberry.field(description="When its hour, day or week begins.")
    count: Count = strawberry.field(description="How often.")
    amount: Decimal = strawberry.field(description="What it was worth, for goals; 0 for everything else.")


@strawberry.type(description="The days that figures are about; the last one is not part of them.")
class Period:
    preset: PeriodPreset | None = strawberry.field(description="The preset, if one was asked for.")
    start: date | None = strawberry.field(
        name="from", description="The first day; null is the very beginning."
    )
    until: date | None = strawberry.field(description="The day after the last; null is without an end.")
    zone: str = strawberry.field(description="The project's time zone, in which days begin.")


def to_period(period: periods.Period) -> Period:
    preset = PeriodPreset(period.preset) if period.preset else None
    return Period(preset=preset, start=period.span.first, until=period.span.until, zone=period.span.zone)


@strawberry.input(description="Which days: a preset, or from one day up to another. Everything by default.")
class PeriodInput:
    preset: PeriodPreset | None = strawberry.field(default=None, description="Instead of `from` and `until`.")
    start: date | None = strawberry.field(default=None, name="from", description="The first day.")
    until: date | None = strawberry.field(default=None, description="The day after the last.")
