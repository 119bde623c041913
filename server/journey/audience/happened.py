"""Questions of facts: something happened to the person so often, or came to so much."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ..conditions import all_hold, look_up, read_predicates
from ..moment import Past, Predicate
from ..reading import Reader
from .person import Facts, Person, Wanted, Wants
from .times import Times, read_times
from .windows import Window, read_window

EVENT = "event"


@dataclass(frozen=True, slots=True)
class Happened:
    """So many facts of a kind, with these properties, in the time that is asked for."""

    facts: Facts
    times: Times = Times()
    where: tuple[Predicate, ...] = ()

    def holds(self, person: Person) -> bool:
        return self.times.hold(self._moments(person), person.at, person.zone)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(self.facts, self.times.reads),))

    def _moments(self, person: Person) -> Iterable[int]:
        return (one.at for one in fitting(person, self.facts, self.where))


def fitting(person: Person, facts: Facts, where: Sequence[Predicate]) -> Iterable[Past]:
    return (one for one in person.past(facts) if all_hold(where, one.properties))


class Sum(StrEnum):
    """What is made of the numbers that the facts carry."""

    SUM = "sum"
    AVERAGE = "average"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class CameTo:
    """What a property of the facts in a window comes to. Of no numbers the sum is 0, and the rest nothing."""

    facts: Facts
    of: Sum
    name: str
    """Of the property."""
    at_least: float | None = None
    at_most: float | None = None
    window: Window = Window()
    where: tuple[Predicate, ...] = ()

    def holds(self, person: Person) -> bool:
        bounds = self.window.bounds(person.at, person.zone)
        met = (one for one in fitting(person, self.facts, self.where) if bounds.hold(one.at))
        found = amount_of(self.of, [look_up(one.properties, self.name) for one in met])
        return found is not None and self._fits(found)

    def _fits(self, found: float) -> bool:
        enough = self.at_least is None or found >= self.at_least
        return enough and (self.at_most is None or found <= self.at_most)

    @property
    def fits_none(self) -> bool:
        """Whether it holds of somebody to whom nothing happened."""
        return self.of is Sum.SUM and self._fits(0)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(self.facts, self.window),))


def amount_of(of: Sum, values: Iterable[Any]) -> float | None:
    """What the numbers among these values come to; texts that are numbers are none."""
    numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
    if of is Sum.SUM:
        return sum(numbers)
    if not numbers:
        return None
    if of is Sum.AVERAGE:
        return sum(numbers) / len(numbers)
    return min(numbers) if of is Sum.MIN else max(numbers)


def read_did(reader: Reader) -> Happened:
    """Events of a name: how often, in which time, with which properties."""
    event = Facts(EVENT, reader.text("event", longest=256))
    return Happened(event, read_times(reader), read_predicates(reader))


def read_did_amount(reader: Reader) -> CameTo:
    at_least, at_most = read_amounts(reader)
    return CameTo(
        Facts(EVENT, reader.text("event", longest=256)),
        Sum(reader.choice("of", tuple(Sum))),
        reader.text("property", longest=256),
        at_least,
        at_most,
        read_window(reader),
        read_predicates(reader),
    )


def read_amounts(reader: Reader) -> tuple[float | None, float | None]:
    """At least and at most how much; one of them at least has to be said."""
    at_least, at_most = _number(reader, "at_least"), _number(reader, "at_most")
    if at_least is None and at_most is None:
        reader.refuse("at_least", "At least how much, or at most, has to be said", "missing")
    if at_least is not None and at_most is not None and at_most < at_least:
        reader.refuse("at_most", f"It must be {at_least} or more, found {at_most}", "out_of_range")
    return at_least, at_most


def _number(reader: Reader, key: str) -> float | None:
    found = reader.value(key, required=False)
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        reader.refuse(key, f"`{key}` must be a number, found {found!r}")
        return None
    return found
