"""Lists of users from CSV files: each line names one by an id, or by an address that only one user has.

What else a line says is kept with who is on the list. All of it is kept in the shards of its users, so what
the file says goes through their inboxes.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

from . import newcomers, sheets, values
from .newcomers import Newcomer
from .taking import Taken, in_chunks
from .values import Columns

COLUMNS = ("user_id", "anonymous_id", "email", "phone")
"""Of these a file has one or several; of a line's cells the first that is not empty counts."""
MOST_TOLD = 1000
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is to be taken in."""

    name: str
    """Of the list."""
    replaces: bool = False
    """Whether everybody else is taken off."""
    creates_users: bool = False
    """Whether a phone number that nobody has makes a user."""
    required: Sequence[str] = ()
    """Of which columns every line has to have a value, beside those written as `#{name}`."""
    dry_run: bool = False


class Named(NamedTuple):
    """Whom a line names, and what else it says."""

    line: int
    column: str
    value: str
    said: str = ""


@dataclass(slots=True)
class Upload:
    """What came of a file: the list, and how its lines fared."""

    list_id: int = 0
    columns: Columns = Columns()
    taken: Taken = field(default_factory=lambda: Taken(most_told=MOST_TOLD))
    created: int = 0
    """Phone numbers that nobody had, of whom users are made."""
    seen: defaultdict[int, BitMap64] = field(default_factory=lambda: defaultdict(BitMap64))
    """The users of each shard whom a line has named."""
    said: dict[UserKey | str, tuple[int, int]] = field(default_factory=dict)
    """By whom: the line that named them first, and a hash of what it said, if lines say anything."""


@dataclass(slots=True)
class _Found:
    """Whom a chunk of lines names."""

    known: list[tuple[Named, UserKey]] = field(default_factory=list)
    new: list[tuple[Named, str]] = field(default_factory=list)
    """Phone numbers that nobody has."""


async def take_in(
    db: Database, source: Path | IO[str], project_id: int, shards: int, wish: Wish, now: Instant
) -> Upload:
    """Puts those whom the file names on the list of this name, which is made if there is none.

    A bad line is told of, and the others are taken. Raises BadInput for a file without one of the columns,
    before anything is changed.
    """
    sheets.check_one_of(source, COLUMNS)
    upload = Upload()
    upload.columns = values.read_columns(sheets.columns_of(source), COLUMNS, wish.required)
    if not wish.dry_run:
        upload.list_id = await _begin(db, project_id, shards, wish, upload.columns, now)
    for chunk in in_chunks(_named(source, upload)):
        async with db.read() as session:
            found = await _find(session, project_id, shards, chunk, upload.taken, creates=wish.creates_users)
        fresh, new = _fresh(upload, found.known), _fresh_numbers(upload, found.new)
        if not wish.dry_run:
            told = _additions(project_id, upload.list_id, fresh, now)
            async with db.read() as session:
                unspoken = await projects.unspoken(session, project_id) if new else ""
            told += newcomers.entries(project_id, shards, upload.list_id, new, now, unspoken=unspoken)
            async with db.write() as session:
                await inbox.append(session, told)
    return upload


async def _begin(
    db: Database, project_id: int, shards: int, wish: Wish, columns: Columns, now: Instant
) -> int:
    async with db.write() as session:
        found = await user_lists.named(session, project_id, wish.name)
        if found is None:
            found = await user_lists.create(session, project_id, wish.name, now)
            await setup.touch_catalog(session)
        found.changed_at = now
        kept = () if wish.replaces else orjson.loads(found.columns or "[]")
        names = list(dict.fromkeys((*kept, *columns.names)))
        found.columns = orjson.dumps(names).decode() if names else ""
        assert found.id is not None
        if wish.replaces:
            payload = orjson.dumps({"list_id": found.id})
            kind = user_lists.LIST_CLEAR
            clears = [inbox.Entry(shard, project_id, kind, payload, now) for shard in range(shards)]
            await inbox.append(session, clears)
        return found.id


def _named(source: Path | IO[str], upload: Upload) -> Iterator[Named]:
    for line in sheets.read(source, (), COLUMNS, others=True):
        column = next((name for name in COLUMNS if line.cells.get(name)), "")
        said = values.said_in(line.others)
        if wrong := line.wrong or _wrong(line.cells, column) or upload.columns.wrong(said):
            upload.taken.refuse(line.number, wrong)
        else:
            yield Named(line.number, column, line.cells[column], values.written(said))


def _wrong(cells: Mapping[str, str], column: str) -> str:
    if not column:
        return f"it names nobody: no {', '.join(COLUMNS)}"
    return f"its {column} is longer than {LONGEST} characters" if len(cells[column]) > LONGEST else ""


async def _find(
    session: ReadSession,
    project_id: int,
    shards: int,
    chunk: Sequence[Named],
    taken: Taken,
    *,
    creates: bool,
) -> _Found:
    """The users whom these lines name; whoever cannot be told is refused with the line."""
    wanted: defaultdict[str, list[Named]] = defaultdict(list)
    for one in chunk:
        wanted[one.column].append(one)
    found = _Found()
    for column, lines in wanted.items():
        looked_for = await _values(session, project_id, column, lines)
        users = await _users(session, project_id, shards, column, set(looked_for.values()))
        for line in lines:
            keys = users.get(looked_for[line], [])
            if len(keys) == 1:
                found.known.append((line, keys[0]))
            elif creates and not keys and column == "phone" and looked_for[line]:
                found.new.append((line, looked_for[line]))
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


def _fresh(upload: Upload, people: Iterable[tuple[Named, UserKey]]) -> dict[int, list[tuple[int, str]]]:
    """Those whom no line has named before, by shard, each with what their line says."""
    fresh: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for line, (shard, number) in people:
        if number in upload.seen[shard]:
            _again(upload, line, (shard, number))
            continue
        upload.seen[shard].add(number)
        _first(upload, line, (shard, number))
        fresh[shard].append((number, line.said))
    return fresh


def _fresh_numbers(upload: Upload, people: Iterable[tuple[Named, str]]) -> list[Newcomer]:
    fresh: list[Newcomer] = []
    for line, phone in people:
        if phone in upload.said:
            _again(upload, line, phone)
            continue
        upload.said[phone] = (line.line, hash(line.said))
        upload.taken.changed += 1
        upload.created += 1
        fresh.append(Newcomer(phone, line.said))
    return fresh


def _first(upload: Upload, line: Named, who: UserKey) -> None:
    upload.taken.changed += 1
    if upload.columns.names:
        upload.said[who] = (line.line, hash(line.said))


def _again(upload: Upload, line: Named, who: UserKey | str) -> None:
    """A second line about somebody: nothing new, or something else than the first."""
    before = upload.said.get(who)
    if before is None or before[1] == hash(line.said):
        upload.taken.known += 1
    else:
        upload.taken.refuse(line.line, f"line {before[0]} names the same person with other values")


def _additions(
    project_id: int, list_id: int, people: Mapping[int, Sequence[tuple[int, str]]], now: Instant
) -> list[inbox.Entry]:
    """What the shards are told of users that there are."""
    told = []
    for shard, here in people.items():
        named = {"numbers": [number for number, _ in here], "lines": [line for _, line in here]}
        payload = orjson.dumps({"list_id": list_id, **named, "at": now})
        told.append(inbox.Entry(shard, project_id, user_lists.LIST_ADD, payload, now))
    return told
