"""Addresses that nobody writes to: noted, lifted, listed. The rules: docs/permissions.md."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Text, bindparam, case, func, or_, select, update
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from channels.contract import Purpose
from channels.reasons import Reason
from server.clock import Instant

from . import paging
from .among import among
from .bulk import deleting, inserting, replacing, table_of
from .paging import Page, Slice
from .sessions import ReadSession, WriteSession
from .suppressing import EVERY_PURPOSE, Heard, Sighting, Verdict
from .tables import Endpoint, ShardState, Suppression

HEARD, PEOPLE = "heard", "people"
PURPOSES = (EVERY_PURPOSE, *(purpose.value for purpose in Purpose))
EMAIL, PUSH = "email", "push"
FOR_EVER: Instant = 2**62

Key = tuple[int, str, str, str]
"""Project, channel, address and purpose."""

_table, _endpoints, _states = table_of(Suppression), table_of(Endpoint), table_of(ShardState)
_VALUES = ("reason", "since", "until", "source", "note", "heard")
_FIRST = inserting(Suppression, once=True)
_REPLACE = replacing(Suppression, *_VALUES)
_REMOVE = deleting(Suppression, "project_id", "channel", "address", "purpose", "set_by")
_KEYS = (_table.c.channel, _table.c.address, _table.c.purpose, _table.c.set_by)
_SOME = (
    select(_table)
    .where(_table.c.project_id == bindparam("of_project"), _table.c.channel == bindparam("of_channel"))
    .where(among(_table.c.address, "addresses"), _table.c.set_by == bindparam("of_set_by"))
    .order_by(_table.c.address, _table.c.purpose)
)
_MARK = (
    update(_endpoints)
    .where(_endpoints.c.shard.in_(select(_states.c.shard)))
    .where(_endpoints.c.project_id == bindparam("of_project"))
    .where(_endpoints.c.channel == bindparam("of_channel"))
    .where(_endpoints.c.address.in_(bindparam("addresses", expanding=True)))
    .where(_endpoints.c.state != bindparam("of_state"))
    .values(state=bindparam("of_state"), changed_at=bindparam("of_at"), because=bindparam("of_because"))
)


_ARRIVED = (
    select(_endpoints.c.state, _endpoints.c.changed_at, _endpoints.c.reached_at)
    .where(_endpoints.c.shard.in_(select(_states.c.shard)))
    .where(_endpoints.c.project_id == bindparam("of_project"))
    .where(_endpoints.c.channel == bindparam("of_channel"))
    .where(_endpoints.c.address.in_(bindparam("addresses", expanding=True)))
)


class PutRow(NamedTuple):
    """A suppression that people set."""

    project_id: int
    channel: str
    address: str
    purpose: str
    reason: str
    since: Instant
    until: Instant | None
    source: str
    note: str

    @property
    def key(self) -> Key:
        return self.project_id, self.channel, same_address(self.channel, self.address), self.purpose

    def row(self) -> tuple[Any, ...]:
        return (*self.key, PEOPLE, self.reason, self.since, self.until, self.source, self.note, "{}")


class _Lower(FunctionElement[str]):
    """A text with A to Z made small, and nothing else changed: the same on every database."""

    type = Text()
    name = "ascii_lower"
    inherit_cache = True


@compiles(_Lower)
def _on_sqlite(element: _Lower, compiler: SQLCompiler, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


@compiles(_Lower, "postgresql")
def _on_postgresql(element: _Lower, compiler: SQLCompiler, **options: Any) -> str:
    return f'lower({compiler.process(element.clauses, **options)} COLLATE "C")'


def same_address(channel: str, address: str) -> str:
    """The one way to write an address here: e-mail addresses that differ in case are one."""
    if channel != EMAIL:
        return address
    return "".join(one.lower() if one.isascii() else one for one in address)


def same_address_in(channel: ColumnElement[str], address: ColumnElement[str]) -> ColumnElement[str]:
    """What `same_address` says, of columns."""
    return case((channel == EMAIL, _Lower(address)), else_=address)


def suppressed_until(
    project_id: ColumnElement[int],
    channel: ColumnElement[str],
    address: ColumnElement[str],
    purpose: ColumnElement[str],
) -> ScalarSelect[int]:
    """Until when no message of this purpose may go there, as far as anything says; null if nothing does."""
    return (
        select(func.max(func.coalesce(_table.c.until, FOR_EVER)))
        .where(_table.c.project_id == project_id, _table.c.channel == channel)
        .where(_table.c.address == same_address_in(channel, address))
        .where(_table.c.purpose.in_((EVERY_PURPOSE, purpose)), _table.c.since.is_not(None))
        .scalar_subquery()
    )


# What is heard


async def opt_out_address(
    session: WriteSession,
    project_id: int,
    channel: str,
    address: str,
    purpose: str,
    *,
    reason: str = Reason.OPTED_OUT.value,
    source: str,
    now: Instant,
    note: str = "",
) -> None:
    """Whoever reads this address wants no more messages of this purpose (empty: none at all).

    From this commit on nothing is handed over to it. For every purpose its endpoints say so, too, whosever
    they are. `source` is `inbound`, `unsubscribe` or `receipt`. An older `now` than what is known already is
    welcome: the latest word counts, in whatever order they come.
    """
    sighting = Sighting(project_id, channel, address, purpose, reason, now, source)
    key = (project_id, channel, same_address(channel, address), purpose)
    await hear(session, [sighting], {key: note} if note else {})


async def opt_in_address(
    session: WriteSession, project_id: int, channel: str, address: str, purpose: str, *, now: Instant
) -> None:
    """Whoever reads this address wants messages of this purpose again; empty: of every purpose.

    Ends what was heard up to now, and nothing that people have set: see docs/permissions.md.
    """
    purposes = PURPOSES if purpose == EVERY_PURPOSE else (purpose,)
    about = (project_id, channel, address)
    await hear(session, [Sighting(*about, one, "", now, "inbound", is_opt_in=True) for one in purposes])


async def hear(
    session: WriteSession, sightings: Iterable[Sighting], notes: Mapping[Key, str] | None = None
) -> None:
    """Folds sightings into what is known of their addresses, and marks the endpoints that they concern.

    That something arrived changes only rows that exist: most addresses never get one.
    """
    written: dict[Key, set[str]] = {}
    news: dict[Key, list[Sighting]] = {}
    for one in sorted(sightings, key=lambda one: one[:4]):
        key = (one.project_id, one.channel, same_address(one.channel, one.address), one.purpose)
        news.setdefault(key, []).append(one)
        written.setdefault(key, {key[2]}).add(one.address)
    lasting = [key for key, seen in news.items() if any(one.reason or one.is_opt_in for one in seen)]
    # In the order of their keys everywhere: two that write the same rows wait for each other only one way.
    await session.bulk(_FIRST, [(*key, HEARD, "", None, None, "", "", "{}") for key in sorted(lasting)])
    await _recall_what_arrived(session, news, written)
    rows = []
    for row in await _known(session, news):
        key = (row.project_id, row.channel, row.address, row.purpose)
        heard = Heard.from_json(row.heard)
        for sighting in news.get(key, ()):
            heard.take_in(sighting)
        note = (notes or {}).get(key, row.note)
        rows.append((*key, HEARD, *_told(heard.verdict()), note, heard.to_json()))
        if row.purpose == EVERY_PURPOSE:
            at = max(one.at for one in news[key])
            await _mark(session, key, sorted(written[key]), heard.verdict(), at)
    await session.bulk(_REPLACE, rows)


async def _recall_what_arrived(
    session: WriteSession, news: Mapping[Key, list[Sighting]], written: Mapping[Key, set[str]]
) -> None:
    """Adds to bad news what the endpoints know of good news, which may have come before any row was there."""
    for key, seen in news.items():
        if any(one.reason for one in seen):
            about = {"of_project": key[0], "of_channel": key[1], "addresses": sorted(written[key])}
            for row in await session.rows(_ARRIVED, about):
                at = row.reached_at
                if key[1] == PUSH and row.state == "usable":
                    # Its app handed the token in then: it was alive.
                    at = max(row.changed_at, at or 0)
                if at is not None:
                    seen.append(Sighting(*key, "", at, "receipt"))


async def show(session: WriteSession, addresses: Iterable[tuple[int, str, str]]) -> None:
    """Marks the endpoints of these addresses (project, channel, address) by what was heard before."""
    wanted: dict[Key, set[str]] = {}
    for project_id, channel, address in addresses:
        key = (project_id, channel, same_address(channel, address), EVERY_PURPOSE)
        wanted.setdefault(key, set()).add(address)
    for row in await _known(session, wanted) if wanted else ():
        key = (row.project_id, row.channel, row.address, row.purpose)
        verdict = Heard.from_json(row.heard).verdict()
        if verdict is not None:
            await _mark(session, key, sorted(wanted[key]), verdict, verdict.since)


async def _known(session: WriteSession, news: Mapping[Key, Any]) -> list[Any]:
    by_channel: dict[tuple[int, str], set[str]] = {}
    for project_id, channel, address, _ in sorted(news):
        by_channel.setdefault((project_id, channel), set()).add(address)
    found: list[Any] = []
    for (project_id, channel), addresses in by_channel.items():
        about = {"of_project": project_id, "of_channel": channel, "of_set_by": HEARD}
        statement = _SOME.with_for_update() if session.get_bind().dialect.name == "postgresql" else _SOME
        found += await session.rows_in(statement, "addresses", sorted(addresses), about)
    return [row for row in found if (row.project_id, row.channel, row.address, row.purpose) in news]


def _told(verdict: Verdict | None) -> tuple[str, Instant | None, Instant | None, str]:
    return verdict or ("", None, None, "")


async def _mark(
    session: WriteSession, key: Key, written: Sequence[str], verdict: Verdict | None, at: Instant
) -> None:
    """Endpoints show what was heard for every purpose; a state that ends by itself is not theirs to show."""
    state, because = "usable", ""
    if verdict is not None and verdict.until is None:
        state = "opted_out" if verdict.reason == Reason.OPTED_OUT else "invalid"
        at, because = verdict.since, verdict.source
    about = {"of_project": key[0], "of_channel": key[1], "of_state": state}
    await session.run(_MARK, {**about, "addresses": written, "of_at": at, "of_because": because})


# What people decide, and what is listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which suppressions to list. What is None does not matter."""

    channel: str | None = None
    address: str | None = None
    purpose: str | None = None
    reason: str | None = None
    source: str | None = None


