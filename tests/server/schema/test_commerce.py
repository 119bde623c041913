"""Commerce over the API: lives, orders, coupons, and by which events a project tells of them."""

from typing import Any

import pytest

from server.store.tables import Event
from tests.server.schema.api import Api
from tests.world import DAY, HOUR, NOON

pytestmark = pytest.mark.anyio

LIFE = """{ user(identity: {userId: "kim"}) {
  life { firstSeenAt lastSeenAt visits daysSinceLastVisit signedUpAt orders cancelledOrders
         firstOrderAt daysSinceLastOrder spending { currency spent refunded net } }
  orders(first: 2) { pageInfo { hasNextPage endCursor } edges { node {
    orderId orderedAt amount { amount currency } refunded { amount } cancelledAt coupons flag
    products { productId sku name category } } } }
  coupons { code name state expiresAt usedAt }
} }"""


async def kim(api: Api) -> dict[str, Any]:
    return dict((await api.ask(LIFE))["user"])


async def shopped(api: Api) -> None:
    world = api.world
    tell = world.event
    about = {"order_id": "a", "total": "12,000", "currency": "KRW", "coupon": "A1"}
    lines = [{"product_id": "p1", "name": "니트", "category": "의류"}]
    await world.live(
        tell("Coupon Issued", NOON, user="kim", code="A1", name="장바구니 20%", expires_at="2024-03-20"),
        tell("Coupon Issued", NOON, user="kim", code="B1", expires_at="2024-03-14"),
        tell("Order Completed", NOON + HOUR, user="kim", products=lines, **about),
        tell("Order Completed", NOON + HOUR, user="kim", products=lines, **about),
        tell("Order Completed", NOON + 2 * HOUR, user="kim", order_id="b"),
        tell("Order Cancelled", NOON + 3 * HOUR, user="kim", order_id="a"),
        tell("Order Completed", NOON + DAY, user="kim", order_id="c", total=5, currency="USD"),
    )
    await world.settle(NOON + 3 * DAY)


async def test_a_life_its_orders_and_its_coupons(api: Api) -> None:
    await shopped(api)
    found = await kim(api)
    assert found["life"] == {
        "firstSeenAt": "2024-03-13T11:00:00+00:00",
        "lastSeenAt": "2024-03-14T11:00:00+00:00",
        "visits": 0,
        "daysSinceLastVisit": None,
        "signedUpAt": None,
        "orders": 3,
        "cancelledOrders": 1,
        "firstOrderAt": "2024-03-13T12:00:00+00:00",
        "daysSinceLastOrder": 2,
        "spending": [
            {"currency": "KRW", "spent": "12000", "refunded": "12000", "net": "0"},
            {"currency": "USD", "spent": "5", "refunded": "0", "net": "5"},
        ],
    }
    orders = found["orders"]
    assert orders["pageInfo"]["hasNextPage"]
    assert [edge["node"]["orderId"] for edge in orders["edges"]] == ["c", "b"]
    assert [edge["node"]["flag"] for edge in orders["edges"]] == [None, "NO_AMOUNT"]
    assert found["coupons"] == [
        {
            "code": "B1",
            "name": None,
            "state": "EXPIRED",
            "expiresAt": "2024-03-14T15:00:00+00:00",
            "usedAt": None,
        },
        {
            "code": "A1",
            "name": "장바구니 20%",
            "state": "USED",
            "expiresAt": "2024-03-20T15:00:00+00:00",
            "usedAt": "2024-03-13T12:00:00+00:00",
        },
    ]
    later = LIFE.replace("first: 2", f'first: 2, after: "{orders["pageInfo"]["endCursor"]}"')
    [edge] = (await api.ask(later))["user"]["orders"]["edges"]
    assert edge["node"] == {
        "orderId": "a",
        "orderedAt": "2024-03-13T12:00:00+00:00",
        "amount": {"amount": "12000", "currency": "KRW"},
        "refunded": {"amount": "12000"},
        "cancelledAt": "2024-03-13T14:00:00+00:00",
        "coupons": ["A1"],
        "flag": None,
        "products": [{"productId": "p1", "sku": None, "name": "니트", "category": "의류"}],
    }


async def test_somebody_who_has_bought_nothing_has_an_empty_life(small_api: Api) -> None:
    await small_api.world.live(small_api.world.event("view", NOON, user="kim"))
    found = await kim(small_api)
    assert (found["life"]["orders"], found["life"]["spending"], found["coupons"]) == (0, [], [])
    assert found["orders"]["edges"] == []


