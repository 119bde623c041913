"""Caps and vouchers over the API: set, filled, shown, and checked when a journey is published."""

from typing import Any

import pytest

from server.schema.ids import to_id
from server.store import vouchers
from server.store.tables import Message
from server.store.vouchers import Taken
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, reaching, saying

pytestmark = pytest.mark.anyio

CAPS = "... on SetFrequencyCapsPayload { caps { channel most windowSeconds } }"
POOL = "id name total left used lowWater"
JOURNEY = "... on CreateJourneyPayload { journey { id } }"
MADE = f"... on CreateVoucherPoolPayload {{ pool {{ {POOL} }} }}"
ADDED = f"""... on AddVoucherCodesPayload {{
    added refused {{ line code message }} pool {{ {POOL} }} }}"""


async def made(api: Api, name: str = "summer", **more: Any) -> dict[str, Any]:
    return dict((await api.change("createVoucherPool", MADE, name=name, **more))["pool"])


def graph(text: str, **more: Any) -> dict[str, Any]:
    mail = {"key": "mail", "subject": "Hello", "text": text, "connection": "mail", **more}
    steps = [{"entryEvent": {"key": "in", "event": "buy"}}, {"email": mail}, {"exit": {"key": "out"}}]
    pairs = [("in", "mail"), ("mail", "out")]
    return {"steps": steps, "edges": [{"from": one, "to": two} for one, two in pairs]}


