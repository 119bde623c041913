"""What a message step makes of what becomes of its messages: split by it, or go another way if none is sent.

What is known of a message stands in the memory of the visit, under `messages`: its `status`, its `reason`,
and in `heard` what was heard of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..moment import NEXT, Decision, End, EndReason, Leave, Moment, Outputs, Wait
from ..reading import Reader

MESSAGES = "messages"
NOT_SENT = "not_sent"

GO_ON, END, BRANCH = "go_on", "end", "branch"
"""What happens to whoever cannot be sent to."""

SPLITS = ("delivered", "opened", "clicked", "replied", "shown", "interacted")
"""By what a message step can split."""

DAY = 86_400_000
SHORTEST_SPLIT, LONGEST_SPLIT = 60_000, 90 * DAY
LONGEST_ANSWER = DAY + DAY // 24
"""By then most is known: nothing is tried for longer than a day. What is kept back may still leave."""

_OPEN = ("queued", "attempted")
_NEVER_SENT = ("skipped", "failed", "expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a message step waits to know, if anything."""

    split_by: str = ""
    split_after_ms: int = DAY
    """How long it waits for that."""
    if_not_sent: str = GO_ON

    @property
    def is_awaited(self) -> bool:
        return bool(self.split_by) or self.if_not_sent != GO_ON

    @property
    def longest_ms(self) -> int:
        return self.split_after_ms if self.split_by else LONGEST_ANSWER

    def outputs(self) -> Outputs:
        ways = (self.split_by, f"not_{self.split_by}") if self.split_by else (NEXT,)
        return (*ways, NOT_SENT) if self.if_not_sent == BRANCH else ways

    def judge(self, moment: Moment) -> Decision | None:
        """What is decided by what is known now; None: wait on."""
        known: list[Mapping[str, Any]] = list(moment.memory.get(MESSAGES, {}).values())
        if self.split_by and any(self.split_by in one["heard"] for one in known):
            return Leave(self.split_by, saw=_saw(known))
        if any(one["status"] in _OPEN for one in known):
            return None
        if all(one["status"] in _NEVER_SENT for one in known):
            return self._not_sent(known, known[0]["reason"] if known else "")
        if not self.split_by:
            return Leave(NEXT, saw=_saw(known))
        if all(one["status"] in (*_NEVER_SENT, "bounced") for one in known):
            return Leave(f"not_{self.split_by}", "bounced", saw=_saw(known))
        return None

    def time_over(self, moment: Moment) -> Decision:
        known: list[Mapping[str, Any]] = list(moment.memory.get(MESSAGES, {}).values())
        if self.split_by:
            return Leave(f"not_{self.split_by}", "not in time", saw=_saw(known))
        # A pause, a guard or a connection that is off keeps it back, and may let it leave later.
        return Wait(moment.at + LONGEST_ANSWER, moment.memory)

    def _not_sent(self, known: list[Mapping[str, Any]], why: str) -> Decision:
        if self.if_not_sent == END:
            return End(EndReason.SEND_ERROR, why, _saw(known))
        if self.if_not_sent == BRANCH:
            return Leave(NOT_SENT, why, saw=_saw(known))
        return Leave(f"not_{self.split_by}" if self.split_by else NEXT, why, saw=_saw(known))


def read_outcome(reader: Reader) -> Outcome:
    return Outcome(
        split_by=reader.choice("split_by", SPLITS) if reader.value("split_by", required=False) else "",
        split_after_ms=reader.duration(
            "split_after_ms", least=SHORTEST_SPLIT, most=LONGEST_SPLIT, required=False, default=DAY
        ),
        if_not_sent=(
            reader.choice("if_not_sent", (GO_ON, END, BRANCH))
            if reader.value("if_not_sent", required=False)
            else GO_ON
        ),
    )


def _saw(known: list[Mapping[str, Any]]) -> dict[str, Any]:
    """How many messages have come how far."""
    seen: dict[str, Any] = {}
    for one in known:
        for word in (one["status"], *one["heard"]):
            seen[word] = seen.get(word, 0) + 1
    return seen
