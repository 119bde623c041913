"""Looks whether all is well: the schema, the file, the two conservation laws, and what is stuck."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sqlalchemy import exists, func, select, text

from channels.contract import Purpose
from server import lives
from server.aggregates.calendar import ALL_TIME
from server.aggregates.metrics import Metric
from server.clock import DAY, MINUTE, Instant
from server.commerce.reading import UNREADABLE_AMOUNT
from server.delivery.status import DeliveryStatus
from server.store import migrations
from server.store.bulk import table_of
from server.store.database import Database
from server.store.sessions import ReadSession
from server.store.tables import Counter, Message, Project, Purchase, Quarantine, Run, ShardState

STUCK = 15 * MINUTE
RECENT = 7 * DAY


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what is wrong with it; nothing, if it is well."""

    about: str
    wrong: str = ""


async def examine(db: Database, now: Instant, overdue: int = STUCK) -> list[Finding]:
    """Every check, each with its finding. Changes nothing. A wait that is over is told `overdue` later."""
    found = await migrations.revision(db.engine)
    if found != migrations.HEAD:
        wrong = f"at revision {found or 'none'}, wanted {migrations.HEAD}: run `sojourn migrate`"
        return [Finding("schema", wrong)]
    checks: list[tuple[str, Callable[[ReadSession], Awaitable[str]]]] = [
        ("journey law: entries = inside now + ended", _journey_law),
        ("step law: arrivals = waiting now + left + ended here", _step_law),
        ("inbox: nothing in quarantine", _quarantine),
        *lives.checks(now, overdue),
        ("messages: every attempt has an outcome", lambda session: _unanswered(session, now)),
        ("law: projects in Korea go by it, or say why not", _lawless),
        ("orders: every amount can be read", lambda session: _unread(session, now)),
    ]
    if db.is_sqlite:
        checks.append(("file: sound", _integrity))
    findings = [Finding("schema")]
    async with db.read() as session:
        for about, check in checks:
            findings.append(Finding(about, await check(session)))
    return findings


async def _lawless(session: ReadSession) -> str:
    """Advertisements at night need a consent there: who was here before the check has to say so."""
    table, messages = table_of(Project), table_of(Message)
    advertises = exists().where(
        messages.c.project_id == table.c.id, messages.c.purpose == Purpose.ADVERTISEMENT.value
    )
    statement = select(table.c.id, table.c.name).where(
        *(table.c.time_zone == "Asia/Seoul", table.c.law == "", table.c.law_reason == ""),
        *(~table.c.is_sample, advertises),
    )
    found = [f"{row.id} ({row.name})" for row in await session.rows(statement)]
    command = "`sojourn project law KR`, or `none --reason …`"
    return f"nobody has said of {', '.join(found)}: {command}" if found else ""


async def reached(db: Database) -> Instant:
    """The time that events have reached in any shard: now, where the clock follows them."""
    async with db.read() as session:
        found = (await session.rows(select(func.max(table_of(ShardState).c.clock_at))))[0][0]
    return int(found or 0)


async def _sums(session: ReadSession, *by: str) -> dict[tuple[object, ...], dict[str, int]]:
    table = table_of(Counter)
    columns = [table.c[name] for name in by]
    ever = table.c.span == ALL_TIME
    statement = select(*columns, table.c.metric, func.sum(table.c.n)).where(ever)
    statement = statement.group_by(*columns, table.c.metric)
    found: dict[tuple[object, ...], dict[str, int]] = {}
    for *key, metric, n in await session.rows(statement):
        found.setdefault(tuple(key), {})[metric] = int(n)
    return found


async def _inside(session: ReadSession, *by: str) -> dict[tuple[object, ...], int]:
    table = table_of(Run)
    columns = [table.c[name] for name in by]
    statement = select(*columns, func.count()).where(table.c.wake_at.is_not(None)).group_by(*columns)
    return {tuple(key): int(n) for *key, n in await session.rows(statement)}


async def _journey_law(session: ReadSession) -> str:
    inside = await _inside(session, "project_id", "journey_id")
    broken = [
        f"journey {key[1]}: {sums.get(Metric.ENTRIES, 0)} entries, {inside.get(key, 0)} inside, "
        f"{sums.get(Metric.ENDED, 0)} ended"
        for key, sums in (await _sums(session, "project_id", "journey_id")).items()
        if sums.get(Metric.ENTRIES, 0) != inside.get(key, 0) + sums.get(Metric.ENDED, 0)
    ]
    return "; ".join(broken)


async def _step_law(session: ReadSession) -> str:
    by = ("project_id", "journey_id", "step_key")
    waiting = await _inside(session, *by)
    broken = []
    for key, sums in (await _sums(session, *by)).items():
        left = sums.get(Metric.LEFT, 0) + sums.get(Metric.ENDED, 0)
        if sums.get(Metric.ARRIVALS, 0) != waiting.get(key, 0) + left:
            broken.append(
                f"step {key[2]!r} of journey {key[1]}: {sums.get(Metric.ARRIVALS, 0)} arrivals, "
                f"{waiting.get(key, 0)} waiting, {left} left or ended"
            )
    return "; ".join(broken)


async def _quarantine(session: ReadSession) -> str:
    table = table_of(Quarantine)
    rows = await session.rows(select(table.c.shard, table.c.id, table.c.error).limit(5))
    return "; ".join(f"row {row.id} of shard {row.shard}: {row.error}" for row in rows)


async def _unanswered(session: ReadSession, now: Instant) -> str:
    table = table_of(Message)
    statement = select(func.count()).where(
        table.c.status == DeliveryStatus.ATTEMPTED.value, table.c.attempted_at < now - STUCK
    )
    count = (await session.rows(statement))[0][0]
    return f"{count} unanswered; a running dispatcher reports them as unknown" if count else ""


async def _unread(session: ReadSession, now: Instant) -> str:
    """Orders of late that count without an amount, though they name one."""
    table = table_of(Purchase)
    statement = select(table.c.order_id).where(
        table.c.flag == UNREADABLE_AMOUNT, table.c.ordered_at >= now - RECENT, table.c.ordered_at <= now
    )
    found = [row.order_id for row in await session.rows(statement.limit(1000))]
    some = ", ".join(repr(one) for one in found[:5])
    return f"{len(found)} in the last week without one that can be read, such as {some}" if found else ""


async def _integrity(session: ReadSession) -> str:
    found = [row[0] for row in await session.rows(text("PRAGMA integrity_check"))]
    strays = await session.rows(text("PRAGMA foreign_key_check"))
    problems = [] if found == ["ok"] else found[:5]
    return "; ".join([*problems, *(f"a row of {row[0]} refers to nothing" for row in strays[:5])])
