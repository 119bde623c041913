"""One shard's turn: take what has happened and what is due, decide, write it all in one transaction."""

from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from server.aggregates import attribute_sets, deed_merge
from server.aggregates import merge as sets
from server.aggregates.deed_tally import DeedTally
from server.aggregates.fill import Tally
from server.clock import Clock, Instant
from server.store import inbox, user_lists
from server.store.bulk import inserting, table_of
from server.store.commands import ERASE, MOVE, REMAP, REMOVE
from server.store.consents import DECIDE
from server.store.database import Database
from server.store.ids import digest
from server.store.invitations import INVITE
from server.store.launches import LAUNCH
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Quarantine, ShardState
from server.store.vouchers import REMEMBER

from . import catalog as catalogs
from . import (
    commands,
    consents,
    deeds,
    entering,
    erasing,
    events,
    gather,
    invitations,
    launches,
    leases,
    lists,
    moving,
    news,
    people,
    receipts,
    remapping,
    removing,
    runs,
    sessions,
)
from .batch import Batch
from .catalog import Catalog
from .intake import Intake
from .items import Item, in_order, up_to_a_turn
from .people import LINK, UNLINKED, Resolver
from .state import RunState

MOST_ROWS = 2000
"""Inbox rows a turn: enough to make a statement's cost small, few enough to keep others waiting little."""
MOST_DUE = 2000
MOST_WAKES = 100
"""Waits of one run that one turn ends: a clock that jumps by months must not hold everybody else up."""
SHARD_BITS = 12
"""An id ends with its shard, so that a run keeps its id when its user moves to another shard."""

_state = table_of(ShardState)
_quarantine = table_of(Quarantine)
_QUARANTINE = inserting(Quarantine)
log = structlog.get_logger("engine")


class CatalogMoved(Exception):
    """An operator changed something while we decided; we decide again, knowing it."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did."""

    rows: int = 0
    wakes: int = 0
    transitions: int = 0
    bad_news: frozenset[tuple[int, int]] = frozenset()
    """Projects and journeys of which a message bounced or was reported as spam."""


