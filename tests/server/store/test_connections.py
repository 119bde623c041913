"""Connections: checked by their adapter, secrets sealed, shown without them."""

from pathlib import Path
from typing import Any

import pytest

from channels import Host
from channels.email.smtp import SmtpChannel
from channels.testing.fake import FakeChannel
from server.errors import BadInput, Conflict, NotFound
from server.secretbox import CannotUnseal, SecretBox
from server.store import adapters, connections, open_connections, sealed
from server.store.adapters import BadSettings
from server.store.connections import ConnectionView
from server.store.tables import Catalog, Connection
from tests.world import NOON, World

pytestmark = pytest.mark.anyio
HOST = Host({"fake": FakeChannel(), "smtp": SmtpChannel()}, {"fake": "here", "smtp": "there"})
BOX = SecretBox([b"a-secret-that-only-these-tests-know"])
CANARY = "correct horse battery canary"
SMTP = {
    "host": "mail.example.com",
    "from_address": "shop@example.com",
    "username": "shop",
    "password": CANARY,
}


async def create(world: World, name: str = "mail", adapter: str = "smtp", **settings: Any) -> ConnectionView:
    async with world.db.write() as session:
        return await connections.create(
            session,
            HOST,
            BOX,
            world.project_id,
            name=name,
            adapter=adapter,
            settings=settings or SMTP,
            now=NOON,
        )


async def update(world: World, connection_id: int, **what: Any) -> ConnectionView:
    async with world.db.write() as session:
        return await connections.update(session, HOST, BOX, world.project_id, connection_id, now=NOON, **what)


async def password(world: World, connection_id: int, box: SecretBox = BOX) -> str:
    async with world.db.read() as session:
        opened = await open_connections.load(session, HOST, box, connection_id)
    assert CANARY not in repr(opened)
    # Known only as some adapter's settings; that of SMTP has a password.
    return opened.settings.password.get_secret_value()  # type: ignore[attr-defined]  # of these settings


async def epoch(world: World) -> int:
    return (await world.rows(Catalog))[0].epoch


async def test_a_connection_opens_with_its_secrets_and_shows_none(world: World) -> None:
    before = await epoch(world)
    made = await create(world)
    assert (made.settings["password"], made.settings["host"]) == ("set", "mail.example.com")
    assert CANARY not in repr(made)
    assert await password(world, made.id) == CANARY
    assert await epoch(world) == before + 1
    async with world.db.read() as session:
        assert await connections.listed(session, HOST, BOX, world.project_id) == [made]
        assert await connections.get(session, HOST, BOX, world.project_id, made.id) == made
        with pytest.raises(NotFound):
            await connections.get(session, HOST, BOX, world.project_id + 1, made.id)


async def test_a_secret_is_nowhere_in_the_files_of_the_database(sqlite_world: World) -> None:
    made = await create(sqlite_world)
    await update(sqlite_world, made.id, settings={**SMTP, "password": CANARY + "2"})
    folder = Path(str(sqlite_world.db.url.database)).parent
    files = [path.read_bytes() for path in folder.iterdir() if path.is_file()]
    assert any(b"mail.example.com" in content for content in files)
    assert not any(CANARY.encode() in content for content in files)


async def test_a_secret_that_is_left_out_stays_and_null_forgets_it(world: World) -> None:
    made = await create(world)
    kept = await update(world, made.id, settings={**SMTP, "password": "x", "host": "a.example"})
    assert await password(world, made.id) == "x"
    without = {name: value for name, value in SMTP.items() if name != "password"}
    kept = await update(world, made.id, settings={**without, "host": "a.example", "port": 2525})
    assert (kept.settings["port"], kept.settings["password"]) == (2525, "set")
    assert await password(world, made.id) == "x"
    gone = await update(world, made.id, settings={**without, "username": "", "password": None})
    assert gone.settings["password"] == "not set"
    assert made.changed_at < kept.changed_at < gone.changed_at


async def test_a_renamed_connection_still_opens(world: World) -> None:
    made = await create(world)
    assert (await update(world, made.id, name="post")).name == "post"
    assert await password(world, made.id) == CANARY


async def test_a_name_is_taken_once_in_a_project(world: World) -> None:
    await create(world)
    other = await create(world, "other")
    with pytest.raises(Conflict, match="'mail'"):
        await create(world)
    with pytest.raises(Conflict, match="'mail'"):
        await update(world, other.id, name="mail")


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb"])
async def test_a_name_has_to_be_one(sqlite_world: World, name: str) -> None:
    with pytest.raises(BadInput, match="name"):
        await create(sqlite_world, name)


async def test_what_is_wrong_with_settings_is_told_by_path_and_without_secrets(sqlite_world: World) -> None:
    with pytest.raises(BadSettings) as told:
        await create(sqlite_world, host="mail.example.com", port=0, password=[CANARY], more=CANARY)
    assert {one.path for one in told.value.problems} == {"port", "password", "from_address", "more"}
    assert CANARY not in str(told.value)
    assert told.value.__cause__ is None
    with pytest.raises(BadSettings, match="username"):
        await create(sqlite_world, **{**SMTP, "username": ""})
    with pytest.raises(BadInput, match="fake, smtp"):
        await create(sqlite_world, adapter="pigeon")
    assert await sqlite_world.rows(Connection) == []


async def test_with_another_secret_it_is_shown_and_does_not_open(sqlite_world: World) -> None:
    made = await create(sqlite_world)
    other = SecretBox([b"another secret of another place"])
    async with sqlite_world.db.read() as session:
        [shown] = await connections.listed(session, HOST, other, sqlite_world.project_id)
    assert shown.settings["password"] == sealed.SHUT
    with pytest.raises(CannotUnseal):
        await password(sqlite_world, made.id, other)


def test_adapters_are_listed_with_what_they_need_and_can() -> None:
    fake, smtp = adapters.listed(HOST)
    assert (fake.key, smtp.key, smtp.channel, smtp.source) == ("fake", "smtp", "email", "there")
    assert smtp.settings_schema["properties"]["password"]["format"] == "password"
    assert "subject" in smtp.capabilities.content
