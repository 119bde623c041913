"""Saved cohort reports: kept whole, changed, listed, and never broken by what goes."""

from typing import Any

import orjson
import pytest
from sqlalchemy import delete, update

from server.schema.ids import to_id
from server.store import projects
from server.store.bulk import table_of
from server.store.tables import CohortReport, Journey, Segment
from tests.server.schema.api import Api
from tests.world import NOON, abandoned_cart

pytestmark = pytest.mark.anyio

REPORT = "report { id name view definition missing createdAt changedAt }"
CREATED = f"... on CreateCohortReportPayload {{ {REPORT} }}"
UPDATED = f"... on UpdateCohortReportPayload {{ {REPORT} }}"
LIST = """query($first: Int, $after: String) { cohortReports(first: $first, after: $after) {
    edges { cursor node { name view missing } } pageInfo { hasNextPage endCursor } } }"""
PLAIN = {"preset": "RETENTION_7_DAYS", "device": "PC_WEB", "metric": "REVENUE", "denominator": "BASE_METRIC"}


async def saved(api: Api, name: str = "재방문", **input: Any) -> dict[str, Any]:
    answer = await api.change("createCohortReport", CREATED, name=name, **{"cohort": PLAIN, **input})
    assert answer["__typename"] == "CreateCohortReportPayload", answer
    return dict(answer["report"])


async def a_segment(api: Api, name: str = "VIP") -> str:
    text = "... on CreateSegmentPayload { segment { id } }"
    answer = await api.change("createSegment", text, name=name, conditions={"reachableOn": "sms"})
    return str(answer["segment"]["id"])


async def test_a_report_is_saved_changed_listed_and_taken_away(api: Api) -> None:
    report = await saved(api)
    assert (report["name"], report["view"], report["missing"]) == ("재방문", "RATIO", [])
    assert report["definition"]["unit"] == "DEVICE"
    assert report["definition"]["periods"] == {"first": 1, "last": 7}
    about = {"id": report["id"], "name": "매출", "view": "VALUE"}
    changed = (await api.change("updateCohortReport", UPDATED, **about))["report"]
    assert (changed["name"], changed["view"]) == ("매출", "VALUE")
    assert changed["definition"] == report["definition"]
    await saved(api, "가입")
    listed = (await api.ask(LIST, first=1))["cohortReports"]
    assert [one["node"]["name"] for one in listed["edges"]] == ["가입"]
    rest = (await api.ask(LIST, first=5, after=listed["pageInfo"]["endCursor"]))["cohortReports"]
    assert [one["node"]["name"] for one in rest["edges"]] == ["매출"]
    gone = await api.change("deleteCohortReport", "... on DeleteCohortReportPayload { id }", id=report["id"])
    assert gone["id"] == report["id"]
    again = await api.change("deleteCohortReport", id=report["id"])
    assert again["code"] == "NOT_FOUND"


async def test_what_is_told_of_a_report_can_be_saved_again(small_api: Api) -> None:
    journey = to_id("Journey", await small_api.world.add_journey(abandoned_cart()))
    await a_segment(small_api)
    asked = {
        "entry": {"journey": {"id": journey, "did": "OPENED", "step": "mail"}},
        "return": {"event": {"name": "purchase", "property": "city", "value": "서울"}},
        "where": [{"was": {"by": "SOURCE", "value": "search"}}, {"did": "SIGN_UP"}],
        "brackets": [{"first": 0, "last": 0}, {"first": 1, "last": 3}],
        "granularity": "WEEK",
        "weekStart": "SUNDAY",
        "baseDates": {"from": "2024-03-01", "until": "2024-03-10"},
        "segment": {"conditions": {"not": {"reachableOn": "email"}}, "asOf": "NOW"},
        "breakdown": {"by": "CAMPAIGN", "values": ["봄"], "binds": "BOTH"},
        "currency": "krw",
    }
    report = await saved(small_api, cohort=asked)
    told = report["definition"]
    assert told["currency"] == "KRW"
    assert told["segment"]["conditions"] == asked["segment"]["conditions"]  # type: ignore[index]  # of dicts
    again = await saved(small_api, "다시", cohort=told)
    assert again["definition"] == told
    named = await saved(small_api, "이름", cohort={"segment": {"name": "VIP"}})
    assert named["definition"]["segment"] == {"name": "VIP", "asOf": "ENTRY"}


async def test_a_saved_report_keeps_what_was_usual_when_it_was_saved(small_api: Api) -> None:
    await saved(small_api, cohort={})
    [row] = await small_api.world.rows(CohortReport)
    kept = orjson.loads(row.definition)
    assert kept["version"] == 1
    assert {"denominator", "week_start", "counts_from", "days"} <= kept.keys()


async def test_a_report_that_cannot_be_is_refused(small_api: Api) -> None:
    await saved(small_api)
    taken = await small_api.change("createCohortReport", CREATED, name=" 재방문 ", cohort=PLAIN)
    assert taken["__typename"] == "NameTakenProblem"
    for cohort, place in (
        ({"periods": {"first": 3, "last": 91}}, "periods"),
        ({"segment": {"name": "nobody"}}, "cohort"),
        ({"entry": {"journey": {"id": to_id("Journey", 99), "did": "OPENED"}}}, "cohort"),
    ):
        answer = await small_api.change("createCohortReport", CREATED, name="x", cohort=cohort)
        assert answer["__typename"] in ("InputProblem", "NotFoundProblem"), answer
        assert place in answer["path"]


async def test_a_report_whose_journey_and_segment_are_gone_says_so_and_opens(small_api: Api) -> None:
    world = small_api.world
    number = await world.add_journey(abandoned_cart())
    await a_segment(small_api)
    cohort = {
        "entry": {"journey": {"id": to_id("Journey", number), "did": "ENTERED"}},
        "segment": {"name": "VIP"},
    }
    report = await saved(small_api, cohort=cohort)
    journeys = table_of(Journey)
    async with world.db.write() as session:
        elsewhere = (await projects.create(session, "Other", "UTC", NOON)).project_id
        await session.run(update(journeys).where(journeys.c.id == number).values(project_id=elsewhere))
        await session.run(delete(table_of(Segment)))
    [edge] = (await small_api.ask(LIST, first=5))["cohortReports"]["edges"]
    assert len(edge["node"]["missing"]) == 2
    assert "'VIP'" in edge["node"]["missing"][1]
    renamed = await small_api.change("updateCohortReport", UPDATED, id=report["id"], name="옛것")
    assert renamed["report"]["name"] == "옛것"


async def test_a_segment_that_a_report_names_stays(small_api: Api) -> None:
    segment = await a_segment(small_api)
    report = await saved(small_api, cohort={"segment": {"name": "VIP"}})
    why = "... on NamedProblem { journeys segments cohortReports }"
    for answer in (
        await small_api.change("deleteSegment", why, id=segment),
        await small_api.change("updateSegment", why, id=segment, name="other"),
    ):
        assert answer["cohortReports"] == [report["id"]]
        assert "재방문" in answer["message"]
    await small_api.change("deleteCohortReport", id=report["id"])
    gone = await small_api.change("deleteSegment", "... on DeleteSegmentPayload { id }", id=segment)
    assert gone["id"] == segment


async def test_the_same_wish_with_the_same_key_is_done_once(small_api: Api) -> None:
    first = await saved(small_api, idempotencyKey="k")
    assert (await saved(small_api, idempotencyKey="k"))["id"] == first["id"]
    other = await small_api.change("createCohortReport", name="x", cohort={}, idempotencyKey="k")
    assert other["__typename"] == "IdempotencyConflictProblem"
