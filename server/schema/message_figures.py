"""The figures that a channel and each of its messages have in common."""

from dataclasses import replace
from typing import Any

import strawberry

from server.aggregates import costs as billing
from server.aggregates import messages
from server.aggregates.messages import Numbers, Part
from server.aggregates.metrics import Metric as M

from . import costs
from .charts import ActorArgument, FillArgument, IntervalArgument, MetricArgument, line
from .cost_lines import CostLine, OpenCost
from .fields import field
from .figure_words import Interval, Metric
from .figures import Money, Point, Share, share_of
from .scalars import Count
from .source import Source
from .words import Actor


@strawberry.type(description="One metric of a channel or of a message step.")
class MetricStats:
    metric: Metric = strawberry.field(description="What is counted.")
    observable: bool = strawberry.field(
        description="Whether the channel can tell. If not, every figure is null: not observable is not 0 %."
    )
    total: Count | None = strawberry.field(
        description="Every time: for opens and clicks each one, for everything else the same as `unique`."
    )
    unique: Count | None = strawberry.field(description="How many messages, each once.")
    users: Count | None = strawberry.field(description="How many different users; null where it is not kept.")
    share: Share | None = strawberry.field(
        description="`unique`, of what it is a part; null for what is no part."
    )
    of_delivered: Share | None = strawberry.field(
        description="The same of the messages delivered; null where deliveries cannot be observed."
    )
    human: Count | None = strawberry.field(description="By people, where actors are told apart.")
    machine: Count | None = strawberry.field(
        description="By scanners and prefetchers, where actors are told apart."
    )
    unsure: Count | None = strawberry.field(description="By who knows whom, where actors are told apart.")
    human_share: Share | None = strawberry.field(
        description="`human`, of the same whole as `share`; null where there is no such."
    )


def to_metric(source: Source, metric: M, channel: str | None, step_key: str | None) -> MetricStats:
    found = messages.numbers(source.answer, metric, channel, step_key)
    # Whatever was heard can be observed; only of what was not it has to be asked.
    if not found.unique and not source.sees(metric, channel, step_key):
        return _unobservable(metric)
    by = found.by_actor
    return MetricStats(
        metric=Metric(metric.value),
        observable=True,
        total=found.total,
        unique=found.unique,
        users=_users(source, metric, channel, step_key),
        share=share_of(found.part) if found.part else None,
        of_delivered=_of_delivered(source, found, channel, step_key),
        human=None if by is None else by.get(Actor.HUMAN.value, 0),
        machine=None if by is None else by.get(Actor.MACHINE.value, 0),
        unsure=None if by is None else by.get(Actor.UNSURE.value, 0),
        human_share=None
        if by is None or found.part is None
        else share_of(replace(found.part, count=by.get(Actor.HUMAN.value, 0))),
    )


def _unobservable(metric: M) -> MetricStats:
    return MetricStats(
        metric=Metric(metric.value),
        observable=False,
        total=None,
        unique=None,
        users=None,
        share=None,
        of_delivered=None,
        human=None,
        machine=None,
        unsure=None,
        human_share=None,
    )


def _of_delivered(source: Source, found: Numbers, channel: str | None, step_key: str | None) -> Share | None:
    where = (channel, step_key)
    told = found.metric in messages.OF_DELIVERED
    if not told or not source.sees(M.DELIVERED, *where):
        return None
    delivered = messages.how_many(source.answer, M.DELIVERED, *where)
    return share_of(Part(found.unique, delivered, M.DELIVERED))


def _users(source: Source, metric: M, channel: str | None, step_key: str | None) -> int | None:
    if metric not in messages.SETS:
        return None
    keys = source.senders.get(channel or "", []) if step_key is None else [step_key]
    if channel is not None and any(len(source.channels[key]) > 1 for key in keys):
        return None  # Sets tell steps apart, and not on which channel a step wrote when.
    return source.users_at(messages.SETS[metric], [(key,) for key in keys])


