"""What people wrote to us, and which of our messages it answers."""

from collections.abc import Iterable, Sequence

from sqlalchemy import and_, bindparam, select

from server.clock import Instant

from .among import among
from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .tables import Endpoint, Inbound, Message, Run

_inbound, _messages = table_of(Inbound), table_of(Message)
_endpoints, _runs = table_of(Endpoint), table_of(Run)

_ITS_RUNS = and_(
    _runs.c.shard == _endpoints.c.shard,
    _runs.c.project_id == _endpoints.c.project_id,
    _runs.c.user_number == _endpoints.c.user_number,
)
# By way of the address's user: messages have no index by address, and need none for anything else.
_SENT = (
    select(_messages.c.address, _messages.c.attempted_at, _messages.c.shard, _messages.c.id)
    .distinct()
    .select_from(_endpoints)
    .join(_runs, _ITS_RUNS)
    .join(_messages, and_(_messages.c.shard == _runs.c.shard, _messages.c.run_id == _runs.c.id))
    .where(
        _endpoints.c.shard.in_(bindparam("shards", expanding=True)),
        _endpoints.c.project_id == bindparam("of_project"),
        _endpoints.c.channel == _messages.c.channel,
        among(_endpoints.c.address, "addresses"),
        _messages.c.address == _endpoints.c.address,
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.attempted_at >= bindparam("since"),
        _messages.c.attempted_at <= bindparam("until"),
    )
)
_KEEP = inserting(Inbound, once=True)
_KNOWN = select(_inbound.c.key).where(
    _inbound.c.connection_id == bindparam("of_connection"), among(_inbound.c.key, "keys")
)

Sent = tuple[Instant, int, int]
"""When a message was handed over, its id and its shard: the last of two is the larger."""


async def sent_to(
    session: ReadSession,
    project_id: int,
    shards: int,
    connection_id: int,
    addresses: Iterable[str],
    since: Instant,
    until: Instant,
) -> dict[str, list[Sent]]:
    """What a connection sent to each of these addresses in a time, in order."""
    about = {
        "shards": list(range(shards)),
        "of_project": project_id,
        "of_connection": connection_id,
        "since": since,
        "until": until,
    }
    found: dict[str, list[Sent]] = {}
    for row in await session.rows_in(_SENT, "addresses", addresses, about):
        found.setdefault(row.address, []).append((row.attempted_at, row.id, row.shard))
    return {address: sorted(sent) for address, sent in found.items()}


async def keep(session: WriteSession, connection_id: int, rows: Sequence[Inbound]) -> list[Inbound]:
    """Those of a connection that are new: what a provider tells twice is there once."""
    by_key = {row.key: row for row in rows}
    known = {
        row.key for row in await session.rows_in(_KNOWN, "keys", by_key, {"of_connection": connection_id})
    }
    new = [row for key, row in by_key.items() if key not in known]
    await session.bulk(_KEEP, [tuple(getattr(row, name) for name in _KEEP.columns) for row in new])
    return new
