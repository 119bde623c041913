"""Questions of what is known of a person now: attributes, lists, addresses, other segments."""

from dataclasses import dataclass

from ..conditions import LONGEST_NAME, holds, read_predicate
from ..moment import Predicate
from ..reading import Reader
from .person import Person, Wants


@dataclass(frozen=True, slots=True)
class HasAttribute:
    predicate: Predicate

    def holds(self, person: Person) -> bool:
        return holds(self.predicate, person.attributes)

    def wants(self) -> Wants:
        return Wants(attributes=True)


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


@dataclass(frozen=True, slots=True)
class OfSegment:
    """Belongs to another segment. What that asks is put in its place before anybody is asked."""

    name: str

    def holds(self, person: Person) -> bool:
        raise RuntimeError(f"The segment {self.name!r} was not put in its place.")

    def wants(self) -> Wants:
        return Wants(segments=frozenset((self.name,)))


def read_attribute(reader: Reader) -> HasAttribute:
    return HasAttribute(read_predicate(reader))


def read_list(reader: Reader) -> InList:
    return InList(reader.text("in_list", longest=LONGEST_NAME))


def read_reachable(reader: Reader) -> ReachableOn:
    return ReachableOn(reader.text("reachable_on", longest=64))


def read_segment(reader: Reader) -> OfSegment:
    return OfSegment(reader.text("in_segment", longest=LONGEST_NAME))
