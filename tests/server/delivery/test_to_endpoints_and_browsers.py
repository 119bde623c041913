"""Webhooks and Web Push inside the server: out through the dispatcher, back through the hooks."""

import json
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from channels.push.web_push import WebPushChannel
from channels.testing.providers import Fault, Life, everybody
from channels.testing.providers.web_push import FakeWebPush, a_vapid_key
from channels.testing.providers.webhook import A_SECRET, FakeEndpoint
from channels.webhook.endpoint import WebhookChannel
from server.routes.hooks import HooksDoor
from server.store import connections
from server.store.tables import Message
from tests.server.delivery.office import BOX, Office, open_office
from tests.world import MINUTE, NOON, World, reaching, saying

pytestmark = pytest.mark.anyio


async def connect(office: Office, adapter: str, **settings: Any) -> int:
    world = office.world
    async with world.db.write() as session:
        made = await connections.create(
            session,
            office.host,
            BOX,
            world.project_id,
            name=adapter,
            adapter=adapter,
            settings=settings,
            now=NOON,
        )
    return made.id


async def test_an_endpoint_that_did_not_answer_is_asked_again_and_reports_what_became_of_it(
    sqlite_world: World,
) -> None:
    world = sqlite_world
    endpoint = FakeEndpoint(
        world.clock.now,
        lives=everybody(Life(opened_after=5000)),
        faults=[Fault(reset_after=True)],
    )
    async with open_office(world) as office:
        office.host.channels["webhook"] = WebhookChannel()
        office.dispatcher.lender.mounts = {endpoint.base_url: httpx.ASGITransport(endpoint)}
        connection_id = await connect(office, "webhook", url=endpoint.url, signing_secret=A_SECRET)
        await world.add_journey(reaching(saying("webhook", options={"data": {"cart": "{{ user.id }}"}})))
        await world.send(world.event("sign_up", NOON, user="kim"))
        await office.settle()
        world.clock.reach(world.clock.now() + 10 * MINUTE)
        await office.settle()
        [event] = endpoint.events
        assert (event["data"]["user"], event["data"]["data"]) == ("kim", {"cart": "kim"})
        assert len(endpoint.requests) == 2
        assert (await office.message()).status == "accepted"
        await report(office, connection_id, endpoint)
        assert (await office.message()).status == "delivered"
        assert ("opened", "") in await office.receipts()


async def report(office: Office, connection_id: int, endpoint: FakeEndpoint) -> None:
    world = office.world
    now = world.clock.now()
    callback = endpoint.callback(endpoint.due(now + MINUTE), now)
    door = HooksDoor(world.db, world.clock, office.host, BOX, world.shards, office.append)
    transport = httpx.ASGITransport(Starlette(routes=door.routes()))
    async with httpx.AsyncClient(transport=transport, base_url="https://mail.example.com") as client:
        answer = await client.post(f"/hooks/{connection_id}", content=callback.body, headers=callback.headers)
    assert answer.status_code == 200
    await office.settle()


async def test_a_subscription_from_a_page_is_written_to(sqlite_world: World) -> None:
    world = sqlite_world
    service = FakeWebPush(world.clock.now)
    async with open_office(world) as office:
        office.host.channels["web_push"] = WebPushChannel()
        office.dispatcher.lender.mounts = {service.base_url: httpx.ASGITransport(service)}
        await connect(office, "web_push", private_key=a_vapid_key(), subject="mailto:push@shop.kr")
        await world.add_journey(reaching(saying("push", text="안녕 {{ user.id }}")))
        subscription = json.loads(FakeWebPush.subscription("kim"))
        identify = world.event("", NOON, user="kim", type="identify", push_tokens=subscription)
        await world.send(identify, world.event("sign_up", NOON, user="kim"))
        await office.settle()
        [message] = await world.rows(Message)
    assert message.status == "accepted"
    [(browser, _, payload)] = service.messages
    assert browser == "kim"
    assert payload["text"] == "안녕 kim"
