"""A row that cannot be worked in is put aside with the reason, and nobody else has to wait."""

import pytest

from server.store import inbox
from server.store.tables import Quarantine
from tests.world import NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


async def test_one_bad_row_among_many_is_put_aside_and_the_rest_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.engine.shard.MOST_ROWS", 16)
    world.engine.strict = False
    await world.add_connection()
    await world.add_journey(abandoned_cart())
    await world.send(*(world.event("add_to_cart", NOON + n, user=f"user-{n}") for n in range(20)))
    async with world.db.write() as session:
        await inbox.append(session, [inbox.Entry(0, world.project_id, inbox.EVENT, b"\xffnot ours", NOON)])
    await world.send(*(world.event("add_to_cart", NOON + n, user=f"user-{n}") for n in range(20, 40)))
    await world.settle()
    assert await world.total("entries") == 40
    [aside] = await world.rows(Quarantine)
    assert (aside.kind, aside.payload) == ("event", b"\xffnot ours")
    assert aside.error
