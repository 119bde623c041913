"""From an event to a letter in a real SMTP server, and back."""

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP as SmtpServer

from tests.server.delivery.office import open_office, sign_up, welcome
from tests.world import HOUR, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


class Mailbox:
    """Keeps the letters; refuses and defers those whose local part says so."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_RCPT(
        self, server: SmtpServer, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 nobody here by that name"
        if address.startswith("busy"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SmtpServer, session: Any, envelope: Any) -> str:
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 2.0.0 taken over"


@asynccontextmanager
async def mail_server() -> AsyncIterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SmtpServer(mailbox, loop=loop, hostname="localhost"), "127.0.0.1", 0
    )
    try:
        yield mailbox, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0)


async def connect(world: World, port: int) -> None:
    await world.add_connection(
        adapter="smtp", host="127.0.0.1", port=port, security="none", from_address="shop@example.com"
    )


async def test_an_abandoned_cart_becomes_a_letter_and_is_accepted(world: World) -> None:
    async with mail_server() as (mailbox, port), open_office(world) as office:
        await connect(world, port)
        await world.add_journey(abandoned_cart())
        await world.live(
            world.event("", NOON, user="kim", type="identify", name="김지민", email="kim@example.com"),
            world.event("add_to_cart", NOON, user="kim"),
            until=NOON + HOUR,
        )
        await office.settle()
        message = await office.message()
    [letter] = mailbox.letters
    assert letter["Subject"] == "Still thinking, 김지민?"
    assert letter["To"] == "kim@example.com"
    assert letter["List-Unsubscribe"].startswith("<https://mail.example.com/t/u/")
    assert letter["Message-ID"].startswith(f"<{world.project_id}-{message.shard}-{message.id}@")
    assert "https://mail.example.com/t/c/" in letter.get_body(("html",)).get_content()
    assert (message.status, message.attempted_at) == ("accepted", NOON + HOUR)
    assert message.provider_id == letter["Message-ID"].strip("<>")


async def test_each_of_many_gets_what_became_of_it(world: World) -> None:
    async with mail_server() as (mailbox, port), open_office(world) as office:
        await connect(world, port)
        await world.add_journey(welcome())
        await sign_up(world, *(f"user{number}" for number in range(30)), "nobody", "busy")
        await office.settle()
        assert sorted(await office.receipts()) == [
            *[("accepted", "")] * 30,
            ("deferred", "provider_error"),
            ("refused", "invalid_recipient"),
        ]
    assert len({letter["To"] for letter in mailbox.letters}) == 30


async def test_a_server_that_is_away_defers_and_nothing_is_lost(world: World) -> None:
    async with mail_server() as (_, port):
        pass
    await connect(world, port)
    await world.add_journey(welcome())
    await sign_up(world, "kim")
    async with open_office(world) as office:
        await office.settle()
        message = await office.message()
    assert (message.status, message.attempt) == ("queued", 1)
    assert await office.receipts() == [("deferred", "provider_error")]
