"""Channels and connections over the API: secrets go in and never come out."""

import asyncio
from typing import Any

import pytest

from channels.reasons import Reason
from server.schema.ids import key_in, to_id
from server.store.tables import Connection, ConnectionHealth, Idempotency
from tests.server.schema.api import Api
from tests.world import HOUR, NOON, abandoned_cart

pytestmark = pytest.mark.anyio

SELECTION = "... on {} {{ connection {{ id name adapter channel settings }} }}"
SMTP = {
    "host": "mail.example.com",
    "from_address": "shop@example.com",
    "username": "shop",
    "password": "hunter2",
}


async def connect(api: Api, **more: Any) -> dict[str, Any]:
    wish = {"name": "mail", "adapter": "smtp", "settings": SMTP, **more}
    return await api.change("createConnection", SELECTION.format("CreateConnectionPayload"), **wish)


async def test_a_connection_shows_its_settings_and_hides_its_secrets(api: Api) -> None:
    made = (await connect(api))["connection"]
    assert (made["name"], made["adapter"], made["channel"]) == ("mail", "smtp", "EMAIL")
    assert (made["settings"]["host"], made["settings"]["password"]) == ("mail.example.com", "set")
    listed = (await api.ask("{ connections { id name adapter channel settings } }"))["connections"]
    assert listed == [made]
    text = "query($id: ID!) { node(id: $id) { ... on Connection { name } } }"
    assert (await api.ask(text, id=made["id"]))["node"] == {"name": "mail"}


async def test_everything_that_is_wrong_with_settings_is_told_with_its_path(api: Api) -> None:
    refused = await connect(api, settings={**SMTP, "port": 0, "host": ""})
    assert (refused["__typename"], refused["code"]) == ("SettingsProblems", "INVALID_SETTINGS")
    paths = [one["path"] for one in refused["problems"]]
    assert paths == [["input", "settings", "host"], ["input", "settings", "port"]]
    assert "hunter2" not in str(refused)


async def test_a_name_that_is_taken_and_an_adapter_that_is_not_there_are_refused(api: Api) -> None:
    await connect(api)
    taken = await connect(api)
    assert (taken["__typename"], taken["path"]) == ("NameTakenProblem", ["input", "name"])
    unknown = await connect(api, name="other", adapter="pigeon")
    assert (unknown["__typename"], unknown["path"]) == ("InputProblem", ["input", "adapter"])
    assert (await connect(api, name="other", settings=[1]))["path"] == ["input", "settings"]


async def test_new_settings_keep_a_secret_that_is_left_out(api: Api) -> None:
    made = (await connect(api))["connection"]
    # As it was shown: what stands in the place of a secret is none.
    settings = {**made["settings"], "port": 2525}
    assert (settings["password"], settings["bounce_secret"]) == ("set", "not set")
    selection = SELECTION.format("UpdateConnectionPayload")
    changed = await api.change("updateConnection", selection, id=made["id"], settings=settings, name="post")
    assert changed["connection"]["name"] == "post"
    assert changed["connection"]["settings"]["port"] == 2525
    assert changed["connection"]["settings"]["password"] == "set"
    assert changed["connection"]["settings"]["bounce_secret"] == "not set"
    del settings["password"]
    left_out = await api.change("updateConnection", selection, id=made["id"], settings=settings)
    assert left_out["connection"]["settings"]["password"] == "set"


async def test_a_secret_that_is_left_out_goes_to_no_other_host(api: Api) -> None:
    id = (await connect(api))["connection"]["id"]
    elsewhere = {**SMTP, "host": "mail.evil.example"}
    del elsewhere["password"]
    refused = await api.change("updateConnection", id=id, settings=elsewhere)
    assert [one["path"] for one in refused["problems"]] == [["input", "settings", "password"]]
    for more in ({"password": "hunter2"}, {"password": None, "username": ""}):
        changed = await api.change("updateConnection", id=id, settings={**elsewhere, **more})
        assert changed["__typename"] == "UpdateConnectionPayload"
        elsewhere["host"] = "mail3.example.com"


