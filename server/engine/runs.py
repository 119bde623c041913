"""What runs do in a batch: they enter, wake, hear of what they wait for, end."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import orjson
import structlog

from server.aggregates.metrics import Dimension, Metric
from server.aggregates.stays import class_of
from server.clock import MINUTE, Instant
from server.journey import moving, passage
from server.journey.graph import Graph
from server.journey.holdout import HOLDOUT
from server.journey.moment import EndReason, Moment
from server.journey.passage import Passage, Visit
from server.journey.status import JourneyStatus
from server.journey.steps import Step
from server.journey.steps.outcome import MESSAGES

from . import draws, mailing, profiles, reach, segments
from .batch import Batch, Onward
from .state import Happening, RunState, UserState, to_json

LATE = MINUTE
"""A timer that fires later than this after it was due (the server was down) happens when it fires."""

LONGEST_SEEN = 500
"""Characters of one value that a visit keeps: people's attributes may be as long as they like."""

NOTHING_SEEN: Mapping[str, Any] = {}
log = structlog.get_logger("engine")


def begin(batch: Batch, run: RunState, entry: Step, user: UserState) -> None:
    """Lets a new run in by this entry, at the instant at which it entered."""
    batch.add_run(run)
    at = run.entered_at
    saw = draws.hold_out(batch, run, _seed(run, user))
    count(batch, Metric.ENTRIES, run, entry.key, at)
    include(batch, Dimension.ENTERED, run, "", at)
    _arrive(batch, run, entry.key, at)
    if run.variant == HOLDOUT:
        end(batch, run, EndReason.HELD_OUT, at, saw=saw)
        return
    _go(batch, run, user, at, lambda graph, moment: passage.enter(graph, entry, moment, saw))


def may_move(batch: Batch, run: RunState) -> bool:
    """Whether the run's journey is running; while it is paused, time stands still for its runs."""
    journey = batch.catalog.journeys.get(run.journey_id)
    return journey is not None and journey.status is JourneyStatus.RUNNING and not run.held


def wake(batch: Batch, run: RunState, user: UserState) -> None:
    assert run.wake_at is not None
    at = _happens_at(batch, run, run.wake_at)
    _go(batch, run, user, at, lambda graph, moment: passage.wake(graph, run.step_key, moment))


def hear(batch: Batch, run: RunState, user: UserState, event: Happening) -> None:
    """Tells a run of an event that the step at which it waits listens for."""
    if not run.is_open or event.at <= run.arrived_at:
        return
    if event.name not in graph_of(batch, run).steps[run.step_key].listens_for():
        return
    at = _happens_at(batch, run, event.at)
    _go(batch, run, user, at, lambda graph, moment: passage.hear(graph, run.step_key, event.name, moment))


def hear_messages(batch: Batch, run: RunState, user: UserState, at: Instant) -> None:
    """Tells a run what has become of the messages of the step at which it waits."""
    at = _happens_at(batch, run, at)
    _go(batch, run, user, at, lambda graph, moment: passage.hear_messages(graph, run.step_key, moment))


def end(
    batch: Batch,
    run: RunState,
    reason: EndReason,
    at: Instant,
    because: str = "",
    saw: Mapping[str, Any] = NOTHING_SEEN,
) -> None:
    """Ends a run where it is, whatever it was waiting for."""
    visit = Visit(run.step_key, run.arrived_at, at, "", because, reason, saw=saw)
    _note_visit(batch, run, visit, _first_message(orjson.loads(run.memory)))
    _close(batch, run, reason, at)


class Arrival(NamedTuple):
    """Where a run comes to in another version, and when; since `paused_at` its time may stand still."""

    version: int
    step_key: str
    at: Instant
    paused_at: Instant | None = None


def move(batch: Batch, run: RunState, user: UserState, to: Arrival) -> None:
    """Moves a run to a step of another version, where it goes on."""
    at, stood_still_at = to.at, to.at if to.paused_at is None else to.paused_at
    waited = _leave_version(batch, run, to, stood_still_at)
    graph = graph_of(batch, run)
    taken = passage.move(graph, to.step_key, _moment(batch, run, user, at), waited)
    _write_down(batch, run, graph, user, taken, at)
    if run.wake_at is not None and (taken.visits or taken.sends):
        # What begins while time stands still begins, as far as time goes, where that began.
        run.wake_at = max(run.wake_at - (at - stood_still_at), stood_still_at)
    if run.is_open and (taken.sends or (waited.sent and not taken.visits)):
        # What is known of them already may be what the new step waits for.
        _go(batch, run, user, at, lambda graph, moment: passage.hear_messages(graph, run.step_key, moment))


