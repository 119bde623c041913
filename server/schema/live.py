"""Figures that are told anew whenever they change."""

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from server.errors import BadInput, NotFound
from server.resolvers import journeys as resolve
from server.store.projects import READ
from server.watch import Watch

from .fields import subscription
from .figure_words import Clock
from .ids import key_in
from .info import Info
from .stats import JourneyStats
from .stats_asked import ClockArgument, PeriodArgument, VersionArgument, stats_of


@strawberry.type
class LiveSubscription:
    @subscription(
        "The figures of a journey in a period: at once, then whenever any that are asked for have changed, "
        "at most twice a second. `Journey.stats` answers the same once. It ends with the key.",
        is_shared=True,
    )
    async def journey_stats(
        self,
        info: Info,
        journey_id: Annotated[strawberry.ID, strawberry.argument(description="Whose figures.")],
        period: PeriodArgument = None,
        version: VersionArgument = None,
        clock: ClockArgument = Clock.HAPPENED,
    ) -> AsyncGenerator[JourneyStats, None]:
        context = info.context
        context.require(READ)
        [key] = key_in(journey_id, "Journey")
        if await resolve.by_id(context, key) is None:
            raise NotFound("There is no such journey in this project.")
        zone = (await resolve.project(context)).time_zone
        async with _watch(info).following(context.project_id, key, zone) as figures:
            while True:
                yield await stats_of(info, key, period, version, clock)
                await figures.moved()


def _watch(info: Info) -> Watch:
    if info.context.watch is None:
        raise BadInput("This server tells no figures anew.")
    return info.context.watch
