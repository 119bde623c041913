"""Connections tried over the API: probed without a trace, and one message straight to the provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels import Host, Message, Outcome
from channels.contract import Problem, Tools, Unknown
from channels.reasons import Reason
from channels.testing.fake import FakeChannel, FakeSender
from channels.testing.fates import FakeSettings
from channels.testing.script import Fault, Script
from server.delivery import trials
from server.store import sightings
from server.store.tables import Message as MessageRow
from server.store.tables import Receipt as ReceiptRow
from tests.server.schema.api import Api, open_api
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
SECRET = "a secret that nobody may see"


class Trying(FakeChannel):
    """Says of itself what it is told to, with the tools that it was lent."""

    def __init__(self, fault: Fault | None = None, *, found: Any = ()) -> None:
        faults = {"kim@example.com": fault} if fault is not None else {}
        super().__init__(script=Script(addresses=faults))
        self.found = found
        self.tools: list[Tools] = []
        self.closed = 0

    async def probe(self, settings: FakeSettings, tools: Tools) -> list[Problem]:
        self.tools.append(tools)
        if self.found == "hang":
            await asyncio.Event().wait()
        if isinstance(self.found, Exception):
            raise self.found
        return list(self.found)

    def open(self, settings: FakeSettings, tools: Tools) -> FakeSender:
        self.tools.append(tools)
        channel, sender = self, super().open(settings, tools)

        class Closing(FakeSender):
            async def send(self, message: Message) -> Outcome:
                return await sender.send(message)

            async def aclose(self) -> None:
                channel.closed += 1

        return Closing(self, settings, self._ledger(tools.connection))


@asynccontextmanager
async def opened(world: World, channel: FakeChannel) -> AsyncIterator[tuple[Api, str]]:
    async with open_api(world, Host({"fake": channel}, {})) as api:
        wish = {"name": "mail", "adapter": "fake", "settings": {"callback_secret": SECRET}}
        selection = "... on CreateConnectionPayload { connection { id } }"
        yield api, (await api.change("createConnection", selection, **wish))["connection"]["id"]


PROBE = "... on TestConnectionPayload { isWorking problems { message path } connection { name } }"
SENT = """... on SendTestMessagePayload { reference outcome { __typename code text
    ... on SendAccepted { providerId } ... on SendRejected { reason }
    ... on SendDeferred { reason retryAt } ... on SendUnknown { reason } } }"""
CONTENT = {"subject": "Hi", "html": "<p>Hi</p>"}


async def test_a_probe_tells_what_is_wrong_and_never_a_secret(sqlite_world: World) -> None:
    channel = Trying(found=[Problem("callback_secret", f"{SECRET} is wrong")])
    async with opened(sqlite_world, channel) as (api, id):
        found = await api.change("testConnection", PROBE, connectionId=id)
        channel.found = []
        assert (await api.change("testConnection", PROBE, connectionId=id))["isWorking"] is True
    assert (found["isWorking"], found["connection"]) == (False, {"name": "mail"})
    assert found["problems"] == [{"message": "… is wrong", "path": ["input", "settings", "callback_secret"]}]
    assert channel.tools[0].callback_url.startswith("http://127.0.0.1:8000/hooks/")


@pytest.mark.parametrize("found", [RuntimeError(SECRET), "hang"])
async def test_a_probe_that_fails_or_hangs_is_a_problem_and_no_error(
    sqlite_world: World, monkeypatch: pytest.MonkeyPatch, found: Any
) -> None:
    async def soon(connection: Any, tools: Tools) -> list[Problem]:
        return await probe(connection, tools, seconds=0.05)

    probe = trials.probe
    monkeypatch.setattr(trials, "probe", soon)
    async with opened(sqlite_world, Trying(found=found)) as (api, id):
        answer = await api.change("testConnection", PROBE, connectionId=id)
    assert (answer["isWorking"], len(answer["problems"])) == (False, 1)
    assert SECRET not in str(answer)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (None, {"__typename": "SendAccepted"}),
        (
            Unknown(Reason.OUTCOME_UNKNOWN, "x", SECRET),
            {"__typename": "SendUnknown", "reason": "OUTCOME_UNKNOWN", "code": "x", "text": "…"},
        ),
        (RuntimeError(SECRET), {"__typename": "SendUnknown", "reason": "OUTCOME_UNKNOWN", "code": None}),
    ],
)
async def test_a_test_message_goes_straight_out_and_leaves_no_trace_in_any_figure(
    world: World, fault: Fault | None, told: dict[str, Any]
) -> None:
    channel = Trying(fault)
    async with opened(world, channel) as (api, id):
        answer = await api.change(
            "sendTestMessage", SENT, connectionId=id, to="kim@example.com", content=CONTENT
        )
    assert answer["outcome"] == {**answer["outcome"], **told}
    assert answer["reference"].startswith("test-")
    assert SECRET not in str(answer)
    (message,) = channel.attempts
    assert (message.reference, message.to, message.content) == (
        answer["reference"],
        "kim@example.com",
        CONTENT,
    )
    assert channel.closed == 1
    assert [*await world.rows(MessageRow), *await world.rows(ReceiptRow)] == []


async def test_a_repeated_wish_sends_once_and_is_answered_alike(world: World) -> None:
    channel = Trying()
    async with opened(world, channel) as (api, id):
        wish = {"connectionId": id, "to": "kim@example.com", "content": CONTENT, "idempotencyKey": "k"}
        first = await api.change("sendTestMessage", SENT, **wish)
        assert await api.change("sendTestMessage", SENT, **wish) == first
        other = await api.change("sendTestMessage", SENT, **{**wish, "to": "lee@example.com"})
    assert first["outcome"]["__typename"] == "SendAccepted"
    assert other["__typename"] == "IdempotencyConflictProblem"
    assert len(channel.attempts) == 1


@pytest.mark.parametrize(
    ("wish", "path"),
    [
        ({"content": {"smell": "roses"}}, ["input", "content", "smell"]),
        ({"content": {"subject": 1}}, ["input", "content", "subject"]),
        ({"content": []}, ["input", "content"]),
        ({"to": " "}, ["input", "to"]),
        ({"options": {"x": 1}}, ["input", "options", "x"]),
    ],
)
async def test_what_the_channel_cannot_send_is_not_tried(
    sqlite_world: World, wish: dict[str, Any], path: list[str]
) -> None:
    channel = Trying()
    async with opened(sqlite_world, channel) as (api, id):
        whole = {"connectionId": id, "to": "kim@example.com", "content": CONTENT, **wish}
        refused = await api.change("sendTestMessage", SENT, **whole)
    assert (refused["__typename"], refused["path"]) == ("InputProblem", path)
    assert not channel.attempts


async def test_nothing_is_sent_to_an_address_that_wants_nothing_from_us(world: World) -> None:
    channel = Trying()
    async with opened(world, channel) as (api, id):
        about = (world.project_id, "email", "Kim@example.com", "")
        async with world.db.write() as session:
            await sightings.opt_out_address(session, *about, source="inbound", now=NOON)
        wish = {"connectionId": id, "to": "kim@example.com", "content": CONTENT}
        refused = await api.change("sendTestMessage", SENT, **wish)
    assert (refused["__typename"], refused["path"]) == ("SuppressedProblem", ["input", "to"])
    assert not channel.attempts


async def test_a_suppressed_number_is_refused_however_it_is_written(sqlite_world: World) -> None:
    channel = FakeChannel(channel="sms")
    async with opened(sqlite_world, channel) as (api, id):
        about = (sqlite_world.project_id, "sms", "+821012345678", "")
        async with sqlite_world.db.write() as session:
            await sightings.opt_out_address(session, *about, source="inbound", now=NOON)
        wish = {"connectionId": id, "content": {"text": "Hi"}}
        found = [
            await api.change("sendTestMessage", SENT, **wish, to=number)
            for number in ("+821012345678", "01012345678", "010-1234-5678")
        ]
    assert [one["__typename"] for one in found] == ["SuppressedProblem"] * 3
    assert not channel.attempts


async def test_a_number_reaches_the_adapter_as_every_number_does(sqlite_world: World) -> None:
    channel = FakeChannel(channel="sms")
    async with opened(sqlite_world, channel) as (api, id):
        await api.change("sendTestMessage", SENT, connectionId=id, to="010-1234-5678", content={"text": "Hi"})
    assert [message.to for message in channel.attempts] == ["+821012345678"]
