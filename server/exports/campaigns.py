"""The statistics of journeys: a row for each, with the columns that everybody knows first."""

from collections.abc import AsyncIterator, Sequence

from server.journey.steps import channel_of
from server.store.journeys import Wanted

from .campaign import Campaign
from .campaign_columns import figures_of
from .figure import Figure
from .reading import Period, asking, each, graphs_of, pages_of
from .sheets import Asked, Kind, Language, Page, Sheet


class Journeys(Period):
    """Those to which all of this applies, as in the list; all of them without any."""

    ids: tuple[int, ...] | None = None
    statuses: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    text: str | None = None

    @property
    def wanted(self) -> Wanted:
        return Wanted(self.ids, self.statuses, self.categories, self.text)


async def open_sheet(asked: Asked, arguments: Journeys) -> Sheet:
    asking(asked, arguments)
    figures = figures_of(*await _widest(asked, arguments.wanted))
    title = "캠페인 통계" if asked.language is Language.KO else "Campaign statistics"
    return Sheet(title, [one.column for one in figures], _pages(asked, arguments, figures))


async def _pages(
    asked: Asked, arguments: Journeys, figures: Sequence[Figure[Campaign]]
) -> AsyncIterator[Page]:
    about = asking(asked, arguments)
    async for found in pages_of(asked, arguments.wanted):
        async for campaign in each(asked, found, about):
            yield Page([tuple(figure.of(campaign) for figure in figures)], [])


async def _widest(asked: Asked, wanted: Wanted) -> tuple[set[str], int]:
    """Every channel of these journeys, and the most goals that one of them has had."""
    channels: set[str] = set()
    goals = 0
    async for found in pages_of(asked, wanted):
        async with asked.db.read() as session:
            drawn = await graphs_of(session, asked, found)
        for graphs in drawn.values():
            channels |= {
                channel for graph in graphs for item in graph["steps"] if (channel := channel_of(item))
            }
            goals = max(goals, len({goal["key"] for graph in graphs for goal in graph.get("goals") or ()}))
    return channels, goals


CAMPAIGNS = Kind("campaign_statistics", Journeys, open_sheet, of_people=False, goes_on=False)
