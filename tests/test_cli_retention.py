"""`sojourn project retention` and `sojourn prune`, as an operator types them."""

import asyncio

import pytest
from click.testing import CliRunner

from server.cli import cli
from server.store.tables import FormerRun, Project, Run
from tests.world import DAY, HOUR, NOON, World, abandoned_cart

pytestmark = pytest.mark.anyio


async def sojourn(world: World, *arguments: str, fails: bool = False) -> str:
    url = f"sqlite:///{world.db.url.database}"
    runner = CliRunner(env={"SOJOURN_DATABASE_URL": url})
    result = await asyncio.to_thread(runner.invoke, cli, list(arguments))
    assert (result.exit_code != 0) == fails, result.output
    return result.output


async def test_facts_are_kept_until_an_operator_says_for_how_long(sqlite_world: World) -> None:
    world = sqlite_world
    await world.add_journey(abandoned_cart())
    await world.live(world.event("add_to_cart", NOON, user="kim"), until=NOON + 2 * HOUR)
    await world.settle(NOON + 9 * DAY)
    assert "All facts are kept" in await sojourn(world, "prune")
    assert "All facts are kept." in await sojourn(world, "project", "retention")
    assert "31" in await sojourn(world, "project", "retention", "--days", "7", fails=True)
    assert "for 60 days" in await sojourn(world, "project", "retention", "--days", "60")
    assert (await world.rows(Project))[0].retention_days == 60
    assert "Would delete 1 runs, 5 visits, 1 messages" in await sojourn(world, "prune", "--dry-run")
    assert len(await world.rows(Run)) == 1
    assert "Deleted 1 runs, 5 visits, 1 messages, 1 receipts" in await sojourn(world, "prune")
    assert (await world.rows(Run), len(await world.rows(FormerRun))) == ([], 1)
    assert "Deleted 0 runs" in await sojourn(world, "prune")
    assert "Every figure agrees" in await sojourn(world, "recount", "--check")
    assert "wrong" not in await sojourn(world, "doctor", "--clock", "events")
    assert "All facts are kept." in await sojourn(world, "project", "retention", "--everything")
