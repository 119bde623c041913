"""Messages on their way out: which are due, which may go, and that an attempt is made."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    Text,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    null,
    select,
    true,
    update,
)

from channels.contract import Purpose
from channels.reasons import Reason
from server.clock import Instant
from server.journey.status import JourneyStatus

from .bulk import Bulk, deleting, inserting, replacing, table_of
from .sessions import ReadSession, WriteSession
from .suppressions import suppressed_until
from .tables import (
    Connection,
    Consent,
    Endpoint,
    Journey,
    Message,
    PollCursor,
    Project,
    ShardState,
    Unclaimed,
    User,
    Version,
)

OPTED_OUT, INVALID = "opted_out", "invalid"
"""States of an endpoint that nobody writes to."""

_messages, _journeys, _endpoints = table_of(Message), table_of(Journey), table_of(Endpoint)
_users, _projects, _states = table_of(User), table_of(Project), table_of(ShardState)
_connections, _versions = table_of(Connection), table_of(Version)
_consents = table_of(Consent)
_cursors, _unclaimed = table_of(PollCursor), table_of(Unclaimed)

_READY = (
    select(_states.c.shard, _connections.c.id)
    .join(_connections, true())
    .where(_states.c.shard.in_(bindparam("shards", expanding=True)))
    .where(
        exists().where(
            _messages.c.shard == _states.c.shard,
            _messages.c.connection_id == _connections.c.id,
            _messages.c.due_at.is_not(None),
            _messages.c.due_at <= bindparam("now"),
        )
    )
    .order_by(_states.c.shard, _connections.c.id)
)
_ITS_ENDPOINT = and_(
    _endpoints.c.shard == _messages.c.shard,
    _endpoints.c.project_id == _messages.c.project_id,
    _endpoints.c.user_number == _messages.c.user_number,
    _endpoints.c.channel == _messages.c.channel,
    _endpoints.c.address == _messages.c.address,
)
_ITS_USER = and_(
    _users.c.shard == _messages.c.shard,
    _users.c.project_id == _messages.c.project_id,
    _users.c.number == _messages.c.user_number,
)
_ITS_CONSENT = and_(
    _consents.c.shard == _messages.c.shard,
    _consents.c.project_id == _messages.c.project_id,
    _consents.c.user_number == _messages.c.user_number,
    _consents.c.channel == _messages.c.channel,
    _consents.c.purpose == _messages.c.purpose,
)
_WITH_ITS_WORLD = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.journey_id,
        _messages.c.version,
        _messages.c.step_key,
        _messages.c.channel,
        _messages.c.connection_id,
        _messages.c.address,
        _messages.c.created_at,
        _messages.c.reason,
        _messages.c.expires_at,
        _messages.c.may_fail_over,
        _messages.c.event,
        _journeys.c.title,
        _journeys.c.status.label("journey_status"),
        _endpoints.c.state,
        _users.c.user_id,
        _users.c.attributes,
        _projects.c.name.label("project_name"),
        _projects.c.time_zone,
    )
    .add_columns(
        suppressed_until(
            _messages.c.project_id, _messages.c.channel, _messages.c.address, _messages.c.purpose
        ).label("suppressed_until"),
        _consents.c.granted.label("is_granted"),
        and_(_projects.c.requires_consent, _messages.c.purpose == Purpose.ADVERTISEMENT.value).label(
            "needs_consent"
        ),
    )
    .join(_projects, _projects.c.id == _messages.c.project_id)
    .outerjoin(_journeys, _journeys.c.id == _messages.c.journey_id)
    .outerjoin(_endpoints, _ITS_ENDPOINT)
    .outerjoin(_users, _ITS_USER)
    .outerjoin(_consents, _ITS_CONSENT)
    .where(_messages.c.shard == bindparam("of_shard"))
)
_DUE = (
    _WITH_ITS_WORLD.where(
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.due_at.is_not(None),
        _messages.c.due_at <= bindparam("now"),
        _messages.c.status == "queued",
    )
    .order_by(_messages.c.due_at, _messages.c.id)
    .limit(bindparam("most"))
)
_SOME = _WITH_ITS_WORLD.where(_messages.c.id.in_(bindparam("ids", expanding=True)))
_THESE = (
    _messages.c.shard == bindparam("of_shard"),
    _messages.c.id.in_(bindparam("ids", expanding=True)),
    _messages.c.status == "queued",
)
_ATTEMPT = (
    update(_messages)
    .where(*_THESE, _messages.c.due_at.is_not(None))
    .values(
        status="attempted",
        attempt=_messages.c.attempt + 1,
        attempted_at=case((bindparam("when_due"), _messages.c.due_at), else_=bindparam("now")),
        due_at=None,
    )
    .returning(_messages.c.id, _messages.c.attempt, _messages.c.attempted_at)
)
_PARK = update(_messages).where(*_THESE).values(due_at=None)
_GIVE_UP = (
    update(_messages)
    .where(*_THESE)
    .values(due_at=None, status=bindparam("how"), reason=bindparam("why"))
    .returning(_messages.c.id)
)
_TAKE_BACK = Bulk(
    ("shard", "id", "attempt", "due_at"),
    {
        "": update(_messages)
        .where(
            _messages.c.shard == bindparam("of_shard"),
            _messages.c.id == bindparam("of_id"),
            _messages.c.attempt == bindparam("of_attempt"),
            _messages.c.status == literal_column("'attempted'"),
        )
        .values(
            status=literal_column("'queued'"),
            attempt=_messages.c.attempt - literal_column("1"),
            due_at=bindparam("of_due_at"),
        )
    },
)
_WAITING = (
    select(_messages.c.id, _messages.c.project_id, _messages.c.connection_id, _messages.c.attempt)
    .where(
        _messages.c.shard == bindparam("of_shard"),
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.due_at.is_not(None),
        _messages.c.due_at <= bindparam("now"),
        _messages.c.status == "queued",
    )
    .order_by(_messages.c.due_at, _messages.c.id)
    .limit(bindparam("most"))
)
_OVERDUE = _WAITING.where(_messages.c.expires_at <= bindparam("now"))
# Of one whose outcome is open nobody knows that another connection's would not be the second.
_MOVABLE = _WAITING.where(_messages.c.may_fail_over, _messages.c.reason != Reason.OUTCOME_UNKNOWN.value)
_MOVE = (
    update(_messages)
    .where(*_THESE, _messages.c.connection_id == bindparam("of_connection"), _messages.c.due_at.is_not(None))
    .values(connection_id=bindparam("to_connection"))
    .returning(_messages.c.id)
)
_UNPARK = (
    update(_messages)
    .where(
        _messages.c.shard.in_(bindparam("shards", expanding=True)),
        _messages.c.status == "queued",
        _messages.c.due_at.is_(None),
        _messages.c.connection_id.is_not(None),
        _messages.c.journey_id.not_in(
            select(_journeys.c.id).where(_journeys.c.status == JourneyStatus.PAUSED.value)
        ),
    )
    .values(due_at=bindparam("now"))
)
_UNFINISHED = (
    select(
        _messages.c.id,
        _messages.c.project_id,
        _messages.c.connection_id,
        _messages.c.attempt,
        _messages.c.attempted_at,
        _messages.c.created_at,
        _messages.c.expires_at,
        _messages.c.reason,
    )
    .where(_messages.c.shard == bindparam("of_shard"), _messages.c.status == "attempted")
    .order_by(_messages.c.attempted_at)
)
_BY_PROVIDER_ID = select(_messages.c.provider_id, _messages.c.shard, _messages.c.id).where(
    _messages.c.shard.in_(bindparam("shards", expanding=True)),
    _messages.c.connection_id == bindparam("of_connection"),
    _messages.c.provider_id.in_(bindparam("provider_ids", expanding=True)),
)
_OF_PROJECT = select(_messages.c.id).where(
    _messages.c.shard == bindparam("of_shard"),
    _messages.c.id.in_(bindparam("ids", expanding=True)),
    _messages.c.project_id == bindparam("of_project"),
)
_WHOSE = select(
    _messages.c.project_id,
    _messages.c.user_number,
    _messages.c.channel,
    _messages.c.address,
    _messages.c.purpose,
).where(_messages.c.shard == bindparam("of_shard"), _messages.c.id == bindparam("of_id"))
_MOVE_CURSOR = replacing(PollCursor, "cursor", "moved_at")
_KEEP_UNCLAIMED = inserting(Unclaimed, once=True)
_DROP_UNCLAIMED = deleting(Unclaimed, "connection_id", "key")

_IS_OUT = bindparam("of_is_out", type_=Boolean)
_TRIES_AGAIN = and_(
    bindparam("of_retry_at", type_=BigInteger).is_not(None),
    _messages.c.attempt == bindparam("of_attempt", type_=BigInteger),
)
_MOVES_TO = bindparam("of_moves_to", type_=BigInteger)
CHANGED = Bulk(
    ("shard", "id", "attempt", "is_out", "status", "reason", "retry_at", "moves_to", "provider_id", "heard"),
    {
        "": update(_messages)
        .where(_messages.c.shard == bindparam("of_shard"), _messages.c.id == bindparam("of_id"))
        .values(
            status=case(
                (_IS_OUT, bindparam("of_status", type_=Text)),
                (_TRIES_AGAIN, literal_column("'queued'")),
                else_=_messages.c.status,
            ),
            due_at=case(
                (_IS_OUT, null()),
                (_TRIES_AGAIN, bindparam("of_retry_at", type_=BigInteger)),
                else_=_messages.c.due_at,
            ),
            connection_id=case(
                (_IS_OUT, _messages.c.connection_id),
                (and_(_TRIES_AGAIN, _MOVES_TO.is_not(None)), _MOVES_TO),
                else_=_messages.c.connection_id,
            ),
            reason=bindparam("of_reason"),
            provider_id=bindparam("of_provider_id"),
            heard=bindparam("of_heard"),
        )
    },
)
"""What the engine has folded, written beside whatever the dispatcher does with the same message meanwhile:
an attempt that the engine has not seen yet is never undone, so that nothing goes out twice."""


class Attempt(NamedTuple):
    id: int
    attempt: int
    """1 for the first."""
    attempted_at: Instant


class Unfinished(NamedTuple):
    id: int
    project_id: int
    connection_id: int
    attempt: int
    attempted_at: Instant
    created_at: Instant
    expires_at: Instant | None
    reason: str
    may_fail_over: bool = False
    """Never, once nobody knows what became of an attempt."""


class Waiting(NamedTuple):
    """A message that waits for a connection that sends nothing now."""

    id: int
    project_id: int
    connection_id: int
    attempt: int


class Owner(NamedTuple):
    """Whose message it is, and where it went."""

    project_id: int
    user_number: int
    channel: str
    address: str
    purpose: str


# Out


async def ready(session: ReadSession, shards: Collection[int], now: Instant) -> list[tuple[int, int]]:
    """The shards among these, and their connections, that have messages due by now."""
    rows = await session.rows(_READY, {"shards": list(shards), "now": now})
    return [(row.shard, row.id) for row in rows]


async def due(session: ReadSession, shard: int, connection_id: int, now: Instant, most: int) -> Sequence[Any]:
    """The messages due by now, the longest due first, each with the world that decides whether it may go."""
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most}
    return await session.rows(_DUE, about)


async def with_their_world(session: ReadSession, shard: int, ids: Iterable[int]) -> list[Any]:
    """These messages as `due` shows them."""
    return await session.rows_in(_SOME, "ids", ids, {"of_shard": shard})


async def attempt(
    session: WriteSession, shard: int, ids: Sequence[int], now: Instant, *, when_due: bool
) -> list[Attempt]:
    """Notes that an attempt is made at each of these, now or at the instant it was due.

    Returns those that were still queued.
    """
    if not ids:
        return []
    about = {"of_shard": shard, "ids": list(ids), "now": now, "when_due": when_due}
    return [Attempt(*row) for row in await session.rows(_ATTEMPT, about)]


async def skip(session: WriteSession, shard: int, ids: Sequence[int], reason: str) -> None:
    """Gives up messages that may not go. The receipts that say so go into the inbox beside this."""
    await _give_up(session, shard, ids, "skipped", reason)


async def expire(session: WriteSession, shard: int, ids: Sequence[int]) -> set[int]:
    """Gives up messages whose time is over. Returns those that were still queued."""
    return await _give_up(session, shard, ids, "expired", Reason.EXPIRED.value)


async def _give_up(session: WriteSession, shard: int, ids: Sequence[int], how: str, why: str) -> set[int]:
    if not ids:
        return set()
    about = {"of_shard": shard, "ids": list(ids), "how": how, "why": why}
    return {row.id for row in await session.rows(_GIVE_UP, about)}


async def take_back(
    session: WriteSession, shard: int, attempts: Sequence[Attempt], due_at: Instant | None = None
) -> None:
    """Undoes attempts of which nothing has left: due at `due_at`, or when the attempt was made."""
    rows = [(shard, one.id, one.attempt, due_at or one.attempted_at) for one in attempts]
    await session.bulk(_TAKE_BACK, rows)


async def overdue(
    session: ReadSession, shard: int, connection_id: int, now: Instant, most: int
) -> list[Waiting]:
    """Messages that wait for this connection and have waited until nobody wants them any more."""
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most}
    return [Waiting(*row) for row in await session.rows(_OVERDUE, about)]


async def movable(
    session: ReadSession, shard: int, connection_id: int, now: Instant, most: int
) -> list[Waiting]:
    """Messages that wait for this connection and may go through another."""
    about = {"of_shard": shard, "of_connection": connection_id, "now": now, "most": most}
    return [Waiting(*row) for row in await session.rows(_MOVABLE, about)]


async def move(session: WriteSession, shard: int, ids: Sequence[int], here: int, there: int) -> set[int]:
    """Has messages wait for another connection. Returns those that did wait for this one."""
    if not ids:
        return set()
    about = {"of_shard": shard, "ids": list(ids), "of_connection": here, "to_connection": there}
    return {row.id for row in await session.rows(_MOVE, about)}


async def park(session: WriteSession, shard: int, ids: Sequence[int]) -> None:
    """Takes messages of paused journeys out of everybody's way, until `unpark`."""
    if ids:
        await session.run(_PARK, {"of_shard": shard, "ids": list(ids)})


