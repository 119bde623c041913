"""The connections of a project: made, changed, put in order, taken away, and shown without their secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import delete, func, select
from sqlalchemy import update as change
from sqlalchemy.exc import IntegrityError

from channels.contract import AnyChannel, Problem
from channels.host import Host
from server.clock import Instant
from server.errors import BadInput, Conflict, NotFound
from server.secretbox import SecretBox

from . import adapters, alimtalk_registrations, sealed
from .bulk import inserting, table_of
from .handling import AS_IT_IS, Handling, handle
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import Connection, ConnectionHealth, PollCursor

LONGEST_NAME = 100

STEP = 10
"""Between the preferences of neighbours, so that another fits in."""

_table, _cursors = table_of(Connection), table_of(PollCursor)
_buried = table_of(ConnectionHealth).c.connection_id
_BURY = inserting(ConnectionHealth, once=True)


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as it may be shown."""

    id: int
    project_id: int
    name: str
    adapter: str
    channel: str
    settings: dict[str, Any]
    """The plain settings; in the place of a secret stands whether it is set."""
    created_at: Instant
    changed_at: Instant
    preference: int
    is_enabled: bool
    concurrency: int | None
    rate_per_second: float | None


async def create(
    session: WriteSession,
    host: Host,
    box: SecretBox,
    project_id: int,
    *,
    name: str,
    adapter: str,
    settings: Mapping[str, Any],
    now: Instant,
    handling: Handling = AS_IT_IS,
) -> ConnectionView:
    """A new connection. Raises BadInput, BadSettings, or Conflict if the name is taken."""
    channel = adapters.named(host, adapter)
    name = _checked_name(name)
    plain, secrets = sealed.split(
        adapters.read_settings(channel, settings, may_wait=True), box, project_id, name
    )
    row = Connection(
        project_id=project_id,
        name=name,
        adapter=channel.key,
        channel=channel.channel,
        takes=channel.capabilities.address_scheme,
        settings=plain,
        sealed=secrets,
        created_at=now,
        changed_at=now,
        id=await _next_id(session),
    )
    handle(row, handling)
    session.add(row)
    await _flush(session, name)
    await touch_catalog(session)
    return _view(row, channel, box)


async def update(
    session: WriteSession,
    host: Host,
    box: SecretBox,
    project_id: int,
    connection_id: int,
    *,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    now: Instant,
    handling: Handling = AS_IT_IS,
) -> ConnectionView:
    """Renames it, handles it otherwise, or puts new settings in the place of all old ones.

    A secret that is left out stays as it is, since nobody can read it to hand it in again; null forgets it.
    With another host or URL it has to be handed in again, or anybody could have it sent to themselves.
    Raises NotFound, BadInput, BadSettings, Conflict.
    """
    # Held until the end: secrets are sealed about the name, which another request may be changing.
    row = await _row(session, project_id, connection_id, held=True)
    channel = adapters.named(host, row.adapter)
    before = sealed.secrets_of(row, box)
    wanted = orjson.loads(row.settings) if settings is None else dict(settings)
    kept = sealed.keep(wanted, channel, before)
    row.name = row.name if name is None else _checked_name(name)
    read = adapters.read_settings(channel, wanted, may_wait=True)
    _refuse_to_carry(kept, orjson.loads(row.settings), read.model_dump(mode="json"))
    row.settings, row.sealed = sealed.split(read, box, project_id, row.name)
    row.takes = channel.capabilities.address_scheme
    handle(row, handling)
    # Goes up even within a millisecond: senders that are open tell by it that they are out of date.
    row.changed_at = max(now, row.changed_at + 1)
    session.add(row)
    await _flush(session, row.name)
    await touch_catalog(session)
    return _view(row, channel, box)


