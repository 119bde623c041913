"""What a run does next: from one wait to the next, in one go."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .graph import Graph
from .moment import Decision, End, EndReason, Instant, Leave, Moment, Wait
from .steps import Step

MOST_STEPS_AT_ONCE = 1000
"""A checked graph cannot loop without time passing; this holds should a check ever be wrong."""


@dataclass(slots=True)
class Visit:
    """One passage of a run through a step. `output` is empty if the run ended there."""

    step_key: str
    arrived_at: Instant
    left_at: Instant
    output: str = ""
    because: str = ""
    end_reason: EndReason | None = None
    sends: bool = False


@dataclass(slots=True)
class Passage:
    """The visits that are over now, and where the run is: waiting at a step, or ended."""

    visits: list[Visit] = field(default_factory=list)
    step_key: str = ""
    """Where the run waits, or where it ended."""
    arrived_at: Instant = 0
    wake_at: Instant | None = None
    end_reason: EndReason | None = None


def enter(graph: Graph, entry: Step, moment: Moment) -> Passage:
    """Lets a run in by this entry."""
    return _walk(graph, entry, moment.at, entry.arrive, moment)


def wake(graph: Graph, step_key: str, arrived_at: Instant, moment: Moment) -> Passage:
    """Goes on with a run whose wait at this step is over."""
    step = graph.steps[step_key]
    return _walk(graph, step, arrived_at, step.wake, moment)


def _walk(
    graph: Graph, step: Step, arrived_at: Instant, decide: Callable[[Moment], Decision], moment: Moment
) -> Passage:
    passage = Passage()
    for _ in range(MOST_STEPS_AT_ONCE):
        passage.step_key, passage.arrived_at = step.key, arrived_at
        decision = decide(moment)
        if isinstance(decision, Wait):
            passage.wake_at = decision.until
            return passage
        if isinstance(decision, End):
            return _end(passage, decision, moment.at)
        passage.visits.append(_left(step, arrived_at, decision, moment.at))
        step, arrived_at = graph.after(step.key, decision.output), moment.at
        decide = step.arrive
    return _end(passage, End(EndReason.INTERNAL_ERROR, "walked in a circle"), moment.at)


def _left(step: Step, arrived_at: Instant, decision: Leave, at: Instant) -> Visit:
    return Visit(step.key, arrived_at, at, decision.output, decision.because, None, decision.sends)


def _end(passage: Passage, decision: End, at: Instant) -> Passage:
    passage.end_reason = decision.reason
    passage.visits.append(
        Visit(passage.step_key, passage.arrived_at, at, "", decision.because, decision.reason)
    )
    return passage
