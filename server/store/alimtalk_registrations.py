"""How versions of templates stand at connections, and what was said in their reviews."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, and_, case, delete, func, or_, select, update

from server.clock import HOUR, MINUTE, Instant

from .among import among_these
from .bulk import inserting, replacing, table_of, updating
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import (
    AlimtalkComment,
    AlimtalkImageAt,
    AlimtalkRegistration,
    AlimtalkTemplate,
    AlimtalkVersion,
    Connection,
    SenderProfile,
)

INTENT_LASTS = 2 * MINUTE
"""After so long without an answer something else may be asked: whoever asked has died, or given up."""
_table, _comments = table_of(AlimtalkRegistration), table_of(AlimtalkComment)
_templates, _versions = table_of(AlimtalkTemplate), table_of(AlimtalkVersion)
_profiles, _connections = table_of(SenderProfile), table_of(Connection)
_images_at = table_of(AlimtalkImageAt)
STANDING = ("inspection", "operation", "is_blocked", "is_dormant", "told_at")
_STAND = updating(
    AlimtalkRegistration,
    ("id",),
    "code",
    *STANDING,
    "requested_at",
    "decided_at",
    "released_at",
    "intent",
    "changed_at",
)
_ADD = inserting(AlimtalkRegistration, *(one.name for one in _table.columns if one.name != "id"))
_PUT_COMMENT = replacing(AlimtalkComment, "at", "kind", "author", "text", "attachments")


def _rows() -> Select[Any]:
    """Registrations with the key and the text that they are of."""
    version = and_(_versions.c.template_id == _table.c.template_id, _versions.c.number == _table.c.number)
    joined = _table.join(_templates, _templates.c.id == _table.c.template_id).join(_versions, version)
    return select(_table, _templates.c.key, _templates.c.name, _versions.c.content).select_from(joined)


async def by_ids(session: ReadSession, project_id: int, ids: Collection[int]) -> dict[int, Any]:
    return {row.id: row for row in await session.rows(_by_ids(project_id, ids))}


async def held(session: WriteSession, project_id: int, ids: Collection[int]) -> dict[int, Any]:
    """As they are now, and stay until this transaction is over; always held in the same order."""
    statement = _by_ids(project_id, ids).order_by(_table.c.id).with_for_update(of=_table)
    return {row.id: row for row in await session.rows(statement)}


def _by_ids(project_id: int, ids: Collection[int]) -> Select[Any]:
    return _rows().where(_table.c.project_id == project_id, among_these(_table.c.id, list(ids)))


async def of_templates(
    session: ReadSession, project_id: int, template_ids: Collection[int]
) -> dict[int, list[Any]]:
    """By template: its registrations, those of the newest version first."""
    statement = (
        _rows()
        .where(_table.c.project_id == project_id, among_these(_table.c.template_id, list(template_ids)))
        .order_by(_table.c.number.desc(), _table.c.connection_id)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await session.rows(statement):
        found[row.template_id].append(row)
    return dict(found)


async def of_connection(session: ReadSession, connection_id: int) -> list[Any]:
    """All of a connection, the newest versions first."""
    statement = _rows().where(_table.c.connection_id == connection_id)
    return list(await session.rows(statement.order_by(_table.c.number.desc(), _table.c.id)))


async def is_open(session: ReadSession, connection_ids: Collection[int]) -> set[int]:
    """Those of these connections where a review is open, or an answer is waited for."""
    statement = (
        select(_table.c.connection_id)
        .where(among_these(_table.c.connection_id, list(connection_ids)))
        .where(or_(_table.c.inspection.in_(("requested", "in_review")), _table.c.intent != ""))
        .distinct()
    )
    return {row.connection_id for row in await session.rows(statement)}


async def add(session: WriteSession, registration: AlimtalkRegistration) -> int:
    session.add(registration)
    await session.flush()
    assert registration.id is not None
    return registration.id


async def add_all(session: WriteSession, fresh: Sequence[AlimtalkRegistration]) -> list[int]:
    """Their ids, in the same order."""
    if fresh:
        await touch_catalog(session)
    await session.bulk(_ADD, [tuple(getattr(one, name) for name in _ADD.columns) for one in fresh])
    statement = select(_table.c.id, _table.c.connection_id, _table.c.template_id, _table.c.number)
    mine = among_these(_table.c.template_id, [one.template_id for one in fresh])
    ids = {tuple(row[1:]): row.id for row in await session.rows(statement.where(mine))}
    return [ids[one.connection_id, one.template_id, one.number] for one in fresh]


async def intend(session: WriteSession, registration_id: int, act: str, now: Instant) -> bool:
    """Notes what is about to be asked of the relay. False while an answer to something else is waited for."""
    free = or_(_table.c.intent == "", _table.c.intent_at < now - INTENT_LASTS)
    statement = update(_table).where(_table.c.id == registration_id, free)
    return bool(await session.run(statement.values(intent=act, intent_at=now, changed_at=now)))


async def renew(session: WriteSession, registration_id: int, since: Instant, now: Instant) -> bool:
    """We are still at it. False if what was noted then is not what is noted now."""
    mine = (_table.c.id == registration_id, _table.c.intent != "", _table.c.intent_at == since)
    return bool(await session.run(update(_table).where(*mine).values(intent_at=now)))


async def without_comments(session: ReadSession, connection_id: int, since: Instant) -> set[int]:
    """Those that were rejected since then, nobody knows why."""
    said = select(_comments.c.registration_id).where(_comments.c.registration_id == _table.c.id)
    statement = select(_table.c.id).where(
        _table.c.connection_id == connection_id,
        _table.c.inspection == "rejected",
        _table.c.decided_at >= since,
        ~said.exists(),
    )
    return {row.id for row in await session.rows(statement)}


async def share_code(session: ReadSession, row: Any) -> bool:
    """Whether another version that is not replaced is under the same code at the same relay."""
    others = select(_table.c.id).where(
        _table.c.connection_id == row.connection_id,
        _table.c.code == row.code,
        _table.c.id != row.id,
        ~_table.c.is_replaced,
    )
    return bool(row.code) and bool(await session.rows(others.limit(1)))


async def stand(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Writes how these stand now; each has `id` and every column of `_STAND`."""
    await session.bulk(_STAND, [tuple(row[name] for name in _STAND.columns) for row in rows])