async def test_a_name_and_settings_changed_at_once_leave_a_secret_that_opens(api: Api) -> None:
    id = (await connect(api))["connection"]["id"]
    for turn in range(5):
        await asyncio.gather(
            api.change("updateConnection", id=id, name=f"mail {turn}"),
            api.change("updateConnection", id=id, settings={**SMTP, "password": f"secret {turn}"}),
        )
        (shown,) = (await api.ask("{ connections { settings } }"))["connections"]
        assert shown["settings"]["password"] == "set"


async def test_a_repeated_wish_makes_one_connection_and_leaves_no_secret_behind(api: Api) -> None:
    first = await connect(api, idempotencyKey="one")
    assert await connect(api, idempotencyKey="one") == first
    other = await connect(api, idempotencyKey="one", settings={**SMTP, "password": "hunter3"})
    assert other["__typename"] == "IdempotencyConflictProblem"
    [row] = await api.world.rows(Connection)
    [kept] = await api.world.rows(Idempotency)
    assert "hunter2" not in str(row) + str(kept)


async def test_channels_tell_how_they_are_connected_and_what_they_can_do(small_api: Api) -> None:
    found = await small_api.ask(
        """{ channels { key channel title source settingsSchema optionsSchema capabilities {
            observes batchSize ratePerSecond nativeIdempotency onUnknown needsTemplate inbound scheduledSend
            media addressScheme content { name maxLength required } } } }"""
    )
    by_key = {one["key"]: one for one in found["channels"]}
    assert set(by_key) >= {"smtp", "fake"}
    assert by_key["smtp"]["settingsSchema"]["properties"]["password"]["format"] == "password"
    assert by_key["fcm"]["capabilities"]["observes"] == []
    fake = by_key["fake"]["capabilities"]
    assert (fake["onUnknown"], fake["nativeIdempotency"], fake["batchSize"]) == ("RESEND_SAME_KEY", True, 1)
    assert {"name": "subject", "maxLength": None, "required": False} in fake["content"]


async def test_every_reason_says_what_follows_from_it(small_api: Api) -> None:
    found = (
        await small_api.ask(
            "{ failureReasons { reason class retry fallback suppress suppressDays page description } }"
        )
    )["failureReasons"]
    assert [one["reason"].lower() for one in found] == [reason.value for reason in Reason]
    by_reason = {one["reason"]: one for one in found}
    assert by_reason["NOT_ON_CHANNEL"]["suppressDays"] == Reason.NOT_ON_CHANNEL.policy.suppress_days
    assert by_reason["RATE_LIMITED"]["retry"] == "BACKOFF"
    assert all(one["description"] for one in found)


CARE = "isEnabled preference concurrency ratePerSecond"


async def test_how_a_connection_is_used_can_be_said_and_left_to_the_server_again(api: Api) -> None:
    wish = {"preference": 5, "isEnabled": False, "concurrency": 3, "ratePerSecond": 1.5}
    made = await api.change(
        "createConnection",
        f"... on CreateConnectionPayload {{ connection {{ id {CARE} }} }}",
        name="mail",
        adapter="smtp",
        settings=SMTP,
        **wish,
    )
    id = made["connection"].pop("id")
    assert made["connection"] == wish
    selection = f"... on UpdateConnectionPayload {{ connection {{ {CARE} }} }}"
    changed = await api.change("updateConnection", selection, id=id, isEnabled=True, concurrency=None)
    assert changed["connection"] == {**wish, "isEnabled": True, "concurrency": None}
    [row] = await api.world.rows(Connection)
    assert (row.takes, row.preference, row.rate_per_second) == ("", 5, 1.5)


@pytest.mark.parametrize(
    ("name", "value"), [("preference", -1), ("concurrency", 0), ("ratePerSecond", 0), ("ratePerSecond", 1e9)]
)
async def test_a_handling_that_cannot_be_is_refused_with_its_field(
    small_api: Api, name: str, value: float
) -> None:
    refused = await connect(small_api, **{name: value})
    assert (refused["__typename"], refused["path"]) == ("InputProblem", ["input", name])


