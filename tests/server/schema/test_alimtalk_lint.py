"""Templates of Alimtalks over GraphQL: how they come in, and what is wrong with them."""

from typing import Any

import pytest
from hypothesis import given, settings

from channels.alimtalk.reading import read_template, to_data
from channels.alimtalk.template import Template
from server.schema.alimtalk_inputs import AlimtalkTemplateInput, to_given, to_input_path, to_template
from server.schema.spelling import from_spelled
from tests.channels.alimtalk.templates import TEMPLATES
from tests.server.schema.api import Api

pytestmark = pytest.mark.anyio

LINT = """query(
    $template: AlimtalkTemplateInput!, $company: String, $connection: ID, $about: AlimtalkAboutInput
) {
    lintAlimtalk(template: $template, company: $company, connection: $connection, about: $about) {
        errors warnings content { body emphasis variables buttons { type name } summary { title } }
        findings { rule problem severity path message remedy ko: message(language: KO) }
    }
}"""


def known(template: Template) -> bool:
    kinds = {one.type for one in (*template.buttons, *template.quick_replies)}
    return "??" not in (template.message_type, template.emphasis) and not kinds & {"XX", ""}


@settings(max_examples=30, deadline=None)
@given(TEMPLATES.filter(known))
async def test_what_is_stored_could_have_come_in(template: Template) -> None:
    given = from_spelled(to_given(to_data(template)), AlimtalkTemplateInput)
    assert to_template(given) == template


def test_a_finding_is_told_in_the_words_of_the_input() -> None:
    data = {"body": "안녕", "quick_replies": [{"type": "WL", "name": "보기", "link_mobile": "x"}]}
    assert read_template(data)[1] == []
    path = to_input_path(("quick_replies", 0, "link_mobile"), data)
    assert path == ["quickReplies", "0", "linkMobile"]


async def test_a_template_is_understood(api: Api) -> None:
    template: dict[str, Any] = {
        "body": "#{이름}님, 주문하신 상품이 도착했습니다.",
        "emphasis": "ITEM_LIST",
        "header": "도착 안내",
        "items": [{"title": "주문", "description": "#{상품}"}, {"title": "날짜", "description": "#{날짜}"}],
        "buttons": [{"type": "WL", "name": "주문 보기", "linkMobile": "https://shop.example/#{번호}"}],
    }
    found = (await api.ask(LINT, template=template))["lintAlimtalk"]
    assert found["content"]["variables"] == ["이름", "상품", "날짜", "번호"]
    assert found["content"]["buttons"] == [{"type": "WL", "name": "주문 보기"}]
    assert found["content"]["summary"] is None
    assert found["errors"] == 0


async def test_what_is_no_object_is_refused(api: Api) -> None:
    error = await api.error(LINT, template={"body": "안녕하세요", "more": [1]})
    assert "Wanted names with values here" in error["message"]


async def test_limits_are_those_of_a_connection_of_the_project(api: Api) -> None:
    error = await api.error(LINT, template={"body": "안녕하세요"}, connection="Q29ubmVjdGlvbjo5OTk")
    assert error["extensions"]["code"] in ("NOT_FOUND", "BAD_USER_INPUT", "BAD_INPUT")