def _leave_version(batch: Batch, run: RunState, to: Arrival, stood_still_at: Instant) -> passage.Waited:
    """The visit is over, and counted in the old version; the arrival is counted in the new one."""
    memory, began, source = orjson.loads(run.memory), run.arrived_at, run.step_key
    visit = Visit(source, began, to.at, moving.output_to(to.version), to.step_key)
    _note_visit(batch, run, visit, _first_message(memory))
    count(batch, Metric.MOVED_OUT, run, source, to.at)
    run.version, run.memory, run.arrived_at = to.version, "{}", to.at
    count(batch, Metric.MOVED_IN, run, to.step_key, to.at)
    _arrive(batch, run, to.step_key, to.at)
    sent = {MESSAGES: memory[MESSAGES]} if to.step_key == source and MESSAGES in memory else {}
    return passage.Waited(began, stood_still_at, sent)


def graph_of(batch: Batch, run: RunState) -> Graph:
    return batch.catalog.graph_of(run.journey_id, run.version)


def _happens_at(batch: Batch, run: RunState, at: Instant) -> Instant:
    """When something that was due, or was done, at that instant happens to the run."""
    late = not batch.follows_events and batch.now - at > LATE
    return max(batch.now if late else at, run.arrived_at)


def _go(
    batch: Batch,
    run: RunState,
    user: UserState,
    at: Instant,
    decide: Callable[[Graph, Moment], Passage | None],
) -> None:
    """Has the run take the way that is decided. One that cannot go on is set aside, and stops nobody else."""
    with setting_aside(batch, run, at):
        _go_on(batch, run, user, at, decide)


def _go_on(
    batch: Batch,
    run: RunState,
    user: UserState,
    at: Instant,
    decide: Callable[[Graph, Moment], Passage | None],
) -> None:
    """One that may not move now takes its way as soon as it may."""
    graph = graph_of(batch, run)
    try:
        taken = decide(graph, _moment(batch, run, user, at))
    except passage.Stuck as stuck:
        if batch.is_strict:
            raise
        log.exception("a step raised", shard=batch.shard, run=run.id, step=stuck.passage.step_key)
        taken = stuck.passage
    if taken is None:
        return
    if run.is_open and not may_move(batch, run):
        _wake_when_let_go(batch, run)
        return
    _write_down(batch, run, graph, user, taken, at)
    if taken.sends and run.is_open:
        # What can never be sent is known at once.
        hear_messages(batch, run, user, at)


@contextmanager
def setting_aside(batch: Batch, run: RunState, at: Instant) -> Iterator[None]:
    """A run whose step, data or goals raise ends where it is, with what was raised as the reason.

    Whoever shares its batch, its event or its journey goes on.
    """
    try:
        yield
    except Exception as error:
        if batch.is_strict:
            raise
        log.exception("a run could not go on", shard=batch.shard, run=run.id, step=run.step_key)
        if run.end_reason is None:
            end(batch, run, EndReason.INTERNAL_ERROR, max(at, run.arrived_at), passage.why(error))


def _wake_when_let_go(batch: Batch, run: RunState) -> None:
    journey = batch.catalog.journeys.get(run.journey_id)
    if journey is not None and journey.paused_at is not None and run.wake_at is not None:
        run.wake_at = max(min(run.wake_at, journey.paused_at), run.arrived_at)
        run.is_changed = True


def _moment(batch: Batch, run: RunState, user: UserState, at: Instant) -> Moment:
    key = (run.project_id, run.user_number)
    return Moment(
        at=at,
        attributes=user.attributes,
        properties=orjson.loads(run.properties),
        past=lambda name: batch.past_of(key, name),
        entered_at=run.entered_at,
        arrived_at=run.arrived_at,
        zone=profiles.zone_of(user, batch.catalog.zone_of(run.project_id)),
        seed=_seed(run, user),
        run_id=run.id,
        journey_id=run.journey_id,
        variants=draws.outputs(run),
        standing=lambda step_key: draws.standing(batch, run, step_key),
        memory=orjson.loads(run.memory),
        is_in=segments.asking(batch, run.project_id, user, at),
        reaches=lambda channel, purpose: reach.why_not(batch, run.project_id, user, channel, purpose),
    )


def _seed(run: RunState, user: UserState) -> str:
    return user.user_id if user.user_id is not None else f"{run.shard}/{run.user_number}"


