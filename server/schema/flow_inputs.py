"""Steps that wait, ask and lead elsewhere, as they come in."""

import strawberry
from strawberry.scalars import JSON

from .step_inputs import NodeInput, PredicateInput
from .words import Match, Purpose


@strawberry.input(description="An event that is waited for.")
class TriggerInput:
    event: str = strawberry.field(description="The event's name.")
    where: list[PredicateInput] | None = strawberry.field(
        default=None, description="What has to be true of the event's properties: all of it."
    )


@strawberry.input(description="One way out of a wait, and what opens it.")
class TriggerBranchInput:
    output: str = strawberry.field(description="The name of the way out.")
    match: Match = strawberry.field(
        default=Match.ANY, description="Whether one of the events opens it, or only all of them."
    )
    events: list[TriggerInput] = strawberry.field(description="1 to 4 events.")


@strawberry.input(
    description="Waits until something happens and leaves at once by the branch that is complete first; if "
    "nothing happens in time, by `not_triggered`."
)
class WaitStepInput(NodeInput):
    longest_seconds: int = strawberry.field(description="How long it waits at most: up to 90 days.")
    branches: list[TriggerBranchInput] = strawberry.field(description="1 to 10.")
    always_full: bool = strawberry.field(
        default=False, description="Whether everybody waits the full time before taking the branch."
    )


@strawberry.input(description="An attribute and its new value: one of `value`, `property` and `forget`.")
class AttributeChangeInput:
    attribute: str = strawberry.field(description="The attribute's name.")
    value: JSON | None = strawberry.field(default=None, description="This value.")
    property: str | None = strawberry.field(
        default=None, description="What the entry event says under this name; `a.b` looks into an object."
    )
    forget: bool | None = strawberry.field(default=None, description="True: it is forgotten.")


@strawberry.input(description="Changes what is known of the user.")
class UpdateUserStepInput(NodeInput):
    changes: list[AttributeChangeInput] = strawberry.field(description="1 to 50.")


@strawberry.input(
    description="Asks whether anything can be sent to the user: leaves by `reachable` or `not_reachable`."
)
class ReachabilityStepInput(NodeInput):
    channel: str = strawberry.field(description="The name of the channel, e.g. `email` or `push`.")
    purpose: Purpose | None = strawberry.field(
        default=None, description="For what kind of message: INFORMATION by default."
    )


@strawberry.input(description="The run is over, and the user enters another journey at the same instant.")
class GoToJourneyStepInput(NodeInput):
    journey: strawberry.ID = strawberry.field(
        description="The journey by its id or its handle; its own rules say whether the user may enter."
    )
