"""Questions of journeys: who came in, is inside, has left and why, passed a step, reached a goal."""

from dataclasses import dataclass

from ..moment import EndReason, Predicate
from ..reading import Reader
from ..steps.go_to_journey import journey_in
from .happened import Happened
from .person import Facts, Person, Wanted, Wants
from .times import read_times
from .visits import read_values
from .windows import EVER

ENTERED, ENDED, PASSED, LEFT, REACHED = "entered", "ended", "passed", "left", "reached"
OF_JOURNEYS = (ENTERED, ENDED, PASSED, LEFT, REACHED)
LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class IsInside:
    """Has a run of the journey that had begun and was not over at that moment."""

    journey: int
    step: str = ""
    """Where it waits now; anywhere if empty."""

    def holds(self, person: Person) -> bool:
        return any(
            one.at <= person.at and self._is_open(one.properties.get("ended_at"), person.at)
            for one in person.past(self.facts)
            if not self.step or one.properties["step"] == self.step
        )

    @staticmethod
    def _is_open(ended_at: int | None, at: int) -> bool:
        return ended_at is None or ended_at > at

    @property
    def facts(self) -> Facts:
        return Facts(ENTERED, journey=self.journey)

    def wants(self) -> Wants:
        return Wants(past=(Wanted(self.facts, EVER),))


def read_entered(reader: Reader) -> Happened:
    return Happened(Facts(ENTERED, journey=read_journey(reader)), read_times(reader))


def read_inside(reader: Reader) -> IsInside:
    return IsInside(read_journey(reader), reader.text("step", required=False, longest=LONGEST_KEY))


def read_ended(reader: Reader) -> Happened:
    reasons = read_values(reader, "reasons")
    if unknown := sorted(set(reasons) - set(EndReason)):
        known = ", ".join(EndReason)
        reader.refuse("reasons", f"End reasons are {known}, found {', '.join(unknown)}")
    where = (Predicate("reason", "one_of", reasons),) if reasons else ()
    return Happened(Facts(ENDED, journey=read_journey(reader)), read_times(reader), where)


def read_passed(reader: Reader) -> Happened:
    """Came to a step; with an output: left it by that."""
    where = [Predicate("step", "equals", reader.text("step", longest=LONGEST_KEY))]
    output = reader.text("output", required=False, longest=LONGEST_KEY)
    if output:
        where.append(Predicate("output", "equals", output))
    kind = LEFT if output else PASSED
    return Happened(Facts(kind, journey=read_journey(reader)), read_times(reader), tuple(where))


def read_reached(reader: Reader) -> Happened:
    goal = reader.text("goal", required=False, longest=LONGEST_KEY)
    where = (Predicate("goal", "equals", goal),) if goal else ()
    return Happened(Facts(REACHED, journey=read_journey(reader)), read_times(reader), where)


def read_journey(reader: Reader, *, required: bool = True) -> int:
    """The journey's number, from its id; 0 for none."""
    text = reader.text("journey", required=required, longest=120)
    number = journey_in(text)
    if text.strip() and number is None:
        reader.refuse("journey", f"There is no journey with the id {text!r}", "unknown_journey")
    return number or 0
