"""One shard's turn: take what has happened and what is due, decide, write it all in one transaction."""

from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import InterfaceError, OperationalError

from server.aggregates import merge as sets
from server.aggregates.fill import Tally
from server.clock import Clock
from server.delivery import receipts as wire
from server.delivery.receipts import HeardReceipt
from server.ingest.messages import ArrivedEvent, decode
from server.journey.moment import EndReason
from server.store import inbox
from server.store.bulk import inserting, table_of
from server.store.database import Database
from server.store.ids import digest
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Quarantine, ShardState

from . import catalog as catalogs
from . import commands, events, gather, leases, people, receipts, runs
from .batch import Batch, IdentityKey, Known
from .catalog import Catalog
from .people import ANONYMOUS_ID, LINK, USER_ID, Resolver
from .state import RunState

MOST_ROWS = 2000
"""Inbox rows a turn: enough to make a statement's cost small, few enough to keep others waiting little."""
MOST_DUE = 2000
MOST_STOPPED = 2000
MOST_WAKES = 100
"""Waits of one run that one turn ends: a clock that jumps by months must not hold everybody else up."""
MOST_KNOWN = 100_000
"""Identities remembered between turns; while we hold the lease, nobody else changes them."""
SHARD_BITS = 12
"""An id ends with its shard, so that a run keeps its id when its user moves to another shard."""

_EVENTS = (inbox.EVENT, inbox.FORWARDED, inbox.HISTORY)
_state = table_of(ShardState)
_quarantine = table_of(Quarantine)
_QUARANTINE = inserting(Quarantine)
log = structlog.get_logger("engine")


class CatalogMoved(Exception):
    """An operator changed something while we decided; we decide again, knowing it."""


