"""Go to another journey: this run is over, and the person enters that journey at the same instant."""

from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import Any, ClassVar

from ..moment import Decision, End, EndReason, Moment, Outputs
from ..reading import Reader
from .base import StepBase, read_common


@dataclass(frozen=True, slots=True, kw_only=True)
class GoToJourney(StepBase):
    kind: ClassVar[str] = "go_to_journey"

    journey: int

    @classmethod
    def read(cls, reader: Reader) -> "GoToJourney":
        common: dict[str, Any] = read_common(reader)
        text = reader.text("journey", longest=120)
        number = journey_in(text)
        if text.strip() and number is None:
            reader.refuse("journey", f"There is no journey with the id or handle {text!r}", "unknown_journey")
        return cls(**common, journey=number or 0)

    def outputs(self) -> Outputs:
        return ()

    def leads_to(self) -> tuple[int, ...]:
        return (self.journey,)

    def asks_for_user(self) -> bool:
        return True

    def arrive(self, moment: Moment) -> Decision:
        return End(EndReason.MOVED_ON, enters=self.journey)


def journey_in(text: str) -> int | None:
    """The journey's number in an id as the API hands it out; None if there is none."""
    try:
        padded = text + "=" * (-len(text) % 4)
        kind, _, number = urlsafe_b64decode(padded.encode("ascii")).decode("ascii").partition(":")
        return int(number) if kind == "Journey" and number.isdigit() else None
    except ValueError:
        return None
