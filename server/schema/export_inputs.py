"""What can be had as a file: one input for each kind of export, under the name of the kind."""

from typing import Any

import strawberry

from server.context import Context
from server.errors import BadInput
from server.exports.run_list import RunListArguments
from server.exports.sheets import Arguments
from server.resolvers import runs
from server.resolvers.refusals import Missing

from .figure_exports import FigureExports
from .ids import key_in
from .run_filters import RunFilter, to_asked

Path = tuple[str, ...]


@strawberry.input(
    description="The runs of a journey, a row each: user id, HWID, e-mail, phone, state, last step with the "
    "event that cancelled it, times, end reason, version, run id."
)
class RunListExport:
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    filter: RunFilter | None = strawberry.field(
        default=None, description="Which, as `Journey.runs` takes it; all by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        journey_id = journey_in(self.journey_id, path)
        async with context.db.read() as session:
            wanted = await runs.to_wanted(session, context, to_asked(self.filter or RunFilter()))
        return RunListArguments(journey_id=journey_id, wanted=wanted)


@strawberry.input(one_of=True, description="What the file is about: one of these.")
class ExportWhat(FigureExports):
    runs: RunListExport | None = strawberry.field(
        default=strawberry.UNSET, description="The runs of a journey: the list of its audience."
    )

    def chosen(self) -> tuple[str, Any]:
        """The kind's name, and what is said to it."""
        return next((name, one) for name, one in vars(self).items() if one is not strawberry.UNSET)


def journey_in(id: strawberry.ID, path: Path) -> int:
    """Raises Missing."""
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, (*path, "journeyId")) from error
