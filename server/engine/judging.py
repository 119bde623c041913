"""Looks from time to time whether a split can choose a branch itself, and has it chosen.

The evidence holds however often it is looked at, so it does not matter when, or by how many workers.
"""

from collections.abc import Iterable

import structlog

from server.aggregates import experiments
from server.aggregates.experiments import Experiment, Sets, Success
from server.clock import MINUTE, Instant
from server.journey.status import JourneyStatus
from server.journey.steps import AbSplit
from server.journey.steps.ab_split import Decides
from server.store import verdicts
from server.store.database import Database
from server.store.tables import Verdict

from .catalog import Catalog, LiveJourney
from .state import to_json

EVERY = MINUTE
log = structlog.get_logger("experiments")


async def look(db: Database, catalog: Catalog, shards: int, now: Instant) -> int:
    """Chooses wherever the evidence suffices. Returns how often. Free while no split chooses itself."""
    found = list(open_experiments(catalog))
    if not found:
        return 0
    by_project: dict[int, list[tuple[Experiment, Decides]]] = {}
    for journey, experiment, decides in found:
        by_project.setdefault(journey.project_id, []).append((experiment, decides))
    chosen = []
    for project_id, open_ones in by_project.items():
        values = [value for one, decides in open_ones for value in one.values([decides.goal])]
        async with db.read() as session:
            sets = await experiments.read(session, project_id, shards, values)
        chosen += [_choose(project_id, *one, sets, now) for one in open_ones]
    return sum([await _give(db, verdict) for verdict in chosen if verdict is not None])


def open_experiments(catalog: Catalog) -> Iterable[tuple[LiveJourney, Experiment, Decides]]:
    """The splits of running journeys that choose a branch themselves, and have not yet."""
    for journey in catalog.journeys.values():
        if journey.status is JourneyStatus.RUNNING:
            for step in catalog.graph_of(journey.id, journey.version).steps.values():
                if isinstance(step, AbSplit) and step.decides is not None:
                    experiment = experiment_of(catalog, journey.id, step.key)
                    if not experiment.verdict.winner:
                        yield journey, experiment, step.decides


def experiment_of(catalog: Catalog, journey_id: int, step_key: str) -> Experiment:
    drawn = {
        number: step
        for (owner, number), graph in catalog.graphs.items()
        if owner == journey_id and isinstance(step := graph.steps.get(step_key), AbSplit)
    }
    return Experiment(journey_id, drawn, catalog.verdicts.get((journey_id, step_key), ()))


def _choose(
    project_id: int, experiment: Experiment, decides: Decides, sets: Sets, now: Instant
) -> Verdict | None:
    if not experiments.has_enough(experiment, sets, decides):
        return None
    found = experiments.outcomes(experiment, sets, Success.of(decides), decides.alpha)
    winner = experiments.conclude(experiment, found)
    if winner is None:
        return None
    return Verdict(
        project_id=project_id,
        journey_id=experiment.journey_id,
        step_key=experiment.step.key,
        round=len(experiment.verdicts) + 1,
        winner=winner,
        explore_percent=decides.explore_percent,
        decided_at=now,
        decided_by=verdicts.TEST,
        evidence=to_json(experiments.told(experiment, found, decides)),
    )


async def _give(db: Database, verdict: Verdict) -> bool:
    async with db.write() as session:
        given = await verdicts.give(session, verdict)
    if given:
        about = {"journey": verdict.journey_id, "step": verdict.step_key, "winner": verdict.winner}
        log.info("a split has chosen a branch", **about)
    return given
