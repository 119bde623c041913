"""A row that cannot be worked in is put aside with the reason, and nobody else has to wait."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.store import inbox
from server.store.tables import Event, Quarantine
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


@pytest.mark.postgres
@pytest.mark.parametrize("code", ["40P01", "53100", "57P01"])
async def test_trouble_of_the_database_puts_nobody_aside(
    world: World, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    if world.db.is_sqlite:
        pytest.skip("PostgreSQL's error codes")
    monkeypatch.setattr("server.engine.shard.MOST_ROWS", 1)
    world.engine.strict = False
    await world.send(world.event("add_to_cart", NOON, user="kim"))
    async with world.db.write() as session:
        body = f"BEGIN RAISE EXCEPTION 'trouble' USING ERRCODE = '{code}'; END"
        for statement in (
            f"CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
            "CREATE TRIGGER trouble BEFORE INSERT ON event EXECUTE FUNCTION trouble()",
        ):
            await session.run(text(statement))
    with pytest.raises(DBAPIError):
        await world.settle()
    assert await world.rows(Quarantine) == []
    async with world.db.write() as session:
        await session.run(text("DROP TRIGGER trouble ON event"))
    await world.settle()
    assert len(await world.rows(Event)) == 1
