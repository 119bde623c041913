"""Exit: the journey is completed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from ..moment import Decision, End, EndReason, Moment, Outputs
from ..reading import Reader
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit(StepBase):
    kind: ClassVar[str] = "exit"

    @classmethod
    def read(cls, reader: Reader) -> "Exit":
        common: dict[str, Any] = read_common(reader)
        return cls(**common)

    def outputs(self) -> Outputs:
        return ()

    def arrive(self, moment: Moment) -> Decision:
        return End(EndReason.COMPLETED)