async def give_up(session: WriteSession, registration_id: int, now: Instant) -> None:
    """It was not done: everything is as it was."""
    statement = update(_table).where(_table.c.id == registration_id)
    await session.run(statement.values(intent="", intent_at=None, changed_at=now))


async def name_code(session: WriteSession, registration_id: int, code: str) -> None:
    await session.run(update(_table).where(_table.c.id == registration_id).values(code=code))
    await touch_catalog(session)


async def replace_older(
    session: WriteSession,
    connection_id: int,
    code: str,
    number: int,
    now: Instant,
    *,
    inspections: Collection[str] | None = None,
) -> None:
    """A later version has taken their code: none of them, or none that stands so, is sent any more."""
    older = [_table.c.connection_id == connection_id, _table.c.code == code, _table.c.number < number]
    if inspections is not None:
        older.append(_table.c.inspection.in_(sorted(inspections)))
    statement = update(_table).where(*older, ~_table.c.is_replaced)
    await session.run(statement.values(is_replaced=True, changed_at=now))


async def remove(session: WriteSession, registration_id: int) -> None:
    await session.run(delete(_comments).where(_comments.c.registration_id == registration_id))
    await session.run(delete(_table).where(_table.c.id == registration_id))
    await touch_catalog(session)


async def forget_connection(session: WriteSession, connection_id: int) -> None:
    """Nothing of a relay is known any more once its connection is gone."""
    mine = select(_table.c.id).where(_table.c.connection_id == connection_id)
    await session.run(delete(_comments).where(_comments.c.registration_id.in_(mine)))
    for table in (_table, _profiles, _images_at):
        await session.run(delete(table).where(table.c.connection_id == connection_id))


async def note_sent(session: WriteSession, registration_ids: Collection[int], now: Instant) -> None:
    """They are in use: written once an hour at most, however much is sent."""
    stale = or_(_table.c.last_sent_at.is_(None), _table.c.last_sent_at < now - HOUR)
    mine = among_these(_table.c.id, list(registration_ids))
    first = func.coalesce(_table.c.first_sent_at, now)
    rows = await session.rows(
        update(_table)
        .where(mine, stale)
        .values(last_sent_at=now, first_sent_at=first, operation=_in_use())
        .returning(_table.c.connection_id)
    )
    if rows:
        of_these = among_these(_profiles.c.connection_id, sorted({row.connection_id for row in rows}))
        await session.run(update(_profiles).where(of_these).values(last_sent_at=now))


def _in_use() -> Any:
    return case((_table.c.operation == "ready", "active"), else_=_table.c.operation)


async def comment(session: WriteSession, comments: Sequence[AlimtalkComment]) -> None:
    """Keeps what was said; what is told again is kept once."""
    names = _PUT_COMMENT.columns
    await session.bulk(_PUT_COMMENT, [tuple(getattr(one, name) for name in names) for one in comments])


async def comments(
    session: ReadSession, project_id: int, registration_ids: Collection[int]
) -> dict[int, list[Any]]:
    """By registration: what was said, in its order."""
    statement = (
        select(_comments)
        .where(_comments.c.project_id == project_id)
        .where(among_these(_comments.c.registration_id, list(registration_ids)))
        .order_by(_comments.c.at, _comments.c.key)
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await session.rows(statement):
        found[row.registration_id].append(row)
    return dict(found)
