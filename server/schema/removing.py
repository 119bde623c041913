"""Taking people out of journeys."""

from typing import Annotated

import strawberry

from server.resolvers import removing
from server.resolvers.refusals import Missing, Refusal

from .changing import journey_key, writing
from .fields import ONCE, Input, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, NotFoundProblem, to_problem


@strawberry.input(description="People to take out of journeys: 1 to 1000 ids at once.")
class RemoveFromJourneysInput:
    user_ids: list[str] | None = strawberry.field(
        default=None, description="Ids by which the project knows people."
    )
    anonymous_ids: list[str] | None = strawberry.field(
        default=None, description="Ids of devices or browsers."
    )
    journey_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Out of these journeys; out of all if left out."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The people's runs end as removed, within moments. They can enter again.")
class RemoveFromJourneysPayload:
    people: int = strawberry.field(description="Different people that the ids lead to.")
    runs: int = strawberry.field(description="Their runs that were open in these journeys.")
    unknown_user_ids: list[str] = strawberry.field(
        description="User ids that lead to nobody.", metadata={"list_size": 10}
    )
    unknown_anonymous_ids: list[str] = strawberry.field(
        description="Anonymous ids that lead to nobody.", metadata={"list_size": 10}
    )


RemoveFromJourneysResult = Annotated[
    RemoveFromJourneysPayload | NotFoundProblem | InputProblem | IdempotencyConflictProblem,
    strawberry.union("RemoveFromJourneysResult", description="Who was taken out, or why nobody was."),
]


@strawberry.type(description="Taking people out of journeys.")
class RemovalMutation:
    @mutation("Takes people out of journeys: their open runs end, wherever they wait.")
    async def remove_from_journeys(
        self, info: Info, input: Annotated[RemoveFromJourneysInput, Input]
    ) -> RemoveFromJourneysResult:
        context = writing(info)
        people = removing.People(tuple(input.user_ids or ()), tuple(input.anonymous_ids or ()))
        try:
            answer = await removing.remove(context, people, _journeys(input), input.idempotency_key)
        except Refusal as error:
            return to_problem(error)
        return RemoveFromJourneysPayload(
            people=answer["people"],
            runs=answer["runs"],
            unknown_user_ids=answer["unknown"]["user_id"],
            unknown_anonymous_ids=answer["unknown"]["anonymous_id"],
        )


def _journeys(input: RemoveFromJourneysInput) -> list[int] | None:
    if input.journey_ids is None:
        return None
    try:
        return [journey_key(id) for id in input.journey_ids]
    except Missing as error:
        raise Missing(error.message, ("input", "journeyIds")) from error
