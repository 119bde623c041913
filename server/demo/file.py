"""The demo's file: begun anew each time, and never anybody else's."""

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from server.config import Settings
from server.errors import CannotOpen
from server.runtime import open_runtime
from server.store.bulk import table_of
from server.store.database import Database, parse_url
from server.store.tables import Project

_BESIDE = ("", "-wal", "-shm")


def path_of(database: str) -> Path:
    """`database` is a path or a `sqlite:///` URL. Raises CannotOpen for anything else."""
    if "://" not in database:
        return Path(database)
    url = parse_url(database)
    if url.get_backend_name() != "sqlite":
        raise CannotOpen("The demo keeps its sample in an SQLite file; name one with --database PATH.")
    return Path(url.database or "")


def is_there(path: Path) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.exists()


async def make_way(path: Path, settings: Settings) -> None:
    """For a new sample. Raises CannotOpen if the file holds anything but one, or is in use."""
    if not is_there(path):
        return
    if not await _is_sample(settings):
        raise CannotOpen(
            f"{path} holds something else than a sample. The demo begins with a new file: "
            "name another with --database PATH."
        )
    # Opening takes the file's lock: nobody serves it just now.
    async with open_runtime(settings, parts=()):
        pass
    _remove(path)


def _remove(path: Path) -> None:
    for ending in _BESIDE:
        Path(f"{path}{ending}").unlink(missing_ok=True)


async def _is_sample(settings: Settings) -> bool:
    """Whether every project in it is one; also of a sample whose filling was cut off early."""
    db = Database(settings.database_url, beside=True)
    try:
        async with db.read() as session:
            return all(row.is_sample for row in await session.rows(select(table_of(Project).c.is_sample)))
    except DatabaseError:
        return False
    finally:
        await db.close()
