"""An Alimtalk as its reader would see it, over the API."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store.tables import User
from tests.server.delivery.relays import BINDINGS, PAID, put_template, sign_up
from tests.server.schema.api import Api, open_api
from tests.world import World

pytestmark = pytest.mark.anyio
PREVIEW = """query($template: AlimtalkTemplateInput, $of: String, $version: Int, $values: JSON, $user: ID,
  $properties: JSON) { previewAlimtalk(template: $template, key: $of, version: $version, values: $values,
  userId: $user, properties: $properties) {
    parts { kind text isCut onAndroid onIos } buttons { type name link { mobile } } unfilled
    problems { name message } html svg
} }"""
TITLED = {"body": "#{이름}님", "emphasis": "TEXT", "title": "가" * 30, "subtitle": "주문", "extra": ""}


async def preview(api: Api, **variables: Any) -> dict[str, Any]:
    return dict((await api.ask(PREVIEW, **variables))["previewAlimtalk"])


async def test_a_draft_is_seen_before_it_is_kept(sqlite_world: World) -> None:
    async with open_api(sqlite_world) as api:
        seen = await preview(api, template=TITLED, values={"이름": "김하나"})
    assert [part["kind"] for part in seen["parts"]] == ["SUBTITLE", "TITLE", "BODY"]
    assert seen["parts"][1]["onAndroid"] == "가" * 23 + "…"
    assert seen["parts"][2]["text"] == "김하나님"
    assert "김하나님" in seen["html"]
    assert "김하나님" in seen["svg"]
    assert seen["unfilled"] == []


async def test_a_template_of_the_project_is_filled_for_a_member(sqlite_world: World) -> None:
    await put_template(sqlite_world, "paid", PAID, BINDINGS)
    await sign_up(sqlite_world, "kim")
    await sqlite_world.settle()
    async with open_api(sqlite_world) as api:
        (user,) = await sqlite_world.rows(User)
        empty = await preview(api, of="paid")
        filled = await preview(api, of="paid", user=to_id("User", user.shard, user.number))
    assert empty["unfilled"]
    assert "#{" in empty["parts"][0]["text"]
    assert len(filled["unfilled"]) < len(empty["unfilled"])


async def test_what_cannot_be_previewed_says_why(sqlite_world: World) -> None:
    async with open_api(sqlite_world) as api:
        neither = await api.error(PREVIEW)
        unknown = await api.error(PREVIEW, of="nothing")
        not_texts = await api.error(PREVIEW, template=TITLED, values={"이름": 3})
    assert "One of `template` and `key`" in neither["message"]
    assert "no template 'nothing'" in unknown["message"]
    assert "'이름' is a text" in not_texts["message"]
