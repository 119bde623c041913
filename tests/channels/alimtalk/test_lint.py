"""Every rule: what keeps it, what breaks it, and laws over all of them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.alimtalk import (
    BY_RELAY,
    KAKAO,
    RULES,
    SENS,
    About,
    Button,
    Finding,
    Limits,
    Severity,
    Template,
    fill,
    has_errors,
    lint,
    lint_data,
    lint_filled,
    read_template,
)

from .examples import ABOUT, BASIS, BREAKS, COUPON, GIVEN, GOOD, IMAGE, KEEPS, PICTURE
from .templates import ALMOST_TEMPLATES, TEMPLATES, TEXT

AT_SENDING = {"AT026"}
"""Rules of one recipient's message only."""


def look(data: dict[str, Any], more: dict[str, Any]) -> list[Finding]:
    given = ABOUT | more
    limits = BY_RELAY[given.pop("relay", "kakao")]
    return lint_data(data, limits, About(**given))[1]


def test_every_rule_has_an_example_of_everything_that_it_tells() -> None:
    assert set(KEEPS) == set(RULES) - AT_SENDING
    told = {(id, problem) for id, rule in RULES.items() for problem in rule.says if id not in AT_SENDING}
    assert {(rule, problem) for rule, problem, _, _ in BREAKS} == told


@pytest.mark.parametrize("rule", KEEPS)
def test_what_keeps_a_rule_is_not_told_of_it(rule: str) -> None:
    found = [one for one in look(*KEEPS[rule]) if one.rule == rule and one.problem != "guessed"]
    assert found == []
    assert not has_errors(look(*KEEPS[rule]))


@pytest.mark.parametrize(("rule", "problem", "data", "more"), BREAKS, ids=lambda one: str(one)[:20])
def test_what_breaks_a_rule_is_told_so(
    rule: str, problem: str, data: dict[str, Any], more: dict[str, Any]
) -> None:
    found = [one for one in look(data, more) if (one.rule, one.problem) == (rule, problem)]
    assert found
    texts = (found[0].message_en, found[0].message_ko, found[0].remedy_en, found[0].remedy_ko)
    assert all(texts)


def test_a_good_template_is_told_nothing() -> None:
    assert look(GOOD, {}) == []


@pytest.mark.parametrize(
    "start",
    ["[소전몰]\n", "안녕하세요 소전몰입니다.\n", "안녕하세요, #{업체명}에서 알려 드립니다.\n"],
)
def test_a_coupon_message_begins_with_the_company(start: str) -> None:
    body = start + GIVEN["body"].removeprefix("[소전몰]\n")
    assert [one for one in look(GIVEN | {"body": body}, {}) if one.rule == "AT030"] == []


@pytest.mark.parametrize(
    "phrase",
    [
        "※ 이 메시지는 고객님의 동의에 의해 지급된 쿠폰 안내 메시지입니다.",
        "※ 이 메시지는 고객님이 참여한 이벤트 당첨으로 지급된 쿠폰 안내 메시지입니다.",
        BASIS,
        "※ 이 메시지는 서비스 만족도 조사에 참여하신 고객님들께 지급된 쿠폰 안내 메시지입니다.",
        "※ 이 메시지는 구매하신 상품(서비스)의 사은품으로 지급된 쿠폰 안내 메시지입니다.",
        "※ 이 메시지는 회원 등급 혜택으로 지급된\n적립금 안내 메시지입니다.",
    ],
)
def test_every_ground_of_the_basis_phrase_is_known_at_the_top_the_bottom_and_in_extra(phrase: str) -> None:
    said = "#{고객명}님께 지급되었습니다. 감사합니다.\n더 자세한 것은 누리집에 있습니다."
    bodies = (f"[소전몰]\n{said}\n\n{phrase}", f"[소전몰]\n{phrase}\n\n{said}")
    for body in bodies:
        assert "AT030" not in {one.rule for one in look(GOOD | {"body": body}, {"declaration": "coupon"})}
    extra = GOOD | {"message_type": "EX", "extra": phrase, "body": f"[소전몰]\n{said}"}
    assert "AT030" not in {one.rule for one in look(extra, {"declaration": "coupon"})}


def test_a_picture_that_a_relay_keeps_has_a_name_or_an_address() -> None:
    for lacking in ("name", "url"):
        kept = IMAGE | {"image": PICTURE | {lacking: ""}}
        assert "AT008" not in {one.rule for one in look(kept, {})}


