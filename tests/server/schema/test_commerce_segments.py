"""What segments can ask of orders, sign-ups and coupons: over the API, by launches, and in the same batch."""

from typing import Any

import pytest

from server.schema.segment_inputs import SegmentConditionInput, to_conditions, to_given
from server.schema.spelling import from_spelled
from server.store import segments, setup
from tests.server.schema.api import Api
from tests.server.schema.test_segment_questions import who
from tests.server.schema.test_segments import preview
from tests.world import DAY, HOUR, NOON, World, line, step

pytestmark = pytest.mark.anyio


async def shop(world: World) -> None:
    """kim buys three times and gives the second back; lee buys once; park only signs up."""
    tell = world.event
    knit = [{"product_id": "p1", "sku": "s1", "name": "니트", "category": "의류"}]

    def order(at: int, user: str, id: str, total: int, **more: Any) -> Any:
        return tell("Order Completed", at, user=user, order_id=id, total=total, currency="KRW", **more)

    await world.live(
        tell("Signed Up", NOON, user="park"),
        order(NOON, "kim", "a", 1000, products=knit),
        order(NOON + 2 * DAY, "kim", "b", 5000, coupon="SPRING"),
        order(NOON + 2 * DAY + 5, "kim", "b", 5000, coupon="SPRING"),
        order(NOON + 6 * DAY, "kim", "c", 300),
        order(NOON + DAY, "lee", "d", 700),
        tell("Order Refunded", NOON + 7 * DAY, user="kim", order_id="b"),
    )
    await world.settle(NOON + 10 * DAY)


async def test_orders_are_asked_for_how_often_which_and_of_what(api: Api) -> None:
    await shop(api.world)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["kim", "lee"]),
        ({"atLeast": 3}, ["kim"]),
        ({"atLeast": 4}, []),
        ({"atMost": 0}, ["park"]),
        ({"atLeast": 3, "kept": True}, []),
        ({"product": ["니트"]}, ["kim"]),
        ({"product": ["s1", "x"], "category": ["의류"]}, ["kim"]),
        ({"category": ["신발"]}, []),
        ({"coupon": ["SPRING"]}, ["kim"]),
        ({"which": "LAST", "window": {"beforeSeconds": 8 * 86400}}, ["lee"]),
        ({"which": "FIRST", "window": {"until": "2024-03-14"}}, ["kim"]),
        ({"nth": 2}, ["kim"]),
        ({"nth": 2, "window": {"since": "2024-03-16"}}, []),
        ({"nth": 3, "window": {"since": "2024-03-16"}}, ["kim"]),
    ]
    for asked, found in cases:
        assert await who(api, {"purchased": asked}) == found, asked
    assert await who(api, {"purchased": {"atLeast": 2}}, asOf="2024-03-14T23:00:00+09:00") == []


async def test_what_orders_come_to(api: Api) -> None:
    await shop(api.world)
    krw = {"currency": "KRW"}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({**krw, "atLeast": 6300}, ["kim"]),
        ({**krw, "atLeast": 6300.01}, []),
        ({**krw, "atLeast": 1000, "net": True}, ["kim"]),
        ({**krw, "atMost": 1300, "net": True}, ["kim", "lee", "park"]),
        ({"currency": "USD", "atLeast": 1}, []),
        ({**krw, "of": "AVERAGE", "atLeast": 2100, "atMost": 2100}, ["kim"]),
        ({**krw, "of": "MAX", "atLeast": 5000, "kept": True}, []),
        ({**krw, "atLeast": 5000, "window": {"lastDays": 5}}, []),
    ]
    for asked, found in cases:
        assert await who(api, {"spent": asked}) == found, asked
    # What was given back later is not known yet.
    then = "2024-03-20T10:00:00+09:00"
    assert await who(api, {"spent": {**krw, "atLeast": 6000, "net": True}}, asOf=then) == ["kim"]


async def test_sign_ups(small_api: Api) -> None:
    await shop(small_api.world)
    assert await who(small_api, {"signedUp": {}}) == ["park"]
    assert await who(small_api, {"signedUp": {"window": {"lastDays": 30}}}) == ["park"]
    assert await who(small_api, {"signedUp": {"window": {"lastDays": 3}}}) == []


CART = "장바구니 20%"


async def coupons(world: World) -> None:
    """kim has one for three more days, lee has used hers, park's is over, choi's has no end."""
    tell, ends = world.event, {"kim": "2024-03-16", "lee": "2024-03-16", "park": "2024-03-13"}
    for user, day in ends.items():
        about = {"code": f"{user}-1", "name": CART, "expires_at": day}
        await world.live(tell("Coupon Issued", NOON, user=user, **about))
    await world.live(tell("Coupon Issued", NOON, user="choi", code="choi-1", name=CART))
    await world.live(tell("Coupon Applied", NOON, user="jung", coupon_id="J", coupon_name=CART))
    await world.live(tell("purchase", NOON + 1, user="lee", transaction_id="a", value=3, coupon="lee-1"))


