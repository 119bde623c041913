"""Steps that wait, ask and lead elsewhere."""

import strawberry
from strawberry.scalars import JSON

from .steps import Predicate, Step
from .words import Match, Purpose


@strawberry.type(description="An event that is waited for.")
class Trigger:
    event: str = strawberry.field(description="The event's name.")
    where: list[Predicate] = strawberry.field(
        description="What has to be true of the event's properties.", metadata={"list_size": 2}
    )


@strawberry.type(description="One way out of a wait, and what opens it.")
class TriggerBranch:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(description="Whether one of the events opens it, or only all of them.")
    events: list[Trigger] = strawberry.field(description="The events.", metadata={"list_size": 2})


@strawberry.type(
    description="Waits until something happens and leaves at once by the branch that is complete first; if "
    "nothing happens in time, by `not_triggered`."
)
class WaitStep(Step):
    longest_seconds: int = strawberry.field(description="How long it waits at most.")
    branches: list[TriggerBranch] = strawberry.field(description="Its branches.", metadata={"list_size": 3})
    always_full: bool = strawberry.field(description="Whether everybody waits the full time.")


@strawberry.type(description="An attribute and where its new value comes from.")
class AttributeChange:
    attribute: str = strawberry.field(description="The attribute's name.")
    value: JSON | None = strawberry.field(description="This value; null if it is not a given one.")
    property: str | None = strawberry.field(description="What the entry event says under this name.")
    forget: bool = strawberry.field(description="Whether it is forgotten.")


@strawberry.type(description="Changes what is known of the user.")
class UpdateUserStep(Step):
    changes: list[AttributeChange] = strawberry.field(description="What changes.", metadata={"list_size": 3})


@strawberry.type(
    description="Asks whether anything can be sent to the user: leaves by `reachable` or `not_reachable`."
)
class ReachabilityStep(Step):
    channel: str = strawberry.field(description="The name of the channel.")
    purpose: Purpose = strawberry.field(description="For what kind of message.")


@strawberry.type(description="The run is over, and the user enters another journey at the same instant.")
class GoToJourneyStep(Step):
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
