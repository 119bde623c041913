"""Who came, who is inside, who is gone, and why."""

import strawberry

from server.aggregates import health
from server.aggregates.ask import Answer
from server.aggregates.drawn import Data
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M

from .fields import field
from .figure_words import Base
from .figures import Share, share
from .from_data import to_step
from .scalars import Count
from .source import Source
from .steps import Step
from .words import EndReason, RefusedEntry, word


@strawberry.type(description="How many runs ended for one reason.")
class EndCount:
    reason: EndReason = strawberry.field(description="The reason.")
    count: Count = strawberry.field(description="How many runs.")
    share: Share = strawberry.field(description="Of all that ended, here or in the journey.")


@strawberry.type(description="How many times somebody was kept out for one reason.")
class RefusalCount:
    reason: RefusedEntry = strawberry.field(description="The reason.")
    count: Count = strawberry.field(description="How many times.")
    share: Share = strawberry.field(description="Of all times that somebody came in or would have.")


@strawberry.type(description="How many runs are at one step now.")
class InsideCount:
    item: strawberry.Private[Data]
    count: Count = strawberry.field(description="How many runs.")
    share: Share = strawberry.field(description="Of all that are inside now.")

    @field("The step, as the newest version that has it draws it.")
    def step(self) -> Step:
        return to_step(self.item)


@strawberry.type(description="Runs that ended because of an error, of those that could have.")
class DropOffs:
    count: Count = strawberry.field(description="How many runs, for both causes together.")
    of: Count = strawberry.field(description="Of how many.")
    base: Base = strawberry.field(description="What those are.")
    rate: float | None = strawberry.field(description="Part by whole; null when the whole is 0.")
    internal: Count = strawberry.field(description="Something went wrong inside the journey.")
    send: Count = strawberry.field(description="A message could not be sent, and its step ends such runs.")


@strawberry.type(description="Runs that ended neither at an exit nor because of an error.")
class LeftEarly:
    count: Count = strawberry.field(description="How many runs.")
    goal: Count = strawberry.field(description="They reached a goal that ends the journey.")
    cancel_event: Count = strawberry.field(description="The user did something that cancels the journey.")
    otherwise: Count = strawberry.field(
        description="Moved on, overdue, edited, removed, erased, stopped or merged."
    )
    share: Share = strawberry.field(description="Of all that ended, here or in the journey.")


def refusals_of(by_reason: dict[str, int], whole: int) -> list[RefusalCount]:
    return [
        RefusalCount(
            reason=word(RefusedEntry, reason, RefusedEntry.OTHER),
            count=n,
            share=share(n, whole, Base.TRIGGERED),
        )
        for reason, n in by_reason.items()
    ]


def drop_offs(answer: Answer, step_key: str | None = None) -> DropOffs:
    """Of the entries of a journey, or of the arrivals at a step."""
    found = health.ends(answer, step_key)
    whole = answer.total(M.ENTRIES) if step_key is None else answer.total(M.ARRIVALS, step_key)
    part = share(found.dropped, whole, Base.ENTRIES if step_key is None else Base.ARRIVALS)
    return DropOffs(
        count=part.count,
        of=part.of,
        base=part.base,
        rate=part.rate,
        internal=found.internal,
        send=found.send,
    )


def left_early(answer: Answer, step_key: str | None = None) -> LeftEarly:
    found = health.ends(answer, step_key)
    return LeftEarly(
        count=found.early,
        goal=found.goal,
        cancel_event=found.cancel_event,
        otherwise=found.otherwise,
        share=share(found.early, found.ended, Base.ENDED),
    )


def ends_of(answer: Answer, step_key: str | None) -> list[EndCount]:
    found = answer.by_reason(M.ENDED, step_key)
    whole = sum(found.values())
    return [
        EndCount(reason=EndReason(reason), count=n, share=share(n, whole, Base.ENDED))
        for reason, n in found.items()
    ]


@strawberry.type(description="Who came, who is inside, who is gone. Entries are inside now or have ended.")
class AudienceStats:
    source: strawberry.Private[Source]

    @field("Runs that entered in the period; a re-entry counts again.")
    def entries(self) -> Count:
        return self._total(M.ENTRIES)

    @field("Different users who entered in the period.")
    def users(self) -> Count | None:
        return self.source.users(Dimension.ENTERED)

    @field("Times that somebody came in, was kept out, or was held out, in the period.")
    def triggered(self) -> Count:
        return health.triggered(self.source.answer)

    @field(
        "Times that somebody would have come in, and did not, by reason, the most frequent first.",
        list_size=5,
    )
    def refused(self) -> list[RefusalCount]:
        answer = self.source.answer
        return refusals_of(answer.by_reason(M.REFUSED), health.triggered(answer))

    @field("Runs that ended at once, because the person belongs to the share that gets nothing.")
    def held_out(self) -> Count:
        return sum(one.n for one in self.source.answer.held_out if one.metric == M.ENTRIES)

    @field("Runs that are inside now, whatever the period.")
    def inside_now(self) -> Count:
        return self.source.answer.inside_now()

    @field(
        "The same by the step at which they are, the most first; steps where nobody is are left out.",
        list_size=5,
    )
    def inside_by_step(self) -> list[InsideCount]:
        answer = self.source.answer
        waiting = [(answer.waiting_now(item["key"]), item) for item, _ in self.source.steps]
        return [
            InsideCount(item=item, count=n, share=share(n, answer.inside_now(), Base.INSIDE_NOW))
            for n, item in sorted(waiting, key=lambda one: -one[0])
            if n
        ]

    @field("Runs that ended in the period.")
    def ended(self) -> Count:
        return self._total(M.ENDED)

    @field("The same by reason, the most frequent first.", list_size=5)
    def ended_by(self) -> list[EndCount]:
        return ends_of(self.source.answer, None)

    @field("Runs that came to an exit, of those that ended.")
    def completed(self) -> Share:
        found = health.ends(self.source.answer)
        return share(found.completed, found.ended, Base.ENDED)

    @field("Runs that ended for another reason than an exit or an error.")
    def left_early(self) -> LeftEarly:
        return left_early(self.source.answer)

    @field("Runs that ended because of an error, of the entries in the period.")
    def drop_offs(self) -> DropOffs:
        return drop_offs(self.source.answer)

    @field("Different users who were sent a message in the period, of those who entered in it.")
    def messaged(self) -> Share | None:
        entered, sent = self.source.users(Dimension.ENTERED), self.source.recipients()
        return None if entered is None or sent is None else share(sent, entered, Base.USERS_ENTERED)

    @field("Runs that an edit moved here from another version in the period; they count as no entry.")
    def moved_in(self) -> Count:
        return self._total(M.MOVED_IN)

    @field("Runs that an edit moved from here to another version in the period; they have not ended.")
    def moved_out(self) -> Count:
        return self._total(M.MOVED_OUT)

    def _total(self, metric: M) -> int:
        return self.source.answer.total(metric)
