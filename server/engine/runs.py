"""What runs do in a batch: they enter, wake, reach goals, end."""

from collections.abc import Sequence
from typing import Any

import orjson

from server.aggregates.metrics import Dimension, Metric
from server.clock import MINUTE, Instant
from server.journey import passage
from server.journey.conditions import all_hold
from server.journey.goals import Goal
from server.journey.graph import Graph, Reentry
from server.journey.moment import Did, EndReason, Moment
from server.journey.passage import Passage, Visit
from server.journey.status import JourneyStatus
from server.journey.steps import EntryEvent

from . import mailing
from .batch import Batch
from .catalog import LiveJourney
from .state import Happening, RunState, UserState, to_json

LATE = MINUTE
"""A timer that fires later than this after it was due (the server was down) happens when it fires."""

TOO_OLD = 24 * 60 * MINUTE
"""An event older than this on arrival is a fact, but lets nobody in: the moment has passed."""


class RefusedEntry:
    """Why an event let nobody in."""

    ALREADY_INSIDE = "already_inside"
    ENTERED_BEFORE = "entered_before"
    PAUSED = "paused"
    TOO_OLD = "too_old"


def offer_entries(batch: Batch, user: UserState, event: Happening) -> None:
    """Lets the user in wherever this event does, and notes where it would have and why it did not."""
    for journey, entry in batch.catalog.entries.get((event.project_id, event.name), ()):
        if not entry.lets_in(event.body) or not journey.has_begun(event.at):
            continue
        refused = _refusal(batch, journey, user, event.at)
        if refused:
            _refuse(batch, journey, entry, user, refused, event)
        else:
            _enter(batch, journey, entry, user, event)


def _refusal(batch: Batch, journey: LiveJourney, user: UserState, at: Instant) -> str | None:
    if journey.status is JourneyStatus.PAUSED:
        return RefusedEntry.PAUSED
    if not batch.follows_events and batch.now - at > TOO_OLD:
        return RefusedEntry.TOO_OLD
    own = [run for run in batch.runs_by_user[journey.project_id, user.number] if run.journey_id == journey.id]
    if any(run.is_open for run in own):
        return RefusedEntry.ALREADY_INSIDE
    if own and batch.catalog.graph_of(journey.id, journey.version).reentry is Reentry.NEVER:
        return RefusedEntry.ENTERED_BEFORE
    return None


def _refuse(
    batch: Batch, journey: LiveJourney, entry: EntryEvent, user: UserState, reason: str, event: Happening
) -> None:
    which = (journey.id, user.number, event.digest, journey.version, entry.key)
    batch.refusals.append((batch.shard, event.project_id, *which, reason, event.at))
    about = (event.project_id, journey.id, journey.version, entry.key, event.at)
    batch.tally.count(Metric.REFUSED, *about, reason=reason)


def _enter(batch: Batch, journey: LiveJourney, entry: EntryEvent, user: UserState, event: Happening) -> None:
    at = event.at
    run = RunState(
        shard=batch.shard,
        id=batch.take_id(),
        project_id=journey.project_id,
        journey_id=journey.id,
        version=journey.version,
        user_number=user.number,
        entry_key=entry.key,
        step_key=entry.key,
        arrived_at=at,
        entered_at=at,
        wake_at=None,
        held=False,
        ended_at=None,
        end_reason=None,
        counts_goals_until=None,
        event_name=event.name,
        properties=to_json(event.body),
        goals="{}",
        is_new=True,
    )
    batch.add_run(run)
    graph = batch.catalog.graph_of(journey.id, journey.version)
    _count(batch, Metric.ENTRIES, run, entry.key, at)
    batch.tally.include(Dimension.ENTERED, run.project_id, str(run.journey_id), user.number, at)
    _arrive(batch, run, entry.key, at)
    _follow(batch, run, graph, user, passage.enter(graph, entry, _moment(batch, run, user, event.body, at)))


def wake_until(batch: Batch, user: UserState, project_id: int, until: Instant) -> None:
    """Wakes the user's runs that were due by then, the earliest first: an event finds them as they were."""
    while True:
        due = [
            run
            for run in batch.runs_by_user[project_id, user.number]
            if run.wake_at is not None and run.wake_at <= until and may_move(batch, run)
        ]
        if not due:
            return
        wake(batch, min(due, key=lambda run: (run.wake_at, run.id)), user)


def may_move(batch: Batch, run: RunState) -> bool:
    """Whether the run's journey is running; while it is paused, time stands still for its runs."""
    journey = batch.catalog.journeys.get(run.journey_id)
    return journey is not None and journey.status is JourneyStatus.RUNNING and not run.held


def wake(batch: Batch, run: RunState, user: UserState) -> None:
    assert run.wake_at is not None
    late = not batch.follows_events and batch.now - run.wake_at > LATE
    at = batch.now if late else run.wake_at
    graph = batch.catalog.graph_of(run.journey_id, run.version)
    moment = _moment(batch, run, user, orjson.loads(run.properties), at)
    _follow(batch, run, graph, user, passage.wake(graph, run.step_key, run.arrived_at, moment))


def end(batch: Batch, run: RunState, reason: EndReason, at: Instant, because: str = "") -> None:
    """Ends a run where it is, whatever it was waiting for."""
    visit = Visit(run.step_key, run.arrived_at, at, "", because, reason)
    _note_visit(batch, run, visit, None)
    _close(batch, run, reason, at)


