"""Time window: waits until one of its windows of weekdays and hours is open, in the person's zone."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..hours import Window, next_within, read_windows
from ..moment import Decision, Leave, Moment, Wait
from ..reading import Reader
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeWindow(StepBase):
    kind: ClassVar[str] = "time_window"

    windows: tuple[Window, ...]

    @classmethod
    def read(cls, reader: Reader) -> "TimeWindow":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, windows=read_windows(reader, "windows"))

    def asks_for_user(self) -> bool:
        return True

    def arrive(self, moment: Moment) -> Decision:
        opens = next_within(moment.at, self.windows, moment.zone)
        return Wait(until=opens) if opens > moment.at else Leave(saw={"zone": moment.zone})

    def wake(self, moment: Moment) -> Decision:
        # It may have closed again: a server that was down, a journey that was paused, somebody who moved.
        return self.arrive(moment)
