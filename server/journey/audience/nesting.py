"""Segments that name other segments: what they ask comes in their places, and nobody goes in circles."""

from collections.abc import Mapping

from .known import OfSegment
from .trees import NOBODY, AllOf, AnyOf, Not, Question, count_questions

MOST_NESTED = 1000
"""Questions that a segment may ask with all that it names."""

Named = Mapping[str, Question]
"""What segments ask, by name, as they are written."""


def resolve(question: Question, named: Named, inside: frozenset[str] = frozenset()) -> Question:
    """The question with what it names in its places. A segment that there is not has nobody in it."""
    if isinstance(question, AllOf | AnyOf):
        return type(question)(tuple(resolve(one, named, inside) for one in question.of))
    if isinstance(question, Not):
        return Not(resolve(question.of, named, inside))
    if not isinstance(question, OfSegment):
        return question
    if question.name in inside or question.name not in named:
        return NOBODY
    return resolve(named[question.name], named, inside | {question.name})


def names_in(question: Question) -> frozenset[str]:
    """The segments that it names itself."""
    return question.wants().segments


def reached_from(name: str, named: Named) -> set[str]:
    """Every segment that this one names, or that one of those names."""
    found: set[str] = set()
    frontier = [name]
    while frontier:
        following = names_in(named[here]) if (here := frontier.pop()) in named else ()
        frontier += [one for one in following if one not in found]
        found.update(following)
    return found


def goes_in_circles(name: str, named: Named) -> bool:
    return name in reached_from(name, named)


def size_of(name: str, named: Named, known: dict[str, int] | None = None) -> int:
    """How many questions are asked with this name, counting those of a segment each time it is named.

    Only where nothing goes in circles.
    """
    known = {} if known is None else known
    if name not in known and name in named:
        known[name] = count_questions(named[name]) + _inner(named[name], named, known)
    return known.get(name, 0)


def _inner(question: Question, named: Named, known: dict[str, int]) -> int:
    if isinstance(question, AllOf | AnyOf):
        return sum(_inner(one, named, known) for one in question.of)
    if isinstance(question, Not):
        return _inner(question.of, named, known)
    return size_of(question.name, named, known) if isinstance(question, OfSegment) else 0
