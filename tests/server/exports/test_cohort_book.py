"""Cohort reports as files: what openpyxl and LibreOffice read is what the report says, cell by cell."""

import shutil
import subprocess
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from server.cohorts.definition import Act, Breakdown, Definition, SegmentFilter
from server.cohorts.report import Cell, Report
from server.cohorts.words import Denominator, DeviceFilter, Granularity, Kind, Metric, Mode, Unit
from server.exports import cohort_words, heat
from server.exports.cohort_book import CELLS_FROM, CohortBook
from server.exports.cohort_lines import Looks, View, columns, rows
from server.exports.formats import Csv, JsonLines
from server.exports.heat import Scale
from server.exports.sheets import Language, Page
from tests.server.exports.reports import SIZES, report

ASKED = Definition(unit=Unit.DEVICE, first_period=1, last_period=4)
PAGE = Looks(Language.KO, (View.RATIO,))
BOTH = Looks(Language.EN, (View.VALUE, View.RATIO), of_several=True)
PALE, DEEP = heat.colour(0), heat.colour(heat.STEPS - 1)


def book(folder: Path, looks: Looks, *reports: Report, scale: Scale = Scale.TABLE) -> Path:
    path = folder / "cohorts.xlsx"
    made = CohortBook(path, folder, looks, scale)
    for one in reports:
        made.take(Page([], [], one))
    made.close()
    return path


def values(sheet: Worksheet) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(values_only=True))


def table(sheet: Worksheet, heading: str, nth: int = 0) -> list[list[Any]]:
    """The cells under the nth heading of this name, up to the first row that does not begin with a date."""
    found = [row[0].row for row in sheet.iter_rows() if row[0].value == heading]
    lines = []
    for line in sheet.iter_rows(min_row=(found[nth] or 0) + 1):
        if not isinstance(line[0].value, datetime):
            return lines
        lines.append(list(line))
    return lines


def fills(lines: list[list[Any]], first: int = CELLS_FROM) -> list[list[str]]:
    return [
        ["#" + cell.fill.fgColor.rgb[2:] if cell.value is not None else "" for cell in line[first:]]
        for line in lines
    ]


@pytest.mark.parametrize("view", View)
@pytest.mark.parametrize("metric", [Metric.PEOPLE, Metric.PURCHASES, Metric.REVENUE])
def test_a_workbook_says_what_the_report_says(tmp_path: Path, view: View, metric: Metric) -> None:
    told = report(replace(ASKED, metric=metric))
    says(openpyxl.load_workbook(book(tmp_path, replace(PAGE, views=(view,)), told))["코호트"], told, view)


def says(sheet: Worksheet, told: Report, view: View) -> None:
    """Every cell says what the report does."""
    lines = table(sheet, "기준일")
    assert len(lines) == len(told.groups[0].rows) == len(SIZES)
    for line, row in zip(lines, told.groups[0].rows, strict=True):
        base = [row.size, row.base.visits, row.base.purchases, row.base.revenue / 10_000]
        assert line[0].value == datetime.combine(row.day, datetime.min.time())
        assert [cell.value for cell in line[1:CELLS_FROM]] == base
        for cell, said in zip(row.cells, line[CELLS_FROM:], strict=True):
            _says(said, cell, view)
    (averages,) = (row for row in sheet.iter_rows() if row[0].value == "평균")
    ratios = [cell.ratio for cell in told.groups[0].averages]
    assert [cell.value for cell in averages[CELLS_FROM:]] == pytest.approx(ratios)


def _says(said: Any, cell: Cell, view: View) -> None:
    if cell.numerator is None:
        assert said.value is None
        return
    number = cell.ratio if view is View.RATIO else cell.numerator / cell.scale
    assert said.value == ("–" if number is None else pytest.approx(number, abs=1e-12))
    if number is not None:
        assert ("*" in said.number_format) is not cell.complete


def test_what_is_not_reached_is_blank_and_nothing_to_divide_by_is_a_dash(tmp_path: Path) -> None:
    sheet = openpyxl.load_workbook(book(tmp_path, PAGE, report(ASKED)))["코호트"]
    cells = [[cell.value for cell in line[CELLS_FROM:]] for line in table(sheet, "기준일")]
    assert cells[2] == ["–", "–", None, None]
    assert cells[3] == [0.2, None, None, None]
    assert cells[4] == [None] * 4


@pytest.mark.parametrize(
    ("scale", "first", "second"),
    [
        (Scale.TABLE, [DEEP, "", PALE], [PALE, DEEP]),
        (Scale.ROW, [DEEP, "", PALE], [PALE, DEEP]),
        (Scale.COLUMN, [DEEP, PALE, PALE], [PALE, DEEP]),
    ],
)
def test_low_is_pale_and_high_is_deep(
    tmp_path: Path, scale: Scale, first: list[str], second: list[str]
) -> None:
    path = book(tmp_path, PAGE, report(ASKED), scale=scale)
    found = fills(table(openpyxl.load_workbook(path)["코호트"], "기준일"))
    for said, wanted in zip((found[0], found[1]), (first, second), strict=True):
        assert [one for one, want in zip(said, wanted, strict=False) if want] == [
            one for one in wanted if one
        ]


def test_what_is_not_over_does_not_say_what_is_high() -> None:
    assert heat.steps([[1.0, 2.0, 9.0]], [[True, True, False]], Scale.ROW) == [[0, 10, 10]]
    assert heat.steps([[3.0, None]], [[True, True]], Scale.TABLE) == [[0, None]]
    assert heat.steps([[-1.0, 0.0, 1.0]], [[True] * 3], Scale.ROW) == [[0, 5, 10]]


