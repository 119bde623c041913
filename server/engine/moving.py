"""Moves the people inside a journey to a new version, as it was decided when that was published."""

from typing import Any

from server.clock import Instant
from server.journey.moment import EndReason

from . import runs
from .batch import Batch
from .state import RunState


def move(batch: Batch, command: dict[str, Any]) -> None:
    """Settles a page of the open runs of a journey: each moves, ends, or stays as it is."""
    for run in list(batch.runs.values()):
        if run.journey_id == command["journey_id"] and run.is_open and run.knows_version < command["version"]:
            settle(batch, run, command["version"], command["at"], command["paused_at"])


def catch_up(batch: Batch, run: RunState, at: Instant) -> None:
    """Does for a run that comes from another shard whatever was decided while it was under way."""
    journey = batch.catalog.journeys.get(run.journey_id)
    if journey is None:
        return
    for version in range(run.knows_version + 1, journey.version + 1):
        if run.is_open and (run.journey_id, version) in batch.catalog.moves:
            settle(batch, run, version, at, journey.paused_at)


def settle(batch: Batch, run: RunState, version: int, at: Instant, paused_at: Instant | None) -> None:
    """Once for each run and version, whatever it decides and wherever the run is."""
    plan = batch.catalog.moves.get((run.journey_id, version), {})
    run.settled, run.is_changed = version, True
    if run.step_key not in plan:
        return
    at, target = max(at, run.arrived_at), plan[run.step_key]
    if target is None:
        runs.end(batch, run, EndReason.EDITED, at, f"version {version}")
        return
    user = batch.user((run.project_id, run.user_number))
    stands_still = paused_at if run.held else None
    runs.move(batch, run, user, runs.Arrival(version, target, at, stands_still))
