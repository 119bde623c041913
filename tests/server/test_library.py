"""Every ready journey does what it says: its rehearsal comes out as the file beside it tells."""

from datetime import datetime
from importlib.resources import files
from typing import Any

import pytest

from server.errors import NotFound
from server.files.reading import read_text
from server.library import LANGUAGES, NAMES, Template, template, templates
from server.rehearsal.rehearse import Rehearsed, rehearse_apart
from server.rehearsal.traces import PersonTrace
from server.schema.file_form import read_journey
from server.testing.journeys import plan_of, take
from tests.server.schema.api import open_api
from tests.world import DAY, HOUR, NOON, World

FIGURES = ("entries", "inside", "ended", "refused", "reached")


def play(ready: Template) -> Rehearsed:
    journey = take(read_journey(ready.text).variables)
    return rehearse_apart(plan_of(journey, ready.rehearsal, NOON))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_ready_journey_does_what_it_says(name: str, language: str) -> None:
    ready = template(name, language)
    told = play(ready)
    assert (told.is_complete, told.troubles) == (True, [])
    nothing: dict[str, Any] = {"entries": 0, "inside": 0, "ended": {}, "refused": {}, "reached": {}}
    wanted = {figure: ready.expected.get(figure, nothing[figure]) for figure in FIGURES}
    assert {figure: getattr(told, figure) for figure in FIGURES} == wanted
    for who, expected in ready.expected["people"].items():
        assert of_person(told[who], expected) == expected, who


def of_person(person: PersonTrace, expected: dict[str, Any]) -> dict[str, Any]:
    """As much of what came of somebody as is expected of them, of all their runs."""
    found: dict[str, Any] = {
        "path": person.path,
        "subjects": [message.content["subject"] for message in person.messages],
    }
    if "sent_at" in expected:
        found["sent_at"] = [
            iso(message.decided_at, like)
            for message, like in zip(person.messages, expected["sent_at"], strict=True)
        ]
    return found


def iso(at: int, like: str) -> str:
    """In the zone of what it is compared with."""
    return datetime.fromtimestamp(at / 1000, datetime.fromisoformat(like).tzinfo).isoformat()


def test_every_file_of_the_library_is_a_ready_journey_with_a_rehearsal() -> None:
    found = {one.name for one in files("server.library").iterdir() if one.name.endswith(".yaml")}
    assert found == {name + end for name in NAMES for end in (".yaml", ".rehearsal.yaml")}


@pytest.mark.parametrize("name", NAMES)
def test_every_path_of_a_ready_journey_is_rehearsed(name: str) -> None:
    ready = template(name, "en")
    steps = read_journey(ready.text).variables["graph"]["steps"]
    keys = {next(iter(step.values()))["key"] for step in steps}
    seen = {key for one in ready.expected["people"].values() for key in one["path"]}
    assert keys - seen == set()


def test_both_languages_are_one_journey() -> None:
    for ko, en in zip(templates("ko"), templates("en"), strict=True):
        one, other = (read_journey(ready.text).variables["graph"] for ready in (ko, en))
        assert skeleton(one) == skeleton(other)
        assert ko.title != en.title
        assert "ko:" not in ko.text


def skeleton(graph: dict[str, Any]) -> Any:
    """Without what people read."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: bare(one) for name, one in value.items() if name not in READ}
        return [bare(one) for one in value] if isinstance(value, list) else value

    return bare(graph)


READ = ("title", "subject", "html", "text")


def test_nothing_in_the_library_is_left_in_one_language_only() -> None:
    """Hangul stands only where English stands beside it."""

    def hangul(value: Any) -> list[str]:
        if isinstance(value, dict):
            return (
                [] if value.keys() == set(LANGUAGES) else [one for v in value.values() for one in hangul(v)]
            )
        if isinstance(value, list):
            return [one for v in value for one in hangul(v)]
        return [value] if isinstance(value, str) and any("가" <= char <= "힣" for char in value) else []

    for name in NAMES:
        data = read_text((files("server.library") / f"{name}.yaml").read_text(encoding="utf-8")).data
        assert hangul(data) == []


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(NotFound, match="welcome"):
        template("farewell", "en")
    with pytest.raises(NotFound):
        template("welcome", "fr")


@pytest.mark.anyio
async def test_whoever_is_quiet_already_is_won_back_at_the_start(sqlite_world: World) -> None:
    """A rehearsal knows no past."""
    world = sqlite_world
    await world.add_connection()
    ago = {"kim": 100 * DAY, "lee": 10 * DAY}
    past = (world.event("purchase", NOON - days, user=user) for user, days in ago.items())
    await world.live(*past, world.event("product_view", NOON, user="park"))
    async with open_api(world) as api:
        created = "... on CreateJourneyFromTemplatePayload { journey { id } }"
        made = await api.change("createJourneyFromTemplate", created, template="win-back")
        for change in ("publishJourney", "startJourney"):
            await api.change(change, id=made["journey"]["id"])
    await world.settle(NOON + HOUR)
    where = {run.user_number: run.step_key for run in await world.runs()}
    assert sorted(where.values()) == ["fortnight", "never", "quiet"]
