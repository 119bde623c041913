"""Figures as files: asked for over GraphQL, written by the worker, downloaded by the link."""

import csv
from io import BytesIO, StringIO
from typing import Any

import orjson
import pytest
from openpyxl import load_workbook

from server.exports.kinds import KINDS
from server.schema.ids import to_id
from server.store.tables import Export
from tests.server.exports.office import Office
from tests.server.exports.sheets import lived
from tests.server.exports.test_columns import ENGLISH, KOREAN

pytestmark = pytest.mark.anyio


async def table(office: Office, what: dict[str, Any], **more: Any) -> list[list[str]]:
    return list(csv.reader(StringIO((await office.written(what, **more)).decode(), newline="")))


async def test_campaign_statistics_begin_with_the_known_columns(office: Office) -> None:
    await lived(office.world, title="=모든 채널")
    heading, row = await table(office, {"campaignStatistics": {}}, language="KO")
    assert heading[:26] == KOREAN
    assert row[:3] == ["'=모든 채널", "활성", "1970-01-01T09:00:00.000+09:00"]
    assert row[4:12] == ["TriggerBased", to_id("Journey", 1), "2", "2", "0", "2", "9", row[11]]
    heading, row = await table(office, {"campaignStatistics": {}}, language="EN")
    assert heading[:26] == ENGLISH
    assert row[1] == "Active"


async def test_the_filter_of_the_list_and_its_period_are_taken(office: Office) -> None:
    journey_id = await lived(office.world, title="Every channel")
    asked = {
        "filter": {"ids": [to_id("Journey", journey_id)], "status": ["RUNNING"], "text": "every"},
        "period": {"from": "2024-03-13", "until": "2024-03-14"},
        "clock": "ENTERED",
    }
    (line,) = (await office.written({"campaignStatistics": asked}, format="JSONL")).splitlines()
    told = orjson.loads(line)
    assert (told["from"], told["until"], told["clock"]) == ("2024-03-13", "2024-03-14", "entered")
    assert (told["status"], told["entries"], told["revenue"]) == ("running", 1, 20000.5)
    nothing = {"campaignStatistics": {"filter": {"status": ["ARCHIVED"]}}}
    assert await office.written(nothing, format="JSONL") == b""


async def test_a_workbook_holds_numbers_and_empty_cells(office: Office) -> None:
    await lived(office.world)
    what = {"channelStatistics": {"journeyId": to_id("Journey", 1), "channel": "kakao", "goal": "bought"}}
    book = load_workbook(BytesIO(await office.written(what, format="XLSX", language="KO")))
    heading, row = book.active.iter_rows(values_only=True)
    told = dict(zip(heading, row, strict=True))
    assert (told["채널"], told["전송"], told["전달"]) == ("카카오", 1, 1)
    assert (told["열람"], told["열람률(전송 기준)"]) == (None, None)
    assert told["전송률(발송 결정 기준)"] == 0.5
    (column,) = [place for place, name in enumerate(heading, start=1) if name == "전송률(발송 결정 기준)"]
    assert book.active.cell(2, column).number_format == "0.00%"


async def test_goals_and_messages_too(office: Office) -> None:
    await lived(office.world)
    rows = await table(office, {"goalStatistics": {"goal": "bought", "daily": True}})
    assert [row[2] for row in rows] == ["From", "2024-03-13", "2024-03-14"]
    about = {"journeyId": to_id("Journey", 1), "stepKey": "email"}
    heading, *rows = await table(office, {"messageStatistics": about}, language="KO")
    names = [row[heading.index("항목")] for row in rows]
    assert names[:2] == ["발송 결정", "전송"]
    assert ["전달 문제", "미발송", "수신 주소 없음"] in [row[9:12] for row in rows]


@pytest.mark.parametrize(
    ("what", "path"),
    [
        ({"campaignStatistics": {"period": {"from": "2024-03-14", "until": "2024-03-13"}}}, "period"),
        ({"campaignStatistics": {"filter": {"ids": ["nonsense"]}}}, "filter"),
        ({"goalStatistics": {"goal": "nothing"}}, None),
        ({"channelStatistics": {"journeyId": "nonsense", "channel": "email"}}, "journeyId"),
        ({"messageStatistics": {"journeyId": to_id("Journey", 99), "stepKey": "email"}}, None),
    ],
)
async def test_what_cannot_be_told_is_refused_at_once(
    office: Office, what: dict[str, Any], path: str | None
) -> None:
    answer = await office.api.change("startExport", what=what)
    assert answer["__typename"] in ("InputProblem", "NotFoundProblem"), answer
    assert answer["path"][:2] == ["input", "what"]
    assert path is None or answer["path"][-1] == path
    assert await office.world.rows(Export) == []


def test_figures_tell_of_nobody() -> None:
    figures = [kind for kind in KINDS.values() if kind.name.endswith("_statistics")]
    assert len(figures) == 4
    assert not any(kind.of_people or kind.goes_on for kind in figures)
