"""Starts, pauses, resumes, stops and archives journeys: the status, and what every shard is told."""

from collections.abc import Callable
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.journey.status import JourneyAction, JourneyStatus, allowed, follow
from server.store import inbox, setup
from server.store.sessions import WriteSession
from server.store.tables import Journey

from .drafts import wanted
from .once import Answer, once
from .refusals import NotAllowed

Told = dict[str, Any] | None
"""What the command of the action's name says to every shard beside the journey's id; none is no command."""


async def change(context: Context, journey_id: int, action: JourneyAction, key: str | None) -> Answer:
    """Moves the journey on, and tells every shard in the same transaction. Raises Missing, NotAllowed."""

    async def work(session: WriteSession) -> Answer:
        journey = await wanted(session, context, journey_id)
        journey.status = _following(journey, action).value
        now = context.clock.now()
        journey.changed_at = now
        told = _EFFECTS[action](journey, now)
        await session.flush()
        if told is not None:
            await _tell_every_shard(session, context, action, {"journey_id": journey_id, **told})
        await setup.touch_catalog(session)
        return {"journey_id": journey_id}

    answer = await once(context, key, (f"{action.value}Journey", [journey_id]), work)
    context.wake()
    return answer


def _following(journey: Journey, action: JourneyAction) -> JourneyStatus:
    status = JourneyStatus(journey.status)
    after = follow(status, action)
    unpublished = journey.version is None
    others = [other for other in allowed(status) if not (unpublished and other is JourneyAction.START)]
    if after is None:
        message = f"A journey that is {status.value} cannot {action.value}."
        raise NotAllowed(message, status, others)
    if action not in others:
        message = "A journey needs a published version to start: publish its draft first."
        raise NotAllowed(message, status, others)
    return after


def _start(journey: Journey, now: Instant) -> Told:
    journey.started_at = now
    return None


def _pause(journey: Journey, now: Instant) -> Told:
    journey.paused_at = now
    return {}


def _resume(journey: Journey, now: Instant) -> Told:
    shift = now - (journey.paused_at if journey.paused_at is not None else now)
    journey.paused_at = None
    return {"shift_ms": shift}


def _stop(journey: Journey, now: Instant) -> Told:
    journey.finished_at, journey.paused_at = now, None
    return {"at": now}


def _archive(journey: Journey, now: Instant) -> Told:
    return None


_EFFECTS: dict[JourneyAction, Callable[[Journey, Instant], Told]] = {
    JourneyAction.START: _start,
    JourneyAction.PAUSE: _pause,
    JourneyAction.RESUME: _resume,
    JourneyAction.STOP: _stop,
    JourneyAction.ARCHIVE: _archive,
}


async def _tell_every_shard(
    session: WriteSession, context: Context, action: JourneyAction, command: dict[str, Any]
) -> None:
    payload, now = orjson.dumps(command), context.clock.now()
    entries = [
        inbox.Entry(shard, context.project_id, action.value, payload, now)
        for shard in range(await setup.count_shards(session))
    ]
    await inbox.append(session, entries)
