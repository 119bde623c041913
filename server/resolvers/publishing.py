"""Publishing: a draft becomes a version. A published version never changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from server.context import Context
from server.journey.graph import Graph, read_graph
from server.journey.moving import Fate, Moving, Plan, plan, problems
from server.store import runs, setup, versions
from server.store.commands import MOVE
from server.store.sessions import WriteSession
from server.store.tables import Journey, Version

from .drafts import editable, faults
from .lifecycle import check_version, tell_every_shard
from .once import Answer, once
from .refusals import Invalid, InvalidGraph


@dataclass(frozen=True, slots=True)
class Publication:
    """Which draft somebody wants to publish, and what is to become of the people inside."""

    journey_id: int
    expected_revision: int | None = None
    expected_version: int | None = None
    moving: Moving = field(default_factory=Moving)


class AtStep(NamedTuple):
    """The people who wait at a step of a version, and what becomes of them."""

    version: int
    step_key: str
    waiting: int
    fate: str
    target: str | None


async def publish(context: Context, wish: Publication, key: str | None, *, dry_run: bool) -> Answer:
    """Makes a version of the draft, which people enter from now on. A dry run only checks and counts."""

    async def work(session: WriteSession) -> Answer:
        journey = await editable(session, context, wish.journey_id, wish.expected_revision)
        check_version(journey, wish.expected_version)
        graph = await _checked(session, context, journey)
        planned = await _plan(session, context, wish, graph)
        answer: Answer = {"journey_id": wish.journey_id, "version": None}
        answer["inside"] = await _inside(session, context, wish.journey_id, planned)
        if not dry_run:
            answer["version"] = await _publish(session, context, journey, planned)
        return answer

    if dry_run:
        async with context.db.write() as session:
            return await work(session)
    answer = await once(context, key, ("publishJourney", _named(wish)), work)
    context.wake()
    return answer


def _named(wish: Publication) -> list[Any]:
    # As it was named before there was more to say, so that a key that was used then is still known.
    about: list[Any] = [wish.journey_id, wish.expected_revision]
    if wish.expected_version is not None or wish.moving != Moving():
        about += [wish.expected_version, wish.moving.fate, [*wish.moving.steps.items()], wish.moving.unmapped]
    return about


async def _checked(session: WriteSession, context: Context, journey: Journey) -> Graph:
    if journey.draft is None:
        raise Invalid("There is no draft to publish: nothing has changed since the last version.")
    data = orjson.loads(journey.draft)
    found = await faults(session, context, data)
    if found:
        raise InvalidGraph(found, data)
    return read_graph(data)[0]


async def _plan(session: WriteSession, context: Context, wish: Publication, after: Graph) -> Plan:
    if wish.moving.fate is Fate.STAY and not wish.moving.steps:
        return {}
    published = await versions.by_journeys(session, context.project_id, [wish.journey_id])
    before = [read_graph(orjson.loads(one.graph))[0] for one in published.get(wish.journey_id, ())]
    for problem in problems(wish.moving, before, after):
        path = ("input", "peopleInside", "map", *(str(part) for part in problem.path))
        raise Invalid(problem.message, path)
    return plan(wish.moving, before, after)


async def _inside(
    session: WriteSession, context: Context, journey_id: int, planned: Plan
) -> Sequence[AtStep]:
    found = await runs.count_open_by_step(session, context.project_id, journey_id, context.shards)
    return [AtStep(*where, waiting, *_fate(planned, where[1])) for where, waiting in sorted(found.items())]


def _fate(planned: Mapping[str, str | None], step_key: str) -> tuple[str, str | None]:
    if step_key not in planned:
        return "stays", None
    target = planned[step_key]
    return ("ends", None) if target is None else ("moves", target)


async def _publish(session: WriteSession, context: Context, journey: Journey, planned: Plan) -> int:
    assert journey.id is not None
    assert journey.draft is not None
    now, number = context.clock.now(), (journey.version or 0) + 1
    moves = orjson.dumps(planned).decode() if planned else None
    version = Version(journey_id=journey.id, number=number, graph=journey.draft, published_at=now)
    version.moves = moves
    session.add(version)
    journey.version, journey.draft, journey.changed_at = number, None, now
    await session.flush()
    if planned:
        about = {"journey_id": journey.id, "version": number, "at": now, "paused_at": journey.paused_at}
        await tell_every_shard(session, context, MOVE, about)
    await setup.touch_catalog(session)
    return number
