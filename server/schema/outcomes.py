"""What a message step makes of what becomes of its messages, in and out."""

from typing import Any

import strawberry

from server.journey.reading import Reader
from server.journey.steps.outcome import Outcome, read_outcome

from .words import IfNotSent, SplitBy

Data = dict[str, Any]


@strawberry.type(description="What a message step waits to know before it goes on.")
class StepOutcome:
    split_by: SplitBy | None = strawberry.field(
        description="It leaves by this word, or by `not_` and the word; null: it does not split."
    )
    split_after_seconds: int = strawberry.field(description="How long it waits for that, if it splits.")
    if_not_sent: IfNotSent = strawberry.field(description="What happens to whoever cannot be sent to.")


def outcome_of(item: Data) -> Outcome:
    return read_outcome(Reader(item))


def to_outcome(item: Data) -> StepOutcome:
    found = outcome_of(item)
    return StepOutcome(
        split_by=SplitBy(found.split_by) if found.split_by else None,
        split_after_seconds=found.split_after_ms // 1000,
        if_not_sent=IfNotSent(found.if_not_sent),
    )
