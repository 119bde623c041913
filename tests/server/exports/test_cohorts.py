"""Cohort reports as files, from what happened to what stands in the cells."""

from datetime import datetime
from io import BytesIO
from typing import Any

import openpyxl
import orjson
import pytest

from tests.server.exports.office import Office, read_csv
from tests.world import DAY, HOUR, NOON, World

pytestmark = pytest.mark.anyio

PC = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Mobile/15E148"
)
DATES = {"from": "2024-03-13", "until": "2024-03-17"}
ASKED = {"preset": "RETENTION_7_DAYS", "periods": {"first": 1, "last": 3}, "baseDates": DATES}
COHORT = """query($input: CohortInput!) { cohort(input: $input) { ... on CohortReport { everybody {
    rows { baseDate size base { visits purchases revenue } cells { numerator ratio complete } }
    averages { ratio } } } } }"""


async def lived(world: World) -> None:
    """Three people on five days, on a PC and a telephone; one buys."""
    visits = {"kim": (0, 1, 2, 3), "lee": (0, 2), "park": (1,)}
    for who, days in visits.items():
        agent = PHONE if who == "lee" else PC
        for day in days:
            context = {"userAgent": agent, "page": {"url": "https://shop.kr/", "referrer": ""}}
            about: dict[str, Any] = {"user": who, "anonymous": f"{who}-device", "context": context}
            at = NOON + day * DAY
            await world.send(world.event("", at, type="page", **about))
            if who == "kim" and day == 1:
                order = {"order_id": "o-1", "total": 12_500, "currency": "KRW"}
                await world.send(world.event("Order Completed", at + HOUR, **about, **order))
    await world.settle(NOON + 3 * DAY + 2 * HOUR)


async def test_a_workbook_has_what_the_api_says(small_office: Office) -> None:
    await lived(small_office.world)
    told = (await small_office.api.ask(COHORT, input=ASKED))["cohort"]["everybody"]
    file = await small_office.written(
        {"cohort": {"cohort": ASKED, "view": "VALUE"}}, format="XLSX", language="KO"
    )
    sheet = openpyxl.load_workbook(BytesIO(file))["코호트"]
    lines = [row for row in sheet.iter_rows(values_only=True) if isinstance(row[0], datetime)]
    assert [line[0].date().isoformat() for line in lines] == [row["baseDate"] for row in told["rows"]]
    for line, row in zip(lines, told["rows"], strict=True):
        base = row["base"]
        assert line[1:5] == (row["size"], base["visits"], base["purchases"], float(base["revenue"]))
        assert list(line[5:]) == [cell["numerator"] for cell in row["cells"]]
    assert [row["size"] for row in told["rows"]] == [2, 2, 2, 1]
    assert told["rows"][0]["cells"][0]["numerator"] == 1


async def test_rows_have_what_the_api_says_as_csv_and_as_json(small_office: Office) -> None:
    await lived(small_office.world)
    told = (await small_office.api.ask(COHORT, input=ASKED))["cohort"]["everybody"]["rows"]
    what = {"cohort": {"cohort": ASKED}}
    rows = read_csv(await small_office.written(what, language="EN"))
    for row, said in zip(rows, told, strict=True):
        assert row["Base date"] == said["baseDate"]
        cells = [row[f"DAY {n}"] and float(row[f"DAY {n}"]) for n in (1, 2, 3)]
        assert cells == ["" if one["ratio"] is None else one["ratio"] for one in said["cells"]]
        assert int(row["Complete cells"]) == sum(one["complete"] for one in said["cells"])
        assert "Asia/Seoul" in row["Definition"]
    lines = (await small_office.written(what, format="JSONL")).splitlines()
    assert [orjson.loads(line)["day_1"] for line in lines] == [one["cells"][0]["ratio"] for one in told]


async def test_everything_is_each_metric_on_each_device(small_office: Office) -> None:
    await lived(small_office.world)
    rows = read_csv(await small_office.written({"everyCohort": {"cohort": ASKED}}, language="EN"))
    about = [(row["Metric"], row["Device"]) for row in rows]
    assert len(rows) == 4 * 4 * 4
    assert len(set(about)) == 16
    for row in rows:
        asked = {**ASKED, "metric": _METRICS[row["Metric"]], "device": _DEVICES[row["Device"]]}
        told = (await small_office.api.ask(COHORT, input=asked))["cohort"]["everybody"]["rows"]
        said = next(one for one in told if one["baseDate"] == row["Base date"])
        values = [row[f"DAY {n} Value"] for n in (1, 2, 3)]
        assert values == [
            "" if one["numerator"] is None else f"{one['numerator']:g}" for one in said["cells"]
        ]
    file = await small_office.written({"everyCohort": {"cohort": ASKED}}, format="XLSX")
    assert len(openpyxl.load_workbook(BytesIO(file)).sheetnames) == 17


_METRICS = {"Retained": "PEOPLE", "Visits": "VISITS", "Purchases": "PURCHASES", "Revenue": "REVENUE"}
_DEVICES = {"All": "ALL", "PC web": "PC_WEB", "Mobile web": "MOBILE_WEB", "App": "APP"}


async def test_hours_and_days_from_the_entry_on_are_counted_from_the_facts(office: Office) -> None:
    await lived(office.world)
    hours = {**ASKED, "granularity": "HOUR", "baseDates": {"from": "2024-03-14", "until": "2024-03-15"}}
    rows = await office.table(
        {"cohort": {"cohort": {**hours, "unit": "USER"}, "view": "VALUE"}}, language="EN"
    )
    assert {row["Base date"]: row["Users"] for row in rows if row["Users"] != "0"} == {
        "2024-03-14T20:00+09:00": "2",
        "2024-03-14T21:00+09:00": "1",
    }
    rolling = {**ASKED, "alignment": "ROLLING", "unit": "USER"}
    rows = await office.table({"cohort": {"cohort": rolling, "view": "VALUE"}}, language="EN")
    assert [[row["Users"], *(row[f"DAY {n}"] for n in (1, 2, 3))] for row in rows] == [
        ["2", "1", "2", "1"],
        ["1", "0", "0", ""],
        ["0", "0", "", ""],
        ["0", "", "", ""],
    ]


async def test_a_saved_report_is_exported_as_it_is_shown(small_office: Office) -> None:
    text = "... on CreateCohortReportPayload { report { id } }"
    made = await small_office.api.change(
        "createCohortReport", text, name="재방문 유지율", cohort=ASKED, view="VALUE"
    )
    export = await small_office.start({"cohort": {"reportId": made["report"]["id"]}}, language="KO")
    await small_office.work()
    found = await small_office.look(export)
    assert found["fileName"].startswith("재방문 유지율")
    await small_office.api.change("deleteCohortReport", id=made["report"]["id"])
    gone = await small_office.api.change("startExport", what={"cohort": {"reportId": made["report"]["id"]}})
    assert gone["code"] == "NOT_FOUND"


async def test_what_cannot_be_is_refused_before_a_job_begins(small_office: Office) -> None:
    for said in (
        {},
        {"cohort": {"segment": {"name": "nobody"}}},
        {"cohort": {"periods": {"last": 99}}},
        {"cohort": {"entry": {"journey": {"id": "Sm91cm5leTo5", "did": "OPENED"}}}},
    ):
        answer = await small_office.api.change("startExport", what={"cohort": said})
        assert answer["code"] in ("INVALID", "NOT_FOUND"), answer
