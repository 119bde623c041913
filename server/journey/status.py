"""The life of a journey: which status may follow which, and what it means for people."""

from enum import StrEnum


class JourneyStatus(StrEnum):
    DRAFT = "draft"
    """Being drawn; handles nobody."""
    SCHEDULED = "scheduled"
    """Waits for its time to start; handles nobody until then."""
    RUNNING = "running"
    """Lets people in and moves them on."""
    PAUSED = "paused"
    """Lets nobody in; the time of those inside stands still and goes on with what was left of it."""
    FINISHED = "finished"
    """Over for good: it was stopped, or its end was reached and the last person has left."""
    ARCHIVED = "archived"
    """Put away; its figures stay."""


class JourneyAction(StrEnum):
    START = "start"
    SCHEDULE = "schedule"
    UNSCHEDULE = "unschedule"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    ARCHIVE = "archive"


TRANSITIONS: dict[tuple[JourneyStatus, JourneyAction], JourneyStatus] = {
    (JourneyStatus.DRAFT, JourneyAction.START): JourneyStatus.RUNNING,
    (JourneyStatus.DRAFT, JourneyAction.SCHEDULE): JourneyStatus.SCHEDULED,
    (JourneyStatus.SCHEDULED, JourneyAction.SCHEDULE): JourneyStatus.SCHEDULED,
    (JourneyStatus.SCHEDULED, JourneyAction.UNSCHEDULE): JourneyStatus.DRAFT,
    (JourneyStatus.SCHEDULED, JourneyAction.START): JourneyStatus.RUNNING,
    (JourneyStatus.RUNNING, JourneyAction.PAUSE): JourneyStatus.PAUSED,
    (JourneyStatus.PAUSED, JourneyAction.RESUME): JourneyStatus.RUNNING,
    (JourneyStatus.RUNNING, JourneyAction.STOP): JourneyStatus.FINISHED,
    (JourneyStatus.PAUSED, JourneyAction.STOP): JourneyStatus.FINISHED,
    (JourneyStatus.DRAFT, JourneyAction.ARCHIVE): JourneyStatus.ARCHIVED,
    (JourneyStatus.FINISHED, JourneyAction.ARCHIVE): JourneyStatus.ARCHIVED,
}


EDITABLE = (JourneyStatus.DRAFT, JourneyStatus.SCHEDULED, JourneyStatus.RUNNING, JourneyStatus.PAUSED)
"""Whose draft, name and end can still be changed."""


def allowed(status: JourneyStatus) -> list[JourneyAction]:
    """What can be done with a journey in this status."""
    return [action for (before, action) in TRANSITIONS if before is status]


def follow(status: JourneyStatus, action: JourneyAction) -> JourneyStatus | None:
    """The status after the action, or None where it is not allowed now."""
    return TRANSITIONS.get((status, action))
