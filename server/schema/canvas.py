"""The figures of every step and edge: what is drawn on the canvas."""

import strawberry

from server.aggregates import messages
from server.aggregates.drawn import Data
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M

from .audience import DropOffs, EndCount, LeftEarly, drop_offs, ends_of, left_early
from .conclusions import Conclusion, conclusions_of
from .credits import CreditStats, credit_of, credits_of
from .deliveries import MessageStepStats, message_step
from .delivery_issues import DeliveryIssue, issues_of
from .fields import field
from .figure_words import Base
from .figures import Share, Tally, share, share_of
from .from_data import to_step
from .graphs import Edge, to_edge
from .message_figures import MetricStats, to_metric
from .scalars import Count
from .source import Source
from .steps import Step
from .time_spent import TimeSpent, time_spent
from .variants import VariantStats, Verdict, variants_of, verdicts_of


@strawberry.type(description="The figures of one step. Arrivals are waiting, have left, or ended here.")
class StepStats:
    source: strawberry.Private[Source]
    item: strawberry.Private[Data]
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")

    @field("The step, as the newest version that has it draws it.")
    def step(self) -> Step:
        return to_step(self.item)

    @field("Runs that came to it in the period, and different users.")
    def arrivals(self) -> Tally:
        return Tally(total=self._total(M.ARRIVALS), users=self.source.users(Dimension.ARRIVED, self._key))

    @field("Runs that wait at it now, whatever the period.")
    def waiting_now(self) -> Count:
        return self.source.answer.waiting_now(self._key)

    @field("Runs that went on from it in the period, by any output.")
    def left(self) -> Count:
        return self._total(M.LEFT)

    @field("Those of its arrivals in the period that an edit moved here from a step of another version.")
    def moved_in(self) -> Count:
        return self._total(M.MOVED_IN)

    @field("Those that left it in the period because an edit moved them to a step of another version.")
    def moved_out(self) -> Count:
        return self._total(M.MOVED_OUT)

    @field("Runs that ended at it in the period, by reason.", list_size=3)
    def ended_here(self) -> list[EndCount]:
        return ends_of(self.source.answer, self._key)

    @field("Runs that ended at it because something went wrong or could not be sent, of its arrivals.")
    def drop_offs(self) -> DropOffs:
        return drop_offs(self.source.answer, self._key)

    @field("Runs that ended at it by a goal, a cancel event or otherwise before an exit.")
    def left_early(self) -> LeftEarly:
        return left_early(self.source.answer, self._key)

    @field("Its arrivals, of all entries in the period.")
    def of_entries(self) -> Share:
        return share(self._total(M.ARRIVALS), self.source.answer.total(M.ENTRIES), Base.ENTRIES)

    @field("Its arrivals, of those at the steps that lead to it; null for entries, to which none leads.")
    def of_previous(self) -> Share | None:
        previous = self.source.before.get(self._key)
        if previous is None:
            return None
        whole = sum(self.source.answer.total(M.ARRIVALS, key) for key in previous)
        return share(self._total(M.ARRIVALS), whole, Base.PREVIOUS)

    @field("How long runs stayed at it.")
    def time_spent(self) -> TimeSpent:
        return time_spent(self.source, self._key)

    @field("Messages taken over by the provider; null for steps that send nothing.")
    def sent(self) -> MetricStats | None:
        return self._metric(M.SENT)

    @field("Messages opened at least once, and every open; null for steps that send nothing.")
    def opened(self) -> MetricStats | None:
        return self._metric(M.OPENED)

    @field("Messages clicked at least once, and every click; null for steps that send nothing.")
    def clicked(self) -> MetricStats | None:
        return self._metric(M.CLICKED)

    @field("Messages failed, bounced or skipped, of those decided; null for steps that send nothing.")
    def not_sent(self) -> Share | None:
        return share_of(messages.not_sent(self.source.answer, None, self._key)) if self._sends else None

    @field("Why messages were not sent or did not arrive; null for steps that send nothing.", list_size=3)
    def issues(self) -> list[DeliveryIssue] | None:
        return issues_of(self.source, None, self._key) if self._sends else None

    @field("Everything about its messages; null for steps that send nothing.")
    def message(self) -> MessageStepStats | None:
        """On the newest of its channels, if an edit gave it another."""
        if not self._sends:
            return None
        channel = self.source.channels[self._key][0]
        return message_step(self.source, channel, self.item, self.is_current)

    @field("Conversions credited to its messages, of all goals together; null for steps that send nothing.")
    def conversion(self) -> CreditStats | None:
        return credit_of(self.source, self._key, None) if self._sends else None

    @field("Conversions credited to its messages, by goal; null for steps that send nothing.", list_size=3)
    def credited(self) -> list[CreditStats] | None:
        return credits_of(self.source, self._key) if self._sends else None

    @field("Its branches, each compared with the first; null for steps that are no A/B/n split.", list_size=3)
    def variants(self) -> list[VariantStats] | None:
        return variants_of(self.source, self._key)

    @field(
        "What the evidence says of its branches now, and whether it may be stopped; null for steps that "
        "are no A/B/n split.",
        list_size=5,
    )
    def conclusions(self) -> list[Conclusion] | None:
        return conclusions_of(self.source, self._key)

    @field(
        "What was decided about it, the latest first; null for steps that are no A/B/n split.", list_size=2
    )
    def verdicts(self) -> list[Verdict] | None:
        return verdicts_of(self.source, self._key)

    @property
    def _key(self) -> str:
        return str(self.item["key"])

    @property
    def _sends(self) -> bool:
        """Or did in an earlier version: an edit takes away nothing that was sent."""
        return self._key in self.source.channels

    def _total(self, metric: M) -> int:
        return self.source.answer.total(metric, self._key)

    def _metric(self, metric: M) -> MetricStats | None:
        return to_metric(self.source, metric, None, self._key) if self._sends else None


@strawberry.type(description="The figures of one edge.")
class EdgeStats:
    source: strawberry.Private[Source]
    item: strawberry.Private[Data]
    is_current: bool = strawberry.field(description="Whether the newest version still has it.")

    @field("The edge, as the newest version that has it draws it.")
    def edge(self) -> Edge:
        return to_edge(self.item)

    @field("Runs that went along it in the period, and different users.")
    def passed(self) -> Tally:
        users = self.source.users(Dimension.LEFT, self.item["from"], self.item["output"])
        return Tally(total=self._passed(), users=users)

    @field("Runs that went along it, of the arrivals at the step that it leaves.")
    def of_arrivals(self) -> Share:
        whole = self.source.answer.total(M.ARRIVALS, self.item["from"])
        return share(self._passed(), whole, Base.ARRIVALS)

    @field("Runs that went along it, of all entries in the period.")
    def of_entries(self) -> Share:
        return share(self._passed(), self.source.answer.total(M.ENTRIES), Base.ENTRIES)

    def _passed(self) -> int:
        return self.source.answer.total(M.LEFT, self.item["from"], output=self.item["output"])
