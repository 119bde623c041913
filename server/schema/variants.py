"""How the branches of a split by chance do, against its control; and what a whole journey does at all."""

from datetime import datetime

import orjson
import strawberry
from strawberry.scalars import JSON

from server.aggregates.comparing import Comparison
from server.aggregates.experiments import Success
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M
from server.clock import to_datetime
from server.journey.holdout import HOLDOUT, JOURNEY, TREATED
from server.resolvers import records

from .fields import field
from .figure_words import Base
from .figures import Money, Share, Tally, share
from .graphs import Goal
from .scalars import Count
from .source import Source, money_of
from .words import Actor, DecidedBy


@strawberry.type(
    description="How people did against the control, over all time. It may be looked at at any time."
)
class Evidence:
    people: Count = strawberry.field(description="Different people who drew the branch.")
    hits: Count = strawberry.field(description="Those of them who did it.")
    lift: float | None = strawberry.field(
        description="How much more often than in the control: 0.1 is a tenth more. Null for the control."
    )
    low: float | None = strawberry.field(description="The lift is at least this; null for the control.")
    high: float | None = strawberry.field(
        description="And at most this; null for no end, and for the control."
    )
    p_value: float | None = strawberry.field(
        description="How often so much would come up without a difference; corrected for all branches."
    )
    is_proven: bool = strawberry.field(description="Whether there is a difference, in either direction.")
    best_probability: float | None = strawberry.field(
        description="How likely the branch has the highest rate. For orientation: nothing is decided by it. "
        "Null once people are drawn by other percentages than before, as after a decision."
    )


def to_evidence(compared: Comparison, success: Success, output: str) -> Evidence:
    outcome = compared.outcomes(success)[output]
    against = outcome.comparison
    return Evidence(
        people=outcome.people,
        hits=outcome.hits,
        lift=against.lift if against else None,
        low=against.low if against else None,
        high=against.high if against else None,
        p_value=against.p_value if against else None,
        is_proven=against.is_proven if against else False,
        best_probability=compared.best(success)[output],
    )


@strawberry.type(description="What a branch achieved for one goal.")
class VariantGoal:
    compared: strawberry.Private[Comparison]
    output: strawberry.Private[str]
    goal: Goal = strawberry.field(description="The goal.")
    reached: Share = strawberry.field(
        description="Runs that reached it after drawing the branch, of those that drew it in the period."
    )
    revenue: Money | None = strawberry.field(
        description="What each run's first hit was worth; null if the goal names no amount."
    )

    @field("The same about people, over all time, against the control.")
    def evidence(self) -> Evidence:
        success = Success(Dimension.VARIANT_REACHED, self.goal.key)
        return to_evidence(self.compared, success, self.output)


@strawberry.type(
    description="What became of the messages that were sent to people of a branch after the draw."
)
class VariantMessages:
    compared: strawberry.Private[Comparison]
    output: strawberry.Private[str]
    dimension: strawberry.Private[Dimension]
    messages: Share = strawberry.field(description="Messages, of those that the provider took over.")
    human: Count = strawberry.field(description="By people.")
    machine: Count = strawberry.field(description="By scanners and prefetchers.")
    unsure: Count = strawberry.field(description="By who knows whom.")

    @field("The same about people, over all time, against the control. Machines do not count.")
    def evidence(self) -> Evidence:
        return to_evidence(self.compared, Success(self.dimension), self.output)


@strawberry.type(description="The figures of one branch of a split by chance.")
class VariantStats:
    source: strawberry.Private[Source]
    compared: strawberry.Private[Comparison]
    output: str = strawberry.field(description="The name of the way out.")
    percent: int = strawberry.field(description="How many of a hundred people get it, as it is drawn.")
    is_control: bool = strawberry.field(description="Whether the others are compared with it: the first.")
    is_winner: bool = strawberry.field(description="Whether it is chosen for newcomers now.")

    @field("Runs that drew it in the period, and different users.")
    def runs(self) -> Tally:
        users = self.source.users(Dimension.LEFT, self._key, self.output)
        return Tally(total=self._drawn(), users=users)

    @field("What it achieved, goal by goal.", list_size=3)
    def goals(self) -> list[VariantGoal]:
        return [self._goal(goal) for goal in self.source.goals]

    @field(
        "Messages that were sent to its runs after the draw and taken over by the provider, in the period."
    )
    def sent(self) -> Count:
        return self._count(M.VARIANT_SENT, "")

    @field("Messages opened at least once; null if none were sent.")
    def opened(self) -> VariantMessages | None:
        return self._messages(M.VARIANT_OPENED, Dimension.VARIANT_OPENED)

    @field("Messages clicked at least once; null if none were sent.")
    def clicked(self) -> VariantMessages | None:
        return self._messages(M.VARIANT_CLICKED, Dimension.VARIANT_CLICKED)

    @property
    def _key(self) -> str:
        return self.compared.experiment.step.key

    def _drawn(self) -> int:
        return self.source.answer.total(M.LEFT, self._key, output=self.output)

    def _goal(self, goal: Goal) -> VariantGoal:
        counts = [
            count
            for count in self.source.answer.of(M.VARIANT_REACHED, self._key)
            if (count.output, count.reason) == (self.output, goal.key)
        ]
        return VariantGoal(
            compared=self.compared,
            output=self.output,
            goal=goal,
            reached=share(sum(count.n for count in counts), self._drawn(), Base.BRANCH),
            revenue=money_of(goal, sum(count.amount for count in counts)),
        )

    def _count(self, metric: M, reason: str) -> int:
        return self.source.answer.total(metric, self._key, output=self.output, reason=reason)

    def _messages(self, metric: M, dimension: Dimension) -> VariantMessages | None:
        sent = self._count(M.VARIANT_SENT, "")
        if not sent:
            return None
        return VariantMessages(
            compared=self.compared,
            output=self.output,
            dimension=dimension,
            messages=share(self._count(metric, ""), sent, Base.BRANCH_SENT),
            human=self._count(metric, Actor.HUMAN.value),
            machine=self._count(metric, Actor.MACHINE.value),
            unsure=self._count(metric, Actor.UNSURE.value),
        )