async def put(session: WriteSession, rows: Sequence[PutRow]) -> int:
    """What people decided: suppresses addresses, in the place of what people decided before.

    Whatever holds already for the same reason and as long, whoever said so, is left as it is. Returns how
    many rows are new or have changed.
    """
    changed = await fresh(session, rows)
    await session.bulk(_REPLACE, [one.row() for one in changed])
    return len(changed)


async def fresh(session: ReadSession, rows: Sequence[PutRow]) -> list[PutRow]:
    """Those among these that say something new, each place once, in the order of the places."""
    wanted = {one.key: one for one in rows}
    known = await _rows_of(session, wanted)
    return [one for key, one in sorted(wanted.items()) if not _says_so(one, known.get(key, ()))]


async def remove(session: WriteSession, key: Key, set_by: str, *, now: Instant, note: str) -> None:
    """Ends a suppression because people want it to end. What is heard from then on counts anew."""
    if set_by == PEOPLE:
        await session.bulk(_REMOVE, [(*key, PEOPLE)])
        return
    row = await by_key(session, key, set_by)
    # Later than what it ends, should a provider's clock be ahead of ours.
    at = max(now, row.since if row else now) + 1
    await hear(session, [Sighting(*key, "", at, "api", is_opt_in=True)], {key: note})


