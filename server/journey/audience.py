"""Segments: saved conditions over users, and who meets them.

A tree of questions with `all`, `any` and `not` over them. It is asked of one person at a time; whoever asks
brings what the questions need to know, which each tree says of itself (`wants`). A new kind of question is
a new class here and a line in `_READ`.
"""

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .conditions import (
    LONGEST_BACK,
    LONGEST_NAME,
    MOST_TIMES,
    all_hold,
    holds,
    read_predicate,
    read_predicates,
)
from .moment import Did, Instant, Past, Predicate
from .reading import Reader

DEEPEST = 6
MOST_QUESTIONS = 100


def _did_nothing(name: str) -> Sequence[Past]:
    return ()


def _is_unreachable(channel: str) -> str:
    return "not known"


@dataclass(frozen=True, slots=True)
class Person:
    """Everything that a question may look at."""

    at: Instant
    """As of when it is asked."""
    attributes: Mapping[str, Any]
    past: Callable[[str], Sequence[Past]] = _did_nothing
    """The events of a name that is wanted, in no order."""
    lists: Container[str] = ()
    """The names of the lists that the person is on, of those that are wanted."""
    reaches: Callable[[str], str] = _is_unreachable
    """Why nothing can be sent to the person on a channel; empty if something can."""


@dataclass(frozen=True, slots=True)
class Wants:
    """What has to be known of a person before a tree can be asked."""

    attributes: bool = False
    past: tuple[Did, ...] = ()
    lists: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()

    def __or__(self, other: "Wants") -> "Wants":
        return Wants(
            self.attributes or other.attributes,
            self.past + other.past,
            self.lists | other.lists,
            self.channels | other.channels,
        )

    @property
    def events(self) -> frozenset[str]:
        return frozenset(question.event for question in self.past)

    def since(self, at: Instant) -> Instant:
        """Before which no event matters to who asks at that instant."""
        if any(question.ever for question in self.past):
            return 0
        return at - max((question.within_ms or 0 for question in self.past), default=0)


class Question(Protocol):
    """One node of the tree."""

    def holds(self, person: Person) -> bool: ...

    def wants(self) -> Wants: ...


@dataclass(frozen=True, slots=True)
class AllOf:
    of: tuple[Question, ...]

    def holds(self, person: Person) -> bool:
        return all(one.holds(person) for one in self.of)

    def wants(self) -> Wants:
        return together(self.of)


@dataclass(frozen=True, slots=True)
class AnyOf:
    of: tuple[Question, ...]

    def holds(self, person: Person) -> bool:
        return any(one.holds(person) for one in self.of)

    def wants(self) -> Wants:
        return together(self.of)


@dataclass(frozen=True, slots=True)
class Not:
    of: Question

    def holds(self, person: Person) -> bool:
        return not self.of.holds(person)

    def wants(self) -> Wants:
        return self.of.wants()


@dataclass(frozen=True, slots=True)
class HasAttribute:
    predicate: Predicate

    def holds(self, person: Person) -> bool:
        return holds(self.predicate, person.attributes)

    def wants(self) -> Wants:
        return Wants(attributes=True)


@dataclass(frozen=True, slots=True)
class DidEvent:
    """So many events of a name, with these properties, in the time that is asked for."""

    asks: Did

    def holds(self, person: Person) -> bool:
        asks = self.asks
        since = -1 if asks.within_ms is None else person.at - asks.within_ms
        count = sum(
            since < one.at <= person.at and all_hold(asks.where, one.properties)
            for one in person.past(asks.event)
        )
        return count >= asks.at_least and (asks.at_most is None or count <= asks.at_most)

    def wants(self) -> Wants:
        return Wants(past=(self.asks,))


@dataclass(frozen=True, slots=True)
class InList:
    name: str

    def holds(self, person: Person) -> bool:
        return self.name in person.lists

    def wants(self) -> Wants:
        return Wants(lists=frozenset((self.name,)))


@dataclass(frozen=True, slots=True)
class ReachableOn:
    channel: str

    def holds(self, person: Person) -> bool:
        return not person.reaches(self.channel)

    def wants(self) -> Wants:
        return Wants(channels=frozenset((self.channel,)))


EVERYBODY, NOBODY = AllOf(()), AnyOf(())


def together(of: Iterable[Question]) -> Wants:
    wants = Wants()
    for one in of:
        wants |= one.wants()
    return wants


@dataclass(slots=True)
class _Left:
    """How many questions a tree may ask yet."""

    questions: int = field(default=MOST_QUESTIONS)


def read_question(reader: Reader) -> Question:
    """The tree at this place. What is wrong is in the reader's problems; ask it only without any."""
    left = _Left()
    question = _read(reader, 1, left)
    if left.questions < 0:
        reader.refuse(None, f"A segment asks at most {MOST_QUESTIONS} questions", "out_of_range")
    return question


def _read(reader: Reader, depth: int, left: _Left) -> Question:
    left.questions -= 1
    given = [name for name in _READ if reader.value(name, required=False) is not None]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        reader.refuse(None, f"One of {', '.join(_READ)} was wanted, found {found}")
        return EVERYBODY
    if depth > DEEPEST:
        reader.refuse(None, f"Conditions may lie {DEEPEST} deep in one another", "out_of_range")
        return EVERYBODY
    return _READ[given[0]](reader, depth, left)


def _read_all(reader: Reader, depth: int, left: _Left) -> Question:
    return AllOf(tuple(_read(one, depth + 1, left) for one in reader.items("all", least=1, most=20)))


def _read_any(reader: Reader, depth: int, left: _Left) -> Question:
    return AnyOf(tuple(_read(one, depth + 1, left) for one in reader.items("any", least=1, most=20)))


def _read_not(reader: Reader, depth: int, left: _Left) -> Question:
    return Not(_read(reader.inside("not"), depth + 1, left))


def _read_attribute(reader: Reader, depth: int, left: _Left) -> Question:
    return HasAttribute(read_predicate(reader.inside("attribute")))


def _read_did(reader: Reader, depth: int, left: _Left) -> Question:
    inside = reader.inside("did")
    at_least, at_most = _read_times(inside)
    within_ms = inside.duration("within_ms", least=1000, most=LONGEST_BACK, required=False) or None
    return DidEvent(
        Did(
            event=inside.text("event", longest=256),
            where=read_predicates(inside),
            within_ms=within_ms,
            ever=within_ms is None,
            at_least=at_least,
            at_most=at_most,
        )
    )


def _read_times(reader: Reader) -> tuple[int, int | None]:
    """At least and at most how often. "At most so often" alone says that none is enough, too."""
    at_most: int | None = None
    if reader.value("at_most", required=False) is not None:
        at_most = reader.number("at_most", least=0, most=MOST_TIMES)
    usual = 1 if at_most is None else 0
    at_least = reader.number("at_least", least=0, most=MOST_TIMES, required=False, default=usual)
    if at_most is not None and at_most < at_least:
        reader.refuse("at_most", f"It must be {at_least} or more, found {at_most}", "out_of_range")
    return at_least, at_most


def _read_list(reader: Reader, depth: int, left: _Left) -> Question:
    return InList(reader.text("in_list", longest=LONGEST_NAME))


def _read_reachable(reader: Reader, depth: int, left: _Left) -> Question:
    return ReachableOn(reader.text("reachable_on", longest=64))


_READ: Mapping[str, Callable[[Reader, int, _Left], Question]] = {
    "all": _read_all,
    "any": _read_any,
    "not": _read_not,
    "attribute": _read_attribute,
    "did": _read_did,
    "in_list": _read_list,
    "reachable_on": _read_reachable,
}
