"""Makes a journey what a file says it is: made if it is not there, redrawn if it is otherwise, else let be.

Whatever is wrong with the file, nothing of it is taken. It concerns nobody before it is published.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from server.context import Context
from server.store import journeys, setup
from server.store.sessions import WriteSession
from server.store.tables import Journey, Version

from . import drafts, handles
from .once import Answer, once
from .refusals import InvalidGraph

Graph = dict[str, Any]
Same = Callable[[Graph, Graph], bool]
"""Whether two stored graphs say the same."""

CREATED, CHANGED, UNCHANGED = "created", "changed", "unchanged"


@dataclass(frozen=True, slots=True)
class Filed:
    """What a file says of a journey."""

    handle: str
    title: str
    category: str
    graph: Graph


async def apply(context: Context, filed: Filed, same: Same, key: str | None, *, dry_run: bool) -> Answer:
    """Raises InvalidGraph, NotAllowed, Invalid.

    The answer has `change`, `journey_id` (none on a dry run of a new one), `revision` of the draft that is
    to be published (none if there is nothing to publish), `replaced` for the revision of another's draft
    that goes, and `old_version` or else `old`, what was there before.
    """

    async def work(session: WriteSession) -> Answer:
        found = await drafts.faults(session, context, filed.graph)
        if found:
            raise InvalidGraph(found, filed.graph)
        there = await journeys.by_handle(session, context.project_id, filed.handle)
        if there is None:
            return await _create(session, context, filed, dry_run)
        assert there.id is not None
        journey = await drafts.editable(session, context, there.id, None)
        return await _change(session, context, journey, filed, same, dry_run)

    if dry_run:
        async with context.db.write() as session:
            return await work(session)
    wish = [filed.handle, filed.title, filed.category, filed.graph]
    return await once(context, key, ("applyJourney", wish), work)


async def _create(session: WriteSession, context: Context, filed: Filed, dry_run: bool) -> Answer:
    about, handle = drafts.checked(filed.title, filed.category), handles.checked(filed.handle)
    answer: Answer = {"change": CREATED, "journey_id": None, "revision": 1, "replaced": None}
    if not dry_run:
        text, now = drafts.to_text(filed.graph), context.clock.now()
        made = await journeys.create(session, context.project_id, *about, text, now)
        await handles.give(session, made, handle)
        answer["journey_id"] = made.id
    return {**answer, "old_version": None, "old": None}


async def _change(
    session: WriteSession, context: Context, journey: Journey, filed: Filed, same: Same, dry_run: bool
) -> Answer:
    published, draft = await _published(session, journey), _draft(journey)
    is_published = published is not None and same(published, filed.graph)
    is_drawn = draft is not None and same(draft, filed.graph)
    otherwise = draft is not None and not is_drawn
    redrawn = otherwise if is_published else not is_drawn
    renamed = (journey.title, journey.category) != drafts.checked(filed.title, filed.category)
    answer: Answer = {
        "change": CHANGED if redrawn or renamed else UNCHANGED,
        "journey_id": journey.id,
        "replaced": journey.draft_revision if otherwise else None,
        "old_version": journey.version,
        "old": draft if published is None else None,
    }
    revision = journey.draft_revision + redrawn
    if not dry_run and (redrawn or renamed):
        await _write(session, context, journey, filed, None if is_published else filed.graph, revision)
    return {**answer, "revision": None if is_published else revision}


async def _write(
    session: WriteSession,
    context: Context,
    journey: Journey,
    filed: Filed,
    draft: Graph | None,
    revision: int,
) -> None:
    """A file that says what is published leaves no draft that says anything else."""
    journey.title, journey.category = drafts.checked(filed.title, filed.category)
    journey.changed_at = context.clock.now()
    if revision != journey.draft_revision:
        journey.draft = None if draft is None else drafts.to_text(draft)
        journey.draft_revision = revision
    await setup.touch_catalog(session)


async def _published(session: WriteSession, journey: Journey) -> Graph | None:
    if journey.version is None:
        return None
    version = await session.get_one(Version, (journey.id, journey.version))
    return dict(orjson.loads(version.graph))


def _draft(journey: Journey) -> Graph | None:
    return None if journey.draft is None else dict(orjson.loads(journey.draft))