async def fill_in(
    session: WriteSession,
    host: Host,
    box: SecretBox,
    connection: tuple[int, int],
    field: str,
    value: str,
    now: Instant,
) -> None:
    """Puts one value into the settings, which its provider has just given. Raises as `update` does."""
    project_id, connection_id = connection
    row = await _row(session, project_id, connection_id, held=True)
    settings = {**orjson.loads(row.settings), field: value}
    await update(session, host, box, project_id, connection_id, settings=settings, now=now)


def _refuse_to_carry(kept: Sequence[str], before: Any, after: Any) -> None:
    was = dict(sealed.places(before))
    moved = [path for path, value in sealed.places(after) if path in was and was[path] != value]
    if moved and kept:
        told = f"enter it again: with another {', '.join(moved)} it would be sent elsewhere"
        raise adapters.BadSettings([Problem(path, told) for path in kept])


async def listed(session: ReadSession, host: Host, box: SecretBox, project_id: int) -> list[ConnectionView]:
    """In the order in which they were made."""
    rows = await session.rows(select(_table).where(_table.c.project_id == project_id).order_by(_table.c.id))
    return [_view(row, host.channels.get(row.adapter), box) for row in rows]


async def get(
    session: ReadSession, host: Host, box: SecretBox, project_id: int, connection_id: int
) -> ConnectionView:
    row = await _row(session, project_id, connection_id)
    return _view(row, host.channels.get(row.adapter), box)


async def reorder(session: WriteSession, project_id: int, channel: str, ids: Sequence[int]) -> None:
    """Puts the connections of a channel into this order of preference; it has to name each of them once.

    Raises BadInput.
    """
    here = (_table.c.project_id == project_id, _table.c.channel == channel)
    statement = select(_table.c.id).where(*here).order_by(_table.c.id)
    known = [row.id for row in await session.rows(statement.with_for_update())]
    if sorted(ids) != known:
        raise BadInput(f"The order has to name each of the channel's {len(known)} connections once.")
    for place, connection_id in enumerate(ids, 1):
        this = change(_table).where(_table.c.id == connection_id)
        await session.run(this.values(preference=place * STEP))
    await touch_catalog(session)


async def remove(session: WriteSession, project_id: int, connection_id: int) -> None:
    """Forgets a connection and its secrets; what was heard through it stays. Raises NotFound.

    The row of its health stays as well: by it no later connection gets the number of this one, and with it
    this one's past.
    """
    row = await _row(session, project_id, connection_id, held=True)
    await session.bulk(_BURY, [tuple(ConnectionHealth(connection_id=connection_id).model_dump().values())])
    await session.delete(row)
    await session.run(delete(_cursors).where(_cursors.c.connection_id == connection_id))
    await alimtalk_registrations.forget_connection(session, connection_id)
    await session.flush()
    await touch_catalog(session)


async def _next_id(session: WriteSession) -> int | None:
    """SQLite gives the highest number to another once it is free; PostgreSQL never does."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    rows = await session.rows(select(func.max(_table.c.id), select(func.max(_buried)).scalar_subquery()))
    return int(max(rows[0][0] or 0, rows[0][1] or 0)) + 1


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadInput(f"A connection wants a name of 1 to {LONGEST_NAME} printable characters.")
    return name


async def _row(
    session: ReadSession, project_id: int, connection_id: int, *, held: bool = False
) -> Connection:
    row = await session.get(Connection, connection_id, with_for_update=True if held else None)
    if row is None or row.project_id != project_id:
        raise NotFound(f"There is no connection {connection_id} in this project.")
    return row


async def _flush(session: WriteSession, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise Conflict(f"Another connection of this project is called {name!r}.") from error


def _view(row: Any, channel: AnyChannel | None, box: SecretBox) -> ConnectionView:
    return ConnectionView(
        row.id,
        row.project_id,
        row.name,
        row.adapter,
        row.channel,
        sealed.shown(row, channel, box),
        row.created_at,
        row.changed_at,
        row.preference,
        bool(row.is_enabled),
        row.concurrency,
        row.rate_per_second,
    )
