"""Reads the events of users: what steps look for in the past, and what goes where a user goes."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson
from sqlalchemy import bindparam, select

from server.clock import Instant
from server.journey.graph import Graph
from server.journey.moment import Past
from server.store.among import among
from server.store.bulk import table_of
from server.store.sessions import ReadSession
from server.store.tables import Event

from .batch import Batch, UserKey

_events = table_of(Event)
_PAST = (
    select(_events.c.user_number, _events.c.occurred_at, _events.c.name, _events.c.body, _events.c.digest)
    .where(_events.c.shard == bindparam("shard"), _events.c.project_id == bindparam("project_id"))
    .where(among(_events.c.user_number, "numbers"), among(_events.c.name, "names"))
    .where(_events.c.occurred_at > bindparam("since"))
)
EVER = -1
"""Before everything that has ever happened."""


class Asked(NamedTuple):
    """What steps may look for in a user's past, and from when on."""

    user: UserKey
    names: frozenset[str]
    since: Instant


def asked_by_runs(batch: Batch) -> list[Asked]:
    found = []
    for run in batch.runs.values():
        if run.is_open:
            graph = batch.catalog.graph_of(run.journey_id, run.version)
            found += asked_by(batch, graph, (run.project_id, run.user_number), run.entered_at)
    return found


def asked_by(batch: Batch, graph: Graph, user: UserKey, entered_at: Instant) -> list[Asked]:
    """What the steps of a graph, and of those that it leads to, may look for."""
    graphs = [graph, *batch.catalog.led_to(graph)]
    return [Asked(user, one.asks_past_for, _since(one, entered_at)) for one in graphs if one.asks_past_for]


def _since(graph: Graph, entered_at: Instant) -> Instant:
    return EVER if graph.looks_back_ms is None else entered_at - graph.looks_back_ms - 1


async def past(session: ReadSession, batch: Batch, asked: Iterable[Asked]) -> None:
    """The events that steps may look for, into the batch."""
    wanted: defaultdict[tuple[int, bool], set[int]] = defaultdict(set)
    names: defaultdict[tuple[int, bool], set[str]] = defaultdict(set)
    since: dict[tuple[int, bool], Instant] = {}
    for (project_id, number), events, at in asked:
        # Apart, so that one journey which asks for all of the past reads it of its own people only.
        group = (project_id, at == EVER)
        wanted[group].add(number)
        names[group] |= events
        since[group] = min(since.get(group, at), at)
    for group, numbers in wanted.items():
        project_id, _ = group
        about = {
            "shard": batch.shard,
            "project_id": project_id,
            "names": sorted(names[group]),
            "since": since[group],
        }
        for number, at, name, body, digest in await session.rows_in(_PAST, "numbers", numbers, about):
            batch.note_past((project_id, number), name, digest, Past(at, orjson.loads(body)))


async def moving(session: ReadSession, batch: Batch, project_id: int, number: int) -> list[Any]:
    """The events of a user since the earliest of its open runs began: they go where the user goes."""
    begun = [run.entered_at for run in batch.runs_by_user[project_id, number] if run.is_open]
    if not begun:
        return []
    statement = select(_events).where(
        _events.c.shard == batch.shard,
        _events.c.project_id == project_id,
        _events.c.user_number == number,
        _events.c.occurred_at >= min(begun),
    )
    return list(await session.rows(statement))


async def since(session: ReadSession, batch: Batch, project_id: int, number: int, at: Instant) -> list[Any]:
    """All events of a user from then on, in order."""
    statement = (
        select(_events)
        .where(_events.c.shard == batch.shard, _events.c.project_id == project_id)
        .where(_events.c.user_number == number, _events.c.occurred_at >= at)
        .order_by(_events.c.occurred_at)
    )
    return list(await session.rows(statement))
