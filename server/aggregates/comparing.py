"""The splits and the holdout of journeys as their published versions draw them, ready to be compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.journey.experiments import Verdict
from server.journey.holdout import HOLDOUT, JOURNEY, TREATED
from server.journey.reading import Reader
from server.journey.steps import AbSplit
from server.journey.steps.ab_split import Variant
from server.store import verdicts
from server.store.sessions import ReadSession
from server.store.tables import Verdict as VerdictRow

from . import experiments
from .experiments import Experiment, Outcome, Sets, Success

Graphs = Mapping[int, Mapping[str, Any]]
"""The plain data of a journey's versions, by number."""
USUAL_ALPHA = 0.05


@dataclass(slots=True)
class Comparison:
    """One split, or the holdout, with all that is known of it. What is asked is computed once."""

    experiment: Experiment
    verdicts: Sequence[VerdictRow]
    """The earliest first."""
    sets: Sets
    _known: dict[Success, dict[str, Outcome]] = field(default_factory=dict)
    _best: dict[Success, Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def alpha(self) -> float:
        decides = self.experiment.step.decides
        return decides.alpha if decides is not None else USUAL_ALPHA

    def outcomes(self, success: Success) -> dict[str, Outcome]:
        """How each branch did, by output."""
        if success not in self._known:
            self._known[success] = experiments.outcomes(self.experiment, self.sets, success, self.alpha)
        return self._known[success]

    def best(self, success: Success) -> Mapping[str, float | None]:
        """How likely each branch has the highest rate, by output."""
        if success not in self._best:
            self._best[success] = experiments.best(self.experiment, self.outcomes(success))
        return self._best[success]


async def comparisons(
    session: ReadSession, project_id: int, shards: int, graphs: Mapping[int, Graphs]
) -> dict[int, dict[str, Comparison]]:
    """By journey and split: two statements for all of them, and none where nothing is compared."""
    drawn = {journey_id: dict(_drawn(found)) for journey_id, found in graphs.items()}
    ids = [journey_id for journey_id, found in drawn.items() if found]
    if not ids:
        return {}
    given = await verdicts.by_journeys(session, project_id, ids)
    found = {
        (journey_id, key): Experiment(journey_id, steps, _plain(given.get((journey_id, key), ())))
        for journey_id in ids
        for key, steps in drawn[journey_id].items()
    }
    values = [value for (owner, _), one in found.items() for value in one.values(_goals(graphs[owner]))]
    sets = await experiments.read(session, project_id, shards, values)
    compared: dict[int, dict[str, Comparison]] = {}
    for (journey_id, key), one in found.items():
        rows = given.get((journey_id, key), ())
        compared.setdefault(journey_id, {})[key] = Comparison(one, rows, sets)
    return compared


def _plain(rows: Sequence[VerdictRow]) -> list[Verdict]:
    return [Verdict(row.winner, row.explore_percent) for row in rows]


def _goals(graphs: Graphs) -> set[str]:
    return {goal["key"] for graph in graphs.values() for goal in graph.get("goals") or ()}


def _drawn(graphs: Graphs) -> Iterator[tuple[str, dict[int, AbSplit]]]:
    """By step: how each version that has it draws it. The step without a name is the holdout."""
    found: dict[str, dict[int, AbSplit]] = {}
    for number, graph in graphs.items():
        for item in graph["steps"]:
            if item["kind"] == AbSplit.kind:
                found.setdefault(item["key"], {})[number] = AbSplit.read(Reader(item))
        percent = graph.get("holdout_percent") or 0
        if percent:
            found.setdefault(JOURNEY, {})[number] = _as_split(percent)
    yield from found.items()


def _as_split(percent: int) -> AbSplit:
    """A holdout is a split at the entrance, in which nothing is the control."""
    branches = (Variant(output=HOLDOUT, percent=percent), Variant(output=TREATED, percent=100 - percent))
    return AbSplit(key=JOURNEY, title="", branches=branches)