async def test_a_connection_tells_where_its_provider_calls_and_how_it_fares(api: Api) -> None:
    id = (await connect(api))["connection"]["id"]
    await connect(api, name="other")
    text = """{ connections { callbackUrl backlog health {
        breaker openUntil failuresInARow lastSuccessAt lastError { at reason code detail } } } }"""
    first, _ = (await api.ask(text))["connections"]
    quiet = {"breaker": "CLOSED", "openUntil": None, "failuresInARow": 0}
    assert first["health"] == {**quiet, "lastSuccessAt": None, "lastError": None}
    (number,) = key_in(id, "Connection")
    assert first["callbackUrl"] == f"http://127.0.0.1:8000/hooks/{number}"
    row = ConnectionHealth(
        connection_id=number,
        breaker="open",
        failures=5,
        open_until=NOON,
        changed_at=NOON,
        failed_at=NOON,
        reason="auth_failed",
        code="535",
    )
    async with api.world.db.write() as session:
        session.add(row)
    with api.statements() as seen:
        first, other = (await api.ask(text))["connections"]
    assert (first["health"]["breaker"], first["health"]["failuresInARow"]) == ("OPEN", 5)
    error = first["health"]["lastError"]
    assert (error["reason"], error["code"], error["detail"]) == ("AUTH_FAILED", "535", None)
    assert (other["health"]["breaker"], other["backlog"]) == ("CLOSED", 0)
    assert len([one for one in seen if "connection_health" in one]) == 1


async def test_the_order_of_a_channels_connections_names_each_of_them_once(api: Api) -> None:
    one, two, three = [(await connect(api, name=name))["connection"]["id"] for name in "abc"]
    selection = "... on ReorderConnectionsPayload { connections { id preference } }"

    async def reorder(*ids: str, channel: str = "EMAIL") -> dict[str, Any]:
        return await api.change("reorderConnections", selection, channel=channel, ids=list(ids))

    found = (await reorder(three, one, two))["connections"]
    assert found == [{"id": id, "preference": n} for id, n in ((three, 10), (one, 20), (two, 30))]
    assert (await reorder(three, one))["path"] == ["input", "ids"]
    assert (await reorder(three, one, one))["__typename"] == "InputProblem"
    assert (await reorder(three, one, two, channel="SMS"))["__typename"] == "NotFoundProblem"


IN_USE = "... on ConnectionInUseProblem { journeys queuedMessages }"


@pytest.mark.parametrize("status", ["running", "paused"])
async def test_a_connection_that_a_journey_names_can_be_neither_renamed_nor_deleted(
    api: Api, status: str
) -> None:
    id = (await connect(api))["connection"]["id"]
    journey_id = await api.world.add_journey(abandoned_cart(), status=status)
    for name, more in (("deleteConnection", {}), ("updateConnection", {"name": "post"})):
        refused = await api.change(name, IN_USE, id=id, **more)
        assert refused["__typename"] == "ConnectionInUseProblem"
        assert refused["journeys"] == [to_id("Journey", journey_id)]
        assert "Journey" in refused["message"]
    same = await api.change("updateConnection", id=id, name=" mail ")
    assert same["__typename"] == "UpdateConnectionPayload"
    await api.world.set_status(journey_id, "finished")
    assert (await api.change("deleteConnection", id=id))["__typename"] == "DeleteConnectionPayload"


async def test_a_number_is_never_given_to_a_second_connection(api: Api) -> None:
    await connect(api, name="first")
    id = (await connect(api))["connection"]["id"]
    selection = "... on DeleteConnectionPayload { id }"
    gone = await api.change("deleteConnection", selection, id=id, idempotencyKey="x")
    assert gone["id"] == id
    again = await api.change("deleteConnection", selection, id=id, idempotencyKey="x")
    assert again == gone
    assert (await api.change("deleteConnection", id=id))["__typename"] == "NotFoundProblem"
    assert (await connect(api))["connection"]["id"] != id
    assert [one["name"] for one in (await api.ask("{ connections { name } }"))["connections"]] == [
        "first",
        "mail",
    ]


async def test_a_connection_with_messages_that_wait_cannot_be_deleted(api: Api) -> None:
    id = (await connect(api))["connection"]["id"]
    world = api.world
    journey_id = await world.add_journey(abandoned_cart())
    await world.live(world.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR)
    (shown,) = (await api.ask("{ connections { backlog } }"))["connections"]
    assert shown["backlog"] == 1
    await world.set_status(journey_id, "finished")
    refused = await api.change("deleteConnection", IN_USE, id=id)
    assert (refused["__typename"], refused["queuedMessages"]) == ("ConnectionInUseProblem", 1)