async def problems(api: Api, drawn: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What keeps this from being published: where, its code, and what is said."""
    made = await api.change("createJourney", JOURNEY, title="J", graph=drawn)
    answer = await api.change("publishJourney", id=made["journey"]["id"])
    return [(".".join(one["path"]), one["code"], one["message"]) for one in answer.get("problems", ())]


async def test_caps_are_set_all_at_once_and_shown_by_channel(api: Api) -> None:
    day, week = {"channel": "email", "most": 1, "windowSeconds": 86400}, {"channel": "EMAIL", "most": 3}
    wanted = [{**week, "windowSeconds": 604800}, day, {"channel": "sms", "most": 2, "windowSeconds": 3600}]
    answer = await api.change("setFrequencyCaps", CAPS, caps=wanted)
    assert [(one["channel"], one["most"]) for one in answer["caps"]] == [
        ("email", 1),
        ("email", 3),
        ("sms", 2),
    ]
    await api.change("setFrequencyCaps", CAPS, caps=[day])
    assert (await api.ask("{ frequencyCaps { channel most windowSeconds } }"))["frequencyCaps"] == [day]


@pytest.mark.parametrize(
    ("caps", "path"),
    [
        ([{"channel": "no channel", "most": 1, "windowSeconds": 3600}], ["input", "caps", "0", "channel"]),
        ([{"channel": "sms", "most": 0, "windowSeconds": 3600}], ["input", "caps", "0", "most"]),
        ([{"channel": "sms", "most": 1, "windowSeconds": 2592001}], ["input", "caps", "0", "windowSeconds"]),
        ([{"channel": "sms", "most": most, "windowSeconds": 60} for most in (1, 2)], ["input", "caps", "1"]),
        ([{"channel": "sms", "most": 1, "windowSeconds": 60 + n} for n in range(51)], ["input", "caps"]),
    ],
)
async def test_caps_that_cannot_be_are_refused(small_api: Api, caps: Any, path: list[str]) -> None:
    answer = await small_api.change("setFrequencyCaps", caps=caps)
    assert (answer["__typename"], answer["path"]) == ("InputProblem", path)


async def test_a_pool_is_made_and_filled_and_every_code_that_is_not_taken_is_named(api: Api) -> None:
    pool = await made(api, lowWater=5)
    assert pool == {"id": pool["id"], "name": "summer", "total": 0, "left": 0, "used": 0, "lowWater": 5}
    codes = ["A1", " B2 ", "A1", "", "쿠폰-1", "x" * 201, "C\u202e3"]
    answer = await api.change("addVoucherCodes", ADDED, id=pool["id"], codes=codes)
    assert (answer["added"], answer["pool"]["left"], answer["pool"]["total"]) == (3, 3, 3)
    refused = [(one["line"], one["message"]) for one in answer["refused"]]
    assert refused == [
        (3, "it is in line 1 already"),
        (4, "there is no code"),
        (6, "a code has at most 200 characters"),
        (7, "it holds characters that cannot be seen"),
    ]
    again = await api.change("addVoucherCodes", ADDED, id=pool["id"], codes=["B2", "D4"])
    assert [(one["code"], one["message"]) for one in again["refused"]] == [("B2", "this pool has it already")]
    assert (again["added"], again["pool"]["total"]) == (1, 4)


async def test_codes_come_as_csv_too(small_api: Api) -> None:
    pool = await made(small_api)
    text = 'name,code\r\nfirst,A1\r\n"second",B2\r\n,\r\nthird\r\n'
    answer = await small_api.change("addVoucherCodes", ADDED, id=pool["id"], csv=text)
    assert (answer["added"], [one["line"] for one in answer["refused"]]) == (2, [5])
    plain = await small_api.change("addVoucherCodes", ADDED, id=pool["id"], csv="C3\nD4\n")
    assert (plain["added"], plain["refused"]) == (2, [])
    for wrong in ({}, {"codes": ["E5"], "csv": "E5"}, {"codes": ["E"] * 5001}):
        assert (await small_api.change("addVoucherCodes", id=pool["id"], **wrong))[
            "__typename"
        ] == "InputProblem"


async def test_a_repeated_request_adds_nothing_and_answers_the_same(small_api: Api) -> None:
    pool = await made(small_api)
    about = {"id": pool["id"], "codes": ["A1", "A1"], "idempotencyKey": "k"}
    first, second = [await small_api.change("addVoucherCodes", ADDED, **about) for _ in range(2)]
    assert first == second
    assert first["added"] == 1


async def test_names_are_used_once_and_have_to_be_names(small_api: Api) -> None:
    await made(small_api)
    assert (await small_api.change("createVoucherPool", name=" summer "))["__typename"] == "NameTakenProblem"
    for wrong in ({"name": " "}, {"name": "x" * 101}, {"name": "x", "lowWater": -1}):
        assert (await small_api.change("createVoucherPool", **wrong))["__typename"] == "InputProblem"


async def test_it_can_be_seen_who_has_a_code(api: Api) -> None:
    world = api.world
    await world.add_connection()
    await world.add_journey(reaching(saying("email", connection="mail")))
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("sign_up", NOON, user="kim"))
    [message] = await world.rows(Message)
    pool = await made(api)
    await api.change("addVoucherCodes", id=pool["id"], codes=["A1", "B2"])
    async with world.db.write() as session:
        taken = Taken(world.project_id, "A1", message.shard, message.id)
        await vouchers.take(session, [taken], NOON + HOUR)
        await vouchers.carry(session, message.shard, [(message.id, "A1")])
    text = """query($code: String!) {
        voucher(code: $code) { code takenAt pool { name left used } message { id voucherCode } } }"""
    found = (await api.ask(text, code="A1"))["voucher"]
    assert found["message"] == {"id": to_id("Message", message.shard, message.id), "voucherCode": "A1"}
    assert found["pool"] == {"name": "summer", "left": 1, "used": 1}
    free = (await api.ask(text, code="B2"))["voucher"]
    assert (free["takenAt"], free["message"]) == (None, None)
    assert (await api.ask(text, code="C3"))["voucher"] is None


async def test_pools_take_the_same_statements_however_many_there_are(small_api: Api) -> None:
    counts = []
    for names in (["a"], ["b", "c", "d"]):
        for name in names:
            await made(small_api, name)
        with small_api.statements() as seen:
            await small_api.ask("{ voucherPools { name left used } }")
        counts.append(len(seen))
    assert counts[0] == counts[1]


async def test_a_step_says_how_it_sends_and_is_shown_so(small_api: Api) -> None:
    rules = {
        "sendTo": "LAST_ACTIVE",
        "frequencyCap": {"rule": "OWN", "most": 2, "windowSeconds": 3600},
        "voucher": {"pool": "summer", "rememberAs": "code"},
    }
    made = await small_api.change(
        "createJourney",
        """... on CreateJourneyPayload { journey { draft { steps { ... on SendingStep {
            sendTo frequencyCap { rule most windowSeconds } voucher { pool rememberAs } } } } } }""",
        title="J",
        graph=graph("{{ voucher.code }}", **rules),
    )
    steps = made["journey"]["draft"]["steps"]
    assert next(one for one in steps if one) == rules


async def test_publishing_tells_of_pools_and_messages_that_are_not_there(small_api: Api) -> None:
    await small_api.world.add_connection("mail")
    await made(small_api)
    fine = graph("{{ voucher.code }} {{ messages.mail.status }}", voucher={"pool": "summer"})
    assert await problems(small_api, fine) == []
    [(path, code, said)] = await problems(small_api, graph("Hello", voucher={"pool": "winter"}))
    assert (path, code) == ("input.graph.steps.1.email.voucher.pool", "UNKNOWN_POOL")
    assert "there are: summer" in said
    for text in ("{{ voucher.code }}", "{% if voucher %}x{% endif %}", '{{ messages["gone"].status }}'):
        [(path, code, _)] = await problems(small_api, graph(text))
        assert (path, code) == ("input.graph.steps.1.email.text", "TEMPLATE")
    assert await problems(small_api, graph("Your voucher, dear {{ user.name }}")) == []


@pytest.mark.parametrize(
    ("cap", "path"),
    [
        ({"rule": "OWN"}, "most"),
        ({"rule": "OWN", "most": 1001, "windowSeconds": 60}, "most"),
        ({"rule": "OWN", "most": 1, "windowSeconds": 59}, "windowSeconds"),
        ({"rule": "OBEY", "most": 1}, "most"),
    ],
)
async def test_a_limit_of_a_step_that_cannot_be_is_refused(
    small_api: Api, cap: dict[str, Any], path: str
) -> None:
    await small_api.world.add_connection("mail")
    found = await problems(small_api, graph("Hello", frequencyCap=cap))
    assert f"input.graph.steps.1.email.frequencyCap.{path}" in [one[0] for one in found]
