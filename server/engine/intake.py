"""Everything that deciding a turn needs, read in a few statements."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from server.aggregates.deed_values import Values
from server.journey.waking import ResumePolicy
from server.store import inbox, launches, user_lists
from server.store.commands import ERASE, MOVE, REMAP, REMOVE
from server.store.consents import DECIDE
from server.store.invitations import INVITE
from server.store.sessions import ReadSession
from server.store.vouchers import REMEMBER

from . import (
    addresses,
    asking,
    commands,
    commerce,
    credits,
    deeds,
    gather,
    happened,
    invitations,
    lists,
    news,
    reach,
    remapping,
    segments,
    standing_in,
)
from .asking import Entrant
from .batch import Batch, IdentityKey, Known
from .device_gather import Devices
from .items import Item, identities_in
from .people import LINK, UNLINKED, Resolver
from .state import RunState

MOST_STOPPED = 2000
"""Runs of a journey that one turn ends when it is stopped."""
MOST_KNOWN = 100_000
"""Identities remembered between turns; while we hold the lease, nobody else changes them."""

MOST_DEVICES, LEAST_DEVICES = 50_000, 2_000
"""Devices with their latest sessions, likewise: of all shards, and of each at least. Each is a kilobyte."""


@dataclass(slots=True)
class Intake:
    """Reads for one shard, and remembers from turn to turn what only this shard's worker changes."""

    shard: int
    _known: dict[IdentityKey, Known] = field(default_factory=dict)
    _next_number: dict[int, int] = field(default_factory=dict)
    _devices: Devices = field(default_factory=Devices)
    deed_values: Values = field(default_factory=Values)
    """Which values have sets of their own."""

    async def load(self, session: ReadSession, batch: Batch, items: list[Item], due: list[RunState]) -> None:
        """Finds the users of the items' events, and reads what the items and the due runs ask for."""
        fresh = await self._leave_out_repeated(session, batch, items)
        inviting = [item for item in items if item.row.kind == INVITE]
        naming = [item for item in items if item.row.kind == user_lists.LIST_NAME]
        await self._find_identities(session, batch, fresh, [*inviting, *naming])
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
        self._devices.remember(batch, max(LEAST_DEVICES, MOST_DEVICES // batch.shards))

    def forget(self) -> None:
        """What we remember may not be what was written."""
        self._known.clear()
        self._next_number.clear()
        self._devices.forget()
        self.deed_values.forget()

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
            wanted.update(identities_in(item))
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
        await gather.users(session, batch, asking.may_unite(batch, items))
        resolver = Resolver(batch, numbers)
        for item in items:
            assert item.event is not None
            item.found = resolver.resolve(item.row.project_id, item.event, item.own_payload, item.hops)
        for item in inviting:
            item.guests = invitations.resolve(resolver, item.row.project_id, item.command)
        batch.next_number = resolver.next_number

    async def _load(self, session: ReadSession, batch: Batch, items: list[Item], due: list[RunState]) -> None:
        """Users, runs, messages and the past that the items and the due runs ask for."""
        people_wanted = {(run.project_id, run.user_number) for run in due if asking.asks_for_user(batch, run)}
        movers: set[tuple[int, int]] = set()
        entrants: list[Entrant] = []
        for item in items:
            if item.event is not None and item.found is not None:
                user = (item.row.project_id, item.found.number)
                event = item.event
                if batch.catalog.concerns_runs(user[0], event.type, event.name):
                    movers.add(user)
                    entrants += asking.entrants(batch, user, event)
                if addresses.tells(event):
                    people_wanted.add(user)
                movers.update((merge.project_id, merge.number) for merge in item.found.merges)
            elif item.guests:
                guests = asking.known_guests(item)
                movers |= guests
                entrants += asking.guests_who_enter(batch, item, guests)
            elif item.row.kind == commands.ADOPT:
                movers.add((item.row.project_id, item.command["number"]))
            elif item.row.kind in (DECIDE, REMEMBER, news.NEWS):
                people_wanted.add((item.row.project_id, item.command["number"]))
            elif item.row.kind == user_lists.LIST_ADD:
                people_wanted |= {(item.row.project_id, number) for number in item.command["numbers"]}
            elif item.row.kind == user_lists.LIST_NAME:
                people_wanted |= lists.numbers_named(batch, item.row.project_id, item.command)
            elif item.row.kind in (REMOVE, ERASE):
                movers.update((item.row.project_id, number) for number in item.command["numbers"])
            else:
                movers |= await self._load_page(session, batch, item)
        heard = {item.receipt.message_id for item in items if item.receipt is not None}
        remapped = remapping.messages_in(item.command for item in items if item.row.kind == REMAP)
        heard |= remapped
        await remapping.load(session, batch, remapped)
        batch.known_receipts = await gather.messages(session, batch, heard) if heard else set()
        await standing_in.load(session, batch)
        people_wanted |= await self._load_followers(session, batch, items)
        led = asking.led_elsewhere(batch)
        movers |= led
        people_wanted |= {(message.project_id, message.user_number) for message in batch.messages.values()}
        await gather.runs_that_matter(session, batch, movers - led, asking.earliest(items))
        await gather.runs_of(session, batch, led)
        await gather.users(session, batch, people_wanted | movers)
        await self._load_past(session, batch, [*entrants, *asking.moved(batch, items)])
        await credits.load(session, batch, asking.to_credit(batch, items), asking.heard_of(batch, items))
        await reach.load(session, batch, asking.asking_for_reach(batch, items))
        await commerce.load(session, batch, items)
        await self._devices.load(session, batch, items)
        await self._load_moves(session, batch, items)

    async def _load_past(self, session: ReadSession, batch: Batch, entrants: Iterable[Entrant]) -> None:
        """What the steps of open runs, and of those that may begin, look for in their users' past."""
        asked, of_segments = happened.asked_by_runs(batch), segments.asked_by_runs(batch)
        for graph, user, at in entrants:
            asked += happened.asked_by(batch, graph, user, at)
            of_segments += segments.asked_by(batch, graph, user, at)
        await happened.past(session, batch, asked)
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
            elif item.row.kind == UNLINKED:
                about = (project_id, item.command["number"]), [item.command["key"]]
                await deeds.load_devices(session, batch, self._devices, *about)
            elif item.found is not None:
                for merge in item.found.merges:
                    await self._load_merge(session, batch, merge.project_id, merge.number)

    async def _load_adoption(self, session: ReadSession, batch: Batch, project_id: int, item: Item) -> None:
        command = item.command
        led = {(project_id, kind, value) for kind, value in command.get("identities", ())}
        missing = led - batch.identities.keys()
        batch.identities.update(await gather.identities(session, self.shard, missing))
        await reach.load(session, batch, {(project_id, command["number"])})
        await commerce.load_adoption(session, batch, project_id, command)
        await deeds.load_adoption(session, batch, self._devices, project_id, command)
        if command["runs"]:
            begun = min(RunState(*values).entered_at for values in command["runs"])
            command["later"] = await happened.since(session, batch, project_id, command["number"], begun)

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
        await commerce.load_merge(session, batch, project_id, number)
        await deeds.load_merge(session, batch, (project_id, number))
        lists_of = await user_lists.of_user(session, project_id, batch.shard, number)
        batch.moving_lists[project_id, number] = lists_of
        await credits.load(session, batch, [run.id for run in batch.runs_by_user[project_id, number]])
        batch.moving[project_id, number] = await happened.moving(session, batch, project_id, number)
