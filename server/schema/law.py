"""By which law a project writes advertisements."""

from enum import Enum
from typing import Annotated

import strawberry

from server.resolvers import journeys
from server.resolvers import law as resolve
from server.resolvers.refusals import Refusal
from server.store.projects import ADMIN

from .fields import ONCE, Input, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem
from .project import Project
from .words import value


@strawberry.enum(description="A law about advertisements.")
class Law(Enum):
    KR = value(
        "KR",
        description="Korea: at night (21:00 to 08:00 where the person is) an advertisement waits unless its "
        "reader has consented to such, e-mail excepted; and publishing checks how it names itself.",
    )


@strawberry.input(description="By which law the project writes advertisements.")
class SetLawInput:
    law: Law | None = strawberry.field(default=None, description="The law; none of ours if left out.")
    reason: str = strawberry.field(
        default="", description="Why. Wanted where there is to be none; is kept. At most 2000 characters."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The law holds from now on, also for what is waiting to leave.")
class SetLawPayload:
    project: Project = strawberry.field(description="The project as it is now.")


SetLawResult = Annotated[
    SetLawPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetLawResult", description="The project, or why it stays as it is."),
]


@strawberry.type(description="What can be changed in laws.")
class LawMutation:
    @mutation("Sets by which law advertisements are written. Needs a key with the scope `admin`.")
    async def set_law(self, info: Info, input: Annotated[SetLawInput, Input]) -> SetLawResult:
        info.context.require(ADMIN)
        try:
            law = input.law.value if input.law else ""
            await resolve.set_law(info.context, law, input.reason, input.idempotency_key)
        except Refusal as error:
            return to_problem(error)
        return SetLawPayload(project=Project.from_record(await journeys.project(info.context)))
