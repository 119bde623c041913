"""A template from plain data, and the way back."""

import json

from hypothesis import given, settings

from channels.alimtalk.reading import read_template, to_data
from channels.alimtalk.template import Button, Image, Item, Template

from .templates import ALMOST_TEMPLATES, TEMPLATES


def read(data: object) -> tuple[Template | None, list[tuple[str, tuple[str | int, ...]]]]:
    template, findings = read_template(data)
    assert all(one.rule == "AT000" and one.severity == "error" for one in findings)
    assert all(one.message_ko and one.remedy_en and one.remedy_ko for one in findings)
    return template, [(one.problem, one.path) for one in findings]


@settings(max_examples=60, deadline=None)
@given(TEMPLATES)
def test_what_was_written_is_read_again(template: Template) -> None:
    assert read_template(to_data(template)) == (template, [])


@settings(max_examples=150, deadline=None)
@given(ALMOST_TEMPLATES)
def test_no_data_is_too_odd_to_be_read(data: object) -> None:
    template, findings = read_template(data)
    assert (template is None) is (not isinstance(data, dict))
    assert template is not None or findings


def test_what_is_as_by_default_is_left_out() -> None:
    template = Template(body="안녕하세요", buttons=(Button(type="DS", name="배송 조회"),))
    assert to_data(template) == {"body": "안녕하세요", "buttons": [{"type": "DS", "name": "배송 조회"}]}
    assert json.loads(json.dumps(to_data(template))) == to_data(template)


def test_every_mistake_is_told_with_its_place() -> None:
    data = {
        "bdoy": "안녕하세요",
        "items": [{"title": "주문", "description": 3}, "배송", {"title": "금액"}],
        "buttons": {"type": "WL"},
        "image": {"width": "800", "height": "tall", "url": 1.5},
        "is_secure": "yes",
        "category": 1001,
        "link": [],
        "more": 7,
        "extra": None,
    }
    template, found = read(data)
    assert template is not None
    assert template.items == (Item("주문", "3"), Item("", ""), Item("금액", ""))
    assert template.image == Image(width=800)
    assert template.category == "1001"
    assert sorted(found) == [
        ("flag", ("is_secure",)),
        ("list", ("buttons",)),
        ("missing", ("body",)),
        ("missing", ("items", 2, "description")),
        ("number", ("image", "height")),
        ("object", ("items", 1)),
        ("object", ("link",)),
        ("object", ("more",)),
        ("text", ("image", "url")),
        ("unknown", ("bdoy",)),
    ]


def test_a_misspelled_name_hears_what_was_meant() -> None:
    (found, _) = read_template({"bdoy": ""})[1]
    assert "`body`" in found.remedy_en
    assert "`body`" in found.remedy_ko


def test_what_is_no_template_is_none() -> None:
    assert read(["a list"]) == (None, [("object", ())])
