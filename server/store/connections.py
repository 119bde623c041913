"""The connections of a project: which adapter, with which settings. Secrets are sealed and never shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import BaseModel, SecretStr, ValidationError
from sqlalchemy import delete, func, select
from sqlalchemy import update as change
from sqlalchemy.exc import IntegrityError

from channels.contract import AnyChannel, Capabilities, Problem
from channels.host import Host
from server.clock import Instant
from server.errors import BadInput, Conflict, NotFound
from server.secretbox import CannotUnseal, SecretBox

from .bulk import inserting, table_of
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import Connection, ConnectionHealth, PollCursor

LONGEST_NAME = 100
MOST_PREFERENCE, MOST_CONCURRENCY = 1_000_000, 10_000
LEAST_RATE, MOST_RATE = 0.001, 100_000
SET, NOT_SET, SHUT = "set", "not set", "sealed with another secret"

STEP = 10
"""Between the preferences of neighbours, so that another fits in."""

_table, _cursors = table_of(Connection), table_of(PollCursor)
_buried = table_of(ConnectionHealth).c.connection_id
_BURY = inserting(ConnectionHealth, once=True)


class BadSettings(BadInput):
    """These settings cannot work; `problems` says where and why."""

    code = "BAD_SETTINGS"

    def __init__(self, problems: Sequence[Problem]) -> None:
        told = "; ".join(f"{problem.path or 'settings'}: {problem.message}" for problem in problems)
        super().__init__(f"The settings cannot work. {told}")
        self.problems = tuple(problems)


class BadHandling(BadInput):
    """A connection cannot be used like this; `field` is what to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


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


