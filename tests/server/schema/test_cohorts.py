"""Cohort reports over the API: from events to cells, and to the people behind them."""

from typing import Any

import pytest

from server.cohorts import asking
from server.schema.ids import to_id
from server.segments import sets
from server.store import projects
from tests.server.schema.api import Api
from tests.world import DAY, HOUR, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio

# NOON is 2024-03-13 20:00 in Seoul.
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Mobile/15E148 Safari/604.1"
)
CELL = "period lastPeriod date numerator denominator ratio churn complete"
REPORT = """query($input: CohortInput!) { cohort(input: $input) {
  __typename
  ... on Problem { message path }
  ... on ConditionProblems { problems { message code } }
  ... on CohortReport {
    watermark leftOut
    definition { zone currency sentence korean: sentence(language: KO) data }
    everybody { ...Table }
    groups { ...Table }
  }
} }
fragment Table on CohortTable {
  value
  rows { baseDate size complete cells { numerator denominator ratio complete } }
  averages { numerator denominator ratio complete }
}"""
PEOPLE = """query(
  $input: CohortInput!, $cell: CohortCellInput!, $first: Int, $last: Int, $after: String, $before: String
) {
  cohortPeople(input: $input, cell: $cell, first: $first, last: $last, after: $after, before: $before) {
    __typename
    ... on Problem { message path }
    ... on CohortPeople {
      count
      edges { cursor node { userId } }
      pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
    }
  }
}"""


async def report(api: Api, **input: Any) -> Any:
    found = (await api.ask(REPORT, input=input))["cohort"]
    assert found["__typename"] == "CohortReport", found
    return found


async def refused(api: Api, **input: Any) -> Any:
    return (await api.ask(REPORT, input=input))["cohort"]


def numerators(table: Any) -> list[list[float | None]]:
    return [[cell["numerator"] for cell in row["cells"]] for row in table["rows"]]


def visit(world: World, who: str, at: int, agent: str = CHROME, url: str = "https://shop.example/") -> Any:
    context = {"userAgent": agent, "page": {"url": url, "path": "/"}}
    return world.event("Home", at, user=who, anonymous=f"browser of {who}", type="page", context=context)


def order(world: World, who: str, at: int, id: str, total: float, name: str = "Order Completed") -> Any:
    about = {"order_id": id, "total": total, "revenue": total, "currency": "KRW"}
    return world.event(name, at, user=who, anonymous=f"browser of {who}", **about)


async def lived(world: World) -> None:
    """Four days: kim comes on each, lee on two, park on two and buys on both, choi comes by phone."""
    first = NOON - 4 * DAY
    await world.live(
        *(visit(world, "kim", first + day * DAY) for day in range(4)),
        visit(world, "lee", first, url="https://shop.example/?utm_source=naver&utm_medium=cpc"),
        visit(world, "lee", first + 2 * DAY),
        visit(world, "park", first),
        order(world, "park", first + HOUR, "1", 10_000),
        order(world, "park", first + DAY, "2", 2_500),
        visit(world, "choi", first + DAY, agent=IPHONE),
        visit(world, "choi", first + 2 * DAY, agent=IPHONE),
        until=NOON,
    )


BASE = {"from": "2024-03-09", "until": "2024-03-11"}


async def test_a_report_from_events_to_cells(api: Api) -> None:
    await lived(api.world)
    found = await report(api, baseDates=BASE, periods={"last": 4})
    assert numerators(found["everybody"]) == [[3, 2, 2, 1, 0], [3, 2, 1, 0, None]]
    assert [row["size"] for row in found["everybody"]["rows"]] == [3, 3]
    # The last day that is shown is today: it has begun, and is not over.
    assert [cell["complete"] for cell in found["everybody"]["rows"][0]["cells"]] == [True] * 4 + [False]
    assert found["everybody"]["averages"][1] == {
        "numerator": 4,
        "denominator": 6,
        "ratio": 4 / 6,
        "complete": True,
    }
    assert found["definition"]["zone"] == "Asia/Seoul"


async def test_the_report_of_the_brief(api: Api) -> None:
    await lived(api.world)
    found = await report(api, preset="RETENTION_7_DAYS", baseDates=BASE)
    assert numerators(found["everybody"])[0][:3] == [2, 2, 1]
    phones = await report(api, preset="RETENTION_7_DAYS", baseDates=BASE, device="MOBILE_WEB")
    assert [row["size"] for row in phones["everybody"]["rows"]] == [0, 1]
    assert numerators(phones["everybody"])[1][:2] == [1, 0]
    revenue = await report(api, preset="RETENTION_7_DAYS", baseDates=BASE, metric="REVENUE")
    assert numerators(revenue["everybody"])[0][:2] == [2_500, 0]
    assert revenue["everybody"]["rows"][0]["cells"][0]["ratio"] == pytest.approx(2_500 / 3)
    assert revenue["definition"]["currency"] == "KRW"
    assert "belong to no device" in revenue["definition"]["sentence"]
    assert "기기에 속하지 않아" in revenue["definition"]["korean"]
    people = await report(api, preset="RETENTION_7_DAYS", baseDates=BASE, metric="REVENUE", unit="USER")
    assert "device" not in people["definition"]["sentence"]


