"""What people wrote to us, and which of our messages it answers."""

from sqlalchemy import and_, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from server.clock import Instant

from .bulk import table_of
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
_LATEST = (
    select(_messages.c.shard, _messages.c.id)
    .select_from(_endpoints)
    .join(_runs, _ITS_RUNS)
    .join(_messages, and_(_messages.c.shard == _runs.c.shard, _messages.c.run_id == _runs.c.id))
    .where(
        _endpoints.c.shard.in_(bindparam("shards", expanding=True)),
        _endpoints.c.project_id == bindparam("of_project"),
        _endpoints.c.channel == _messages.c.channel,
        _endpoints.c.address == bindparam("of_address"),
        _messages.c.address == bindparam("of_address"),
        _messages.c.connection_id == bindparam("of_connection"),
        _messages.c.attempted_at >= bindparam("since"),
        _messages.c.attempted_at <= bindparam("until"),
    )
    .order_by(_messages.c.attempted_at.desc(), _messages.c.id.desc())
    .limit(1)
)


async def latest_message(
    session: ReadSession,
    project_id: int,
    shards: int,
    connection_id: int,
    address: str,
    since: Instant,
    until: Instant,
) -> tuple[int, int] | None:
    """Shard and id of the last message that a connection sent to an address in a time."""
    about = {
        "shards": list(range(shards)),
        "of_project": project_id,
        "of_address": address,
        "of_connection": connection_id,
        "since": since,
        "until": until,
    }
    rows = await session.rows(_LATEST, about)
    return (rows[0].shard, rows[0].id) if rows else None


async def keep(session: WriteSession, row: Inbound) -> bool:
    """Whether it is new: what a provider tells twice is there once."""
    here = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = here.insert(_inbound).values(**row.model_dump()).on_conflict_do_nothing()
    return await session.run(statement) == 1
