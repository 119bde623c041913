"""The columns of the statistics of journeys: first those that everybody knows, in their order; then ours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from server.aggregates.conversions import reached
from server.aggregates.health import ends
from server.aggregates.metrics import Dimension
from server.aggregates.metrics import Metric as M

from .campaign import Campaign, type_of, users_reaching
from .figure import Figure, count, money, number, ratio, text, time
from .goal_columns import BESIDE, GoalOf
from .head_columns import AS_OF, SPAN, id_of
from .message_columns import CTR, in_row, of_metric, on_all_channels, on_channel
from .sheets import Column
from .words import CHANNELS, END_REASONS, REFUSALS, STATUSES

KNOWN: tuple[Figure[Campaign], ...] = (
    text("title", "제목", "Title", "The journey's title.", lambda row: row.journey.title),
    text(
        "status",
        "상태",
        "Status",
        "Where it stands now, whatever the period.",
        lambda row: row.journey.status,
        STATUSES,
    ),
    time("created_at", "생성됨", "Created", "When it was created.", lambda row: row.journey.created_at),
    text(
        "category", "카테고리", "Category", "Empty if it has none.", lambda row: row.journey.category or None
    ),
    text(
        "type",
        "유형",
        "Type",
        "How people come in: `AudienceBased`, `TriggerBased`, `ApiBased`, or several of them; "
        "empty if it has no entry yet.",
        type_of,
    ),
    text("id", "UUID", "UUID", "Its id, as the API has it; it never changes.", id_of),
    count(
        "entries",
        "총 도달",
        "Total reach",
        "Runs that entered in the period; a re-entry counts again.",
        lambda row: row.entries,
    ),
    count(
        "recipients",
        "고유 사용자",
        "Unique users",
        "Different users to whom at least one message was sent in the period, on any channel.",
        lambda row: row.messages.users(M.SENT),
    ),
    count(
        "inside",
        "내부 사용자",
        "Users inside",
        "Runs that are inside now, whatever the period.",
        lambda row: row.answer.inside_now(),
    ),
    count(
        "ended",
        "이탈",
        "Drop-offs",
        "Runs that ended in the period, for whatever reason, also those that came to an exit.",
        lambda row: row.answer.total(M.ENDED),
    ),
    count(
        "total_sent",
        "총 전송",
        "Total sent",
        "Messages that providers took over in the period, on all channels, webhooks too.",
        lambda row: row.answer.total(M.SENT),
    ),
    ratio(
        "average_ctr",
        "평균 CTR",
        "Average CTR",
        "Messages clicked at least once, by messages sent, over all channels that can tell of clicks: "
        "every message weighs the same.",
        lambda row: row.messages.rate(M.CLICKED),
    ),
    count(
        "goals",
        "목표",
        "Goals",
        "Different users who reached at least one goal in the period.",
        users_reaching,
    ),
    in_row(of_metric(M.SENT), "push"),
    in_row(CTR, "push"),
    in_row(of_metric(M.SENT), "email"),
    in_row(CTR, "email"),
    in_row(of_metric(M.CLICKS), "email"),
    in_row(of_metric(M.UNSUBSCRIBED), "email"),
    in_row(of_metric(M.SENT), "sms"),
    in_row(of_metric(M.DELIVERED), "sms"),
    in_row(of_metric(M.SENT), "whatsapp"),
    in_row(of_metric(M.OPENED), "whatsapp"),
    in_row(of_metric(M.SHOWN), "in_app"),
    in_row(of_metric(M.INTERACTED), "in_app"),
    in_row(of_metric(M.DISMISSED), "in_app").called("인앱 건너뛰기", "In-app skipped"),
)


def _currencies(row: Campaign) -> list[str]:
    """Of the goals that name an amount."""
    named = (goal.get("currency") or "" for goal in row.figures.goals_drawn if goal.get("amount_property"))
    return sorted(set(named))


def _worth(row: Campaign, amount: int) -> Decimal | None:
    return money(amount) if len(_currencies(row)) == 1 else None


def _refused(reason: str) -> Figure[Campaign]:
    word = REFUSALS[reason]
    return count(
        f"refused_{reason}",
        f"진입 거절: {word.ko}",
        f"Refused: {word.en.lower()}",
        "Those of `refused` with this reason.",
        lambda row: row.answer.total(M.REFUSED, reason=reason),
    )


def _ended(reason: str) -> Figure[Campaign]:
    word = END_REASONS[reason]
    return count(
        f"ended_{reason}",
        f"이탈: {word.ko}",
        f"Ended: {word.en.lower()}",
        "Those of `ended` with this reason.",
        lambda row: row.answer.total(M.ENDED, reason=reason),
    )


AUDIENCE: tuple[Figure[Campaign], ...] = (
    *AS_OF,
    *SPAN,
    count(
        "version",
        "버전",
        "Version",
        "The version that people enter now; empty before the first.",
        lambda row: row.journey.version,
    ),
    time(
        "started_at", "시작됨", "Started", "When it first let people in.", lambda row: row.journey.started_at
    ),
    time(
        "finished_at",
        "종료됨",
        "Finished",
        "When it was over for good.",
        lambda row: row.journey.finished_at,
    ),
    count(
        "entered_users",
        "진입한 고유 사용자",
        "Users who entered",
        "Different users who entered in the period, whether or not anything was sent to them.",
        lambda row: row.figures.users(Dimension.ENTERED),
    ),
    count(
        "held_out",
        "홀드아웃",
        "Held out",
        "Runs of people who get nothing, so that the rest can be compared; no part of any other column.",
        lambda row: sum(one.n for one in row.answer.held_out if one.metric == M.ENTRIES),
    ),
    count(
        "refused",
        "진입 거절",
        "Refused",
        "Times that somebody would have come in, and did not.",
        lambda row: row.answer.total(M.REFUSED),
    ),
    *(_refused(reason) for reason in REFUSALS),
    *(_ended(reason) for reason in END_REASONS if reason != "held_out"),
    count(
        "dropped_off",
        "오류 이탈",
        "Dropped off",
        "Those of `ended` that nobody wanted: `ended_internal_error` and `ended_send_error`.",
        lambda row: ends(row.answer).dropped,
    ),
)
"""Of the journey and its people."""

GOALS: tuple[Figure[Campaign], ...] = (
    count(
        "goal_runs",
        "목표 달성 진입",
        "Goals by runs",
        "Runs that reached a goal for the first time in the period, once for each goal.",
        lambda row: reached(row.answer).runs,
    ),
    count(
        "goal_hits",
        "총 전환",
        "Goal hits",
        "Every event that reached a goal.",
        lambda row: reached(row.answer).hits,
    ),
    number(
        "revenue",
        "매출",
        "Revenue",
        "What all hits of all goals were worth; empty if no goal names an amount, or currencies differ.",
        lambda row: _worth(row, reached(row.answer).amount),
    ),
    text(
        "currency",
        "통화",
        "Currency",
        "Of the goals that name an amount; several if they differ.",
        lambda row: ", ".join(_currencies(row)) or None,
    ),
)
"""Of all goals of a journey together."""


def of_goal(number: int) -> Iterator[Figure[Campaign]]:
    """Of the goal that comes at this place among the goals of a journey, the first being 1."""
    for figure in BESIDE:
        yield _beside(figure, number)


def _beside(figure: Figure[GoalOf], number: int) -> Figure[Campaign]:
    column = figure.column
    name = f"goal_{number}_{column.name}"
    beside = replace(column, name=name, ko=f"목표 {number} {column.ko}", en=f"Goal {number} {column.en}")

    def of(row: Campaign) -> object:
        goals = row.figures.goals_drawn
        return figure.of(GoalOf(row, goals[number - 1])) if number <= len(goals) else None

    return Figure(beside, figure.says, of)


def figures_of(further_channels: Iterable[str], goals: int) -> list[Figure[Campaign]]:
    """All columns, each once: where one is told in both places, the first is its place.

    What every file has comes first, so that a column keeps its place from one file to the next: only other
    people's channels and the goals, of which there are more or fewer, come behind.
    """
    found: dict[str, Figure[Campaign]] = {}
    for figure in (*KNOWN, *AUDIENCE, *GOALS, *on_all_channels()):
        found.setdefault(figure.column.name, figure)
    for channel in (*CHANNELS, *sorted(set(further_channels) - CHANNELS.keys())):
        for figure in on_channel(channel):
            found.setdefault(figure.column.name, figure)
    for place in range(1, goals + 1):
        for figure in of_goal(place):
            found.setdefault(figure.column.name, figure)
    return list(found.values())


def columns_of(figures: Sequence[Figure[Campaign]]) -> list[Column]:
    return [figure.column for figure in figures]
