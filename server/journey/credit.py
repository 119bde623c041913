"""To which message of a run a conversion is credited: the last that was opened before it, else the last sent.

The one message is credited directly; every other that had been sent by then assisted. With none sent before
it, the conversion is credited to none.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .moment import Instant

OPENED, SENT, NONE = "opened", "sent", ""


class Letter(NamedTuple):
    """A message of the run, as far as it matters here."""

    id: int
    step_key: str
    channel: str
    sent_at: Instant | None
    """When the provider took it over; None while it has not."""
    opened_at: Instant | None
    """When a person first opened it, or followed a link in it."""


class Credit(NamedTuple):
    direct: Letter | None
    how: str
    """`opened`, `sent`, or nothing."""
    assisted: tuple[Letter, ...]


def credit_of(at: Instant, letters: Iterable[Letter]) -> Credit:
    """Who has the credit for what happened at that instant. The same for any order of the letters."""
    sent = [one for one in letters if one.sent_at is not None and one.sent_at <= at]
    opened = [one for one in sent if one.opened_at is not None and one.opened_at <= at]
    how = OPENED if opened else SENT if sent else NONE
    direct = max(opened or sent, key=_latest_opened if opened else _latest_sent, default=None)
    return Credit(direct, how, tuple(one for one in sorted(sent) if one is not direct))


def _latest_opened(letter: Letter) -> tuple[int, int]:
    return letter.opened_at or 0, letter.id


def _latest_sent(letter: Letter) -> tuple[int, int]:
    return letter.sent_at or 0, letter.id