@dataclass(frozen=True, slots=True)
class Handling:
    """How a connection is used. None leaves a field as it is; `default` gives it back to the server."""

    preference: int | None = None
    is_enabled: bool | None = None
    concurrency: int | None = None
    rate_per_second: float | None = None
    default: frozenset[str] = frozenset()
    """Of `concurrency` and `rate_per_second`: those that nothing is set for any more."""

    def problem(self) -> tuple[str, str] | None:
        """The field that cannot be used, and what was wanted."""
        if self.preference is not None and not 0 <= self.preference <= MOST_PREFERENCE:
            return "preference", f"A preference is from 0 to {MOST_PREFERENCE:,}, found {self.preference}."
        if self.concurrency is not None and not 1 <= self.concurrency <= MOST_CONCURRENCY:
            return "concurrency", f"1 to {MOST_CONCURRENCY:,} sends at once, found {self.concurrency}."
        rate = self.rate_per_second
        if rate is not None and not LEAST_RATE <= rate <= MOST_RATE:
            return "rate_per_second", f"A rate is from {LEAST_RATE} to {MOST_RATE:,} a second, found {rate}."
        return None


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection with its secrets, ready to be used. Shows nothing of its settings."""

    id: int
    project_id: int
    adapter: AnyChannel
    changed_at: Instant
    settings: BaseModel = field(repr=False)


@dataclass(frozen=True, slots=True)
class Adapter:
    """A way of sending that is plugged in."""

    key: str
    channel: str
    title: str
    source: str
    settings_schema: dict[str, Any]
    """JSON Schema; secrets are of the format `password`."""
    capabilities: Capabilities
    options_schema: dict[str, Any] | None = None
    """JSON Schema of what only this adapter understands; None if there is nothing."""


_AS_IT_IS = Handling()


def adapters(host: Host) -> list[Adapter]:
    """Everything that is plugged in, in order of key."""
    return [
        Adapter(
            one.key,
            one.channel,
            one.title,
            host.sources.get(one.key, ""),
            one.settings.model_json_schema(),
            one.capabilities,
            one.options.model_json_schema() if one.options else None,
        )
        for one in host.channels.values()
    ]


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
    handling: Handling = _AS_IT_IS,
) -> ConnectionView:
    """A new connection. Raises BadInput, BadSettings, or Conflict if the name is taken."""
    channel = _adapter(host, adapter)
    name = _checked_name(name)
    plain, sealed = _split(_read(channel, settings), box, project_id, name)
    row = Connection(
        project_id=project_id,
        name=name,
        adapter=channel.key,
        channel=channel.channel,
        takes=channel.capabilities.address_scheme,
        settings=plain,
        sealed=sealed,
        created_at=now,
        changed_at=now,
        id=await _next_id(session),
    )
    _handle(row, handling)
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
    handling: Handling = _AS_IT_IS,
) -> ConnectionView:
    """Renames it, handles it otherwise, or puts new settings in the place of all old ones.

    A secret that is left out stays as it is, since nobody can read it to hand it in again; null forgets it.
    Raises NotFound, BadInput, BadSettings, Conflict.
    """
    # Held until the end: secrets are sealed about the name, which another request may be changing.
    row = await _row(session, project_id, connection_id, held=True)
    channel = _adapter(host, row.adapter)
    before = _secrets_of(row, box)
    wanted = orjson.loads(row.settings) if settings is None else dict(settings)
    _keep_secrets(wanted, before)
    row.name = row.name if name is None else _checked_name(name)
    row.settings, row.sealed = _split(_read(channel, wanted), box, project_id, row.name)
    row.takes = channel.capabilities.address_scheme
    _handle(row, handling)
    # Goes up even within a millisecond: senders that are open tell by it that they are out of date.
    row.changed_at = max(now, row.changed_at + 1)
    session.add(row)
    await _flush(session, row.name)
    await touch_catalog(session)
    return _view(row, channel, box)


async def listed(session: ReadSession, host: Host, box: SecretBox, project_id: int) -> list[ConnectionView]:
    """In the order in which they were made."""
    rows = await session.rows(select(_table).where(_table.c.project_id == project_id).order_by(_table.c.id))
    return [_view(row, host.channels.get(row.adapter), box) for row in rows]


async def get(
    session: ReadSession, host: Host, box: SecretBox, project_id: int, connection_id: int
) -> ConnectionView:
    row = await _row(session, project_id, connection_id)
    return _view(row, host.channels.get(row.adapter), box)


async def load(session: ReadSession, host: Host, box: SecretBox, connection_id: int) -> OpenConnection:
    """With its secrets, for whoever sends; of any project.

    Raises NotFound, BadInput if its adapter is not plugged in, BadSettings if the adapter has changed its
    mind about them, CannotUnseal.
    """
    row = await session.get(Connection, connection_id)
    if row is None:
        raise NotFound(f"There is no connection {connection_id}.")
    channel = _adapter(host, row.adapter)
    wanted = orjson.loads(row.settings)
    for path, secret in _secrets_of(row, box).items():
        _put(wanted, path.split("."), secret)
    return OpenConnection(connection_id, row.project_id, channel, row.changed_at, _read(channel, wanted))


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
    await session.flush()
    await touch_catalog(session)


async def changes(session: ReadSession) -> dict[int, tuple[str, Instant]]:
    """Every connection's adapter, and when it was last changed."""
    rows = await session.rows(select(_table.c.id, _table.c.adapter, _table.c.changed_at))
    return {row.id: (row.adapter, row.changed_at) for row in rows}


async def _next_id(session: WriteSession) -> int | None:
    """SQLite gives the highest number to another once it is free; PostgreSQL never does."""
    if session.get_bind().dialect.name != "sqlite":
        return None
    rows = await session.rows(select(func.max(_table.c.id), select(func.max(_buried)).scalar_subquery()))
    return int(max(rows[0][0] or 0, rows[0][1] or 0)) + 1


def _handle(row: Connection, handling: Handling) -> None:
    if problem := handling.problem():
        raise BadHandling(*problem)
    for name in ("preference", "is_enabled", "concurrency", "rate_per_second"):
        wanted = getattr(handling, name)
        if wanted is not None or name in handling.default:
            setattr(row, name, wanted)


