"""How all connections fare: in memory while we send, on disk now and then, so that others can see it."""

import asyncio
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field

from channels.contract import Outcome
from server.clock import Instant
from server.store import health as store
from server.store.database import Database
from server.store.health import HealthRow
from server.store.routes import RouteRow
from server.store.sessions import ReadSession

from .breaker import Health, State

SAVE_SECONDS = 5.0
"""Between two looks at the disk, unless a breaker changes its state: that is written at once."""


@dataclass(slots=True)
class HealthBook:
    """The health of every connection. Processes that share a database read each other's news in it."""

    db: Database
    _all: dict[int, Health] = field(default_factory=dict)
    _settings_at: dict[int, Instant] = field(default_factory=dict)
    _news: set[int] = field(default_factory=set)
    _is_urgent: bool = False
    _next_save: float = 0.0

    def of(self, connection_id: int) -> Health:
        if connection_id not in self._all:
            self._all[connection_id] = Health(connection_id)
        return self._all[connection_id]

    def hear(self, connection_id: int, outcome: Outcome, now: Instant) -> None:
        self._note(connection_id, self.of(connection_id).hear(outcome, now))

    def begin_trial(self, connection_id: int, now: Instant) -> None:
        if self.of(connection_id).begin_trial(now):
            self._note(connection_id, True)

    def refresh(self, routes: Iterable[RouteRow]) -> None:
        """A connection that was changed since its breaker last moved begins with a closed one."""
        for route in routes:
            health = self.of(route.id)
            known = self._settings_at.get(route.id)
            self._settings_at[route.id] = route.changed_at
            is_new = route.changed_at > health.changed_at if known is None else route.changed_at != known
            if is_new and (health.breaker is not State.CLOSED or health.failures):
                health.close(max(route.changed_at, health.changed_at))
                self._note(route.id, True)

    async def read(self) -> None:
        """Takes over what another process, or our own before a restart, has found out later than we."""
        async with self.db.read() as session:
            await self._take_over(session)

    async def _take_over(self, session: ReadSession) -> None:
        for row in await store.all_rows(session):
            if row.changed_at > self.of(row.connection_id).changed_at:
                self._all[row.connection_id] = _health(row)

    async def save(self, *, at_once: bool = False) -> None:
        """Writes the news, if it is time to."""
        now = asyncio.get_running_loop().time()
        if not (at_once or self._is_urgent or now >= self._next_save):
            return
        news, self._news, self._is_urgent = self._news, set(), False
        self._next_save = now + SAVE_SECONDS
        if not news:
            return await self.read()
        try:
            async with self.db.write() as session:
                # First: what another process has found out later than we is not ours to undo.
                await self._take_over(session)
                await store.save(session, [HealthRow(*astuple(self.of(number))) for number in sorted(news)])
        except BaseException:
            self._news |= news
            raise

    def _note(self, connection_id: int, is_urgent: bool) -> None:
        self._news.add(connection_id)
        self._is_urgent |= is_urgent


def _health(row: HealthRow) -> Health:
    return Health(row.connection_id, State(row.breaker), *row[2:])
