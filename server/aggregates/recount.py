"""Counts everything again from the facts, slowly and plainly, to prove the aggregates or to rebuild them.

Written apart from the code that fills them: it shares the definitions (what a message counts as, where an
hour begins) and nothing else.
"""

import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson
from pyroaring import BitMap
from sqlalchemy import Select, delete, select

from channels.contract import ReceiptKind
from server.delivery.bursts import HIT_KINDS, HUMAN, is_unjudged, judge, to_hit
from server.delivery.costs import Bill, charges, cost_of, due_at
from server.delivery.status import (
    PROVES_SENT,
    WITH_ACTOR,
    Counted,
    Heard,
    carried,
    counted,
    hear,
    opened_at,
    sent_at,
    status_of,
)
from server.journey.credit import Letter, credit_of
from server.journey.graph import Graph, read_graph
from server.journey.holdout import JOURNEY
from server.journey.moving import version_in
from server.store import prices
from server.store.bulk import inserting, table_of
from server.store.prices import PriceList
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import (
    Counter,
    Project,
    SettledCounter,
    SettledSet,
    UserSet,
    Version,
)

from . import recount_deeds, recount_lives
from .calendar import day_of, hour_of, spans, spans_of_hours
from .experiments import Stratum, value_of
from .fill import CounterKey
from .metrics import Dimension, Metric
from .recount_draws import Draws, Taken
from .scope import EVERYTHING, Scope
from .stays import class_of

PAGE = 10_000
SetKey = tuple[int, int, str, str, int, int, int]
"""Shard, project, dimension, value, clock, span, version."""


@dataclass(frozen=True, slots=True)
class Known:
    """What facts are read by: it is the same for all of them."""

    zones: dict[int, str]
    graphs: dict[tuple[int, int], Graph]
    """By journey and version."""
    prices: PriceList = field(default_factory=PriceList)


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
    prices: PriceList = field(default_factory=PriceList)
    """By journey and version."""
    draws: Draws = field(default_factory=Draws)
    runs: set[int] = field(default_factory=set)
    """Those that are in some shard, not on their way from one to another."""
    hits: defaultdict[int, list[Any]] = field(default_factory=lambda: defaultdict(list))
    """Conversions by run."""
    letters: defaultdict[int, list[Letter]] = field(default_factory=lambda: defaultdict(list))
    """Messages of runs that have any, as far as they can be credited."""

    def count(
        self, fact: Any, metric: Metric, step_key: str, at: int, *, amount: int = 0, n: int = 1, **more: str
    ) -> None:
        zone = self.zones[fact.project_id]
        output, channel, reason = (more.get(name, "") for name in ("output", "channel", "reason"))
        what = (fact.version, step_key, output, channel, more.get("variant", ""), metric.value, reason)
        for clock, span in spans_of_hours(hour_of(at, zone), hour_of(fact.entered_at, zone), zone):
            found = self.counters[fact.shard, (fact.project_id, fact.journey_id, clock, span, *what)]
            found[0] += n
            found[1] += amount

    def include(self, fact: Any, dimension: Dimension, value: str, at: int) -> None:
        zone = self.zones[fact.project_id]
        for clock, span in spans(day_of(at, zone), day_of(fact.entered_at, zone)):
            key = (fact.shard, fact.project_id, dimension.value, value, clock, span, fact.version)
            self.sets[key].add(fact.user_number)


async def know(session: ReadSession) -> Known:
    projects, versions = table_of(Project), table_of(Version)
    zones = {row.id: row.time_zone for row in await session.rows(select(projects))}
    graphs = {
        (row.journey_id, row.number): read_graph(orjson.loads(row.graph))[0]
        for row in await session.rows(select(versions))
    }
    return Known(zones, graphs, await prices.of_everybody(session))


async def recount(session: ReadSession) -> Recount:
    """Everything, as this session's snapshot has it: what is settled, and the facts that are kept."""
    result = await count_facts(session, EVERYTHING, await know(session))
    await _settled(session, result)
    return result


async def count_facts(session: ReadSession, scope: Scope, known: Known) -> Recount:
    """What the facts in this scope come to. Whatever belongs to one run has to be in one scope."""
    result = Recount(zones=known.zones, graphs=known.graphs, prices=known.prices)
    async for row in _pages(session, scope.runs):
        result.runs.add(row.id)
    await _visits(session, result, scope)
    await _refusals(session, result, scope)
    await _conversions(session, result, scope)
    await _messages(session, result, scope)
    _credit(result)
    return result


