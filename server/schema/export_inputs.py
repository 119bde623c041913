"""What can be had as a file: one input for each kind of export, under the name of the kind."""

from typing import Any

import strawberry

from server.context import Context
from server.errors import BadInput
from server.exports.message_users import MessageUsersArguments
from server.exports.run_list import RunListArguments
from server.exports.segment_users import SegmentUsersArguments
from server.exports.sheets import Arguments, Days
from server.exports.step_users import StepUsersArguments
from server.resolvers import periods, runs
from server.resolvers.refusals import Invalid, Missing

from .cohort_exports import CohortExports
from .figure_exports import FigureExports
from .figures import PeriodInput
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
        try:
            asked = to_asked(self.filter or RunFilter())
            async with context.db.read() as session:
                wanted = await runs.to_wanted(session, context, asked)
        except BadInput as error:
            raise Invalid(error.message, (*path, "filter")) from error
        return RunListArguments(journey_id=journey_id, wanted=wanted)


@strawberry.input(
    description="What became of the messages of one step, and what was done with them: a row for each user "
    "and action (sent, delivered, opened, clicked, failed …), with its time, who did it, and the link."
)
class MessageUsersExport:
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    step_key: strawberry.ID = strawberry.field(description="The step, of whatever version.")
    period: PeriodInput | None = strawberry.field(
        default=None, description="The days of the actions; everything by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        journey_id, days = journey_in(self.journey_id, path), await days_in(context, self.period, path)
        return MessageUsersArguments(journey_id=journey_id, step_key=self.step_key, days=days)


@strawberry.input(description="Who passed a step of any kind: a row for each passage.")
class StepUsersExport:
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    step_key: strawberry.ID = strawberry.field(description="The step, of whatever version.")
    period: PeriodInput | None = strawberry.field(
        default=None, description="The days on which they left it; everything by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        journey_id, days = journey_in(self.journey_id, path), await days_in(context, self.period, path)
        return StepUsersArguments(journey_id=journey_id, step_key=self.step_key, days=days)


@strawberry.input(
    description="The people of a segment as of the instant at which the export begins, a row each: user id, "
    "HWID, e-mail, phone, attributes, when they were first known."
)
class SegmentUsersExport:
    segment_id: strawberry.ID = strawberry.field(description="The segment.")

    async def arguments(self, context: Context, path: Path) -> Arguments:
        try:
            return SegmentUsersArguments(segment_id=key_in(self.segment_id, "Segment")[0])
        except BadInput as error:
            raise Missing(error.message, (*path, "segmentId")) from error


@strawberry.input(one_of=True, description="What the file is about: one of these.")
class ExportWhat(FigureExports, CohortExports):
    runs: RunListExport | None = strawberry.field(
        default=strawberry.UNSET, description="The runs of a journey: the list of its audience."
    )

    message_users: MessageUsersExport | None = strawberry.field(
        default=strawberry.UNSET, description="What became of the messages of one step, by user and action."
    )
    step_users: StepUsersExport | None = strawberry.field(
        default=strawberry.UNSET, description="Who passed a step of any kind."
    )
    segment_users: SegmentUsersExport | None = strawberry.field(
        default=strawberry.UNSET, description="The people of a segment."
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


async def days_in(context: Context, wanted: PeriodInput | None, path: Path) -> Days:
    """The days that a period means now. Raises Invalid."""
    if wanted is None:
        return Days()
    preset = wanted.preset.value if wanted.preset else None
    try:
        span = (await periods.period(context, preset, wanted.start, wanted.until)).span
    except BadInput as error:
        raise Invalid(error.message, (*path, "period")) from error
    return Days(first=span.first, until=span.until)
