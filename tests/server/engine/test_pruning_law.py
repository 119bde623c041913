"""Whenever old facts are deleted, no figure changes, nobody's way changes, and a recount still proves it."""

from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.aggregates import recount
from server.store.pruning import Facts
from tests.server.engine.test_chance_laws import chance
from tests.world import DAY, HOUR, MINUTE, abandoned_cart

from . import test_laws as laws
from .pruned import aggregates, prune
from .test_laws import LAW, Jump, Order, Sent, Story, figures, tell


class Prune(NamedTuple):
    """What is over for a day is deleted."""


async def play(story: Story, moves: list[Any], *, pruning: bool) -> dict[str, Any]:
    """What everybody did and what it came to. Receipts come while their messages are young."""
    world, deleted = story.world, Facts()
    for move in moves:
        if not isinstance(move, Prune):
            await story.happen(move)
        elif pruning:
            before = await aggregates(world)
            deleted += await prune(world)
            assert await aggregates(world) == before
            async with world.db.read() as session:
                assert await recount.differences(session) == []
    await world.settle(world.clock.now() + 3 * DAY)
    async with world.db.read() as session:
        assert await recount.differences(session) == []
    return {"figures": await figures(world), "deleted": deleted}


GRAPHS = {
    "once": {**abandoned_cart(), "reentry": "never"},
    "chance": chance(40, 40, 20),
    "seldom": {**laws.LOOPING, "reentry_rules": {"most": 2, "within_ms": 20 * DAY}},
}
names = st.sampled_from(["add_to_cart", "add_to_cart", "purchase", "leave"])
anybody = st.sampled_from([("kim", None), ("lee", None), ("park", None), (None, "phone"), ("kim", "phone")])
sent = st.builds(Sent, anybody, names, st.sampled_from([0, MINUTE, HOUR]), st.sampled_from([0, 0, HOUR]))
moves = st.one_of(
    sent,
    sent,
    sent,
    st.builds(Jump, st.sampled_from([HOUR, DAY, 12 * DAY])),
    st.builds(Order, st.sampled_from(["pause", "resume"])),
    st.builds(Prune),
)
AGAIN_AND_AGAIN: list[Any] = [
    Sent(("kim", None), "add_to_cart", 0),
    Sent((None, "phone"), "add_to_cart", 0),
    Jump(2 * HOUR),
    Sent(("kim", None), "purchase", 0),
    Sent(("kim", "phone"), "leave", 0),
    Jump(9 * DAY),
    Prune(),
    Sent(("kim", None), "add_to_cart", 0),
    Jump(3 * DAY),
    Prune(),
    Sent(("kim", None), "add_to_cart", 0),
    Sent((None, "phone"), "purchase", 0),
]


@example(AGAIN_AND_AGAIN, 1)
@example(AGAIN_AND_AGAIN, 4)
@settings(LAW, max_examples=8)
@given(st.lists(moves, max_size=16), st.sampled_from([1, 4]))
def test_a_life_in_which_old_facts_are_deleted_has_the_same_figures(moves: list[Any], divided: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laws, "GRAPHS", GRAPHS)
        found = [
            tell([], lambda story, pruning=pruning: play(story, moves, pruning=pruning), divided=divided)
            for pruning in (False, True)
        ]
    assert found[0]["figures"] == found[1]["figures"]
    if moves == AGAIN_AND_AGAIN:
        assert found[1]["deleted"].runs
