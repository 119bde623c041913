"""Which days lie in a time, whole or in part."""

from datetime import date, timedelta
from typing import NamedTuple

from server.aggregates.calendar import ALL_TIME, covering, start_of
from server.clock import Instant
from server.journey.local_time import day_of

from .pairs import Asking

_DAWN = date(2000, 1, 1)
"""The first day of which there are sets."""
_DAY = timedelta(days=1)


class Spans(NamedTuple):
    whole: tuple[int, ...]
    """Days, months or all time: what was done in them lies in the time that is asked for."""
    edges: tuple[int, ...]
    """Days of which only a part lies in it."""


NONE = Spans((), ())


def spans_of(asking: Asking, since: Instant, until: Instant) -> Spans:
    """Both instants are part of the time; what happened after the moment of asking is not."""
    if since > until or until < 0:
        return NONE
    ends_now = asking.is_now and until == asking.at
    if since <= 0 and ends_now:
        return Spans((ALL_TIME,), ())
    zone, edges = asking.zone, set()
    first = max(day_of(max(since, 0), zone), _DAWN)
    last = max(day_of(until, zone), _DAWN) + _DAY
    if since > 0 and start_of(first, zone) != since:
        edges.add(first)
        first += _DAY
    if not ends_now and start_of(last, zone) != until + 1:
        last -= _DAY
        edges.add(last)
    return Spans(tuple(covering(first, last)) if first < last else (), tuple(sorted(map(_code, edges))))


def _code(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day
