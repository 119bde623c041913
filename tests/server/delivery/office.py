"""A post office for tests: a world, a fake provider, and a dispatcher between them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from channels import Host
from channels.contract import OnUnknown
from channels.email.smtp import SmtpChannel
from channels.testing.fake import FakeChannel, fake_capabilities
from channels.testing.script import Script
from server.clock import Clock
from server.config import Secret, Settings
from server.delivery.dispatch import Dispatcher
from server.delivery.links import Tracking
from server.secretbox import SecretBox
from server.signing import Signer
from server.store import inbox
from server.store.bulk import table_of
from server.store.tables import Lease, Message, Receipt
from tests.world import NOON, World, line, step

SECRET = "a-secret-that-only-these-tests-know"
SETTINGS = Settings(secret=Secret(SECRET), public_url="https://mail.example.com")
BOX = SecretBox(SETTINGS.secrets)


@dataclass
class Office:
    world: World
    fake: FakeChannel
    host: Host
    dispatcher: Dispatcher
    settings: Settings

    async def append(self, entries: Sequence[inbox.Entry]) -> None:
        await append(self.world, entries)

    async def settle(self) -> None:
        """Engine and dispatcher in turn, until neither has anything to do."""
        while True:
            before = await self.world.rows(Message, "id"), await self.receipts()
            await self.world.engine.until_idle()
            await self.dispatcher.until_idle()
            await self.world.engine.until_idle()
            if before == (await self.world.rows(Message, "id"), await self.receipts()):
                return

    async def message(self) -> Any:
        [found] = await self.world.rows(Message, "id")
        return found

    async def receipts(self) -> list[tuple[str, str]]:
        """Kind and reason of each, in the order of their keys."""
        return [(row.kind, row.reason) for row in await self.world.rows(Receipt, "message_id", "key")]

    async def another(self, *, append: Any = None) -> Dispatcher:
        """A second process takes over, long after the first has gone."""
        table = table_of(Lease)
        async with self.world.db.write() as session:
            await session.run(update(table).where(table.c.work.startswith("dispatch")).values(until=0))
        await self.dispatcher.aclose()
        self.dispatcher = self.dispatch(append=append)
        return self.dispatcher

    def dispatch(self, *, append: Any = None, clock: Clock | None = None) -> Dispatcher:
        world = self.world
        return Dispatcher(
            world.db, clock or world.clock, self.host, self.settings, world.shards, append or self.append
        )


async def append(world: World, entries: Sequence[inbox.Entry]) -> None:
    async with world.db.write() as session:
        await inbox.append(session, entries)


@asynccontextmanager
async def open_office(
    world: World,
    *,
    script: Script | None = None,
    settings: Settings = SETTINGS,
    on_unknown: OnUnknown = OnUnknown.NEVER_RESEND,
    batch_size: int = 1,
) -> AsyncIterator[Office]:
    can = replace(fake_capabilities("email"), on_unknown=on_unknown, batch_size=batch_size)
    fake = FakeChannel(script=script, capabilities=can)
    host = Host({"fake": fake, "smtp": SmtpChannel()}, {})
    # An office and its dispatcher need each other: the next line puts the dispatcher in its place.
    office = Office(world, fake, host, None, settings)  # type: ignore[arg-type]  # a fake in its place
    office.dispatcher = office.dispatch()
    try:
        yield office
    finally:
        await office.dispatcher.aclose()


def tracking() -> Tracking:
    return Tracking(Signer(SETTINGS.secrets, "links"), SETTINGS.public_url)


def welcome(**more: Any) -> dict[str, Any]:
    """Enter on sign_up; an e-mail at once."""
    content = {
        "subject": "Hello, {{ user.name }}",
        "html": '<p>Hi {{ user.name }}, <a href="https://shop.example/start">start</a></p>',
        **more,
    }
    return line(
        step("entry", "entry_event", event="sign_up"),
        step("mail", "email", title="Welcome", connection="mail", **content),
        step("done", "exit"),
    )


async def sign_up(world: World, *names: str, at: int = NOON) -> None:
    for name in names:
        await world.send(
            world.event("", at, user=name, type="identify", name=name.title(), email=f"{name}@example.com"),
            world.event("sign_up", at, user=name),
        )
