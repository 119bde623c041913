"""Delay: waits for a length of time, counted from the moment of arrival."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..moment import Decision, Moment, Wait
from ..reading import Reader
from .base import StepBase, read_common

DAY = 86_400_000
LONGEST = 366 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(StepBase):
    kind: ClassVar[str] = "delay"
    takes_time: ClassVar[bool] = True

    duration_ms: int

    @classmethod
    def read(cls, reader: Reader) -> "Delay":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, duration_ms=reader.duration("duration_ms", least=1000, most=LONGEST))

    def arrive(self, moment: Moment) -> Decision:
        return Wait(until=moment.at + self.duration_ms)
