"""What people see of a template, and drawings of it."""

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
from hypothesis import given

from channels.alimtalk.bubble import PartKind, Shown, bubble_of
from channels.alimtalk.bubble.html import draw_html
from channels.alimtalk.bubble.svg import WIDTH, draw_svg, wrapped
from channels.alimtalk.template import Button, Highlight, Image, Item, Template

from .templates import TEMPLATES

LIST = Template(
    body="[소전몰] 상품이 출발했습니다.",
    emphasis="ITEM_LIST",
    header="배송 안내",
    highlight=Highlight("CJ대한통운", "#{운송장}"),
    items=(Item("상품", "봄 니트"), Item("수량", "3개")),
    summary=Item("합계", "128,000원"),
    message_type="MI",
    extra="※ 안내 메시지입니다.",
    buttons=(
        Button(type="AC", name="채널 추가"),
        Button(type="WL", name="주문", link_mobile="https://a.kr/?a=1&b"),
    ),
    quick_replies=(Button(type="BK", name="문의"),),
)


class Seen(HTMLParser):
    """The tags of a page, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def seen(template: Template, sender: str = "") -> Seen:
    found = Seen()
    found.feed(draw_html(bubble_of(template, sender)))
    return found


def test_the_parts_stand_as_people_see_them() -> None:
    bubble = bubble_of(LIST, "소전몰")
    kinds = ["header", "highlight", "item", "item", "summary", "body", "extra", "ad_notice"]
    assert [part.kind for part in bubble.parts] == kinds
    assert [(one.type, one.name) for one in bubble.buttons] == [("AC", "채널 추가"), ("WL", "주문")]
    assert [one.name for one in bubble.quick_replies] == ["문의"]
    assert bubble.unfilled == ("운송장",)


def test_long_titles_are_cut_as_either_system_does() -> None:
    title, subtitle = "가" * 25, "나" * 20
    bubble = bubble_of(Template(body="글", emphasis="TEXT", title=title, subtitle=subtitle))
    first, second, body = bubble.parts
    assert (first.kind, first.shown) == (PartKind.SUBTITLE, Shown("나" * 18 + "…", subtitle))
    assert (second.kind, second.shown) == (PartKind.TITLE, Shown("가" * 23 + "…", title))
    assert (first.is_cut, second.is_cut, body.is_cut) == (True, True, False)


def test_what_the_type_does_not_have_is_not_shown() -> None:
    template = Template(body="글", title="제목", extra="부가", header="머리", items=(Item("가", "나"),))
    assert [part.kind for part in bubble_of(template).parts] == ["body"]


def test_html_shows_every_text_and_marks_what_is_not_filled() -> None:
    page = seen(LIST, "소전몰 <1>")
    assert {"소전몰 <1>", "배송 안내", "봄 니트", "128,000원", "#{운송장}", "문의"} <= set(page.texts)
    assert [tag for tag, _ in page.tags].count("var") == 1
    assert {"class": "alimtalk-button", "data-type": "WL", "title": "https://a.kr/?a=1&b"} in [
        attributes for _, attributes in page.tags
    ]


@pytest.mark.parametrize("url", ["javascript:alert(1)", 'https://a.kr/"onerror="x', "data:text/html,x"])
def test_nothing_of_a_template_runs_in_a_page(url: str) -> None:
    bad = "<script>alert(1)</script>"
    template = Template(
        body=bad, emphasis="IMAGE", image=Image(bad, url), buttons=(Button(type='"><b', name=bad),)
    )
    page = seen(template, bad)
    assert not {"script", "b"} & {tag for tag, _ in page.tags}
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    sources = [attributes.get("src") for tag, attributes in page.tags if tag == "img"]
    assert sources == ([url] if url.startswith("https:") else [None])


def test_lines_are_as_long_as_there_is_room() -> None:
    assert list(wrapped("가나다라마", 2)) == ["가나", "다라", "마"]
    assert list(wrapped("abc\n\n가", 2)) == ["abc", "", "가"]


@given(TEMPLATES)
def test_any_template_is_drawn(template: Template) -> None:
    bubble = bubble_of(template, "이름")
    assert ElementTree.fromstring(draw_svg(bubble)).get("width") == str(WIDTH)
    seen(template)
