"""What stands in the files: runs, users of a message, users who passed a step."""

from collections import Counter
from typing import Any

import pytest

from server.exports import message_users, run_list, segment_users, step_users
from server.store import projects
from server.store.tables import Message, Visit
from tests.server.exports.office import Office, shopping
from tests.server.schema.api import hear
from tests.world import DAY, HOUR, MINUTE, NOON, abandoned_cart, reaching, saying

pytestmark = pytest.mark.anyio


@pytest.fixture(params=[False, True], ids=["in one page", "in many pages"])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        for kind in (run_list, message_users, step_users, segment_users):
            monkeypatch.setattr(kind, "PAGE", 2)


async def mailing(office: Office, people: int = 4) -> str:
    """A journey that sends everybody a mail at once. Returns its id."""
    world = office.world
    await world.add_connection()
    number = await world.add_journey(
        reaching(saying("email", "mail", title="환영 메일")), title="환영, 여러분"
    )
    for one in range(people):
        who = f"user-{one}"
        await world.send(world.event("", NOON, user=who, type="identify", email=f"{who}@shop.kr"))
        await world.send(world.event("sign_up", NOON + one, user=who))
    await world.settle(NOON + people)
    found = await office.api.ask("{ journeys { edges { node { id } } } }")
    assert number
    return str(found["journeys"]["edges"][0]["node"]["id"])


@pytest.mark.usefixtures("pages")
async def test_a_run_tells_who_where_and_how_it_ended(office: Office) -> None:
    graph = {"cancel_events": [{"event": "장바구니 비움"}]}
    journey = await shopping(office.world, 3, **graph)
    world = office.world
    await world.live(world.event("장바구니 비움", NOON + MINUTE, user="user-1"), until=NOON + MINUTE)
    rows = await office.table({"runs": {"journeyId": journey}}, language="KO")
    assert [row["사용자 ID"] for row in rows] == ["user-2", "user-1", "user-0"]
    inside, left, _ = rows
    about = {"HWID": "phone-2", "이메일": "user-2@shop.kr", "전화번호": "+821012345678", "버전": "1"}
    assert {**inside, **about} == inside
    assert (inside["상태"], inside["마지막 단계"], inside["종료 시각"]) == ("진행 중", "One hour", "")
    assert left["마지막 단계"] == "취소 이벤트로 이탈: 장바구니 비움"
    assert (left["상태"], left["종료 사유"], left["마지막 단계 키"]) == ("이탈", "취소 이벤트", "hour")
    assert left["진입 시각"] == "2024-03-13T20:00:00.001+09:00"
    assert left["종료 시각"] == "2024-03-13T20:01:00.000+09:00"
    found = await office.api.ask("query($id: ID!) { run(id: $id) { endReason } }", id=left["진입 ID"])
    assert found["run"] == {"endReason": "CANCEL_EVENT"}
    english = await office.table({"runs": {"journeyId": journey}})
    assert english[1]["Last step"] == "Left by cancel event: 장바구니 비움"


@pytest.mark.usefixtures("pages")
async def test_the_list_of_runs_and_the_file_take_the_same_filter(office: Office) -> None:
    journey = await shopping(office.world, 5)
    await office.world.live(office.world.event("purchase", NOON + MINUTE, user="user-3"))
    text = """query($id: ID!, $filter: RunFilter) {
        journey(id: $id) { runs(filter: $filter) { edges { node { id } } } } }"""
    for wanted in ({"state": "INSIDE"}, {"state": "ENDED"}, {"endReasons": ["GOAL"]}, {"version": 9}, None):
        listed = (await office.api.ask(text, id=journey, filter=wanted))["journey"]["runs"]["edges"]
        rows = await office.table({"runs": {"journeyId": journey, "filter": wanted}})
        assert [row["Run ID"] for row in rows] == [edge["node"]["id"] for edge in listed]


async def test_who_enters_while_the_file_is_written_is_not_in_it(
    small_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_list, "PAGE", 1)
    world, journey = small_office.world, await shopping(small_office.world, 3)
    page, came = run_list.runs.page, []

    async def meanwhile(*about: Any) -> Any:
        came.append(f"late-{len(came)}")
        await world.live(world.event("add_to_cart", NOON + HOUR, user=came[-1]), until=NOON + HOUR)
        return await page(*about)

    monkeypatch.setattr(run_list.runs, "page", meanwhile)
    rows = await small_office.table({"runs": {"journeyId": journey}})
    assert came
    assert [row["User ID"] for row in rows] == ["user-2", "user-1", "user-0"]


