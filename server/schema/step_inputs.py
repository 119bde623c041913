"""The steps of a drawn graph as they come in, a type each kind."""

from typing import ClassVar

import strawberry
from strawberry.scalars import JSON

from .words import Match, Operator


@strawberry.input(description="A place on the canvas.")
class PositionInput:
    x: float = strawberry.field(description="To the right.")
    y: float = strawberry.field(description="Downwards.")


@strawberry.input(description="One comparison with a named value.")
class PredicateInput:
    name: str = strawberry.field(
        description="The property's or attribute's name; `a.b` looks into an object."
    )
    operator: Operator = strawberry.field(description="How it is compared.")
    value: JSON | None = strawberry.field(
        default=None, description="With what; a list for ONE_OF, nothing for EXISTS and NOT_EXISTS."
    )


@strawberry.input(description="What all steps have.")
class NodeInput:
    key: strawberry.ID = strawberry.field(description="Letters, digits, - and _; the same in every version.")
    title: str | None = strawberry.field(default=None, description="What people call it; the key by default.")
    position: PositionInput | None = strawberry.field(default=None, description="Where it is drawn.")


@strawberry.input(description="Lets in whoever does something.")
class EntryEventStepInput(NodeInput):
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )
    users_in: str | None = strawberry.field(
        default=None,
        description="The property that names by their ids the users who come in instead of the one who has "
        "done it: one, or a list of up to 100.",
    )


@strawberry.input(description="How often the user did something: since the run entered, or in another time.")
class DidInput:
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )
    within_seconds: int | None = strawberry.field(
        default=None, description="In so long before the moment of asking, also before the entry."
    )
    ever: bool = strawberry.field(default=False, description="Counts everything that is known of the user.")
    at_least: int | None = strawberry.field(default=None, description="How often at least: 1 by default.")
    at_most: int | None = strawberry.field(
        default=None, description="How often at most; with `atLeast: 0` and `atMost: 0`: never."
    )


@strawberry.input(description="Whether the user belongs to a segment.")
class InSegmentInput:
    segment: str = strawberry.field(description="The segment's name.")
    is_in: bool = strawberry.field(
        default=True, description="Whether those are wanted who belong to it, or those who do not."
    )


@strawberry.input(one_of=True, description="One question of a split.")
class ConditionInput:
    told_by: ClassVar[str] = "about"

    attribute: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what is known of the user."
    )
    property: PredicateInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks the event that let the run in."
    )
    did: DidInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks what the user has done."
    )
    segment: InSegmentInput | None = strawberry.field(
        default=strawberry.UNSET, description="Asks whether the user belongs to a segment at that moment."
    )


@strawberry.input(description="One way out of a split, and when it is taken.")
class BranchInput:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(default=Match.ALL, description="How many of the conditions have to hold.")
    conditions: list[ConditionInput] = strawberry.field(description="What is asked: 1 to 20 questions.")


@strawberry.input(description="Takes the first branch whose conditions hold, else the output `otherwise`.")
class SplitStepInput(NodeInput):
    branches: list[BranchInput] = strawberry.field(
        description="1 to 10, in the order in which they are tried."
    )


@strawberry.input(description="The journey is completed.")
class ExitStepInput(NodeInput):
    pass
