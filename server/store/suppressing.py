"""What was heard of an address, folded: may it be written to? Pure, and the same in any order.

The rules, for people: docs/permissions.md.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from channels.contract import Purpose
from channels.reasons import Reason, Suppress
from server.clock import DAY, Instant

ENOUGH_TIMES = 5
"""So often unreachable in a row, and the address is left alone for a while."""
IN_A_ROW_DAYS = 30
"""No further apart than this, the first from the last."""
UNREACHABLE_DAYS = 30
"""For so long, counted from the last time."""
EVERY_PURPOSE = ""


class Sighting(NamedTuple):
    """One thing heard of an address: a reason not to write to it, or none if something arrived."""

    project_id: int
    channel: str
    address: str
    purpose: str
    """Of whose messages; empty for every purpose."""
    reason: str
    """Empty for good news."""
    at: Instant
    source: str
    """Who said it, and for what is counted also which message it was."""
    is_opt_in: bool = False
    """Good news that the reader wants to hear from us again, which also ends an opt-out."""


class Verdict(NamedTuple):
    """Why, from when on, until when (for ever if None), and who said it."""

    reason: str
    since: Instant
    until: Instant | None
    source: str


@dataclass(slots=True)
class Heard:
    """All that matters of what was heard of one address for one purpose."""

    reached_at: Instant | None = None
    wanted_at: Instant | None = None
    bad: dict[str, list[tuple[Instant, str]]] = field(default_factory=dict)
    """By reason, when and by whom: the latest, or for what is counted the latest few."""

    @classmethod
    def from_json(cls, text: str) -> "Heard":
        read = orjson.loads(text)
        bad = {reason: [(at, source) for at, source in seen] for reason, seen in read.get("bad", {}).items()}
        return cls(read.get("reached"), read.get("wanted"), bad)

    def to_json(self) -> str:
        return orjson.dumps({"reached": self.reached_at, "wanted": self.wanted_at, "bad": self.bad}).decode()

    def take_in(self, sighting: Sighting) -> None:
        """Adds one sighting. Repetitions and the order do not matter."""
        if sighting.is_opt_in:
            self.wanted_at = _later(self.wanted_at, sighting.at)
        elif not sighting.reason:
            self.reached_at = _later(self.reached_at, sighting.at)
        else:
            seen = self.bad.get(sighting.reason, [])
            self.bad[sighting.reason] = _latest([*seen, (sighting.at, sighting.source)], sighting.reason)

    def verdict(self) -> Verdict | None:
        """The strongest of what still holds: an opt-out, then whatever holds the longest."""
        found = [one for reason, seen in self.bad.items() if (one := self._held_against(reason, seen))]
        return max(found, key=_strength, default=None)

    def _held_against(self, reason: str, seen: list[tuple[Instant, str]]) -> Verdict | None:
        policy = Reason(reason).policy
        if policy.suppress is Suppress.PURPOSE:
            over = self.wanted_at
            holding = [one for one in seen if over is None or one[0] >= over]
        else:
            over = max(self.reached_at or 0, self.wanted_at or 0)
            holding = [one for one in seen if one[0] > over]
        if not holding or (policy.suppress is Suppress.COUNT and not _are_enough(holding)):
            return None
        (at, source), days = holding[-1], policy.suppress_days
        if policy.suppress is Suppress.COUNT:
            days = UNREACHABLE_DAYS
        return Verdict(reason, at, None if days is None else at + days * DAY, source.partition(" ")[0])


def purpose_of(message_purpose: str) -> str:
    """For what an opt-out holds that was heard about a message of this purpose.

    Who refuses an advertisement still gets what concerns an order; who refuses even that refuses all.
    """
    return message_purpose if message_purpose == Purpose.ADVERTISEMENT else EVERY_PURPOSE


def _are_enough(seen: list[tuple[Instant, str]]) -> bool:
    return len(seen) >= ENOUGH_TIMES and seen[-1][0] - seen[-ENOUGH_TIMES][0] <= IN_A_ROW_DAYS * DAY


def _latest(seen: list[tuple[Instant, str]], reason: str) -> list[tuple[Instant, str]]:
    if Reason(reason).policy.suppress is not Suppress.COUNT:
        return [max(seen)]
    # One message counts once, however often and by whom it is told of.
    by_message = {source: at for at, source in sorted(seen)}
    return sorted((at, source) for source, at in by_message.items())[-ENOUGH_TIMES:]


def _later(one: Instant | None, other: Instant) -> Instant:
    return other if one is None else max(one, other)


def _strength(verdict: Verdict) -> tuple[bool, bool, Instant, str]:
    opted_out = Reason(verdict.reason).policy.suppress is Suppress.PURPOSE
    return opted_out, verdict.until is None, verdict.until or verdict.since, verdict.reason
