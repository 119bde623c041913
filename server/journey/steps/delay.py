"""Delay: waits for a length of time, or until a clock or a calendar shows what was asked for."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..dates import Unreadable
from ..moment import Decision, Leave, Moment, Outputs, Wait
from ..reading import Reader
from ..waits import Length, Waiting, read_waiting, shown_in
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay(StepBase):
    kind: ClassVar[str] = "delay"

    waiting: Waiting

    @classmethod
    def read(cls, reader: Reader) -> "Delay":
        common: dict[str, Any] = read_common(reader)
        return cls(**common, waiting=read_waiting(reader))

    def outputs(self) -> Outputs:
        return self.waiting.outputs()

    def lets_time_pass(self) -> bool:
        return self.waiting.takes_time()

    def asks_for_user(self) -> bool:
        return not isinstance(self.waiting, Length)

    def arrive(self, moment: Moment) -> Decision:
        target = self.waiting.target(moment)
        if isinstance(target, Unreadable) or target > moment.at:
            return self._wait(target, moment)
        because = f"{shown_in(target, moment.zone)} had passed"
        return Leave(self.waiting.passed(), because, saw=self.waiting.saw(moment))

    def wake(self, moment: Moment) -> Decision:
        if self.waiting.looks_again:
            target = self.waiting.target(moment)
            if isinstance(target, Unreadable) or target > moment.at:
                return self._wait(target, moment)
        return Leave(saw=self.waiting.saw(moment))

    def _wait(self, target: int | Unreadable, moment: Moment) -> Decision:
        if isinstance(target, Unreadable):
            return self.waiting.unreadable(target.why, self.waiting.saw(moment))
        return Wait(until=target)