def _write_down(
    batch: Batch, run: RunState, graph: Graph, user: UserState, taken: Passage, at: Instant
) -> None:
    """Writes down the way that a run has just gone, all of it at one instant."""
    for index, visit in enumerate(taken.visits):
        # Should something go wrong, it goes wrong here.
        run.step_key, run.arrived_at = visit.step_key, visit.arrived_at
        if visit.sticks:
            draws.keep(run, visit)
        if visit.learns:
            profiles.learn(user, visit.learns)
        message_id = _first_message(visit.memory)
        if visit.sends:
            message_id = mailing.send(batch, run, graph.steps[visit.step_key], user, at)[0].id
        _note_visit(batch, run, visit, message_id)
        if visit.end_reason is None:
            following = taken.visits[index + 1] if index + 1 < len(taken.visits) else None
            arrived = following.step_key if following else taken.step_key
            _arrive(batch, run, arrived, visit.left_at)
    run.is_changed = True
    run.step_key, run.arrived_at, run.wake_at = taken.step_key, taken.arrived_at, taken.wake_at
    memory = dict(taken.memory)
    if taken.sends:
        posted = mailing.send(batch, run, graph.steps[run.step_key], user, at)
        memory[MESSAGES] = {str(one.id): one.told() for one in posted}
    run.memory = to_json(memory) if memory else "{}"
    if taken.end_reason is not None:
        _close(batch, run, taken.end_reason, at)
        if taken.enters is not None:
            batch.onward.append(Onward(run, user, taken.enters, at))


def _first_message(memory: Mapping[str, Any]) -> int | None:
    return next(map(int, memory.get(MESSAGES, ())), None)


def _close(batch: Batch, run: RunState, reason: EndReason, at: Instant) -> None:
    graph = graph_of(batch, run)
    run.is_changed = True
    run.wake_at, run.ended_at, run.end_reason, run.memory = None, at, reason.value, "{}"
    run.counts_goals_until = at + graph.longest_window_ms if graph.goals else None


def _arrive(batch: Batch, run: RunState, step_key: str, at: Instant) -> None:
    count(batch, Metric.ARRIVALS, run, step_key, at)
    include(batch, Dimension.ARRIVED, run, step_key, at)


def _note_visit(batch: Batch, run: RunState, visit: Visit, message_id: int | None) -> None:
    reason = visit.end_reason.value if visit.end_reason else None
    batch.visits.append(
        (
            batch.shard,
            run.id,
            batch.take_id(),
            run.project_id,
            run.journey_id,
            run.version,
            run.user_number,
            run.entered_at,
            visit.step_key,
            visit.arrived_at,
            visit.left_at,
            visit.output,
            visit.because,
            reason,
            message_id,
            to_json(_in_short(visit.saw)) if visit.saw else "{}",
        )
    )
    stayed = visit.left_at - visit.arrived_at
    if stayed > 0:
        how_long = {"reason": class_of(stayed), "amount": stayed}
        count(batch, Metric.STAYED, run, visit.step_key, visit.left_at, **how_long)
    if reason:
        count(batch, Metric.ENDED, run, visit.step_key, visit.left_at, reason=reason)
    else:
        count(batch, Metric.LEFT, run, visit.step_key, visit.left_at, output=visit.output)
        include(batch, Dimension.LEFT, run, f"{visit.step_key}/{visit.output}", visit.left_at)


def _in_short(saw: Mapping[str, Any]) -> dict[str, Any]:
    """What a decision looked at, long values only as far as it takes to recognise them."""
    return {name: _shown(value) for name, value in saw.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= LONGEST_SEEN else f"{value[:LONGEST_SEEN]}…"
    if isinstance(value, dict | list):
        text = to_json(value)
        return value if len(text) <= LONGEST_SEEN else f"{text[:LONGEST_SEEN]}…"
    return value


def count(batch: Batch, metric: Metric, run: RunState, step_key: str, at: Instant, **more: Any) -> None:
    about = (run.project_id, run.journey_id, run.version, step_key, at, run.entered_at)
    batch.tally.count(metric, *about, variant=run.variant, **more)


def include(batch: Batch, dimension: Dimension, run: RunState, place: str, at: Instant) -> None:
    """Notes the user at a place of the journey. Who is held out is no part of these sets."""
    if run.variant != HOLDOUT:
        value = f"{run.journey_id}/{place}" if place else str(run.journey_id)
        who = (run.project_id, run.version, value, run.user_number)
        batch.tally.include(dimension, *who, at, run.entered_at)
