"""A message's texts can tell what became of the messages before it in the same run."""

from typing import Any

import pytest

from server.delivery.claims import Claimed
from server.delivery.content import Writer
from server.delivery.earlier import values_of
from server.store import outbox
from server.store.tables import Message
from tests.server.delivery.office import Office, open_office, sign_up, tracking
from tests.server.schema.api import hear
from tests.world import DAY, HOUR, NOON, World, line, saying, statements, step

pytestmark = pytest.mark.anyio

FIRST = saying("email", "first", connection="mail")


def followed_by(text: str) -> dict[str, Any]:
    """An e-mail, a day, and another that says this."""
    return line(
        step("entry", "entry_event", event="sign_up"),
        FIRST,
        step("day", "delay", duration_ms=DAY),
        saying("email", "second", connection="mail", text=text),
        step("done", "exit"),
    )


async def said(world: World, office: Office, text: str, *heard: tuple[str, int, dict[str, Any]]) -> str:
    """What the second message says, after this was heard of the first."""
    await world.add_connection()
    await world.add_journey(followed_by(text))
    await sign_up(world, "kim")
    await world.settle()
    await office.settle()
    await hear(world, (await office.message()).id, *heard)
    await world.settle(NOON + DAY)
    await office.settle()
    return office.fake.sends[-1].content["text"]


async def test_a_text_tells_of_an_earlier_message_of_the_run(world: World) -> None:
    text = (
        "{{ messages.first.status }} by {{ messages.first.channel }} at "
        '{{ messages.first.sent_at | date: "%H:%M" }}; '
        "{% if messages.first.opened %}opened{% else %}unread{% endif %}, "
        "{% if messages.first.clicked %}clicked{% else %}no click{% endif %}"
    )
    opened = ("opened", NOON + HOUR, {"actor": "human"})
    async with open_office(world) as office:
        found = await said(world, office, text, ("delivered", NOON + 1, {}), opened)
    assert found == "delivered by email at 20:00; opened, no click"


async def test_what_a_machine_opened_nobody_has_read(world: World) -> None:
    text = "{% if messages.first.opened %}opened{% else %}unread{% endif %}{{ messages.second.status }}"
    opened = ("opened", NOON + HOUR, {"actor": "machine"})
    async with open_office(world) as office:
        assert await said(world, office, text, opened) == "unread"


@pytest.mark.parametrize(("text", "more"), [("Hello {{ user.name }}", 0), ("{{ messages.first.status }}", 1)])
async def test_earlier_messages_are_read_in_one_statement_and_only_if_a_text_asks(
    sqlite_world: World, text: str, more: int
) -> None:
    world = sqlite_world
    await world.add_connection()
    await world.add_journey(followed_by(text))
    await sign_up(world, *(f"u{number}" for number in range(4)))
    await world.settle(NOON + DAY)
    async with open_office(world) as office:
        await office.dispatcher.take_shards()
        writer = Writer(world.db, tracking())
        rows = [row for row in await world.rows(Message) if row.step_key == "second"]
        claimed = [await _claimed(world, row) for row in rows]
        await writer.recall(claimed)
        with statements(world.db) as seen:
            found = await writer.recall(claimed)
    assert len([one for one in seen if one.startswith("SELECT")]) == more
    assert len(found) == (len(rows) if more else 0)


async def _claimed(world: World, row: Any) -> Any:
    async with world.db.read() as session:
        [found] = await outbox.with_their_world(session, row.shard, [row.id])
    return Claimed(row.shard, found, 1, NOON)


class Row:
    """A message as `passages` reads it."""

    def __init__(self, step_key: str, at: int, status: str, heard: str = "{}") -> None:
        self.step_key, self.created_at, self.status, self.heard = step_key, at, status, heard
        self.channel, self.reason, self.voucher, self.attempted_at = "push", "", "", at


def test_of_several_passages_the_last_counts_and_of_several_devices_the_best() -> None:
    opened = '{"accepted":[5,5,1],"opened":[9,9,1],"opened/unsure":[9,9,1]}'
    rows = [
        Row("a", 1, "delivered", '{"delivered":[1,1,1]}'),
        Row("a", 5, "failed", '{"failed":[5,5,1]}'),
        Row("a", 5, "accepted", opened),
        Row("b", 7, "queued"),
    ]
    found = values_of(rows, ("b", 7))
    assert list(found) == ["a"]
    told = found["a"]
    assert isinstance(told, dict)
    assert (told["status"], told["sent"], told["sent_at"]) == ("accepted", True, 5)
    assert (told["delivered"], told["opened"], told["clicked"]) == (False, True, False)