async def by_key(session: ReadSession, key: Key, set_by: str) -> Any | None:
    """The row, if it suppresses."""
    about = {"of_project": key[0], "of_channel": key[1], "addresses": [key[2]], "of_set_by": set_by}
    rows = [row for row in await session.rows(_SOME, about) if row.purpose == key[3]]
    return rows[0] if rows and rows[0].since is not None else None


async def page(session: ReadSession, project_id: int, wanted: Wanted, at: Instant, page: Page) -> Slice:
    """What suppresses at that instant, by channel and address."""
    statement = select(_table).where(
        _table.c.project_id == project_id,
        _table.c.since <= at,
        or_(_table.c.until.is_(None), _table.c.until > at),
    )
    for name in ("channel", "purpose", "reason", "source"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(_table.c[name] == value)
    if wanted.address is not None:
        written = {wanted.address, same_address(EMAIL, wanted.address)}
        statement = statement.where(_table.c.address.in_(sorted(written)))
    return paging.sliced(await session.rows(paging.within(statement, _KEYS, page)), page)


async def _rows_of(session: ReadSession, keys: Iterable[Key]) -> dict[Key, list[Any]]:
    by_channel: dict[tuple[int, str], set[str]] = {}
    for project_id, channel, address, _ in keys:
        by_channel.setdefault((project_id, channel), set()).add(address)
    found: dict[Key, list[Any]] = {}
    for (project_id, channel), addresses in by_channel.items():
        for set_by in (HEARD, PEOPLE):
            about = {"of_project": project_id, "of_channel": channel, "of_set_by": set_by}
            for row in await session.rows_in(_SOME, "addresses", sorted(addresses), about):
                found.setdefault((project_id, channel, row.address, row.purpose), []).append(row)
    return found


def _says_so(wanted: PutRow, rows: Sequence[Any]) -> bool:
    return any(
        row.since is not None and (row.reason, row.until) == (wanted.reason, wanted.until) for row in rows
    )
