"""The inbox rows of a turn, understood, and everything that deciding them needs, read in a few statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from server.clock import Instant
from server.delivery import receipts as wire
from server.delivery.receipts import HeardReceipt
from server.ingest.messages import ArrivedEvent, decode
from server.journey.graph import Graph
from server.journey.waking import ResumePolicy
from server.store import inbox, launches, user_lists
from server.store.commands import ERASE, MOVE, REMAP, REMOVE
from server.store.consents import DECIDE
from server.store.ids import digest
from server.store.invitations import INVITE
from server.store.sessions import ReadSession
from server.store.vouchers import REMEMBER

from . import addresses, commands, credits, gather, invitations, news, people, reach, remapping, segments
from .batch import Batch, IdentityKey, Known, UserKey
from .invitations import Guest
from .people import ANONYMOUS_ID, LINK, USER_ID, Resolver
from .state import RunState

MOST_STOPPED = 2000
"""Runs of a journey that one turn ends when it is stopped."""
MOST_KNOWN = 100_000
"""Identities remembered between turns; while we hold the lease, nobody else changes them."""

_EVENTS = (inbox.EVENT, inbox.FORWARDED, inbox.HISTORY)


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
    planned: Sequence[Any] = ()
    """What the entries of a journey that is resumed have planned."""
    guests: list[Guest] = field(default_factory=list)
    """Those of an invitation who are to be let in here."""
    is_full: bool = False
    """Whether a command found as many runs as one turn may change: then it stays, to find the others."""

    @property
    def own_payload(self) -> bytes:
        """The event as it came, whoever has forwarded it."""
        return self.row.payload[1:] if self.row.kind == inbox.FORWARDED else self.row.payload

    @property
    def happened_at(self) -> Instant | None:
        """When a live event happened; none for anything else: history does not move the clock."""
        if self.event is None or self.hops & people.HISTORY_BIT:
            return None
        return self.event.occurred_at


class Entrant(NamedTuple):
    """Somebody who may come into a journey in this batch, and when."""

    graph: Graph
    user: UserKey
    at: Instant


@dataclass(slots=True)
class Intake:
    """Reads for one shard, and remembers from turn to turn what only this shard's worker changes."""

    shard: int
    _known: dict[IdentityKey, Known] = field(default_factory=dict)
    _next_number: dict[int, int] = field(default_factory=dict)

    async def load(self, session: ReadSession, batch: Batch, items: list[Item], due: list[RunState]) -> None:
        """Finds the users of the items' events, and reads what the items and the due runs ask for."""
        fresh = await self._leave_out_repeated(session, batch, items)
        inviting = [item for item in items if item.row.kind == INVITE]
        await self._find_identities(session, batch, fresh, inviting)
        await self._resolve(session, batch, fresh, inviting)
        await self._load(session, batch, items, due)

    def remember(self, batch: Batch) -> None:
        """The batch is written: what it found out holds."""
        self._next_number.update(batch.next_number)
        if len(self._known) > MOST_KNOWN:
            for identity in list(self._known)[: MOST_KNOWN // 2]:
                del self._known[identity]
        self._known.update(batch.identities)
        for identity in batch.forgotten:
            self._known.pop(identity, None)

    def forget(self) -> None:
        """What we remember may not be what was written."""
        self._known.clear()
        self._next_number.clear()

    async def _leave_out_repeated(self, session: ReadSession, batch: Batch, items: list[Item]) -> list[Item]:
        """The events that have not arrived before, and all that another shard has forwarded."""
        digests: dict[int, set[str]] = {}
        for item in items:
            if item.event is not None and item.row.kind != inbox.FORWARDED:
                digests.setdefault(item.row.project_id, set()).add(item.digest)
        known = await gather.arrived(session, self.shard, digests)
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
                batch.arrivals.append((self.shard, *key))
            fresh.append(item)
        return fresh

    async def _find_identities(
        self, session: ReadSession, batch: Batch, items: list[Item], inviting: list[Item]
    ) -> None:
        wanted: set[IdentityKey] = set()
        for item in items:
            wanted.update(_identities_in(item))
        for item in inviting:
            wanted.update(invitations.identities_in(item.row.project_id, item.command))
        missing = []
        for identity in wanted:
            known = self._known.get(identity)
            if known is None:
                missing.append(identity)
            else:
                batch.identities[identity] = known
        batch.identities.update(await gather.identities(session, self.shard, missing))

    async def _resolve(
        self, session: ReadSession, batch: Batch, items: list[Item], inviting: list[Item]
    ) -> None:
        numbers = dict(self._next_number)
        for project_id in {item.row.project_id for item in [*items, *inviting]}:
            if project_id not in numbers:
                numbers[project_id] = await gather.next_number(session, self.shard, project_id)
        await gather.users(session, batch, _may_unite(batch, items))
        resolver = Resolver(batch, numbers)
        for item in items:
            assert item.event is not None
            item.found = resolver.resolve(item.row.project_id, item.event, item.own_payload, item.hops)
        for item in inviting:
            item.guests = invitations.resolve(resolver, item.row.project_id, item.command)
        batch.next_number = resolver.next_number

    async def _load(self, session: ReadSession, batch: Batch, items: list[Item], due: list[RunState]) -> None:
        """Users, runs, messages and the past that the items and the due runs ask for."""
        people_wanted = {(run.project_id, run.user_number) for run in due if _asks_for_user(batch, run)}
        movers: set[tuple[int, int]] = set()
        entrants: list[Entrant] = []
        for item in items:
            if item.event is not None and item.found is not None:
                user = (item.row.project_id, item.found.number)
                event = item.event
                if batch.catalog.concerns_runs(user[0], event.type, event.name):
                    movers.add(user)
                    entrants += _entrants(batch, user, event)
                if addresses.tells(event):
                    people_wanted.add(user)
                movers.update((merge.project_id, merge.number) for merge in item.found.merges)
            elif item.guests:
                guests = _known_guests(item)
                movers |= guests
                entrants += _guests_who_enter(batch, item, guests)
            elif item.row.kind == commands.ADOPT:
                movers.add((item.row.project_id, item.command["number"]))
            elif item.row.kind in (DECIDE, REMEMBER, news.NEWS):
                people_wanted.add((item.row.project_id, item.command["number"]))
            elif item.row.kind == user_lists.LIST_ADD:
                people_wanted |= {(item.row.project_id, number) for number in item.command["numbers"]}
            elif item.row.kind in (REMOVE, ERASE):
                movers.update((item.row.project_id, number) for number in item.command["numbers"])
            else:
                movers |= await self._load_page(session, batch, item)
        heard = {item.receipt.message_id for item in items if item.receipt is not None}
        remapped = remapping.messages_in(item.command for item in items if item.row.kind == REMAP)
        heard |= remapped
        await remapping.load(session, batch, remapped)
        batch.known_receipts = await gather.messages(session, batch, heard) if heard else set()
        people_wanted |= await self._load_followers(session, batch, items)
        led = _led_elsewhere(batch)
        movers |= led
        people_wanted |= {(message.project_id, message.user_number) for message in batch.messages.values()}
        await gather.runs_that_matter(session, batch, movers - led, _earliest(items))
        await gather.runs_of(session, batch, led)
        await gather.users(session, batch, people_wanted | movers)
        await self._load_past(session, batch, [*entrants, *_moved(batch, items)])
        await credits.load(session, batch, _to_credit(batch, items), _heard_of(batch, items))
        await reach.load(session, batch, _asking_for_reach(batch, items))
        await self._load_moves(session, batch, items)

    async def _load_past(self, session: ReadSession, batch: Batch, entrants: Iterable[Entrant]) -> None:
        """What the steps of open runs, and of those that may begin, look for in their users' past."""
        asked, of_segments = gather.asked_by_runs(batch), segments.asked_by_runs(batch)
        for graph, user, at in entrants:
            asked += gather.asked_by(batch, graph, user, at)
            of_segments += segments.asked_by(batch, graph, user, at)
        await gather.past(session, batch, asked)
        await segments.load(session, batch, of_segments)

    async def _load_page(self, session: ReadSession, batch: Batch, item: Item) -> set[tuple[int, int]]:
        """As many runs of a journey as one turn may change by a command. Returns whose runs go on by it."""
        if item.row.kind == commands.RESUME:
            item.planned = await launches.of_journeys(session, batch.shard, [item.command["journey_id"]])
        found: list[RunState] = []
        if item.row.kind == commands.STOP:
            found = await gather.open_runs(session, batch, item.command["journey_id"], MOST_STOPPED)
        elif item.row.kind == commands.RESUME and item.command.get("policy") == ResumePolicy.SKIP:
            found = await gather.overdue_runs(session, batch, item.command, MOST_STOPPED)
        elif item.row.kind == MOVE:
            found = await gather.unsettled_runs(session, batch, item.command, MOST_STOPPED)
        item.is_full = len(found) >= MOST_STOPPED
        return {(run.project_id, run.user_number) for run in found} if item.row.kind == MOVE else set()

    async def _load_followers(
        self, session: ReadSession, batch: Batch, items: list[Item]
    ) -> set[tuple[int, int]]:
        """The runs that may wait to know what becomes of their messages. Returns whose they are."""
        followed = {message.run_id for message in batch.messages.values() if news.is_followed(batch, message)}
        followed |= {item.command["run_id"] for item in items if item.row.kind == news.NEWS}
        await gather.runs_by_ids(session, batch, followed)
        return {(run.project_id, run.user_number) for run in batch.runs.values() if run.id in followed}

    async def _load_moves(self, session: ReadSession, batch: Batch, items: list[Item]) -> None:
        """What merges need beyond that: a link from another shard is looked up only now, being rare."""
        for item in items:
            project_id = item.row.project_id
            if item.row.kind == LINK:
                await self._load_link(session, batch, project_id, item.command)
            elif item.row.kind == commands.ADOPT:
                await self._load_adoption(session, batch, project_id, item)
            elif item.found is not None:
                for merge in item.found.merges:
                    await self._load_merge(session, batch, merge.project_id, merge.number)

    async def _load_adoption(self, session: ReadSession, batch: Batch, project_id: int, item: Item) -> None:
        command = item.command
        led = {(project_id, kind, value) for kind, value in command.get("identities", ())}
        missing = led - batch.identities.keys()
        batch.identities.update(await gather.identities(session, self.shard, missing))
        await reach.load(session, batch, {(project_id, command["number"])})
        if command["runs"]:
            begun = min(RunState(*values).entered_at for values in command["runs"])
            command["later"] = await gather.since(session, batch, project_id, command["number"], begun)

    async def _load_link(
        self, session: ReadSession, batch: Batch, project_id: int, command: dict[str, Any]
    ) -> None:
        identity = (project_id, command["kind"], command["value"])
        if identity not in batch.identities:
            batch.identities.update(await gather.identities(session, self.shard, [identity]))
        known = batch.identities.get(identity)
        if known is not None and known.home == self.shard and known.number is not None:
            user = (project_id, known.number)
            if user not in batch.runs_by_user:
                await gather.runs_of(session, batch, [user])
            await gather.users(session, batch, [user])
            await self._load_past(session, batch, ())
            await self._load_merge(session, batch, *user)

    async def _load_merge(self, session: ReadSession, batch: Batch, project_id: int, number: int) -> None:
        await gather.identities_of(session, batch, [(project_id, number)])
        await gather.consents_of(session, batch, project_id, number)
        lists_of = await user_lists.of_user(session, project_id, batch.shard, number)
        batch.moving_lists[project_id, number] = lists_of
        await credits.load(session, batch, [run.id for run in batch.runs_by_user[project_id, number]])
        batch.moving[project_id, number] = await gather.moving(session, batch, project_id, number)


def up_to_a_turn(rows: list[inbox.Row]) -> list[Item]:
    """The rows up to the first after which time, the graph, or who somebody is, is another."""
    items: list[Item] = []
    for row in rows:
        items.append(understand(row))
        if row.kind in (commands.PAUSE, commands.RESUME, MOVE, ERASE):
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


def _led_elsewhere(batch: Batch) -> set[tuple[int, int]]:
    """Whose runs may lead to another journey, which asks for all other runs of theirs."""
    return {
        (run.project_id, run.user_number)
        for run in batch.runs.values()
        if run.is_open and batch.catalog.graph_of(run.journey_id, run.version).leads_to
    }


def _earliest(items: list[Item]) -> Instant:
    """When the first of what these items tell of happened."""
    told = [item.event.occurred_at if item.event else item.command.get("at") for item in items]
    return min((at for at in told if at is not None), default=0)


def _known_guests(item: Item) -> set[tuple[int, int]]:
    return {(item.row.project_id, guest.number) for guest in item.guests if guest.number is not None}


def _guests_who_enter(batch: Batch, item: Item, guests: set[tuple[int, int]]) -> list[Entrant]:
    graph = batch.catalog.graph_of_journey(item.command["journey_id"])
    return [] if graph is None else [Entrant(graph, guest, item.command["at"]) for guest in guests]


def _entrants(batch: Batch, user: tuple[int, int], event: ArrivedEvent) -> list[Entrant]:
    return [
        Entrant(batch.catalog.graph_of(journey.id, journey.version), user, event.occurred_at)
        for journey, _ in batch.catalog.entries.get((user[0], event.name), ())
    ]


def _heard_of(batch: Batch, items: list[Item]) -> set[int]:
    """The runs whose conversions may be credited otherwise, by what was heard of a message."""
    found = {message.run_id for message in batch.messages.values() if news.has_goals(batch, message)}
    return found | {item.command["run_id"] for item in items if item.row.kind == news.NEWS}


def _to_credit(batch: Batch, items: list[Item]) -> set[int]:
    """The runs that may have conversions after this batch which they had not before."""
    found: set[int] = set()
    for item in items:
        if item.row.kind == commands.ADOPT:
            found |= {RunState(*values).id for values in item.command["runs"]}
        elif item.event is not None and item.found is not None:
            runs = batch.runs_by_user[item.row.project_id, item.found.number]
            found |= {run.id for run in runs if _may_reach(batch, run, item.event)}
    return found


def _may_reach(batch: Batch, run: RunState, event: ArrivedEvent) -> bool:
    graph = batch.catalog.graph_of(run.journey_id, run.version)
    counts = run.is_open or (run.counts_goals_until or 0) >= event.occurred_at
    return counts and event.name in graph.goal_events


def _asking_for_reach(batch: Batch, items: list[Item]) -> set[tuple[int, int]]:
    """Whose runs, or entries by these events, may ask on which channels they can be written to."""
    asking = {one for one in batch.catalog.journeys if batch.catalog.asks_for_reach(one)}
    if not asking:
        return set()
    found = {(run.project_id, run.user_number) for run in batch.runs.values() if run.journey_id in asking}
    for item in items:
        if item.event is not None and item.found is not None:
            entries = batch.catalog.entries.get((item.row.project_id, item.event.name), ())
            if any(journey.id in asking for journey, _ in entries):
                found.add((item.row.project_id, item.found.number))
        elif item.guests and item.command["journey_id"] in asking:
            found |= _known_guests(item)
    return found


def _moved(batch: Batch, items: list[Item]) -> list[Entrant]:
    """The runs that a command may move to another version, with the graph of that."""
    return [
        Entrant(
            batch.catalog.graph_of(run.journey_id, item.command["version"]),
            (run.project_id, run.user_number),
            run.entered_at,
        )
        for item in items
        if item.row.kind == MOVE
        for run in batch.runs.values()
        if run.journey_id == item.command["journey_id"] and run.is_open
    ]
