"""Nothing crosses from one project to another, and a key opens only what it says."""

from typing import Any

import orjson
import pytest

from server.cohorts.definition import RETENTION_7_DAYS
from server.cohorts.stored import to_data
from server.schema.ids import KINDS, to_id
from server.schema.root import SCHEMA
from server.store import (
    alimtalk_registrations,
    alimtalk_templates,
    cohort_reports,
    entry_requests,
    exports,
    notices,
    prices,
    projects,
    segments,
    sender_profiles,
    user_lists,
    vouchers,
)
from server.store.tables import (
    AlimtalkRegistration,
    CohortReport,
    EntryRequest,
    Export,
    Message,
    Notice,
    SenderProfile,
    User,
)
from tests.server.schema.api import OF_REGISTRATIONS, Api
from tests.world import DAY, HOUR, NOON, abandoned_cart

pytestmark = pytest.mark.anyio

NODE = "query($id: ID!) { node(id: $id) { __typename id } }"


def a_request(project_id: int, journey_id: int) -> EntryRequest:
    about: dict[str, Any] = {"audience": "{}", "properties": "{}", "asked": 1, "requested_at": NOON}
    return EntryRequest(project_id=project_id, journey_id=journey_id, entry_key="in", **about)


def a_registration(project_id: int, template_id: int, connection_id: int) -> AlimtalkRegistration:
    place = {"project_id": project_id, "template_id": template_id, "connection_id": connection_id}
    about: dict[str, Any] = {"inspection": "draft", "operation": "ready", "number": 1}
    return AlimtalkRegistration(**place, **about, created_at=NOON, changed_at=NOON)


def a_report(project_id: int) -> CohortReport:
    definition = orjson.dumps(to_data(RETENTION_7_DAYS)).decode()
    about = {"name": "Retention", "definition": definition, "view": "ratio"}
    return CohortReport(project_id=project_id, created_at=NOON, changed_at=NOON, **about)


def an_export(project_id: int) -> Export:
    about: dict[str, Any] = {"kind": "runs", "arguments": "{}", "format": "csv", "language": "ko"}
    times = {"created_at": NOON, "turn_at": NOON}
    return Export(project_id=project_id, state="queued", asked_by="", **about, **times)


async def lived(api: Api) -> dict[str, str]:
    """The ids of one thing of every kind."""
    world = api.world
    connection_id = await world.add_connection()
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR)
    async with world.db.write() as session:
        pool_id = await vouchers.create(session, world.project_id, "summer", 0, NOON)
        assert pool_id is not None
        await notices.tell(session, [notices.Told(world.project_id, "vouchers_low", "a", "Low.", NOON)])
        segment = await segments.create(session, world.project_id, "VIP", '{"reachable_on": "sms"}', NOON)
        user_list = await user_lists.create(session, world.project_id, "march", NOON)
        export_id = await exports.create(session, an_export(world.project_id))
        report_id = await cohort_reports.create(session, a_report(world.project_id))
        slot, later = prices.Slot("email", None, ""), NOON + 90 * DAY
        price = await prices.put(session, world.project_id, slot, (10, "KRW", 1000), later, NOON)
        request = await entry_requests.create(session, a_request(world.project_id, journey_id))
        text = alimtalk_templates.Text('{"body": "x"}', "{}", "{}")
        about = (world.project_id, "welcome", "Welcome", text, NOON)
        template = await alimtalk_templates.create(session, *about)
        row = a_registration(world.project_id, template, connection_id)
        registration = await alimtalk_registrations.add(session, row)
        await sender_profiles.put(session, world.project_id, connection_id, {"key": "PF1"}, NOON)
    [profile] = await world.rows(SenderProfile)
    [run], [message], [user] = await world.runs(), await world.rows(Message), await world.rows(User)
    [notice] = await world.rows(Notice)
    return {
        "Journey": to_id("Journey", journey_id),
        "Version": to_id("Version", journey_id, 1),
        "Run": to_id("Run", run.id),
        "User": to_id("User", user.shard, user.number),
        "Message": to_id("Message", message.shard, message.id),
        "Connection": to_id("Connection", connection_id),
        "Notice": to_id("Notice", notice.id),
        "Segment": to_id("Segment", segment.id or 0),
        "UserList": to_id("UserList", user_list.id or 0),
        "EntryRequest": to_id("EntryRequest", request),
        "VoucherPool": to_id("VoucherPool", pool_id),
        "Export": to_id("Export", export_id),
        "SavedCohortReport": to_id("SavedCohortReport", report_id),
        "AlimtalkTemplate": to_id("AlimtalkTemplate", template),
        "AlimtalkRegistration": to_id("AlimtalkRegistration", registration),
        "SenderProfile": to_id("SenderProfile", profile.id),
        "Price": to_id("Price", price.id),
    }


