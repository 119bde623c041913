"""One batch in hand: what it has read, what it has decided, and the one transaction that writes it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from channels.contract import ReceiptKind
from server.aggregates import attribute_sets
from server.aggregates.attribute_sets import Keeper
from server.aggregates.deed_tally import DeedKey, DeedTally
from server.aggregates.deed_values import Values
from server.aggregates.fill import Tally
from server.clock import Instant
from server.delivery.status import STILL_OURS, DeliveryStatus
from server.journey.credit import Letter
from server.journey.moment import Past
from server.segments import people
from server.store import (
    consents,
    inbox,
    kept,
    launches,
    messages,
    movements,
    pruning,
    sightings,
    user_lists,
    users,
)
from server.store.bulk import deleting, inserting, replacing, table_of, updating
from server.store.consents import Decision
from server.store.receipts import key_of
from server.store.sessions import ReadSession, WriteSession
from server.store.suppressing import Sighting
from server.store.tables import (
    AdoptedDeeds,
    Arrival,
    Conversion,
    Endpoint,
    EntryAnswer,
    Event,
    ForeignLetter,
    Identity,
    Message,
    Receipt,
    Refusal,
    Run,
    User,
    Visit,
)

from . import devices
from .catalog import Catalog
from .devices import DeviceKey, DeviceState
from .ledger import Ledger
from .noted import Noted
from .state import Former, MessageState, RunState, UserState, to_json

_ARRIVALS = inserting(Arrival, once=True)
_IDENTITIES = replacing(Identity, "home", "number")
_USERS = replacing(User, "attributes", "user_id", "merged_into")
# Whether an address may be written to is never written here but for a new one: an opt-out that was put on
# disk while we decided must not be undone by what we had read before.
_ENDPOINTS = replacing(Endpoint, "is_current", "changed_at")
_REACHED = users.REACHED
_EVENTS = inserting(Event, once=True)
_NEW_RUNS = inserting(Run)
_RUN_COLUMNS = (
    "version",
    "settled",
    "step_key",
    "arrived_at",
    "wake_at",
    "ended_at",
    "end_reason",
    "counts_goals_until",
    "goals",
    "memory",
    "variants",
)
_CHANGED_RUNS = updating(Run, ("shard", "id"), *_RUN_COLUMNS)
_GONE_RUNS = deleting(Run, "shard", "id")
_GONE_EVENTS = deleting(Event, "shard", "project_id", "user_number", "occurred_at", "digest")
_ADOPTED_DEEDS = inserting(AdoptedDeeds)
_GONE_ADOPTED = deleting(AdoptedDeeds, "shard", "project_id", "user_number")
_VISITS = inserting(Visit)
_MESSAGES = inserting(Message, *(one.name for one in table_of(Message).c if one.name != "priced_by"))
_CHANGED_MESSAGES = messages.CHANGED
_RECEIPTS = inserting(Receipt, once=True)
_CORRECTED = updating(Receipt, ("shard", "message_id", "key"), "reason")
_FOREIGN_LETTERS = replacing(ForeignLetter, "sent_at", "opened_at")
_CONVERSIONS = inserting(Conversion, once=True)
_REFUSALS = inserting(Refusal, once=True)
_ANSWERS = inserting(EntryAnswer, once=True)

Row = tuple[Any, ...]


class Told(NamedTuple):
    """What a receipt says, as far as the reason of its message depends on it."""

    kind: ReceiptKind
    occurred_at: Instant
    reason: str


class Onward(NamedTuple):
    """A run has ended by leading its user to another journey."""

    run: RunState
    user: UserState
    journey_id: int
    at: Instant


UserKey = tuple[int, int]
"""Project and number of a user of this shard."""
IdentityKey = tuple[int, str, str]
"""Project, kind and value."""


@dataclass(slots=True)
class Known:
    """Where an identity leads: a home shard, and there a user's number."""

    home: int
    number: int | None


