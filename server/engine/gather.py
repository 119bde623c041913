"""Reads what a batch needs: a few statements, whatever the number of events, runs and messages."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

import orjson
from sqlalchemy import bindparam, func, or_, select

from server.clock import Instant
from server.delivery.costs import cost_of
from server.delivery.status import SkipReason
from server.store import consents
from server.store.among import among
from server.store.bulk import table_of
from server.store.consents import Decision
from server.store.prices import PriceList
from server.store.sessions import ReadSession
from server.store.tables import Arrival, Endpoint, FormerRun, Identity, Message, Receipt, Run, User

from .batch import Batch, IdentityKey, Known, UserKey
from .state import Address, Former, MessageState, RunState, UserState

_arrivals, _identities, _users = table_of(Arrival), table_of(Identity), table_of(User)
_endpoints, _runs = table_of(Endpoint), table_of(Run)
_messages, _receipts, _former = table_of(Message), table_of(Receipt), table_of(FormerRun)


_ARRIVED = (
    select(_arrivals.c.digest)
    .where(_arrivals.c.shard == bindparam("shard"), _arrivals.c.project_id == bindparam("project_id"))
    .where(among(_arrivals.c.digest, "digests"))
)
_IDENTITY = (
    select(_identities.c.value, _identities.c.home, _identities.c.number)
    .where(_identities.c.shard == bindparam("shard"), _identities.c.project_id == bindparam("project_id"))
    .where(_identities.c.kind == bindparam("kind"), among(_identities.c.value, "of_values"))
)
_IDENTITIES_OF = (
    select(_identities.c.kind, _identities.c.value, _identities.c.home, _identities.c.number)
    .where(_identities.c.shard == bindparam("shard"), _identities.c.project_id == bindparam("project_id"))
    .where(among(_identities.c.number, "numbers"))
)
_LAST_NUMBER = select(func.max(_users.c.number)).where(
    _users.c.shard == bindparam("shard"), _users.c.project_id == bindparam("project_id")
)
_USERS = select(_users).where(
    _users.c.shard == bindparam("shard"),
    _users.c.project_id == bindparam("project_id"),
    among(_users.c.number, "numbers"),
)
_ENDPOINTS = select(_endpoints).where(
    _endpoints.c.shard == bindparam("shard"),
    _endpoints.c.project_id == bindparam("project_id"),
    among(_endpoints.c.user_number, "numbers"),
)
_RUNS_OF = select(_runs).where(
    _runs.c.shard == bindparam("shard"),
    _runs.c.project_id == bindparam("project_id"),
    among(_runs.c.user_number, "numbers"),
)
_RUNS_THAT_MATTER = _RUNS_OF.where(
    or_(
        _runs.c.wake_at.is_not(None),
        _runs.c.counts_goals_until >= bindparam("since"),
        _runs.c.entered_at >= bindparam("since"),
        # Whoever comes again gets what was drawn before.
        _runs.c.variants != "{}",
        among(_runs.c.journey_id, "journeys"),
    )
)
_RUNS_IN = _RUNS_OF.where(_runs.c.journey_id == bindparam("journey_id"))
_FORMER_OF = (
    select(
        _former.c.user_number,
        _former.c.id,
        _former.c.journey_id,
        _former.c.entered_at,
        _former.c.ended_at,
        _former.c.entry_value,
        _former.c.variants,
    )
    .where(_former.c.shard == bindparam("shard"), _former.c.project_id == bindparam("project_id"))
    .where(among(_former.c.user_number, "numbers"))
    .where(or_(_former.c.variants != "{}", among(_former.c.journey_id, "journeys")))
)
_RUNS_BY_ID = select(_runs).where(_runs.c.shard == bindparam("shard"), among(_runs.c.id, "ids"))
_DUE = (
    select(_runs)
    .where(_runs.c.shard == bindparam("shard"), _runs.c.wake_at <= bindparam("until"))
    .where(_runs.c.wake_at.is_not(None), ~_runs.c.held)
    .order_by(_runs.c.wake_at, _runs.c.id)
    .limit(bindparam("most"))
)
_OPEN_OF_JOURNEY = (
    select(_runs)
    .where(_runs.c.shard == bindparam("shard"), _runs.c.journey_id == bindparam("journey_id"))
    .where(_runs.c.wake_at.is_not(None))
    .limit(bindparam("most"))
)
_OVERDUE_OF_JOURNEY = _OPEN_OF_JOURNEY.where(
    _runs.c.held, _runs.c.wake_at > bindparam("after"), _runs.c.wake_at <= bindparam("until")
)
_UNSETTLED_OF_JOURNEY = _OPEN_OF_JOURNEY.where(
    _runs.c.version < bindparam("before"), _runs.c.settled < bindparam("before")
)
_MESSAGES = select(_messages).where(_messages.c.shard == bindparam("shard"), among(_messages.c.id, "ids"))
_OF_RUNS = select(_messages).where(_messages.c.shard == bindparam("shard"), among(_messages.c.run_id, "runs"))
_RECEIPTS = select(_receipts.c.message_id, _receipts.c.key).where(
    _receipts.c.shard == bindparam("shard"),
    among(_receipts.c.message_id, "ids"),
)
_CAUSES = select(_receipts.c.message_id, _receipts.c.code).where(
    _receipts.c.shard == bindparam("shard"),
    among(_receipts.c.message_id, "ids"),
    _receipts.c.reason == SkipReason.SUPPRESSED.value,
)


def by_project(keys: Iterable[UserKey]) -> dict[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for project_id, number in keys:
        found[project_id].add(number)
    return dict(found)


async def arrived(session: ReadSession, shard: int, digests: dict[int, set[str]]) -> set[tuple[int, str]]:
    """Which of these events, by project, have arrived before."""
    found: set[tuple[int, str]] = set()
    for project_id, wanted in digests.items():
        about = {"shard": shard, "project_id": project_id}
        rows = await session.rows_in(_ARRIVED, "digests", wanted, about)
        found |= {(project_id, row[0]) for row in rows}
    return found


async def identities(
    session: ReadSession, shard: int, wanted: Iterable[IdentityKey]
) -> dict[IdentityKey, Known]:
    """Where these identities lead, as far as this shard knows."""
    grouped: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for project_id, kind, value in wanted:
        grouped[project_id, kind].append(value)
    found: dict[IdentityKey, Known] = {}
    for (project_id, kind), values in grouped.items():
        about = {"shard": shard, "project_id": project_id, "kind": kind}
        for value, home, number in await session.rows_in(_IDENTITY, "of_values", values, about):
            found[project_id, kind, value] = Known(home, number)
    return found


async def identities_of(session: ReadSession, batch: Batch, users: Iterable[UserKey]) -> None:
    """Every identity of these users of ours, into the batch."""
    for project_id, numbers in by_project(users).items():
        about = {"shard": batch.shard, "project_id": project_id}
        for kind, value, home, number in await session.rows_in(_IDENTITIES_OF, "numbers", numbers, about):
            batch.identities.setdefault((project_id, kind, value), Known(home, number))


async def next_number(session: ReadSession, shard: int, project_id: int) -> int:
    """The number that the project's next new user in this shard gets."""
    last = (await session.rows(_LAST_NUMBER, {"shard": shard, "project_id": project_id}))[0][0]
    return 0 if last is None else int(last) + 1