@strawberry.type(description="What became of messages.")
class MessageFigures:
    source: strawberry.Private[Source]
    channel_name: strawberry.Private[str]
    step_key: strawberry.Private[str | None]

    @field("Messages that the journey decided to send.")
    def queued(self) -> MetricStats:
        return self._metric(M.QUEUED)

    @field("Messages that the provider took over; not proof of delivery.")
    def sent(self) -> MetricStats:
        return self._metric(M.SENT)

    @field("Messages that the provider reports as delivered.")
    def delivered(self) -> MetricStats:
        return self._metric(M.DELIVERED)

    @field("Messages opened at least once; `total` is every open.")
    def opened(self) -> MetricStats:
        return self._metric(M.OPENED)

    @field("Messages clicked at least once; `total` is every click. Its `share` is the click-through rate.")
    def clicked(self) -> MetricStats:
        return self._metric(M.CLICKED)

    @field("Messages clicked, of those opened; null where either cannot be observed.")
    def click_to_open(self) -> Share | None:
        where = (self.channel_name, self.step_key)
        if not (self.source.sees(M.OPENED, *where) and self.source.sees(M.CLICKED, *where)):
            return None
        return share_of(messages.click_to_open(self.source.answer, *where))

    @field("Messages whose reader asked for no more.")
    def unsubscribed(self) -> MetricStats:
        return self._metric(M.UNSUBSCRIBED)

    @field("Messages whose reader reported them as spam.")
    def complained(self) -> MetricStats:
        return self._metric(M.COMPLAINED)

    @field("Messages that were answered.")
    def replied(self) -> MetricStats:
        return self._metric(M.REPLIED)

    @field("Messages that an app or a page has shown.")
    def shown(self) -> MetricStats:
        return self._metric(M.SHOWN)

    @field("Messages in an app that somebody did something with.")
    def interacted(self) -> MetricStats:
        return self._metric(M.INTERACTED)

    @field("Messages in an app that were put away.")
    def dismissed(self) -> MetricStats:
        return self._metric(M.DISMISSED)

    @field("Messages taken over and then returned.")
    def bounced(self) -> MetricStats:
        return self._metric(M.BOUNCED)

    @field("Messages tried and refused for good.")
    def failed(self) -> MetricStats:
        return self._metric(M.FAILED)

    @field("Messages never tried: no address, opted out, journey stopped.")
    def skipped(self) -> MetricStats:
        return self._metric(M.SKIPPED)

    @field("Messages that left and got no answer: they may have arrived, and are not sent again.")
    def unknown(self) -> MetricStats:
        return self._metric(M.UNKNOWN)

    @field("Of those sent the ones that went out in the place of another that did not arrive (대체발송).")
    def fallback_sent(self) -> MetricStats:
        return self._metric(M.FALLBACK_SENT)

    @field("Of those delivered the ones that went out in the place of another that did not arrive.")
    def fallback_delivered(self) -> MetricStats:
        return self._metric(M.FALLBACK_DELIVERED)

    @field("Messages failed, bounced or skipped, of those decided.")
    def not_sent(self) -> Share:
        return share_of(messages.not_sent(self.source.answer, self.channel_name, self.step_key))

    @field(
        "What they cost without VAT, by currency, as far as prices are known: see `priced`, `costLines`.",
        list_size=2,
    )
    def cost(self) -> list[Money]:
        return costs.cost_of(self.source, self.channel_name, self.step_key)

    @field("Messages whose price is known: told by their providers, or booked by the price list.")
    def priced(self) -> Count:
        return costs.priced(self.source, self.channel_name, self.step_key)

    @field("The same by connection, kind and source, with VAT apart.", list_size=5)
    def cost_lines(self) -> list[CostLine]:
        return [
            CostLine.of(one) for one in billing.billed(self.source.answer, self.channel_name, self.step_key)
        ]

    @field(
        "Messages that went out and are not booked: their outcome is open, or they have no price.",
        list_size=3,
    )
    def open_costs(self) -> list[OpenCost]:
        return [
            OpenCost.of(one) for one in billing.unbilled(self.source.answer, self.channel_name, self.step_key)
        ]

    @field(
        "What the goal hits credited to them were worth, for each message sent; by currency.",
        list_size=2,
    )
    def revenue_per_message(self) -> list[Money]:
        return costs.revenue_per_message(self.source, self.channel_name, self.step_key)

    @field("One metric over time.", list_size=30)
    def over(
        self,
        metric: MetricArgument,
        by: IntervalArgument = Interval.DAY,
        fill: FillArgument = False,
        actor: ActorArgument = None,
    ) -> list[Point]:
        where: dict[str, Any] = {"channel": self.channel_name, "step_key": self.step_key, "actor": actor}
        return line(self.source, metric, by, fill, **where)

    def _metric(self, metric: M) -> MetricStats:
        return to_metric(self.source, metric, self.channel_name, self.step_key)