async def stranger(api: Api) -> str:
    """A secret key of another project."""
    async with api.world.db.write() as session:
        return (await projects.create(session, "Other", "UTC", NOON)).secret_key


def test_every_kind_of_node_is_walked_here() -> None:
    names = {one.name for one in SCHEMA._schema.get_possible_types(SCHEMA._schema.get_type("Node"))}
    assert names == set(KINDS)


async def test_every_node_is_found_by_its_id_and_only_in_its_project(api: Api) -> None:
    ids = await lived(api)
    assert set(ids) == set(KINDS)
    for kind, id in ids.items():
        assert (await api.ask(NODE, id=id))["node"] == {"__typename": kind, "id": id}
    several = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
    found = await api.ask(several, ids=list(ids.values()))
    assert [one["__typename"] for one in found["nodes"]] == list(ids)
    api.key = await stranger(api)
    for id in ids.values():
        assert (await api.ask(NODE, id=id))["node"] is None
    assert (await api.ask(several, ids=list(ids.values())))["nodes"] == [None] * len(ids)


async def test_no_query_of_another_project_finds_anything(api: Api) -> None:
    ids = await lived(api)
    api.key = await stranger(api)
    text = """query($journey: ID!, $run: ID!, $message: ID!) {
        journey(id: $journey) { id } run(id: $run) { id } message(id: $message) { id }
        byUserId: user(identity: {userId: "kim"}) { id }
        byEmail: user(identity: {email: "kim@example.com"}) { id }
        journeys { edges { node { id } } } notices { edges { node { id } } }
        frequencyCaps { channel } voucherPools { id } voucher(code: "A1") { code } }"""
    found = await api.ask(text, journey=ids["Journey"], run=ids["Run"], message=ids["Message"])
    assert found.pop("journeys") == {"edges": []}
    assert found.pop("notices") == {"edges": []}
    assert found.pop("frequencyCaps") == found.pop("voucherPools") == []
    assert set(found.values()) == {None}
    text = '{ alimtalkTemplate(key: "welcome") { id } senderProfiles { id } }'
    assert await api.ask(text) == {"alimtalkTemplate": None, "senderProfiles": []}


_BY_NO_ID = {
    *(
        "createJourney",
        "applyJourney",
        "createJourneyFromTemplate",
        "createConnection",
        "createVoucherPool",
        "setFrequencyCaps",
        "setRetention",
        "setCommerceEvents",
        "declareProperties",
        "recordCoupons",
        "setReputationGuard",
    ),
    *("createCohortReport", "setLaw", "takeReadyAlimtalks"),
    *("saveAlimtalkTemplate", "sendAlimtalk", "uploadAlimtalkImage"),
    *("createSegment", "uploadUserList", "addSuppression", "removeSuppression", "setConsent"),
}
"""What makes something new, or names it otherwise: tests/server/schema/test_permissions.py has the latter."""
MUTATIONS = sorted(set(SCHEMA._schema.mutation_type.fields) - _BY_NO_ID)


