"""Segments: made, changed, taken away, and asked who meets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.journey.conditions import LONGEST_NAME
from server.journey.moment import Path
from server.segments import reading, sets, uses
from server.segments.reading import NEW, Askable
from server.segments.uses import Uses
from server.store import segments, setup
from server.store.paging import Page, Slice
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Segment
from server.store.users import UserKey

from .once import Answer, once
from .refusals import Invalid, InvalidConditions, Missing, Named, Taken

Data = Mapping[str, Any]
SAMPLE = 10


async def by_id(context: Context, segment_id: int) -> Segment | None:
    async with context.db.read() as session:
        return (await segments.by_ids(session, context.project_id, [segment_id])).get(segment_id)


async def page(context: Context, page: Page) -> Slice:
    async with context.db.read() as session:
        return await segments.page(session, context.project_id, page)


async def create(context: Context, name: str, conditions: Data, key: str | None) -> Answer:
    """Raises Invalid, InvalidConditions, Taken."""
    name = checked_name(name)

    async def work(session: WriteSession) -> Answer:
        await _refuse_taken(session, context, name)
        await read(session, context, conditions, name=name)
        text, now = orjson.dumps(conditions).decode(), context.clock.now()
        made = await segments.create(session, context.project_id, name, text, now)
        await setup.touch_catalog(session)
        return {"segment_id": made.id}

    return await once(context, key, ("createSegment", [name, conditions]), work)


async def update(
    context: Context, segment_id: int, name: str | None, conditions: Data | None, key: str | None
) -> Answer:
    """Whoever asks from now on asks the new conditions. Raises Missing, Invalid, Named, Taken."""
    name = None if name is None else checked_name(name)

    async def work(session: WriteSession) -> Answer:
        segment = await _wanted(session, context, segment_id)
        if name is not None and name != segment.name:
            await _refuse_named(session, context, segment.name, "Another name would break", "name")
            await _refuse_taken(session, context, name, but=segment_id)
            segment.name = name
        if conditions is not None:
            await read(session, context, conditions, name=segment.name)
            segment.conditions = orjson.dumps(conditions).decode()
        segment.changed_at = context.clock.now()
        await session.flush()
        await setup.touch_catalog(session)
        return {"segment_id": segment_id}

    return await once(context, key, ("updateSegment", [segment_id, name, conditions]), work)


async def remove(context: Context, segment_id: int, key: str | None) -> Answer:
    """Raises Missing; Named while a journey that is not over, a segment or a saved report asks it."""

    async def work(session: WriteSession) -> Answer:
        segment = await _wanted(session, context, segment_id)
        await _refuse_named(session, context, segment.name, "The segment is asked by", "id")
        await segments.remove(session, context.project_id, segment_id)
        await setup.touch_catalog(session)
        return {"segment_id": segment_id}

    return await once(context, key, ("deleteSegment", [segment_id]), work)


@dataclass(slots=True)
class Preview:
    """How many meet a condition, of how many, and some of them."""

    as_of: Instant
    asked: int
    count: int
    sample: list[UserKey]


async def preview(context: Context, conditions: Data, at: Instant | None) -> Preview:
    """How many meet these conditions, exactly, and some of them. Raises InvalidConditions."""
    async with context.db.read() as session:
        question, lists, _ = await read(session, context, conditions, ("conditions",))
        about = (session, context.project_id, context.shards)
        moment = await sets.latest(session, context.clock.now()) if at is None else at
        met = await sets.members(*about, question, lists, moment)
        everybody = await sets.everybody(*about)
    sample = islice(((shard, number) for shard, users in met.items() for number in users), SAMPLE)
    return Preview(moment, sum(map(len, everybody.values())), sum(map(len, met.values())), list(sample))


async def read(
    session: ReadSession,
    context: Context,
    conditions: Data,
    path: Path = ("input", "conditions"),
    name: str = NEW,
) -> Askable:
    """The tree, and what asking it takes. Raises InvalidConditions."""
    askable, problems = await reading.read(session, context.project_id, conditions, name)
    if problems:
        raise InvalidConditions(problems, path)
    return askable


async def size(context: Context, segment: Segment) -> int:
    """How many users belong to it now."""
    return await context.loaders.size_by_segment.load(segment.name) or 0


async def used_by(context: Context, segment: Segment) -> Uses:
    """What needs it as it is."""
    return await context.loaders.uses_by_segment.load(segment.name) or Uses()


def checked_name(name: str) -> str:
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or "\0" in name:
        message = f"A name has 1 to {LONGEST_NAME} characters, found {len(name)}."
        raise Invalid(message, ("input", "name"))
    return name


async def _refuse_taken(session: ReadSession, context: Context, name: str, *, but: int | None = None) -> None:
    if await segments.has_name(session, context.project_id, name, but=but):
        raise Taken(f"Another segment has the name {name!r}.", ("input", "name"))


async def _refuse_named(session: ReadSession, context: Context, name: str, message: str, member: str) -> None:
    found = (await uses.of_segments(session, context.project_id)).get(name)
    if found:
        raise Named(message, ("input", member), *found)


async def _wanted(session: WriteSession, context: Context, segment_id: int) -> Segment:
    segment = await segments.locked(session, context.project_id, segment_id)
    if segment is None:
        raise Missing("There is no such segment in this project.", ("input", "id"))
    return segment
