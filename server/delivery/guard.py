"""The guard of the reputation: a journey's sending through a connection pauses itself when too much of it
bounces, or too many readers report it as spam.

Looked at whenever bad news have been counted, and once when a worker takes over shards, so that a crash
between the news and the look loses nothing. The rate is that of the messages sent in the window: what is
heard late counts for the hour in which its message was sent.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from server.aggregates.calendar import hour_of
from server.clock import Instant
from server.store import guards, notices
from server.store.database import Database
from server.store.guards import Figures, Sending, Setting
from server.store.notices import Told
from server.store.sessions import ReadSession, WriteSession
from server.store.tables import Guard

BOUNCED, COMPLAINED = "bounced", "complained"
SENDING_HELD = "sending_held"
LEAST_BAD = 3
"""However small the rate that is allowed: fewer than this say nothing."""


class Tripped(NamedTuple):
    """A sending that goes over what is allowed."""

    sending: Sending
    because: str
    figures: Figures


async def look(
    db: Database, project_id: int, journeys: Iterable[int], zone: str, now: Instant
) -> list[Tripped]:
    """Looks at the sending of these journeys, and holds back what goes over. Returns what is new."""
    async with db.read() as session:
        found = await _over(session, project_id, journeys, zone, now)
    if not found:
        return []
    fresh: list[Tripped] = []
    async with db.write() as session:
        for one in found:
            if await guards.trip(session, project_id, one.sending, one.because, one.figures, now):
                fresh.append(one)
        await notices.tell(session, [_told(project_id, one, now) for one in fresh])
    return fresh


async def _over(
    session: ReadSession, project_id: int, journeys: Iterable[int], zone: str, now: Instant
) -> list[Tripped]:
    setting = await guards.setting(session, project_id)
    if not setting.is_on:
        return []
    since = hour_of(now - setting.window_ms, zone)
    hours = await guards.hours(session, project_id, set(journeys), setting.channels, since)
    if not hours:
        return []
    known = await guards.of_project(session, project_id)
    found = []
    for sending, by_hour in hours.items():
        figures, guard = figures_of(by_hour, known.get(sending)), known.get(sending)
        why = why_held(figures, setting)
        if why and (guard is None or guard.tripped_at is None):
            found.append(Tripped(sending, why, figures))
    return found


def figures_of(by_hour: Mapping[Instant, Figures], guard: Guard | None) -> Figures:
    """What counts: since it was last armed again, if it was."""
    total = Figures()
    for hour, figures in by_hour.items():
        if guard is not None and hour < guard.since:
            continue
        if guard is not None and hour == guard.since:
            before = Figures(guard.sent_before, guard.bounced_before, guard.complained_before)
            figures = figures.without(before)
        total = total.plus(figures)
    return total


def why_held(figures: Figures, setting: Setting) -> str:
    """Which rate is over what is allowed; empty for none."""
    if figures.sent < setting.least_sent:
        return ""
    if _is_over(figures.complained, figures.sent, setting.complaint_rate):
        return COMPLAINED
    return BOUNCED if _is_over(figures.bounced, figures.sent, setting.bounce_rate) else ""


def _is_over(bad: int, sent: int, allowed: float) -> bool:
    return bad >= LEAST_BAD and bad > allowed * sent


def _told(project_id: int, one: Tripped, now: Instant) -> Told:
    journey_id, connection_id = one.sending
    figures = one.figures
    bad = figures.complained if one.because == COMPLAINED else figures.bounced
    what = "were reported as spam" if one.because == COMPLAINED else "bounced"
    text = (
        f"Of {figures.sent} messages of a journey through one connection {bad} {what}: "
        f"{bad / figures.sent:.2%}. Nothing more leaves until the guard is armed again; what waits is kept."
    )
    cause = f"{SENDING_HELD}:{journey_id}:{connection_id}:{now}"
    return Told(project_id, SENDING_HELD, cause, text, now, journey_id, connection_id)


async def rearm(session: WriteSession, project_id: int, sending: Sending, zone: str, now: Instant) -> bool:
    """Lets a sending go on with a fresh window. Returns whether it was held back."""
    setting, since = await guards.setting(session, project_id), hour_of(now, zone)
    about = (project_id, {sending.journey_id}, setting.channels, since)
    by_hour = (await guards.hours(session, *about)).get(sending, {})
    before = figures_of(by_hour, None)
    return await guards.rearm(session, project_id, sending, since, before)


Pairs = Iterable[tuple[int, int]]
"""Projects and journeys."""


async def look_at(db: Database, pairs: Pairs, zone_of: Callable[[int], str], now: Instant) -> int:
    """Looks at these journeys. Returns how many sendings are held back that were not."""
    by_project: defaultdict[int, set[int]] = defaultdict(set)
    for project_id, journey_id in pairs:
        by_project[project_id].add(journey_id)
    tripped = 0
    for project_id, journeys in by_project.items():
        tripped += len(await look(db, project_id, journeys, zone_of(project_id), now))
    return tripped