async def test_lives_of_many_take_as_many_statements_as_that_of_one(small_api: Api) -> None:
    world = small_api.world
    names = [f"u{n}" for n in range(4)]
    await world.live(*(world.event("purchase", NOON, user=one, transaction_id="a", value=3) for one in names))
    ask = "{{ {} }}"

    async def count(users: list[str]) -> int:
        fields = " ".join(
            f'{one}: user(identity: {{userId: "{one}"}}) {{ life {{ orders spending {{ net }} }} '
            "coupons { code } }" for one in users
        )  # fmt: skip
        with small_api.statements() as seen:
            await small_api.ask(ask.format(fields))
        return sum("life" in one or "spending" in one or "FROM coupon" in one for one in seen)

    assert await count(names[:1]) == await count(names)


async def test_coupons_that_are_handed_in_become_events_once(api: Api) -> None:
    coupons = [
        {"userId": "kim", "code": "A1", "name": "장바구니 20%", "issuedAt": "2024-03-13T20:00:00+09:00",
         "expiresAt": "2024-03-20T15:00:00Z"},
        {"userId": "kim", "code": "B1", "issuedAt": "2024-03-01T00:00:00Z", "usedAt": "2024-03-02T00:00:00Z"},
        {"userId": "lee", "code": "C1"},
    ]  # fmt: skip
    selection = "... on RecordCouponsPayload { coupons events }"
    done = await api.change("recordCoupons", selection, coupons=coupons, idempotencyKey="one")
    assert (done["coupons"], done["events"]) == (3, 4)
    again = await api.change("recordCoupons", selection, coupons=coupons, idempotencyKey="one")
    assert again["events"] == 4
    await api.change("recordCoupons", selection, coupons=coupons[:2])
    await api.world.settle()
    assert len(await api.world.rows(Event)) == 4
    assert [(one["code"], one["name"], one["state"]) for one in (await kim(api))["coupons"]] == [
        ("A1", "장바구니 20%", "USABLE"),
        ("B1", None, "USED"),
    ]
    back = [{"userId": "kim", "code": "A1", "expiredAt": "2024-03-13T11:00:00Z"}]
    await api.change("recordCoupons", coupons=back)
    await api.world.settle()
    assert (await kim(api))["coupons"][0]["state"] == "EXPIRED"


async def test_coupons_that_cannot_be_kept_are_refused(small_api: Api) -> None:
    for wrong, path in (
        ({"userId": "", "code": "A"}, "userId"),
        ({"userId": "kim", "code": " "}, "code"),
        ({"userId": "kim", "code": "A", "name": "x" * 300}, "name"),
        ({"userId": "kim", "code": "A", "usedAt": "2024-03-13T20:00:00"}, "usedAt"),
    ):
        refused = await small_api.change("recordCoupons", coupons=[wrong])
        assert refused["path"] == ["input", "coupons", "0", path]
    assert (await small_api.change("recordCoupons", coupons=[]))["path"] == ["input", "coupons"]


EVENTS = "commerceEvents { currency ordered couponIssued }"


async def test_a_shop_has_names_of_its_own(small_api: Api) -> None:
    world = small_api.world
    buy = world.event("주문 완료", NOON, user="kim", order_id="a", total=5)
    assert (await small_api.ask(f"{{ {EVENTS} }}"))["commerceEvents"]["ordered"] == []
    selection = f"... on SetCommerceEventsPayload {{ {EVENTS} }}"
    names = {"ordered": ["주문 완료"], "currency": "krw"}
    done = await small_api.change("setCommerceEvents", selection, **names)
    assert done["commerceEvents"] == {"currency": "KRW", "ordered": ["주문 완료"], "couponIssued": []}
    await small_api.change("setCommerceEvents", couponIssued=["coupon_issued"], **names)
    await small_api.change("recordCoupons", coupons=[{"userId": "kim", "code": "A"}])
    await world.live(buy)
    assert {one.name for one in await world.rows(Event)} == {"coupon_issued", "주문 완료"}
    assert (await kim(small_api))["life"]["spending"][0]["currency"] == "KRW"
    refused = await small_api.change("setCommerceEvents", couponUsed=[""])
    assert refused["path"] == ["input", "couponUsed"]
    assert (await small_api.change("setCommerceEvents", currency="won!"))["path"] == ["input", "currency"]
