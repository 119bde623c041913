"""What a law wants of a project that goes by it: at night an advertisement needs a consent of its own.

In Korea that is Article 50(3) of the Network Act; its decree (Article 61) leaves e-mail out. The hours are
those of the preset `korea_advertising`, but hold on every channel.
"""

from functools import lru_cache
from typing import Any

from channels.contract import Purpose
from server.clock import Instant
from server.journey.hours import read_hours
from server.journey.reading import Reader
from server.journey.silence import ADVERTISEMENT, SilentHours
from server.store.consents import holds
from server.store.projects import KOREA

_NIGHT = {"from": "21:00", "until": "08:00"}
_EXEMPT = frozenset({"email"})


def nights_of(row: Any, at: Instant) -> tuple[SilentHours, ...]:
    """The nights in which this message may not go, as its reader has decided by then."""
    if row.law != KOREA or row.purpose != Purpose.ADVERTISEMENT or row.channel in _EXEMPT:
        return ()
    agreed = holds(row.is_granted_at_night, row.granted_at_night_until, at)
    return () if agreed else (_night_on(row.channel),)


@lru_cache(maxsize=256)
def _night_on(channel: str) -> SilentHours:
    return SilentHours(frozenset({channel}), (read_hours(Reader(_NIGHT)),), applies_to=ADVERTISEMENT)