async def unpark(session: WriteSession, shards: Collection[int], now: Instant) -> int:
    """Makes the queued messages of journeys that are not, or no longer, paused due again."""
    return await session.run(_UNPARK, {"shards": list(shards), "now": now})


async def unfinished(session: ReadSession, shard: int) -> list[Unfinished]:
    """The messages whose attempt has no outcome yet, the oldest attempt first."""
    return [Unfinished(*row) for row in await session.rows(_UNFINISHED, {"of_shard": shard})]


async def graph_text(session: ReadSession, journey_id: int, version: int) -> str:
    """The published graph, as JSON."""
    statement = select(_versions.c.graph).where(
        _versions.c.journey_id == journey_id, _versions.c.number == version
    )
    return str((await session.rows(statement))[0].graph)


# In


async def owner(session: ReadSession, shard: int, message_id: int) -> Owner | None:
    rows = await session.rows(_WHOSE, {"of_shard": shard, "of_id": message_id})
    return Owner(*rows[0]) if rows else None


async def of_project(
    session: ReadSession, project_id: int, wanted: Iterable[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Those among these messages (shard, id) that are the project's."""
    ids: defaultdict[int, list[int]] = defaultdict(list)
    for shard, message_id in wanted:
        ids[shard].append(message_id)
    found: set[tuple[int, int]] = set()
    for shard, listed in ids.items():
        about = {"of_shard": shard, "of_project": project_id}
        found |= {(shard, row.id) for row in await session.rows_in(_OF_PROJECT, "ids", listed, about)}
    return found


async def by_provider_id(
    session: ReadSession, shards: int, connection_id: int, provider_ids: Iterable[str]
) -> dict[str, tuple[int, int]]:
    """Shard and id of the messages that a connection's provider knows under these names."""
    about = {"of_connection": connection_id, "shards": list(range(shards))}
    rows = await session.rows_in(_BY_PROVIDER_ID, "provider_ids", provider_ids, about)
    return {row.provider_id: (row.shard, row.id) for row in rows}


async def cursor(session: ReadSession, connection_id: int) -> str | None:
    rows = await session.rows(select(_cursors.c.cursor).where(_cursors.c.connection_id == connection_id))
    return str(rows[0].cursor) if rows else None


async def move_cursor(session: WriteSession, connection_id: int, cursor: str, now: Instant) -> None:
    await session.bulk(_MOVE_CURSOR, [(connection_id, cursor, now)])


async def keep_unclaimed(session: WriteSession, rows: Sequence[tuple[int, str, bytes, Instant]]) -> None:
    """Rows of connection, key, receipt and when it was heard. What is there already stays as it is."""
    await session.bulk(_KEEP_UNCLAIMED, rows)


async def unclaimed(session: ReadSession, since: Instant, most: int) -> Sequence[Any]:
    """The receipts heard since then that found no message, the newest first."""
    statement = select(_unclaimed).where(_unclaimed.c.heard_at >= since)
    return await session.rows(statement.order_by(_unclaimed.c.heard_at.desc()).limit(most))


async def drop_unclaimed(session: WriteSession, keys: Sequence[tuple[int, str]]) -> None:
    await session.bulk(_DROP_UNCLAIMED, keys)