async def users(session: ReadSession, batch: Batch, wanted: Iterable[UserKey]) -> None:
    """What is known of these users, and their addresses, into the batch."""
    missing = [key for key in wanted if key not in batch.users]
    for project_id, numbers in by_project(missing).items():
        about = {"shard": batch.shard, "project_id": project_id}
        for row in await session.rows_in(_USERS, "numbers", numbers, about):
            batch.users[project_id, row.number] = UserState(
                number=row.number,
                attributes=orjson.loads(row.attributes),
                user_id=row.user_id,
                created_at=row.created_at,
                merged_into=row.merged_into,
                is_erased=row.erased_at is not None,
                read=(row.attributes, row.user_id, row.merged_into is None),
            )
        for row in await session.rows_in(_ENDPOINTS, "numbers", numbers, about):
            user = batch.users[project_id, row.user_number]
            user.known_states[row.channel, row.address] = row.state
            if row.is_current:
                address = Address(row.address, row.state, row.changed_at)
                user.addresses.setdefault(row.channel, []).append(address)
                user.addresses[row.channel].sort(key=_latest_first)


def _latest_first(address: Address) -> tuple[int, str]:
    return -address.changed_at, address.address


async def consents_of(session: ReadSession, batch: Batch, project_id: int, number: int) -> None:
    """What a user has decided, into the batch."""
    key = (batch.shard, number)
    rows = (await consents.by_users(session, project_id, [key])).get(key, [])
    decided = [
        Decision(
            *(row.channel, row.purpose, row.granted, row.decided_at),
            *(row.source, row.evidence, row.basis, row.until),
        )
        for row in rows
    ]
    batch.consents.setdefault((project_id, number), []).extend(decided)