def test_a_binding_says_what_a_variable_is() -> None:
    body = COUPON["body"].replace("#{쿠폰명}", "#{명칭}").replace("#{쿠폰 만료일}", "#{마감}")
    body = body.replace("쿠폰명: ", "")
    bindings = {"명칭": "{{ coupon.name }}", "마감": "{{ coupon.expires_at | date: '%Y' }}"}
    about: dict[str, Any] = {"declaration": "coupon", "is_expiry_notice": True}
    problems = {one.problem for one in look(COUPON | {"body": body}, about)}
    assert {"coupon_name", "validity"} <= problems
    problems = {one.problem for one in look(COUPON | {"body": body}, about | {"bindings": bindings})}
    assert not {"coupon_name", "validity"} & problems


def test_a_relay_has_limits_of_its_own() -> None:
    template = Template(body="가" * 1200, category="004001")
    assert not has_errors(lint(template, KAKAO))
    assert [one.rule for one in lint(template, SENS)] == ["AT015"]


def test_what_is_sent_is_what_was_approved() -> None:
    button = {"type": "WL", "name": "보기", "link_mobile": "#{주소}"}
    template, _ = read_template(GOOD | {"buttons": [button]})
    assert template is not None
    values = {"고객명": "홍길동", "주문번호": "7", "주소": "https://shop.example"}
    sent = fill(template, values)
    assert lint_filled(template, sent) == []

    def problems(filled: Template, **about: Any) -> list[tuple[str, str]]:
        found = lint_filled(template, filled, KAKAO, About(**about))
        return [(one.rule, one.problem) for one in found]

    assert problems(fill(template, {**values, "고객명": "가" * 1300})) == [("AT015", "too_long")]
    assert problems(fill(template, {"주소": "https://a"})) == [("AT026", "unfilled")]
    assert problems(fill(template, values | {"주소": "shop"})) == [("AT019", "not_web")]
    assert problems(replace(sent, body=" " + sent.body)) == [("AT026", "text")]
    assert problems(replace(sent, buttons=())) == [("AT026", "buttons")]
    other = Button(type="WL", name="열기", link_mobile="https://a")
    assert problems(replace(sent, buttons=(other,))) == [("AT026", "buttons")]
    assert problems(replace(sent, link=None, image=None, highlight=None, items=())) == []
    longer = fill(template, values | {"고객명": "가" * 30})
    assert problems(longer, is_first_time=True) == [("AT027", "growth")]
    # A short value makes up for no long one.
    uneven = {**values, "고객명": "가" * 21, "주문번호": ""}
    about = About(is_first_time=True)
    told = lint_filled(template, fill(template, uneven), KAKAO, about, uneven)
    assert "AT027" in {one.rule for one in told}
    assert problems(fill(template, values | {"주소": "HTTPS://shop.example"})) == []
    assert problems(sent, is_auth=True) == [("AT028", "word")]
    assert problems(sent, fallback="😀") == [("AT036", "characters")]


@settings(max_examples=100, deadline=None)
@given(TEMPLATES, st.sampled_from(list(BY_RELAY.values())), TEXT, st.booleans())
def test_a_template_without_errors_stays_within_every_limit(
    template: Template, limits: Limits, value: str, is_first_time: bool
) -> None:
    values = dict.fromkeys(("a", "이름"), value)
    about = About(values=values, is_first_time=is_first_time, fallback=template.body, company=value)
    found = lint(template, limits, about)
    assert found == sorted(found, key=lambda one: one.rule)
    lint_filled(template, template, limits, about)
    if not has_errors(found):
        filled = fill(template, values)
        most = limits.body_with_items if template.emphasis == "ITEM_LIST" else limits.body
        assert len(filled.body) <= most
        assert len(template.buttons) <= limits.buttons
        assert all(0 < len(one.name) <= limits.button_name for one in template.buttons)
        assert all(len(one.description) <= limits.item_description for one in filled.items)
        assert len(filled.header) <= limits.header
        assert "AT015" not in {one.rule for one in lint_filled(template, filled, limits, about)}


@settings(max_examples=100, deadline=None)
@given(ALMOST_TEMPLATES)
def test_no_data_makes_it_stumble(data: object) -> None:
    template, found = lint_data(data)
    assert template is not None or has_errors(found)
    assert all(isinstance(one.severity, Severity) for one in found)
