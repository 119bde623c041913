"""A tree from plain data. A new kind of question is a file of its own and a line below."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ..reading import Reader
from . import coupons, happened, journeys, known, messages, purchases, visits
from .trees import EVERYBODY, AllOf, AnyOf, Not, Question

DEEPEST = 6
MOST_QUESTIONS = 100

QUESTIONS: Mapping[str, Callable[[Reader], Question]] = {
    "attribute": known.read_attribute,
    "did": happened.read_did,
    "did_amount": happened.read_did_amount,
    "visited": visits.read_visited,
    "entered_journey": journeys.read_entered,
    "inside_journey": journeys.read_inside,
    "ended_journey": journeys.read_ended,
    "passed_step": journeys.read_passed,
    "reached_goal": journeys.read_reached,
    "message": messages.read_message,
    "purchased": purchases.read_purchased,
    "spent": purchases.read_spent,
    "signed_up": purchases.read_signed_up,
    "coupon": coupons.read_coupon,
}
"""Each reads the object under its name."""
NAMES: Mapping[str, Callable[[Reader], Question]] = {
    "in_list": known.read_list,
    "in_segment": known.read_segment,
    "reachable_on": known.read_reachable,
}
"""Each is a name, and reads it beside the others."""


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
    known_here = ("all", "any", "not", *QUESTIONS, *NAMES)
    given = [name for name in known_here if reader.value(name, required=False) is not None]
    if len(given) != 1:
        found = ", ".join(given) or "none"
        reader.refuse(None, f"One of {', '.join(known_here)} was wanted, found {found}")
        return EVERYBODY
    if depth > DEEPEST:
        reader.refuse(None, f"Conditions may lie {DEEPEST} deep in one another", "out_of_range")
        return EVERYBODY
    return _read_one(reader, given[0], depth, left)


def _read_one(reader: Reader, name: str, depth: int, left: _Left) -> Question:
    if name == "all":
        return AllOf(tuple(_read_all(reader, name, depth, left)))
    if name == "any":
        return AnyOf(tuple(_read_all(reader, name, depth, left)))
    if name == "not":
        return Not(_read(reader.inside(name), depth + 1, left))
    return NAMES[name](reader) if name in NAMES else QUESTIONS[name](reader.inside(name))


def _read_all(reader: Reader, name: str, depth: int, left: _Left) -> Iterator[Question]:
    return (_read(one, depth + 1, left) for one in reader.items(name, least=1, most=20))
