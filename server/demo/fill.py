"""Fills a database with the sample: everything takes the way that a real shop's life would take.

Events go through the door for events, journeys are drawn and started over GraphQL, messages go to fake
providers, which call back or are polled, and readers' apps fetch theirs. Only the clock is virtual.
"""

from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from channels.testing import FakeChannel
from server.clock import DAY, HOUR, SECOND, Instant, to_datetime
from server.config import Settings
from server.runtime import Runtime, open_runtime
from server.store import projects
from server.store.projects import NewProject

from . import alimtalk, cohorts, journeys, order, post, win_back
from .api import Api, api_of
from .drawing import Data
from .providers import Providers
from .readers import Readers
from .shop import SEOUL, Sent, Shop

NAME, ZONE = "Sample shop", "Asia/Seoul"
STRIDE = 12 * HOUR
"""Of virtual time between two looks at the post. What is due in between happens at its own instant."""
SENT_AT_ONCE = 250
"""Events of one request."""
CAPS = (2, DAY), (5, 7 * DAY)
"""How many mails a person gets at most, in how long."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The sample, ready to be shown."""

    keys: NewProject
    provider: FakeChannel
    """Knows what it has still to tell: opens and clicks of the hours to come."""
    providers: Providers
    """Those of the journey on every channel. They do, too."""
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
    providers = Providers(shop.seed, shop.persons())
    mounts = providers.mounts
    async with open_runtime(settings, parts=(), follow_events=True, mounts=mounts) as runtime:
        runtime.host.channels[post.ADAPTER] = provider
        providers.join(runtime.host, runtime.clock)
        runtime.clock.reach(shop.since)
        async with runtime.db.write() as session:
            keys = await projects.create(session, NAME, ZONE, shop.since, is_sample=True)
        async with api_of(runtime, keys) as api, _worked(runtime):
            await providers.connect(api)
            readers = Readers(api.client, int(providers.hook_of(order.APP).rpartition("/")[2]), shop.seed)
            filling = _Filling(runtime, shop, api, told, providers, readers)
            await filling.run()
        return Filled(keys, provider, providers, filling.events, filling.mails)


@asynccontextmanager
async def _worked(runtime: Runtime) -> AsyncIterator[None]:
    """Leaves nothing open: the loops that serve from now on begin anew."""
    try:
        yield
    finally:
        await runtime.dispatcher.aclose()
        await runtime.dispatcher.let_go()
        await runtime.keeper.let_go()
        await runtime.engine.let_go()


@dataclass(slots=True)
class _Filling:
    runtime: Runtime
    shop: Shop
    api: Api
    told: Told
    providers: Providers
    readers: Readers
    drawn: dict[str, str] = field(default_factory=dict)
    events: int = 0

    @property
    def mails(self) -> int:
        return self.runtime.dispatcher.progress.claimed

    async def run(self) -> None:
        life = self.shop.life()
        scenes = self._scenes()
        at = self.shop.since
        stops = sorted({at, *self._strides(), *(when for when, _ in scenes), self.shop.until})
        for at, until in pairwise(stops):
            for when, scene in scenes:
                if when == at:
                    await scene()
            sent = life[bisect_left(life, at, key=_at) : bisect_left(life, until, key=_at)]
            await self._send(sent)
            await self._hear(until)
            await self._settle(until)
            self.readers.hear(sent)
            self.told(Reached(until, self.events, self.mails))

    async def _send(self, sent: Sequence[Sent]) -> None:
        for start in range(0, len(sent), SENT_AT_ONCE):
            await self.api.send([one.message for one in sent[start : start + SENT_AT_ONCE]])
        self.events += len(sent)

    def _strides(self) -> list[Instant]:
        """A moment after parcels leave, so that providers hear of them then, and in between."""
        times = [at + SECOND + after for at in self.shop.shipping_times() for after in (0, STRIDE)]
        return [at for at in times if at < self.shop.until]

    async def _hear(self, until: Instant) -> None:
        """What providers and readers' apps tell of messages up to this instant, each at its own."""
        while True:
            nexts = (self.providers.next_due_at(), self.readers.next_at())
            at = min((one for one in nexts if one is not None), default=until)
            if at >= until:
                return
            self.runtime.clock.reach(at)
            now = self.runtime.clock.now()
            await self.providers.call_back(self.api.client, now)
            await self.readers.visit(now)

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
        await runtime.shelf.clear()
        await runtime.keeper.look_once()
        await self._work()

    async def _work(self) -> None:
        while await self.runtime.engine.work_once():
            pass

    def _scenes(self) -> list[tuple[Instant, Callable[[], Awaitable[None]]]]:
        """What the shop's operator does, and when."""
        settings = self.providers.line_of(alimtalk.CONNECTION).settings
        kakao = alimtalk.Counter(self.runtime, self.api, self.shop, self.providers.kakao, settings)
        return [
            (self._day(0), self._open),
            *((self._day(share), scene) for share, scene in kakao.scenes()),
            (self._day(0.15), self._start_tangerine_week),
            (self._day(0.45), self._reword_welcome),
            (self._day(0.4), self._end_tangerine_week),
            (self._day(0.6), self._put_tangerine_week_away),
            (self._day(0.55), self._win_back),
            (self._day(0.7), self._draw),
            (self._day(0.94), self._pause_review_request),
        ]

    def _day(self, share: float) -> Instant:
        return self.shop.since + int(share * (self.shop.until - self.shop.since))

    async def _open(self) -> None:
        await self.api.connect(journeys.MAIL, post.ADAPTER, post.settings(self.shop.seed))
        await self.api.connect(journeys.STUDIO, post.ADAPTER, post.studio(self.shop.seed))
        caps = [{"channel": "email", "most": most, "windowSeconds": ms // SECOND} for most, ms in CAPS]
        await self.api.change("setFrequencyCaps", {"caps": caps})
        for journey in (
            journeys.abandoned_cart(),
            journeys.welcome(),
            journeys.review_request(),
            order.order(),
        ):
            await self._start(journey)
        for name, (view, cohort) in cohorts.SAVED.items():
            await self.api.change("createCohortReport", {"name": name, "view": view, "cohort": cohort})

    async def _start(self, journey: Data) -> None:
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

    async def _win_back(self) -> None:
        """From tomorrow on, for those who have not bought for half the days of the sample."""
        quiet = win_back.quiet(self.shop.days * DAY // SECOND // 2)
        await self.api.change("createSegment", {"name": win_back.QUIET, "conditions": quiet})
        await self.api.fill_pool(win_back.POOL, win_back.LOW_WATER, win_back.CODES)
        tomorrow = to_datetime(self._day(0.55) + SEOUL + DAY).date()
        await self._start(win_back.win_back(tomorrow, journeys.STUDIO))

    async def _draw(self) -> None:
        self.drawn[journeys.WISH] = await self.api.create(journeys.wish_list())
        self.drawn[journeys.COUPON] = await self.api.create_from_template("coupon-expiring", journeys.COUPON)

    async def _pause_review_request(self) -> None:
        await self.api.move_on("pause", self.drawn[journeys.REVIEW])


def _at(sent: Sent) -> Instant:
    return sent.at