@dataclass(slots=True)
class Item:
    """One row of the inbox, understood."""

    row: inbox.Row
    event: ArrivedEvent | None = None
    digest: str = ""
    hops: int = 0
    receipt: HeardReceipt | None = None
    command: dict[str, Any] = field(default_factory=dict)
    found: people.Found | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn did."""

    rows: int = 0
    wakes: int = 0
    transitions: int = 0
    more: bool = False
    """Whether there is more to do at once."""


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
        self._known: dict[IdentityKey, Known] = {}
        self._next_number: dict[int, int] = {}
        self._next_id: int | None = None

    async def turn(self, catalog: Catalog) -> Turn:
        """Works in one batch. Raises LostLease or CatalogMoved if what was decided may not be written.

        A batch that fails is tried again in smaller and smaller parts; a single row that fails is put aside
        with the reason, and everybody else goes on. What fails because of the database is raised.
        """
        most = min(self._most, MOST_ROWS)
        try:
            turn = await self._turn(catalog, most)
        except (leases.LostLease, CatalogMoved, OperationalError, InterfaceError, OSError):
            self._forget()
            raise
        except Exception as error:
            self._forget()
            if self._strict:
                raise
            log.exception("a batch failed", shard=self.number, rows=most)
            if most == 1:
                await self._quarantine(error)
            self._most = max(1, most // 8)
            return Turn(more=True)
        self._most = min(MOST_ROWS, most * 2)
        return turn

    async def _turn(self, catalog: Catalog, most: int) -> Turn:
        async with self._db.read() as session:
            batch, items, due = await self._gather(session, catalog, most)
        self._decide(batch, items)
        wakes = self._wake(batch, due)
        batch.done = [item.row.id for item in items if not self._stays(batch, item)]
        if items or wakes or batch.users:
            async with self._db.write() as session:
                await self._commit(session, batch)
            self._remember(batch)
        more = len(items) == most or len(due) == MOST_DUE or bool(batch.outgoing) or self._is_due(batch)
        return Turn(len(items), wakes, len(batch.visits), more)

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
        items = _up_to_a_turn(rows)
        for item in items:
            if item.event is not None and not item.hops & people.HISTORY_BIT:
                self._clock.reach(item.event.occurred_at)
        now = self._clock.now()
        # What still lies in the inbox may have arrived before a timer was due, and comes before it.
        has_all = len(items) == len(rows) < most
        until = now if has_all else min(now, items[-1].row.arrived_at)
        tally = Tally(self.number, catalog.zone_of)
        batch = Batch(
            self.number, self._shards, catalog, now, until, self._clock.follows_events, tally, self._take_id
        )
        fresh = await self._leave_out_repeated(session, batch, items)
        await self._find_identities(session, batch, fresh)
        await self._resolve(session, batch, fresh)
        due = await gather.due(session, batch, until, MOST_DUE)
        await self._load(session, batch, items, due)
        return batch, items, due

    async def _leave_out_repeated(self, session: ReadSession, batch: Batch, items: list[Item]) -> list[Item]:
        """The events that have not arrived before, and all that another shard has forwarded."""
        digests: dict[int, set[str]] = {}
        for item in items:
            if item.event is not None and item.row.kind != inbox.FORWARDED:
                digests.setdefault(item.row.project_id, set()).add(item.digest)
        known = await gather.arrived(session, self.number, digests)
        fresh = []
        for item in items:
            if item.event is None:
                continue
            key = (item.row.project_id, item.digest)
            if item.row.kind != inbox.FORWARDED:
                if key in known:
                    item.event = None
                    continue
                known.add(key)
                batch.arrivals.append((self.number, *key))
            fresh.append(item)
        return fresh

    async def _find_identities(self, session: ReadSession, batch: Batch, items: list[Item]) -> None:
        wanted: set[IdentityKey] = set()
        for item in items:
            wanted.update(_identities_in(item))
        missing = []
        for identity in wanted:
            known = self._known.get(identity)
            if known is None:
                missing.append(identity)
            else:
                batch.identities[identity] = known
        batch.identities.update(await gather.identities(session, self.number, missing))

    async def _resolve(self, session: ReadSession, batch: Batch, items: list[Item]) -> None:
        numbers = dict(self._next_number)
        for project_id in {item.row.project_id for item in items}:
            if project_id not in numbers:
                numbers[project_id] = await gather.next_number(session, self.number, project_id)
        await gather.users(session, batch, _may_unite(batch, items))
        resolver = Resolver(batch, numbers)
        for item in items:
            assert item.event is not None
            payload = item.row.payload[1:] if item.row.kind == inbox.FORWARDED else item.row.payload
            item.found = resolver.resolve(item.row.project_id, item.event, payload, item.hops)
        batch.next_number = resolver.next_number

    async def _load(self, session: ReadSession, batch: Batch, items: list[Item], due: list[RunState]) -> None:
        """Users, runs, messages and the past that the items and the due runs ask for."""
        people_wanted = {(run.project_id, run.user_number) for run in due if _asks_for_user(batch, run)}
        movers: set[tuple[int, int]] = set()
        asked: list[gather.Asked] = []
        for item in items:
            if item.event is not None and item.found is not None:
                user = (item.row.project_id, item.found.number)
                event = item.event
                if batch.catalog.concerns_runs(user[0], event.type, event.name):
                    movers.add(user)
                    asked += _asked_on_entry(batch, user, event)
                if event.type == "identify":
                    people_wanted.add(user)
                movers.update((merge.project_id, merge.number) for merge in item.found.merges)
            elif item.row.kind == commands.ADOPT:
                movers.add((item.row.project_id, item.command["number"]))
            elif item.row.kind == commands.SUPPRESS:
                people_wanted.add((item.row.project_id, item.command["number"]))
            elif item.row.kind == commands.STOP:
                await gather.open_runs(session, batch, item.command["journey_id"], MOST_STOPPED)
        heard = {item.receipt.message_id for item in items if item.receipt is not None}
        batch.known_receipts = await gather.messages(session, batch, heard) if heard else set()
        people_wanted |= {(message.project_id, message.user_number) for message in batch.messages.values()}
        await gather.runs_of(session, batch, movers)
        await gather.users(session, batch, people_wanted | movers)
        await gather.past(session, batch, [*gather.asked_by_runs(batch), *asked])
        await self._load_moves(session, batch, items)

    async def _load_moves(self, session: ReadSession, batch: Batch, items: list[Item]) -> None:
        """What merges need beyond that: a link from another shard is looked up only now, being rare."""
        for item in items:
            project_id = item.row.project_id
            if item.row.kind == LINK:
                await self._load_link(session, batch, project_id, item.command)
            elif item.row.kind == commands.ADOPT and item.command["runs"]:
                begun = min(RunState(*values).entered_at for values in item.command["runs"])
                number = item.command["number"]
                item.command["later"] = await gather.since(session, batch, project_id, number, begun)
            elif item.found is not None:
                for merge in item.found.merges:
                    await self._load_merge(session, batch, merge.project_id, merge.number)

    async def _load_link(
        self, session: ReadSession, batch: Batch, project_id: int, command: dict[str, Any]
    ) -> None:
        identity = (project_id, command["kind"], command["value"])
        if identity not in batch.identities:
            batch.identities.update(await gather.identities(session, self.number, [identity]))
        known = batch.identities.get(identity)
        if known is not None and known.home == self.number and known.number is not None:
            user = (project_id, known.number)
            if user not in batch.runs_by_user:
                await gather.runs_of(session, batch, [user])
            await gather.users(session, batch, [user])
            await gather.past(session, batch, gather.asked_by_runs(batch))
            await self._load_merge(session, batch, *user)

    async def _load_merge(self, session: ReadSession, batch: Batch, project_id: int, number: int) -> None:
        await gather.identities_of(session, batch, [(project_id, number)])
        batch.moving[project_id, number] = await gather.moving(session, batch, project_id, number)

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
        for item in items:
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
        for merge in item.found.merges:
            self._merge(batch, merge, event.occurred_at)
        if item.hops & people.HISTORY_BIT:
            events.note(batch, user, project_id, event, item.digest)
        else:
            events.take_in(batch, user, project_id, event, item.digest)

    def _merge(self, batch: Batch, merge: people.Merge, at: int) -> None:
        resolver = Resolver(batch, {})
        resolver.follow(merge, at)
        moving = batch.moving.get((merge.project_id, merge.number), [])
        commands.send_away(batch, merge, moving, at)

    def _decide_command(self, batch: Batch, item: Item) -> None:
        kind, command = item.row.kind, item.command
        if kind == LINK:
            for merge in Resolver(batch, {}).linked(item.row.project_id, command):
                self._merge(batch, merge, command["at"])
        elif kind == commands.ADOPT:
            commands.adopt(batch, item.row.project_id, command, command.pop("later", []))
        elif kind == commands.PAUSE:
            commands.hold(batch, command)
        elif kind == commands.RESUME:
            commands.let_go(batch, command)
        elif kind == commands.STOP:
            commands.stop(batch, command)
        elif kind == commands.SUPPRESS:
            commands.suppress(batch, item.row.project_id, command)
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
                try:
                    runs.wake(batch, run, user)
                except Exception as error:
                    log.exception("a run could not go on", shard=self.number, run=run.id)
                    runs.end(batch, run, EndReason.INTERNAL_ERROR, batch.now, type(error).__name__)
        return wakes

    def _is_due(self, batch: Batch) -> bool:
        return any(_is_due(run, batch) for run in batch.runs.values())

    def _stays(self, batch: Batch, item: Item) -> bool:
        """A stop that found as many runs as it may end at once has more to end."""
        if item.row.kind != commands.STOP:
            return False
        ended = sum(run.journey_id == item.command["journey_id"] for run in batch.runs.values())
        return bool(ended >= MOST_STOPPED)

    # Writing

    async def _commit(self, session: WriteSession, batch: Batch) -> None:
        await leases.prove(session, "engine", self.number, self._token)
        if await catalogs.current_epoch(session, sharing=True) != batch.catalog.epoch:
            raise CatalogMoved
        await batch.write(session)
        reached = {"next_id": self._next_id, "clock_at": self._clock.now()}
        await session.run(update(_state).where(_state.c.shard == self.number).values(reached))

    def _remember(self, batch: Batch) -> None:
        self._next_number.update(batch.next_number)
        if len(self._known) > MOST_KNOWN:
            for identity in list(self._known)[: MOST_KNOWN // 2]:
                del self._known[identity]
        self._known.update(batch.identities)

    def _forget(self) -> None:
        """What we remember may not be what was written."""
        self._known.clear()
        self._next_number.clear()
        self._next_id = None

    async def merge_sets(self) -> bool:
        """Puts the parts of crowded user sets together. Returns whether there were any."""
        async with self._db.read() as session:
            keys = await sets.crowded(session, self.number)
        if keys:
            async with self._db.write() as session:
                await leases.prove(session, "engine", self.number, self._token)
                await sets.merge(session, self.number, keys)
        return bool(keys)


def _up_to_a_turn(rows: list[inbox.Row]) -> list[Item]:
    """The rows up to the first after which time itself goes differently for the runs of a journey."""
    items: list[Item] = []
    for row in rows:
        items.append(understand(row))
        if row.kind in (commands.PAUSE, commands.RESUME):
            break
    return items


def understand(row: inbox.Row) -> Item:
    """Reads a row's payload, which we wrote ourselves."""
    if row.kind in _EVENTS:
        if row.kind == inbox.FORWARDED:
            event, hops = decode(row.payload[1:]), row.payload[0]
        else:
            event, hops = decode(row.payload), people.HISTORY_BIT if row.kind == inbox.HISTORY else 0
        return Item(row, event, digest(event.message_id), hops)
    if row.kind == inbox.RECEIPT:
        return Item(row, receipt=wire.decode(row.payload))
    return Item(row, command=orjson.loads(row.payload))


