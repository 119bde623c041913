"""Who comes in: an event, or another journey, lets a user in, or is refused for a reason that is counted."""

from typing import NamedTuple

import orjson
import structlog

from server.aggregates.metrics import Metric
from server.clock import MINUTE, Instant
from server.journey.reentry import Barred, Earlier
from server.journey.status import JourneyStatus
from server.journey.steps import EntryEvent, Step
from server.store import invitations

from . import draws, runs
from .batch import Batch
from .catalog import LiveJourney
from .people import USER_ID
from .state import Former, Happening, RunState, UserState, to_json

log = structlog.get_logger("engine")

TOO_OLD = 24 * 60 * MINUTE
"""An event older than this on arrival is a fact, but lets nobody in: the moment has passed."""


class RefusedEntry:
    """Why somebody was not let in."""

    ALREADY_INSIDE = Barred.ALREADY_INSIDE.value
    ENTERED_BEFORE = Barred.ENTERED_BEFORE.value
    PAUSED = "paused"
    TOO_OLD = "too_old"
    TOO_SOON = Barred.TOO_SOON.value
    TOO_OFTEN = Barred.TOO_OFTEN.value
    ENDED = "ended"
    TIME_PASSED = "time_passed"
    NOT_IN_AUDIENCE = "not_in_audience"
    UNKNOWN_USER = "unknown_user"
    LOOP = "loop"
    INTERNAL_ERROR = "internal_error"


def offer_entries(batch: Batch, user: UserState, event: Happening) -> None:
    """Lets the user in wherever this event does, and notes where it would have and why it did not.

    Of several entries of a journey the first that fits counts: nobody comes in twice by one event.
    """
    offered: set[int] = set()
    for journey, entry in batch.catalog.entries.get((event.project_id, event.name), ()):
        if journey.id in offered:
            continue
        try:
            if _offer(batch, journey, entry, user, event):
                offered.add(journey.id)
        except Exception:
            if batch.is_strict:
                raise
            # One journey that cannot decide must not keep the others from doing so, nor lose the event.
            log.exception("an entry could not decide", journey=journey.id, entry=entry.key)
            refuse(batch, journey, entry, user, RefusedEntry.INTERNAL_ERROR, event)
            offered.add(journey.id)


def _offer(batch: Batch, journey: LiveJourney, entry: EntryEvent, user: UserState, event: Happening) -> bool:
    """Whether the event fits this entry; then the user, or whoever the event names, is let in or refused."""
    if not (entry.lets_in(event.body) and journey.has_begun(event.at)):
        return False
    if entry.users_in:
        _invite(batch, journey, entry, event)
    else:
        offer_entry(batch, journey, entry, user, event)
    return True


def _invite(batch: Batch, journey: LiveJourney, entry: EntryEvent, event: Happening) -> None:
    """Invites the users whom the event names instead of the one who has done it."""
    about = {
        "journey_id": journey.id,
        "entry_key": entry.key,
        "at": event.at,
        "digest": event.digest,
        "event": event.name,
        "properties": event.body,
    }
    people = [(USER_ID, value) for value in entry.names(event.body)]
    batch.outgoing += invitations.entries(batch.shards, event.project_id, about, people, batch.now)


class Offered(NamedTuple):
    """What came of it: a run, or why there is none."""

    run: RunState | None
    refused: str = ""


def offer_entry(
    batch: Batch, journey: LiveJourney, entry: Step, user: UserState, event: Happening
) -> Offered:
    """Lets the user in by this entry, or notes why it did not."""
    value = batch.catalog.graph_of(journey.id, journey.version).reentry.value_of(event.body)
    refused = _refusal(batch, journey, user, value, event.at)
    if refused:
        refuse(batch, journey, entry, user, refused, event)
        return Offered(None, refused)
    run = _new_run(batch, journey, entry, user, value, event)
    runs.begin(batch, run, entry, user)
    return Offered(run)


def _refusal(batch: Batch, journey: LiveJourney, user: UserState, value: str, at: Instant) -> str | None:
    if journey.has_ended(at):
        return RefusedEntry.ENDED
    if journey.status is JourneyStatus.PAUSED:
        return RefusedEntry.PAUSED
    if not batch.follows_events and batch.now - at > TOO_OLD:
        return RefusedEntry.TOO_OLD
    own = [
        Earlier(run.entered_at, None if run.is_open else run.ended_at, run.entry_value)
        for run in _own(batch, journey, user)
    ]
    own += [Earlier(one.entered_at, one.ended_at, one.entry_value) for one in _former(batch, journey, user)]
    barred = batch.catalog.graph_of(journey.id, journey.version).reentry.bars(own, value, at)
    return barred.value if barred else None


