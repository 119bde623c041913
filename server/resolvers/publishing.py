"""Publishing: a draft becomes a version. A published version never changes."""

from dataclasses import dataclass

import orjson

from server.context import Context
from server.store import setup
from server.store.sessions import WriteSession
from server.store.tables import Journey, Version

from .drafts import editable, faults
from .lifecycle import check_version
from .once import Answer, once
from .refusals import Invalid, InvalidGraph


@dataclass(frozen=True, slots=True)
class Publication:
    """Which draft somebody wants to publish."""

    journey_id: int
    expected_revision: int | None = None
    expected_version: int | None = None


async def publish(context: Context, wish: Publication, key: str | None, *, dry_run: bool) -> Answer:
    """Makes a version of the draft, which people enter from now on. A dry run only checks."""

    async def work(session: WriteSession) -> Answer:
        journey = await editable(session, context, wish.journey_id, wish.expected_revision)
        check_version(journey, wish.expected_version)
        if journey.draft is None:
            raise Invalid("There is no draft to publish: nothing has changed since the last version.")
        graph = orjson.loads(journey.draft)
        found = await faults(session, context, graph)
        if found:
            raise InvalidGraph(found, graph)
        if dry_run:
            return {"journey_id": wish.journey_id, "version": None}
        return {"journey_id": wish.journey_id, "version": await _publish(session, context, journey)}

    if dry_run:
        async with context.db.write() as session:
            return await work(session)
    about = [wish.journey_id, wish.expected_revision]
    if wish.expected_version is not None:
        about.append(wish.expected_version)
    return await once(context, key, ("publishJourney", about), work)


async def _publish(session: WriteSession, context: Context, journey: Journey) -> int:
    assert journey.id is not None
    assert journey.draft is not None
    now, number = context.clock.now(), (journey.version or 0) + 1
    session.add(Version(journey_id=journey.id, number=number, graph=journey.draft, published_at=now))
    journey.version, journey.draft, journey.changed_at = number, None, now
    await session.flush()
    await setup.touch_catalog(session)
    return number
