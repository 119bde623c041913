"""Files as other programs read them: csv, JSON, and openpyxl for workbooks."""

import csv
from datetime import datetime
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.exports import workbook
from server.exports.formats import Csv, JsonLines
from server.exports.sheets import Cell, Column, Language, Row
from server.exports.words import Word
from server.exports.workbook import Book, sheet_name
from server.formulas import plain

SEOUL = "Asia/Seoul"
AT = 1_710_327_600_123
"""2024-03-13 20:00:00.123 in Seoul."""
COLUMNS = (
    Column("name", "이름", "Name"),
    Column("count", "수", "Count", Cell.COUNT),
    Column("rate", "비율", "Rate", Cell.NUMBER),
    Column("at", "시각", "At", Cell.TIME),
    Column("yes", "여부", "Yes", Cell.FLAG),
    Column("state", "상태", "State", words={"left": Word("이탈", "Left")}),
)
FULL: Row = ("김 '철수', \"님\"\n둘째 줄", -3, Decimal("0.5000"), AT, True, "left")
EMPTY: Row = (None, None, None, None, None, None)
DANGEROUS = "=+-@\t\r\n＝＋－＠"


def as_csv(rows: list[Row], language: Language = Language.KO, **more: Any) -> bytes:
    written = Csv(COLUMNS, SEOUL, language, **more)
    return written.head() + written.lines(rows[:1]) + written.lines(rows[1:])


def read(file: bytes) -> list[list[str]]:
    return list(csv.reader(StringIO(file.decode(), newline="")))


def as_book(folder: Path, *pages: list[Row], language: Language = Language.KO, title: str = "x") -> Any:
    path = folder / "book.xlsx"
    book = Book(path, folder, title, COLUMNS, SEOUL, language)
    for page in pages:
        book.add(page)
    book.close()
    return openpyxl.load_workbook(BytesIO(path.read_bytes()))


def test_csv_is_read_back_as_it_was() -> None:
    heading, first, second = read(as_csv([FULL, EMPTY]))
    assert heading == ["이름", "수", "비율", "시각", "여부", "상태"]
    assert first == [FULL[0], "-3", "0.5000", "2024-03-13T20:00:00.123+09:00", "true", "이탈"]
    assert second == [""] * 6


def test_csv_has_the_mark_only_on_request() -> None:
    assert as_csv([], marked=True) == "\ufeff이름,수,비율,시각,여부,상태\r\n".encode()
    assert as_csv([], Language.EN) == b"Name,Count,Rate,At,Yes,State\r\n"


def test_json_lines_are_objects_with_words_as_they_are_stored() -> None:
    written = JsonLines(COLUMNS, SEOUL)
    assert written.head() == written.lines([]) == b""
    first, second = written.lines([FULL, EMPTY]).splitlines()
    assert orjson.loads(first) == {
        "name": FULL[0],
        "count": -3,
        "rate": 0.5,
        "at": "2024-03-13T20:00:00.123+09:00",
        "yes": True,
        "state": "left",
    }
    assert b'"rate":0.5000' in first
    assert set(orjson.loads(second).values()) == {None}


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_no_text_becomes_a_formula_and_every_text_can_be_had_back(text: str) -> None:
    for prefix in ("", *DANGEROUS):
        columns = (Column("a", prefix + text, prefix + text), Column("b", "b", "b"))
        written = Csv(columns, SEOUL, Language.KO)
        (heading, _), (cell, _) = read(written.head() + written.lines([(prefix + text, "x")]))
        for found in (heading, cell):
            assert plain(found) == prefix + text
            assert found[:1] not in DANGEROUS or found == "" or found[1:].isdigit()


def test_numbers_below_zero_stay_numbers() -> None:
    assert read(as_csv([(None, -1, Decimal("-0.25"), None, None, None)]))[1][1:3] == ["-1", "-0.25"]


def test_a_workbook_has_numbers_dates_and_texts(tmp_path: Path) -> None:
    sheet = as_book(tmp_path, [FULL], [EMPTY, ("=1+1", 2**53, 1.5, AT, False, "other")]).active
    heading, first, second, third = list(sheet.iter_rows(values_only=True))
    assert heading == ("이름", "수", "비율", "시각", "여부", "상태")
    assert first == (FULL[0], -3, 0.5, datetime(2024, 3, 13, 20, 0, 0, 123_000), True, "이탈")
    assert second == (None,) * 6
    assert third[:2] == ("=1+1", str(2**53))
    assert third[4:] == (False, "other")
    cells = next(sheet.iter_rows(min_row=4))
    assert [cell.data_type for cell in cells] == ["s", "s", "n", "d", "b", "s"]


@pytest.mark.parametrize("text", ["=SUM(A1)", "http://a.b/c", "123", "\x00\x0b", "🎁", "가" * 40_000])
def test_whatever_a_text_says_it_is_a_text(tmp_path: Path, text: str) -> None:
    sheet = as_book(tmp_path, [(text, None, None, None, None, None)]).active
    cell = sheet["A2"]
    assert cell.data_type == "s"
    assert cell.hyperlink is None
    if len(text) < 40:
        assert cell.value == text or not text.isprintable()
    else:
        assert (len(cell.value), cell.value[-1]) == (32_767, "…")


def test_rows_that_one_worksheet_cannot_hold_go_to_further_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    rows: list[Row] = [(str(number), None, None, None, None, None) for number in range(5)]
    book = as_book(tmp_path, rows, title="캠페인")
    assert book.sheetnames == ["캠페인", "캠페인 2", "캠페인 3"]
    found = [[row[0] for row in sheet.iter_rows(values_only=True)] for sheet in book]
    assert found == [["이름", "0", "1"], ["이름", "2", "3"], ["이름", "4"]]


@given(st.text(st.characters(codec="utf-8"), max_size=60), st.integers(1, 200))
def test_every_title_makes_a_name_that_excel_takes(title: str, number: int) -> None:
    name = sheet_name(title, number)
    assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
    assert not set(name) & set("[]:*?/\\")
    assert name.strip("'") == name
    assert name.lower() != "history"


def test_times_before_1900_are_written_as_texts(tmp_path: Path) -> None:
    sheet = as_book(tmp_path, [(None, None, None, -3_000_000_000_000, None, None)]).active
    assert sheet["D2"].value.startswith("1874-")


def test_the_hour_that_clocks_skip_is_told_by_its_offset() -> None:
    columns = (Column("at", "at", "at", Cell.TIME),)
    written = Csv(columns, "America/New_York", Language.EN)
    spring = 1_710_054_000_000
    found = written.lines([(spring - 1,), (spring,)]).decode().split()
    assert found == ["2024-03-10T01:59:59.999-05:00", "2024-03-10T03:00:00.000-04:00"]