def refuse(
    batch: Batch, journey: LiveJourney, entry: Step, user: UserState, reason: str, event: Happening
) -> None:
    which = (journey.id, user.number, event.digest, journey.version, entry.key)
    batch.refusals.append((batch.shard, event.project_id, *which, reason, event.at))
    # Nobody entered: by both clocks it is counted when it happened.
    about = (event.project_id, journey.id, journey.version, entry.key, event.at, event.at)
    batch.tally.count(Metric.REFUSED, *about, reason=reason)


def _own(batch: Batch, journey: LiveJourney, user: UserState) -> list[RunState]:
    known = batch.runs_by_user[journey.project_id, user.number]
    return [run for run in known if run.journey_id == journey.id]


def _former(batch: Batch, journey: LiveJourney, user: UserState) -> list[Former]:
    """Runs of the user of which nothing else is kept."""
    known = batch.former.get((journey.project_id, user.number), {})
    return [one for one in known.values() if one.journey_id == journey.id]


def _new_run(
    batch: Batch, journey: LiveJourney, entry: Step, user: UserState, value: str, event: Happening
) -> RunState:
    known: list[RunState | Former] = [*_own(batch, journey, user), *_former(batch, journey, user)]
    drawn = (run for run in known if run.variants != draws.NOTHING)
    earlier = max(drawn, key=lambda run: (run.entered_at, run.id), default=None)
    return RunState(
        shard=batch.shard,
        id=batch.take_id(),
        project_id=journey.project_id,
        journey_id=journey.id,
        version=journey.version,
        user_number=user.number,
        entry_key=entry.key,
        step_key=entry.key,
        arrived_at=event.at,
        entered_at=event.at,
        wake_at=None,
        held=False,
        ended_at=None,
        end_reason=None,
        counts_goals_until=None,
        event_name=event.name,
        properties=to_json(event.body),
        goals="{}",
        # Whoever comes again gets what was drawn the first time.
        variants=draws.carried(earlier.variants) if earlier else draws.NOTHING,
        entry_value=value,
        entry_address=event.device,
        is_new=True,
    )


def wake_until(batch: Batch, user: UserState, project_id: int, until: Instant) -> None:
    """Wakes the user's runs that were due by then, the earliest first: an event finds them as they were.

    Where one leads to another journey, that has begun by then, too.
    """
    while True:
        due = [
            run
            for run in batch.runs_by_user[project_id, user.number]
            if run.wake_at is not None and run.wake_at <= until and runs.may_move(batch, run)
        ]
        if not due:
            return
        runs.wake(batch, min(due, key=lambda run: (run.wake_at, run.id)), user)
        lead_on(batch)


MOST_JOURNEYS_AT_ONCE = 20
"""Journeys that one run may lead on to, one out of the other, before any time has passed."""


def lead_on(batch: Batch) -> None:
    """Lets those whose run has led to another journey in there, at the same instant."""
    for _ in range(MOST_JOURNEYS_AT_ONCE):
        if not batch.onward:
            return
        onward, batch.onward = batch.onward, []
        for one in onward:
            _lead_on(batch, one.run, one.user, one.journey_id, one.at)


def _lead_on(batch: Batch, run: RunState, user: UserState, journey_id: int, at: Instant) -> None:
    journey = batch.catalog.journeys.get(journey_id)
    if journey is None or journey.project_id != run.project_id:
        return
    entry = next(iter(batch.catalog.graph_of(journey.id, journey.version).all_entries))
    digest = f"run {run.id}"
    body = orjson.loads(run.properties)
    event = Happening(run.project_id, "onward", run.event_name, body, at, digest, run.entry_address)
    if any(own.entered_at == at for own in _own(batch, journey, user)):
        refuse(batch, journey, entry, user, RefusedEntry.LOOP, event)
    elif journey.status not in (JourneyStatus.RUNNING, JourneyStatus.PAUSED):
        refuse(batch, journey, entry, user, RefusedEntry.ENDED, event)
    else:
        offer_entry(batch, journey, entry, user, event)
