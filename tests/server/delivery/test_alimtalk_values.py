"""What texts may say of a coupon and of an uploaded line, and how a filled template is handed over."""

from typing import Any

import pytest

from channels.alimtalk.filling import fill
from channels.alimtalk.reading import read_template
from channels.kakao.options import AlimtalkOptions
from server.delivery.alimtalk.values import coupon_of, row_of
from server.delivery.alimtalk.writing import written
from server.templates.render import compile_problems, render

WHOLE = {"code": "A1", "name": "가입 쿠폰", "expires_at": "2026-12-31T23:59:59+09:00"}


@pytest.mark.parametrize(
    ("event", "properties", "coupon"),
    [
        ("sign_up", {"coupon": WHOLE}, WHOLE),
        ("purchase", {"coupon": "A1", "name": "꽃신"}, {"code": "A1"}),
        ("purchase", {"coupon_code": 77, "code": "KRW"}, {"code": "77"}),
        ("purchase", {"code": "KRW", "name": "꽃신"}, {}),
        (
            "Coupon Issued",
            {"code": "A1", "coupon_name": "가입 쿠폰", "expires_at": "2026-12-31", "issued_at": "2026-12-01"},
            {"code": "A1", "name": "가입 쿠폰", "expires_at": "2026-12-31", "issued_at": "2026-12-01"},
        ),
        ("쿠폰 발급", {"code": "A1"}, {"code": "A1"}),
        ("Coupon Issued", {"code": "", "coupon": True}, {}),
    ],
)
def test_a_coupon_is_found_wherever_an_event_names_it(
    event: str, properties: dict[str, Any], coupon: dict[str, Any]
) -> None:
    assert coupon_of(event, properties) == coupon


def test_texts_show_the_cells_of_a_line_by_any_name() -> None:
    text = "{{ row.지점 }} {{ row['지점 이름'] }} {{ row.none }}"
    assert compile_problems(text, "x") == []
    row = row_of({"row": {"지점": "강남", "지점 이름": "강남역점"}})
    assert render(text, {"row": row}, escape=False, now=0) == "강남 강남역점 "
    assert row_of({"row": "no line"}) == {}


def test_everything_that_a_reader_sees_is_put_as_adapters_take_it() -> None:
    template, _ = read_template(
        {
            "body": "#{이름}님",
            "emphasis": "ITEM_LIST",
            "header": "#{이름}님의 주문",
            "highlight": {
                "title": "꽃신",
                "description": "#{색}",
                "image": {"url": "https://k.example/1.png"},
            },
            "items": [{"title": "색", "description": "#{색}"}, {"title": "수량", "description": "1"}],
            "summary": {"title": "합계", "description": "#{금액}원"},
            "link": {"mobile": "https://shop.example/#{이름}"},
            "buttons": [{"type": "BK", "name": "문의"}, {"type": "TN", "name": "전화 연결", "phone": "02-1"}],
            "quick_replies": [{"type": "WL", "name": "보기", "link_mobile": "https://shop.example/"}],
        }
    )
    assert template is not None
    values = {"이름": "김", "색": "빨강", "금액": "12,000"}
    said = written("code", fill(template, values), values)
    assert dict(said.content) == {"template": "code", "text": "김님"}
    assert said.variables == values
    # What no adapter knows would be refused here.
    options = AlimtalkOptions.model_validate(said.options)
    assert options.highlight is not None
    assert (options.header, options.highlight.description) == ("김님의 주문", "빨강")
    assert options.highlight.image_url == "https://k.example/1.png"
    assert [one.description for one in options.items] == ["빨강", "1"]
    assert options.summary is not None
    assert options.link is not None
    assert (options.summary.description, options.link.mobile) == ("12,000원", "https://shop.example/김")
    assert [one.type for one in (*options.buttons, *options.quick_replies)] == ["BK", "TN", "WL"]
