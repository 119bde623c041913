"""Rehearsals over the API: what is played is a draft, a version or a graph; nothing of it stays."""

import asyncio
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import orjson

from server.context import Context
from server.errors import Overloaded
from server.journey.graph import read_graph
from server.journey.moment import Problem
from server.patience import ask_for
from server.rehearsal.plan import MOST_PEOPLE, OtherJourney, Person, Plan, StandIn
from server.rehearsal.reading import Setting, read_plan
from server.rehearsal.rehearse import Rehearsed, rehearse
from server.rehearsal.sampling import sample
from server.rehearsal.stage import stand_ins
from server.store import caps, connected, segments, versions
from server.store import journeys as journeys_of
from server.store.sessions import ReadSession

from . import alimtalk_rehearsed, journeys
from .alimtalk_unsendable import NOT_SENDABLE
from .drafts import faults
from .refusals import Invalid, InvalidGraph, InvalidRehearsal, Missing

Data = Mapping[str, Any]

_MADE_UP = (
    "unknown_connection",
    "no_connection",
    "unknown_pool",
    "unknown_segment",
    "unknown_list",
    NOT_SENDABLE,
)
"""What keeps a draft from being published, and not from being rehearsed: what it names is put up for it."""
_playing = threading.Lock()
"""One rehearsal at a time in a process: each takes all of a processor."""
_thread = ThreadPoolExecutor(1, "rehearsal")
LONGEST_WALL_SECONDS = 30
"""Somebody waits for the answer; on the command line they may wait longer."""
_AROUND = 20
"""Seconds for what comes before and after the playing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be played: a graph, or what is drawn of a journey, or one of its versions."""

    said: Data
    """What `read_plan` reads."""
    graph: Data | None = None
    journey_id: int | None = None
    version: int | None = None
    title: str = ""
    sampled: int = 0
    connections: list[StandIn] = field(default_factory=list)


async def simulate(context: Context, wanted: Wanted) -> Rehearsed:
    """Raises Missing, Invalid, InvalidGraph, InvalidRehearsal, Overloaded."""
    title, graph, is_draft = await _graph(context, wanted)
    plan = await _plan(context, wanted, title, graph, is_draft=is_draft)
    ask_for(plan.wall_seconds + _AROUND)
    return await _play(plan)


async def _play(plan: Plan) -> Rehearsed:
    """In a thread of its own: a rehearsal is computing all the time. It stops soon if nobody waits for it."""
    if not _playing.acquire(blocking=False):
        message = "Another rehearsal is being played in this process. Try again in a moment."
        raise Overloaded(message, retry_after_seconds=5)
    stop = threading.Event()
    future = _thread.submit(lambda: asyncio.run(rehearse(plan, stop)))
    # Not when we stop waiting, but when it is over: until then there is no room for another.
    future.add_done_callback(lambda _: _playing.release())
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        stop.set()
        raise


async def _graph(context: Context, wanted: Wanted) -> tuple[str, Data, bool]:
    """Its title, what is drawn, and whether that is a draft which nobody has published yet."""
    if (wanted.graph is None) == (wanted.journey_id is None):
        raise Invalid("Name a `journey`, or hand in a `graph`: one of the two.")
    if wanted.graph is not None:
        return wanted.title or "Rehearsal", wanted.graph, True
    assert wanted.journey_id is not None
    journey = await journeys.by_id(context, wanted.journey_id)
    if journey is None:
        raise Missing("There is no such journey in this project.", ("input", "journey"))
    text = journey.draft if wanted.version is None else None
    is_draft = text is not None
    if text is None:
        number = wanted.version if wanted.version is not None else journey.version
        found = await journeys.version(context, wanted.journey_id, number) if number is not None else None
        if found is None:
            what = "version of this number" if number is not None else "graph yet: nothing is drawn"
            raise Missing(f"The journey has no {what}.", ("input", "version" if number else "journey"))
        text = found.graph
    return journey.title, orjson.loads(text), is_draft


async def _plan(context: Context, wanted: Wanted, title: str, graph: Data, *, is_draft: bool) -> Plan:
    project = await journeys.project(context)
    async with context.db.read() as session:
        found = await faults(session, context, graph)
        found = [one for one in found if one.code not in _MADE_UP]
        if found:
            raise InvalidGraph(found, graph)
        others = await _others(session, context.project_id, graph, wanted.journey_id)
        graphs = [read_graph(one)[0] for one in (graph, *(other.graph for other in others))]
        made = await alimtalk_rehearsed.played(session, context.project_id, graphs, is_draft=is_draft)
        setting = Setting(
            graph,
            context.clock.now(),
            title=title,
            journey_id=wanted.journey_id or 1,
            zone=project.time_zone,
            project_name=project.name,
            commerce=project.commerce,
            requires_consent=project.requires_consent,
            connections=await _stand_ins(session, context.project_id, graph),
            segments={
                row.name: orjson.loads(row.conditions)
                for row in await segments.of_project(session, context.project_id)
            },
            caps=[
                (row.channel, row.most, row.window_ms)
                for row in await caps.of_project(session, context.project_id)
            ],
            others=others,
            templates=made.templates,
            notes=made.notes,
            sampled=await _sampled(session, context, wanted),
        )
    plan, problems = read_plan(wanted.said, setting)
    if plan.wall_seconds > LONGEST_WALL_SECONDS:
        message = f"A query may compute for 1 to {LONGEST_WALL_SECONDS} seconds; `sojourn simulate` for more."
        problems.append(Problem(("wall_seconds",), message, "out_of_range"))
    if problems:
        raise InvalidRehearsal(problems)
    return plan


async def _others(session: ReadSession, project_id: int, graph: Data, own: int | None) -> list[OtherJourney]:
    """The journeys to which a graph leads, and those lead, and so on."""
    found: dict[int, OtherJourney] = {}
    ahead = list(read_graph(graph)[0].leads_to)
    while ahead:
        rows = await journeys_of.by_ids(session, project_id, ahead)
        keys = [(row.id, row.version) for row in rows.values() if row.id and row.version]
        there = await versions.by_keys(session, project_id, keys) if keys else {}
        ahead = []
        for (journey_id, _), version in there.items():
            if journey_id not in found and journey_id != (own or 1):
                told = orjson.loads(version.graph)
                found[journey_id] = OtherJourney(journey_id, rows[journey_id].title, told)
                ahead += read_graph(told)[0].leads_to
    return list(found.values())


async def _stand_ins(session: ReadSession, project_id: int, graph: Data) -> list[StandIn]:
    """One for each of the project's connections, and for those that are still missing."""
    rows = await connected.of_project(session, project_id)
    known = [StandIn(row.name, row.channel, row.takes, row.preference, bool(row.is_enabled)) for row in rows]
    names = {one.name for one in known}
    sending = {one.channel for one in known if one.is_enabled}
    missing = [
        one
        for one in stand_ins(read_graph(graph)[0])
        if one.name not in names and (one.name != one.channel or one.channel not in sending)
    ]
    return [*known, *missing]


async def _sampled(session: ReadSession, context: Context, wanted: Wanted) -> list[Person]:
    if not wanted.sampled:
        return []
    if not 0 < wanted.sampled <= MOST_PEOPLE:
        path = ("sample",)
        message = f"1 to {MOST_PEOPLE} users can be sampled, found {wanted.sampled}."
        raise InvalidRehearsal([Problem(path, message, "out_of_range")])
    seed = wanted.said.get("seed")
    about = (context.project_id, context.shards, wanted.sampled, seed if isinstance(seed, int) else 0)
    return await sample(session, *about)
