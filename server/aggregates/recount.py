"""Counts everything again from the facts, slowly and plainly, to prove the aggregates or to rebuild them.

Written apart from the code that fills them: it shares the definitions (what a message counts as, where an
hour begins) and nothing else.
"""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import orjson
from pyroaring import BitMap
from sqlalchemy import Select, delete, select

from channels.contract import ReceiptKind
from server.delivery.bursts import HIT_KINDS, is_unjudged, judge, to_hit
from server.delivery.status import (
    PROVES_SENT,
    WITH_ACTOR,
    Heard,
    carried,
    counted,
    hear,
    opened_at,
    sent_at,
)
from server.journey.credit import Letter, credit_of
from server.journey.graph import Graph, read_graph
from server.store.bulk import inserting, table_of
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import (
    Conversion,
    Counter,
    Message,
    Project,
    Receipt,
    Refusal,
    UserSet,
    Version,
    Visit,
)

from .calendar import day_of, hour_of, levels
from .metrics import Dimension, Metric

PAGE = 10_000
CounterKey = tuple[int, int, int, str, str, str, str, str, int]
"""Project, journey, version, step, output, channel, metric, reason, hour."""
SetKey = tuple[int, int, str, str, int]
"""Shard, project, dimension, value, day."""


@dataclass(slots=True)
class Recount:
    """Both aggregates, from the facts alone."""

    counters: defaultdict[tuple[int, CounterKey], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0])
    )
    """By shard and key: count and amount."""
    sets: defaultdict[SetKey, BitMap] = field(default_factory=lambda: defaultdict(BitMap))
    zones: dict[int, str] = field(default_factory=dict)
    graphs: dict[tuple[int, int], Graph] = field(default_factory=dict)
    """By journey and version."""
    hits: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Conversions by run."""
    letters: defaultdict[int, list[Letter]] = field(default_factory=lambda: defaultdict(list))
    """Messages of runs that have any, as far as they can be credited."""

    def count(
        self, fact: Any, metric: Metric, step_key: str, at: int, *, amount: int = 0, n: int = 1, **more: str
    ) -> None:
        hour = hour_of(at, self.zones[fact.project_id])
        output, channel, reason = (more.get(name, "") for name in ("output", "channel", "reason"))
        where = (fact.project_id, fact.journey_id, fact.version, step_key, output, channel)
        found = self.counters[fact.shard, (*where, metric.value, reason, hour)]
        found[0] += n
        found[1] += amount

    def include(self, fact: Any, dimension: Dimension, value: str, at: int) -> None:
        day = day_of(at, self.zones[fact.project_id])
        for level in levels(day):
            key = (fact.shard, fact.project_id, dimension.value, value, level)
            self.sets[key].add(fact.user_number)


async def recount(session: ReadSession) -> Recount:
    """Everything, as this session's snapshot has it."""
    result = Recount()
    projects, versions = table_of(Project), table_of(Version)
    result.zones = {row.id: row.time_zone for row in await session.rows(select(projects))}
    for row in await session.rows(select(versions)):
        result.graphs[row.journey_id, row.number] = read_graph(orjson.loads(row.graph))[0]
    await _visits(session, result)
    await _refusals(session, result)
    await _conversions(session, result)
    await _messages(session, result)
    _credit(result)
    return result


async def _pages(session: ReadSession, statement: Select[Any]) -> AsyncIterator[Any]:
    """The rows of a statement, read a page at a time so that a large table does not fill the memory."""
    connection = await session.connection()
    result = await connection.stream(statement.execution_options(yield_per=PAGE))
    async for row in result:
        yield row


async def _visits(session: ReadSession, result: Recount) -> None:
    """A visit that was left is also the arrival at the next step: of the user that the run had then."""
    async for visit in _pages(session, select(table_of(Visit))):
        journey, step_key = visit.journey_id, visit.step_key
        graph = result.graphs[journey, visit.version]
        if graph.steps[step_key].is_entry:
            result.count(visit, Metric.ENTRIES, step_key, visit.arrived_at)
            result.include(visit, Dimension.ENTERED, str(journey), visit.arrived_at)
            _arrival(result, visit, step_key, visit.arrived_at)
        if visit.end_reason:
            result.count(visit, Metric.ENDED, step_key, visit.left_at, reason=visit.end_reason)
        else:
            result.count(visit, Metric.LEFT, step_key, visit.left_at, output=visit.output)
            value = f"{journey}/{step_key}/{visit.output}"
            result.include(visit, Dimension.LEFT, value, visit.left_at)
            _arrival(result, visit, graph.after(step_key, visit.output).key, visit.left_at)


def _arrival(result: Recount, visit: Any, step_key: str, at: int) -> None:
    result.count(visit, Metric.ARRIVALS, step_key, at)
    result.include(visit, Dimension.ARRIVED, f"{visit.journey_id}/{step_key}", at)


async def _refusals(session: ReadSession, result: Recount) -> None:
    async for refusal in _pages(session, select(table_of(Refusal))):
        result.count(refusal, Metric.REFUSED, refusal.step_key, refusal.occurred_at, reason=refusal.reason)


async def _conversions(session: ReadSession, result: Recount) -> None:
    """The first hit of a run by the events' time: the smallest amount among several at one instant.

    It is counted where the last hit was written: a run that moved to another shard takes its first along.
    """
    table = table_of(Conversion)
    first: dict[tuple[int, str], Any] = {}
    async for hit in _pages(session, select(table)):
        result.count(hit, Metric.HITS, "", hit.occurred_at, output=hit.goal_key, amount=hit.amount)
        result.include(hit, Dimension.REACHED, f"{hit.journey_id}/{hit.goal_key}", hit.occurred_at)
        result.hits[hit.run_id].append(hit)
        known = first.get((hit.run_id, hit.goal_key))
        if known is None or (hit.occurred_at, hit.amount) < (known.occurred_at, known.amount):
            first[hit.run_id, hit.goal_key] = hit
    for (_, goal_key), hit in first.items():
        result.count(hit, Metric.REACHED, "", hit.occurred_at, output=goal_key, amount=hit.amount)


