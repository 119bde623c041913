"""Questions that ask for very much at once."""

from datetime import date

import pytest

from server.aggregates import ask
from server.aggregates.ask import Question, Span
from tests.world import HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio


async def test_journeys_with_more_steps_than_a_statement_has_parameters_are_answered(world: World) -> None:
    values = {1: [f"1/step-{number}" for number in range(40_000)]}
    question = Question(world.project_id, Span("UTC"))
    async with world.db.read() as session:
        found = await ask.figures(session, question, world.shards, values, date(2024, 3, 13))
    assert found[1].inside_now() == 0


async def test_the_largest_amounts_add_up_to_a_sum_that_can_be_kept(world: World) -> None:
    steps = (step("cart", "entry_event", event="go"), step("wait", "delay", duration_ms=HOUR))
    goal = {"key": "bought", "event": "buy", "amount_property": "total"}
    await world.add_journey(line(*steps, step("done", "exit"), goals=[goal]))
    await world.live(world.event("go", NOON, user="kim"))
    amounts = [10**14, *(10**10 for _ in range(20))]
    await world.live(
        *(world.event("buy", NOON + n, user="kim", total=amount) for n, amount in enumerate(amounts, 1))
    )
    rows = [row for row in await world.hours() if row.metric == "hits"]
    assert (sum(row.n for row in rows), sum(row.amount for row in rows)) == (21, 20 * 10**14)
