"""The steps of a graph, a type each kind."""

import strawberry
from strawberry.scalars import JSON

from .words import Match, Operator


@strawberry.type(description="A place on the canvas.")
class Position:
    x: float = strawberry.field(description="To the right.")
    y: float = strawberry.field(description="Downwards.")


@strawberry.type(description="One comparison with a named value.")
class Predicate:
    name: str = strawberry.field(
        description="The property's or attribute's name; `a.b` looks into an object."
    )
    operator: Operator = strawberry.field(description="How it is compared.")
    value: JSON | None = strawberry.field(description="With what; null for operators that need nothing.")


@strawberry.interface(description="A node of the graph. Its key is the same in every version.")
class Step:
    key: strawberry.ID = strawberry.field(description="Stable over versions, so that its figures go on.")
    title: str = strawberry.field(description="What people call it.")
    position: Position | None = strawberry.field(description="Where it is drawn.")
    outputs: list[str] = strawberry.field(description="The names of its ways out; each has one edge.")


@strawberry.type(description="Lets in whoever does something.")
class EntryEventStep(Step):
    event: str = strawberry.field(description="The event's name.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )
    users_in: str | None = strawberry.field(
        description="The property that names the users who come in; null for the one who has done it."
    )


@strawberry.type(description="One question of a split.")
class Condition:
    attribute: Predicate | None = strawberry.field(description="Asks what is known of the user.")
    property: Predicate | None = strawberry.field(description="Asks the event that let the run in.")
    did: "Did | None" = strawberry.field(description="Asks what the user has done since the run entered.")
    segment: "InSegment | None" = strawberry.field(
        description="Asks whether the user belongs to a segment at that moment."
    )


@strawberry.type(description="Whether the user belongs to a segment.")
class InSegment:
    segment: str = strawberry.field(description="The segment's name.")
    is_in: bool = strawberry.field(
        description="Whether those are wanted who belong to it, or those who do not."
    )


@strawberry.type(description="How often the user did something: since the run entered, or in another time.")
class Did:
    event: str = strawberry.field(description="The event's name.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )
    within_seconds: int | None = strawberry.field(description="In so long before the moment of asking.")
    ever: bool = strawberry.field(description="Whether everything counts that is known of the user.")
    at_least: int = strawberry.field(description="How often at least.")
    at_most: int | None = strawberry.field(description="How often at most; null: however often.")


@strawberry.type(description="One way out of a split, and when it is taken.")
class Branch:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(description="How many of the conditions have to hold.")
    conditions: list[Condition] = strawberry.field(description="What is asked.", metadata={"list_size": 2})


@strawberry.type(description="Takes the first branch whose conditions hold, else the output `otherwise`.")
class SplitStep(Step):
    branches: list[Branch] = strawberry.field(
        description="In the order in which they are tried.", metadata={"list_size": 3}
    )


@strawberry.type(description="The journey is completed.")
class ExitStep(Step):
    pass
