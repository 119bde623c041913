"""What did not arrive, and the provider's own words for why: asked of the receipts.

A message counts once, as the counters count it: by how it ended, for its reason, when that was first heard.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select

from channels.contract import ReceiptKind
from channels.reasons import Reason
from server.clock import Instant

from .bulk import table_of
from .sessions import ReadSession
from .tables import Connection, Counter, Journey, Message, Receipt, Unclaimed

MOST_ROWS = 2_000
"""Different issues of one answer; the most frequent ones."""
MOST_UNCLAIMED = 5_000
LONGEST_SAMPLE = 300
QUEUED = "queued"
"""The metric of the messages that were decided."""

_receipts, _messages, _counters = table_of(Receipt), table_of(Message), table_of(Counter)
_unclaimed, _connections = table_of(Unclaimed), table_of(Connection)
_earlier = _receipts.alias("earlier")

FAMILIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "failed": {
        "failed": (ReceiptKind.FAILED.value, ReceiptKind.REFUSED.value),
        "expired": (ReceiptKind.EXPIRED.value,),
    },
    "bounced": {"bounced": (ReceiptKind.BOUNCED.value,)},
    "skipped": {"skipped": (ReceiptKind.SKIPPED.value,)},
    "unknown": {"unknown": (ReceiptKind.UNKNOWN.value,)},
}
"""By family: the statuses that belong to it, and the kinds of receipts that give a message that status."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which issues: heard from `since` up to, not including, `until`."""

    since: Instant
    until: Instant
    journey_id: int | None = None
    channel: str | None = None
    connection_id: int | None = None
    family: str | None = None
    reason: str | None = None
    code: str | None = None


class Issue(NamedTuple):
    channel: str
    connection_id: int
    """0 for what was never given to a connection."""
    family: str
    reason: str
    code: str
    times: int
    first_at: Instant
    last_at: Instant
    sample: str

    @property
    def place(self) -> tuple[int, str, int, str, str, str]:
        """The most frequent first; no two issues have the same."""
        return -self.times, self.channel, self.connection_id, self.family, self.reason, self.code


class UnmappedCode(NamedTuple):
    connection_id: int
    kind: str
    code: str
    times: int
    last_at: Instant
    sample: str


async def by_code(session: ReadSession, project_id: int, shards: int, wanted: Wanted) -> list[Issue]:
    """The issues in order of `place`."""
    ended = _ended(project_id, shards, wanted).subquery()
    groups = (ended.c.channel, ended.c.connection_id, ended.c.family, ended.c.reason, ended.c.code)
    figures = (func.count(), func.min(ended.c.at), func.max(ended.c.at), func.max(ended.c.sample))
    statement = select(*groups, *figures).where(ended.c.turn == 1).group_by(*groups)
    for name in ("connection_id", "family", "reason", "code"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(ended.c[name] == value)
    rows = await session.rows(statement.order_by(func.count().desc(), *groups).limit(MOST_ROWS))
    return sorted((Issue(*row) for row in rows), key=lambda issue: issue.place)


class StepIssue(NamedTuple):
    """The same of one step of one journey, whatever the connection."""

    channel: str
    step_key: str
    family: str
    reason: str
    code: str
    times: int
    sample: str


async def by_step(session: ReadSession, project_id: int, shards: int, wanted: Wanted) -> list[StepIssue]:
    """Codes by step, the most frequent first."""
    ended = _ended(project_id, shards, wanted).subquery()
    groups = (ended.c.channel, ended.c.step_key, ended.c.family, ended.c.reason, ended.c.code)
    statement = select(*groups, func.count(), func.max(ended.c.sample)).where(ended.c.turn == 1)
    order = (func.count().desc(), *groups)
    rows = await session.rows(statement.group_by(*groups).order_by(*order).limit(MOST_ROWS))
    return [StepIssue(*row) for row in rows]


def _ended(project_id: int, shards: int, wanted: Wanted) -> Select[Any]:
    """One row for each receipt of the kind that its message ended by; the message's first has turn 1."""
    order = (_receipts.c.reason != _messages.c.reason, _receipts.c.occurred_at, _receipts.c.key)
    turn = func.row_number().over(partition_by=(_receipts.c.shard, _receipts.c.message_id), order_by=order)
    words = func.coalesce(func.nullif(_receipts.c.detail, ""), _receipts.c.raw)
    return (
        select(
            _messages.c.channel,
            _messages.c.step_key,
            func.coalesce(_receipts.c.connection_id, _messages.c.connection_id, 0).label("connection_id"),
            _family().label("family"),
            # The message's own: of several receipts it has the one that the counters have.
            _messages.c.reason,
            _receipts.c.code,
            _receipts.c.occurred_at.label("at"),
            func.substr(words, 1, LONGEST_SAMPLE).label("sample"),
            turn.label("turn"),
        )
        .join(
            _messages, and_(_messages.c.shard == _receipts.c.shard, _messages.c.id == _receipts.c.message_id)
        )
        .where(*_conditions(project_id, shards, wanted))
    )


def _conditions(project_id: int, shards: int, wanted: Wanted) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        _receipts.c.shard.in_(list(range(shards))),
        _receipts.c.project_id == project_id,
        _receipts.c.reason != "",
        _receipts.c.occurred_at >= wanted.since,
        _receipts.c.occurred_at < wanted.until,
        _is_end(_receipts),
        # Counted where it was first heard, which may be before this time.
        ~exists().where(
            _earlier.c.shard == _messages.c.shard,
            _earlier.c.message_id == _messages.c.id,
            _earlier.c.occurred_at < wanted.since,
            _is_end(_earlier),
        ),
    ]
    if wanted.journey_id is not None:
        conditions.append(_messages.c.journey_id == wanted.journey_id)
    if wanted.channel is not None:
        conditions.append(_messages.c.channel == wanted.channel)
    return conditions