async def test_coupons_that_end_soon(api: Api) -> None:
    await coupons(api.world)
    evening = "2024-03-13T21:00:00+09:00"
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["choi", "kim", "park"]),
        ({"coupon": [CART], "expiresWithinDays": 3}, ["kim", "park"]),
        ({"coupon": ["kim-1"], "expiresWithinDays": 2}, []),
        ({"expiresInDays": 3}, ["kim"]),
        ({"expiresInDays": 0}, ["park"]),
        ({"expiresWithinSeconds": 3 * 3600}, ["park"]),
        ({"act": "USED"}, ["lee"]),
        ({"act": "ISSUED"}, ["choi", "kim", "lee", "park"]),
        ({"act": "EXPIRED"}, []),
        ({"atMost": 0}, ["jung", "lee"]),
    ]
    for asked, found in cases:
        assert await who(api, {"coupon": asked}, asOf=evening) == found, asked
    later = "2024-03-14T00:00:00+09:00"
    assert await who(api, {"coupon": {"act": "EXPIRED"}}, asOf=later) == ["park"]
    assert await who(api, {"coupon": {"act": "USED", "window": {"lastDays": 1}}}, asOf=later) == []


async def test_a_journey_every_day_for_coupons_that_end_in_three_days(sqlite_world: World) -> None:
    """The brief's: who has the coupon 장바구니 20% that ends within 3 days; nobody is met twice."""
    world = sqlite_world
    async with world.db.write() as session:
        conditions = f'{{"coupon": {{"coupon": ["{CART}"], "expires_in_days": 3}}}}'
        await segments.create(session, world.project_id, "D-3", conditions, NOON)
        await setup.touch_catalog(session)
    when = {"kind": "every_days", "every": 1, "start": "2024-03-14", "at": "10:00"}
    entry = step("in", "entry_audience", segment="D-3", when=when)
    await world.add_journey(line(entry, step("out", "exit")))
    tell = world.event
    for user, day in {"kim": "2024-03-18", "lee": "2024-03-19", "park": "2024-03-19"}.items():
        about = {"code": f"{user}-1", "name": CART, "expires_at": day}
        await world.live(tell("Coupon Issued", NOON, user=user, **about))
    await world.live(tell("Coupon Used", NOON + HOUR, user="park", code="park-1"))
    await world.settle(NOON + 8 * DAY)
    entered = sorted((run.entered_at - NOON) // DAY for run in await world.runs())
    assert entered == [1, 2]


async def test_a_split_knows_what_the_very_event_has_told(sqlite_world: World) -> None:
    """The order that lets somebody in counts for the segment that a split asks a moment later."""
    world = sqlite_world
    async with world.db.write() as session:
        conditions = '{"all": [{"purchased": {"nth": 2}}, {"coupon": {"act": "used", "coupon": ["봄"]}}]}'
        await segments.create(session, world.project_id, "Again", conditions, NOON)
        await setup.touch_catalog(session)
    branch = {"output": "yes", "conditions": [{"about": "segment", "segment": "Again"}]}
    graph = {
        "steps": [
            step("in", "entry_event", event="purchase"),
            step("again", "split", branches=[branch]),
            step("out", "exit"),
        ],
        "edges": [
            {"from": "in", "output": "next", "to": "again"},
            {"from": "again", "output": "yes", "to": "out"},
            {"from": "again", "output": "otherwise", "to": "out"},
        ],
    }
    await world.add_journey(graph)
    tell = world.event
    await world.live(tell("Coupon Issued", NOON, user="kim", code="K1", name="봄"))
    for n in range(2):
        about = {"transaction_id": f"t{n}", "value": 5, "coupon": "K1"}
        await world.live(tell("purchase", NOON + n * HOUR, user="kim", **about))
    paths = [(await world.path(run.id))[1] for run in await world.runs()]
    assert paths == [("again", "otherwise"), ("again", "yes")]


async def test_what_is_wrong_is_told_with_its_path(small_api: Api) -> None:
    for wrong, path in (
        ({"purchased": {"nth": 0}}, ["purchased", "nth"]),
        ({"purchased": {"nth": 1, "which": "LAST"}}, ["purchased", "nth"]),
        ({"purchased": {"product": []}}, ["purchased", "product"]),
        ({"spent": {}}, ["spent", "atLeast"]),
        ({"coupon": {"expiresWithinDays": 3, "expiresInDays": 3}}, ["coupon", "expiresInDays"]),
        ({"coupon": {"expiresWithinDays": -1}}, ["coupon", "expiresWithinDays"]),
    ):
        [problem] = (await preview(small_api, wrong))["problems"]
        assert problem["path"] == ["conditions", *path], problem


@pytest.mark.parametrize(
    "given",
    [
        {"purchased": {"nth": 2, "product": ["a"], "kept": True, "window": {"lastDays": 3}}},
        {"spent": {"of": "AVERAGE", "currency": "KRW", "atLeast": 5.5, "net": True}},
        {"signedUp": {}},
        {"coupon": {"act": "USED", "coupon": ["A"], "expiresWithinSeconds": 60, "expiresInDays": 0}},
    ],
)
def test_what_is_kept_of_a_condition_is_what_was_given(given: dict[str, Any]) -> None:
    kind: Any = SegmentConditionInput
    assert to_given(to_conditions(from_spelled(given, kind))) == given
