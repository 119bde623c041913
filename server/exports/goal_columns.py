"""What is told of one goal of a journey."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from server.aggregates.conversions import Reached, by_credit, reached
from server.aggregates.metrics import Dimension
from server.clock import DAY
from server.journey.credit import NONE, OPENED, SENT
from server.journey.goals import read_goal
from server.journey.reading import Reader

from .campaign import Campaign
from .figure import Figure, count, money, number, rate, ratio, text


@dataclass(frozen=True, slots=True)
class GoalOf:
    """A goal of a journey, with the figures of the journey."""

    campaign: Campaign
    goal: dict[str, Any]

    @property
    def key(self) -> str:
        return str(self.goal["key"])

    @property
    def reached(self) -> Reached:
        return reached(self.campaign.answer, self.key)

    @property
    def users(self) -> int:
        return self.campaign.figures.users(Dimension.REACHED, self.key)

    def worth(self, amount: int) -> Decimal | None:
        """Money; none if the goal names no amount."""
        return money(amount) if self.goal.get("amount_property") else None


KEY: Figure[GoalOf] = text("key", "키", "key", "By which the graph calls it.", lambda one: one.key)
TITLE: Figure[GoalOf] = text(
    "title",
    "이름",
    "title",
    "What people call it, as the newest version has it.",
    lambda one: one.goal.get("title") or one.key,
)
RUNS: Figure[GoalOf] = count(
    "runs",
    "달성 진입",
    "runs",
    "Runs that reached it for the first time in the period.",
    lambda one: one.reached.runs,
)
USERS: Figure[GoalOf] = count(
    "users", "달성 사용자", "users", "Different users who reached it in the period.", lambda one: one.users
)
RUN_RATE: Figure[GoalOf] = ratio(
    "run_rate",
    "전환율(진입 기준)",
    "rate of entries",
    "`runs` by the entries in the period; empty without entries.",
    lambda one: rate(one.reached.runs, one.campaign.entries),
)
USER_RATE: Figure[GoalOf] = ratio(
    "user_rate",
    "전환율(사용자 기준)",
    "rate of users",
    "`users` by the different users who entered in the period; empty without any.",
    lambda one: rate(one.users, one.campaign.figures.users(Dimension.ENTERED)),
)
HITS: Figure[GoalOf] = count(
    "hits",
    "총 전환",
    "hits",
    "Every event that reached it; a run can do so again and again.",
    lambda one: one.reached.hits,
)
REVENUE: Figure[GoalOf] = number(
    "revenue",
    "매출",
    "revenue",
    "What all hits were worth; empty if the goal names no amount.",
    lambda one: one.worth(one.reached.amount),
)
FIRST_REVENUE: Figure[GoalOf] = number(
    "first_revenue",
    "첫 전환 매출",
    "first revenue",
    "What each run's first hit was worth; empty if the goal names no amount.",
    lambda one: one.worth(one.reached.first_amount),
)
CURRENCY: Figure[GoalOf] = text(
    "currency",
    "통화",
    "currency",
    "Of the revenue; empty if the goal names none.",
    lambda one: one.goal.get("currency") or None,
)

GOAL: tuple[Figure[GoalOf], ...] = (
    KEY,
    TITLE,
    text("event", "이벤트", "event", "The event that reaches it.", lambda one: one.goal["event"]),
    number(
        "window_days",
        "전환 기간(일)",
        "window in days",
        "For how long after leaving an event still counts.",
        lambda one: Decimal(read_goal(Reader(one.goal)).window_ms) / DAY,
    ),
    RUNS,
    USERS,
    RUN_RATE,
    USER_RATE,
    HITS,
    REVENUE,
    FIRST_REVENUE,
    CURRENCY,
    count(
        "after_open",
        "열람 후 전환",
        "hits after an open",
        "Hits credited to a message because it was the last opened before.",
        lambda one: by_credit(one.campaign.answer, one.key)[OPENED],
    ),
    count(
        "after_send",
        "전송 후 전환",
        "hits after a sending",
        "Hits credited to a message because it was the last sent before, and none was opened.",
        lambda one: by_credit(one.campaign.answer, one.key)[SENT],
    ),
    count(
        "without_message",
        "메시지 없는 전환",
        "hits without a message",
        "Hits before which nothing was sent.",
        lambda one: by_credit(one.campaign.answer, one.key)[NONE],
    ),
)
"""Of one goal, in the sheet of goals."""

BESIDE: tuple[Figure[GoalOf], ...] = (
    KEY,
    TITLE,
    RUNS,
    USERS,
    RUN_RATE,
    USER_RATE,
    HITS,
    REVENUE,
    CURRENCY,
)
"""Of every goal of a journey, beside each other in the row of the journey."""
