"""The sample: made by the whole product, the same from the same seed, and clean."""

from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from rich.console import Console

from server.aggregates import recount
from server.app import Showcase, create_app
from server.clock import DAY, WallClock
from server.config import PARTS, Settings
from server.demo import alimtalk
from server.demo.api import Api, api_of
from server.demo.fill import Filled, fill
from server.demo.journeys import CART
from server.demo.run import Options, run
from server.demo.shop import Shop
from server.demo.show import showcase
from server.demo.win_back import WIN_BACK
from server.doctor import examine
from server.errors import CannotOpen
from server.runtime import Runtime, open_runtime
from server.store import projects
from server.store.database import Database

UNTIL = 1_795_340_000_000
SMALL = Shop(UNTIL, days=5, people=110, seed=9)

FIGURES = """
query ($after: String) {
  journeys(first: 8, after: $after, orderBy: {by: CREATED_AT, direction: ASCENDING}) {
    pageInfo { hasNextPage endCursor }
    edges {
      node {
        title
        status
        draft { problems { path message } }
        stats {
          audience { entries users insideNow ended endedBy { reason count } }
          performance { reached { total users } revenue { amount } }
          steps { step { key } arrivals { total users } waitingNow }
          communications {
            metrics { metric total unique users human machine }
            issues { family reason share { count } }
          }
        }
      }
    }
  }
}"""


def settings(folder: Path, name: str = "demo.db") -> Settings:
    return Settings(database_url=f"sqlite:///{folder / name}", discover_plugins=False)


async def figures(chosen: Settings, filled: Filled) -> list[dict[str, Any]]:
    async with (
        open_runtime(chosen, parts=(), follow_events=True) as runtime,
        api_of(runtime, filled.keys) as api,
    ):
        found: list[dict[str, Any]] = []
        after = None
        while True:
            page = (await api.ask(FIGURES, after=after))["journeys"]
            found += [edge["node"] for edge in page["edges"]]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


def test_the_same_seed_and_the_same_end_give_the_same_life() -> None:
    assert SMALL.life() == SMALL.life()
    assert SMALL.life() != replace(SMALL, seed=10).life()


def test_nothing_happens_outside_the_days_of_the_sample() -> None:
    life = SMALL.life()
    assert life
    assert all(SMALL.since - DAY < one.at < UNTIL for one in life)
    assert [one.at for one in life] == sorted(one.at for one in life)
    assert len({one.message["messageId"] for one in life}) == len(life)


def test_people_have_addresses_that_nobody_can_have() -> None:
    addresses = [person.traits["email"] for person in Shop(UNTIL).persons() if "email" in person.traits]
    assert len(set(addresses)) == len(addresses) > 1000
    assert {address.partition("@")[2] for address in addresses} == {
        "example.com",
        "example.net",
        "example.org",
    }


@pytest.mark.anyio
async def test_the_same_sample_has_the_same_figures_and_all_of_it_is_clean(tmp_path: Path) -> None:
    first, second = settings(tmp_path), settings(tmp_path, "again.db")
    filled, again = await fill(first, SMALL), await fill(second, SMALL)
    found = await figures(first, filled)
    assert found == await figures(second, again)
    assert (filled.events, filled.mails) == (again.events, again.mails)
    assert filled.mails > 0
    assert {journey["status"] for journey in found} == {"RUNNING", "PAUSED", "ARCHIVED", "DRAFT"}
    # One is half drawn, and one came ready from the library.
    drafts = [journey["draft"] for journey in found if journey["status"] == "DRAFT"]
    assert [bool(draft["problems"]) for draft in drafts] == [True, False]
    assert all(journey["stats"]["audience"]["entries"] for journey in found if journey["status"] != "DRAFT")
    db = Database(first.database_url)
    async with db.read() as session:
        assert await recount.differences(session) == []
    assert [finding for finding in await examine(db, UNTIL) if finding.wrong] == []
    await db.close()


