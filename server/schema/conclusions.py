"""What the evidence says of a split by chance now, and whether it may be stopped."""

import strawberry

from server.aggregates.comparing import Comparison
from server.aggregates.experiments import Success, conclude, has_enough
from server.aggregates.metrics import Dimension
from server.journey.steps.ab_split import Decides

from .graphs import Goal
from .source import Source
from .words import DecidesBy


@strawberry.type(description="What the evidence says of a split, for one thing that people may do.")
class Conclusion:
    by: DecidesBy = strawberry.field(description="What people do.")
    goal: Goal | None = strawberry.field(description="The goal, if it is one that they reach.")
    has_enough_people: bool = strawberry.field(
        description="Whether every branch has as many people as the split wants before anything is decided."
    )
    winner: str | None = strawberry.field(
        description="The branch that the evidence chooses: better than the first, or the first if every "
        "other is worse. Null as long as there is not enough."
    )
    may_stop: bool = strawberry.field(
        description="Whether the experiment may be stopped: there is a winner, and there are enough people."
    )


def conclusions_of(source: Source, step_key: str) -> list[Conclusion] | None:
    """For every goal, for opens and for clicks; None for steps that are no split by chance."""
    compared = source.figures.compared.get(step_key)
    if compared is None:
        return None
    by_goal = [
        _conclusion(compared, Success(Dimension.VARIANT_REACHED, str(goal.key)), DecidesBy.GOAL, goal)
        for goal in source.goals
    ]
    return [
        *by_goal,
        _conclusion(compared, Success(Dimension.VARIANT_OPENED), DecidesBy.OPENED, None),
        _conclusion(compared, Success(Dimension.VARIANT_CLICKED), DecidesBy.CLICKED, None),
    ]


def _conclusion(compared: Comparison, success: Success, by: DecidesBy, goal: Goal | None) -> Conclusion:
    experiment = compared.experiment
    enough = has_enough(experiment, compared.sets, experiment.step.decides or Decides(by=by.value))
    winner = conclude(experiment, compared.outcomes(success))
    return Conclusion(
        by=by, goal=goal, has_enough_people=enough, winner=winner, may_stop=enough and winner is not None
    )
