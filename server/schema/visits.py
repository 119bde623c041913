"""Visits: the passages of a run through steps, each with its messages."""

from datetime import datetime

import strawberry

from server.clock import to_datetime, to_datetime_if_any
from server.resolvers import messages, records, run_paths
from server.resolvers.run_paths import Stay

from .fields import field
from .info import Info
from .messages import Message
from .steps import Step
from .words import EndReason


@strawberry.type(description="One passage of a run through a step.")
class Visit:
    run_id: strawberry.Private[int]
    stay: strawberry.Private[Stay]
    step: Step = strawberry.field(description="The step, as it was in the version of this visit.")
    version_number: int = strawberry.field(
        description="The number of the version in which the run passed it."
    )
    arrived_at: datetime = strawberry.field(description="When the run came to the step.")
    left_at: datetime | None = strawberry.field(description="When it left; null while it waits there.")
    output: str | None = strawberry.field(
        description="By which output it left, `@2` if an edit moved it to version 2; null if it has not left."
    )
    because: str | None = strawberry.field(
        description="Why it left or ended there, where there is more to say."
    )
    end_reason: EndReason | None = strawberry.field(description="Why the run ended here; null if it did not.")

    @classmethod
    def from_stay(cls, run_id: int, stay: Stay, step: Step) -> "Visit":
        record: records.Visit | None = stay.record
        return cls(
            run_id=run_id,
            stay=stay,
            step=step,
            version_number=stay.version,
            arrived_at=to_datetime(stay.arrived_at),
            left_at=to_datetime_if_any(stay.left_at),
            output=stay.output or None,
            because=(record.because if record else "") or None,
            end_reason=EndReason(record.end_reason) if record and record.end_reason else None,
        )

    @field("The first message that the step sent on this visit.")
    async def message(self, info: Info) -> Message | None:
        if self.stay.record is None or self.stay.record.message_id is None:
            return None
        found = await messages.by_id(info.context, self.stay.record.message_id)
        return Message.from_record(found) if found else None

    @field(
        "All messages that the step sent on this visit, also while the run waits there: one for each device.",
        list_size=1,
    )
    async def messages(self, info: Info) -> list[Message]:
        found = await run_paths.messages_of(info.context, self.run_id, self.stay)
        return [Message.from_record(one) for one in found]