async def test_whoever_turned_out_to_be_somebody_else_is_told_as_that(office: Office) -> None:
    world = office.world
    journey = await shopping(world, 0)
    await world.live(world.event("add_to_cart", NOON, anonymous="phone"), until=NOON)
    await world.live(
        world.event("", NOON + 1, user="kim", anonymous="phone", type="identify"), until=NOON + 1
    )
    for _ in range(2):
        await world.settle()
    (row,) = await office.table({"runs": {"journeyId": journey}})
    assert (row["User ID"], row["HWID"]) == ("kim", "phone")


@pytest.mark.parametrize("what", ["runs", "stepUsers", "messageUsers"])
@pytest.mark.parametrize("format", ["CSV", "JSONL", "XLSX"])
async def test_a_journey_in_which_nobody_was_gives_headings_only(
    small_office: Office, what: str, format: str
) -> None:
    about: dict[str, Any] = {"journeyId": await shopping(small_office.world, 0)}
    if what != "runs":
        about["stepKey"] = "mail"
    file = await small_office.written({what: about}, format=format)
    assert {"CSV": file.count(b"\n") == 1, "JSONL": file == b"", "XLSX": file[:2] == b"PK"}[format]


@pytest.mark.usefixtures("pages")
async def test_users_of_a_message_are_told_action_by_action(office: Office) -> None:
    journey = await mailing(office)
    messages = await office.world.rows(Message, "created_at", "id")
    one, two, three, _ = [message.id for message in messages]
    await hear(office.world, one, ("accepted", NOON + 10, {}), ("delivered", NOON + 20, {}))
    click = {"url": "https://shop.kr/a,b", "actor": "human"}
    await hear(
        office.world, one, ("opened", NOON + HOUR, {"actor": "machine"}), ("clicked", NOON + 2 * HOUR, click)
    )
    await hear(
        office.world,
        two,
        ("accepted", NOON + 10, {}),
        ("bounced", NOON + 30, {"reason": "invalid_recipient"}),
    )
    await hear(office.world, three, ("refused", NOON + 10, {"reason": "content_rejected"}))
    await office.world.settle(NOON + 3 * HOUR)
    rows = await office.table({"messageUsers": {"journeyId": journey, "stepKey": "mail"}}, language="KO")
    told = [(row["사용자 ID"], row["행동"], row["행위자"], row["사유"], row["링크"]) for row in rows]
    assert told == [
        ("user-2", "발송 실패", "", "내용 거절", ""),
        ("user-1", "전송", "", "", ""),
        ("user-1", "반송", "", "잘못된 수신자", ""),
        ("user-0", "전송", "", "", ""),
        ("user-0", "전달", "", "", ""),
        ("user-0", "열람", "기계", "", ""),
        ("user-0", "클릭한 메시지", "사람", "", "https://shop.kr/a,b"),
    ]
    assert rows[-1]["시각"] == "2024-03-13T22:00:00.000+09:00"
    assert (rows[-1]["채널"], rows[-1]["수신 주소"]) == ("이메일", "user-0@shop.kr")


async def test_the_file_of_a_message_agrees_with_its_figures(office: Office) -> None:
    journey = await mailing(office, 6)
    kinds = ("accepted", "delivered", "opened", "clicked", "opened", "unsubscribed", "complained")
    for number, message in enumerate(await office.world.rows(Message, "id")):
        heard = [(kind, NOON + 1000 * (at + 1), {}) for at, kind in enumerate(kinds[: number + 1])]
        await hear(office.world, message.id, *heard)
    await office.world.settle(NOON + HOUR)
    rows = await office.table({"messageUsers": {"journeyId": journey, "stepKey": "mail"}})
    for metric, action in (("sent", "Sent"), ("delivered", "Delivered"), ("unsubscribed", "Unsubscribed")):
        assert sum(row["Action"] == action for row in rows) == await world_total(office, metric)
    by_message = Counter(row["Message ID"] for row in rows if row["Action"] == "Opened")
    assert len(by_message) == await world_total(office, "opened")
    assert sum(by_message.values()) == await office.world.total("opens") > len(by_message)


async def world_total(office: Office, metric: str) -> int:
    """Whoever did it; more than none."""
    found = (await office.world.counts(metric, "reason"))[""]
    assert found
    return int(found)