async def test_what_a_cohort_did_in_its_base_period(api: Api) -> None:
    await lived(api.world)
    asked = """query($input: CohortInput!) { cohort(input: $input) { ... on CohortReport {
        everybody { rows { base { visits purchases revenue } } totals { visits purchases revenue } }
    } } }"""
    found = (await api.ask(asked, input={"baseDates": BASE}))["cohort"]["everybody"]
    assert found["rows"][0]["base"] == {"visits": 4, "purchases": 1, "revenue": "10000"}
    assert found["totals"] == {"visits": 7, "purchases": 2, "revenue": "12500"}


async def test_rows_columns_and_diagonals_are_the_same_cells(api: Api) -> None:
    await lived(api.world)
    asked = f"""query($input: CohortInput!) {{ cohort(input: $input) {{ ... on CohortReport {{ everybody {{
        columns {{ period average {{ numerator }} cells {{ baseDate {CELL} }} }}
        diagonals {{ date cells {{ baseDate period numerator }} }}
    }} }} }} }}"""
    input = {"baseDates": BASE, "periods": {"last": 2}, "mode": "ON_OR_AFTER"}
    found = (await api.ask(asked, input=input))["cohort"]["everybody"]
    assert [cell["numerator"] for cell in found["columns"][1]["cells"]] == [3, 2]
    # Two of three were seen on the day after or later: one of three was not.
    assert found["columns"][1]["cells"][1]["churn"] == pytest.approx(1 / 3)
    assert [(one["date"], len(one["cells"])) for one in found["diagonals"]] == [
        ("2024-03-09", 1),
        ("2024-03-10", 2),
        ("2024-03-11", 2),
        ("2024-03-12", 1),
    ]


async def test_a_breakdown_beside_everybody(api: Api) -> None:
    await lived(api.world)
    about = {"baseDates": BASE, "periods": {"last": 2}}
    found = await report(api, **about, breakdown={"by": "DEVICE"})
    assert [table["value"] for table in found["groups"]] == ["pc_web", "mobile_web"]
    assert numerators(found["groups"][1]) == [[0, 0, 0], [1, 1, 0]]
    few = await report(api, **about, breakdown={"by": "DEVICE", "most": 1})
    assert ([table["value"] for table in few["groups"]], few["leftOut"]) == (["pc_web"], 1)


async def test_only_people_of_a_segment(api: Api) -> None:
    await lived(api.world)
    await api.world.live(api.world.event("", NOON, user="kim", type="identify", plan="vip"))
    vip = {"attribute": {"name": "plan", "operator": "EQUALS", "value": "vip"}}
    found = await report(api, baseDates=BASE, periods={"last": 1}, segment={"conditions": vip})
    assert numerators(found["everybody"]) == [[1, 1], [1, 1]]
    devices = await report(
        api, baseDates=BASE, periods={"last": 1}, segment={"conditions": vip}, unit="DEVICE"
    )
    assert numerators(devices["everybody"]) == [[1, 1], [1, 1]]


async def test_nothing_leaks_from_the_future(api: Api) -> None:
    """park bought on the 9th and again on the 10th; on the 9th nobody had bought twice."""
    await lived(api.world)
    twice = {"conditions": {"did": {"event": "Order Completed", "atLeast": 2}}}
    about = {"baseDates": {"from": "2024-03-09", "until": "2024-03-10"}, "periods": {"last": 0}}
    assert numerators((await report(api, **about, segment=twice))["everybody"]) == [[0]]
    now = {**twice, "asOf": "NOW"}
    assert numerators((await report(api, **about, segment=now))["everybody"]) == [[1]]


async def test_the_base_date_is_the_last_day_that_a_segment_looks_at(api: Api) -> None:
    """At its very end: what happens at the next midnight is not seen, and "today" is the base date."""
    await lived(api.world)
    midnight = NOON - 4 * DAY + 4 * HOUR
    await api.world.live(order(api.world, "kim", midnight, "3", 100))
    about = {"baseDates": BASE, "periods": {"last": 0}}
    ever = {"conditions": {"did": {"event": "Order Completed"}}}
    found = await report(api, **about, segment=ever)
    assert [row["size"] for row in found["everybody"]["rows"]] == [1, 2]
    today = {"conditions": {"did": {"event": "Order Completed", "window": {"lastDays": 1}}}}
    found = await report(api, **about, segment=today)
    assert [row["size"] for row in found["everybody"]["rows"]] == [1, 2]


