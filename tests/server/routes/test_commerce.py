"""From a shop's request to its customer's life: events over HTTP, answers over GraphQL."""

from pathlib import Path

import pytest

from tests.app import open_app

pytestmark = pytest.mark.anyio

ASK = """{ user(identity: {userId: "kim"}) {
  life { orders visits daysSinceLastOrder spending { currency spent refunded net } }
  coupons { code state }
} }"""


async def test_orders_by_browser_and_server_are_one_in_the_life_of_their_user(tmp_path: Path) -> None:
    order = {"order_id": "20240313-42", "total": "12,000원", "currency": "KRW", "coupon": "CART20"}
    at = "2024-03-13T11:00:00Z"
    async with open_app(f"sqlite:///{tmp_path / 'sojourn.db'}") as app:
        browser = {"event": "Order Completed", "properties": order, "anonymousId": "d1", "timestamp": at}
        assert (await app.post("/v1/track", {**browser, "messageId": "m1"})).status_code == 200
        batch = [
            {"type": "identify", "userId": "kim", "anonymousId": "d1", "messageId": "m2", "timestamp": at},
            {"type": "track", "userId": "kim", "messageId": "m3", "timestamp": at,
             "event": "Order Completed", "properties": {**order, "total": 12000}},
            {"type": "track", "userId": "kim", "messageId": "m4", "timestamp": "2024-03-14T11:00:00Z",
             "event": "Order Refunded", "properties": {"order_id": "20240313-42", "total": 2000}},
        ]  # fmt: skip
        assert (await app.post("/v1/batch", {"batch": batch})).status_code == 200
        await app.worked_in()
        answer = (await app.client.post("/graphql", json={"query": ASK})).json()
    assert answer["data"]["user"] == {
        "life": {
            "orders": 1,
            "visits": 1,
            "daysSinceLastOrder": 1,
            "spending": [{"currency": "KRW", "spent": "12000", "refunded": "2000", "net": "10000"}],
        },
        "coupons": [{"code": "CART20", "state": "USED"}],
    }
