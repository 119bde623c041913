"""Which journeys need a thing that their graphs name: a connection, a segment, a list."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from sqlalchemy import Select, select

from server.journey.moment import Path

from .bulk import table_of
from .sessions import ReadSession
from .tables import Journey, Run, ShardState, Version

Names = Callable[[Mapping[str, Any]], bool]
"""Whether a graph names the thing."""

_journeys, _versions, _runs = table_of(Journey), table_of(Version), table_of(Run)
_states = table_of(ShardState)
_OF_OTHERS = ("options", "content", "variables", "learns")
"""Parts of a step whose names are not ours."""


def _published(project_id: int) -> Select[Any]:
    """Every version of the journeys that are not over."""
    over = ("draft", "finished", "archived")
    return (
        select(_journeys.c.id, _journeys.c.title, _journeys.c.version, _versions.c.number, _versions.c.graph)
        .join(_versions, _versions.c.journey_id == _journeys.c.id)
        .where(_journeys.c.project_id == project_id, _journeys.c.status.not_in(over))
        .order_by(_journeys.c.id)
    )


async def journeys(session: ReadSession, project_id: int, names: Names) -> list[tuple[int, str]]:
    """Id and title of those that let people in by a version that names it, or have people inside of one."""
    found: dict[int, str] = {}
    for row in await session.rows(_published(project_id)):
        if row.id in found or not names(orjson.loads(row.graph)):
            continue
        if row.number == row.version or await _is_inside(session, row.id, row.number):
            found[row.id] = row.title
    return list(found.items())


async def naming(session: ReadSession, project_id: int, member: str) -> dict[str, list[tuple[int, str]]]:
    """By the value of this member: the journeys that `journeys` would find, of everything that is named."""
    found: dict[str, dict[int, str]] = {}
    for row in await session.rows(_published(project_id)):
        named = {name for _, name in named_in(orjson.loads(row.graph), member)}
        new = [name for name in named if row.id not in found.get(name, {})]
        if new and (row.number == row.version or await _is_inside(session, row.id, row.number)):
            for name in new:
                found.setdefault(name, {})[row.id] = row.title
    return {name: list(journeys.items()) for name, journeys in found.items()}


async def _is_inside(session: ReadSession, journey_id: int, version: int) -> bool:
    statement = select(_runs.c.id).where(
        _runs.c.shard.in_(select(_states.c.shard)),
        _runs.c.journey_id == journey_id,
        _runs.c.wake_at.is_not(None),
        _runs.c.version == version,
    )
    return bool(await session.rows(statement.limit(1)))


def is_named_in(graph: Mapping[str, Any], member: str, name: str) -> bool:
    return any(found == name for _, found in named_in(graph, member))


def named_in(graph: Mapping[str, Any], member: str) -> Iterator[tuple[Path, str]]:
    """Every value of this member in a graph's steps, however deep, with its place: `segment` or `list`."""
    yield from _within(graph.get("steps") or [], member, ("steps",))


def _within(data: Any, member: str, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(data, list):
        for index, one in enumerate(data):
            yield from _within(one, member, (*path, index))
    elif isinstance(data, Mapping):
        if isinstance(data.get(member), str):
            yield (*path, member), data[member]
        for name, value in data.items():
            if name not in _OF_OTHERS:
                yield from _within(value, member, (*path, name))
