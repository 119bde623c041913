"""Reachability check: whether anything can be sent to the user on a channel."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..moment import Decision, Leave, Moment, Outputs
from ..reading import Reader
from .base import StepBase, read_common
from .sending import read_channel, read_purpose

REACHABLE, NOT_REACHABLE = "reachable", "not_reachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachability(StepBase):
    kind: ClassVar[str] = "reachability"

    channel: str
    purpose: str
    """For messages of which purpose: consent and suppression tell them apart."""

    @classmethod
    def read(cls, reader: Reader) -> "Reachability":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, channel=read_channel(reader), purpose=read_purpose(reader))

    def outputs(self) -> Outputs:
        return (REACHABLE, NOT_REACHABLE)

    def asks_for_user(self) -> bool:
        return True

    def asks_for_reach(self) -> bool:
        return True

    def arrive(self, moment: Moment) -> Decision:
        why_not = moment.reaches(self.channel, self.purpose)
        return Leave(NOT_REACHABLE, why_not) if why_not else Leave(REACHABLE)
