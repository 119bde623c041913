"""The laws of the engine, with splits by chance, a holdout, verdicts and changed percentages in the story."""

from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.world import DAY, HOUR, MINUTE, step

from . import test_laws as laws
from .test_experiments import choose, publish
from .test_laws import AFTER, LAW, Jump, Move, Order, Sent, Story, holds, tell

BRANCHES = ("a", "b", "c")


def chance(*percents: int) -> dict[str, Any]:
    """A holdout; a split with a way back to it; a random split behind it."""
    split = [{"output": one, "percent": n} for one, n in zip(BRANCHES, percents, strict=True)]
    coin = [{"output": one, "percent": 50} for one in ("heads", "tails")]
    return {
        "steps": [
            step("cart", "entry_event", event="add_to_cart"),
            step("hour", "delay", duration_ms=HOUR),
            step("split", "ab_split", branches=split),
            step("mail", "email", connection="mail", subject="Hello", text="Hello"),
            step("day", "delay", duration_ms=DAY),
            step("coin", "random_split", branches=coin),
            step("done", "exit"),
        ],
        "edges": [
            {"from": "cart", "output": "next", "to": "hour"},
            {"from": "hour", "output": "next", "to": "split"},
            {"from": "split", "output": "a", "to": "mail"},
            {"from": "split", "output": "b", "to": "day"},
            {"from": "split", "output": "c", "to": "done"},
            {"from": "mail", "output": "next", "to": "day"},
            {"from": "day", "output": "next", "to": "coin"},
            {"from": "coin", "output": "heads", "to": "hour"},
            {"from": "coin", "output": "tails", "to": "done"},
        ],
        "goals": [
            {"key": "bought", "event": "purchase", "window_ms": DAY, "amount_property": "total"},
            {"key": "gone", "event": "leave", "ends_journey": True},
        ],
        "holdout_percent": 25,
    }


class Choice(NamedTuple):
    """Somebody chooses a branch, or opens the split again."""

    winner: str


class Change(NamedTuple):
    """Other percentages are published."""

    percents: tuple[int, int, int]


class Chances(Story):
    """A story in which the split is decided and changed, too."""

    def __init__(self, story: Story) -> None:
        super().__init__(story.world, story.journeys)
        self.rounds = 0

    async def happen(self, move: Any) -> None:
        if isinstance(move, Choice):
            self.rounds += 1
            assert await choose(self.world, self.journeys[0], move.winner, self.rounds, explore=20)
        elif isinstance(move, Change):
            await publish(self.world, self.journeys[0], chance(*move.percents))
        else:
            await super().happen(move)


PEOPLE = [(f"user {number}", None) for number in range(6)]
names = st.sampled_from(["add_to_cart", "add_to_cart", "purchase", "purchase", "leave"])
anybody = st.sampled_from([*PEOPLE, (None, "phone"), ("user 1", "phone")])
sent = st.builds(Sent, anybody, names, AFTER, st.sampled_from([0, 0, MINUTE, 2 * HOUR]))
moves = st.one_of(
    sent,
    sent,
    sent,
    sent,
    st.builds(Jump, st.sampled_from([HOUR, DAY])),
    st.builds(Order, st.sampled_from(["pause", "resume"])),
    st.builds(Choice, st.sampled_from([*BRANCHES, ""])),
    st.builds(Change, st.sampled_from([(50, 25, 25), (10, 10, 80), (100, 0, 0)])),
)
FULL: list[Any] = [
    *(Sent(who, "add_to_cart", MINUTE) for who in PEOPLE),
    Jump(2 * HOUR),
    *(Sent(who, "purchase", MINUTE) for who in PEOPLE),
    Choice("b"),
    Change((10, 10, 80)),
    *(Sent(who, "purchase", MINUTE, HOUR // 2) for who in PEOPLE),
    Jump(3 * DAY),
    *(Sent(who, "add_to_cart", MINUTE) for who in PEOPLE),
    Jump(2 * HOUR),
    Sent(("user 1", "phone"), "purchase", 0, 2 * HOUR),
]


@example(FULL, 1)
@example(FULL, 4)
@settings(LAW, max_examples=10)
@given(st.lists(moves, max_size=16), st.sampled_from([1, 4]))
def test_the_laws_hold_and_the_facts_say_the_same_whatever_is_drawn_and_decided(
    moves: list[Move | Choice | Change], divided: int
) -> None:
    async def play(story: Story) -> None:
        story = Chances(story)
        for move in moves:
            await story.happen(move)
        await holds(story)
        entered = await story.world.counts("entries", "variant")
        runs = await story.world.runs()
        assert entered.get("holdout", 0) == sum(run.variant == "holdout" for run in runs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(laws, "GRAPHS", {"chance": chance(34, 33, 33)})
        tell([], play, divided=divided)
