"""What runs have drawn: which branch, under which percentages, and what they have done since.

A run keeps its draws beside it, by step: the output, the version and the round under which it was drawn, the
instant, and of each goal the first hit since, with the version in which it was counted. A draw without an
instant was made by an earlier run of the person. The step without a name is the journey itself: whether the
person is held out.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from server.aggregates.experiments import Stratum, value_of
from server.aggregates.metrics import Dimension, Metric
from server.clock import Instant
from server.journey.experiments import NOTHING_DECIDED, Draw, Standing
from server.journey.goals import Goal
from server.journey.holdout import HOLDOUT, JOURNEY, TREATED, is_held_out
from server.journey.passage import Visit

from .batch import Batch
from .state import MessageState, RunState, to_json

NOTHING = "{}"
_OF_MESSAGES = {
    Metric.SENT: Metric.VARIANT_SENT,
    Metric.OPENED: Metric.VARIANT_OPENED,
    Metric.CLICKED: Metric.VARIANT_CLICKED,
}


def carried(variants: str) -> str:
    """What a new run knows of the draws of the person's last one."""
    if variants == NOTHING:
        return NOTHING
    known = orjson.loads(variants)
    return to_json({step: {name: one[name] for name in Draw._fields} for step, one in known.items()})


def outputs(run: RunState) -> dict[str, str]:
    """What the person has drawn, by step."""
    if run.variants == NOTHING:
        return {}
    return {step: one["output"] for step, one in _drawn(run).items() if step != JOURNEY}


def standing(batch: Batch, run: RunState, step_key: str) -> Standing:
    """How a split stands for this run when it comes there."""
    verdicts = batch.catalog.verdicts.get((run.journey_id, step_key), ())
    known = _drawn(run).get(step_key)
    draw = Draw(*(known[name] for name in Draw._fields)) if known else None
    is_own = known is not None and "at" in known
    return Standing(
        version=run.version,
        round=len(verdicts),
        verdict=verdicts[-1] if verdicts else NOTHING_DECIDED,
        own=draw if is_own else None,
        earlier=None if is_own else draw,
    )


def keep(run: RunState, visit: Visit) -> None:
    """Keeps what was drawn on this visit. On a way back to the same branch, the first time counts."""
    known = _drawn(run)
    before = known.get(visit.step_key, {})
    if "at" not in before or before["output"] != visit.output:
        known[visit.step_key] = {
            "output": visit.output,
            "version": visit.saw.get("version", run.version),
            "round": visit.saw.get("round", 0),
            "at": visit.left_at,
            "goals": {},
        }
        run.variants = to_json(known)


def hold_out(batch: Batch, run: RunState, seed: str) -> dict[str, Any]:
    """Draws whether a new run gets nothing. Returns what is to be told of that, if the person is new to it.

    Each person is watched from the first time on, and only then: who is held out could come again at once,
    who is not has to leave before.
    """
    percent = batch.catalog.graph_of(run.journey_id, run.version).holdout_percent
    if not percent:
        return {}
    output = HOLDOUT if is_held_out(percent, seed, run.journey_id) else TREATED
    run.variant = HOLDOUT if output == HOLDOUT else ""
    known = _drawn(run)
    if JOURNEY in known:
        return {}
    drawn = {"output": output, "version": run.version, "round": 0}
    run.variants = to_json({**known, JOURNEY: {**drawn, "at": run.entered_at, "goals": {}}})
    value = f"{run.journey_id}/{output}"
    who = (run.project_id, run.version, value, run.user_number)
    batch.tally.include(Dimension.DRAWN, *who, run.entered_at, run.entered_at)
    return {"drawn": output}


def reach(batch: Batch, run: RunState, goal: Goal, at: Instant, amount: int) -> None:
    """Counts a hit for every branch that the run had drawn by then."""
    if run.variants == NOTHING:
        return
    known = _drawn(run)
    for step_key, one in known.items():
        if "at" in one and _counts_since(one["at"], step_key, goal, at):
            _reach(batch, run, step_key, one, goal, (at, amount))
    run.variants = to_json(known)


def _counts_since(drawn_at: Instant, step_key: str, goal: Goal, at: Instant) -> bool:
    if step_key != JOURNEY:
        return at >= drawn_at
    # As long for those who get something as for those who get nothing, who leave at once.
    return drawn_at < at <= drawn_at + goal.window_ms


def _reach(
    batch: Batch, run: RunState, step_key: str, one: dict[str, Any], goal: Goal, hit: tuple[Instant, int]
) -> None:
    stratum = Stratum(one["version"], one["round"])
    value = value_of(run.journey_id, step_key, one["output"], stratum, goal.key)
    who = (run.project_id, run.version, value, run.user_number)
    batch.tally.include(Dimension.VARIANT_REACHED, *who, hit[0], run.entered_at)
    first = one["goals"].get(goal.key)
    if step_key == JOURNEY or (first is not None and tuple(first[:2]) <= hit):
        return
    counted = (*hit, run.version)
    one["goals"][goal.key] = counted
    about = {"output": one["output"], "reason": goal.key}
    if first is not None:
        _count(batch, run, step_key, first, -1, **about)
    _count(batch, run, step_key, counted, 1, **about)


def _count(batch: Batch, run: RunState, step_key: str, first: Sequence[int], n: int, **about: Any) -> None:
    """A run that an edit has moved since is counted where it was at the time."""
    at, amount, version = first
    where = (run.project_id, run.journey_id, version, step_key, at, run.entered_at)
    batch.tally.count(Metric.VARIANT_REACHED, *where, n=n, amount=n * amount, **about)


def told(run: RunState) -> str:
    """What a message of the run keeps of its draws: output, version and round, by step."""
    if run.variants == NOTHING:
        return NOTHING
    known = {step: one for step, one in _drawn(run).items() if "at" in one and step != JOURNEY}
    return to_json({step: [one[name] for name in Draw._fields] for step, one in known.items()})


def count_message(
    batch: Batch, message: MessageState, metric: Metric, at: Instant, reason: str, n: int
) -> None:
    """Counts what became of a message for every branch that its run had drawn before it was sent."""
    if metric not in _OF_MESSAGES or message.variants == NOTHING:
        return
    for step_key, (output, *_) in orjson.loads(message.variants).items():
        where = (message.project_id, message.journey_id, message.version, step_key)
        about = (*where, at, message.entered_at)
        more = {"output": output, "channel": message.channel, "reason": reason}
        batch.tally.count(_OF_MESSAGES[metric], *about, n=n, **more)


def note_reader(batch: Batch, message: MessageState, dimension: Dimension, at: Instant) -> None:
    """Notes who did something with a message, for every branch that its run had drawn before."""
    if message.variants == NOTHING:
        return
    for step_key, (output, version, round_) in orjson.loads(message.variants).items():
        value = value_of(message.journey_id, step_key, output, Stratum(version, round_))
        who = (message.project_id, message.version, value, message.user_number)
        batch.tally.include(dimension, *who, at, message.entered_at)


def _drawn(run: RunState) -> dict[str, dict[str, Any]]:
    return dict(orjson.loads(run.variants))
