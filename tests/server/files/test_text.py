"""YAML and JSON: what is written is what is read, whoever reads it, and everything has its line."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from server.files.lengths import to_seconds, to_words
from server.files.problems import CannotRead, Place
from server.files.reading import read_text
from server.files.writing import to_json, to_yaml
from tests.server.schema.drawings import TEXTS, VALUES

OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
TRICKY = [
    *("yes", "no", "on", "off", "Null", "~", "", " ", "true", "TRUE", "<<", "=", "---", "..."),
    *(
        "1",
        "-0",
        "1e3",
        "1.5",
        ".5",
        "0x1f",
        "0o17",
        "010",
        "+1",
        "1_000",
        ".inf",
        ".nan",
        "99999999999999999999",
    ),
    *(
        "2024-01-01",
        "12:30",
        "12:30:45",
        "{",
        "[a]",
        "a: b",
        "# no",
        "a #b",
        "- a",
        "? a",
        "!tag",
        "&a",
        "*a",
    ),
    *(
        "%x",
        "@x",
        "`x`",
        "'",
        '"',
        "\t",
        "a\tb\nc",
        "\r\n",
        "a\rb",
        "\x07",
        "\x7f",
        "\u0085",
        "\u2028",
        "\ufeff",
    ),
    *(
        "a\n",
        "\na",
        "a\n\nb",
        " a\nb",
        "a \nb",
        "a\n ",
        "\n",
        "a\n\n",
        "가\n나\n",
        "😀\n😀",
        "# a\nb",
        "a\n# b",
    ),
]


@given(OBJECTS)
def test_what_is_written_as_yaml_is_read_again(data: dict[str, Any]) -> None:
    assert read_text(to_yaml(data)).data == data


@given(OBJECTS.filter(bool))
def test_what_is_written_as_json_is_read_again(data: dict[str, Any]) -> None:
    assert read_text(to_json(data)).data == data


@pytest.mark.parametrize("text", TRICKY)
def test_a_text_that_looks_like_something_else_stays_a_text(text: str) -> None:
    data = {"a": text, "b": [text, {"c": text}], "d": {text: 1}}
    assert read_text(to_yaml(data)).data == data
    assert read_text(to_json(data)).data == data
    assert yaml.safe_load(to_yaml(data)) == data


@pytest.mark.parametrize(
    "text", ["yes", "on", "2024-01-01", "010-1234-5678", "01012345678", "0x1f", "1_000", "+1", "=", "nan"]
)
def test_what_only_some_take_for_something_else_is_a_text(text: str) -> None:
    assert read_text(f"a: {text}").data == {"a": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-1.5e3", -1500.0),
        ("true", True),
        ("False", False),
        ("NULL", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
    ],
)
def test_words_and_numbers(text: str, value: Any) -> None:
    found = read_text(f"a: {text}").data["a"]
    assert (found, type(found)) == (value, type(value))


def test_everything_has_its_place() -> None:
    sheet = read_text(
        "title: Cart\ngraph:\n  steps:\n    - exit:\n        key: done\n    - {exit: {key: two}}\n"
    )
    assert sheet.place_of(("graph",)) == Place(2, 1)
    assert sheet.place_of(("graph", "steps", 0, "exit", "key")) == Place(5, 9)
    assert sheet.place_of(("graph", "steps", 1, "exit", "key")) == Place(6, 15)
    assert sheet.place_of(("graph", "steps", 0, "exit", "title")) == Place(4, 7)
    assert sheet.place_of(("nothing",)) == Place(1, 1)


def test_json_has_places_too_even_with_tabs() -> None:
    sheet = read_text('{\n\t"title": "C\\ud55c\\u00e9 \\ud83d\\ude00",\n\t"graph": {\n\t\t"steps": []}}')
    assert sheet.data["title"] == "C한é 😀"
    assert sheet.place_of(("graph", "steps")) == Place(4, 3)


@pytest.mark.parametrize(
    ("text", "line", "about"),
    [
        ("a: 1\nb: [", 2, "no YAML"),
        ("a: 1\n\tb: 2", 2, "no YAML"),
        ("a: 1\nb: 2\na: 3", 3, "`a` is here twice"),
        ('{"a": 1,\n"a": 2}', 2, "`a` is here twice"),
        ("a: &x 1\nb: *x", 2, "aliases"),
        ("a: !!python/object/apply:os.system [ls]", 1, "tag"),
        ("a: 1\nb: !secret x", 2, "tag"),
        ("a: 1\n---\nb: 2", 2, "one document"),
        ("? [a]\n: 1", 1, "has to be a text"),
        ("a: 1\nb: 99999999999999999999999", 2, "too large"),
        ("a: 1\nb: 1e999", 2, "too large"),
        ("a: 1\nb: \x07", 2, "U+0007"),
        ("[" * 200, 1, "deep"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, about: str) -> None:
    with pytest.raises(CannotRead) as refused:
        read_text(text)
    (problem,) = refused.value.problems
    assert about in problem.message
    assert problem.place is not None
    assert problem.place.line == line


@given(st.text())
def test_no_text_is_too_strange_to_be_refused_in_words(text: str) -> None:
    with contextlib.suppress(CannotRead):
        read_text(text)


def test_short_objects_stand_on_one_line_and_texts_of_several_lines_as_they_are() -> None:
    data = {"edges": [{"from": "a", "to": "b"}], "html": "<p>\n  Hello\n</p>\n"}
    assert to_yaml(data) == "edges:\n  - {from: a, to: b}\nhtml: |\n  <p>\n    Hello\n  </p>\n"


@given(st.integers(0, 10**10))
def test_lengths_come_back(seconds: int) -> None:
    assert to_seconds(to_words(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1h 30m", 5400), ("90m", 5400), ("2W1d", 15 * 86_400), ("0s", 0), (" 1 h ", 3600)]
    + [(wrong, None) for wrong in ("", "1", "h", "1h 1h", "30m 1h", "1.5h", "-1h", "1y", "1h x", "한시간")],
)
def test_lengths_as_people_write_them(text: str, seconds: int | None) -> None:
    assert to_seconds(text) == seconds
