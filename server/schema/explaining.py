"""The question why somebody entered a journey, or did not."""

from datetime import datetime
from typing import Annotated

import strawberry

from server.errors import BadInput
from server.resolvers.explaining import entries
from server.resolvers.refusals import Missing, Refusal

from .explanations import EntryExplanation, EntryVerdict, to_facts
from .fields import field
from .ids import key_in
from .info import Info
from .problems import InputProblem, NotFoundProblem, to_problem
from .suppressions import to_instant
from .users import IdentityInput, UnknownIdentity, User, to_wanted

ExplainEntryResult = Annotated[
    EntryExplanation | UnknownIdentity | NotFoundProblem | InputProblem,
    strawberry.union("ExplainEntryResult", description="Why, or what keeps it from being said."),
]


@strawberry.type
class ExplainingQuery:
    @field(
        "Why a person entered a journey, or did not: of the latest event that its entries ask for, now or "
        "as of a time."
    )
    async def explain_entry(
        self,
        info: Info,
        journey: Annotated[strawberry.ID, strawberry.argument(description="The journey.")],
        identity: Annotated[IdentityInput, strawberry.argument(description="Whatever leads to the user.")],
        at: Annotated[
            datetime | None,
            strawberry.argument(
                description="As of when: the latest event until then, by the version of that time. Now by "
                "default."
            ),
        ] = None,
    ) -> ExplainEntryResult:
        try:
            instant = to_instant(at, "at")
            about = (_journey_id(journey), to_wanted(identity), instant)
            found = await entries.explain(info.context, *about)
        except Refusal as error:
            return to_problem(error)
        if found is None:
            return UnknownIdentity(message="Nobody in this project has this identity.")
        return EntryExplanation(
            user=User.from_record(found.user),
            verdict=EntryVerdict(found.verdict.value),
            facts=to_facts(found.facts),
        )


def _journey_id(id: strawberry.ID) -> int:
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, ("journey",)) from error
