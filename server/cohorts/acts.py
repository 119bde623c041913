"""Which sets tell of an act: what was done that day, and whether it was for the first time."""

from enum import StrEnum
from typing import NamedTuple

from server.aggregates.deed_sets import Of
from server.aggregates.deeds import LONGEST_PROPERTY, Deed, property_value
from server.aggregates.deeds import Unit as Kept

from .definition import Act, Definition
from .words import Binds, DeviceFilter, Kind, Metric, Occurrence, Unit


class Turn(StrEnum):
    """Which times of doing something count."""

    ANY = "any"
    FIRST = "first"
    """The day on which it was done for the first time ever."""
    AGAIN = "again"
    """Days on which it had been done on an earlier day."""
    SO_FAR = "so_far"
    """Any day from the first time on."""


class JourneySets(NamedTuple):
    """What a journey brought about: user sets of a step, of a goal, or of all of them."""

    dimension: str
    journey_id: int
    step: str


class Source(NamedTuple):
    """The sets of an act: all of them together."""

    ofs: tuple[Of, ...]
    turn: Turn = Turn.ANY
    journey: JourneySets | None = None


_KEPT: dict[Kind, tuple[Deed, Turn]] = {
    Kind.VISIT: (Deed.VISITED, Turn.ANY),
    Kind.FIRST_VISIT: (Deed.VISITED, Turn.FIRST),
    Kind.REVISIT: (Deed.VISITED, Turn.AGAIN),
    Kind.PURCHASE: (Deed.ORDERED, Turn.ANY),
    Kind.FIRST_PURCHASE: (Deed.ORDERED, Turn.FIRST),
    Kind.REPURCHASE: (Deed.ORDERED, Turn.AGAIN),
    Kind.SIGN_UP: (Deed.SIGNED_UP, Turn.ANY),
}
_DEVICES: dict[DeviceFilter, tuple[str, ...]] = {
    DeviceFilter.ALL: (),
    DeviceFilter.PC_WEB: ("pc_web",),
    DeviceFilter.MOBILE_WEB: ("mobile_web",),
    DeviceFilter.APP: ("app", "hybrid_app"),
}
_OF_VISITS = frozenset(
    (
        Deed.DEVICE,
        Deed.SOURCE,
        Deed.ORIGIN,
        Deed.MEDIUM,
        Deed.CAMPAIGN,
        Deed.KEYWORD,
        Deed.AD,
        Deed.LANDING,
    )
)
"""Dimensions of which it is kept how many visits were begun."""


def kept_by(unit: Unit) -> str:
    """Members are users, of whom it is asked besides whether they were known."""
    return Kept.DEVICE.value if unit is Unit.DEVICE else Kept.USER.value


def source_of(act: Act, unit: Unit) -> Source:
    """Where an act is kept."""
    by = kept_by(unit)
    if act.kind is Kind.JOURNEY:
        return Source((), journey=JourneySets(act.name, act.journey_id, act.step))
    if act.kind is Kind.DEED:
        return Source((Of(by, act.name, act.value),))
    if act.kind is Kind.EVENT:
        if act.property:
            value = property_value(act.name, act.property, act.value[:LONGEST_PROPERTY])
            return Source((Of(by, Deed.PROPERTY.value, value),))
        return Source((Of(by, Deed.DID.value, act.name),))
    deed, turn = _KEPT[act.kind]
    return Source((Of(by, deed.value, ""),), turn)


class Parts(NamedTuple):
    """What has to be done on one day to be counted: the act, and everything beside it."""

    act: Source
    beside: tuple[Source, ...] = ()

    @property
    def all(self) -> tuple[Source, ...]:
        return (self.act, *self.beside)


def entry_of(asked: Definition, value: str | None = None) -> Parts:
    """Coming in; of a breakdown, with this value."""
    act = source_of(asked.entry, asked.unit)
    if asked.occurrence is Occurrence.FIRST_EVER and act.turn is Turn.ANY:
        act = act._replace(turn=Turn.FIRST)
    where = tuple(source_of(one, asked.unit) for one in asked.where)
    return _narrow(Parts(act, (*_devices(asked), *_members(asked, act), *where, *_value(asked, value))))


def back_of(asked: Definition, value: str | None = None) -> Parts:
    """Coming back."""
    return _narrow(_bound(asked, source_of(asked.back, asked.unit), value))


def measured(
    asked: Definition, metric: Metric, currency: str, value: str | None = None
) -> tuple[Parts, Parts | None]:
    """What holds the amounts of a metric, and what is taken away from them."""
    by = kept_by(asked.unit)
    if metric is Metric.TIMES:
        return _by_value(_bound(asked, source_of(asked.back, asked.unit), value)), None
    if metric is Metric.REVENUE:
        spent, refunded = (Source((Of(by, deed, currency),)) for deed in (Deed.SPENT, Deed.REFUNDED))
        return _bound(asked, spent, value), _bound(asked, refunded, value)
    deed = Deed.VISITED if metric is Metric.VISITS else Deed.ORDERED
    return _by_value(_bound(asked, Source((Of(by, deed, ""),)), value)), None


def of_breakdown(asked: Definition, value: str) -> Source:
    assert asked.breakdown is not None
    return Source((Of(kept_by(asked.unit), asked.breakdown.dimension, value),))


def _bound(asked: Definition, act: Source, value: str | None) -> Parts:
    """With those filters that bind what is done later, too."""
    devices = _devices(asked) if asked.device_binds is Binds.BOTH else ()
    is_bound = asked.breakdown is not None and asked.breakdown.binds is Binds.BOTH
    values = _value(asked, value) if is_bound else ()
    return Parts(act, (*devices, *_members(asked, act), *values))


def _devices(asked: Definition) -> tuple[Source, ...]:
    by, values = kept_by(asked.unit), _DEVICES[asked.device]
    return (Source(tuple(Of(by, Deed.DEVICE, value) for value in values)),) if values else ()


def _members(asked: Definition, act: Source) -> tuple[Source, ...]:
    """Who was known when acting that day; of what a journey brought about, who was known by then."""
    if asked.unit is not Unit.MEMBER:
        return ()
    turn = Turn.ANY if act.journey is None else Turn.SO_FAR
    return (Source((Of(Kept.USER, Deed.MEMBER, ""),), turn),)


def _value(asked: Definition, value: str | None) -> tuple[Source, ...]:
    return () if value is None else (of_breakdown(asked, value),)


def _narrow(parts: Parts) -> Parts:
    """Whoever was on a device has visited, and how often is kept for the device: it stands for both."""
    first = parts.beside[:1]
    if _is_visit(parts.act) and first and first[0].ofs and first[0].ofs[0].dimension == Deed.DEVICE:
        return Parts(first[0], parts.beside[1:])
    return parts


def _by_value(parts: Parts) -> Parts:
    """Of how many visits it is asked: those of the breakdown's value, else those on the devices.

    Of both together it is not kept: the value's are counted, of days on which such a device was used.
    """
    kept = [one for one in parts.beside if one.ofs and one.ofs[0].dimension in _OF_VISITS]
    if not (kept and _is_visit(parts.act)):
        return parts
    return Parts(kept[-1], tuple(one for one in parts.beside if one is not kept[-1]))


def _is_visit(act: Source) -> bool:
    return act.turn is Turn.ANY and [of.dimension for of in act.ofs] == [Deed.VISITED]