def _identities_in(item: Item) -> list[IdentityKey]:
    event, project_id = item.event, item.row.project_id
    assert event is not None
    found: list[IdentityKey] = []
    if event.user_id:
        found.append((project_id, USER_ID, event.user_id))
    if event.anonymous_id:
        found.append((project_id, ANONYMOUS_ID, event.anonymous_id))
    if event.previous_id:
        found += [(project_id, USER_ID, event.previous_id), (project_id, ANONYMOUS_ID, event.previous_id)]
    return found


def _may_unite(batch: Batch, items: list[Item]) -> set[tuple[int, int]]:
    """Our users that an event mentions beside another identity: they may turn out to be somebody else."""
    found = set()
    for item in items:
        identities = _identities_in(item)
        if len(identities) > 1:
            known = [batch.identities.get(identity) for identity in identities]
            numbers = {one.number for one in known if one and one.number is not None}
            if len(numbers) > 1 or None in known:
                found |= {(item.row.project_id, number) for number in numbers}
    return found


def _asks_for_user(batch: Batch, run: RunState) -> bool:
    return batch.catalog.graph_of(run.journey_id, run.version).asks_for_user


def _asked_on_entry(batch: Batch, user: tuple[int, int], event: ArrivedEvent) -> list[gather.Asked]:
    asked = []
    for journey, _ in batch.catalog.entries.get((user[0], event.name), ()):
        names = batch.catalog.graph_of(journey.id, journey.version).asks_past_for
        if names:
            asked.append(gather.Asked(user, names, event.occurred_at))
    return asked


def _is_due(run: RunState, batch: Batch) -> bool:
    return run.wake_at is not None and run.wake_at <= batch.until and runs.may_move(batch, run)