async def runs_of(session: ReadSession, batch: Batch, wanted: Collection[UserKey]) -> None:
    """The runs of these users, into the batch."""
    for project_id, numbers in by_project(wanted).items():
        about = {"shard": batch.shard, "project_id": project_id}
        keep_runs(batch, await session.rows_in(_RUNS_OF, "numbers", numbers, about))
    await _former_of(session, batch, wanted, batch.catalog.looking_back)


async def runs_that_matter(
    session: ReadSession, batch: Batch, wanted: Collection[UserKey], since: Instant
) -> None:
    """The runs of these users that something which happened since may concern, into the batch.

    People may have been in a journey a thousand times: what is over for good is left where it is, unless its
    journey asks for it when they come again.
    """
    journeys = sorted(batch.catalog.looking_back)
    for project_id, numbers in by_project(wanted).items():
        about = {"shard": batch.shard, "project_id": project_id, "since": since, "journeys": journeys}
        keep_runs(batch, await session.rows_in(_RUNS_THAT_MATTER, "numbers", numbers, about))
    await _former_of(session, batch, wanted, journeys)


async def runs_in(session: ReadSession, batch: Batch, journey_id: int, wanted: Collection[UserKey]) -> None:
    """The runs of these users in one journey, into the batch."""
    for project_id, numbers in by_project(wanted).items():
        about = {"shard": batch.shard, "project_id": project_id, "journey_id": journey_id}
        keep_runs(batch, await session.rows_in(_RUNS_IN, "numbers", numbers, about))
    await _former_of(session, batch, wanted, [journey_id])


async def _former_of(
    session: ReadSession, batch: Batch, wanted: Iterable[UserKey], journeys: Iterable[int]
) -> None:
    """The runs that these users had in these journeys, or drew something in, and that are not kept."""
    pruned = [key for key in wanted if key[0] in batch.catalog.pruned]
    for project_id, numbers in by_project(pruned).items():
        about = {"shard": batch.shard, "project_id": project_id, "journeys": sorted(journeys)}
        for row in await session.rows_in(_FORMER_OF, "numbers", numbers, about):
            batch.former[project_id, row.user_number][row.id] = Former(*row[1:])


async def runs_by_ids(session: ReadSession, batch: Batch, ids: Iterable[int]) -> None:
    """These runs of this shard, into the batch."""
    missing = [one for one in ids if one not in batch.runs]
    if missing:
        keep_runs(batch, await session.rows_in(_RUNS_BY_ID, "ids", missing, {"shard": batch.shard}))


async def due(session: ReadSession, batch: Batch, until: Instant, most: int) -> list[RunState]:
    """The runs whose wait is over by then, the longest due first, also into the batch."""
    about = {"shard": batch.shard, "until": until, "most": most}
    return keep_runs(batch, await session.rows(_DUE, about))