def a_change(name: str, ids: dict[str, str]) -> dict[str, Any]:
    """An input of this mutation that names things by these ids."""
    more: dict[str, Any] = {}
    if name == "saveDraft":
        more = {"graph": {"steps": [], "edges": []}, "expectedRevision": 0}
    about: dict[str, Any] = {"id": ids["Connection" if "Connection" in name else "Journey"]}
    for kind in ("Segment", "UserList", "Export"):
        if kind in name:
            about = {"id": ids[kind]}
    if name in OF_REGISTRATIONS or name == "commentOnAlimtalk":
        return {"id": ids["AlimtalkRegistration"]}
    if name in ("archiveAlimtalkTemplate", "requestAlimtalkReview"):
        return {"id": ids["AlimtalkTemplate"]}
    if name == "setSenderProfile":
        return {"id": ids["SenderProfile"], "company": "x"}
    if name in ("requestProfileToken", "registerSenderProfile", "syncAlimtalk"):
        who = {"searchId": "@shop", "phone": "01012345678"}
        about = {"connectionId": ids["Connection"], **(who if "Profile" in name else {})}
        return {**about, "token": "1"} if name == "registerSenderProfile" else about
    if "CohortReport" in name:
        about = {"id": ids["SavedCohortReport"]}
    if name == "startExport":
        about = {"what": {"runs": {"journeyId": ids["Journey"]}}}
    if name in ("chooseWinner", "reopenExperiment"):
        more = {"step": "split", **({"output": "b"} if name == "chooseWinner" else {})}
    if name == "addVoucherCodes":
        about = {"id": ids["VoucherPool"], "codes": ["A1"]}
    if name == "enterJourney":
        more = {"userIds": ["kim"]}
    if name == "rearmReputationGuard":
        about = {"journeyId": ids["Journey"], "connectionId": ids["Connection"]}
    if name == "dismissNotice":
        about = {"id": ids["Notice"]}
    if name == "reorderConnections":
        about = {"channel": "EMAIL", "ids": [ids["Connection"]]}
    if name == "setPrice":
        about = {"connectionId": ids["Connection"], "channel": "email", "amount": "1"}
    if name == "removePrice":
        about = {"id": ids["Price"]}
    if name == "sendTestMessage":
        about = {"connectionId": ids["Connection"], "to": "kim@example.com", "content": {}}
    if name == "sendTestAlimtalk":
        about = {"connectionId": ids["Connection"], "to": "+821012345678", "template": "paid"}
    if name == "testConnection":
        about = {"connectionId": ids["Connection"]}
    if name == "createUserToken":
        about = {"connectionId": ids["Connection"], "userId": "u1"}
    if name == "eraseUser":
        about = {"identity": {"userId": "kim"}}
    if name == "removeFromJourneys":
        about = {"userIds": ["kim"], "journeyIds": [ids["Journey"]]}
    if name == "createSegmentFromCohort":
        came = {"journey": {"id": ids["Journey"], "did": "ENTERED"}}
        about = {"name": "x", "report": {"entry": came}, "cell": {"baseDate": "2024-03-13"}}
    if name == "scheduleJourney":
        more = {"at": "2030-01-01T00:00:00Z"}
    return {**about, **more}


@pytest.mark.parametrize("name", MUTATIONS)
async def test_no_change_reaches_into_another_project(small_api: Api, name: str) -> None:
    ids = await lived(small_api)
    small_api.key = await stranger(small_api)
    refused = await small_api.change(name, **a_change(name, ids))
    assert refused["__typename"] == "NotFoundProblem"


@pytest.mark.parametrize("name", MUTATIONS)
async def test_what_is_no_id_is_a_problem_with_its_place(small_api: Api, name: str) -> None:
    refused = await small_api.change(name, **a_change(name, dict.fromkeys(KINDS, "x")))
    assert refused["__typename"] == "NotFoundProblem"
    assert refused["path"][0] == "input"


async def test_a_write_key_and_no_key_and_a_wrong_key_open_nothing(small_api: Api) -> None:
    for key in (small_api.world.project.write_key, "", "sj_secret_wrong"):
        response = await small_api.post("{ project { name } }", key=key)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (401, "REFUSED")


async def test_a_key_that_only_reads_changes_nothing(small_api: Api) -> None:
    async with small_api.world.db.write() as session:
        small_api.key = await projects.add_key(
            session, small_api.world.project_id, "sj_secret_", ("read",), "Reader", NOON
        )
    assert (await small_api.ask("{ project { name timeZone } }"))["project"] == {
        "name": "Shop",
        "timeZone": "Asia/Seoul",
    }
    text = 'mutation { createJourney(input: {title: "x"}) { __typename } }'
    assert (await small_api.error(text))["extensions"]["code"] == "REFUSED"
    assert (await small_api.ask("{ journeys { edges { node { id } } } }"))["journeys"]["edges"] == []