def secrets_in(settings: BaseModel) -> list[str]:
    """The values that must not be shown."""
    return [secret for _, secret in _secrets_in(settings.model_dump()) if secret]


def _adapter(host: Host, key: str) -> AnyChannel:
    if key not in host.channels:
        there = ", ".join(host.channels) or "none"
        raise BadInput(f"There is no adapter {key!r}; there are {there}.")
    return host.channels[key]


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


def _read(channel: AnyChannel, settings: Mapping[str, Any]) -> BaseModel:
    try:
        read: BaseModel = channel.settings.model_validate(settings)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [Problem(".".join(map(str, one["loc"])), one["msg"]) for one in found]
        # Not `from error`: that one carries what was typed, secrets included.
        raise BadSettings(problems) from None
    if problems := channel.problems(read):
        raise BadSettings(problems)
    return read


def _about(project_id: int, name: str) -> bytes:
    return orjson.dumps(["connection", project_id, name])


def _split(settings: BaseModel, box: SecretBox, project_id: int, name: str) -> tuple[str, bytes]:
    """The plain settings as JSON, and the secrets sealed."""
    secrets = dict(_secrets_in(settings.model_dump()))
    plain = settings.model_dump(mode="json")
    for path in secrets:
        _put(plain, path.split("."), None)
    filled = {path: secret for path, secret in secrets.items() if secret}
    sealed = box.seal(orjson.dumps(filled), _about(project_id, name)) if filled else b""
    return orjson.dumps(plain).decode(), sealed


def _secrets_in(value: Any, *path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, SecretStr):
        yield ".".join(path), value.get_secret_value()
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _secrets_in(inner, *path, str(name))


def _secrets_of(row: Any, box: SecretBox) -> dict[str, str]:
    if not row.sealed:
        return {}
    found: dict[str, str] = orjson.loads(box.open(row.sealed, _about(row.project_id, row.name)))
    return found


def _put(settings: dict[str, Any], path: Sequence[str], value: str | None) -> None:
    """Puts a value at a path; None takes away what is there."""
    *outer, last = path
    for name in outer:
        settings = settings.setdefault(name, {})
    if value is None:
        settings.pop(last, None)
    else:
        settings[last] = value


def _keep_secrets(wanted: dict[str, Any], before: Mapping[str, str]) -> None:
    for path, secret in before.items():
        *outer, last = path.split(".")
        inner: Any = wanted
        for name in outer:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if not isinstance(inner, dict):
            continue
        if last not in inner:
            inner[last] = secret
        elif inner[last] is None:
            del inner[last]


def _view(row: Any, channel: AnyChannel | None, box: SecretBox) -> ConnectionView:
    shown: dict[str, Any] = orjson.loads(row.settings)
    for path, told in _told_of_secrets(row, channel, box).items():
        _put(shown, path.split("."), told)
    return ConnectionView(
        row.id,
        row.project_id,
        row.name,
        row.adapter,
        row.channel,
        shown,
        row.created_at,
        row.changed_at,
        row.preference,
        bool(row.is_enabled),
        row.concurrency,
        row.rate_per_second,
    )


def _told_of_secrets(row: Any, channel: AnyChannel | None, box: SecretBox) -> dict[str, str]:
    fields = channel.settings.model_fields if channel else {}
    told = {name: NOT_SET for name, about in fields.items() if "SecretStr" in str(about.annotation)}
    try:
        return {**told, **dict.fromkeys(_secrets_of(row, box), SET)}
    except CannotUnseal:
        return dict.fromkeys(told, SHUT)


async def projects(session: ReadSession) -> dict[int, int]:
    """Every connection's project."""
    return {row.id: row.project_id for row in await session.rows(select(_table.c.id, _table.c.project_id))}
