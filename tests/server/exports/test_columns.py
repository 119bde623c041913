"""Columns of figures: the known ones in their order, each defined, none twice, and always in one place."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from server.exports import channel, goals, message
from server.exports.campaign_columns import AUDIENCE, GOALS, KNOWN, figures_of, of_goal
from server.exports.figure import Figure
from server.exports.goal_columns import GOAL
from server.exports.head_columns import AS_OF, JOURNEY, SPAN
from server.exports.message_columns import counts_of, on_all_channels
from server.exports.message_columns import figures_of as of_messages
from server.exports.message_lines import LINE
from server.exports.sheets import Language
from server.exports.step_columns import CONVERSION, STEP
from server.exports.words import CHANNELS

PAGE = Path(__file__).parents[3] / "docs" / "export-columns.md"
KOREAN = [
    *("제목", "상태", "생성됨", "카테고리", "유형", "UUID", "총 도달", "고유 사용자", "내부 사용자", "이탈"),
    *("총 전송", "평균 CTR", "목표", "푸시 전송", "푸시 CTR", "이메일 전송", "이메일 CTR", "이메일 클릭"),
    *("이메일 구독 취소", "SMS 전송", "SMS 전달", "WhatsApp 전송", "WhatsApp 열람"),
    *("인앱 표시", "인앱 상호작용", "인앱 건너뛰기"),
]
ENGLISH = [
    *("Title", "Status", "Created", "Category", "Type", "UUID", "Total reach", "Unique users"),
    *("Users inside", "Drop-offs", "Total sent", "Average CTR", "Goals", "Push sent", "Push CTR"),
    *("Email sent", "Email CTR", "Email clicks", "Email unsubscribed", "SMS sent", "SMS delivered"),
    *("WhatsApp sent", "WhatsApp opened", "In-app shown", "In-app interacted", "In-app skipped"),
]


def headings(figures: Iterable[Figure[Any]], language: Language) -> list[str]:
    return [figure.column.heading(language) for figure in figures]


def names(figures: Iterable[Figure[Any]]) -> list[str]:
    return [figure.column.name for figure in figures]


def test_the_known_columns_come_first_in_their_order() -> None:
    figures = figures_of(["line"], 3)
    assert len(KOREAN) == len(ENGLISH) == len(KNOWN) == 26
    assert headings(figures, Language.KO)[:26] == KOREAN
    assert headings(figures, Language.EN)[:26] == ENGLISH


@pytest.mark.parametrize(
    "figures",
    [
        figures_of(["line", "kakao", "aa"], 3),
        goals.FIGURES,
        message.FIGURES,
        *(channel.figures_of(name) for name in (*CHANNELS, "line")),
    ],
)
def test_no_two_columns_have_the_same_name_or_heading(figures: list[Figure[Any]]) -> None:
    for told in (names(figures), *(headings(figures, language) for language in Language)):
        assert len(set(told)) == len(told), sorted(one for one in told if told.count(one) > 1)


def test_a_column_keeps_its_place_from_one_file_to_the_next() -> None:
    usual = names(figures_of([], 0))
    assert names(figures_of(["line", "email"], 2))[: len(usual)] == usual
    assert names(figures_of([], 2))[: len(usual)] == usual
    assert names(figures_of(["line"], 0))[len(usual) :][0] == "line_queued"


def test_every_channel_has_the_same_columns_but_for_what_means_nothing_there() -> None:
    found = names(figures_of(["line"], 0))
    for name in (*CHANNELS, "line"):
        for metric in ("queued", "sent", "recipients", "delivered", "failed", "skipped", "unknown"):
            assert f"{name}_{metric}" in found
    assert {"email_opened_machine", "kakao_clicked", "in_app_dismissed", "email_bounced"} <= set(found)
    assert "email_shown" not in found


TABLES: list[tuple[str, Iterable[Figure[Any]]]] = [
    ("The known ones", KNOWN),
    ("Journey", AUDIENCE),
    ("Goals together", GOALS),
    ("All channels together", on_all_channels()),
    ("Every channel", counts_of("")),
    ("A goal beside", of_goal(1)),
    ("Head", (*JOURNEY, *SPAN)),
    ("Tail", AS_OF),
    ("Goal", GOAL),
    ("Step", STEP),
    ("Messages of a step", of_messages("")),
    ("Conversions", CONVERSION),
    ("Message", LINE),
]


@pytest.mark.parametrize(("_", "figures"), TABLES)
def test_every_column_is_defined(_: str, figures: Iterable[Figure[Any]]) -> None:
    page = PAGE.read_text()
    missing = [line for line in map(line_of, figures) if line not in page]
    assert not missing, "\n".join(missing)


def line_of(figure: Figure[Any]) -> str:
    column = figure.column
    return f"| `{column.name}` | {column.ko} | {column.en} | {figure.says} |"