async def _settled(session: ReadSession, result: Recount) -> None:
    """What facts that are gone had come to."""
    async for row in _pages(session, select(table_of(SettledCounter))):
        shard, *key, n, amount = row
        found = result.counters[shard, tuple(key)]
        found[0] += n
        found[1] += amount
    async for row in _pages(session, select(table_of(SettledSet))):
        *key, _, bitmap = row
        result.sets[tuple(key)] |= BitMap.deserialize(bitmap)


async def _pages(session: ReadSession, statement: Select[Any]) -> AsyncIterator[Any]:
    """The rows of a statement, read a page at a time so that a large table does not fill the memory."""
    connection = await session.connection()
    result = await connection.stream(statement.execution_options(yield_per=PAGE))
    async for row in result:
        yield row


async def _visits(session: ReadSession, result: Recount, scope: Scope) -> None:
    """A visit that was left is also the arrival at the next step: of the user that the run had then."""
    async for visit in _pages(session, scope.visits):
        journey, step_key = visit.journey_id, visit.step_key
        graph = result.graphs[journey, visit.version]
        drawn = result.draws.note(visit, graph)
        if drawn is not None:
            result.include(visit, Dimension.DRAWN, f"{journey}/{drawn.output}", drawn.at)
        if visit.run_id in result.draws.held_out:
            _held_out(result, visit)
            continue
        if graph.steps[step_key].is_entry:
            result.count(visit, Metric.ENTRIES, step_key, visit.arrived_at)
            result.include(visit, Dimension.ENTERED, str(journey), visit.arrived_at)
            _arrival(result, visit, step_key, visit.arrived_at)
        if (stayed := visit.left_at - visit.arrived_at) > 0:
            how_long: dict[str, Any] = {"reason": class_of(stayed), "amount": stayed}
            result.count(visit, Metric.STAYED, step_key, visit.left_at, **how_long)
        if visit.end_reason:
            result.count(visit, Metric.ENDED, step_key, visit.left_at, reason=visit.end_reason)
        else:
            result.count(visit, Metric.LEFT, step_key, visit.left_at, output=visit.output)
            value = f"{journey}/{step_key}/{visit.output}"
            result.include(visit, Dimension.LEFT, value, visit.left_at)
            _count_next(result, visit, graph)


def _count_next(result: Recount, visit: Any, graph: Graph) -> None:
    """Where a visit led to: by an edge, or by an edit to a step of another version."""
    version = version_in(visit.output)
    if version is None:
        _arrival(result, visit, graph.after(visit.step_key, visit.output).key, visit.left_at)
        return
    result.count(visit, Metric.MOVED_OUT, visit.step_key, visit.left_at)
    there = SimpleNamespace(**{**visit._mapping, "version": version})
    result.count(there, Metric.MOVED_IN, visit.because, visit.left_at)
    _arrival(result, there, visit.because, visit.left_at)


def _held_out(result: Recount, visit: Any) -> None:
    """The one visit of a run that gets nothing. It is counted apart, and in no set."""
    variant = result.draws.variant(visit.run_id)
    result.count(visit, Metric.ENTRIES, visit.step_key, visit.arrived_at, variant=variant)
    result.count(visit, Metric.ARRIVALS, visit.step_key, visit.arrived_at, variant=variant)
    reason = visit.end_reason
    result.count(visit, Metric.ENDED, visit.step_key, visit.left_at, variant=variant, reason=reason)


def _arrival(result: Recount, visit: Any, step_key: str, at: int) -> None:
    result.count(visit, Metric.ARRIVALS, step_key, at)
    result.include(visit, Dimension.ARRIVED, f"{visit.journey_id}/{step_key}", at)


async def _refusals(session: ReadSession, result: Recount, scope: Scope) -> None:
    """Nobody has entered: it is counted by both clocks when it happened."""
    async for refusal in _pages(session, scope.refusals):
        result.count(refusal, Metric.REFUSED, refusal.step_key, refusal.occurred_at, reason=refusal.reason)


