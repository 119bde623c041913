"""The times in Segment messages: every spelling that SDKs send, and the correction of wrong client clocks."""

from datetime import UTC, datetime
from typing import NamedTuple

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z."""

DAY = 86_400_000
FUTURE_ALLOWED = DAY
TRAVEL_ALLOWED = 10_000
"""Between sending and arriving lies the way, a queue, a slow start: so much says nothing of a clock."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_NAIVE = datetime(1970, 1, 1)
# A bare number below this is seconds, from here on milliseconds: 5138-11-16 as one, 1973-03-03 as the other.
_FIRST_MILLISECONDS = 100_000_000_000
_BEGIN = -62_104_060_800_000  # 0002-01-01T00:00:00Z: in every zone there is a day for it
_END = 253_402_300_800_000  # 10000-01-01T00:00:00Z


class Occurred(NamedTuple):
    at: Instant
    clamped: bool


def to_instant(value: object) -> Instant | None:
    """A time as milliseconds since the epoch, or None when it cannot be read as one.

    Read are ISO 8601 texts (`Z`, any offset or none, which means UTC; any number of decimals, of which three
    count; a day alone means its midnight) and epoch numbers, also as text: seconds below 100,000,000,000,
    milliseconds from there on.
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def occurred_at(
    stamp: Instant | None,
    *,
    received_at: Instant,
    sent_at: Instant | None,
    future_allowed: int = FUTURE_ALLOWED,
) -> Occurred:
    """When an event happened by our clock: `received_at - (sent_at - stamp)`.

    A clock that is wrong by any amount is wrong in both of its own times, and drops out. A request that took
    some seconds is no wrong clock: within `TRAVEL_ALLOWED` the stamp is believed to the millisecond, so that
    what one sender did in order stays in order, and is the same however often it is sent. Without `sent_at`
    the stamp is believed as it is (that is how history is imported); without a stamp the event happened
    when it was received. More than `future_allowed` ahead of us, or before the calendar begins, is no time
    an event can have: it then counts as received, and is flagged.
    """
    if stamp is None:
        return Occurred(received_at, False)
    if sent_at is None or abs(received_at - sent_at) <= TRAVEL_ALLOWED:
        at = stamp
    else:
        at = received_at - (sent_at - stamp)
    if not _BEGIN <= at <= received_at + future_allowed:
        return Occurred(received_at, True)
    return Occurred(at, False)


def _from_text(text: str) -> Instant | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return _from_odd_text(text.strip())
    if text.isdigit():
        return _from_digits(text)
    # Whole numbers all the way: a float would lose a millisecond here and there.
    since = read - (_EPOCH_NAIVE if read.tzinfo is None else _EPOCH)
    return since.days * DAY + since.seconds * 1000 + since.microseconds // 1000


def _from_odd_text(text: str) -> Instant | None:
    """Surrounding spaces, a small z or t, and numbers; a second spelling is tried once."""
    number = text.removeprefix("-")
    if number.replace(".", "", 1).isdigit() and number.isascii():
        return _from_digits(text)
    better = text.upper().replace(" UTC", "Z").replace(" GMT", "Z")
    try:
        datetime.fromisoformat(better)
    except ValueError:
        return None
    return _from_text(better)


def _from_digits(text: str) -> Instant | None:
    # Eight digits are a day of the basic ISO form: as seconds they would be a day of 1970.
    if len(text) == 8 and text.isdigit():
        return _from_text(f"{text[:4]}-{text[4:6]}-{text[6:]}")
    if len(text) > 20:
        return None
    return _from_number(float(text) if "." in text else int(text))


def _from_number(number: float) -> Instant | None:
    # Also false for what is no number at all.
    if not -_END < number < _END:
        return None
    return int(number if abs(number) >= _FIRST_MILLISECONDS else number * 1000)