def test_a_diagonal_of_the_report_is_a_row_of_the_same_days(tmp_path: Path) -> None:
    told = report(ASKED)
    sheet = openpyxl.load_workbook(book(tmp_path, PAGE, told))["같은 날"]
    for line in table(sheet, "날짜"):
        on = line[0].value.date()
        there = {cell.first: cell for row in told.groups[0].rows for cell in row.cells if cell.day == on}
        for number, said in enumerate(line[1:], 1):
            cell = there.get(number)
            shown = cell.ratio if cell and cell.ratio is not None else "–" if cell else None
            assert said.value == (pytest.approx(shown) if isinstance(shown, float) else shown)
    assert len(table(sheet, "날짜")) == 4


def test_everything_is_told_report_by_report_and_value_by_value(tmp_path: Path) -> None:
    asked = replace(ASKED, breakdown=Breakdown("source"))
    told = [
        report(replace(asked, metric=metric, device=device), "search", "")
        for metric in (Metric.PEOPLE, Metric.REVENUE)
        for device in (DeviceFilter.ALL, DeviceFilter.APP)
    ]
    made = openpyxl.load_workbook(book(tmp_path, BOTH, *told))
    names = ["Retained · All", "Retained · App", "Revenue · All", "Revenue · App", "Definition"]
    assert made.sheetnames == names
    # For each of two groups a table of values and one of ratios, with all of the base dates.
    for name in names[:-1]:
        assert [len(table(made[name], "Base date", nth)) for nth in range(4)] == [len(SIZES)] * 4
        assert [len(table(made[name], "Day", nth)) for nth in range(4)] == [4] * 4
    heads = [row[0] for row in values(made["Revenue · App"]) if row[0] and "·" in str(row[0])]
    assert [head for head in heads if head.startswith("Revenue")][1] == "Revenue · App · Ratio · search"


@pytest.mark.parametrize("language", Language)
def test_the_definition_is_printed_whole(tmp_path: Path, language: Language) -> None:
    asked = replace(
        ASKED,
        entry=Act(Kind.JOURNEY, "opened", journey_id=7, step="mail"),
        returning=Act(Kind.EVENT, "purchase", property="city", value="서울"),
        granularity=Granularity.WEEK,
        mode=Mode.ON_OR_BEFORE,
        denominator=Denominator.BASE_METRIC,
        segment=SegmentFilter("VIP"),
        breakdown=Breakdown("source"),
        where=(Act(Kind.SIGN_UP),),
    )
    looks = replace(PAGE, language=language, journeys={7: "환영"})
    path = book(tmp_path, looks, report(asked))
    said = dict(values(openpyxl.load_workbook(path)[cohort_words.DEFINITION.in_(language)]))
    text = " ".join(said.values())
    for part in (
        "환영",
        "mail",
        "purchase (city = 서울)",
        "VIP",
        "source",
        "Asia/Seoul",
        "2024-03-15T12:00:00",
    ):
        assert part in text
    assert len(said) >= 18


def test_what_a_breakdown_is_called_becomes_no_formula(tmp_path: Path) -> None:
    asked = replace(ASKED, breakdown=Breakdown("campaign"))
    told = report(asked, "=1+1")
    sheet = openpyxl.load_workbook(book(tmp_path, PAGE, told))["코호트"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}
    written = Csv(columns(asked, PAGE), "Asia/Seoul", Language.KO)
    lines = (written.head() + written.lines(rows(told, PAGE))).decode().splitlines()
    assert lines[1].split(",")[1] == "'=1+1"


def test_csv_has_a_row_for_each_base_date() -> None:
    told = report(replace(ASKED, metric=Metric.REVENUE), currency="USD")
    looks = replace(PAGE, views=(View.VALUE,), language=Language.EN)
    written = Csv(columns(told.definition, looks), "Asia/Seoul", Language.EN)
    lines = (written.head() + written.lines(rows(told, looks))).decode().split("\r\n")
    first = "2024-03-11,120,240,12,180000,30,24,12,6,3,2024-03-15T12:00:00.000+09:00,"
    assert lines[0].startswith("Base date,Devices,Visits,Purchases,Amount,DAY 1,DAY 2,DAY 3,DAY 4,Complete")
    assert lines[1].startswith(first)
    assert lines[4].startswith("2024-03-14,95,190,9,142500,19,,,,0,")
    json = JsonLines(columns(told.definition, looks), "Asia/Seoul").lines(rows(told, looks)).splitlines()
    assert b'"base_date":"2024-03-11","size":120' in json[0]
    assert b'"day_4":null' in json[1]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_it_and_finds_the_same(tmp_path: Path) -> None:
    """What it has read it writes again, and that is compared."""
    told = report(ASKED)
    command = [
        "soffice",
        f"-env:UserInstallation=file://{tmp_path}/home",
        "--headless",
        "--convert-to",
        "xlsx",
    ]
    command += ["--outdir", str(tmp_path / "again"), str(book(tmp_path, PAGE, told))]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    again = openpyxl.load_workbook(tmp_path / "again" / "cohorts.xlsx")
    assert again.sheetnames == ["코호트", "같은 날", "정의"]
    says(again["코호트"], told, View.RATIO)
    assert fills(table(again["코호트"], "기준일"))[0][0] == DEEP
