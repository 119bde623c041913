"""What a run does next: from one wait to the next, in one go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .graph import Graph
from .moment import Decision, End, EndReason, Instant, Leave, Moment, Wait
from .steps import MessageStep, Step

LONGEST_WHY = 200
MOST_STEPS_AT_ONCE = 1000
"""A checked graph cannot loop without time passing; this holds should a check ever be wrong."""

SILENT = "silent"
"""The member of a visit's memory that says that it waits for silent hours to end."""


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
    saw: Mapping[str, Any] = field(default_factory=dict)
    learns: Mapping[str, Any] = field(default_factory=dict)
    sticks: bool = False
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What the step had kept until then."""


@dataclass(slots=True)
class Passage:
    """The visits that are over now, and where the run is: waiting at a step, or ended."""

    visits: list[Visit] = field(default_factory=list)
    step_key: str = ""
    """Where the run waits, or where it ended."""
    arrived_at: Instant = 0
    wake_at: Instant | None = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What the step at which it waits keeps."""
    sends: bool = False
    """Whether that step asks for a message before it waits."""
    end_reason: EndReason | None = None
    enters: int | None = None
    """The journey in which the person goes on."""


class Stuck(Exception):
    """A step has raised. The passage goes up to there, and ends there with that as the reason."""

    def __init__(self, passage: Passage) -> None:
        super().__init__(passage.step_key)
        self.passage = passage


NOTHING: Mapping[str, Any] = {}


def why(error: Exception) -> str:
    """What was raised, in a few words."""
    return f"{type(error).__name__}: {error}"[:LONGEST_WHY].rstrip(": ")


def enter(graph: Graph, entry: Step, moment: Moment, saw: Mapping[str, Any] | None = None) -> Passage:
    """Lets a run in by this entry. `saw` is kept as what was looked at on coming in."""
    try:
        moment.arrived_at = moment.at
        passage = _walk(graph, entry, _at_its_time(graph, entry), moment)
    except Stuck as stuck:
        _keep_seen(stuck.passage, saw)
        raise
    return _keep_seen(passage, saw)


def _keep_seen(passage: Passage, saw: Mapping[str, Any] | None) -> Passage:
    if saw and passage.visits:
        passage.visits[0].saw = {**passage.visits[0].saw, **saw}
    return passage


def wake(graph: Graph, step_key: str, moment: Moment) -> Passage:
    """Goes on with a run whose wait at this step is over."""
    step = graph.steps[step_key]
    return _walk(graph, step, _woken(graph, step) if SILENT in moment.memory else step.wake, moment)


@dataclass(frozen=True, slots=True)
class Waited:
    """What a run brings along from the step at which it has waited in another version."""

    began: Instant
    stood_still_at: Instant
    """When its time stood still, if it does; now, if not."""
    sent: Mapping[str, Any] = field(default_factory=dict)
    """What it remembers of the messages of the very same step, if it is that: they are not sent again."""


def move(graph: Graph, step_key: str, moment: Moment, waited: Waited) -> Passage:
    """Goes on at a step of another version. If that is a wait, it counts from when the old wait began."""
    step, sent = graph.steps[step_key], waited.sent
    moment = replace(moment, arrived_at=moment.at, memory={})
    decision = step.arrive(replace(moment, at=waited.began, arrived_at=waited.began))
    if isinstance(decision, Wait) and (sent or not decision.sends):
        until = max(decision.until, waited.stood_still_at)
        kept = replace(decision, until=until, sends=False, memory={**decision.memory, **sent})
        return _walk(graph, step, lambda _: kept, moment)
    if isinstance(decision, Leave) and decision.sends and sent:
        quiet = replace(decision, sends=False)
        return _walk(graph, step, lambda _: quiet, moment)
    return _walk(graph, step, _at_its_time(graph, step), moment)


def hear(graph: Graph, step_key: str, event: str, moment: Moment) -> Passage | None:
    """What an event of this name does to a run that waits at this step; None: it goes on waiting."""
    step = graph.steps[step_key]
    return _unless_none(graph, step, step.hear(moment, event), moment)


def hear_messages(graph: Graph, step_key: str, moment: Moment) -> Passage | None:
    """What has become of the messages of this visit, as `moment.memory` tells, does to the run."""
    step = graph.steps[step_key]
    return _unless_none(graph, step, step.hear_messages(moment), moment)


def _unless_none(graph: Graph, step: Step, decision: Decision | None, moment: Moment) -> Passage | None:
    return None if decision is None else _walk(graph, step, lambda _: decision, moment)


def _walk(graph: Graph, step: Step, decide: Callable[[Moment], Decision], moment: Moment) -> Passage:
    passage = Passage()
    for _ in range(MOST_STEPS_AT_ONCE):
        passage.step_key, passage.arrived_at = step.key, moment.arrived_at
        try:
            decision = decide(moment)
        except Exception as error:
            raise Stuck(_end(passage, End(EndReason.INTERNAL_ERROR, why(error)), moment)) from error
        if isinstance(decision, Wait):
            passage.wake_at, passage.memory, passage.sends = decision.until, decision.memory, decision.sends
            return passage
        if isinstance(decision, End):
            return _end(passage, decision, moment)
        passage.visits.append(_left(step, decision, moment))
        _move_on(moment, step, decision)
        step = graph.after(step.key, decision.output)
        decide = _at_its_time(graph, step)
    return _end(passage, End(EndReason.INTERNAL_ERROR, "walked in a circle"), moment)


def _at_its_time(graph: Graph, step: Step) -> Callable[[Moment], Decision]:
    """Arriving; but where a message would leave in silent hours, the run waits for their end first."""
    if not isinstance(step, MessageStep) or not graph.silence.rules:
        return step.arrive

    def arrive(moment: Moment) -> Decision:
        opens = graph.silence.next_open(moment.at, step.channel, step.purpose, moment.zone)
        return Wait(until=opens, memory={SILENT: True}) if opens > moment.at else step.arrive(moment)

    return arrive


def _woken(graph: Graph, step: Step) -> Callable[[Moment], Decision]:
    """Arriving after silence, unless there is another by now: the person may have moved."""

    def arrive(moment: Moment) -> Decision:
        decision = _at_its_time(graph, step)(replace(moment, memory={}))
        if isinstance(decision, Leave) and not decision.because:
            decision = replace(decision, because="waited for the end of silent hours")
        return decision

    return arrive


def _move_on(moment: Moment, step: Step, decision: Leave) -> None:
    """Takes the moment to the next step, which knows what this one has learnt and drawn."""
    if decision.learns:
        known = {**moment.attributes, **decision.learns}
        moment.attributes = {name: one for name, one in known.items() if one is not None}
    if decision.sticks:
        moment.variants = {**moment.variants, step.key: decision.output}
    moment.arrived_at, moment.memory = moment.at, NOTHING


def _left(step: Step, decision: Leave, moment: Moment) -> Visit:
    return Visit(
        step.key,
        moment.arrived_at,
        moment.at,
        decision.output,
        decision.because,
        None,
        decision.sends,
        decision.saw,
        decision.learns,
        decision.sticks,
        moment.memory,
    )


def _end(passage: Passage, decision: End, moment: Moment) -> Passage:
    passage.end_reason, passage.enters = decision.reason, decision.enters
    visit = Visit(passage.step_key, passage.arrived_at, moment.at, "", decision.because, decision.reason)
    visit.saw, visit.memory = decision.saw, moment.memory
    passage.visits.append(visit)
    return passage
