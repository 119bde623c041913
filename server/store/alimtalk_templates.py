"""Templates of a project and their versions: found, listed, saved, put away."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, case, func, select, update

from server.clock import Instant

from .among import among_these
from .bulk import inserting, table_of
from .paging import Page, Slice, sliced, within
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import AlimtalkRegistration, AlimtalkTemplate, AlimtalkVersion

_table, _versions = table_of(AlimtalkTemplate), table_of(AlimtalkVersion)
_registrations = table_of(AlimtalkRegistration)
_KEYS = (_table.c.key, _table.c.id)
_ADD = inserting(AlimtalkTemplate, "project_id", "key", "name", "latest", "created_at", "changed_at")
_ADD_VERSION = inserting(AlimtalkVersion)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which templates. What is None does not matter."""

    search: str = ""
    """Part of the key or of the name."""
    inspection: str | None = None
    """Of the newest version, at any connection."""
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """What a version holds."""

    content: str
    bindings: str
    declaration: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """A template that is new."""

    key: str
    name: str
    text: Text


async def by_ids(session: ReadSession, project_id: int, ids: Collection[int]) -> dict[int, Any]:
    statement = select(_table).where(_table.c.project_id == project_id)
    rows = await session.rows(statement.where(among_these(_table.c.id, list(ids))))
    return {row.id: row for row in rows}


async def by_keys(session: ReadSession, project_id: int, keys: Collection[str]) -> dict[str, Any]:
    statement = select(_table).where(_table.c.project_id == project_id)
    rows = await session.rows(statement.where(among_these(_table.c.key, list(keys))))
    return {row.key: row for row in rows}


async def page(session: ReadSession, project_id: int, wanted: Wanted, page: Page) -> Slice:
    """By key."""
    return sliced(await session.rows(within(_wanted(project_id, wanted), _KEYS, page)), page)


def _wanted(project_id: int, wanted: Wanted) -> Select[Any]:
    archived = _table.c.archived_at.is_not(None)
    statement = select(_table).where(_table.c.project_id == project_id)
    statement = statement.where(archived if wanted.is_archived else ~archived)
    if wanted.search:
        pattern = wanted.search.lower()
        found = (func.lower(column).contains(pattern, autoescape=True) for column in _table.c["key", "name"])
        first, second = found
        statement = statement.where(first | second)
    if wanted.inspection is not None:
        newest = and_(
            _registrations.c.template_id == _table.c.id,
            _registrations.c.number == _table.c.latest,
            _registrations.c.inspection == wanted.inspection,
        )
        statement = statement.where(select(_registrations.c.id).where(newest).exists())
    return statement


async def count(session: ReadSession, project_id: int) -> int:
    rows = await session.rows(select(func.count()).where(_table.c.project_id == project_id))
    return int(rows[0][0])


async def versions(
    session: ReadSession, project_id: int, template_ids: Collection[int]
) -> dict[int, list[Any]]:
    """By template: its versions, the newest first."""
    statement = (
        select(_versions)
        .where(_versions.c.project_id == project_id)
        .where(among_these(_versions.c.template_id, list(template_ids)))
        .order_by(_versions.c.number.desc())
    )
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await session.rows(statement):
        found[row.template_id].append(row)
    return dict(found)


async def locked(session: WriteSession, project_id: int, key: str) -> Any | None:
    """The template of this key, held until this transaction is over."""
    statement = select(_table).where(_table.c.project_id == project_id, _table.c.key == key)
    rows = await session.rows(statement.with_for_update())
    return rows[0] if rows else None


async def create(
    session: WriteSession, project_id: int, key: str, name: str, text: Text, now: Instant
) -> int:
    """A new template with its first version, a draft. Returns its id."""
    made = await _add(session, project_id, [Fresh(key, name, text)], now, submitted_at=None)
    return made[key]


async def create_all(
    session: WriteSession, project_id: int, fresh: Sequence[Fresh], now: Instant
) -> dict[str, int]:
    """New templates whose first version a relay has already. Returns their ids, by key."""
    return await _add(session, project_id, fresh, now, submitted_at=now)


async def _add(
    session: WriteSession,
    project_id: int,
    fresh: Sequence[Fresh],
    now: Instant,
    *,
    submitted_at: Instant | None,
) -> dict[str, int]:
    await session.bulk(_ADD, [(project_id, one.key, one.name, 1, now, now) for one in fresh])
    rows = await by_keys(session, project_id, [one.key for one in fresh])
    made = {key: int(row.id) for key, row in rows.items()}
    versions = [
        AlimtalkVersion(
            template_id=made[one.key],
            number=1,
            project_id=project_id,
            content=one.text.content,
            bindings=one.text.bindings,
            declaration=one.text.declaration,
            created_at=now,
            changed_at=now,
            submitted_at=submitted_at,
        )
        for one in fresh
    ]
    await session.bulk(_ADD_VERSION, [_values(one) for one in versions])
    if made:
        await touch_catalog(session)
    return made


def _values(version: AlimtalkVersion) -> tuple[Any, ...]:
    return tuple(getattr(version, name) for name in _ADD_VERSION.columns)


async def add_version(session: WriteSession, template: Any, text: Text, now: Instant) -> int:
    """The next version, which begins as a draft. Returns its number."""
    number = int(template.latest) + 1
    version = AlimtalkVersion(
        template_id=template.id,
        number=number,
        project_id=template.project_id,
        content=text.content,
        bindings=text.bindings,
        declaration=text.declaration,
        created_at=now,
        changed_at=now,
    )
    await session.bulk(_ADD_VERSION, [_values(version)])
    await touch_catalog(session)
    return number


async def rewrite(session: WriteSession, template_id: int, number: int, text: Text, now: Instant) -> None:
    """Changes a version: its text too, as long as nobody has been asked for a review."""
    content = case((_versions.c.submitted_at.is_(None), text.content), else_=_versions.c.content)
    values = {"content": content, "bindings": text.bindings, "declaration": text.declaration}
    await session.run(update(_versions).where(_of(template_id, number)).values(**values, changed_at=now))
    await touch_catalog(session)


async def touch(
    session: WriteSession, template_id: int, now: Instant, *, name: str | None = None, latest: int
) -> None:
    named = {} if name is None else {"name": name}
    await session.run(
        update(_table).where(_table.c.id == template_id).values(latest=latest, changed_at=now, **named)
    )


async def submitted(session: WriteSession, template_id: int, number: int, at: Instant | None) -> None:
    """Notes when a review was first asked for; None takes that back."""
    statement = update(_versions).where(_of(template_id, number))
    if at is not None:
        statement = statement.where(_versions.c.submitted_at.is_(None))
    await session.run(statement.values(submitted_at=at))


async def archive(
    session: WriteSession, project_id: int, template_id: int, at: Instant | None, now: Instant
) -> None:
    """Puts it away; None takes it out again."""
    mine = (_table.c.id == template_id, _table.c.project_id == project_id)
    await session.run(update(_table).where(*mine).values(archived_at=at, changed_at=now))
    await touch_catalog(session)


def _of(template_id: int, number: int) -> Any:
    return and_(_versions.c.template_id == template_id, _versions.c.number == number)


async def keys(session: ReadSession, project_id: int) -> set[str]:
    """All of the project."""
    rows = await session.rows(select(_table.c.key).where(_table.c.project_id == project_id))
    return {row.key for row in rows}
