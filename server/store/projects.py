"""Projects and their keys. A key is kept as a hash and shown once, when it is made."""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from zoneinfo import ZoneInfo

from sqlalchemy import select, update

from server.clock import Instant
from server.errors import BadInput

from .bulk import table_of
from .sessions import ReadSession, WriteSession
from .setup import touch_catalog
from .tables import ApiKey, Project

KOREA = "KR"
LAWS = ("", KOREA)
"""By which a project can write advertisements: docs/permissions.md."""
EVENTS, READ, WRITE, ADMIN = "events", "read", "write", "admin"
LONGEST_KEY = 128

_keys = table_of(ApiKey)


@dataclass(frozen=True, slots=True)
class Access:
    """What a key opens."""

    project_id: int
    scopes: frozenset[str]
    hint: str = ""
    """The beginning of the key, which people can tell it by."""


@dataclass(frozen=True, slots=True)
class NewProject:
    project_id: int
    write_key: str
    secret_key: str


def digest_of(key: str) -> str:
    """A key is 256 random bits, so that a plain hash of it cannot be reversed by guessing."""
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


async def create(
    session: WriteSession, name: str, zone: str, now: Instant, *, is_sample: bool = False
) -> NewProject:
    """A project with a write key (events only) and a secret key (everything)."""
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise BadInput(f"A time zone like Asia/Seoul was wanted, found {zone!r}.") from error
    if not name.strip():
        raise BadInput("A project needs a name.")
    project = Project(name=name.strip(), time_zone=zone, created_at=now, is_sample=is_sample)
    session.add(project)
    await session.flush()
    assert project.id is not None
    write_key = await add_key(session, project.id, "sj_write_", (EVENTS,), "Write key", now)
    secret_key = await add_key(session, project.id, "sj_secret_", (READ, WRITE, ADMIN), "Secret key", now)
    await touch_catalog(session)
    return NewProject(project.id, write_key, secret_key)


async def add_key(
    session: WriteSession, project_id: int, prefix: str, scopes: tuple[str, ...], title: str, now: Instant
) -> str:
    """Makes a key and returns it: the only time that it can be seen."""
    key = prefix + secrets.token_urlsafe(32)
    session.add(
        ApiKey(
            digest=digest_of(key),
            project_id=project_id,
            scopes=" ".join(scopes),
            title=title,
            hint=key[: len(prefix) + 4],
            created_at=now,
        )
    )
    await session.flush()
    return key


async def access(session: ReadSession, key: str) -> Access | None:
    """What this key opens; none if there is no such key or it was revoked.

    Looked up by its hash: how long that takes says nothing about the keys that exist.
    """
    if not key or len(key) > LONGEST_KEY:
        return None
    rows = await session.rows(
        select(_keys.c.project_id, _keys.c.scopes, _keys.c.hint).where(
            _keys.c.digest == digest_of(key), _keys.c.revoked_at.is_(None)
        )
    )
    if not rows:
        return None
    return Access(rows[0].project_id, frozenset(rows[0].scopes.split()), rows[0].hint)


async def choose(session: ReadSession, project_id: int | None) -> int:
    """The project of that number, or the only one. Raises BadInput that lists what there is."""
    rows = await session.rows(select(table_of(Project).c.id, table_of(Project).c.name))
    found = [row.id for row in rows if project_id is None or row.id == project_id]
    if len(found) != 1:
        listed = ", ".join(f"{row.id} ({row.name})" for row in rows) or "none yet: `sojourn project create`"
        raise BadInput(f"Say which project with --project; there are: {listed}.")
    return int(found[0])


async def require_consent(session: WriteSession, project_id: int, required: bool) -> None:
    """Whether advertisements of this project leave only for those who have agreed to them."""
    table = table_of(Project)
    await session.run(update(table).where(table.c.id == project_id).values(requires_consent=required))
    await touch_catalog(session)


def law_of(zone: str) -> str:
    """The law that a new project in this zone goes by, until somebody says otherwise."""
    return KOREA if zone == "Asia/Seoul" else ""


async def set_law(session: WriteSession, project_id: int, law: str, reason: str) -> None:
    """By which law this project writes advertisements. What waits is held back, or let go, at its claim."""
    table = table_of(Project)
    values = {"law": law, "law_reason": reason}
    await session.run(update(table).where(table.c.id == project_id).values(values))
    await touch_catalog(session)


async def set_commerce(session: WriteSession, project_id: int, settings: str) -> None:
    """By which events a project tells of commerce, as JSON that `server.commerce.names` reads."""
    table = table_of(Project)
    await session.run(update(table).where(table.c.id == project_id).values(commerce=settings))
    await touch_catalog(session)


async def by_id(session: ReadSession, project_id: int) -> Project:
    project = await session.get(Project, project_id)
    assert project is not None
    return project


async def unspoken(session: ReadSession, project_id: int) -> str:
    """The digest of the project's first secret key: it leaves the database nowhere, and stays the same."""
    secret = (_keys.c.project_id == project_id, _keys.c.scopes != EVENTS)
    statement = select(_keys.c.digest).where(*secret).order_by(_keys.c.created_at, _keys.c.digest).limit(1)
    return str((await session.rows(statement))[0].digest)
