"""What texts may say of a coupon and of an uploaded line, whoever put them into the event."""

from typing import Any

import pytest

from server.delivery.alimtalk.values import coupon_of, row_of
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
