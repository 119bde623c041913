"""What is told of one message, line by line: metrics, reasons why it did not arrive, conversions."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from server.aggregates.conversions import credit
from server.aggregates.messages import SETS, TOLD, WHOLES, how_many, issues
from server.aggregates.metrics import Metric as M

from .campaign import Campaign
from .figure import Figure, money, number, rate, ratio, text
from .figure import count as counted
from .message_columns import metrics_of
from .step_columns import StepOf
from .words import ACTORS, MESSAGES, REASONS, Word

METRIC, ISSUE, CONVERSION = "metric", "issue", "conversion"
_ABOUT = {
    METRIC: Word("지표", "Metric"),
    ISSUE: Word("전달 문제", "Issue"),
    CONVERSION: Word("전환", "Conversion"),
}
_BY_ACTOR = (M.OPENED, M.OPENS, M.CLICKED, M.CLICKS)
_NOBODY = (None, None, None)
_HOW = {
    "converted": Word("목표 전환", "Converted"),
    "converted_after_open": Word("상호작용 후 목표 전환", "Converted after an open"),
    "conversions": Word("총 목표 전환", "Conversions"),
    "conversions_after_open": Word("열람 후 전환", "Conversions after an open"),
    "conversions_after_send": Word("전송 후 전환", "Conversions after a sending"),
    "assisted": Word("기여 전환", "Assisted conversions"),
}
_OF_SENT = ("converted", "converted_after_open")
"""Of runs, each once; of hits there can be more than messages."""


class Line(NamedTuple):
    """One thing that is told of a message."""

    step: StepOf
    about: str
    name: str
    reason: str | None = None
    goal: dict[str, Any] | None = None
    total: int | None = None
    """None if the channel cannot tell."""
    users: int | None = None
    by: tuple[int | None, ...] = _NOBODY
    """In the order of `ACTORS`."""
    whole: M | None = None
    of: int | None = None
    worth: Decimal | None = None
    currency: str | None = None

    @property
    def campaign(self) -> Campaign:
        return self.step.campaign


LINE: tuple[Figure[Line], ...] = (
    text(
        "about",
        "구분",
        "About",
        "`metric`, or `issue` for messages that did not arrive, or `conversion`.",
        lambda one: one.about,
        _ABOUT,
    ),
    text(
        "name",
        "항목",
        "Name",
        "The metric, as the API has it; of a conversion, how it came about.",
        lambda one: one.name,
        {**MESSAGES, **_HOW},
    ),
    text("reason", "사유", "Reason", "Of an issue: why.", lambda one: one.reason, REASONS),
    text(
        "goal",
        "목표 키",
        "Goal key",
        "Of a conversion: the key of its goal.",
        lambda one: one.goal["key"] if one.goal else None,
    ),
    text(
        "goal_title",
        "목표",
        "Goal",
        "What people call it.",
        lambda one: one.goal.get("title") or one.goal["key"] if one.goal else None,
    ),
    counted(
        "total",
        "수",
        "Total",
        "How many; empty if the channel cannot tell.",
        lambda one: one.total,
    ),
    counted(
        "users",
        "사용자",
        "Users",
        "How many different users, where that is known.",
        lambda one: one.users,
    ),
    counted("human", "사람", "By people", "Of opens and clicks: those by people.", lambda one: one.by[0]),
    counted(
        "machine",
        "기계",
        "By machines",
        "Those by scanners and prefetchers.",
        lambda one: one.by[1],
    ),
    counted("unsure", "불명", "Unsure", "Those by who knows whom.", lambda one: one.by[2]),
    text(
        "base",
        "모수",
        "Base",
        "The metric that is the whole; empty for what is no part of anything.",
        lambda one: one.whole.value if one.whole else None,
        MESSAGES,
    ),
    counted("of", "모수 수", "Of", "How many that is.", lambda one: one.of),
    ratio(
        "rate",
        "비율",
        "Rate",
        "`total` by `of`; empty if that is 0.",
        lambda one: rate(one.total, one.of or 0),
    ),
    number(
        "revenue",
        "매출",
        "Revenue",
        "Of a conversion: what it was worth; empty if the goal names no amount.",
        lambda one: one.worth,
    ),
    text("currency", "통화", "Currency", "Of the revenue.", lambda one: one.currency),
)


def lines_of(step: StepOf) -> Iterator[Line]:
    """Every metric of its channel, and whatever else was counted; then issues; then conversions."""
    answer, usual = step.campaign.answer, metrics_of(step.channel)
    for metric in TOLD:
        if metric in usual or how_many(answer, metric, step.channel, step.key):
            yield _metric(step, metric)
    yield from _issues(step)
    for goal in step.campaign.figures.goals_drawn:
        yield from _conversions(step, goal)


def _metric(step: StepOf, metric: M) -> Line:
    messages, whole = step.messages, WHOLES.get(metric)
    total = messages.told(metric)
    return Line(
        step,
        METRIC,
        metric.value,
        total=total,
        users=messages.users(metric) if metric in SETS else None,
        by=tuple(messages.by(actor, metric) for actor in ACTORS) if metric in _BY_ACTOR else _NOBODY,
        whole=whole,
        of=None if whole is None or total is None else messages.told(whole),
    )


def _issues(step: StepOf) -> Iterator[Line]:
    decided = how_many(step.campaign.answer, M.QUEUED, step.channel, step.key)
    for issue in issues(step.campaign.answer, step.channel, step.key):
        yield Line(
            step,
            ISSUE,
            issue.family.value,
            reason=issue.reason,
            total=issue.n,
            whole=M.QUEUED,
            of=decided,
        )


def _conversions(step: StepOf, goal: dict[str, Any]) -> Iterator[Line]:
    found = credit(step.campaign.answer, step.key, goal["key"], step.channel)
    runs = (found.runs, found.runs_after_open)
    hits = (found.total, found.after_open, found.after_send, found.assisted)
    for how, n in zip(_HOW, (*runs, *hits), strict=True):
        is_part = how in _OF_SENT
        has_worth = how == "conversions" and goal.get("amount_property")
        yield Line(
            step,
            CONVERSION,
            how,
            goal=goal,
            total=n,
            whole=M.SENT if is_part else None,
            of=step.sent if is_part else None,
            worth=money(found.amount) if has_worth else None,
            currency=goal.get("currency") or None if has_worth else None,
        )
