"""Channels and connections over the API: secrets go in and never come out."""

import asyncio
from typing import Any

import pytest

from server.store.tables import Connection, Idempotency
from tests.server.schema.api import Api

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
    settings = {**made["settings"], "host": "mail2.example.com"}
    del settings["password"]
    selection = SELECTION.format("UpdateConnectionPayload")
    changed = await api.change("updateConnection", selection, id=made["id"], settings=settings, name="post")
    assert changed["connection"]["name"] == "post"
    assert changed["connection"]["settings"]["host"] == "mail2.example.com"
    assert changed["connection"]["settings"]["password"] == "set"


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


async def test_channels_tell_how_they_are_connected_and_what_they_observe(small_api: Api) -> None:
    found = await small_api.ask("{ channels { key channel title source settingsSchema observes } }")
    by_key = {one["key"]: one for one in found["channels"]}
    assert set(by_key) >= {"smtp", "fake"}
    assert by_key["smtp"]["settingsSchema"]["properties"]["password"]["format"] == "password"
    assert "DELIVERED" not in by_key["smtp"]["observes"]
