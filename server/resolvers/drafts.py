"""Drafts: made, copied, saved, checked."""

from collections.abc import Mapping
from typing import Any

import orjson

from server.context import Context
from server.journey.moment import Problem
from server.journey.status import EDITABLE, JourneyStatus, allowed
from server.store import connected, journeys, setup, vouchers
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Journey, Version

from . import alimtalk_steps, graph_names, handles, law
from .graphs import Connected, problems_of
from .once import Answer, once
from .refusals import Invalid, Missing, NotAllowed, RevisionConflict

Graph = Mapping[str, Any]

LONGEST_TITLE, LONGEST_CATEGORY = 200, 100


async def create(
    context: Context,
    title: str,
    category: str,
    graph: Graph | None,
    key: str | None,
    *,
    handle: str | None = None,
) -> Answer:
    """A journey as a draft, perhaps with a first graph, which may have problems still."""
    about = checked(title, category)

    async def work(session: WriteSession) -> Answer:
        draft = to_text(graph) if graph else None
        made = await journeys.create(session, context.project_id, *about, draft, context.clock.now())
        await handles.give(session, made, handle)
        return {"journey_id": made.id}

    return await once(context, key, ("createJourney", [title, category, graph, handle]), work)


async def clone(
    context: Context, journey_id: int, title: str | None, key: str | None, *, with_draft: bool
) -> Answer:
    """Another journey with the same drawing, as a draft: what is unpublished, or else the newest version."""

    async def work(session: WriteSession) -> Answer:
        journey = await wanted(session, context, journey_id)
        graph = journey.draft if with_draft else None
        if graph is None and journey.version is not None:
            graph = (await session.get_one(Version, (journey_id, journey.version))).graph
        about = (_title(title if title is not None else journey.title), journey.category)
        made = await journeys.create(session, context.project_id, *about, graph, context.clock.now())
        return {"journey_id": made.id}

    return await once(context, key, ("cloneJourney", [journey_id, title, with_draft]), work)


async def rename(
    context: Context,
    journey_id: int,
    title: str | None,
    category: str | None,
    key: str | None,
    *,
    handle: str | None = None,
) -> Answer:
    """What is None stays as it is; an empty handle takes it away."""

    async def work(session: WriteSession) -> Answer:
        journey = await wanted(session, context, journey_id)
        journey.title = _title(title) if title is not None else journey.title
        journey.category = _category(category) if category is not None else journey.category
        journey.changed_at = context.clock.now()
        if handle is not None:
            await handles.give(session, journey, handle)
        await setup.touch_catalog(session)
        return {"journey_id": journey_id}

    return await once(context, key, ("renameJourney", [journey_id, title, category, handle]), work)


async def save(context: Context, journey_id: int, graph: Graph, expected: int, key: str | None) -> Answer:
    """Keeps what is drawn, whatever is wrong with it. Raises RevisionConflict for the second of two."""

    async def work(session: WriteSession) -> Answer:
        journey = await editable(session, context, journey_id, expected)
        journey.draft = to_text(graph)
        journey.draft_revision += 1
        journey.changed_at = context.clock.now()
        return {"journey_id": journey_id, "revision": journey.draft_revision}

    return await once(context, key, ("saveDraft", [journey_id, graph, expected]), work)


async def problems(context: Context, graph: Graph) -> list[Problem]:
    """What keeps a draft from being published."""
    async with context.db.read() as session:
        return await faults(session, context, graph)


async def faults(session: ReadSession, context: Context, graph: Graph) -> list[Problem]:
    """What keeps this graph from being published, as this session's snapshot sees the project."""
    enterable = await journeys.published(session, context.project_id)
    pools = [pool.name for pool in await vouchers.of_project(session, context.project_id)]
    templates = await alimtalk_steps.templates_in(session, context.project_id, graph)
    found = problems_of(graph, await connections(session, context), enterable, pools, templates.make)
    found += await alimtalk_steps.problems(session, context, graph, templates)
    found += await law.problems(session, context, graph)
    return found + await graph_names.unknown(session, context, graph)


async def connections(session: ReadSession, context: Context) -> dict[str, Connected]:
    """What each of the project's connections can send, by name."""
    adapters = context.plugged_in.channels
    rows = await connected.of_project(session, context.project_id)
    return {row.name: Connected(row.channel, adapters.get(row.adapter), bool(row.is_enabled)) for row in rows}


async def wanted(session: WriteSession, context: Context, journey_id: int) -> Journey:
    """The journey, held for this transaction. Raises Missing."""
    journey = await journeys.locked(session, context.project_id, journey_id)
    if journey is None:
        raise Missing("There is no such journey in this project.", ("input", "id"))
    return journey


async def editable(session: WriteSession, context: Context, journey_id: int, expected: int | None) -> Journey:
    """The journey, held for this transaction. Raises Missing, NotAllowed, RevisionConflict."""
    journey = await wanted(session, context, journey_id)
    status = JourneyStatus(journey.status)
    if status not in EDITABLE:
        raise NotAllowed(f"A journey that is {status.value} cannot be edited.", status, allowed(status))
    if expected is not None and journey.draft_revision != expected:
        raise RevisionConflict(expected, journey.draft_revision)
    return journey


def checked(title: str, category: str) -> tuple[str, str]:
    """Both as they are kept. Raises Invalid."""
    return _title(title), _category(category)


def _title(title: str) -> str:
    title = title.strip()
    if not 0 < len(title) <= LONGEST_TITLE:
        raise Invalid(f"A title has 1 to {LONGEST_TITLE} characters, found {len(title)}.", ("input", "title"))
    return title


def _category(category: str) -> str:
    category = category.strip()
    if len(category) > LONGEST_CATEGORY:
        message = f"A category has at most {LONGEST_CATEGORY} characters, found {len(category)}."
        raise Invalid(message, ("input", "category"))
    return category


def to_text(graph: Graph) -> str:
    return orjson.dumps(graph).decode()
