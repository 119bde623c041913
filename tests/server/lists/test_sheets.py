"""CSV files in the encodings of people's programs, harmless to open."""

import csv
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.errors import BadInput
from server.formulas import guarded, plain
from server.lists import sheets

COLUMNS = ("address", "note")


def lines(path: Path) -> list[tuple[int, dict[str, str], str]]:
    return [tuple(line)[:3] for line in sheets.read(path, ["address"], COLUMNS)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_file_is_read_in_whatever_encoding_it_is(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes("Address,note,other\r\nkim@example.com,수신거부 요청,x\r\n".encode(encoding))
    assert lines(path) == [(2, {"address": "kim@example.com", "note": "수신거부 요청"}, "")]


def test_a_line_that_cannot_be_read_is_named_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"address,note\na@b.c,\xff\xff\nx,y,z\n\nd@e.f,\x00\ng@h.i,fine\n")
    found = lines(path)
    told = [(number, bool(wrong)) for number, _, wrong in found]
    assert told == [(2, True), (3, True), (5, True), (6, False)]


def test_a_heading_that_cannot_be_read_is_refused_and_no_accident() -> None:
    with pytest.raises(BadInput, match="first line"):
        sheets.check_one_of(StringIO("user_id," + "x" * 200_000), ["user_id"])


def test_a_file_without_a_column_that_is_needed_is_refused_with_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("email\na@b.c\n")
    with pytest.raises(BadInput, match="no column address; its columns: email"):
        lines(path)


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\tx", "'quoted", "+82 10"])
def test_no_cell_becomes_a_formula(cell: str) -> None:
    assert guarded(cell) == "'" + cell
    assert plain(guarded(cell)) == cell


def test_a_telephone_number_stays_one() -> None:
    assert guarded("+821012345678") == "+821012345678"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30))
def test_what_was_guarded_is_plain_again(cell: str) -> None:
    assert plain(guarded(cell)) == cell


def test_a_file_is_written_with_the_mark_that_spreadsheets_ask_for(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with sheets.writing(path, COLUMNS) as sheet:
        sheet.add(["=1", "메모"])
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [list(COLUMNS), ["'=1", "메모"]]