@pytest.mark.usefixtures("pages")
async def test_days_are_those_of_the_project_and_half_open(office: Office) -> None:
    """The 14th begins at 15:00 UTC in Seoul: four hours after noon in London."""
    world = office.world
    journey = await shopping(world, 0)
    midnight = NOON + 4 * HOUR
    for number, at in enumerate(
        (midnight - HOUR - 1, midnight - HOUR, midnight + DAY - HOUR - 1, midnight + DAY - HOUR)
    ):
        await world.live(world.event("add_to_cart", at, user=f"user-{number}"), until=at)
    await world.settle(midnight + 2 * DAY)
    period = {"from": "2024-03-14", "until": "2024-03-15"}
    what = {"stepUsers": {"journeyId": journey, "stepKey": "hour", "period": period}}
    rows = await office.table(what)
    assert [row["User ID"] for row in rows] == ["user-2", "user-1"]
    assert [row["Left at"] for row in rows] == [
        "2024-03-14T23:59:59.999+09:00",
        "2024-03-14T00:00:00.000+09:00",
    ]
    assert (rows[0]["Step"], rows[0]["Output"], rows[0]["End reason"]) == ("One hour", "next", "")


@pytest.mark.usefixtures("pages")
async def test_everybody_who_passed_a_step_is_told_once_for_each_passage(office: Office) -> None:
    world = office.world
    journey = await shopping(world, 5, cancel_events=[{"event": "purchase"}])
    await world.live(world.event("purchase", NOON + MINUTE, user="user-3"), until=NOON + 2 * HOUR)
    visits = Counter(visit.step_key for visit in await world.rows(Visit))
    assert visits["hour"] == 5
    for key, count in visits.items():
        rows = await office.table({"stepUsers": {"journeyId": journey, "stepKey": key}})
        assert len(rows) == len({row["Run ID"] for row in rows}) == count
    ended = await office.table({"stepUsers": {"journeyId": journey, "stepKey": "hour"}})
    assert Counter(row["End reason"] for row in ended) == {"": 4, "Cancel event": 1}


async def test_nothing_of_another_project_is_in_a_file(office: Office) -> None:
    journey = await shopping(office.world)
    async with office.world.db.write() as session:
        office.api.key = (await projects.create(session, "Other", "UTC", NOON)).secret_key
    refused = await office.api.change("startExport", what={"runs": {"journeyId": journey}})
    assert refused["__typename"] == "NotFoundProblem"


async def test_titles_with_whatever_in_them_make_files(small_office: Office) -> None:
    world = small_office.world
    graph = abandoned_cart()
    graph["steps"][1]["title"] = '=쉼표, "따옴표"\n둘째 줄'
    await world.add_journey(graph, title='a/b: "c"\n=d')
    await world.live(world.event("add_to_cart", NOON, user="=1+1"))
    found = await small_office.api.ask("{ journeys { edges { node { id } } } }")
    export = await small_office.start({"runs": {"journeyId": found["journeys"]["edges"][0]["node"]["id"]}})
    await small_office.work()
    assert (await small_office.look(export))["fileName"] == "a b c =d runs 2024-03-13.csv"
    (row,) = await small_office.table({"runs": {"journeyId": found["journeys"]["edges"][0]["node"]["id"]}})
    assert row["User ID"] == "'=1+1"
    assert row["Last step"] == '\'=쉼표, "따옴표"\n둘째 줄'


@pytest.mark.usefixtures("pages")
async def test_the_people_of_a_segment(office: Office) -> None:
    world = office.world
    tell = world.event
    for name, plan in (("kim", "vip"), ("lee", "free"), ("박", "vip"), ("choi", "vip")):
        await world.live(tell("", NOON, user=name, type="identify", plan=plan, email=f"{name}@shop.kr"))
    vip = {"attribute": {"name": "plan", "operator": "EQUALS", "value": "vip"}}
    about = "... on CreateSegmentPayload { segment { id } }"
    made = (await office.api.change("createSegment", about, name="VIP", conditions=vip))["segment"]
    rows = await office.table({"segmentUsers": {"segmentId": made["id"]}})
    assert sorted(row["User ID"] for row in rows) == ["choi", "kim", "박"]
    assert {row["E-mail"] for row in rows} == {"choi@shop.kr", "kim@shop.kr", "박@shop.kr"}
    assert '"plan":"vip"' in rows[0]["Attributes"]
    await office.api.change("deleteSegment", id=made["id"])
    refused = await office.api.change("startExport", what={"segmentUsers": {"segmentId": made["id"]}})
    assert refused["__typename"] == "NotFoundProblem"
