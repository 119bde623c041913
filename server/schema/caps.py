"""Frequency caps: how often at most one person is written to on a channel."""

from typing import Annotated

import strawberry

from server.resolvers import caps as resolve
from server.resolvers.refusals import Refusal
from server.store.caps import Limit
from server.store.projects import WRITE

from .fields import ONCE, Input, field, mutation
from .info import Info
from .problems import IdempotencyConflictProblem, InputProblem, to_problem


@strawberry.type(
    description="At most so many messages on a channel to one person, in any window of this length. The "
    "devices of one person count once; what was refused, bounced or never tried does not count."
)
class FrequencyCap:
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    most: int = strawberry.field(description="How many messages.")
    window_seconds: int = strawberry.field(description="In how long.")


@strawberry.input(description="At most so many messages on a channel to one person.")
class FrequencyCapInput:
    channel: str = strawberry.field(description="The channel, e.g. `email`.")
    most: int = strawberry.field(description="How many messages: 1 to 1000.")
    window_seconds: int = strawberry.field(description="In how long: from a minute to 30 days.")


@strawberry.input(description="All frequency caps of the project.")
class SetFrequencyCapsInput:
    caps: list[FrequencyCapInput] = strawberry.field(
        description="These take the place of all that there were; a channel may have several. Up to 50."
    )
    idempotency_key: str | None = strawberry.field(default=None, description=ONCE)


@strawberry.type(description="The frequency caps hold from now on.")
class SetFrequencyCapsPayload:
    caps: list[FrequencyCap] = strawberry.field(
        description="All there are, by channel, the shortest window first.", metadata={"list_size": 10}
    )


SetFrequencyCapsResult = Annotated[
    SetFrequencyCapsPayload | InputProblem | IdempotencyConflictProblem,
    strawberry.union("SetFrequencyCapsResult", description="The caps, or why they stay as they were."),
]


@strawberry.type(description="What can be asked about frequency caps.")
class CapQuery:
    @field("How often at most one person is written to, by channel.", list_size=10)
    async def frequency_caps(self, info: Info) -> list[FrequencyCap]:
        return await _all(info)


@strawberry.type(description="What can be changed in frequency caps.")
class CapMutation:
    @mutation("Says how often at most one person is written to on each channel, whatever sends.")
    async def set_frequency_caps(
        self, info: Info, input: Annotated[SetFrequencyCapsInput, Input]
    ) -> SetFrequencyCapsResult:
        info.context.require(WRITE)
        try:
            wanted = [(one.channel, Limit(one.most, one.window_seconds * 1000)) for one in input.caps]
            await resolve.replace(info.context, wanted, input.idempotency_key)
            return SetFrequencyCapsPayload(caps=await _all(info))
        except Refusal as error:
            return to_problem(error)


async def _all(info: Info) -> list[FrequencyCap]:
    return [
        FrequencyCap(channel=row.channel, most=row.most, window_seconds=row.window_ms // 1000)
        for row in await resolve.listed(info.context)
    ]