class Shard:
    """A shard that we hold the lease of, and what we remember of it while we do."""

    def __init__(
        self, db: Database, clock: Clock, shard: int, shards: int, token: int, *, strict: bool = False
    ) -> None:
        """`strict` raises where otherwise a row that cannot be worked in is looked for: for tests."""
        self.number = shard
        self._db, self._clock, self._shards, self._token = db, clock, shards, token
        self._strict = strict
        self._most = MOST_ROWS
        self._intake = Intake(shard)
        self._crowded = deed_merge.Crowded(shards)
        self._listed = attribute_sets.Keeper()
        self.turns = 0
        self._next_id: int | None = None
        self._planned: int | None = None
        """The epoch of the catalog by which the launches of our people are planned."""

    async def turn(self, catalog: Catalog) -> Turn:
        """Works in one batch. Raises LostLease or CatalogMoved if what was decided may not be written.

        A batch that fails is tried again in smaller and smaller parts; a single row that fails is put aside
        with the reason, and everybody else goes on. What fails because of the database is raised.
        """
        most = min(self._most, MOST_ROWS)
        try:
            await self._plan(catalog)
            turn = await self._turn(catalog, most)
            launched = await self._launch(catalog)
        except (leases.LostLease, CatalogMoved, OperationalError, InterfaceError, OSError):
            self._forget()
            raise
        except Exception as error:
            self._forget()
            if self._strict or _is_of_the_database(error):
                raise
            log.exception("a batch failed", shard=self.number, rows=most)
            if most == 1:
                await self._quarantine(error)
            self._most = max(1, most // 8)
            return Turn()
        self._most = min(MOST_ROWS, most * 2)
        self.turns += 1
        return replace(turn, transitions=turn.transitions + launched)

    async def _turn(self, catalog: Catalog, most: int) -> Turn:
        async with self._db.read() as session:
            batch, items, due = await self._gather(session, catalog, most)
        self._decide(batch, items)
        entering.lead_on(batch)
        wakes = self._wake(batch, due)
        batch.done = [item.row.id for item in items if not item.is_full]
        if items or wakes or batch.users:
            async with self._db.write() as session:
                await self._commit(session, batch)
            self._intake.remember(batch)
            self._crowded.note(batch.written_deeds)
        return Turn(len(items), wakes, len(batch.visits), frozenset(batch.bad_news))

    # Launches

    def has_planned(self, catalog: Catalog) -> bool:
        """Whether the launches of its people are planned by this catalog."""
        return not catalog.audiences or self._planned == catalog.epoch

    async def _plan(self, catalog: Catalog) -> None:
        if self.has_planned(catalog):
            return
        async with self._db.read() as session:
            plan = await launches.plan(session, self.number, catalog, self._clock.now())
        if plan.rows or plan.statements:
            async with self._db.write() as session:
                await self._prove(session, catalog)
                await launches.keep(session, plan)
        self._planned = catalog.epoch

    async def _launch(self, catalog: Catalog) -> int:
        """Lets a page of people in, if a launch is due. Returns how many visits are over by it."""
        async with self._db.read() as session:
            if self._next_id is None:
                await self._load_state(session)
            batch = self._new_batch(catalog, self._clock.now(), self._clock.now())
            page = await launches.take(session, batch, self.turns)
        if page is not None:
            launches.decide(batch, page)
            entering.lead_on(batch)
        if page is not None or batch.statements:
            async with self._db.write() as session:
                await self._commit(session, batch)
        return len(batch.visits)

    async def _quarantine(self, error: Exception) -> None:
        async with self._db.write() as session:
            await leases.prove(session, "engine", self.number, self._token)
            last = await session.rows(
                select(func.max(_quarantine.c.id)).where(_quarantine.c.shard == self.number)
            )
            for row in await inbox.take(session, self.number, 1):
                about = f"{type(error).__name__}: {error}"[:2000]
                values = (self.number, (last[0][0] or 0) + 1, row.project_id, row.kind, row.payload, about)
                await session.bulk(_QUARANTINE, [(*values, self._clock.now())])
                await inbox.remove(session, self.number, [row.id])
                log.error("a row of the inbox is in quarantine", shard=self.number, why=about)

    # Reading

    async def _gather(
        self, session: ReadSession, catalog: Catalog, most: int
    ) -> tuple[Batch, list[Item], list[RunState]]:
        if self._next_id is None:
            await self._load_state(session)
        rows = await inbox.take(session, self.number, most)
        items = up_to_a_turn(rows)
        for item in items:
            if item.happened_at is not None:
                self._clock.reach(item.happened_at)
        now = self._clock.now()
        if catalog.starting(now):
            # By what these very events say it is time for a journey to start: it does so before them.
            raise CatalogMoved
        has_all = len(items) == len(rows) < most
        until = now if has_all else self._known_until(now, items)
        batch = self._new_batch(catalog, now, until)
        due = await gather.due(session, batch, until, MOST_DUE)
        await self._intake.load(session, batch, items, due)
        return batch, items, due

    def _new_batch(self, catalog: Catalog, now: Instant, until: Instant) -> Batch:
        tally = Tally(self.number, catalog.zone_of)
        about = (self.number, self._shards, catalog, now, until, self._clock.follows_events, tally)
        deeds = DeedTally(self.number)
        batch = Batch(*about, deeds, self._take_id, self._strict, deed_values=self._intake.deed_values)
        batch.listed = self._listed
        return batch

    def _known_until(self, now: Instant, items: list[Item]) -> Instant:
        """Up to when nothing is missing, while more lies in the inbox than these items.

        What lies there may have happened before a timer was due, and comes before it. On the virtual clock
        other shards may be months ahead: there only our own events tell how far we are.
        """
        if self._clock.follows_events:
            return max((item.happened_at for item in items if item.happened_at is not None), default=0)
        return min(now, items[-1].row.arrived_at)

    async def _load_state(self, session: ReadSession) -> None:
        row = (await session.rows(select(_state).where(_state.c.shard == self.number)))[0]
        self._next_id = row.next_id
        self._clock.reach(row.clock_at)

    def _take_id(self) -> int:
        assert self._next_id is not None
        self._next_id += 1
        return (self._next_id << SHARD_BITS) | self.number

    # Deciding

    def _decide(self, batch: Batch, items: list[Item]) -> None:
        for item in in_order(items):
            if item.found is not None:
                self._decide_event(batch, item)
            elif item.receipt is not None:
                receipts.take_in(batch, item.receipt, batch.known_receipts)
            elif item.command:
                self._decide_command(batch, item)

    def _decide_event(self, batch: Batch, item: Item) -> None:
        assert item.event is not None
        assert item.found is not None
        project_id, event = item.row.project_id, item.event
        key = (project_id, item.found.number)
        user = batch.user(key)
        keys = [digest(event.anonymous_id)] if event.anonymous_id and event.user_id else []
        for merge in item.found.merges:
            self._merge(batch, merge, event.occurred_at, keys)
        if keys and (item.found.merges or item.found.asks) and user.merged_into is None:
            sessions.await_news(batch, *key, keys[0])
        if user.merged_into is not None:
            # Found before this batch came to the merge: what its user had has moved, and so does this.
            Resolver(batch, {}).pass_on(project_id, user.merged_into, item.own_payload, event, item.hops)
        elif item.hops & people.HISTORY_BIT:
            events.note(batch, user, project_id, event, item.digest)
        else:
            events.take_in(batch, user, project_id, event, item.digest)

    def _merge(self, batch: Batch, merge: people.Merge, at: int, keys: list[str]) -> None:
        """`keys` are the devices that showed it."""
        resolver = Resolver(batch, {})
        identities = resolver.follow(merge, at)
        moving = batch.moving.get((merge.project_id, merge.number), [])
        commands.send_away(batch, merge, moving, identities, at, keys)

    def _welcome(self, batch: Batch, project_id: int, command: dict[str, Any]) -> None:
        """What led to the user whom we adopt leads to ours, or to whomever ours was merged into."""
        merged_into = batch.users[project_id, command["number"]].merged_into
        home, _, number = (merged_into or f"{self.number}:{command['number']}").partition(":")
        for kind, value in command.get("identities", ()):
            Resolver(batch, {}).welcome((project_id, kind, value), int(home), int(number), command["at"])

    def _decide_command(self, batch: Batch, item: Item) -> None:
        kind, command = item.row.kind, item.command
        if kind == LINK:
            for merge in Resolver(batch, {}).linked(item.row.project_id, command):
                self._merge(batch, merge, command["at"], [digest(command["value"])])
        elif kind == UNLINKED:
            deeds.unlinked(batch, item.row.project_id, command)
        elif kind == commands.ADOPT:
            self._welcome(batch, item.row.project_id, command)
            commands.adopt(batch, item.row.project_id, command, command.pop("later", []))
        elif kind == commands.PAUSE:
            commands.hold(batch, command)
            launches.hold(batch, command["journey_id"])
        elif kind == commands.RESUME:
            commands.let_go(batch, command, is_last=not item.is_full)
            if not item.is_full:
                launches.let_go(batch, command["journey_id"], item.planned, item.row.arrived_at)
        elif kind == commands.STOP:
            commands.stop(batch, command)
        elif kind == user_lists.LIST_ADD:
            lists.add(batch, item.row.project_id, command)
        elif kind == user_lists.LIST_NAME:
            lists.add_named(batch, item.row.project_id, command)
        elif kind == user_lists.LIST_CLEAR:
            lists.clear(batch, command)
        elif kind == LAUNCH:
            launches.requested(batch, item.row.project_id, command)
        elif kind == INVITE:
            invitations.take_in(batch, item.row.project_id, command, item.guests)
        elif kind == news.NEWS:
            news.take_in(batch, item.row.project_id, command)
        elif kind == MOVE:
            moving.move(batch, command)
        elif kind == ERASE:
            erasing.erase(batch, item.row.project_id, command)
        elif kind == REMOVE:
            removing.remove(batch, item.row.project_id, command)
        elif kind == REMAP:
            remapping.correct(batch, item.row.project_id, command)
        elif kind == REMEMBER:
            commands.remember(batch, item.row.project_id, command)
        elif kind == DECIDE:
            consents.decide(batch, item.row.project_id, command)
        else:
            raise ValueError(f"The inbox holds a row of the unknown kind {kind!r}.")

    def _wake(self, batch: Batch, due: list[RunState]) -> int:
        wakes = 0
        for run in due:
            user = batch.user((run.project_id, run.user_number))
            for _ in range(MOST_WAKES):
                if run.id not in batch.runs or not _is_due(run, batch):
                    break
                wakes += 1
                runs.wake(batch, run, user)
                entering.lead_on(batch)
        return wakes

    # Writing

    async def _commit(self, session: WriteSession, batch: Batch) -> None:
        await self._prove(session, batch.catalog)
        if batch.catalog.pruned and not await batch.finds_all(session):
            raise CatalogMoved
        await batch.write(session)
        reached = {"next_id": self._next_id, "clock_at": self._clock.now()}
        await session.run(update(_state).where(_state.c.shard == self.number).values(reached))

    async def _prove(self, session: WriteSession, catalog: Catalog) -> None:
        """Raises LostLease or CatalogMoved: what was decided may not be written."""
        await leases.prove(session, "engine", self.number, self._token)
        if await catalogs.current_epoch(session, sharing=True) != catalog.epoch:
            raise CatalogMoved

    def _forget(self) -> None:
        """What we remember may not be what was written."""
        self._intake.forget()
        self._listed.forget()
        self._next_id = None

    async def merge_sets(self) -> bool:
        """Puts the parts of crowded user sets together. Returns whether there were any."""
        async with self._db.read() as session:
            keys = await sets.crowded(session, self.number)
            of_attributes = await attribute_sets.crowded(session, self.number)
        if keys or of_attributes:
            async with self._db.write() as session:
                await leases.prove(session, "engine", self.number, self._token)
                await sets.merge(session, self.number, keys)
                await attribute_sets.merge(session, self.number, of_attributes)
        return await self._merge_deeds() or bool(keys or of_attributes)

    async def _merge_deeds(self) -> bool:
        async with self._db.read() as session:
            keys = await self._crowded.take(session, self.number)
        for start in range(0, len(keys), deed_merge.AT_ONCE):
            some = keys[start : start + deed_merge.AT_ONCE]
            async with self._db.write() as session:
                await leases.prove(session, "engine", self.number, self._token)
                await deed_merge.merge(session, self.number, some)
            self._crowded.merged(some)
        return bool(keys)


_NOT_OF_A_ROW = ("08", "25", "40", "53", "55", "57", "58", "XX")
"""Classes of PostgreSQL's error codes that say nothing of what was written: connection lost, read-only,
deadlock, disk full, cannot be had now, shut down, its own trouble."""


def _is_of_the_database(error: Exception) -> bool:
    """asyncpg has classes of its own, of which SQLAlchemy makes one: the code tells them apart."""
    code = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    return bool(code) and str(code).startswith(_NOT_OF_A_ROW)


def _is_due(run: RunState, batch: Batch) -> bool:
    return run.wake_at is not None and run.wake_at <= batch.until and runs.may_move(batch, run)
