"""Wait for a trigger: the first branch whose events have happened since the arrival, else `not_triggered`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..conditions import all_hold, read_predicates
from ..moment import Decision, Did, Instant, Leave, Moment, Outputs, Predicate, Wait
from ..reading import Reader
from .base import StepBase, read_common

NOT_TRIGGERED = "not_triggered"
LONGEST = 90 * 86_400_000
MOST_BRANCHES, MOST_EVENTS = 10, 4


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event that is waited for."""

    event: str
    where: tuple[Predicate, ...] = ()

    def met_at(self, moment: Moment, until: Instant) -> Instant | None:
        """When it first happened while the run was here, before that instant."""
        times = (
            one.at
            for one in moment.past(self.event)
            if moment.arrived_at < one.at < until and all_hold(self.where, one.properties)
        )
        return min(times, default=None)


@dataclass(frozen=True, slots=True)
class Branch:
    output: str
    match: str
    """`any` or `all` of the events."""
    events: tuple[Trigger, ...]

    def met_at(self, moment: Moment, until: Instant) -> Instant | None:
        """When the branch was complete; None if it was not before that instant."""
        times = [trigger.met_at(moment, until) for trigger in self.events]
        met = [at for at in times if at is not None]
        if self.match == "any":
            return min(met, default=None)
        return max(met) if len(met) == len(times) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForTrigger(StepBase):
    kind: ClassVar[str] = "wait"
    takes_time: ClassVar[bool] = True

    longest_ms: int
    branches: tuple[Branch, ...]
    always_full: bool = False
    """Whether everybody waits the full time, and only then takes the branch that was complete first."""

    @classmethod
    def read(cls, reader: Reader) -> "WaitForTrigger":
        common: dict[str, Any] = read_common(reader)
        return cls(
            **common,
            longest_ms=reader.duration("longest_ms", least=1000, most=LONGEST),
            branches=_read_branches(reader),
            always_full=reader.flag("always_full"),
        )

    def outputs(self) -> Outputs:
        return (*(branch.output for branch in self.branches), NOT_TRIGGERED)

    def arrive(self, moment: Moment) -> Decision:
        return Wait(until=moment.at + self.longest_ms)

    def wake(self, moment: Moment) -> Decision:
        # What happens at the very instant at which the time is over comes after it.
        return self._complete(moment, moment.at) or Leave(NOT_TRIGGERED, "nothing of it happened in time")

    def listens_for(self) -> frozenset[str]:
        return frozenset(trigger.event for branch in self.branches for trigger in branch.events)

    def hear(self, moment: Moment, event: str) -> Decision | None:
        return None if self.always_full else self._complete(moment, moment.at + 1)

    def asks_past(self) -> tuple[Did, ...]:
        return tuple(Did(name) for name in sorted(self.listens_for()))

    def _complete(self, moment: Moment, until: Instant) -> Leave | None:
        """By the branch that was complete first; of several at one instant by the first that is drawn."""
        met = [(branch.met_at(moment, until), branch) for branch in self.branches]
        complete = [(at, branch) for at, branch in met if at is not None]
        if not complete:
            return None
        at, branch = min(complete, key=lambda one: one[0])
        names = ", ".join(dict.fromkeys(trigger.event for trigger in branch.events))
        return Leave(branch.output, names, saw={"completed_at": at})


def _read_branches(reader: Reader) -> tuple[Branch, ...]:
    branches: list[Branch] = []
    for item in reader.items("branches", least=1, most=MOST_BRANCHES):
        branch = Branch(
            output=item.text("output", longest=64),
            match=item.choice("match", ("any", "all")) if item.value("match", required=False) else "any",
            events=tuple(_read_trigger(one) for one in item.items("events", least=1, most=MOST_EVENTS)),
        )
        if branch.output in (NOT_TRIGGERED, *(other.output for other in branches if other.output)):
            message = f"Two branches have the output {branch.output!r}; each needs its own"
            item.refuse("output", message, "duplicate")
        branches.append(branch)
    return tuple(branches)


def _read_trigger(reader: Reader) -> Trigger:
    return Trigger(reader.text("event", longest=256), read_predicates(reader))
