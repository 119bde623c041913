"""Moves journeys on in their lives: the status, and what every shard is told."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from server.clock import Instant
from server.context import Context
from server.journey.status import EDITABLE, JourneyAction, JourneyStatus, allowed, follow
from server.journey.waking import ResumePolicy
from server.store import inbox, outbox, runs, setup
from server.store.sessions import WriteSession
from server.store.tables import Journey

from .drafts import wanted
from .once import Answer, once
from .refusals import Invalid, NotAllowed, VersionConflict

Told = dict[str, Any] | None
"""What the command of the action's name says to every shard beside the journey's id; none is no command."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a journey."""

    journey_id: int
    expected_version: int | None = None
    """Only if this is the version that people enter now; 0 for none."""
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    policy: ResumePolicy = ResumePolicy.SHIFT


async def change(context: Context, wish: Wish, action: JourneyAction, key: str | None) -> Answer:
    """Moves the journey on, and tells every shard in the same transaction.

    Raises Missing, NotAllowed, VersionConflict, Invalid.
    """

    async def work(session: WriteSession) -> Answer:
        journey = await wanted(session, context, wish.journey_id)
        check_version(journey, wish.expected_version)
        journey.status = _following(journey, action).value
        now = context.clock.now()
        journey.changed_at = now
        told = _EFFECTS[action](journey, wish, now)
        answer = {"journey_id": wish.journey_id}
        if action is JourneyAction.STOP:
            answer |= await _ending(session, context, wish.journey_id)
        await session.flush()
        if told is not None:
            command = {"journey_id": wish.journey_id, **told}
            await tell_every_shard(session, context, action.value, command)
        await setup.touch_catalog(session)
        return answer

    answer = await once(context, key, _named(wish, action), work)
    context.wake()
    return answer


def _named(wish: Wish, action: JourneyAction) -> tuple[str, list[Any]]:
    # As it was named before there was more to say, so that a key that was used then is still known.
    more = [wish.expected_version, wish.starts_at, wish.ends_at, wish.policy.value]
    has_more = more != [None, None, None, ResumePolicy.SHIFT.value]
    return f"{action.value}Journey", [wish.journey_id, *(more if has_more else ())]


async def set_end(context: Context, wish: Wish, key: str | None) -> Answer:
    """Sets until when people can enter. Raises Missing, NotAllowed, VersionConflict, Invalid."""

    async def work(session: WriteSession) -> Answer:
        journey = await wanted(session, context, wish.journey_id)
        status = JourneyStatus(journey.status)
        if status not in EDITABLE:
            raise NotAllowed(f"A journey that is {status.value} has ended.", status, allowed(status))
        check_version(journey, wish.expected_version)
        now = context.clock.now()
        _set_end(journey, wish.ends_at, now)
        journey.changed_at = now
        await session.flush()
        await setup.touch_catalog(session)
        return {"journey_id": wish.journey_id}

    about = [wish.journey_id, wish.expected_version, wish.ends_at]
    answer = await once(context, key, ("setJourneyEnd", about), work)
    context.wake()
    return answer


def check_version(journey: Journey, expected: int | None) -> None:
    """Raises VersionConflict if somebody has published since."""
    if expected is not None and expected != (journey.version or 0):
        raise VersionConflict(expected, journey.version or 0)


def _following(journey: Journey, action: JourneyAction) -> JourneyStatus:
    status = JourneyStatus(journey.status)
    after = follow(status, action)
    needs_version = (JourneyAction.START, JourneyAction.SCHEDULE)
    unpublished = journey.version is None
    others = [other for other in allowed(status) if not (unpublished and other in needs_version)]
    if after is None:
        message = f"A journey that is {status.value} cannot {action.value}."
        raise NotAllowed(message, status, others)
    if action not in others:
        message = "A journey needs a published version to start: publish its draft first."
        raise NotAllowed(message, status, others)
    return after


def _start(journey: Journey, wish: Wish, now: Instant) -> Told:
    _refuse_past_end(journey, now)
    journey.started_at, journey.starts_at = now, None
    return None


def _refuse_past_end(journey: Journey, start: Instant) -> None:
    if journey.ends_at is not None and journey.ends_at <= start:
        raise Invalid("It would end before it starts: set another end first.", ("input", "id"))


def _schedule(journey: Journey, wish: Wish, now: Instant) -> Told:
    if wish.starts_at is None or wish.starts_at <= now:
        raise Invalid("A start lies in the future; to start now, start it.", ("input", "at"))
    journey.starts_at = wish.starts_at
    if wish.ends_at is not None:
        _set_end(journey, wish.ends_at, now)
    _refuse_past_end(journey, wish.starts_at)
    return None


def _set_end(journey: Journey, ends_at: Instant | None, now: Instant) -> None:
    is_waiting = journey.status == JourneyStatus.SCHEDULED and journey.starts_at is not None
    begins = journey.starts_at if is_waiting else now
    if ends_at is not None and ends_at <= (begins or now):
        raise Invalid("An end lies in the future and after the start.", ("input", "endsAt"))
    journey.ends_at = ends_at


def _unschedule(journey: Journey, wish: Wish, now: Instant) -> Told:
    journey.starts_at = None
    return None


def _pause(journey: Journey, wish: Wish, now: Instant) -> Told:
    journey.paused_at = now
    return {}


def _resume(journey: Journey, wish: Wish, now: Instant) -> Told:
    shift = now - (journey.paused_at if journey.paused_at is not None else now)
    journey.paused_at = None
    return {"shift_ms": shift, "policy": wish.policy.value, "at": now}


def _stop(journey: Journey, wish: Wish, now: Instant) -> Told:
    journey.finished_at, journey.paused_at, journey.was_stopped = now, None, True
    return {"at": now}


async def _ending(session: WriteSession, context: Context, journey_id: int) -> Answer:
    """What a stop ends: the runs that are open, and the messages that have not left."""
    about = (context.project_id, journey_id, context.shards)
    return {
        "runs": await runs.count_open(session, *about),
        "messages": (await outbox.waiting_of(session, *about, context.clock.now())).messages,
    }


def _archive(journey: Journey, wish: Wish, now: Instant) -> Told:
    return None


_EFFECTS: dict[JourneyAction, Callable[[Journey, Wish, Instant], Told]] = {
    JourneyAction.START: _start,
    JourneyAction.SCHEDULE: _schedule,
    JourneyAction.UNSCHEDULE: _unschedule,
    JourneyAction.PAUSE: _pause,
    JourneyAction.RESUME: _resume,
    JourneyAction.STOP: _stop,
    JourneyAction.ARCHIVE: _archive,
}


async def tell_every_shard(
    session: WriteSession, context: Context, kind: str, command: dict[str, Any]
) -> None:
    payload, now = orjson.dumps(command), context.clock.now()
    entries = [
        inbox.Entry(shard, context.project_id, kind, payload, now)
        for shard in range(await setup.count_shards(session))
    ]
    await inbox.append(session, entries)