def _is_end(receipts: Any) -> ColumnElement[bool]:
    return or_(
        *(
            and_(_messages.c.status == status, receipts.c.kind.in_(kinds))
            for statuses in FAMILIES.values()
            for status, kinds in statuses.items()
        )
    )


def _family() -> ColumnElement[str]:
    return case(
        *(
            (_messages.c.status == status, literal(family))
            for family, statuses in FAMILIES.items()
            for status in statuses
        ),
        else_=literal(""),
    )


async def queued(session: ReadSession, project_id: int, shards: int, wanted: Wanted) -> dict[str, int]:
    """By channel: how many messages were decided in the time, of this journey or of all."""
    statement = select(_counters.c.channel, func.sum(_counters.c.n)).where(
        _counters.c.shard.in_(list(range(shards))),
        _counters.c.project_id == project_id,
        # Journey by journey, each by the index; the project's counters as a whole are many.
        _counters.c.journey_id.in_(_journeys_of(project_id, wanted.journey_id)),
        _counters.c.metric == QUEUED,
        _counters.c.clock == 0,
        # Hours alone are as large as instants.
        _counters.c.span >= wanted.since,
        _counters.c.span < wanted.until,
    )
    return {row[0]: int(row[1]) for row in await session.rows(statement.group_by(_counters.c.channel))}


def _journeys_of(project_id: int, journey_id: int | None) -> Select[Any] | list[int]:
    if journey_id is not None:
        return [journey_id]
    table = table_of(Journey)
    return select(table.c.id).where(table.c.project_id == project_id)


# What no map explains yet


async def unmapped(
    session: ReadSession, project_id: int, shards: int, since: Instant, until: Instant
) -> list[UnmappedCode]:
    """Codes with the reason `unknown` and kinds that nobody knows, the most frequent first."""
    found: defaultdict[tuple[int, str, str], list[Any]] = defaultdict(lambda: [0, 0, ""])
    for row in await session.rows(_unexplained(project_id, shards, since, until)):
        found[row[0], row[1], row[2]] = list(row[3:])
    for row in await session.rows(_unplaced(project_id, since, until)):
        told = orjson.loads(row.receipt)
        if told["kind"] == ReceiptKind.UNMAPPED or told["reason"] == Reason.UNKNOWN:
            seen = found[row.connection_id, told["kind"], told["code"]]
            sample = (told["text"] or told["raw"])[:LONGEST_SAMPLE]
            seen[:] = [seen[0] + 1, max(seen[1], row.heard_at), seen[2] or sample]
    listed = [UnmappedCode(*key, *figures) for key, figures in found.items()]
    return sorted(listed, key=lambda one: (-one.times, one[:3]))[:MOST_ROWS]


def _unexplained(project_id: int, shards: int, since: Instant, until: Instant) -> Select[Any]:
    words = func.coalesce(func.nullif(_receipts.c.detail, ""), _receipts.c.raw)
    groups = (func.coalesce(_receipts.c.connection_id, 0), _receipts.c.kind, _receipts.c.code)
    return (
        select(
            *groups,
            func.count(),
            func.max(_receipts.c.occurred_at),
            func.max(func.substr(words, 1, LONGEST_SAMPLE)),
        )
        .where(
            _receipts.c.shard.in_(list(range(shards))),
            _receipts.c.project_id == project_id,
            _receipts.c.reason != "",
            _receipts.c.reason == Reason.UNKNOWN.value,
            _receipts.c.occurred_at >= since,
            _receipts.c.occurred_at < until,
        )
        .group_by(*groups)
        .order_by(func.count().desc())
        .limit(MOST_ROWS)
    )


def _unplaced(project_id: int, since: Instant, until: Instant) -> Select[Any]:
    ours = select(_connections.c.id).where(_connections.c.project_id == project_id)
    return (
        select(_unclaimed)
        .where(
            _unclaimed.c.heard_at >= since,
            _unclaimed.c.heard_at < until,
            _unclaimed.c.connection_id.in_(ours),
        )
        .order_by(_unclaimed.c.heard_at.desc())
        .limit(MOST_UNCLAIMED)
    )
