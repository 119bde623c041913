"""What suppresses an address, whoever said so: asked for one, for many, in SQL, and listed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, bindparam, func, or_, select

from server.clock import Instant

from . import paging
from .among import among
from .bulk import replacing, table_of
from .consents import in_sql, kept_under
from .paging import Page, Slice
from .same_address import EMAIL, same_address, same_address_in
from .sessions import ReadSession
from .suppressing import EVERY_PURPOSE
from .tables import Suppression

HEARD, PEOPLE = "heard", "people"
FOR_EVER: Instant = 2**62

Key = tuple[int, str, str, str]
"""Project, channel, address and purpose."""

_table = table_of(Suppression)
REPLACE = replacing(Suppression, "reason", "since", "until", "source", "note", "heard")
"""Puts whole rows, in the order of the table's columns, in the place of those with their keys."""
_KEYS = (_table.c.channel, _table.c.address, _table.c.purpose, _table.c.set_by)
_SOME = (
    select(_table)
    .where(_table.c.project_id == bindparam("of_project"), _table.c.channel == bindparam("of_channel"))
    .where(among(_table.c.address, "addresses"), _table.c.set_by == bindparam("of_set_by"))
    .order_by(_table.c.address, _table.c.purpose)
)


_SUPPRESSING = (
    select(_table)
    .where(_table.c.project_id == bindparam("of_project"), _table.c.channel == bindparam("of_channel"))
    .where(among(_table.c.address, "addresses"), _table.c.since.is_not(None))
)


def key_of(row: Any) -> Key:
    return row.project_id, row.channel, row.address, row.purpose


def suppressed_until(
    project_id: ColumnElement[int],
    channel: ColumnElement[str],
    address: ColumnElement[str],
    purpose: ColumnElement[str],
) -> ScalarSelect[int]:
    """Until when no message of this purpose may go there, as far as anything says; null if nothing does."""
    return (
        select(func.max(func.coalesce(_table.c.until, FOR_EVER)))
        .where(_table.c.project_id == project_id, _table.c.channel.in_((channel, in_sql(channel))))
        .where(_table.c.address == same_address_in(channel, address))
        .where(_table.c.purpose.in_((EVERY_PURPOSE, purpose)), _table.c.since.is_not(None))
        .scalar_subquery()
    )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which suppressions to list. What is None does not matter."""

    channel: str | None = None
    address: str | None = None
    purpose: str | None = None
    reason: str | None = None
    source: str | None = None


async def by_key(session: ReadSession, key: Key, set_by: str) -> Any | None:
    """The row, if it suppresses."""
    about = {"of_project": key[0], "of_channel": key[1], "addresses": [key[2]], "of_set_by": set_by}
    rows = [row for row in await session.rows(_SOME, about) if row.purpose == key[3]]
    return rows[0] if rows and rows[0].since is not None else None


async def until_by_address(
    session: ReadSession, project_id: int, addresses: Mapping[str, Collection[str]]
) -> dict[Key, Instant]:
    """Until when these addresses, by channel and as they are written here, are suppressed, by purpose."""
    found: dict[Key, Instant] = {}
    for channel, written in addresses.items():
        for row in await _suppressing(session, project_id, channel, written):
            until = FOR_EVER if row.until is None else row.until
            key = (project_id, channel, row.address, row.purpose)
            found[key] = max(until, found.get(key, 0))
    return found


async def _suppressing(
    session: ReadSession, project_id: int, channel: str, written: Collection[str]
) -> list[Any]:
    """Of these addresses. Who is not to be written to by KakaoTalk is not, whatever carries the message."""
    found: list[Any] = []
    for asked in {channel, kept_under(channel)}:
        about = {"of_project": project_id, "of_channel": asked}
        found += await session.rows_in(_SUPPRESSING, "addresses", sorted(written), about)
    return found


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


async def rows_of(
    session: ReadSession, keys: Collection[Key], set_by: str, *, held: bool = False
) -> list[Any]:
    """What is noted of these, whether it suppresses or not; `held`: until our end nobody changes it."""
    by_channel: dict[tuple[int, str], set[str]] = {}
    for project_id, channel, address, _ in sorted(keys):
        by_channel.setdefault((project_id, channel), set()).add(address)
    statement = _SOME.with_for_update() if held else _SOME
    found: list[Any] = []
    for (project_id, channel), addresses in by_channel.items():
        about = {"of_project": project_id, "of_channel": channel, "of_set_by": set_by}
        found += await session.rows_in(statement, "addresses", sorted(addresses), about)
    return [row for row in found if key_of(row) in keys]


async def causes(session: ReadSession, messages: Collection[Any], at: Instant) -> dict[int, str]:
    """By message: why its address is suppressed at that instant; an opt-out goes before everything else."""
    found: dict[int, str] = {}
    for project_id, channel in {(one.project_id, one.channel) for one in messages}:
        here = [one for one in messages if (one.project_id, one.channel) == (project_id, channel)]
        written = {one.id: same_address(channel, one.address) for one in here}
        rows = await _suppressing(session, project_id, channel, set(written.values()))
        for one in here:
            why = sorted(_reasons(rows, written[one.id], one.purpose, at), key=lambda it: it != "opted_out")
            found.update({one.id: why[0]} if why else {})
    return found


def _reasons(rows: Collection[Any], address: str, purpose: str, at: Instant) -> list[str]:
    return [
        str(row.reason)
        for row in rows
        if row.address == address
        and row.purpose in (EVERY_PURPOSE, purpose)
        and (row.until is None or row.until > at)
    ]
