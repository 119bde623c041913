"""From a letter in a real mail server to its bounce, by both ways back, to an address that is left alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from channels.email.verp import Tokens, bounce_sender
from server.delivery.polling import Poller
from server.routes.hooks import HooksDoor
from server.store import connections
from server.store.tables import Endpoint, Message, PollCursor, Suppression, Unclaimed
from tests.channels.email import dsn_mails as mails
from tests.channels.email.imap_server import PASSWORD, USER, ImapServer, mailbox
from tests.channels.email.servers import Mailroom, well_behaved
from tests.server.delivery.office import BOX, Office, open_office, sign_up, welcome
from tests.world import MINUTE, NOON, World

pytestmark = pytest.mark.anyio
FORWARDER = "the word of the forwarder"
TO_KIM = "kim@example.com"


@dataclass
class Post:
    """An office that sends by SMTP, the server that takes the letters, and both ways back."""

    office: Office
    room: Mailroom
    imap: ImapServer
    connection_id: int
    client: httpx.AsyncClient
    poller: Poller

    async def forward(self, mail: bytes, secret: str = FORWARDER) -> int:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "message/rfc822"}
        answer = await self.client.post(f"/hooks/{self.connection_id}", content=mail, headers=headers)
        await self.office.settle()
        return answer.status_code

    async def ask(self) -> int:
        """Long enough after the last visit."""
        clock = self.office.world.clock
        clock.reach(clock.now() + MINUTE)
        heard = await self.poller.poll_once()
        await self.office.settle()
        return heard

    async def suppressed(self) -> list[tuple[str, str]]:
        rows = await self.office.world.rows(Suppression, "address")
        return [(row.address, row.reason) for row in rows if row.since is not None]


@asynccontextmanager
async def a_post(world: World) -> AsyncIterator[Post]:
    """One letter to kim is out."""
    async with well_behaved() as room, mailbox() as imap, open_office(world) as office:
        connection_id = await connect(office, room, imap)
        door = HooksDoor(world.db, world.clock, office.host, BOX, world.shards, office.append)
        transport = httpx.ASGITransport(Starlette(routes=door.routes()))
        async with httpx.AsyncClient(transport=transport, base_url="http://inside.test") as client:
            await world.add_journey(welcome())
            await sign_up(world, "kim")
            await office.settle()
            senders = office.dispatcher.senders
            poller = Poller(world.db, world.clock, office.host, senders, world.shards, office.append)
            yield Post(office, room, imap, connection_id, client, poller)


async def connect(office: Office, room: Mailroom, imap: ImapServer) -> int:
    settings = {
        "host": "127.0.0.1",
        "port": room.port,
        "security": "none",
        "from_address": "hello@shop.example",
        "bounce_address": "bounces@shop.example",
        "bounce_secret": "a secret of these tests only",
        "callback_secret": FORWARDER,
        "mailbox_host": "127.0.0.1",
        "mailbox_port": imap.port,
        "mailbox_security": "none",
        "mailbox_username": USER,
        "mailbox_password": PASSWORD,
        "after_reading": "delete",
    }
    about = (office.host, BOX, office.world.project_id)
    async with office.world.db.write() as session:
        made = await connections.create(
            session, *about, name="mail", adapter="smtp", settings=settings, now=NOON
        )
    return made.id


async def test_a_hard_bounce_counts_once_by_whatever_way_and_the_address_is_left_alone(world: World) -> None:
    async with a_post(world) as post:
        [letter] = post.room.envelopes
        assert (letter.mail_from or "").startswith("bounces+")
        bounce = mails.report(mails.POSTFIX, sender=letter.mail_from or "")
        assert await post.forward(bounce) == 200
        assert await post.suppressed() == [(TO_KIM, "invalid_recipient")]
        assert await post.forward(b"Received: again\r\n" + bounce) == 200
        post.imap.inbox.add(bounce)
        assert await post.ask() == 1
        [message] = await world.rows(Message)
        assert (message.status, message.reason) == ("bounced", "invalid_recipient")
        assert await world.counts("bounced", "reason") == {"invalid_recipient": 1}
        assert [one.state for one in await world.rows(Endpoint)] == ["invalid"]
        await sign_up(world, "kim", at=world.clock.now())
        await post.office.settle()
        assert len(post.room.envelopes) == 1


async def test_a_bounce_in_the_mailbox_is_removed_only_after_it_is_on_disk(world: World) -> None:
    async with a_post(world) as post:
        post.imap.inbox.add(mails.report(mails.POSTFIX, sender=post.room.envelopes[0].mail_from or ""))
        assert await post.ask() == 1
        assert await post.suppressed() == [(TO_KIM, "invalid_recipient")]
        assert len(await world.rows(PollCursor)) == 1
        assert len(post.imap.inbox.mails) == 1
        assert await post.ask() == 0
        assert post.imap.inbox.mails == {}


async def test_a_delay_sends_nothing_twice_and_a_complaint_is_an_opt_out(world: World) -> None:
    async with a_post(world) as post:
        sender = post.room.envelopes[0].mail_from or ""
        await post.forward(mails.report(mails.POSTFIX_DELAYED, sender=sender))
        [message] = await world.rows(Message)
        assert message.status == "accepted"
        await post.forward(mails.complaint("abuse", sender=sender))
        assert await post.suppressed() == [(TO_KIM, "opted_out")]
        assert len(post.room.envelopes) == 1
        assert await world.total("complained") == 1


async def test_what_is_made_up_touches_nobody(world: World) -> None:
    async with a_post(world) as post:
        [message] = await world.rows(Message)
        guessed = Tokens((b"a guess",)).make(f"{world.project_id}-{message.shard}-{message.id}")
        sender = bounce_sender("bounces@shop.example", guessed)
        assert await post.forward(mails.report(mails.POSTFIX, sender=sender), "a guess") == 401
        assert await post.forward(mails.report(mails.POSTFIX, sender=sender)) == 200
        assert await post.forward(mails.complaint("abuse", sender=sender)) == 200
        [message] = await world.rows(Message)
        assert message.status == "accepted"
        assert await post.suppressed() == []
        assert len(await world.rows(Unclaimed)) == 2
