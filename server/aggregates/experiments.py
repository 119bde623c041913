"""How a split by chance stands: who of which branch did what, drawn under which percentages."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyroaring import BitMap
from sqlalchemy import select

from server.journey.evidence import Comparison, Drawn, compare
from server.journey.experiments import NOTHING_DECIDED, Verdict
from server.journey.holdout import JOURNEY
from server.journey.posterior import best_probabilities
from server.journey.steps.ab_split import CLICKED, OPENED, AbSplit, Decides
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import UserSet

from .calendar import ALL_TIME, HAPPENED
from .metrics import Dimension

_sets = table_of(UserSet)
Sets = Mapping[tuple[str, str], Mapping[int, BitMap]]
"""By dimension and value: the users of each shard, of all time."""
_NOBODY: Mapping[int, BitMap] = {}
_DIMENSIONS = (
    Dimension.LEFT,
    Dimension.DRAWN,
    Dimension.VARIANT_REACHED,
    Dimension.VARIANT_OPENED,
    Dimension.VARIANT_CLICKED,
)


class Stratum(NamedTuple):
    """People drawn under the same percentages: those of a version, changed by a number of verdicts."""

    version: int
    round: int

    def __str__(self) -> str:
        return f"{self.version}.{self.round}"


class Success(NamedTuple):
    """What people may do, for which branches are compared."""

    dimension: Dimension
    goal: str = ""

    @classmethod
    def of(cls, decides: Decides) -> "Success":
        if decides.by == OPENED:
            return cls(Dimension.VARIANT_OPENED)
        if decides.by == CLICKED:
            return cls(Dimension.VARIANT_CLICKED)
        return cls(Dimension.VARIANT_REACHED, decides.goal)


def value_of(journey_id: int, step_key: str, output: str, stratum: Stratum, goal: str = "") -> str:
    """The value of the user set of those who did it."""
    about = f"{journey_id}/{step_key}/{output}/{stratum}"
    return f"{about}/{goal}" if goal else about


@dataclass(frozen=True, slots=True)
class Experiment:
    """A split, as each version has drawn it, and what was decided about it."""

    journey_id: int
    versions: Mapping[int, AbSplit]
    """By number."""
    verdicts: Sequence[Verdict] = ()
    """The earliest first."""

    @property
    def step(self) -> AbSplit:
        """As the newest version draws it."""
        return self.versions[max(self.versions)]

    @property
    def verdict(self) -> Verdict:
        return self.verdicts[-1] if self.verdicts else NOTHING_DECIDED

    @property
    def challengers(self) -> list[str]:
        """The branches that are compared with the control."""
        branches = (branch for branch in self.step.branches if branch.percent)
        return [branch.output for branch in branches if branch.output != self.step.control]

    def strata(self) -> Iterator[tuple[Stratum, dict[str, float]]]:
        """With how often each branch is drawn there, in the order in which they came to be."""
        rounds = [NOTHING_DECIDED, *self.verdicts]
        for number, step in sorted(self.versions.items()):
            for round_, verdict in enumerate(rounds):
                yield Stratum(number, round_), step.weights(verdict)

    def place(self, output: str) -> tuple[str, str]:
        """The dimension and value of the user set of those who drew the branch."""
        if self.step.key == JOURNEY:
            return Dimension.DRAWN.value, f"{self.journey_id}/{output}"
        return Dimension.LEFT.value, f"{self.journey_id}/{self.step.key}/{output}"

    def values(self, goals: Iterable[str]) -> Iterator[str]:
        """The values of all user sets that say something of it."""
        outputs = {output for step in self.versions.values() for output in step.percents}
        for output in outputs:
            yield self.place(output)[1]
            for stratum, _ in self.strata():
                yield value_of(self.journey_id, self.step.key, output, stratum)
                for goal in goals:
                    yield value_of(self.journey_id, self.step.key, output, stratum, goal)


async def read(session: ReadSession, project_id: int, shards: int, values: Iterable[str]) -> Sets:
    """These user sets, of all time, in one statement."""
    wanted = sorted(set(values))
    if not wanted:
        return {}
    statement = select(_sets.c.shard, _sets.c.dimension, _sets.c.value, _sets.c.bitmap).where(
        _sets.c.shard.in_(list(range(shards))),
        _sets.c.project_id == project_id,
        _sets.c.dimension.in_([dimension.value for dimension in _DIMENSIONS]),
        among(_sets.c.value, "values"),
        _sets.c.clock == HAPPENED,
        _sets.c.span == ALL_TIME,
    )
    found: dict[tuple[str, str], dict[int, BitMap]] = {}
    for row in await session.rows_in(statement, "values", wanted):
        users = found.setdefault((row.dimension, row.value), {})
        users[row.shard] = users.get(row.shard, BitMap()) | BitMap.deserialize(row.bitmap)
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one branch did."""

    people: int
    hits: int
    """People who did it."""
    comparison: Comparison | None
    """With the control; none for itself."""


