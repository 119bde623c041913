"""The statistics of goals: a row for each goal of each journey."""

from collections.abc import AsyncIterator, Iterator

from server.errors import NotFound

from .campaign import Campaign
from .campaigns import Journeys
from .figure import Figure
from .goal_columns import GOAL, GoalOf
from .head_columns import AS_OF, JOURNEY, SPAN
from .reading import asking, each, graphs_of, pages_of
from .sheets import Asked, Kind, Language, Page, Row, Sheet


class Goals(Journeys):
    goal: str | None = None
    """The key of one goal; all of them without."""


def _campaign(goal: GoalOf) -> Campaign:
    return goal.campaign


FIGURES: tuple[Figure[GoalOf], ...] = (
    *(figure.seen_from(_campaign) for figure in (*JOURNEY, *SPAN)),
    *GOAL,
    *(figure.seen_from(_campaign) for figure in AS_OF),
)


async def open_sheet(asked: Asked, arguments: Goals) -> Sheet:
    asking(asked, arguments)
    await _check(asked, arguments)
    title = "목표 통계" if asked.language is Language.KO else "Goal statistics"
    return Sheet(title, [figure.column for figure in FIGURES], _pages(asked, arguments))


async def _pages(asked: Asked, arguments: Goals) -> AsyncIterator[Page]:
    about = asking(asked, arguments)
    async for found in pages_of(asked, arguments.wanted):
        async for campaign in each(asked, found, about):
            rows = [_row(one) for one in _goals(campaign, arguments.goal)]
            if rows:
                yield Page(rows, [])


def _row(goal: GoalOf) -> Row:
    return tuple(figure.of(goal) for figure in FIGURES)


def _goals(campaign: Campaign, key: str | None) -> Iterator[GoalOf]:
    for goal in campaign.figures.goals_drawn:
        if key in (None, goal["key"]):
            yield GoalOf(campaign, goal)


async def _check(asked: Asked, arguments: Goals) -> None:
    """Raises NotFound for a goal that none of the journeys has."""
    if arguments.goal is None:
        return
    async for found in pages_of(asked, arguments.wanted):
        async with asked.db.read() as session:
            drawn = await graphs_of(session, asked, found)
        for graphs in drawn.values():
            for graph in graphs:
                if any(goal["key"] == arguments.goal for goal in graph.get("goals") or ()):
                    return
    raise NotFound(f"None of these journeys has a goal {arguments.goal!r}.")


GOALS = Kind("goal_statistics", Goals, open_sheet, of_people=False, goes_on=False)
