"""Ready Alimtalks: right by the rules, filled as they say, and taken over with their journeys."""

from importlib.resources import files
from typing import Any

import pytest

from channels.alimtalk.filling import fill, variables_of
from channels.alimtalk.findings import Severity
from channels.alimtalk.limits import KAKAO
from channels.alimtalk.lint import lint, lint_filled
from channels.alimtalk.lint.about import About
from server.errors import NotFound
from server.library.alimtalk import LANGUAGES, NAMES, alimtalk, alimtalks
from server.schema.file_form import read_journey
from server.templates.render import render
from tests.server.schema.api import Api, open_api
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
LIBRARY = """{ readyAlimtalks { name title description event example file bindings { name }
  content { body } preview { sender svg unfilled } } }"""
TAKEN = """... on TakeReadyAlimtalksPayload { taken {
  name template { id key isSendable } journey { id handle title status } } }"""


def test_every_file_of_the_library_is_told_of() -> None:
    found = {one.name for one in files("server.library.alimtalk").iterdir() if one.name.endswith(".yaml")}
    assert found == {f"{name}.yaml" for name in NAMES}
    with pytest.raises(NotFound, match="there are: signed-up"):
        alimtalk("other", "ko")


@pytest.mark.parametrize("name", NAMES)
def test_no_relay_and_no_reviewer_would_refuse_it(name: str) -> None:
    ready = alimtalk(name, "ko")
    about = About(company="소전몰", values=ready.shown, bindings=ready.bindings)
    found = lint(ready.template, KAKAO, about)
    # Each relay has categories of its own, so a ready template names none (AT034).
    wrong = [one for one in found if one.severity is not Severity.HINT and one.rule != "AT034"]
    assert [str(one) for one in wrong] == []
    filled = fill(ready.template, ready.shown)
    assert [str(one) for one in lint_filled(ready.template, filled, KAKAO, about)] == []


@pytest.mark.parametrize("name", NAMES)
def test_its_bindings_say_for_the_example_what_it_shows(name: str) -> None:
    ready = alimtalk(name, "ko")
    assert set(ready.bindings) == set(variables_of(ready.template))
    values: dict[str, Any] = {
        "user": {"name": "김하나", "id": "kim"},
        "event": {**ready.example, "name": ready.event},
        "project": {"name": "소전몰", "timezone": "Asia/Seoul"},
    }
    said = {name: render(text, values, escape=False, now=NOON) for name, text in ready.bindings.items()}
    assert said | {"가입일": ""} == dict(ready.shown) | {"가입일": ""}
    empty = {**values, "user": {}, "event": {}}
    for text in ready.bindings.values():
        render(text, empty, escape=False, now=NOON)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_journey_sends_its_template_once_for_each_order(language: str) -> None:
    for ready in alimtalks(language):
        journey = read_journey(ready.journey).variables
        kinds = [next(iter(step.items())) for step in journey["graph"]["steps"]]
        assert [kind for kind, _ in kinds] == ["entryEvent", "alimtalk", "exit"]
        assert kinds[0][1]["event"] == ready.event
        assert kinds[1][1]["template"] == ready.name
        assert journey["title"] == ready.title
        one_per = journey["graph"].get("reentryRules", {}).get("onePer")
        assert journey["graph"]["reentry"] == "NEVER"
        assert one_per is None or one_per in ready.example


async def take(api: Api, **input: Any) -> dict[str, Any]:
    return await api.change("takeReadyAlimtalks", TAKEN, **input)


async def test_they_are_looked_through_and_taken_over(sqlite_world: World) -> None:
    async with open_api(sqlite_world) as api:
        shown = (await api.ask(LIBRARY))["readyAlimtalks"]
        first = await take(api, idempotencyKey="1")
        again = await take(api, idempotencyKey="1")
        one = await take(api, names=["order-paid"])
        wrong = await take(api, names=["order-paid", "other"])
    assert [one["name"] for one in shown] == list(NAMES)
    assert all("<svg" in one["preview"]["svg"] and not one["preview"]["unfilled"] for one in shown)
    assert [one["template"]["key"] for one in first["taken"]] == list(NAMES)
    assert {one["journey"]["status"] for one in first["taken"]} == {"DRAFT"}
    assert again == first
    assert one["taken"] == [first["taken"][2]]
    assert (wrong["__typename"], wrong["path"]) == ("InputProblem", ["input", "names", "1"])