async def _conversions(session: ReadSession, result: Recount, scope: Scope) -> None:
    """The first hit of a run by the events' time: the smallest amount among several at one instant.

    It is counted where the last hit was written: a run that moved to another shard takes its first along.
    """
    first: dict[tuple[int, str], Any] = {}
    by_branch: FirstOfBranch = {}
    async for hit in _pages(session, scope.conversions):
        more = {"output": hit.goal_key, "variant": result.draws.variant(hit.run_id)}
        result.count(hit, Metric.HITS, "", hit.occurred_at, amount=hit.amount, **more)
        if not more["variant"]:
            result.include(hit, Dimension.REACHED, f"{hit.journey_id}/{hit.goal_key}", hit.occurred_at)
            result.hits[hit.run_id].append(hit)
        _note_branches(result, hit, by_branch)
        known = first.get((hit.run_id, hit.goal_key))
        if known is None or (hit.occurred_at, hit.amount) < (known.occurred_at, known.amount):
            first[hit.run_id, hit.goal_key] = hit
    for (_, goal_key), hit in first.items():
        more = {"output": goal_key, "variant": result.draws.variant(hit.run_id)}
        result.count(hit, Metric.REACHED, "", hit.occurred_at, amount=hit.amount, **more)
    for (_, taken, goal_key), hit in by_branch.items():
        more = {"output": taken.output, "reason": goal_key}
        result.count(hit, Metric.VARIANT_REACHED, taken.step_key, hit.occurred_at, amount=hit.amount, **more)


FirstOfBranch = dict[tuple[int, Taken, str], Any]
"""By run, draw and goal: the first hit since the draw."""


def _note_branches(result: Recount, hit: Any, first: FirstOfBranch) -> None:
    graph = result.graphs[hit.journey_id, hit.version]
    window = next((goal.window_ms for goal in graph.goals if goal.key == hit.goal_key), 0)
    for taken in result.draws.before(hit.run_id, hit.occurred_at, window):
        value = value_of(hit.journey_id, taken.step_key, taken.output, taken.stratum, hit.goal_key)
        result.include(hit, Dimension.VARIANT_REACHED, value, hit.occurred_at)
        known = first.get((hit.run_id, taken, hit.goal_key))
        if taken.step_key == JOURNEY:
            continue
        if known is None or (hit.occurred_at, hit.amount) < (known.occurred_at, known.amount):
            first[hit.run_id, taken, hit.goal_key] = hit


def _credit(result: Recount) -> None:
    """Every hit to one message of its run, wherever the run has come since, or to none."""
    for run_id, hits in result.hits.items():
        first: dict[str, Any] = _firsts(hits) if run_id in result.runs else {}
        for hit in hits:
            credit = credit_of(hit.occurred_at, result.letters.get(run_id, ()))
            more: dict[str, Any] = {"output": hit.goal_key, "amount": hit.amount}
            direct = (credit.direct.step_key, credit.direct.channel) if credit.direct else ("", "")
            more_direct = {**more, "channel": direct[1], "reason": credit.how}
            result.count(hit, Metric.CREDITED, direct[0], hit.occurred_at, **more_direct)
            if hit.goal_key in first and first[hit.goal_key] is hit:
                result.count(hit, Metric.CREDITED_FIRST, direct[0], hit.occurred_at, **more_direct)
            for one in credit.assisted:
                result.count(hit, Metric.ASSISTED, one.step_key, hit.occurred_at, channel=one.channel, **more)


def _firsts(hits: list[Any]) -> dict[str, Any]:
    """By goal: the earliest, and of several at one instant that of the smallest amount."""
    found: dict[str, Any] = {}
    for hit in sorted(hits, key=lambda hit: (hit.occurred_at, hit.amount)):
        found.setdefault(hit.goal_key, hit)
    return found


async def _messages(session: ReadSession, result: Recount, scope: Scope) -> None:
    heard: defaultdict[tuple[int, int], list[Any]] = defaultdict(list)
    async for receipt in _pages(session, scope.receipts):
        heard[receipt.shard, receipt.message_id].append(receipt)
    async for message in _pages(session, scope.messages):
        _message(result, message, heard.get((message.shard, message.id), []))


_READERS = {"opened": Dimension.VARIANT_OPENED, "clicked": Dimension.VARIANT_CLICKED}
_OF_BRANCHES = {
    Metric.SENT: Metric.VARIANT_SENT,
    Metric.OPENED: Metric.VARIANT_OPENED,
    Metric.CLICKED: Metric.VARIANT_CLICKED,
}
_SETS = {"accepted": Dimension.SENT, "opened": Dimension.OPENED, "clicked": Dimension.CLICKED}