@strawberry.type(description="A decision about a split by chance. The latest holds.")
class Verdict:
    round: int = strawberry.field(description="Counts the decisions about the split, from 1.")
    winner: str | None = strawberry.field(
        description="The branch that newcomers get; null if this opened the split again."
    )
    explore_percent: int = strawberry.field(
        description="How many of a hundred newcomers the other branches still get together."
    )
    decided_at: datetime = strawberry.field(description="When.")
    decided_by: DecidedBy = strawberry.field(description="By whom.")
    evidence: JSON = strawberry.field(
        description="How the branches stood then; empty if nothing was compared."
    )

    @classmethod
    def from_record(cls, record: records.Verdict) -> "Verdict":
        return cls(
            round=record.round,
            winner=record.winner or None,
            explore_percent=record.explore_percent,
            decided_at=to_datetime(record.decided_at),
            decided_by=DecidedBy(record.decided_by),
            evidence=orjson.loads(record.evidence),
        )


def variants_of(source: Source, step_key: str) -> list[VariantStats] | None:
    """The branches as the newest version that has the split draws them; None for other steps."""
    compared = source.figures.compared.get(step_key)
    if compared is None:
        return None
    experiment = compared.experiment
    return [
        VariantStats(
            source=source,
            compared=compared,
            output=branch.output,
            percent=branch.percent,
            is_control=branch.output == experiment.step.control,
            is_winner=branch.output == experiment.verdict.winner,
        )
        for branch in experiment.step.branches
    ]


def verdicts_of(source: Source, step_key: str) -> list[Verdict] | None:
    """What was decided about the split, the latest first; None for other steps."""
    compared = source.figures.compared.get(step_key)
    return None if compared is None else [Verdict.from_record(row) for row in reversed(compared.verdicts)]


@strawberry.type(description="What a journey does for one goal: those who got it against those held out.")
class HoldoutGoal:
    goal: Goal = strawberry.field(description="The goal.")
    treated: Share = strawberry.field(
        description="People who reached it within its window from their first entry, of those not held out."
    )
    held_out: Share = strawberry.field(description="The same of those held out.")
    lift: float | None = strawberry.field(
        description="How much more often than among those held out; null while none of them has reached it."
    )
    low: float = strawberry.field(description="The lift is at least this, at 95 % confidence at all times.")
    high: float | None = strawberry.field(description="And at most this; null is without an end.")
    p_value: float = strawberry.field(
        description="How often so much would come up if the journey did nothing."
    )
    is_proven: bool = strawberry.field(
        description="Whether the journey makes a difference, in either direction."
    )


@strawberry.type(description="People who get nothing, so that the others can be compared with them.")
class HoldoutStats:
    source: strawberry.Private[Source]
    compared: strawberry.Private[Comparison]
    percent: int = strawberry.field(
        description="How many of a hundred people are held out, in the newest version with a holdout."
    )
    entries: Count = strawberry.field(
        description="Runs that ended at once because the person is held out, in the period."
    )

    @field("What the journey does, goal by goal. About people, over all time.", list_size=3)
    def goals(self) -> list[HoldoutGoal]:
        return [_holdout_goal(self.compared, goal) for goal in self.source.goals]


def _holdout_goal(compared: Comparison, goal: Goal) -> HoldoutGoal:
    found = compared.outcomes(Success(Dimension.VARIANT_REACHED, goal.key))
    treated, held_out = found[TREATED], found[HOLDOUT]
    against = treated.comparison
    assert against is not None
    return HoldoutGoal(
        goal=goal,
        treated=share(treated.hits, treated.people, Base.PEOPLE),
        held_out=share(held_out.hits, held_out.people, Base.PEOPLE),
        lift=against.lift,
        low=against.low,
        high=against.high,
        p_value=against.p_value,
        is_proven=against.is_proven,
    )


def holdout_of(source: Source) -> HoldoutStats | None:
    compared = source.figures.compared.get(JOURNEY)
    if compared is None:
        return None
    entries = sum(count.n for count in source.answer.held_out if count.metric == M.ENTRIES)
    percent = compared.experiment.step.percents[HOLDOUT]
    return HoldoutStats(source=source, compared=compared, percent=percent, entries=entries)
