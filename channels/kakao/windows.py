"""Asking a relay for results by the time at which they changed, window after window and page after page.

Relays write results down with a delay and tell the time by the minute or the second, so every window begins
a little before the last one ended. What is told twice has the same key, and counts once.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from channels.contract import Cursor, Instant

_MINUTE = 60_000
DAY = 24 * 60 * _MINUTE
OVERLAP = 5 * _MINUTE
PAUSE = _MINUTE // 2
"""A window that ended less than this ago is not asked about again: there is "nothing more" for now."""

KOREA = timezone(timedelta(hours=9))


@dataclass(frozen=True, slots=True)
class Window:
    """One page of one stretch of time."""

    start_at: Instant
    end_at: Instant
    page: str = ""
    """The relay's own word for the page; empty is the first."""

    def onward(self, page: str) -> Cursor:
        """The cursor behind this page. `page` is the next one, empty after the last."""
        if page:
            return json.dumps({"start": self.start_at, "end": self.end_at, "page": page})
        return json.dumps({"end": self.end_at})


def window_of(cursor: Cursor, now: Instant, longest: int = DAY) -> Window | None:
    """What to ask for next; None when there is nothing to ask for yet.

    The first window begins a day ago. `longest` is how much the relay allows one window to span.
    """
    kept: dict[str, Any] = json.loads(cursor) if cursor else {"end": now - DAY + OVERLAP}
    if "page" in kept:
        return Window(kept["start"], kept["end"], kept["page"])
    if cursor and now - kept["end"] < PAUSE:
        return None
    start_at = kept["end"] - OVERLAP
    return Window(start_at, min(now, start_at + longest))


def korean(at: Instant, form: str) -> str:
    """The moment on a Korean clock, in a form as `datetime.strftime` takes it."""
    return datetime.fromtimestamp(at / 1000, KOREA).strftime(form)


def instant(text: object, otherwise: Instant) -> Instant:
    """A relay's date and time, on a Korean clock where it names no zone; `otherwise` if it is none."""
    try:
        moment = datetime.fromisoformat(str(text).strip())
    except ValueError:
        return otherwise
    return int((moment if moment.tzinfo else moment.replace(tzinfo=KOREA)).astimezone(UTC).timestamp() * 1000)