async def open_runs(session: ReadSession, batch: Batch, journey_id: int, most: int) -> list[RunState]:
    about = {"shard": batch.shard, "journey_id": journey_id, "most": most}
    return keep_runs(batch, await session.rows(_OPEN_OF_JOURNEY, about))


async def overdue_runs(
    session: ReadSession, batch: Batch, command: dict[str, Any], most: int
) -> list[RunState]:
    """The held runs of a journey whose wait was over in the pause that this command ends."""
    about = {"shard": batch.shard, "journey_id": command["journey_id"], "most": most}
    times = {"after": command["at"] - command["shift_ms"], "until": command["at"]}
    return keep_runs(batch, await session.rows(_OVERDUE_OF_JOURNEY, {**about, **times}))


async def unsettled_runs(
    session: ReadSession, batch: Batch, command: dict[str, Any], most: int
) -> list[RunState]:
    """The open runs of a journey of which nothing is decided yet for the version of this command."""
    about = {"shard": batch.shard, "journey_id": command["journey_id"], "most": most}
    rows = await session.rows(_UNSETTLED_OF_JOURNEY, {**about, "before": command["version"]})
    return keep_runs(batch, rows)


def keep_runs(batch: Batch, rows: Iterable[Any]) -> list[RunState]:
    found = []
    for row in rows:
        run = batch.runs.get(row.id)
        if run is None:
            run = RunState(*row)
            batch.add_run(run)
        found.append(run)
    return found


async def messages(session: ReadSession, batch: Batch, ids: set[int]) -> set[tuple[int, str]]:
    """These messages into the batch; returns the receipts that are known of them already."""
    about = {"shard": batch.shard}
    for row in await session.rows_in(_MESSAGES, "ids", ids, about):
        batch.messages[row.id] = to_message(row, batch.catalog.prices)
    rows = await session.rows_in(_RECEIPTS, "ids", ids, about)
    return {(row.message_id, row.key) for row in rows}


async def siblings(
    session: ReadSession, batch: Batch, passages: Collection[tuple[int, str, Instant]]
) -> None:
    """The messages of these passages (run, step, decision), into the batch beside those that are there."""
    runs = {run_id for run_id, _, _ in passages}
    for row in await session.rows_in(_OF_RUNS, "runs", runs, {"shard": batch.shard}):
        if (row.run_id, row.step_key, row.created_at) in passages and row.id not in batch.messages:
            batch.messages[row.id] = to_message(row, batch.catalog.prices)
    suppressed = {one.id for one in batch.messages.values() if one.reason == SkipReason.SUPPRESSED}
    for row in await session.rows_in(_CAUSES, "ids", suppressed, {"shard": batch.shard}):
        batch.messages[row.message_id].cause = row.code


def to_message(row: Any, prices: PriceList) -> MessageState:
    return MessageState(
        id=row.id,
        project_id=row.project_id,
        journey_id=row.journey_id,
        version=row.version,
        run_id=row.run_id,
        step_key=row.step_key,
        user_number=row.user_number,
        entered_at=row.entered_at,
        channel=row.channel,
        address=row.address,
        purpose=row.purpose,
        connection_id=row.connection_id,
        status=row.status,
        reason=row.reason,
        attempt=row.attempt,
        attempted_at=row.attempted_at,
        provider_id=row.provider_id,
        heard=orjson.loads(row.heard),
        cost=cost_of(row.priced_at, row.price, row.currency) if row.priced_at is not None else None,
        priced_by=prices.by_id[row.priced_by] if row.priced_by is not None else None,
        billed_as=row.billed_as,
        variants=row.variants,
        created_at=row.created_at,
        expires_at=row.expires_at,
        event=row.event,
        voucher=row.voucher,
        demands=row.demands,
        fallback_of=row.fallback_of,
        fallback_id=row.fallback_id,
    )
