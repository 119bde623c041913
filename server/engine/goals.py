"""What an event does to runs that are there already: it reaches goals, ends runs, and is waited for."""

from collections.abc import Sequence
from typing import Any

import orjson

from server.aggregates.metrics import Dimension, Metric
from server.clock import Instant
from server.journey.goals import Goal
from server.journey.holdout import HOLDOUT
from server.journey.moment import EndReason

from . import credits, draws, runs
from .batch import Batch
from .runs import count, graph_of, include
from .state import Happening, RunState, UserState, to_json


def offer(batch: Batch, user: UserState, event: Happening) -> None:
    """Tells every run of the user of an event that may concern it."""
    if event.name not in batch.catalog.moving_events.get(event.project_id, ()):
        return
    for run in list(batch.runs_by_user[event.project_id, user.number]):
        offer_to(batch, run, user, event)


def offer_to(batch: Batch, run: RunState, user: UserState, event: Happening) -> None:
    """It counts as a goal first; then it may cancel; and whoever still waits for it goes on."""
    if event.name not in graph_of(batch, run).moves_runs:
        return
    with runs.setting_aside(batch, run, event.at):
        _offer_goals(batch, run, event)
        _offer_cancel(batch, run, event)
    runs.hear(batch, run, user, event)


def _offer_cancel(batch: Batch, run: RunState, event: Happening) -> None:
    if not run.is_open or event.at <= run.entered_at:
        return
    if any(one.is_met_by(event.name, event.body) for one in graph_of(batch, run).cancel_events):
        runs.end(batch, run, EndReason.CANCEL_EVENT, max(event.at, run.arrived_at), event.name)


def _offer_goals(batch: Batch, run: RunState, event: Happening) -> None:
    for goal in graph_of(batch, run).goals:
        if goal.is_reached_by(event.name, event.body) and _still_counts(run, goal, event.at):
            _reach(batch, run, goal, event)


def _still_counts(run: RunState, goal: Goal, at: Instant) -> bool:
    if at <= run.entered_at:
        return False
    return run.ended_at is None or at <= run.ended_at + goal.window_ms


def _reach(batch: Batch, run: RunState, goal: Goal, event: Happening) -> None:
    at, amount = event.at, goal.amount_of(event.body)
    whose = (run.project_id, run.journey_id, run.version, run.user_number)
    row = (batch.shard, run.id, goal.key, event.digest, *whose, run.entered_at, at, amount)
    batch.conversions.append(row)
    count(batch, Metric.HITS, run, "", at, output=goal.key, amount=amount)
    include(batch, Dimension.REACHED, run, goal.key, at)
    if run.variant != HOLDOUT:
        credits.count(batch, run, goal.key, at, amount)
    _count_first(batch, run, goal, at, amount)
    draws.reach(batch, run, goal, at, amount)
    if goal.ends_journey and run.is_open:
        runs.end(batch, run, EndReason.GOAL, max(at, run.arrived_at), goal.key)


def _count_first(batch: Batch, run: RunState, goal: Goal, at: Instant, amount: int) -> None:
    """The first hit by the events' own time; one that arrives late takes the place of a later one."""
    reached: dict[str, Sequence[int]] = orjson.loads(run.goals)
    first_at, first_amount, hits, *version = reached.get(goal.key, (None, 0, 0))
    # It was counted in the version of its time; before there was more than one for a run, none was noted.
    first_version = version[0] if version else run.version
    # Among several at one instant the smallest amount: it must not matter which was heard of first.
    if first_at is None or (at, amount) < (first_at, first_amount):
        if first_at is not None:
            where = (run.project_id, run.journey_id, first_version, "", first_at, run.entered_at)
            whose: dict[str, Any] = {"output": goal.key, "variant": run.variant}
            batch.tally.count(Metric.REACHED, *where, n=-1, amount=-first_amount, **whose)
            credits.count_first(batch, run, goal.key, (first_at, first_amount, first_version), -1)
        count(batch, Metric.REACHED, run, "", at, output=goal.key, amount=amount)
        first_at, first_amount, first_version = at, amount, run.version
        credits.count_first(batch, run, goal.key, (first_at, first_amount, first_version), 1)
    reached[goal.key] = (first_at, first_amount, hits + 1, first_version)
    run.goals = to_json(reached)
    run.is_changed = True
