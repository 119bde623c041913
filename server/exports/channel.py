"""The statistics of a channel: a row for each message step of a journey that sends there."""

from collections.abc import AsyncIterator, Iterator, Sequence

from server.aggregates.drawn import Data
from server.errors import NotFound
from server.journey.steps import channel_of
from server.store.tables import Journey

from .campaign import Campaign
from .figure import Figure
from .head_columns import AS_OF, JOURNEY, SPAN
from .reading import Period, asking, each, graphs_of, journey_of
from .sheets import Asked, Kind, Language, Page, Sheet
from .step_columns import CONVERSION, STEP, StepOf, of_messages
from .words import CHANNELS, said


class Channel(Period):
    journey_id: int
    channel: str
    goal: str | None = None
    """Whose conversions are told; those of all goals together without."""


def _campaign(step: StepOf) -> Campaign:
    return step.campaign


def figures_of(channel: str) -> tuple[Figure[StepOf], ...]:
    before = (figure.seen_from(_campaign) for figure in (*JOURNEY, *SPAN))
    behind = (figure.seen_from(_campaign) for figure in AS_OF)
    return (*before, *STEP, *of_messages(channel), *CONVERSION, *behind)


async def open_sheet(asked: Asked, arguments: Channel) -> Sheet:
    asking(asked, arguments)
    journey = await journey_of(asked, arguments.journey_id)
    await check_goal(asked, journey, arguments.goal)
    await _check_channel(asked, journey, arguments.channel)
    figures = figures_of(arguments.channel)
    what = "통계" if asked.language is Language.KO else "statistics"
    title = f"{said(CHANNELS, arguments.channel, asked.language)} {what}"
    return Sheet(title, [one.column for one in figures], _pages(asked, journey, arguments, figures))


async def _pages(
    asked: Asked, journey: Journey, arguments: Channel, figures: Sequence[Figure[StepOf]]
) -> AsyncIterator[Page]:
    about = asking(asked, arguments)
    async for campaign in each(asked, [journey], about):
        steps = _steps(campaign, arguments)
        yield Page([tuple(figure.of(step) for figure in figures) for step in steps], [])


def _steps(campaign: Campaign, arguments: Channel) -> Iterator[StepOf]:
    for item, current in campaign.figures.sending.get(arguments.channel, {}).values():
        yield StepOf(campaign, arguments.channel, item, current, arguments.goal)


async def check_goal(asked: Asked, journey: Journey, key: str | None) -> None:
    """Raises NotFound for a goal that the journey never had."""
    goals = [goal for graph in await _graphs(asked, journey) for goal in graph.get("goals") or ()]
    if key is not None and key not in {goal["key"] for goal in goals}:
        raise NotFound(f"The journey has no goal {key!r}.")


async def _check_channel(asked: Asked, journey: Journey, channel: str) -> None:
    steps = [step for graph in await _graphs(asked, journey) for step in graph["steps"]]
    if channel not in {channel_of(step) for step in steps}:
        raise NotFound(f"The journey has no message on the channel {channel!r}.")


async def _graphs(asked: Asked, journey: Journey) -> list[Data]:
    assert journey.id is not None
    async with asked.db.read() as session:
        return (await graphs_of(session, asked, [journey]))[journey.id]


CHANNEL = Kind("channel_statistics", Channel, open_sheet, of_people=False, goes_on=False)
