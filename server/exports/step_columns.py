"""What is told of one message step, under a goal or under all of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from server.aggregates.conversions import Credit, credit
from server.aggregates.messages import how_many
from server.aggregates.metrics import Metric as M

from .campaign import Campaign, Messages
from .figure import Figure, count, money, number, rate, ratio, text
from .message_columns import figures_of
from .sheets import Cell, Column
from .words import CHANNELS


@dataclass(frozen=True, slots=True)
class StepOf:
    """A message step of a journey, with the figures of the journey."""

    campaign: Campaign
    channel: str
    step: dict[str, Any]
    is_current: bool
    goal: str | None
    """The key of the goal whose conversions are told; of all together without."""

    @property
    def key(self) -> str:
        return str(self.step["key"])

    @property
    def messages(self) -> Messages:
        return Messages(self.campaign.figures, (self.channel,), self.key)

    @property
    def sent(self) -> int:
        return how_many(self.campaign.answer, M.SENT, self.channel, self.key)

    @property
    def credit(self) -> Credit:
        return credit(self.campaign.answer, self.key, self.goal, self.channel)

    @property
    def goals(self) -> list[dict[str, Any]]:
        return [one for one in self.campaign.figures.goals_drawn if self.goal in (None, one["key"])]

    @property
    def currencies(self) -> list[str]:
        """Of those of the goals that name an amount."""
        return sorted({goal.get("currency") or "" for goal in self.goals if goal.get("amount_property")})


STEP: tuple[Figure[StepOf], ...] = (
    text("step_key", "요소 키", "Step key", "By which the graph calls it.", lambda one: one.key),
    text(
        "step_title",
        "메시지",
        "Message",
        "What people call it, as the newest version that has it draws it.",
        lambda one: one.step.get("title") or one.key,
    ),
    text("channel", "채널", "Channel", "Over which it sends.", lambda one: one.channel, CHANNELS),
    Figure(
        Column("is_current", "현재 버전", "In the newest version", Cell.FLAG),
        "Whether the newest version still has it.",
        lambda one: one.is_current,
    ),
)

CONVERSION: tuple[Figure[StepOf], ...] = (
    text(
        "goal",
        "목표",
        "Goal",
        "The key of the goal that was chosen; empty for all of them together.",
        lambda one: one.goal,
    ),
    count(
        "converted",
        "목표 전환",
        "Converted",
        "Runs whose first hit its messages have the credit for; each once for each goal.",
        lambda one: one.credit.runs,
    ),
    ratio(
        "converted_rate",
        "목표 전환율(전송 기준)",
        "Converted, of sent",
        "`converted` by `sent`.",
        lambda one: rate(one.credit.runs, one.sent),
    ),
    count(
        "converted_after_open",
        "상호작용 후 목표 전환",
        "Converted after an open",
        "Those of `converted` because they were opened: people who did something with a message.",
        lambda one: one.credit.runs_after_open,
    ),
    ratio(
        "converted_after_open_rate",
        "상호작용 후 목표 전환율(전송 기준)",
        "Converted after an open, of sent",
        "`converted_after_open` by `sent`.",
        lambda one: rate(one.credit.runs_after_open, one.sent),
    ),
    count(
        "conversions",
        "총 목표 전환",
        "Conversions",
        "Every hit that they have the credit for: `conversions_after_open` and `conversions_after_send`.",
        lambda one: one.credit.total,
    ),
    count(
        "conversions_after_open",
        "열람 후 전환",
        "Conversions after an open",
        "Hits credited to its messages because they were the last opened before.",
        lambda one: one.credit.after_open,
    ),
    count(
        "conversions_after_send",
        "전송 후 전환",
        "Conversions after a sending",
        "Hits credited to its messages because they were the last sent before, and none was opened.",
        lambda one: one.credit.after_send,
    ),
    count(
        "assisted",
        "기여 전환",
        "Assisted conversions",
        "Hits credited to another message, before which one of these was sent as well.",
        lambda one: one.credit.assisted,
    ),
    number(
        "revenue",
        "매출",
        "Revenue",
        "What the credited hits were worth; empty if no goal names an amount, or currencies differ.",
        lambda one: money(one.credit.amount) if len(one.currencies) == 1 else None,
    ),
    text(
        "currency",
        "통화",
        "Currency",
        "Of the goals that name an amount; several if they differ.",
        lambda one: ", ".join(one.currencies) or None,
    ),
)


def of_messages(channel: str) -> Iterator[Figure[StepOf]]:
    """The metrics of its channel."""
    return (figure.seen_from(_messages) for figure in figures_of(channel))


def _messages(step: StepOf) -> Messages:
    return step.messages
