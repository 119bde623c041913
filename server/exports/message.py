"""The statistics of one message: a row for each metric, each reason why it did not arrive, each goal."""

from collections.abc import AsyncIterator, Iterator

from server.errors import NotFound
from server.journey.steps import channel_of
from server.store.tables import Journey

from .campaign import Campaign
from .figure import Figure
from .head_columns import AS_OF, JOURNEY, SPAN
from .message_lines import LINE, Line, lines_of
from .reading import Period, asking, each, graphs_of, journey_of
from .sheets import Asked, Kind, Language, Page, Sheet
from .step_columns import STEP, StepOf


def _campaign(line: Line) -> Campaign:
    return line.campaign


def _step(line: Line) -> StepOf:
    return line.step


FIGURES: tuple[Figure[Line], ...] = (
    *(figure.seen_from(_campaign) for figure in (*JOURNEY, *SPAN)),
    *(figure.seen_from(_step) for figure in STEP),
    *LINE,
    *(figure.seen_from(_campaign) for figure in AS_OF),
)


class Message(Period):
    journey_id: int
    step_key: str
    """The key of a message step of the journey, of whichever version."""


async def open_sheet(asked: Asked, arguments: Message) -> Sheet:
    asking(asked, arguments)
    journey = await journey_of(asked, arguments.journey_id)
    await _check(asked, journey, arguments.step_key)
    title = "메시지 통계" if asked.language is Language.KO else "Message statistics"
    return Sheet(title, [figure.column for figure in FIGURES], _pages(asked, journey, arguments))


async def _pages(asked: Asked, journey: Journey, arguments: Message) -> AsyncIterator[Page]:
    about = asking(asked, arguments)
    async for campaign in each(asked, [journey], about):
        lines = [line for step in _chosen(campaign, arguments.step_key) for line in lines_of(step)]
        yield Page([tuple(figure.of(line) for figure in FIGURES) for line in lines], [])


def _chosen(campaign: Campaign, key: str) -> Iterator[StepOf]:
    """More than one if an edit has given the step another channel."""
    for channel in campaign.figures.channels.get(key, ()):
        item, current = campaign.figures.sending[channel][key]
        yield StepOf(campaign, channel, item, current, None)


async def _check(asked: Asked, journey: Journey, key: str) -> None:
    """Raises NotFound for what is no message step of any version."""
    assert journey.id is not None
    async with asked.db.read() as session:
        graphs = (await graphs_of(session, asked, [journey]))[journey.id]
    if key not in {step["key"] for graph in graphs for step in graph["steps"] if channel_of(step)}:
        raise NotFound(f"The journey has no message {key!r}.")


MESSAGE = Kind("message_statistics", Message, open_sheet, of_people=False, goes_on=False)
