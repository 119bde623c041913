"""What a journey achieved, goal by goal."""

import strawberry

from server.aggregates import conversions
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M
from server.journey.credit import NONE, OPENED, SENT

from .charts import FillArgument, GoalPoint, IntervalArgument, goal_line
from .fields import field
from .figure_words import Base, Interval
from .figures import Money, Share, Tally, share
from .graphs import Goal
from .scalars import Count
from .source import Source, money_of, money_per


@strawberry.type(description="Which messages have the credit for the hits of a goal.")
class GoalCredit:
    after_open: Share = strawberry.field(description="Hits after a message was opened, of all hits.")
    after_send: Share = strawberry.field(
        description="Hits after a message was sent and none was opened, of all hits."
    )
    uncredited: Share = strawberry.field(description="Hits before which nothing was sent, of all hits.")


@strawberry.type(description="What a journey achieved for one goal.")
class GoalStats:
    source: strawberry.Private[Source]
    found: strawberry.Private[conversions.Reached]
    goal: Goal = strawberry.field(description="The goal, with its conditions and its window.")
    hits: Count = strawberry.field(
        description="Every event that reached it; a run can do so again and again."
    )

    @field("Runs that reached it for the first time, and users who reached it, in the period.")
    def reached(self) -> Tally:
        return Tally(total=self.found.runs, users=self._users())

    @field("Runs that reached it, of the entries in the period.")
    def per_run(self) -> Share:
        return share(self.found.runs, self.source.answer.total(M.ENTRIES), Base.ENTRIES)

    @field("Users who reached it, of the users who entered in the period.")
    def per_user(self) -> Share | None:
        users, entered = self._users(), self.source.users(Dimension.ENTERED)
        return None if users is None or entered is None else share(users, entered, Base.USERS_ENTERED)

    @field("Which messages have the credit for its hits.")
    def credit(self) -> GoalCredit:
        by = conversions.by_credit(self.source.answer, str(self.goal.key))
        after_open, after_send, uncredited = (
            share(by[how], self.found.hits, Base.HITS) for how in (OPENED, SENT, NONE)
        )
        return GoalCredit(after_open=after_open, after_send=after_send, uncredited=uncredited)

    @field("What all hits were worth; null if the goal names no amount.")
    def revenue(self) -> Money | None:
        return money_of(self.goal, self.found.amount)

    @field("What each run's first hit was worth; null if the goal names no amount.")
    def first_revenue(self) -> Money | None:
        return money_of(self.goal, self.found.first_amount)

    @field("What one hit was worth on average; null without hits, or if the goal names no amount.")
    def average_order_value(self) -> Money | None:
        return money_per([self.goal], self.found.amount, self.hits)

    @field(
        "What all hits were worth for each user who was sent a message in the period; null where there is "
        "none, or if the goal names no amount."
    )
    def revenue_per_recipient(self) -> Money | None:
        return money_per([self.goal], self.found.amount, self.source.recipients() or 0)

    @field("It over time: how often it was reached, and what that was worth.", list_size=30)
    def over(self, by: IntervalArgument = Interval.DAY, fill: FillArgument = False) -> list[GoalPoint]:
        return goal_line(self.source, self.goal, by, fill)

    def _users(self) -> int | None:
        return self.source.users(Dimension.REACHED, str(self.goal.key))


def goal_stats(source: Source, goal: Goal) -> GoalStats:
    found = conversions.reached(source.answer, str(goal.key))
    return GoalStats(source=source, found=found, goal=goal, hits=found.hits)
