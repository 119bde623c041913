"""`sojourn simulate`: a file or a journey of the database, told as tables or as JSON."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from server.cli import cli
from server.errors import ServerError
from server.schema.file_form import to_text
from server.schema.to_data import to_variables
from tests.world import NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio

PEOPLE = """
start: 2024-03-13T20:00:00+09:00
people:
  - {name: kim, attributes: {name: Kim}, events: [{event: add_to_cart}, {event: purchase, at: 30m}]}
  - {name: lee}
habits:
  - {event: purchase, after: opened, latest: 1h}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    journey = {"title": "Cart", "graph": to_variables(abandoned_cart())}
    (tmp_path / "cart.yaml").write_text(to_text(journey, as_json=False), "utf-8")
    (tmp_path / "people.yaml").write_text(PEOPLE, "utf-8")
    return tmp_path


def run(*words: Any, code: int = 0) -> str:
    result = CliRunner().invoke(cli, ["simulate", *map(str, words)])
    if isinstance(result.exception, ServerError):
        return str(result.exception)
    assert result.exit_code == code, (result.output, result.exception)
    return result.output


def test_a_file_is_told_as_tables(files: Path) -> None:
    told = run(files / "cart.yaml", "--people", files / "people.yaml", "--until", "2d", "--rate", "opened=1")
    assert "2 people, 2 entries, 0 inside, ended: completed 2; refused: none; goals: bought 2" in told
    assert "2024-03-13 12:00:00  bought           → yes" in told
    assert "subject: Still thinking, friend?" in told
    only_kim = run(files / "cart.yaml", "--people", files / "people.yaml", "--until", "2d", "--trace", "kim")
    assert "\nkim" in only_kim
    assert "\nlee" not in only_kim


def test_a_file_is_told_as_json(files: Path) -> None:
    told = json.loads(run(files / "cart.yaml", "--people", files / "people.yaml", "--until", "2d", "--json"))
    assert (told["entries"], told["endedBy"], told["isComplete"]) == (2, {"completed": 2}, True)
    assert [one["name"] for one in told["people"]] == ["kim", "lee"]
    [run_of_lee] = told["people"][1]["runs"]
    assert [visit["stepKey"] for visit in run_of_lee["visits"]] == ["cart", "hour", "bought", "mail", "done"]
    assert run_of_lee["visits"][3]["messages"][0]["content"]["subject"] == "Still thinking, friend?"


def test_what_cannot_be_played_says_why(files: Path) -> None:
    assert "there_is_none' is neither a file nor the id of a journey" in run("there_is_none")
    assert "--rate wants something like opened=0.4" in run(files / "cart.yaml", "--rate", "opened")
    assert "rates.all.opened: `opened` is a share from 0 to 1" in run(
        files / "cart.yaml", "--rate", "opened=4"
    )
    (files / "broken.yaml").write_text("graph: {steps: [{exit: {key: a}}], edges: []}", "utf-8")
    assert "broken.yaml:1:9: A journey needs an entry" in run(files / "broken.yaml")


async def test_a_journey_of_the_database_is_played_with_its_users(sqlite_world: World, files: Path) -> None:
    world = sqlite_world
    journey_id = await world.add_journey(abandoned_cart(), title="Cart")
    await world.live(world.event("", NOON, user="kim", type="identify", name="Kim", email="kim@example.com"))
    where = ("--database", world.db.url.render_as_string().replace("+aiosqlite", ""))
    # The command has a loop of its own.
    told = await asyncio.to_thread(run, journey_id, "--sample", 5, "--json", *where)
    [person] = json.loads(told)["people"]
    assert person["attributes"] == {"name": "sample-1", "email": "person-1@rehearsal.invalid"}
    told = await asyncio.to_thread(run, files / "cart.yaml", "--sample", 5, "--json", *where)
    assert json.loads(told)["entries"] == 1
