"""Questions put together by `all`, `any` and `not`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from .person import Person, Wants


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


EVERYBODY, NOBODY = AllOf(()), AnyOf(())


def together(of: Iterable[Question]) -> Wants:
    wants = Wants()
    for one in of:
        wants |= one.wants()
    return wants


def count_questions(question: Question) -> int:
    if isinstance(question, AllOf | AnyOf):
        return 1 + sum(map(count_questions, question.of))
    return 1 + count_questions(question.of) if isinstance(question, Not) else 1
