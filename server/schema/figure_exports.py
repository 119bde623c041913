"""Figures as files: which journeys, goals or messages, and of which days."""

import strawberry

from server.context import Context
from server.errors import BadInput
from server.exports import reading
from server.exports.campaigns import Journeys
from server.exports.channel import Channel
from server.exports.goals import Goals
from server.exports.message import Message
from server.exports.sheets import Arguments
from server.resolvers import periods
from server.resolvers.refusals import Invalid, Missing

from .figure_words import Clock
from .figures import PeriodInput
from .ids import key_in
from .journey_filter import JourneyFilter
from .journey_filter import to_wanted as those_of

Path = tuple[str, ...]


@strawberry.input(description="Of which days, by which clock.")
class FiguresOf:
    period: PeriodInput | None = strawberry.field(
        default=None, description="Which days; everything by default."
    )
    clock: Clock = strawberry.field(
        default=Clock.HAPPENED, description="What decides the day into which something falls."
    )
    daily: bool = strawberry.field(
        default=False,
        description="A row for each day on which anything happened, instead of one for the whole period.",
    )


@strawberry.input(
    description="The statistics of journeys, a row each: the 26 columns that marketers know, then every "
    "channel, reason and goal: docs/export-columns.md."
)
class CampaignStatisticsExport(FiguresOf):
    filter: JourneyFilter | None = strawberry.field(
        default=None, description="Which, as `journeys` takes it; all by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        return Journeys(**await _period(context, self, path), **_those(self.filter, path))


@strawberry.input(description="The statistics of goals, a row for each goal of each journey.")
class GoalStatisticsExport(FiguresOf):
    filter: JourneyFilter | None = strawberry.field(
        default=None, description="Of which journeys, as `journeys` takes it; of all by default."
    )
    goal: str | None = strawberry.field(
        default=None, description="The key of one goal; all of them by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        return Goals(**await _period(context, self, path), **_those(self.filter, path), goal=self.goal)


@strawberry.input(
    description="The statistics of one channel of a journey, a row for each message step that sends there."
)
class ChannelStatisticsExport(FiguresOf):
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    channel: str = strawberry.field(description="Its name, such as `email`, or as it is plugged in.")
    goal: str | None = strawberry.field(
        default=None, description="The key of the goal whose conversions are told; of all by default."
    )

    async def arguments(self, context: Context, path: Path) -> Arguments:
        about = {"journey_id": _journey(self.journey_id, path), "channel": self.channel, "goal": self.goal}
        return Channel(**await _period(context, self, path), **about)


@strawberry.input(
    description="The statistics of one message of a journey: a row for each metric, for each reason why "
    "messages did not arrive, and for each goal."
)
class MessageStatisticsExport(FiguresOf):
    journey_id: strawberry.ID = strawberry.field(description="The journey.")
    step_key: strawberry.ID = strawberry.field(description="The message step, of whatever version.")

    async def arguments(self, context: Context, path: Path) -> Arguments:
        about = {"journey_id": _journey(self.journey_id, path), "step_key": self.step_key}
        return Message(**await _period(context, self, path), **about)


@strawberry.input(description="Those exports that are figures.")
class FigureExports:
    campaign_statistics: CampaignStatisticsExport | None = strawberry.field(
        default=strawberry.UNSET, description="The statistics of journeys, a row each."
    )
    goal_statistics: GoalStatisticsExport | None = strawberry.field(
        default=strawberry.UNSET, description="The statistics of goals, a row each."
    )
    channel_statistics: ChannelStatisticsExport | None = strawberry.field(
        default=strawberry.UNSET, description="The statistics of one channel, message by message."
    )
    message_statistics: MessageStatisticsExport | None = strawberry.field(
        default=strawberry.UNSET, description="The statistics of one message."
    )


async def _period(context: Context, said: FiguresOf, path: Path) -> dict[str, object]:
    """The days as they are now: a file says of which it is. Raises Invalid."""
    wanted = said.period or PeriodInput()
    preset = wanted.preset.value if wanted.preset else None
    try:
        found = await periods.period(context, preset, wanted.start, wanted.until)
    except BadInput as error:
        raise Invalid(error.message, (*path, "period")) from error
    clock = reading.Clock(said.clock.value)
    return {"first": found.span.first, "until": found.span.until, "clock": clock, "daily": said.daily}


def _those(filter: JourneyFilter | None, path: Path) -> dict[str, object]:
    try:
        wanted = those_of(filter or JourneyFilter())
    except BadInput as error:
        raise Invalid(error.message, (*path, "filter")) from error
    return {
        "ids": wanted.ids,
        "statuses": wanted.statuses,
        "categories": wanted.categories,
        "text": wanted.text,
    }


def _journey(id: strawberry.ID, path: Path) -> int:
    """Raises Missing."""
    try:
        return key_in(id, "Journey")[0]
    except BadInput as error:
        raise Missing(error.message, (*path, "journeyId")) from error
