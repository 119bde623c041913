"""Splits by chance as they come in."""

import strawberry

from .step_inputs import NodeInput
from .words import DecidesBy


@strawberry.input(description="A branch of a split by chance.")
class VariantInput:
    output: str = strawberry.field(description="The name of the way out: letters, digits, - and _.")
    percent: int = strawberry.field(description="How many of a hundred people get it. Together they are 100.")


@strawberry.input(description="When a split chooses a branch itself. The test may be looked at at any time.")
class DecidesInput:
    by: DecidesBy = strawberry.field(description="What is compared.")
    goal: strawberry.ID | None = strawberry.field(default=None, description="The goal's key, for GOAL.")
    confidence_percent: int = strawberry.field(
        default=95,
        description="How sure it has to be: 80 to 99. At 95, one of 20 without an effect is wrong.",
    )
    least_people: int = strawberry.field(
        default=100, description="So many people of every branch before anything is decided."
    )
    explore_percent: int = strawberry.field(
        default=0, description="How many of a hundred newcomers the others still get together: 0 to 50."
    )


@strawberry.input(
    description="Sends people by chance, each person always the same way. The first branch is the control."
)
class AbSplitStepInput(NodeInput):
    branches: list[VariantInput] = strawberry.field(description="2 to 10.")
    keeps: bool = strawberry.field(
        default=True,
        description="Whether who comes again keeps the branch, also if percentages change or one is chosen.",
    )
    decides: DecidesInput | None = strawberry.field(
        default=None, description="When it chooses a branch itself; left out, people choose."
    )


@strawberry.input(description="Sends every run by chance, drawn afresh each time.")
class RandomSplitStepInput(NodeInput):
    branches: list[VariantInput] = strawberry.field(description="2 to 10.")