def _moment(batch: Batch, run: RunState, user: UserState, body: dict[str, Any], at: Instant) -> Moment:
    known = batch.past[run.project_id, run.user_number]

    def did(question: Did) -> bool:
        return any(
            name == question.event and run.entered_at < happened < at and all_hold(question.where, properties)
            for happened, name, properties in known
        )

    return Moment(at=at, attributes=user.attributes, properties=body, did=did)


def _follow(batch: Batch, run: RunState, graph: Graph, user: UserState, taken: Passage) -> None:
    """Writes down the way that a run has just gone."""
    for index, visit in enumerate(taken.visits):
        message_id = None
        if visit.sends:
            message_id = mailing.send(batch, run, graph.steps[visit.step_key], user, visit.left_at)
        _note_visit(batch, run, visit, message_id)
        if visit.end_reason is None:
            following = taken.visits[index + 1] if index + 1 < len(taken.visits) else None
            arrived = following.step_key if following else taken.step_key
            _arrive(batch, run, arrived, visit.left_at)
    run.is_changed = True
    run.step_key, run.arrived_at, run.wake_at = taken.step_key, taken.arrived_at, taken.wake_at
    if taken.end_reason is not None:
        _close(batch, run, taken.end_reason, taken.visits[-1].left_at)


def _close(batch: Batch, run: RunState, reason: EndReason, at: Instant) -> None:
    graph = batch.catalog.graph_of(run.journey_id, run.version)
    run.is_changed = True
    run.wake_at, run.ended_at, run.end_reason = None, at, reason.value
    run.counts_goals_until = at + graph.longest_window_ms if graph.goals else None


def _arrive(batch: Batch, run: RunState, step_key: str, at: Instant) -> None:
    _count(batch, Metric.ARRIVALS, run, step_key, at)
    value = f"{run.journey_id}/{step_key}"
    batch.tally.include(Dimension.ARRIVED, run.project_id, value, run.user_number, at)


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
            visit.step_key,
            visit.arrived_at,
            visit.left_at,
            visit.output,
            visit.because,
            reason,
            message_id,
        )
    )
    if reason:
        _count(batch, Metric.ENDED, run, visit.step_key, visit.left_at, reason=reason)
    else:
        _count(batch, Metric.LEFT, run, visit.step_key, visit.left_at, output=visit.output)
        value = f"{run.journey_id}/{visit.step_key}/{visit.output}"
        batch.tally.include(Dimension.LEFT, run.project_id, value, run.user_number, visit.left_at)


def _count(batch: Batch, metric: Metric, run: RunState, step_key: str, at: Instant, **more: Any) -> None:
    batch.tally.count(metric, run.project_id, run.journey_id, run.version, step_key, at, **more)


def offer_goals(batch: Batch, user: UserState, event: Happening) -> None:
    """Counts the event for every run of the user that it is a goal of, and ends those that it should."""
    if event.name not in batch.catalog.goal_events.get(event.project_id, ()):
        return
    for run in list(batch.runs_by_user[event.project_id, user.number]):
        offer_goals_of(batch, run, event)


def offer_goals_of(batch: Batch, run: RunState, event: Happening) -> None:
    for goal in batch.catalog.graph_of(run.journey_id, run.version).goals:
        if goal.is_reached_by(event.name, event.body) and _still_counts(run, goal, event.at):
            _reach(batch, run, goal, event)


def _still_counts(run: RunState, goal: Goal, at: Instant) -> bool:
    if at <= run.entered_at:
        return False
    return run.ended_at is None or at <= run.ended_at + goal.window_ms


def _reach(batch: Batch, run: RunState, goal: Goal, event: Happening) -> None:
    at, amount = event.at, goal.amount_of(event.body)
    whose = (run.project_id, run.journey_id, run.version, run.user_number)
    batch.conversions.append((batch.shard, run.id, goal.key, event.digest, *whose, at, amount))
    _count(batch, Metric.HITS, run, "", at, output=goal.key, amount=amount)
    value = f"{run.journey_id}/{goal.key}"
    batch.tally.include(Dimension.REACHED, run.project_id, value, run.user_number, at)
    _count_first(batch, run, goal, at, amount)
    if goal.ends_journey and run.is_open:
        end(batch, run, EndReason.GOAL, max(at, run.arrived_at), goal.key)


def _count_first(batch: Batch, run: RunState, goal: Goal, at: Instant, amount: int) -> None:
    """The first hit by the events' own time; one that arrives late takes the place of a later one."""
    reached: dict[str, Sequence[int]] = orjson.loads(run.goals)
    first_at, first_amount, hits = reached.get(goal.key, (None, 0, 0))
    # Among several at one instant the smallest amount: it must not matter which was heard of first.
    if first_at is None or (at, amount) < (first_at, first_amount):
        if first_at is not None:
            _count(batch, Metric.REACHED, run, "", first_at, output=goal.key, n=-1, amount=-first_amount)
        _count(batch, Metric.REACHED, run, "", at, output=goal.key, amount=amount)
        first_at, first_amount = at, amount
    reached[goal.key] = (first_at, first_amount, hits + 1)
    run.goals = to_json(reached)
    run.is_changed = True
