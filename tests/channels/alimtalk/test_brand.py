"""AT037: what a Brand Message may hold, by its type and by the relay."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.alimtalk.brand import BUBBLES, NHN_BRAND, SENS_BRAND, SOLAPI_BRAND, BrandCan
from channels.alimtalk.lint.brand import lint_brand, rule

HOUR = 3_600_000
MIDNIGHT = 1_767_193_200_000
"""2026-01-01T00:00 in Korea."""
WL = {"type": "WL", "name": "보기", "link_mobile": "https://a.example"}
AC = {"type": "AC", "name": "채널 추가"}
CARD = {"header": "가", "text": "나", "image": "i", "buttons": [WL]}
PRODUCT = {"title": "사과", "regular_price": 1000}
COUPON = {"title": "5000원 할인 쿠폰", "description": "주말", "link": {"mobile": "https://a.example"}}
ITEM = {"title": "가", "image": "i", "link": {"mobile": "https://a.example"}}
LIST = {"type": "WIDE_ITEM_LIST", "header": "머리"}


def problems(can: BrandCan = NHN_BRAND, /, **message: Any) -> list[tuple[str, str]]:
    return [(".".join(map(str, one.path)), one.problem) for one in lint_brand(message, can)]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"text": "가"}, []),
        ({"text": "가" * 1300, "buttons": [AC, WL, WL, WL, WL]}, []),
        ({"text": "가" * 1301}, [("text", "too_long")]),
        ({"text": "{{ user.name }}" + "가" * 1301}, []),
        ({"text": "#{이름}" * 400}, []),
        ({"type": "IMAGE", "text": "가" * 401, "image": "i"}, [("text", "too_long")]),
        ({"type": "WIDE", "text": "가\n나\n다", "image": "i"}, [("text", "line_breaks")]),
        ({"type": "VIDEO", "text": "가"}, [("type", "type")]),
        ({"text": "가", "targeting": "F"}, [("targeting", "targeting")]),
        ({"text": "가", "buttons": [WL, AC]}, [("buttons.1", "channel_button")]),
        ({"text": "가", "buttons": [{**AC, "name": "추가"}]}, [("buttons.0", "channel_button")]),
        ({"text": "가", "buttons": [{**WL, "type": "BC"}]}, [("buttons.0.type", "button_type")]),
        ({"text": "가", "buttons": [{**WL, "link_mobile": ""}]}, [("buttons.0", "button_link")]),
        ({"text": "가", "buttons": [{**WL, "link_mobile": "a"}]}, [("buttons.0.link_mobile", "address")]),
        ({"text": "가", "buttons": [{**WL, "name": "가" * 15}]}, [("buttons.0.name", "too_long")]),
        ({"type": "WIDE", "text": "가", "image": "i", "buttons": [WL, AC]}, []),
        ({"type": "WIDE", "text": "가", "image": "i", "buttons": [WL] * 3}, [("buttons", "count")]),
        ({"text": "가", "coupon": COUPON}, []),
        ({"text": "가", "coupon": {**COUPON, "title": "0원 할인 쿠폰"}}, [("coupon.title", "coupon_title")]),
        (
            {"text": "가", "coupon": {**COUPON, "title": "첫 구매 감사품 무료 쿠폰"}},
            [("coupon.title", "coupon_title")],
        ),
        ({"text": "가", "coupon": {**COUPON, "title": "101% 할인 쿠폰"}}, [("coupon.title", "coupon_title")]),
        (
            {"text": "가", "coupon": {**COUPON, "description": "가" * 13}},
            [("coupon.description", "too_long")],
        ),
        ({"text": "가", "coupon": {**COUPON, "link": {}}}, [("coupon.link", "coupon_link")]),
        ({"text": "가", "coupon": {**COUPON, "link": {"ios": "alimtalk=coupon://1"}}}, []),
        ({**LIST, "items": [ITEM] * 3}, []),
        ({**LIST, "items": [{**ITEM, "title": ""}, ITEM, ITEM]}, []),
        ({**LIST, "items": [ITEM, ITEM]}, [("items", "count")]),
        ({**LIST, "items": [ITEM, {**ITEM, "title": "가" * 31}, ITEM]}, [("items.1.title", "too_long")]),
        ({"type": "COMMERCE", "image": "i", "commerce": PRODUCT, "buttons": [WL]}, []),
        (
            {"type": "COMMERCE", "image": "i", "commerce": {**PRODUCT, "discount_price": 9}, "buttons": [WL]},
            [("commerce.discount_price", "price")],
        ),
        ({"type": "CAROUSEL_FEED", "carousel": {"cards": [CARD, CARD]}}, []),
        ({"type": "CAROUSEL_FEED", "carousel": {"cards": [CARD]}}, [("carousel.cards", "count")]),
        (
            {"type": "CAROUSEL_FEED", "carousel": {"cards": [CARD, {**CARD, "buttons": []}]}},
            [("carousel.cards.1.buttons", "count")],
        ),
        ({"text": " (광고) 사과"}, [("text", "ad_mark")]),
        ({"text": "사과", "header": "[광고]"}, [("header", "ad_mark"), ("header", "stray")]),
        ({"text": "사과 (광고)"}, []),
        ({"template": "T", "variables": {"a@b": "1"}}, [("variables.a@b", "at_sign")]),
        ({"template": "T", "text": ""}, []),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    message: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    assert problems(**message) == expected


def test_relays_differ() -> None:
    image = {"type": "IMAGE", "text": "가" * 401, "image": "i"}
    assert problems(SOLAPI_BRAND, **image) == problems(SENS_BRAND, **image) == []
    assert problems(SENS_BRAND, text="가", buttons=[AC]) == [("buttons.0.type", "button_type")]
    assert problems(SENS_BRAND, type="CAROUSEL_FEED") == [("type", "type")]
    there = {"type": "WIDE", "text": "가", "image": "https://a.example/1.png"}
    assert problems(SENS_BRAND, **there) == [("image", "picture")]
    assert problems(NHN_BRAND, **there) == []
    bot = {"type": "BK", "name": "문의"}
    shown = {"type": "COMMERCE", "image": "i", "commerce": PRODUCT, "buttons": [bot]}
    assert problems(SOLAPI_BRAND, **shown) == [("buttons.0.type", "button_type")]
    assert problems(NHN_BRAND, **shown) == []


@pytest.mark.parametrize("can", [SOLAPI_BRAND, NHN_BRAND, SENS_BRAND])
def test_the_hours_are_korean(can: BrandCan) -> None:
    assert can.opens_at(MIDNIGHT) == MIDNIGHT + 8 * HOUR
    assert can.opens_at(MIDNIGHT + 8 * HOUR - 1) == MIDNIGHT + 8 * HOUR
    assert can.opens_at(MIDNIGHT + 8 * HOUR) is None
    closing = MIDNIGHT + can.closes * 60_000
    assert can.opens_at(closing - 1) is None
    assert can.opens_at(closing) == MIDNIGHT + 32 * HOUR
    assert can.closes == (20 * 60 if can is SOLAPI_BRAND else 20 * 60 + 50)


def test_every_problem_is_told_in_both_languages() -> None:
    source = rule()
    assert all(says.en and says.ko and says.do_en and says.do_ko for says in source.says.values())


NAMES = (
    "text",
    "image",
    "items",
    "carousel",
    "cards",
    "coupon",
    "link",
    "mobile",
    "buttons",
    "commerce",
    "title",
)
ANYTHING = st.recursive(
    st.none() | st.text(max_size=3) | st.integers(0, 3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(NAMES), ANYTHING), st.sampled_from(list(BUBBLES)))
def test_whatever_it_is_given_it_never_raises(message: dict[str, Any], kind: str) -> None:
    for can in (SOLAPI_BRAND, NHN_BRAND, SENS_BRAND):
        assert isinstance(lint_brand({**message, "type": kind}, can), list)
