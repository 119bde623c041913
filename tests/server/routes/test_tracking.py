"""The links in messages: opens, clicks, and the way out."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from starlette.applications import Starlette

from server.clock import Clock
from server.delivery.links import PIXEL
from server.errors import Overloaded
from server.routes.tracking import TrackingDoor
from server.store.bulk import table_of
from server.store.tables import Endpoint, Inbox, Message, Receipt, Suppression
from tests.server.delivery.office import SETTINGS, Office, open_office, sign_up, tracking, welcome
from tests.world import HOUR, NOON, World

pytestmark = pytest.mark.anyio
BROWSER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/124.0 Safari"}
TARGET = "https://shop.example/start"


class StandingClock:
    follows_events = False

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def reach(self, at: int) -> None:
        pass


@asynccontextmanager
async def browser(
    office: Office, *, append: Any = None, clock: Clock | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    world = office.world
    door = TrackingDoor(tracking(), append or office.append, world.db, clock or world.clock)
    transport = httpx.ASGITransport(Starlette(routes=door.routes()))
    async with httpx.AsyncClient(
        transport=transport, base_url="https://mail.example.com", headers=BROWSER
    ) as client:
        yield client


async def sent(office: Office) -> Any:
    await office.world.add_connection()
    await office.world.add_journey(welcome())
    await sign_up(office.world, "kim")
    await office.settle()
    [message] = office.fake.sends
    return message


def links(message: Any) -> tuple[str, str, str]:
    """The pixel, the first link, and the way out."""
    html = message.content["html"]
    return (
        re.search(r'src="([^"]+)"', html)[1],
        re.search(r'href="([^"]+)"', html)[1],
        message.headers["List-Unsubscribe"].strip("<>"),
    )


async def test_an_open_is_answered_with_the_pixel_and_counted(world: World) -> None:
    async with open_office(world) as office:
        pixel, _, _ = links(await sent(office))
        async with browser(office) as client:
            answer = await client.get(pixel)
            await client.get(pixel)
        await office.settle()
    assert (answer.status_code, answer.content, len(answer.content)) == (200, PIXEL, 43)
    assert answer.headers["content-type"] == "image/gif"
    assert "no-store" in answer.headers["cache-control"]
    assert await world.counts("opens", "reason") == {"human": 2}
    assert await world.counts("opened", "reason") == {"": 1, "human": 1}


async def test_a_click_leads_to_the_target_and_is_counted(world: World) -> None:
    async with open_office(world) as office:
        _, link, _ = links(await sent(office))
        async with browser(office) as client:
            answer = await client.get(link)
        await office.settle()
        clicks = [row for row in await world.rows(Receipt, "key") if row.kind == "clicked"]
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    assert [(row.url, row.actor, row.occurred_at) for row in clicks] == [(TARGET, "human", NOON)]


async def test_a_head_request_is_a_machine(world: World) -> None:
    async with open_office(world) as office:
        pixel, link, out = links(await sent(office))
        async with browser(office) as client:
            statuses = [(await client.head(url)).status_code for url in (pixel, link, out)]
        await office.settle()
        actors = {row.kind: row.actor for row in await world.rows(Receipt, "key")}
    assert statuses == [200, 302, 200]
    assert actors == {"accepted": "", "opened": "machine", "clicked": "machine"}


async def test_a_hit_within_two_seconds_of_sending_is_a_machine(world: World) -> None:
    async with open_office(world) as office:
        _, link, _ = links(await sent(office))
        for later, url in ((1_000, link), (60_000, link)):
            async with browser(office, clock=StandingClock(NOON + later)) as client:
                await client.get(url)
        await office.settle()
        clicks = [row for row in await world.rows(Receipt, "occurred_at") if row.kind == "clicked"]
    assert [(row.actor, row.actor_why) for row in clicks] == [("machine", "too_soon"), ("human", "reader")]


def hidden(message: Any) -> str:
    return re.search(r'href="([^"]+)"[^>]*display:none', message.content["html"])[1]


async def test_the_hidden_link_leads_nowhere_and_gives_away_whoever_follows_it(world: World) -> None:
    async with open_office(world) as office:
        message = await sent(office)
        pixel, link, _ = links(message)
        trap = hidden(message)
        assert trap.startswith("https://mail.example.com/t/c/")
        async with browser(office) as client:
            await client.get(pixel)
            await client.get(link)
            await office.settle()
            assert await world.counts("clicks", "reason") == {"human": 1}
            answers = [await client.get(trap), await client.head(trap)]
        await office.settle()
        # Long after, somebody reads it.
        async with browser(office, clock=StandingClock(NOON + HOUR)) as client:
            await client.get(link)
        await office.settle()
        receipts = await world.rows(Receipt, "key")
    assert [(answer.status_code, answer.content) for answer in answers] == [(204, b"")] * 2
    assert all("location" not in answer.headers for answer in answers)
    trapped = [(row.actor, row.actor_why, row.url) for row in receipts if row.kind == "trapped"]
    assert trapped == [("machine", "honeypot", "")] * 2
    assert {n for n in (await world.counts("opens", "reason")).items() if n[1]} == {("machine", 1)}
    assert await world.counts("clicks", "reason") == {"human": 1, "machine": 1}
    assert await world.counts("clicked", "reason") == {"": 1, "human": 1, "machine": 1}


async def test_no_hidden_link_where_it_is_switched_off(sqlite_world: World) -> None:
    async with open_office(sqlite_world, settings=replace(SETTINGS, honeypot_link=False)) as office:
        message = await sent(office)
    assert "display:none" not in message.content["html"]
    assert links(message)[1].startswith("https://mail.example.com/t/c/")


async def test_a_forged_token_opens_nothing_and_writes_nothing(world: World) -> None:
    async with open_office(world) as office:
        pixel, link, out = links(await sent(office))
        async with browser(office) as client:
            for url in (pixel, link, out):
                forged = url[:-2] + ("AA" if url[-2:] != "AA" else "BB")
                answer = await client.get(forged)
                if url is pixel:
                    assert (answer.status_code, answer.content) == (200, PIXEL)
                else:
                    assert answer.status_code == 404
                    assert "location" not in answer.headers
            crossed = "https://mail.example.com/t/u/" + pixel.rsplit("/", 1)[1]
            assert (await client.post(crossed)).status_code == 404
            assert await world.rows(Inbox) == []
        assert [row.state for row in await world.rows(Endpoint)] == ["usable"]


async def test_a_reader_is_served_although_the_inbox_is_full(world: World) -> None:
    async def full(entries: object) -> None:
        raise Overloaded("full")

    async with open_office(world) as office:
        pixel, link, _ = links(await sent(office))
        async with browser(office, append=full) as client:
            opened, clicked = await client.get(pixel), await client.get(link)
    assert (opened.status_code, clicked.status_code) == (200, 302)
    assert clicked.headers["location"] == TARGET
    assert await world.rows(Inbox) == []


async def test_looking_at_the_way_out_changes_nothing(world: World) -> None:
    async with open_office(world) as office:
        _, _, out = links(await sent(office))
        async with browser(office) as client:
            answer = await client.get(out)
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert "수신 거부" in answer.text
    assert "Unsubscribe" in answer.text
    assert await world.rows(Inbox) == []
    assert [row.state for row in await world.rows(Endpoint)] == ["usable"]


@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", ""])
async def test_one_click_ends_it_for_the_next_message_at_once_and_counts_once(
    world: World, body: str
) -> None:
    async with open_office(world) as office:
        _, _, out = links(await sent(office))
        await world.live(world.event("sign_up", NOON + HOUR, user="kim"), until=NOON + HOUR)
        async with browser(office) as client:
            form = {"Content-Type": "application/x-www-form-urlencoded"}
            answers = [await client.post(out, content=body, headers=form) for _ in range(3)]
        # The engine has not worked yet: the claim alone has to see it.
        await office.dispatcher.until_idle()
        assert len(office.fake.attempts) == 1
        await office.settle()
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert sorted(await office.receipts()) == [
        ("accepted", ""),
        ("skipped", "opted_out"),
        ("unsubscribed", ""),
    ]
    assert await world.total("unsubscribed") == 1
    assert [(row.state, row.is_current) for row in await world.rows(Endpoint)] == [("opted_out", True)]


async def test_an_opt_out_holds_for_the_journeys_that_come_after(world: World) -> None:
    async with open_office(world) as office:
        _, _, out = links(await sent(office))
        async with browser(office) as client:
            await client.post(out)
        await office.settle()
        await world.live(world.event("sign_up", NOON + HOUR, user="kim"), until=NOON + HOUR)
        await office.settle()
        assert len(office.fake.attempts) == 1
    assert await world.counts("skipped", "reason") == {"opted_out": 1}


@pytest.mark.parametrize(
    ("purpose", "held", "state"),
    [("advertisement", "advertisement", "usable"), ("information", "", "opted_out")],
)
async def test_the_way_out_is_on_disk_for_the_messages_purpose_before_its_answer(
    sqlite_world: World, purpose: str, held: str, state: str
) -> None:
    world = sqlite_world
    async with open_office(world) as office:
        _, _, way_out = links(await sent(office))
        async with world.db.write() as session:
            await session.run(update(table_of(Message)).values(purpose=purpose))
        async with browser(office) as client:
            answer = await client.post(way_out, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        for _ in range(2):
            [row] = await world.rows(Suppression)
            assert (row.address, row.purpose, row.reason) == ("kim@example.com", held, "opted_out")
            assert row.source == "unsubscribe"
            assert [one.state for one in await world.rows(Endpoint)] == [state]
            await office.settle()
