"""Messages of which something is heard: whose they are, what the engine writes, how far was asked."""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import BigInteger, Boolean, Text, and_, bindparam, case, literal_column, null, select, update

from server.clock import Instant

from .bulk import Bulk, replacing, table_of
from .sessions import ReadSession, WriteSession
from .tables import FormerMessage, Message, PollCursor

_messages, _cursors = table_of(Message), table_of(PollCursor)

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
_OWNER = ("project_id", "user_number", "channel", "address", "purpose")
_WHOSE, _WHOSE_ONCE = (
    select(*(table.c[name] for name in _OWNER)).where(
        table.c.shard == bindparam("of_shard"), table.c.id == bindparam("of_id")
    )
    for table in (_messages, table_of(FormerMessage))
)
_MOVE_CURSOR = replacing(PollCursor, "cursor", "moved_at")

_IS_OUT = bindparam("of_is_out", type_=Boolean)
_TRIES_AGAIN = and_(
    bindparam("of_retry_at", type_=BigInteger).is_not(None),
    _messages.c.attempt == bindparam("of_attempt", type_=BigInteger),
)
_MOVES_TO = bindparam("of_moves_to", type_=BigInteger)
CHANGED = Bulk(
    (
        *("shard", "id", "attempt", "is_out", "status", "reason", "retry_at", "moves_to"),
        *("provider_id", "heard", "price", "currency", "priced_at", "priced_by", "billed_as"),
        "fallback_id",
    ),
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
            price=bindparam("of_price", type_=BigInteger),
            currency=bindparam("of_currency", type_=Text),
            priced_at=bindparam("of_priced_at", type_=BigInteger),
            priced_by=bindparam("of_priced_by", type_=BigInteger),
            billed_as=bindparam("of_billed_as", type_=Text),
            fallback_id=bindparam("of_fallback_id", type_=BigInteger),
        )
    },
)
"""What the engine has folded, written beside whatever the dispatcher does with the same message meanwhile:
an attempt that the engine has not seen yet is never undone, so that nothing goes out twice."""


class Owner(NamedTuple):
    """Whose message it is, and where it went."""

    project_id: int
    user_number: int
    channel: str
    address: str
    purpose: str


async def owner(session: ReadSession, shard: int, message_id: int) -> Owner | None:
    about = {"of_shard": shard, "of_id": message_id}
    rows = await session.rows(_WHOSE, about) or await session.rows(_WHOSE_ONCE, about)
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
