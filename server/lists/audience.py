"""Lists of users from CSV files: each line names one by an id, or by an address that only one user has.

Who is on a list is kept in the shards of its users, so what the file says goes through their inboxes.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import orjson
from pyroaring import BitMap64

from channels.phone import region_of, to_e164
from server.clock import Instant
from server.engine.people import ANONYMOUS_ID, USER_ID
from server.store import finding, inbox, projects, setup, user_lists
from server.store.database import Database
from server.store.sessions import ReadSession
from server.store.users import UserKey

from . import sheets
from .taking import Taken, in_chunks

COLUMNS = ("user_id", "anonymous_id", "email", "phone")
"""Of these a file has one or several; of a line's cells the first that is not empty counts."""
MOST_TOLD = 1000
LONGEST = 200


class Named(NamedTuple):
    """Whom a line names."""

    line: int
    column: str
    value: str


@dataclass(slots=True)
class Upload:
    """What came of a file: the list, and how its lines fared."""

    list_id: int = 0
    taken: Taken = field(default_factory=lambda: Taken(most_told=MOST_TOLD))
    seen: defaultdict[int, BitMap64] = field(default_factory=lambda: defaultdict(BitMap64))
    """The users of each shard whom a line has named."""


async def take_in(
    db: Database,
    source: Path | IO[str],
    project_id: int,
    shards: int,
    name: str,
    now: Instant,
    *,
    replaces: bool = False,
    dry_run: bool = False,
) -> Upload:
    """Puts those whom the file names on the list of this name, which is made if there is none.

    A bad line is told of, and the others are taken. `replaces` takes everybody else off the list. Raises
    BadInput for a file without one of the columns, before anything is changed.
    """
    sheets.check_one_of(source, COLUMNS)
    upload = Upload()
    if not dry_run:
        upload.list_id = await _begin(db, project_id, shards, name, now, replaces=replaces)
    for chunk in in_chunks(_named(source, upload.taken)):
        async with db.read() as session:
            people = await _find(session, project_id, shards, chunk, upload.taken)
        fresh = _fresh(upload, people)
        if fresh and not dry_run:
            await _tell(db, project_id, upload.list_id, fresh, now)
    return upload


async def _begin(
    db: Database, project_id: int, shards: int, name: str, now: Instant, *, replaces: bool
) -> int:
    async with db.write() as session:
        found = await user_lists.named(session, project_id, name)
        if found is None:
            found = await user_lists.create(session, project_id, name, now)
            await setup.touch_catalog(session)
        found.changed_at = now
        assert found.id is not None
        if replaces:
            payload = orjson.dumps({"list_id": found.id})
            kind = user_lists.LIST_CLEAR
            clears = [inbox.Entry(shard, project_id, kind, payload, now) for shard in range(shards)]
            await inbox.append(session, clears)
        return found.id


def _named(source: Path | IO[str], taken: Taken) -> Iterator[Named]:
    for line in sheets.read(source, (), COLUMNS):
        column = next((name for name in COLUMNS if line.cells.get(name)), "")
        if line.wrong or not column:
            taken.refuse(line.number, line.wrong or f"it names nobody: no {', '.join(COLUMNS)}")
        elif len(line.cells[column]) > LONGEST:
            taken.refuse(line.number, f"its {column} is longer than {LONGEST} characters")
        else:
            yield Named(line.number, column, line.cells[column])


async def _find(
    session: ReadSession, project_id: int, shards: int, chunk: Sequence[Named], taken: Taken
) -> list[UserKey]:
    """The users whom these lines name; whoever cannot be told is refused with the line."""
    wanted: defaultdict[str, list[Named]] = defaultdict(list)
    for one in chunk:
        wanted[one.column].append(one)
    found = []
    for column, lines in wanted.items():
        values = await _values(session, project_id, column, lines)
        users = await _users(session, project_id, shards, column, set(values.values()))
        for line in lines:
            keys = users.get(values[line], [])
            if len(keys) == 1:
                found.append(keys[0])
            else:
                taken.refuse(line.line, _why(column, line.value, len(keys)))
    return found


async def _values(
    session: ReadSession, project_id: int, column: str, lines: Sequence[Named]
) -> dict[Named, str]:
    """What to look for: ids as they are, addresses as they are kept."""
    if column != "phone":
        return {line: line.value for line in lines}
    region = region_of((await projects.by_id(session, project_id)).time_zone)
    return {line: to_e164(line.value, region) or "" for line in lines}


async def _users(
    session: ReadSession, project_id: int, shards: int, column: str, values: set[str]
) -> dict[str, list[UserKey]]:
    about = (session, project_id, shards)
    if column in ("email", "phone"):
        return await finding.by_addresses(*about, "email" if column == "email" else "sms", values)
    kind = USER_ID if column == "user_id" else ANONYMOUS_ID
    found = await finding.by_identities(*about, kind, values)
    return {value: [key] for value, key in found.items()}


def _why(column: str, value: str, users: int) -> str:
    if users:
        return f"{users} users have the {column} {value[:80]!r}: it does not say which is meant"
    return f"nobody has the {column} {value[:80]!r}"


def _fresh(upload: Upload, people: Sequence[UserKey]) -> dict[int, list[int]]:
    """Those whom no line has named before, by shard."""
    fresh: defaultdict[int, list[int]] = defaultdict(list)
    for shard, number in people:
        if number in upload.seen[shard]:
            upload.taken.known += 1
            continue
        upload.seen[shard].add(number)
        upload.taken.changed += 1
        fresh[shard].append(number)
    return fresh


async def _tell(
    db: Database, project_id: int, list_id: int, people: dict[int, list[int]], now: Instant
) -> None:
    entries = [
        inbox.Entry(
            shard,
            project_id,
            user_lists.LIST_ADD,
            orjson.dumps({"list_id": list_id, "numbers": numbers, "at": now}),
            now,
        )
        for shard, numbers in people.items()
    ]
    async with db.write() as session:
        await inbox.append(session, entries)
