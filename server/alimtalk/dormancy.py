"""When what nobody sends falls asleep: templates and sender profiles after a year. Pure."""

from __future__ import annotations

from server.clock import DAY, Instant

UNUSED = 365 * DAY
"""After so long without a message both are dormant; after as long again they are deleted."""
UNUSED_AFTER_RELEASE = 30 * DAY
"""A template that was woken and is not used falls asleep again after this."""
TEMPLATE_TOLD = (30,)
PROFILE_TOLD = (30, 7)
"""How many days before an operator is told."""


def seen(approved_at: Instant | None, known_since: Instant) -> Instant | None:
    """An approval that came while we looked. One from before says nothing: how long ago the template was
    used nobody has told us."""
    return approved_at if approved_at is not None and approved_at > known_since else None


def template_sleeps_at(
    *, approved_at: Instant | None, released_at: Instant | None, last_sent_at: Instant | None
) -> Instant | None:
    """When an approved template falls asleep, if nothing is sent; None while that is not known."""
    if released_at is not None and released_at > (last_sent_at or 0):
        return released_at + UNUSED_AFTER_RELEASE
    used_at = last_sent_at or approved_at
    return None if used_at is None else used_at + UNUSED


def profile_sleeps_at(*, registered_at: Instant | None, last_sent_at: Instant | None) -> Instant | None:
    """When a sender profile falls asleep, if nothing is sent; None while that is not known."""
    used_at = last_sent_at or registered_at
    return None if used_at is None else used_at + UNUSED


def due(sleeps_at: Instant | None, now: Instant, days: tuple[int, ...]) -> int | None:
    """Of the days before on which it is told, the last that has come; None for none, or once it is over."""
    if sleeps_at is None or now >= sleeps_at:
        return None
    return min((one for one in days if now >= sleeps_at - one * DAY), default=None)
