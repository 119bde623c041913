"""Coupons of users from a CSV file: each line becomes the events that it tells of."""

from collections.abc import Iterator
from pathlib import Path

from server.clock import Instant
from server.commerce.reading import end_of
from server.errors import BadInput
from server.resolvers.coupons import Told, put, wrong_with
from server.store import projects
from server.store.database import Database

from . import sheets
from .sheets import Line
from .taking import Taken, in_chunks, instant

WANTED = ("user_id", "code")
TIMES = ("issued_at", "used_at", "expired_at")
COLUMNS = (*WANTED, "name", *TIMES, "expires_at")


async def take_in(db: Database, path: Path, project_id: int, shards: int, now: Instant) -> Taken:
    """Puts what a file tells of coupons into the inbox. A bad line is told of, and the others are taken.

    The same line again makes the same events, which count once. Raises BadInput without the columns.
    """
    taken = Taken()
    async with db.read() as session:
        zone = (await projects.by_id(session, project_id)).time_zone
    for chunk in in_chunks(_read(path, zone, taken)):
        async with db.write() as session:
            await put(session, chunk, project_id, shards, now)
        taken.changed += len(chunk)
    return taken


def _read(path: Path, zone: str, taken: Taken) -> Iterator[Told]:
    for line in sheets.read(path, WANTED, COLUMNS):
        try:
            yield _told(line, zone)
        except BadInput as error:
            taken.refuse(line.number, str(error))


def _told(line: Line, zone: str) -> Told:
    """Raises BadInput that says what is wrong with the line."""
    if line.wrong:
        raise BadInput(line.wrong)
    cells = line.cells
    times = {name: instant(cells[name], lambda: None) for name in TIMES}
    if not any(at is not None for at in times.values()):
        raise BadInput(f"one of {', '.join(TIMES)} was wanted, found none")
    ends = end_of(cells["expires_at"], zone)
    if cells["expires_at"] and ends is None:
        raise BadInput(f"a day or a time was wanted as expires_at, found {cells['expires_at'][:40]!r}")
    told = Told(cells["user_id"], cells["code"], cells["name"], expires_at=ends, **times)
    if (wrong := wrong_with(told)) is not None:
        raise BadInput(f"{wrong.member}: {wrong.message}")
    return told
