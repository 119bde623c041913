"""Comparisons of properties and attributes, and the conditions of a split.

A comparison between values that cannot be compared is not true; it is never an error,
because what customers send changes under a running journey.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .moment import Did, Instant, Moment, Predicate
from .reading import Reader

LONGEST_NAME = 100
"""Of a segment or a list: graphs and conditions name them."""


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def holds(found: Any, wanted: Any) -> bool:
        numbers = _is_number(found) and _is_number(wanted)
        texts = isinstance(found, str) and isinstance(wanted, str)
        return (numbers or texts) and compare(found, wanted)

    return holds


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(found: Any, wanted: Any) -> bool:
    # In Python True == 1; in what a customer sends they are two different things.
    return bool(isinstance(found, bool) == isinstance(wanted, bool) and found == wanted)


def _contains(found: Any, wanted: Any) -> bool:
    if isinstance(found, str):
        return isinstance(wanted, str) and wanted in found
    return isinstance(found, list) and any(_equal(item, wanted) for item in found)


OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": _equal,
    "not_equals": lambda found, wanted: not _equal(found, wanted),
    "greater": _ordered(lambda found, wanted: found > wanted),
    "at_least": _ordered(lambda found, wanted: found >= wanted),
    "less": _ordered(lambda found, wanted: found < wanted),
    "at_most": _ordered(lambda found, wanted: found <= wanted),
    "contains": _contains,
    "starts_with": lambda found, wanted: (
        isinstance(found, str) and isinstance(wanted, str) and found.startswith(wanted)
    ),
    "one_of": lambda found, wanted: isinstance(wanted, list) and any(_equal(found, item) for item in wanted),
    "exists": lambda found, wanted: found is not None,
    "not_exists": lambda found, wanted: found is None,
}
_NEEDS_NO_VALUE = ("exists", "not_exists")


def holds(predicate: Predicate, values: Mapping[str, Any]) -> bool:
    """Whether the comparison is true of these values. `a.b` looks into an object."""
    return OPERATORS[predicate.operator](look_up(values, predicate.name), predicate.value)


def all_hold(predicates: Sequence[Predicate], values: Mapping[str, Any]) -> bool:
    return all(holds(predicate, values) for predicate in predicates)


def look_up(values: Mapping[str, Any], name: str) -> Any:
    """The value of that name, or of that dotted path, or None."""
    if name in values:
        return values[name]
    found: Any = values
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether the user belongs to a segment, or does not."""

    segment: str
    is_in: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """One question of a split: of the user's attributes, the entry event's properties, the past, segments."""

    about: str
    asks: Predicate | Did | InSegment

    def holds(self, moment: Moment) -> bool:
        if isinstance(self.asks, Did):
            return did(self.asks, moment)
        if isinstance(self.asks, InSegment):
            return moment.is_in(self.asks.segment, moment.attributes) is self.asks.is_in
        return holds(self.asks, self._values(moment))

    def saw(self, moment: Moment) -> tuple[str, Any]:
        """What it looks at, and what it finds there now."""
        if isinstance(self.asks, Did):
            return f"did {self.asks.event}", len(times(self.asks, moment))
        if isinstance(self.asks, InSegment):
            return f"segment {self.asks.segment}", moment.is_in(self.asks.segment, moment.attributes)
        return f"{self.about} {self.asks.name}", look_up(self._values(moment), self.asks.name)

    def _values(self, moment: Moment) -> Mapping[str, Any]:
        return moment.attributes if self.about == "attribute" else moment.properties


def did(question: Did, moment: Moment) -> bool:
    """Whether it happened as often as was asked for."""
    count = len(times(question, moment))
    return count >= question.at_least and (question.at_most is None or count <= question.at_most)


def times(question: Did, moment: Moment) -> list[Instant]:
    """When it happened, in order: since the entry or in the time asked for, and before the moment itself."""
    since = moment.entered_at if question.within_ms is None else moment.at - question.within_ms - 1
    if question.ever:
        since = -1
    return sorted(
        one.at
        for one in moment.past(question.event)
        if since < one.at < moment.at and all_hold(question.where, one.properties)
    )


def read_predicate(reader: Reader) -> Predicate:
    name = reader.text("name", longest=256)
    operator = reader.choice("operator", tuple(OPERATORS))
    value = reader.value("value", required=operator not in _NEEDS_NO_VALUE)
    if operator == "one_of" and value is not None and not isinstance(value, list):
        reader.refuse("value", f"one_of compares with a list of values, found {value!r}")
    return Predicate(name, operator, value)


def read_predicates(reader: Reader, key: str = "where") -> tuple[Predicate, ...]:
    return tuple(read_predicate(item) for item in reader.items(key, most=20))


def read_condition(reader: Reader) -> Condition:
    """What it is `about`, and what that takes.

    `attribute` and `property`: name, operator, value. `did`: event, where, … `segment`: segment, is_in.
    """
    before = len(reader.problems)
    about = reader.choice("about", ("attribute", "property", "did", "segment"))
    if len(reader.problems) > before:
        # What the rest ought to be depends on it: one fault is told as one problem.
        return Condition(about, Predicate("", "exists"))
    if about == "did":
        return Condition(about, read_did(reader))
    if about == "segment":
        return Condition(about, read_in_segment(reader))
    return Condition(about, read_predicate(reader))


def read_in_segment(reader: Reader) -> InSegment:
    return InSegment(reader.text("segment", longest=LONGEST_NAME), reader.flag("is_in", default=True))


MOST_TIMES = 10_000
LONGEST_BACK = 3660 * 86_400_000


def read_did(reader: Reader) -> Did:
    question = Did(
        event=reader.text("event", longest=256),
        where=read_predicates(reader),
        within_ms=reader.duration("within_ms", least=1000, most=LONGEST_BACK, required=False) or None,
        ever=reader.flag("ever"),
        at_least=reader.number("at_least", least=0, most=MOST_TIMES, required=False, default=1),
        at_most=_read_most(reader),
    )
    if question.ever and question.within_ms is not None:
        reader.refuse("ever", "Either `ever` or `within` can be asked for, found both")
    if question.at_most is not None and question.at_most < question.at_least:
        message = f"It must be `at_least` ({question.at_least}) or more, found {question.at_most}"
        reader.refuse("at_most", message, "out_of_range")
    return question


def _read_most(reader: Reader) -> int | None:
    if reader.value("at_most", required=False) is None:
        return None
    return reader.number("at_most", least=0, most=MOST_TIMES)
