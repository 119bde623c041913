"""What is asked of a journey's figures, wherever they are asked for: the arguments, and the answer."""

from typing import Annotated, TypeAlias

import strawberry

from server.resolvers import channels, journeys, periods

from .figure_words import Clock
from .figures import PeriodInput
from .figures_asked import figures_key
from .info import Info
from .source import Source
from .stats import JourneyStats

PeriodArgument: TypeAlias = Annotated[
    PeriodInput | None, strawberry.argument(description="Which days; everything by default.")
]
VersionArgument: TypeAlias = Annotated[
    int | None,
    strawberry.argument(description="Only runs of the version of this number; all by default."),
]
ClockArgument: TypeAlias = Annotated[
    Clock, strawberry.argument(description="What decides whether something is in the period.")
]


async def stats_of(
    info: Info, journey_id: int, period: PeriodInput | None, version: int | None, clock: Clock
) -> JourneyStats:
    """The figures that the fields below the present one ask for."""
    wanted = period or PeriodInput()
    preset = wanted.preset.value if wanted.preset else None
    days = await periods.period(info.context, preset, wanted.start, wanted.until)
    found = await journeys.figures(info.context, figures_key(info, journey_id, days, version, clock))
    observed = await channels.observes(info.context)
    source = Source(journey_id, days, found, version, observed, clock is Clock.HAPPENED)
    return JourneyStats.from_source(source, clock)