@pytest.mark.anyio
async def test_what_journeys_can_do_happens_in_the_sample(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    found = {one["title"]: one["stats"] for one in await figures(chosen, await fill(chosen, SMALL))}
    cart = {one["step"]["key"]: one["arrivals"]["total"] for one in found[CART]["steps"]}
    assert all(cart[key] for key in ("remind", "day", "again"))
    assert "CANCEL_EVENT" in {one["reason"] for one in found[CART]["audience"]["endedBy"]}
    assert found[WIN_BACK]["audience"]["users"] == found[WIN_BACK]["audience"]["entries"] > 0


@pytest.mark.anyio
async def test_every_ready_question_has_an_answer(tmp_path: Path) -> None:
    chosen = settings(tmp_path)
    filled = await fill(chosen, SMALL)
    async with open_runtime(chosen, parts=()) as runtime, api_of(runtime, filled.keys) as api:
        shown = await showcase(api)
        assert shown.write_key == filled.keys.write_key
        assert filled.keys.secret_key in (shown.graphiql_headers or "")
        assert len(shown.examples) == 21
        asked = [one for one in shown.examples if not one.query.startswith("subscription")]
        assert len(asked) == 20
        for example in asked:
            await _answers(api, example.query, example.variables)
        await _pages_say_that_it_is_a_sample(runtime, shown)


async def _answers(api: Api, query: str, variables: str) -> None:
    found = await api.ask(query, **orjson.loads(variables))
    if "connections" in found:
        assert {one["channel"] for one in found["connections"]} >= {
            "EMAIL",
            "PUSH",
            "SMS",
            "WHATSAPP",
            "KAKAO",
        }
    if "simulate" in found:
        assert (found["simulate"]["isComplete"], found["simulate"]["people"]) == (True, 100)
        assert found["simulate"]["stats"]["performance"][0]["reached"]["total"]
    if "explainEntry" in found:
        assert found["explainEntry"]["facts"]
    if "cohort" in found:
        _is_a_picture(found["cohort"])
    if "segmentPreview" in found:
        assert 0 < found["segmentPreview"]["count"] < found["segmentPreview"]["of"]
        assert len(found["cohortReports"]["edges"]) == 3
    _is_alimtalk(found)
    if "journey" not in found or "alimtalkCampaigns" in found:
        return
    journey = found["journey"]
    assert any(title in journey["title"] for title in ("Abandoned cart", "Welcome", "every channel"))
    if "Welcome" in journey["title"]:
        _compares(journey["stats"])
    paths = journey.get("userPaths")
    assert paths is None or paths["runs"]


def _is_alimtalk(found: dict[str, Any]) -> None:
    """Approved after an answer to the reviewer, written out for a person, counted and paid for."""
    if "alimtalkTemplates" in found:
        nodes = {edge["node"]["key"]: edge["node"] for edge in found["alimtalkTemplates"]["edges"]}
        assert all(node["isSendable"] for node in nodes.values())
        (pickup,) = nodes[alimtalk.PICKUP]["registrations"]
        kinds = [one["kind"] for one in pickup["comments"]]
        assert kinds == ["REJECTION", "QUESTION", "APPROVAL"]
    if "previewAlimtalk" in found:
        preview = found["previewAlimtalk"]
        assert (preview["unfilled"], preview["problems"]) == ([], [])
        assert "24,900" in preview["svg"]
    if "estimateAlimtalk" in found:
        estimate = found["estimateAlimtalk"]
        assert estimate["audience"] == estimate["recipients"] + sum(
            one["count"] for one in estimate["leftOut"]
        )
        assert estimate["price"] == {"amount": "8", "currency": "KRW"}
    if "alimtalkCampaigns" in found:
        assert len(found["alimtalkCampaigns"]["edges"]) == 2
        (kakao,) = (one for one in found["journey"]["stats"]["communications"] if one["channel"] == "KAKAO")
        assert kakao["delivered"]["total"]
    if "costs" in found:
        assert {line["kind"] for line in found["costs"]["lines"]} >= {"alimtalk", "sms"}


def _is_a_picture(report: dict[str, Any]) -> None:
    """Newcomers on most days, some of whom come back, by several ways of coming."""
    rows = report["everybody"]["rows"]
    assert sum(row["size"] for row in rows) > 10
    assert any(cell["numerator"] for row in rows for cell in row["cells"])
    assert len(report["groups"]) == 3
    assert "Asia/Seoul" in report["definition"]["sentence"]


def _compares(stats: dict[str, Any]) -> None:
    """Every branch has people, and the control is what the others are compared with."""
    (variants,) = (one["variants"] for one in stats["steps"] if one["variants"])
    assert [one["isControl"] for one in variants] == [True, False, False]
    assert all(one["runs"]["users"] for one in variants)
    assert all(one["goals"][0]["evidence"]["lift"] is not None for one in variants[1:])
    assert stats["holdout"]["percent"] == 10


async def _pages_say_that_it_is_a_sample(runtime: Runtime, shown: Showcase) -> None:
    transport = httpx.ASGITransport(create_app(runtime, PARTS, shown))
    async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as browser:
        landing = (await browser.get("/")).text
        graphiql = (await browser.get("/graphql", headers={"Accept": "text/html"})).text
    assert "This is sample data." in landing
    assert shown.write_key
    assert shown.write_key in landing
    assert "Sample data." in graphiql


@pytest.mark.anyio
async def test_the_demo_begins_anew_and_leaves_other_files_alone(tmp_path: Path) -> None:
    options = Options(tmp_path / "here" / "demo.db", serve=False, people=20, days=2)
    chosen = Settings(discover_plugins=False)
    told = Console(record=True, file=StringIO())
    await run(options, chosen, told)
    await run(options, chosen, told)
    await run(replace(options, keep=True), chosen, told)
    assert "All of it is sample data" in told.export_text()

    mine = settings(tmp_path, "mine.db")
    async with open_runtime(mine, parts=()) as runtime, runtime.db.write() as session:
        await projects.create(session, "Mine", "UTC", WallClock().now())
    with pytest.raises(CannotOpen, match="something else than a sample"):
        await run(replace(options, path=tmp_path / "mine.db"), chosen, told)
    async with open_runtime(mine, parts=()) as runtime, runtime.db.read() as session:
        assert await projects.choose(session, None) == 1


@pytest.mark.anyio
async def test_the_demo_does_not_run_in_production(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="SOJOURN_PRODUCTION"):
        await run(Options(tmp_path / "demo.db"), Settings(production=True), Console(quiet=True))
