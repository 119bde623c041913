"""Sets and the tables of coupons answer just what asking every single person does."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.aggregates import recount_deeds, recount_lives
from tests.server.engine.divided import divided_world, without_complaint
from tests.world import DAY, HOUR, NOON, World

from .test_members import Lived, by_sets, one_by_one, read

DAYS = 5
END = NOON + DAYS * DAY
MOMENTS = (END, END + 3 * DAY, NOON + 2 * DAY, NOON + 3 * DAY + 4 * HOUR, NOON + 3 * DAY + 4 * HOUR - 1)
CODES, NAMES, PRODUCTS = ("A", "B"), ("봄", "가을"), ("p1", "p2")


def something(world: World, chance: random.Random, who: dict[str, Any], at: int) -> Any:
    kind = chance.choice(["order"] * 4 + ["refund", "cancel", "sign_up"] + ["issue"] * 3 + ["use", "expire"])
    id, code = f"o{chance.randrange(6)}", chance.choice(CODES)
    if kind == "order":
        about = {
            "order_id": id,
            "total": chance.choice([0, 10, 25.5, "?"]),
            "currency": chance.choice(["KRW", "USD"]),
            "products": [{"product_id": chance.choice(PRODUCTS), "category": "c"}],
            **({"coupon": code} if chance.random() < 0.3 else {}),
        }
        return world.event("Order Completed", at, **who, **about)
    if kind == "refund":
        return world.event("Order Refunded", at, **who, order_id=id, total=chance.choice([5, 100]))
    if kind == "cancel":
        return world.event("Order Cancelled", at, **who, order_id=id)
    if kind == "sign_up":
        return world.event("Signed Up", at, **who)
    name = {"issue": "Coupon Issued", "use": "Coupon Used", "expire": "Coupon Expired"}[kind]
    about = {"code": code, "coupon_name": chance.choice(NAMES)}
    if chance.random() < 0.7:
        about["expires_at"] = chance.choice(["2024-03-15", "2024-03-17", at + 30 * HOUR])
    return world.event(name, at, **who, **about)


async def shop(world: World, seed: int) -> None:
    """Ten people; some were two before they were known, and tell the same orders twice."""
    chance = random.Random(seed)
    for n in range(DAYS * 12):
        number = chance.randrange(10)
        who = {"user": f"u{number}"} if chance.random() < 0.7 else {"anonymous": f"d{number}"}
        await world.send(something(world, chance, who, NOON + n * DAY // 12))
        if n % 20 == 19:
            await world.settle()
    for number in range(0, 10, 3):
        both = {"user": f"u{number}", "anonymous": f"d{number}"}
        await world.live(world.event("", END - HOUR, type="identify", **both))
    await world.settle(END)


@pytest.fixture(scope="module", params=[(3, 1), (4, 3)], ids=["one-shard", "three-shards"])
def shopped(request: pytest.FixtureRequest) -> Iterator[Lived]:
    seed, shards = request.param
    with asyncio.Runner() as runner, without_complaint():
        opened = divided_world(shards)
        world = runner.run(opened.__aenter__())
        runner.run(shop(world, seed))
        yield Lived(world, runner.get_loop(), 0)
        runner.run(opened.__aexit__(None, None, None))


windows = st.none() | st.sampled_from(
    [
        {"within_ms": 26 * HOUR},
        {"before_ms": 30 * HOUR},
        {"last_days": 2},
        {"before_last_days": 2},
        {"since": "2024-03-14", "until": "2024-03-16"},
    ]
)
few = st.none() | st.integers(0, 3)


def some(**members: Any) -> Any:
    """An object of these members, without those that are none."""
    return st.fixed_dictionaries(members).map(
        lambda found: {name: value for name, value in found.items() if value is not None}
    )


times: dict[str, Any] = {
    "at_least": few,
    "at_most": few,
    "which": st.sampled_from([None, None, "first", "last"]),
    "window": windows,
}
picky: dict[str, Any] = {
    "product": st.sampled_from([None, None, None, ["p1"]]),
    "coupon": st.sampled_from([None, None, None, None, ["A"]]),
    "kept": st.sampled_from([None, None, None, None, True]),
}
questions = st.one_of(
    st.fixed_dictionaries({"purchased": some(**times, **picky, nth=st.sampled_from([None, None, 1, 2]))}),
    st.fixed_dictionaries(
        {
            "spent": some(
                of=st.sampled_from([None, None, None, "sum", "average", "max"]),
                currency=st.sampled_from(["KRW", "USD", ""]),
                at_least=st.sampled_from([None, 0, 10, 30, 40]),
                at_most=st.sampled_from([None, None, 0, 40]),
                net=st.sampled_from([None, None, None, True]),
                window=windows,
                **picky,
            )
        }
    ),
    st.fixed_dictionaries({"signed_up": some(window=windows)}),
    st.fixed_dictionaries(
        {
            "coupon": some(
                act=st.sampled_from([None, "usable", "issued", "used", "expired"]),
                coupon=st.sampled_from([None, ["A"], ["봄"]]),
                expires_within_ms=st.sampled_from([None, None, 20 * HOUR]),
                expires_within_days=st.sampled_from([None, 0, 1]),
                expires_in_days=st.sampled_from([None, None, 1]),
                **times,
            )
        }
    ),
)


@given(questions, st.booleans(), st.sampled_from(MOMENTS))
@settings(max_examples=80)
def test_sets_say_what_asking_everybody_says(shopped: Lived, tree: Any, turned: bool, at: int) -> None:
    askable = shopped.run(read(shopped.world, {"not": tree} if turned else tree))
    if askable is not None:
        asked = shopped.run(one_by_one(shopped.world, askable, at))
        assert shopped.run(by_sets(shopped.world, askable, at)) == asked


def test_what_is_kept_of_them_agrees_with_the_facts(shopped: Lived) -> None:
    async def differences() -> list[str]:
        async with shopped.world.db.read() as session:
            return [*await recount_lives.differences(session), *await recount_deeds.differences(session)]

    assert shopped.run(differences()) == []