def _credit(result: Recount) -> None:
    """Every hit to one message of its run, wherever the run has come since, or to none."""
    for run_id, hits in result.hits.items():
        for hit in hits:
            credit = credit_of(hit.occurred_at, result.letters.get(run_id, ()))
            more: dict[str, Any] = {"output": hit.goal_key, "amount": hit.amount}
            direct = (credit.direct.step_key, credit.direct.channel) if credit.direct else ("", "")
            more_direct = {**more, "channel": direct[1], "reason": credit.how}
            result.count(hit, Metric.CREDITED, direct[0], hit.occurred_at, **more_direct)
            for one in credit.assisted:
                result.count(hit, Metric.ASSISTED, one.step_key, hit.occurred_at, channel=one.channel, **more)


async def _messages(session: ReadSession, result: Recount) -> None:
    messages, receipts = table_of(Message), table_of(Receipt)
    heard: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
    async for receipt in _pages(session, select(receipts)):
        heard[receipt.shard, receipt.message_id].append(receipt)
    async for message in _pages(session, select(messages)):
        _message(result, message, heard.get((message.shard, message.id), []))


_SETS = {"accepted": Dimension.SENT, "opened": Dimension.OPENED, "clicked": Dimension.CLICKED}


def _message(result: Recount, message: Any, receipts: list[Any]) -> None:
    step_key, channel = message.step_key, message.channel
    result.count(message, Metric.QUEUED, step_key, message.created_at, channel=channel)
    folded: Heard = {}
    for receipt in receipts:
        hear(folded, receipt.kind, receipt.occurred_at)
        if receipt.kind in _SETS:
            value = f"{message.journey_id}/{step_key}"
            result.include(message, _SETS[receipt.kind], value, receipt.occurred_at)
        if receipt.kind in PROVES_SENT and message.attempted_at is not None:
            result.include(message, Dimension.SENT, f"{message.journey_id}/{step_key}", message.attempted_at)
    hits = [
        to_hit(one.kind, one.occurred_at, one.actor, one.url) for one in receipts if one.kind in HIT_KINDS
    ]
    for kind, actor, at, _ in judge(hits, together=not is_unjudged(orjson.loads(message.heard))):
        hear(folded, f"{kind}/{actor}", at)
        every = WITH_ACTOR[ReceiptKind(kind)][0]
        result.count(message, every, step_key, at, channel=channel, reason=actor)
    found = counted(folded, message.reason, message.attempted_at)
    for (metric, reason), at in found.items():
        result.count(message, metric, step_key, at, channel=channel, reason=reason)
    if message.connection_id is not None:
        for metric, at in carried(found).items():
            result.count(message, metric, "", at, channel=channel, output=str(message.connection_id))
    if message.run_id in result.hits:
        times = sent_at(folded, message.attempted_at), opened_at(folded)
        result.letters[message.run_id].append(Letter(message.id, step_key, channel, *times))


async def differences(session: ReadSession) -> list[str]:
    """Where the aggregates and the facts disagree, in words; nothing, if all is well."""
    result = await recount(session)
    return [*await _counter_differences(session, result), *await _set_differences(session, result)]


async def _counter_differences(session: ReadSession, result: Recount) -> list[str]:
    wanted: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0])
    for (_, key), (n, amount) in result.counters.items():
        wanted[key][0] += n
        wanted[key][1] += amount
    stored: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0])
    async for row in _pages(session, select(table_of(Counter))):
        key = (
            row.project_id,
            row.journey_id,
            row.version,
            row.step_key,
            row.output,
            row.channel,
            row.metric,
            row.reason,
            row.hour,
        )
        stored[key][0] += row.n
        stored[key][1] += row.amount
    return [
        f"counter {key}: stored {stored[key]}, the facts say {wanted[key]}"
        for key in sorted({*stored, *wanted})
        if stored[key] != wanted[key]
    ]


async def _set_differences(session: ReadSession, result: Recount) -> list[str]:
    stored: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
    async for row in _pages(session, select(table_of(UserSet))):
        stored[row.shard, row.project_id, row.dimension, row.value, row.day] |= BitMap.deserialize(row.bitmap)
    found = []
    for key in sorted({*stored, *result.sets}):
        missing = result.sets[key] - stored[key]
        extra = stored[key] - result.sets[key]
        if missing or extra:
            found.append(f"user set {key}: {len(missing)} missing, {len(extra)} too many")
    return found


_ADD_COUNTERS = inserting(Counter)
_ADD_SETS = inserting(UserSet)


async def rebuild(session: WriteSession) -> tuple[int, int]:
    """Puts the recount in the place of both aggregates. No engine may work meanwhile. Returns row counts."""
    result = await recount(session)
    await session.run(delete(table_of(Counter)))
    await session.run(delete(table_of(UserSet)))
    counters = [
        (shard, *key[:6], "", *key[6:], n, amount)
        for (shard, key), (n, amount) in result.counters.items()
        if n or amount
    ]
    sets = [(*key, 0, bitmap.serialize()) for key, bitmap in result.sets.items()]
    await session.bulk(_ADD_COUNTERS, counters)
    await session.bulk(_ADD_SETS, sets)
    return len(counters), len(sets)
