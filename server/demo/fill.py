"""Fills a database with the sample: everything takes the way that a real shop's life would take.

Events go through the door for events, journeys are drawn and started over GraphQL, messages go to the fake
provider, and what it tells of them is polled. Only the clock is virtual.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from channels.testing import FakeChannel
from server.clock import HOUR, Instant
from server.config import Settings
from server.runtime import Runtime, open_runtime
from server.store import projects
from server.store.projects import NewProject

from . import journeys, post
from .api import Api, api_of
from .shop import Sent, Shop

NAME, ZONE = "Sample shop", "Asia/Seoul"
STRIDE = 12 * HOUR
"""Of virtual time between two looks at the post. What is due in between happens at its own instant."""
SENT_AT_ONCE = 250
"""Events of one request."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The sample, ready to be shown."""

    keys: NewProject
    provider: FakeChannel
    """Knows what it has still to tell: opens and clicks of the hours to come."""
    events: int = 0
    mails: int = 0


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the filling is."""

    at: Instant
    events: int
    mails: int


Told = Callable[[Reached], None]


def _nothing(reached: Reached) -> None:
    """For those who need no progress."""


async def fill(settings: Settings, shop: Shop, told: Told = _nothing) -> Filled:
    """Makes the sample's project in this database and fills it. Its keys are shown once, as any project's."""
    provider = post.provider(shop.seed, shop.persons())
    async with open_runtime(settings, parts=(), follow_events=True) as runtime:
        runtime.host.channels[post.ADAPTER] = provider
        runtime.clock.reach(shop.since)
        async with runtime.db.write() as session:
            keys = await projects.create(session, NAME, ZONE, shop.since, is_sample=True)
        async with api_of(runtime, keys) as api, _worked(runtime):
            filling = _Filling(runtime, shop, api, told)
            await filling.run()
        return Filled(keys, provider, filling.events, filling.mails)


@asynccontextmanager
async def _worked(runtime: Runtime) -> AsyncIterator[None]:
    """Leaves nothing open: the loops that serve from now on begin anew."""
    try:
        yield
    finally:
        await runtime.dispatcher.aclose()
        await runtime.dispatcher.let_go()
        await runtime.engine.let_go()


@dataclass(slots=True)
class _Filling:
    runtime: Runtime
    shop: Shop
    api: Api
    told: Told
    drawn: dict[str, str] = field(default_factory=dict)
    events: int = 0

    @property
    def mails(self) -> int:
        return self.runtime.dispatcher.progress.claimed

    async def run(self) -> None:
        life = self.shop.life()
        scenes = self._scenes()
        at = self.shop.since
        stops = sorted({*range(at, self.shop.until, STRIDE), *(when for when, _ in scenes), self.shop.until})
        for at, until in pairwise(stops):
            for when, scene in scenes:
                if when == at:
                    await scene()
            await self._send(life[bisect_left(life, at, key=_at) : bisect_left(life, until, key=_at)])
            await self._settle(until)
            self.told(Reached(until, self.events, self.mails))

    async def _send(self, sent: Sequence[Sent]) -> None:
        for start in range(0, len(sent), SENT_AT_ONCE):
            await self.api.send([one.message for one in sent[start : start + SENT_AT_ONCE]])
        self.events += len(sent)

    async def _settle(self, until: Instant) -> None:
        """Works everything in up to this instant: events, timers, mails, and what becomes of them."""
        runtime = self.runtime
        await runtime.engine.take_shards()
        await self._work()
        # Only now: a timer must not overtake an event that lies in the inbox still.
        runtime.clock.reach(until)
        await self._work()
        await runtime.dispatcher.until_idle()
        await runtime.poller.poll_once()
        await self._work()

    async def _work(self) -> None:
        while await self.runtime.engine.work_once():
            pass

    def _scenes(self) -> list[tuple[Instant, Callable[[], Awaitable[None]]]]:
        """What the shop's operator does, and when."""
        return [
            (self._day(0), self._open),
            (self._day(0.15), self._start_tangerine_week),
            (self._day(0.45), self._reword_welcome),
            (self._day(0.4), self._end_tangerine_week),
            (self._day(0.6), self._put_tangerine_week_away),
            (self._day(0.7), self._draw_win_back),
            (self._day(0.94), self._pause_review_request),
        ]

    def _day(self, share: float) -> Instant:
        return self.shop.since + int(share * (self.shop.until - self.shop.since))

    async def _open(self) -> None:
        await self.api.connect(journeys.MAIL, post.ADAPTER, post.settings(self.shop.seed))
        for journey in (journeys.abandoned_cart(), journeys.welcome(), journeys.review_request()):
            await self._start(journey)

    async def _start(self, journey: journeys.Data) -> None:
        made = self.drawn[journey["title"]] = await self.api.create(journey)
        await self.api.publish(made)
        await self.api.move_on("start", made)

    async def _start_tangerine_week(self) -> None:
        await self._start(journeys.tangerine_week())

    async def _end_tangerine_week(self) -> None:
        await self.api.move_on("stop", self.drawn[journeys.WEEKEND])

    async def _put_tangerine_week_away(self) -> None:
        await self.api.move_on("archive", self.drawn[journeys.WEEKEND])

    async def _reword_welcome(self) -> None:
        again = journeys.welcome("{{ user.name }}님, 반가워요! 3,000원 쿠폰이 왔어요")
        await self.api.redraw(self.drawn[journeys.WELCOME], again)

    async def _draw_win_back(self) -> None:
        self.drawn[journeys.WIN_BACK] = await self.api.create(journeys.win_back())

    async def _pause_review_request(self) -> None:
        await self.api.move_on("pause", self.drawn[journeys.REVIEW])


def _at(sent: Sent) -> Instant:
    return sent.at
