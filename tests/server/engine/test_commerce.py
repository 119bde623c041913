"""Orders, lives and coupons as events tell them: counted once, whoever they turn out to be of."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from server.aggregates import recount_lives
from server.commerce.amounts import MOST
from server.engine.ledger import Ledger
from server.store.bulk import table_of
from server.store.tables import Coupon, Life, Purchase, Spending, User
from tests.databases import Databases
from tests.world import DAY, MINUTE, NOON, World, open_world

from .divided import divided_world, without_complaint

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with without_complaint():
        yield


@pytest.fixture(params=["1 shard", "4 shards", pytest.param("postgres", marks=pytest.mark.postgres)])
async def shop(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("postgres_databases")
        name = await databases.take()
        async with open_world(databases.url_of(name)) as world:
            yield world
        await databases.give_back(name)
        return
    async with divided_world(int(request.param.split()[0])) as world:
        yield world


def order(world: World, at: int, id: str, total: Any = 30, **more: Any) -> Any:
    body = {"currency": "KRW", **more.pop("body", {})}
    return world.event("Order Completed", at, order_id=id, total=total, **body, **more)


async def life(world: World, *names: str) -> list[Any]:
    """The figures of everybody who is nobody else."""
    rows = await world.rows(Life, "first_seen_at")
    return [tuple(getattr(row, name) for name in names) for row in rows]


async def spending(world: World) -> list[tuple[str, int, int]]:
    rows = await world.rows(Spending, "currency")
    return [(row.currency, row.spent // 10_000, row.refunded // 10_000) for row in rows]


async def agrees(world: World) -> None:
    """What is kept is what the facts say, and what a rebuild would keep."""
    async with world.db.read() as session:
        assert await recount_lives.differences(session) == []
    before = [await world.rows(one) for one in (Life, Spending, Coupon)]
    async with world.db.write() as session:
        await session.run(delete(table_of(Purchase)))
        await recount_lives.rebuild(session)
    after = [await world.rows(one) for one in (Life, Spending, Coupon)]
    assert [sorted(map(tuple, one), key=str) for one in after] == [
        sorted(map(tuple, one), key=str) for one in before
    ]


async def test_an_order_that_client_and_server_tell_counts_once(shop: World) -> None:
    client = order(shop, NOON, "a", user="kim", anonymous="phone")
    server = order(shop, NOON + 1000, "a", user="kim")
    await shop.live(client)
    await shop.live(server, order(shop, NOON + 2000, "a", user="kim"))
    await shop.live(order(shop, NOON + DAY, "b", 20, user="kim"))
    assert await life(shop, "orders", "first_order_at", "last_order_at") == [(2, NOON, NOON + DAY)]
    assert await spending(shop) == [("KRW", 50, 0)]
    assert [row.ordered_at for row in await shop.rows(Purchase, "ordered_at")] == [NOON, NOON + DAY]


async def test_an_order_of_somebody_who_is_known_later_goes_along(shop: World) -> None:
    await shop.live(shop.event("", NOON, user="kim", type="identify"))
    await shop.live(order(shop, NOON + 1, "a", anonymous="phone"))
    await shop.live(order(shop, NOON + 1, "b", 7, anonymous="phone"))
    await shop.live(order(shop, NOON + 2, "a", user="kim"))
    await shop.live(shop.event("Coupon Issued", NOON + 3, anonymous="phone", code="C", name="봄"))
    assert [one[0] for one in await life(shop, "orders")] == [1, 2]
    # In the very batch in which they turn out to be one something else is told of the device.
    await shop.send(order(shop, NOON + 4, "c", 5, anonymous="phone"))
    await shop.live(shop.event("view", NOON + 5, user="kim", anonymous="phone"))
    await shop.live(shop.event("Order Refunded", NOON + 6, user="kim", order_id="b", total=3))
    assert await life(shop, "orders", "first_order_at", "last_order_at") == [(3, NOON + 1, NOON + 4)]
    assert await spending(shop) == [("KRW", 42, 3)]
    [coupon] = await shop.rows(Coupon)
    [kim] = [row for row in await shop.rows(User) if row.user_id == "kim"]
    assert (coupon.shard, coupon.user_number, coupon.name) == (kim.shard, kim.number, "봄")
    owners = {(row.shard, row.user_number) for row in await shop.rows(Purchase)}
    assert owners == {(kim.shard, kim.number)}
    await agrees(shop)


async def test_what_is_seen_of_somebody(shop: World) -> None:
    await shop.live(shop.event("", NOON, user="kim", type="identify"))
    await shop.live(shop.event("home", NOON + DAY, type="page", user="kim", anonymous="phone"))
    # A server's event is nobody's visit; and a late one comes before the others.
    await shop.live(shop.event("paid", NOON + 2 * DAY, user="kim"))
    await shop.live(shop.event("Signed Up", NOON - DAY, user="kim", anonymous="phone"))
    seen = ("first_seen_at", "last_seen_at", "first_visit_at", "last_visit_at", "signed_up_at")
    days = (-1, 2, -1, 1, -1)
    assert await life(shop, *seen) == [tuple(NOON + day * DAY for day in days)]
    assert await life(shop, "visits") == [(2,)]
    await agrees(shop)


async def test_an_identify_that_names_somebody_new_is_no_sign_up(shop: World) -> None:
    await shop.live(shop.event("", NOON, user="kim", type="identify", email="kim@example.com"))
    await shop.live(shop.event("Signed Up", NOON, user="lee", type="screen", anonymous="phone"))
    assert await life(shop, "signed_up_at") == [(None,), (None,)]


async def test_cancelled_orders_and_refunds(shop: World) -> None:
    tell = shop.event
    await shop.live(*(order(shop, NOON + n, id, user="kim") for n, id in enumerate("abc")))
    await shop.live(tell("Order Cancelled", NOON + 10, user="kim", order_id="a"))
    await shop.live(*(tell("Order Refunded", NOON + 20, user="kim", order_id="b") for _ in range(2)))
    await shop.live(tell("refund", NOON + 30, user="kim", transaction_id="c", value="10"))
    await shop.live(tell("refund", NOON + 30, user="kim", transaction_id="never heard of", value=500))
    assert await life(shop, "orders", "cancelled") == [(3, 1)]
    assert await spending(shop) == [("KRW", 90, 70)]
    await agrees(shop)


async def test_coupons_are_issued_used_and_over(shop: World) -> None:
    tell = shop.event
    await shop.live(tell("Coupon Issued", NOON, user="kim", code="A", expires_at="2024-03-20"))
    await shop.live(tell("Coupon Issued", NOON, user="kim", code="B"))
    await shop.live(order(shop, NOON + MINUTE, "a", user="kim", body={"coupon": "A"}))
    await shop.live(tell("Coupon Expired", NOON + DAY, user="kim", code="B"))
    await shop.live(tell("Coupon Issued", NOON + DAY, user="kim", code="A", expires_at="2024-03-25"))
    one, two = await shop.rows(Coupon, "code")
    assert (one.issued_at, one.used_at, one.expired_at) == (NOON, NOON + MINUTE, None)
    assert one.expires_at == 1_711_378_800_000  # The end of the 25th in Seoul.
    assert (two.issued_at, two.used_at, two.expired_at) == (NOON, None, NOON + DAY)


async def test_absurd_orders_are_counted_without_amount(shop: World) -> None:
    await shop.live(order(shop, NOON, "a", "a lot", user="kim"), order(shop, NOON, "b", -5, user="kim"))
    await shop.live(shop.event("purchase", NOON, user="kim"), shop.event("purchase", NOON, user="kim"))
    assert await life(shop, "orders") == [(4,)]
    assert await spending(shop) == []
    assert {row.flag for row in await shop.rows(Purchase)} == {"unreadable_amount", "no_amount"}


async def test_no_refund_is_so_large_that_nobody_could_write_it(shop: World) -> None:
    lines = [{"price": 10**10, "quantity": 999_999}] * 100
    await shop.live(shop.event("Order Refunded", NOON, user="kim", products=lines))
    await shop.live(order(shop, NOON, "a", 10**10, user="kim"))
    await shop.live(shop.event("Order Refunded", NOON, user="kim", order_id="a", products=lines))
    assert await spending(shop) == [("KRW", 10**10, 0)]
    await agrees(shop)


async def test_what_somebody_spent_stops_where_64_bits_would_end(shop: World) -> None:
    async with shop.db.write() as session:
        for sums in ([2**70, 5], [MOST, 5], [1, 5]):
            ledger = Ledger()
            ledger.spending[(shop.project_id, 0), "KRW"] = sums
            await ledger.write(session, 0)
    [row] = await shop.rows(Spending)
    assert (row.spent, row.refunded) == (MOST, 15)


TOLD = [("Order Completed", 0), ("Order Completed", 1), ("Order Refunded", 2), ("Order Cancelled", 3),
        ("Coupon Issued", 4), ("Coupon Used", 5), ("Signed Up", 6), ("home", 7)]  # fmt: skip


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(len(TOLD))), st.integers(0, len(TOLD)))
async def test_any_order_of_arrival_and_any_merge_come_to_the_same(order_of: list[int], split: int) -> None:
    """All is told of two devices, in any order; then both turn out to be kim's."""
    async with divided_world(2) as world:
        for n in order_of:
            name, later = TOLD[n]
            about: dict[str, Any] = {"order_id": "a" if later < 4 else "b", "total": 30, "code": "C"}
            who = "phone" if n < split else "tablet"
            await world.live(world.event(name, NOON + later, anonymous=who, **about))
        await world.live(world.event("", NOON + 9, user="kim", type="identify"))
        for who in ("phone", "tablet"):
            await world.live(world.event("", NOON + 9, user="kim", anonymous=who, type="identify"))
        names = ("first_seen_at", "last_seen_at", "orders", "cancelled", "signed_up_at", "last_visit_at")
        [found] = await life(world, *names)
        assert found == (NOON, NOON + 9, 1, 1, NOON + 6, NOON + 7)
        assert await spending(world) == [("", 30, 30)]
        [coupon] = await world.rows(Coupon)
        assert (coupon.issued_at, coupon.used_at) == (NOON + 4, NOON + 5)
        async with world.db.read() as session:
            assert await recount_lives.differences(session) == []
