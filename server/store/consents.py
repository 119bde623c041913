"""What users have agreed to: for each channel and purpose the latest decision. Rules: docs/permissions.md."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Delete,
    Insert,
    Update,
    and_,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from channels.contract import Purpose
from server.alimtalk.declaration import BENEFIT_NOTICE
from server.clock import Instant

from . import paging
from .bulk import Bulk, table_of
from .paging import Page, Slice
from .sessions import ReadSession
from .tables import Consent, User
from .users import UserKey, among

_table, _users = table_of(Consent), table_of(User)
_KEYS = (_table.c.shard, _table.c.user_number, _table.c.channel, _table.c.purpose)


NIGHT_ADVERTISEMENT = "night_advertisement"
"""The purpose of a consent to advertisements at night."""
BENEFITS_KEPT_UNDER = "kakao"
"""What a template of Alimtalk demands is decided there, also when a text message goes in its place."""
PURPOSES = (*(one.value for one in Purpose), BENEFIT_NOTICE, NIGHT_ADVERTISEMENT)
"""What people decide about. A message itself is information or an advertisement."""
BASES = ("consent", "terms", "contract", "transaction")
"""On what ground a consent may stand."""
_ASKED_UNDER = {"brand_message": "kakao"}


def kept_under(channel: str) -> str:
    """The channel under which a consent is kept: people agree to advertisements by KakaoTalk, whatever
    carries them."""
    return _ASKED_UNDER.get(channel, channel)


def in_sql(channel: ColumnElement[str]) -> ColumnElement[str]:
    """The same of a column."""
    return case(_ASKED_UNDER, value=channel, else_=channel)


DECIDE = "decide"
"""The command that tells a shard what one of its users has decided."""
LONGEST_WORD = 40
LONGEST_NOTE = 2000


class Decision(NamedTuple):
    """What a user has decided for one channel and purpose."""

    channel: str
    purpose: str
    granted: bool
    decided_at: Instant
    source: str = ""
    evidence: str = ""
    basis: str = ""
    until: Instant | None = None


def _is_greater(new: Any) -> ColumnElement[bool]:
    """Whether the rest of what it says is greater, word by word."""
    never: ColumnElement[int] = literal_column("0")
    pairs: list[tuple[Any, Any]] = [
        *((new[name], _table.c[name]) for name in ("source", "evidence", "basis")),
        (func.coalesce(new.until, never), func.coalesce(_table.c.until, never)),
    ]
    found: ColumnElement[bool] = false()
    for theirs, ours in reversed(pairs):
        found = or_(theirs > ours, and_(theirs == ours, found))
    return found


def _deciding() -> Bulk:
    """The latest decision stays, in whatever order they come; of two at one instant the refusal."""
    statements: dict[str, Insert | Update | Delete] = {}
    for name, dialect in (("sqlite", sqlite), ("postgresql", postgresql)):
        statement = dialect.insert(_table)
        new = statement.excluded
        same = new.decided_at == _table.c.decided_at
        wins = or_(
            new.decided_at > _table.c.decided_at,
            and_(same, ~new.granted, _table.c.granted),
            # Between two that say the same anything will do that is the same in every order.
            and_(same, new.granted == _table.c.granted, _is_greater(new)),
        )
        put = {
            column: new[column]
            for column in ("granted", "decided_at", "source", "evidence", "basis", "until")
        }
        statements[name] = statement.on_conflict_do_update(
            index_elements=list(_table.primary_key), set_=put, where=wins
        )
    return Bulk(tuple(_table.columns.keys()), statements)


KEEP = _deciding()
"""Rows in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which consents to list. What is None does not matter."""

    channel: str | None = None
    purpose: str | None = None
    granted: bool | None = None
    source: str | None = None
    until_before: Instant | None = None
    """Those that have to be given anew before then."""
    decided_before: Instant | None = None


def holds(granted: bool | None, until: Instant | None, now: Instant) -> bool | None:
    """What a decision says now: one whose time is over is no longer granted. None if nobody decided."""
    return None if granted is None else bool(granted) and (until is None or until > now)


async def by_users(
    session: ReadSession, project_id: int, keys: Sequence[UserKey]
) -> dict[UserKey, list[Consent]]:
    """The decisions of these users, by channel and purpose."""
    statement = select(_table).where(_table.c.project_id == project_id, among(_table, keys))
    found: defaultdict[UserKey, list[Consent]] = defaultdict(list)
    for row in await session.rows(statement.order_by(_table.c.channel, _table.c.purpose)):
        found[row.shard, row.user_number].append(row)
    return found


async def page(session: ReadSession, project_id: int, shards: int, wanted: Wanted, page: Page) -> Slice:
    """The decisions of a project with the `user_id` of each, user by user.

    Those of users who turned out to be others are the others' now and left out.
    """
    statement = (
        select(_table, _users.c.user_id, _users.c.created_at)
        .join(
            _users,
            and_(
                _users.c.shard == _table.c.shard,
                _users.c.project_id == _table.c.project_id,
                _users.c.number == _table.c.user_number,
            ),
        )
        .where(_table.c.shard.in_(list(range(shards))), _table.c.project_id == project_id)
        .where(_users.c.merged_into.is_(None))
    )
    for name in ("channel", "purpose", "granted", "source"):
        value = getattr(wanted, name)
        if name == "channel" and value is not None:
            value = kept_under(value)
        if value is not None:
            statement = statement.where(_table.c[name] == value)
    if wanted.until_before is not None:
        statement = statement.where(_table.c.granted, _table.c.until < wanted.until_before)
    if wanted.decided_before is not None:
        statement = statement.where(_table.c.decided_at < wanted.decided_before)
    return paging.sliced(await session.rows(paging.within(statement, _KEYS, page)), page)


def row_of(shard: int, project_id: int, number: int, decision: Decision) -> tuple[Any, ...]:
    return (shard, project_id, number, *decision)