def people(experiment: Experiment, sets: Sets, output: str) -> int:
    """How many different people took the branch."""
    return sum(len(users) for users in sets.get(experiment.place(output), _NOBODY).values())


def outcomes(experiment: Experiment, sets: Sets, success: Success, alpha: float) -> dict[str, Outcome]:
    """How each branch of the newest version did, against its control."""
    hits = _hits(experiment, sets, success)
    outputs = list(experiment.step.percents)
    done = {output: sum(found.get(output, 0) for _, found in hits) for output in outputs}
    seen = {output: max(people(experiment, sets, output), done[output]) for output in outputs}
    comparisons = max(len(experiment.challengers), 1)
    return {
        output: Outcome(
            people=seen[output],
            hits=done[output],
            comparison=None
            if output == experiment.step.control
            else compare(list(_drawn(hits, output, experiment.step.control)), alpha, comparisons),
        )
        for output in outputs
    }


def best(experiment: Experiment, found: Mapping[str, Outcome]) -> Mapping[str, float | None]:
    """How likely each branch has the highest rate of all.

    None once people have been drawn by other percentages: then a branch has people of other days than the
    next, and their rates tell of the days as well.
    """
    if len({tuple(sorted(weights.items())) for _, weights in experiment.strata()}) > 1:
        return dict.fromkeys(found)
    likely = best_probabilities([(one.hits, one.people) for one in found.values()])
    return dict(zip(found, likely, strict=True))


_Hits = list[tuple[dict[str, float], dict[str, int]]]
"""For each stratum: how often each branch is drawn, and how many people of it did it."""


def _hits(experiment: Experiment, sets: Sets, success: Success) -> _Hits:
    """Each person once, where they first did it: who comes ten times is no ten people."""
    outputs = {output for step in experiment.versions.values() for output in step.percents}
    known: dict[int, BitMap] = {}
    found: _Hits = []
    for stratum, weights in experiment.strata():
        counted: dict[str, int] = {}
        fresh: dict[int, BitMap] = {}
        for output in outputs:
            value = value_of(experiment.journey_id, experiment.step.key, output, stratum, success.goal)
            for shard, users in sets.get((success.dimension.value, value), _NOBODY).items():
                counted[output] = counted.get(output, 0) + len(users - known.get(shard, BitMap()))
                fresh[shard] = fresh.get(shard, BitMap()) | users
        for shard, users in fresh.items():
            known[shard] = known.get(shard, BitMap()) | users
        found.append((weights, counted))
    return found


def _drawn(hits: _Hits, output: str, control: str) -> Iterator[Drawn]:
    for weights, counted in hits:
        pair = (weights.get(output, 0.0), weights.get(control, 0.0))
        yield Drawn(*pair, counted.get(output, 0), counted.get(control, 0))


def told(experiment: Experiment, found: Mapping[str, Outcome], decides: Decides) -> dict[str, object]:
    """How the branches stood, as it is kept with a verdict."""
    return {
        "by": decides.by,
        "goal": decides.goal,
        "confidence_percent": decides.confidence_percent,
        "branches": {
            output: _told(found[output], likely) for output, likely in best(experiment, found).items()
        },
    }


def _told(one: Outcome, likely: float | None) -> dict[str, object]:
    about: dict[str, object] = {"people": one.people, "hits": one.hits, "best_probability": likely}
    if one.comparison is not None:
        against = one.comparison
        about |= {"lift": against.lift, "low": against.low, "high": against.high, "p_value": against.p_value}
    return about


def has_enough(experiment: Experiment, sets: Sets, decides: Decides) -> bool:
    """Whether every branch has as many people as it takes before anything is decided."""
    outputs = (experiment.step.control, *experiment.challengers)
    return all(people(experiment, sets, output) >= decides.least_people for output in outputs)


def conclude(experiment: Experiment, found: Mapping[str, Outcome]) -> str | None:
    """The branch that the evidence chooses; none as long as there is not enough.

    Of those that are better than the control it is the one that seems best. The control itself is chosen
    once every other is worse.
    """
    step = experiment.step
    compared = {output: found[output].comparison for output in experiment.challengers}
    better = [output for output, one in compared.items() if one is not None and one.is_better]
    if better:
        return max(better, key=lambda output: (found[output].hits / found[output].people, output))
    worse = (one is not None and one.is_proven for one in compared.values())
    return step.control if compared and all(worse) else None
