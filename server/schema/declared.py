"""The properties of events by which a project tells people apart."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.clock import to_datetime
from server.resolvers import declared as resolve
from server.resolvers.refusals import Refusal
from server.store.declared import MOST
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem


@strawberry.type(
    description="A property of an event by whose values people are counted, day by day. Up to 1,000 values "
    "have counts of their own; what comes up later is counted under `(other)`."
)
class DeclaredProperty:
    event: str = strawberry.field(description="The event's name, as it is sent.")
    property: str = strawberry.field(description="The property's name.")
    declared_at: datetime = strawberry.field(description="Events that came from then on are counted.")


@strawberry.input(description="A property of an event.")
class PropertyInput:
    event: str = strawberry.field(description="The event's name, as it is sent.")
    property: str = strawberry.field(description="The property's name.")


@strawberry.input(description="The properties of events by which people are counted, whole.")
class DeclarePropertiesInput:
    properties: list[PropertyInput] = strawberry.field(
        description="Up to 50. What is left out is not counted from now on; what was counted stays."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="Events that come from now on are counted so. What has come before stays.")
class DeclarePropertiesPayload:
    declared_properties: list[DeclaredProperty] = strawberry.field(
        description="As they are now.", metadata={"list_size": MOST}
    )


DeclarePropertiesResult = Annotated[
    DeclarePropertiesPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("DeclarePropertiesResult", description="The properties, or why they stay as they were."),
]


@strawberry.type(description="What can be asked about declared properties.")
class DeclaredQuery:
    @field("The properties of events by which people are counted.", list_size=MOST)
    async def declared_properties(self, info: Info) -> list[DeclaredProperty]:
        return await _declared(info)


@strawberry.type(description="What can be changed about declared properties.")
class DeclaredMutation:
    @mutation(
        "Says by which properties of events people are counted. Declare none that names a person: values "
        "that were counted stay on the project's list, also when the person is erased."
    )
    async def declare_properties(
        self, info: Info, input: Annotated[DeclarePropertiesInput, Input]
    ) -> DeclarePropertiesResult:
        info.context.require(WRITE)
        wanted = [(one.event, one.property) for one in input.properties]
        try:
            await resolve.declare(info.context, wanted, input.idempotency_key)
            return DeclarePropertiesPayload(declared_properties=await _declared(info))
        except Refusal as error:
            return to_problem(error)


async def _declared(info: Info) -> list[DeclaredProperty]:
    found = await resolve.of_project(info.context)
    return [DeclaredProperty(event=a, property=b, declared_at=to_datetime(at)) for a, b, at in found]