@dataclass(slots=True)
class Permissions:
    """What is known of the permission to write to the users of a batch."""

    granted: dict[tuple[UserKey, str, str], bool] = field(default_factory=dict)
    """By user, channel and purpose."""
    suppressed_until: dict[tuple[int, str, str, str], Instant] = field(default_factory=dict)
    """By project, channel, address and purpose."""


@dataclass(slots=True)
class Batch:
    shard: int
    shards: int
    catalog: Catalog
    now: Instant
    until: Instant
    """How far timers go in this batch."""
    follows_events: bool
    tally: Tally
    deeds: DeedTally
    take_id: Callable[[], int]
    is_strict: bool = False
    """Raises where otherwise a run that cannot go on is set aside: for tests."""

    identities: dict[IdentityKey, Known] = field(default_factory=dict)
    users: dict[UserKey, UserState] = field(default_factory=dict)
    runs: dict[int, RunState] = field(default_factory=dict)
    runs_by_user: defaultdict[UserKey, list[RunState]] = field(default_factory=lambda: defaultdict(list))
    former: defaultdict[UserKey, dict[int, Former]] = field(default_factory=lambda: defaultdict(dict))
    """Runs of which nothing else is kept, by their ids."""
    messages: dict[int, MessageState] = field(default_factory=dict)
    past: defaultdict[UserKey, dict[str, dict[str, Past]]] = field(default_factory=lambda: defaultdict(dict))
    """Events of users, of the names that some step looks for: by name and digest."""

    facts: defaultdict[UserKey, people.PastOf] = field(default_factory=lambda: defaultdict(dict))
    """What else segments ask of users' past, as it was before this batch: by kind and key."""

    noted: Noted = field(default_factory=Noted)
    """What follows, by user, for questions of segments."""

    lists: defaultdict[UserKey, set[str]] = field(default_factory=lambda: defaultdict(set))
    """The lists that users are on, of those that some segment asks for."""

    hits: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Conversions of runs whose messages may be credited, by run: `credits.Hit`."""
    firsts: dict[int, list[Any]] = field(default_factory=dict)
    """First hits of runs that are in this shard and of which only a message was heard: `credits.Hit`."""
    letters: defaultdict[int, dict[int, Letter]] = field(default_factory=lambda: defaultdict(dict))
    """What is known of the messages of those runs, by run and message."""
    lettered: set[int] = field(default_factory=set)
    """The runs of which that was read."""
    permissions: Permissions = field(default_factory=Permissions)
    known_receipts: set[tuple[int, str]] = field(default_factory=set)
    moving: dict[UserKey, list[Any]] = field(default_factory=dict)
    """Events of users that turned out to be others."""
    moving_lists: dict[UserKey, list[tuple[int, int, str]]] = field(default_factory=dict)
    """The lists that they are on."""
    moving_commerce: dict[UserKey, Any] = field(default_factory=dict)
    """Their lives, and their coupons by code."""
    ledger: Ledger = field(default_factory=Ledger)
    """Orders, lives and coupons."""
    next_number: dict[int, int] = field(default_factory=dict)
    devices: dict[DeviceKey, DeviceState] = field(default_factory=dict)
    next_device: dict[int, int] = field(default_factory=dict)
    """By project: the number that its next new device in this shard gets."""
    moving_deeds: dict[UserKey, Any] = field(default_factory=dict)
    """What users did that turned out to be others: `deeds.Leaving`."""
    deed_values: Values = field(default_factory=Values)
    """Which values have sets of their own."""
    written_deeds: list[DeedKey] = field(default_factory=list)
    """The sets to which this batch has appended."""

    listed: Keeper = field(default_factory=Keeper)
    """The values of attributes that have sets, as the shard remembers them."""
    ahead: list[attribute_sets.Ahead] = field(default_factory=list)
    """Whose events have not happened yet, by our clock, and on which day they will have."""
    done: list[int] = field(default_factory=list)
    arrivals: list[Row] = field(default_factory=list)
    new_identities: list[Row] = field(default_factory=list)
    endpoints: list[Row] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    """What receipts say of the addresses that messages went to."""
    reached: dict[tuple[int, int, str, str], Instant] = field(default_factory=dict)
    """By project, user, channel and address: the latest that something arrived there."""
    adopted: set[tuple[int, str, str]] = field(default_factory=set)
    """Addresses that come from users who turned out to be ours: project, channel, address."""
    consents: dict[UserKey, list[Decision]] = field(default_factory=dict)
    """What users who may be merged have decided."""
    decisions: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    visits: list[Row] = field(default_factory=list)
    new_messages: list[Row] = field(default_factory=list)
    receipts: list[Row] = field(default_factory=list)
    told: dict[int, dict[str, Told]] = field(default_factory=dict)
    """By message and key: what was heard of the messages whose receipts are read again."""
    corrections: list[Row] = field(default_factory=list)
    """Receipts that mean something else by today's tables."""
    conversions: list[Row] = field(default_factory=list)
    refusals: list[Row] = field(default_factory=list)
    on_lists: list[Row] = field(default_factory=list)
    """Who has been put on an uploaded list."""
    launches: list[Row] = field(default_factory=list)
    """Launches that are planned from now on."""
    answers: list[Row] = field(default_factory=list)
    """What became of people for whom the API asked."""
    foreign_letters: dict[tuple[int, int], Row] = field(default_factory=dict)
    gone_runs: list[Row] = field(default_factory=list)
    gone_events: list[Row] = field(default_factory=list)
    gone_sessions: list[tuple[int, ...]] = field(default_factory=list)
    """Project, device and beginning of those that went where their user went."""
    adopted_deeds: list[Row] = field(default_factory=list)
    gone_adopted: list[Row] = field(default_factory=list)
    onward: list[Onward] = field(default_factory=list)
    outgoing: list[inbox.Entry] = field(default_factory=list)
    """What this shard has to tell another, or itself in the next batch."""
    bad_news: set[tuple[int, int]] = field(default_factory=set)
    """Projects and journeys of which a message bounced or was reported as spam."""
    forgotten: set[IdentityKey] = field(default_factory=set)
    """Identities that lead to nobody any more."""
    afterwards: list[Callable[[WriteSession], Awaitable[None]]] = field(default_factory=list)
    """What is done when everything else is written."""
    statements: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    """Changes of many rows at once: holding and releasing the runs of a journey."""

    def user(self, key: UserKey) -> UserState:
        """The user, or one of whom only the number matters: nothing else of it is read or changed here."""
        return self.users.get(key) or UserState(key[1], {}, None, 0)

    def is_ours(self, id: int) -> bool:
        """Whether a message or a run of this id was born in this shard."""
        return key_of(id)[0] == self.shard

    def note_past(self, key: UserKey, name: str, digest: str, past: Past) -> None:
        self.past[key].setdefault(name, {})[digest] = past

    def past_of(self, key: UserKey, name: str) -> list[Past]:
        return list(self.past[key].get(name, {}).values())

    def add_run(self, run: RunState) -> None:
        self.runs[run.id] = run
        self.runs_by_user[run.project_id, run.user_number].append(run)

    async def write(self, session: WriteSession) -> None:
        """Writes everything, the inbox rows that are done included. The caller commits."""
        # First, because it alone writes rows of other shards: nobody whom it waits for then waits for us.
        await sightings.hear(session, self.sightings)
        await session.bulk(_ARRIVALS, self.arrivals)
        await session.bulk(_IDENTITIES, self.new_identities)
        await session.bulk(_USERS, self._user_rows())
        await attribute_sets.write(
            session, self.shard, self.take_id(), self.listed, self._told_of_users(), self.ahead
        )
        await session.bulk(_ENDPOINTS, self.endpoints)
        await session.bulk(_REACHED, [(self.shard, *key, at) for key, at in self.reached.items()])
        await self._revive_refusals(session)
        await sightings.show(session, self.adopted)
        await session.bulk(consents.KEEP, self.decisions)
        await self.ledger.write(session, self.shard)
        await devices.write(session, self.shard, self.devices, self.gone_sessions)
        await session.bulk(_GONE_ADOPTED, self.gone_adopted)
        await session.bulk(_ADOPTED_DEEDS, self.adopted_deeds)
        await session.bulk(_GONE_EVENTS, self.gone_events)
        await session.bulk(_EVENTS, self.events)
        await session.bulk(_GONE_RUNS, self.gone_runs)
        await session.bulk(_NEW_RUNS, [run.row() for run in self.runs.values() if run.is_new])
        await session.bulk(_CHANGED_RUNS, self._changed_runs())
        await session.bulk(_VISITS, self.visits)
        await session.bulk(_MESSAGES, self.new_messages)
        await session.bulk(_CHANGED_MESSAGES, self._changed_messages())
        await session.bulk(_RECEIPTS, self.receipts)
        await session.bulk(_CORRECTED, self.corrections)
        await session.bulk(_CONVERSIONS, self.conversions)
        await session.bulk(_FOREIGN_LETTERS, list(self.foreign_letters.values()))
        await session.bulk(_REFUSALS, self.refusals)
        await session.bulk(_ANSWERS, self.answers)
        for statement, values in self.statements:
            await session.run(statement, values)
        # After the statements: a list that is replaced is cleared first.
        await session.bulk(user_lists.ADD, self.on_lists)
        await session.bulk(launches.ADD, self.launches)
        for work in self.afterwards:
            await work(session)
        part = self.take_id()
        await self.tally.write(session, part)
        self.written_deeds = await self.deeds.write(session, part, self.deed_values, self.now)
        await movements.note(session, self.shard, self.tally.journeys)
        await inbox.remove(session, self.shard, self.done)
        await inbox.append(session, self.outgoing)

    async def _revive_refusals(self, session: WriteSession) -> None:
        """What erased people had refused holds again where somebody has their address, or their id."""
        erasing = self.catalog.erasing
        back = [(row[1], row[2], row[3], row[4]) for row in self.endpoints if row[1] in erasing]
        for (project_id, number), user in self.users.items():
            if project_id in erasing and user.is_changed | user.is_new and user.user_id is not None:
                back += [(project_id, number, channel, user.user_id) for channel in kept.BY_USER_ID]
        if back:
            self.adopted |= await kept.revive(session, self.shard, back)

    def _told_of_users(self) -> Iterator[attribute_sets.Change]:
        for key, user in self.users.items():
            if user.is_new or user.is_changed:
                yield key, user.known_before, user.known_now

    def _user_rows(self) -> list[Row]:
        return [
            (
                self.shard,
                project_id,
                user.number,
                to_json(user.attributes),
                user.created_at,
                user.user_id,
                user.merged_into,
                None,  # An operator's to set: a row that exists keeps what it has.
            )
            for (project_id, _), user in self.users.items()
            if user.is_new or user.is_changed
        ]

    async def finds_all(self, session: ReadSession) -> bool:
        """Whether all that it changes is still there: old facts are deleted while we work."""
        runs = [run.id for run in self.runs.values() if run.is_changed and not run.is_new]
        gone = [run_id for _, run_id in self.gone_runs]
        messages = [message.id for message in self.messages.values() if message.is_changed]
        return await pruning.are_there(session, self.shard, [*runs, *gone], messages)

    def _changed_runs(self) -> list[Row]:
        return [
            (
                run.shard,
                run.id,
                run.version,
                run.settled,
                run.step_key,
                run.arrived_at,
                run.wake_at,
                run.ended_at,
                run.end_reason,
                run.counts_goals_until,
                run.goals,
                run.memory,
                run.variants,
            )
            for run in self.runs.values()
            if run.is_changed and not run.is_new
        ]

    def _changed_messages(self) -> list[Row]:
        return [
            (
                self.shard,
                message.id,
                message.attempt,
                DeliveryStatus(message.status) not in STILL_OURS,
                message.status,
                message.reason,
                message.retry_at,
                message.moves_to,
                message.provider_id,
                to_json(message.heard),
                *message.priced,
                message.billed_as,
                message.fallback_id,
            )
            for message in self.messages.values()
            if message.is_changed
        ]