def _message(result: Recount, message: Any, receipts: list[Any]) -> None:
    step_key, channel = message.step_key, message.channel
    result.count(message, Metric.QUEUED, step_key, message.created_at, channel=channel)
    folded: Heard = {}
    branches = orjson.loads(message.variants).items()
    for receipt in receipts:
        hear(folded, receipt.kind, receipt.occurred_at)
        if receipt.kind in _READERS and receipt.actor == HUMAN:
            for split, (output, *stratum) in branches:
                value = value_of(message.journey_id, split, output, Stratum(*stratum))
                result.include(message, _READERS[receipt.kind], value, receipt.occurred_at)
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
    found = counted(folded, message.reason, message.attempted_at, message.fallback_of)
    for (metric, reason), at in found.items():
        result.count(message, metric, step_key, at, channel=channel, reason=reason)
        if metric in _OF_BRANCHES:
            for split, (output, *_) in branches:
                more = {"output": output, "channel": channel, "reason": reason}
                result.count(message, _OF_BRANCHES[metric], split, at, **more)
    _cost(result, message, receipts, found)
    if message.connection_id is not None:
        for metric, at in carried(found).items():
            result.count(message, metric, "", at, channel=channel, output=str(message.connection_id))
    if message.run_id in result.hits:
        times = sent_at(folded, message.attempted_at), opened_at(folded)
        result.letters[message.run_id].append(Letter(message.id, step_key, channel, *times))


def _cost(result: Recount, message: Any, receipts: list[Any], found: Counted) -> None:
    """The last price that was told, of several at one instant the dearest; else the one it was booked by."""
    told = [cost_of(one.occurred_at, one.price, one.currency) for one in receipts]
    last = max((one for one in told if one is not None), default=None)
    status = status_of({one.kind: [] for one in receipts})
    is_due = last is None and due_at(message.billed_as, status, found) is not None
    listed = result.prices.by_id[message.priced_by] if is_due and message.priced_by is not None else None
    for one in charges(Bill(message.connection_id, message.billed_as, last, listed), status, found):
        how: dict[str, Any] = {"channel": message.channel, "output": one.output, "reason": one.reason}
        result.count(message, one.metric, message.step_key, one.at, amount=one.amount, **how)


async def differences(session: ReadSession) -> list[str]:
    """Where the aggregates and the facts disagree, in words; nothing, if all is well."""
    result = await recount(session)
    return [
        *await _counter_differences(session, result),
        *await _set_differences(session, result),
        *await recount_deeds.differences(session),
        *await recount_lives.differences(session),
    ]


async def _counter_differences(session: ReadSession, result: Recount) -> list[str]:
    wanted: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0])
    for (_, key), (n, amount) in result.counters.items():
        wanted[key][0] += n
        wanted[key][1] += amount
    stored: defaultdict[CounterKey, list[int]] = defaultdict(lambda: [0, 0])
    async for row in _pages(session, select(table_of(Counter))):
        _, *key, n, amount = row
        stored[tuple(key)][0] += n
        stored[tuple(key)][1] += amount
    return [
        f"counter {key}: stored {stored[key]}, the facts say {wanted[key]}"
        for key in sorted({*stored, *wanted})
        if stored[key] != wanted[key]
    ]


async def _set_differences(session: ReadSession, result: Recount) -> list[str]:
    stored: defaultdict[SetKey, BitMap] = defaultdict(BitMap)
    async for row in _pages(session, select(table_of(UserSet))):
        *key, _, bitmap = row
        stored[tuple(key)] |= BitMap.deserialize(bitmap)
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
    """Puts the recount in the place of all aggregates. No engine may work meanwhile. Returns row counts."""
    result = await recount(session)
    await session.run(delete(table_of(Counter)))
    await session.run(delete(table_of(UserSet)))
    counters = [
        (shard, *key, n, amount) for (shard, key), (n, amount) in result.counters.items() if n or amount
    ]
    # A number that no part has ever had: whoever remembers a set by its parts sees that this is another.
    part = -secrets.randbelow(1 << 62) - 1
    sets = [(*key, part, bitmap.serialize()) for key, bitmap in result.sets.items()]
    await session.bulk(_ADD_COUNTERS, counters)
    await session.bulk(_ADD_SETS, sets)
    # Orders before deeds, which are counted by them.
    await recount_lives.rebuild(session)
    return len(counters), len(sets) + await recount_deeds.rebuild(session)