async def test_a_segment_of_what_was_done_is_asked_as_of_so_many_dates_and_no_more(
    small_api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell asks as of its own base date alone, however many the report has."""
    await lived(small_api.world)
    about = {"baseDates": {"last": 61}, "periods": {"last": 1}}
    bought = {"conditions": {"did": {"event": "Order Completed"}}}
    assert "60 are allowed" in (await refused(small_api, **about, segment=bought))["message"]
    rolling = {**about, "alignment": "ROLLING", "baseDates": {"last": 100}}
    assert "60 are allowed" in (await refused(small_api, **rolling, segment=bought))["message"]
    await report(small_api, **about, segment={**bought, "asOf": "NOW"})
    asked_of = []

    async def members(*about: Any) -> Any:
        asked_of.append(about[-1])
        return await sets.members(*about)

    monkeypatch.setattr(asking, "members", members)
    cell = {"baseDate": "2024-03-09", "period": 1}
    variables = {"input": {**about, "segment": bought}, "cell": cell}
    found = (await small_api.ask(PEOPLE, **variables))["cohortPeople"]
    assert [edge["node"]["userId"] for edge in found["edges"]] == ["park"]
    assert len(asked_of) == 1


async def test_a_saved_segment_and_one_that_is_not_there(api: Api) -> None:
    await lived(api.world)
    bought = {"did": {"event": "Order Completed"}}
    await api.change("createSegment", name="Buyers", conditions=bought)
    found = await report(api, baseDates=BASE, periods={"last": 1}, segment={"name": "Buyers"})
    assert [row["size"] for row in found["everybody"]["rows"]] == [1, 1]
    assert "“Buyers”" in found["definition"]["sentence"]
    assert "“Buyers”" in found["definition"]["korean"]
    problem = await refused(api, segment={"name": "Nobody"})
    assert (problem["message"], problem["path"]) == (
        "There is no segment 'Nobody'.",
        ["input", "segment", "name"],
    )
    problem = await refused(api, segment={"conditions": {"inList": "none"}})
    assert problem["problems"][0]["code"] == "UNKNOWN_LIST"


async def test_people_who_opened_a_message(api: Api) -> None:
    world = api.world
    await world.add_connection()
    journey_id = await world.add_journey(reaching(saying("email", connection="mail")))
    await lived(world)
    for who in ("kim", "lee"):
        await world.live(world.event("", NOON, user=who, type="identify", email=f"{who}@example.com"))
        await world.live(world.event("sign_up", NOON + HOUR, user=who))
    entered = {"journey": {"id": to_id("Journey", journey_id), "did": "ENTERED"}}
    base = {"baseDates": {"from": "2024-03-13", "until": "2024-03-14"}, "periods": {"last": 1}}
    found = await report(api, entry=entered, **{"return": {"did": "VISIT"}}, **base)
    assert [row["size"] for row in found["everybody"]["rows"]] == [2]
    assert "journey “Journey”" in found["definition"]["sentence"]
    problem = await refused(api, entry=entered, unit="DEVICE")
    assert "Journeys know users, not devices" in problem["message"]
    assert problem["path"] == ["input", "entry"]
    other = {"journey": {"id": to_id("Journey", 999), "did": "OPENED"}}
    assert (await refused(api, entry=other))["path"] == ["input", "entry", "journey", "id"]


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"periods": {"first": 3, "last": 2}}, ["periods"]),
        ({"periods": {"last": 91}}, ["periods"]),
        ({"mode": "BRACKETS"}, ["brackets"]),
        ({"brackets": [{"first": 2, "last": 1}]}, ["brackets"]),
        ({"metric": "REVENUE", "mode": "STREAK"}, ["mode"]),
        ({"metric": "REVENUE", "return": {"did": "VISIT"}}, ["return"]),
        ({"entry": {"did": "REVISIT"}, "occurrence": "FIRST_EVER"}, ["occurrence"]),
        ({"baseDates": {"from": "2024-03-01"}}, ["baseDates"]),
        ({"baseDates": {"last": 3, "until": "2024-03-01"}}, ["baseDates"]),
        ({"baseDates": {"from": "2023-01-01", "until": "2023-02-01"}}, []),
        ({"baseDates": {"last": 400}, "periods": {"last": 30}}, []),
        ({"currency": "WON!"}, ["currency"]),
        ({"countsFrom": 2}, ["countsFrom"]),
        ({"segment": {}}, ["segment"]),
        ({"entry": {"event": {"name": "read", "property": "category"}}}, ["entry", "event"]),
        ({"entry": {"journey": {"id": "nothing", "did": "ENTERED"}}}, ["entry", "journey", "id"]),
        ({"breakdown": {"by": "SOURCE", "most": 0}}, ["breakdown"]),
    ],
)
async def test_what_cannot_be_is_told(small_api: Api, input: Any, path: list[str]) -> None:
    problem = await refused(small_api, **input)
    assert problem["path"] == ["input", *path]
    assert problem["message"]


async def test_a_report_of_a_project_in_which_nothing_happened(small_api: Api) -> None:
    found = await report(small_api)
    rows = found["everybody"]["rows"]
    assert len(rows) == 30
    assert all(row["size"] == 0 and row["cells"][0]["ratio"] is None for row in rows)
    assert found["definition"]["currency"] is None
    assert found["everybody"]["averages"][0] == {
        "numerator": None,
        "denominator": None,
        "ratio": None,
        "complete": False,
    }


async def test_the_people_behind_a_cell(api: Api) -> None:
    await lived(api.world)
    input = {"baseDates": BASE, "periods": {"last": 3}}

    async def behind(**more: Any) -> Any:
        page = {name: more.pop(name) for name in ("first", "last", "after", "before") if name in more}
        return (await api.ask(PEOPLE, input=input, cell={"baseDate": "2024-03-09", **more}, **page))[
            "cohortPeople"
        ]

    def names(found: Any) -> set[str]:
        return {edge["node"]["userId"] for edge in found["edges"]}

    assert names(await behind(period=2)) == {"kim", "lee"}
    assert names(await behind(period=2, side="LOST")) == {"park"}
    every = await behind(side="COHORT")
    assert (names(every), every["count"]) == ({"kim", "lee", "park"}, 3)
    page = await behind(side="COHORT", first=2)
    assert (len(page["edges"]), page["pageInfo"]["hasNextPage"]) == (2, True)
    rest = await behind(side="COHORT", first=2, after=page["pageInfo"]["endCursor"])
    assert (names(page) | names(rest), rest["pageInfo"]["hasNextPage"]) == ({"kim", "lee", "park"}, False)
    back = await behind(side="COHORT", last=2, before=rest["pageInfo"]["startCursor"])
    assert names(back) == names(page)
    assert (await behind(period=9))["path"] == ["cell", "period"]
    assert (await behind(period=3, value="x"))["path"] == ["cell", "value"]


async def test_a_segment_of_the_people_behind_a_cell(api: Api) -> None:
    await lived(api.world)
    about = {
        "name": "Came back",
        "report": {"baseDates": BASE, "unit": "DEVICE"},
        "cell": {"baseDate": "2024-03-09", "period": 2},
        "idempotencyKey": "once",
    }
    selection = "... on CreateSegmentFromCohortPayload { people segment { id name } userList { id } }"
    made = await api.change("createSegmentFromCohort", selection, **about)
    assert (made["people"], made["segment"]["name"]) == (2, "Came back")
    assert await api.change("createSegmentFromCohort", selection, **about) == made
    await api.world.settle()
    listed = 'segmentPreview(conditions: {inList: "Came back"})'
    asked = f"{{ {listed} {{ ... on SegmentPreview {{ sample {{ userId }} }} }} }}"
    found = (await api.ask(asked))["segmentPreview"]["sample"]
    assert {one["userId"] for one in found} == {"kim", "lee"}
    taken = await api.change("createSegmentFromCohort", **{**about, "idempotencyKey": "twice"})
    assert taken["__typename"] == "NameTakenProblem"


async def test_whoever_was_erased_is_counted_and_not_listed(api: Api) -> None:
    await lived(api.world)
    await api.change("eraseUser", identity={"userId": "lee"})
    await api.world.settle()
    input = {"baseDates": BASE, "periods": {"last": 1}}
    assert [row["size"] for row in (await report(api, **input))["everybody"]["rows"]] == [3, 3]
    cell = {"baseDate": "2024-03-09", "side": "COHORT"}
    found = (await api.ask(PEOPLE, input=input, cell=cell))["cohortPeople"]
    assert {edge["node"]["userId"] for edge in found["edges"]} == {"kim", "park"}


async def test_how_many_statements_a_report_takes_depends_on_nothing_but_its_shape(small_api: Api) -> None:
    await lived(small_api.world)
    counts = []
    for days in (2, 30):
        with small_api.statements() as seen:
            await report(small_api, baseDates={"last": days}, periods={"last": 7})
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_another_project_sees_nothing_of_it(api: Api) -> None:
    await lived(api.world)
    async with api.world.db.write() as session:
        other = await projects.create(session, "Other", "Asia/Seoul", NOON)
    answer = (await api.post(REPORT, key=other.secret_key, input={"baseDates": BASE})).json()
    assert [row["size"] for row in answer["data"]["cohort"]["everybody"]["rows"]] == [0, 0]
