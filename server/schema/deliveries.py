"""What was sent over a channel or by a step, what came of it, and what did not arrive."""

from typing import Annotated, TypeAlias

import strawberry

from server.aggregates.channel_metrics import shown
from server.aggregates.drawn import Data

from .credits import CreditStats, credit_of, credits_of
from .delivery_issues import DeliveryIssue, issues_of
from .fields import field
from .from_data import to_step
from .graphs import Goal
from .message_figures import MessageFigures, MetricStats, to_metric
from .source import Source
from .steps import Step
from .words import ChannelName, word

GoalArgument: TypeAlias = Annotated[
    strawberry.ID | None,
    strawberry.argument(
        description="The key of the goal that `conversion` is about; all together by default."
    ),
]


@strawberry.type(description="The figures of one message step.")
class MessageStepStats(MessageFigures):
    item: strawberry.Private[Data]
    chosen: strawberry.Private[Goal | None]
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")

    @field("The step, as the newest version that has it draws it.")
    def step(self) -> Step:
        return to_step(self.item)

    @field("The channel's metrics, in its order.", list_size=14)
    def metrics(self) -> list[MetricStats]:
        found = shown(self.source.answer, self.channel_name, self.source.observes(self.channel_name))
        return [to_metric(self.source, metric, self.channel_name, self.step_key) for metric in found]

    @field("What went wrong, the most frequent first.", list_size=3)
    def issues(self) -> list[DeliveryIssue]:
        return issues_of(self.source, self.channel_name, self.step_key)

    @field("What its messages have the credit for: of the goal that was chosen, or of all together.")
    def conversion(self) -> CreditStats:
        return credit_of(self.source, self.item["key"], self.chosen, self.channel_name)

    @field("The same of each goal.", list_size=3)
    def credited(self) -> list[CreditStats]:
        return credits_of(self.source, self.item["key"], self.channel_name)


def message_step(
    source: Source, channel: str, item: Data, current: bool, goal: Goal | None = None
) -> MessageStepStats:
    key = item["key"]
    return MessageStepStats(
        source=source, channel_name=channel, step_key=key, item=item, chosen=goal, is_current=current
    )


@strawberry.type(description="What was sent over one channel, and what came of it.")
class ChannelStats(MessageFigures):
    channel: ChannelName = strawberry.field(description="The channel.")
    name: str = strawberry.field(description="What its connections call it; tells apart what is `OTHER`.")

    @field("The channel's own metrics, in its own order.", list_size=14)
    def metrics(self) -> list[MetricStats]:
        found = shown(self.source.answer, self.channel_name, self.source.observes(self.channel_name))
        return [to_metric(self.source, metric, self.channel_name, None) for metric in found]

    @field("One row for each message step, also those that only earlier versions have.", list_size=5)
    def messages(self, goal: GoalArgument = None) -> list[MessageStepStats]:
        chosen = self.source.goal(goal)
        return [
            message_step(self.source, self.channel_name, item, current, chosen)
            for item, current in self.source.sending[self.channel_name].values()
        ]

    @field("What went wrong, the most frequent first.", list_size=5)
    def issues(self) -> list[DeliveryIssue]:
        return issues_of(self.source, self.channel_name, None)


def channels_of(source: Source) -> list[ChannelStats]:
    return [
        ChannelStats(
            source=source,
            channel_name=name,
            step_key=None,
            channel=word(ChannelName, name, ChannelName.OTHER),
            name=name,
        )
        for name in source.senders
    ]
