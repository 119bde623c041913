"""What was heard in a code that no table knew is read again once one does: facts and figures together."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from channels import Reason
from channels.contract import ReceiptKind
from channels.testing.fake import FakeChannel
from server.aggregates.recount import differences
from server.delivery.receipts import HeardReceipt, encode
from server.delivery.remapping import Change, Remapped, remap
from server.store import inbox
from server.store.tables import Inbox, Message, Receipt, Suppression
from tests.server.delivery.office import Office, open_office, sign_up, welcome
from tests.world import NOON, World

pytestmark = pytest.mark.anyio


TOLD = {
    "kim@example.com": ("4711", "unknown"),
    "lee@example.com": ("4711", "unknown"),
    "park@example.com": ("4712", "content_rejected"),
    "choi@example.com": ("4713", "unknown"),
}
"""What the provider tells of each, and what we took it for."""


class Learned(FakeChannel):
    """The same provider, with a table of its codes."""

    table: Mapping[str, Reason] = {"4711": Reason.INVALID_RECIPIENT, "4712": Reason.NOT_PERMITTED}

    def reason_of(self, code: str) -> Reason | None:
        return self.table.get(code)


def told(message: Any, key: str, code: str, reason: str, at: int = NOON + 1) -> inbox.Entry:
    heard = HeardReceipt(
        message.id, key, ReceiptKind.FAILED, at, reason=reason, code=code, connection_id=message.connection_id
    )
    return inbox.Entry(message.shard, message.project_id, inbox.RECEIPT, encode(heard), at)


@asynccontextmanager
async def after_failures(world: World) -> AsyncIterator[Office]:
    await world.add_connection()
    await world.add_journey(welcome())
    await sign_up(world, "kim", "lee", "park", "choi", "jung")
    async with open_office(world) as office:
        await office.settle()
        rows = [row for row in await world.rows(Message) if row.address in TOLD]
        await office.append([told(row, "end", *TOLD[row.address]) for row in rows])
        await office.settle()
        office.host.channels["fake"] = Learned()
        yield office


async def read_again(office: Office, *, changed: bool = False, dry_run: bool = False) -> Remapped:
    world = office.world
    about = (world.db, office.host, world.project_id, world.shards, NOON)
    found = await remap(*about, changed=changed, dry_run=dry_run)
    await world.engine.until_idle()
    async with world.db.read() as session:
        assert await differences(session) == []
    return found


async def reasons(world: World) -> Counter[str]:
    return Counter(row.reason for row in await world.rows(Message) if row.status == "failed")


async def test_codes_that_nobody_knew_are_read_by_the_new_table(world: World) -> None:
    async with after_failures(world) as office:
        assert await reasons(world) == {"unknown": 3, "content_rejected": 1}
        found = await read_again(office)
        assert found.changes == {Change("fake", "4711", "unknown", "invalid_recipient"): 2}
        assert found.unlisted == {("fake", "4713"): 1}
        assert await reasons(world) == {"invalid_recipient": 2, "unknown": 1, "content_rejected": 1}
        assert (await read_again(office)).changes == {}
    kept = {(row.kind, row.reason, row.code) for row in await world.rows(Receipt) if row.code == "4711"}
    assert kept == {("failed", "invalid_recipient", "4711")}
    # What the reason asks for is done now: both are hard bounces.
    held = {row.address for row in await world.rows(Suppression) if row.since is not None}
    assert held == {"kim@example.com", "lee@example.com"}


async def test_what_was_taken_for_something_else_is_corrected_when_asked_for(world: World) -> None:
    async with after_failures(world) as office:
        found = await read_again(office, changed=True)
        assert found.changes[Change("fake", "4712", "content_rejected", "not_permitted")] == 1
        assert await reasons(world) == {"invalid_recipient": 2, "unknown": 1, "not_permitted": 1}


async def test_a_dry_run_only_tells(world: World) -> None:
    async with after_failures(world) as office:
        before = await reasons(world)
        assert (await read_again(office, dry_run=True)).changes.total() == 2
        assert await reasons(world) == before
        assert await world.rows(Inbox) == []


async def test_a_receipt_that_comes_in_the_same_batch_has_its_say(world: World) -> None:
    """The reason of a message is that of the earliest receipt, whatever is corrected meanwhile."""
    async with after_failures(world) as office:
        kim = next(row for row in await world.rows(Message) if row.address == "kim@example.com")
        await office.append([told(kim, "earlier", "", "unreachable", NOON)])
        await read_again(office)
        kim = next(row for row in await world.rows(Message) if row.address == "kim@example.com")
    assert kim.reason == "unreachable"
    heard = [row for row in await world.rows(Receipt, "occurred_at") if row.message_id == kim.id]
    assert [row.reason for row in heard if row.reason] == ["unreachable", "invalid_recipient"]


async def test_nothing_is_corrected_for_another_project(world: World) -> None:
    async with after_failures(world) as office:
        about = (world.db, office.host, world.project_id + 1, world.shards, NOON)
        assert (await remap(*about, changed=True, dry_run=False)).looked_at == 0
