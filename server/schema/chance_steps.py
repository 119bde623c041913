"""Splits by chance as they are stored."""

from typing import Any

import strawberry

from .steps import Step
from .words import DecidesBy

Data = dict[str, Any]


@strawberry.type(description="A branch of a split by chance.")
class Variant:
    output: str = strawberry.field(description="The name of the way out.")
    percent: int = strawberry.field(description="How many of a hundred people get it.")


@strawberry.type(description="When a split chooses a branch itself.")
class Decides:
    by: DecidesBy = strawberry.field(description="What is compared.")
    goal: strawberry.ID | None = strawberry.field(description="The goal's key, for GOAL.")
    confidence_percent: int = strawberry.field(description="How sure it has to be.")
    least_people: int = strawberry.field(description="So many people of every branch before it decides.")
    explore_percent: int = strawberry.field(
        description="How many of a hundred newcomers the others still get together."
    )


@strawberry.type(
    description="Sends people by chance, each person always the same way. The first branch is the control."
)
class AbSplitStep(Step):
    branches: list[Variant] = strawberry.field(description="The branches.", metadata={"list_size": 3})
    keeps: bool = strawberry.field(description="Whether who comes again keeps the branch.")
    decides: Decides | None = strawberry.field(
        description="When it chooses a branch itself; null if people choose."
    )


@strawberry.type(description="Sends every run by chance, drawn afresh each time.")
class RandomSplitStep(Step):
    branches: list[Variant] = strawberry.field(description="The branches.", metadata={"list_size": 3})


def ab_split(item: Data, common: Data) -> Step:
    return AbSplitStep(**_with_branches(item, common), keeps=item.get("keeps", True), decides=_decides(item))


def random_split(item: Data, common: Data) -> Step:
    return RandomSplitStep(**_with_branches(item, common))


def _with_branches(item: Data, common: Data) -> Data:
    branches = [Variant(output=one["output"], percent=one["percent"]) for one in item.get("branches") or ()]
    return {**common, "outputs": [branch.output for branch in branches], "branches": branches}


def _decides(item: Data) -> Decides | None:
    found = item.get("decides")
    if found is None:
        return None
    return Decides(
        by=DecidesBy(found["by"]),
        goal=strawberry.ID(found["goal"]) if found.get("goal") else None,
        confidence_percent=found.get("confidence_percent", 95),
        least_people=found.get("least_people", 100),
        explore_percent=found.get("explore_percent", 0),
    )
