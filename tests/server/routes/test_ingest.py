"""The door for events, through the whole application."""

import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import select

from server.routes.ingest import MOST_IN_BATCH
from server.store import inbox
from server.store.bulk import table_of
from server.store.projects import NewProject
from server.store.tables import Event
from tests.app import App, open_app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def app(database_url: str) -> AsyncIterator[App]:
    async with open_app(database_url) as opened:
        yield opened


async def events(app: App) -> list[Any]:
    await app.worked_in()
    table = table_of(Event)
    async with app.runtime.db.read() as session:
        return list(await session.rows(select(table).order_by(table.c.occurred_at, table.c.name)))


@pytest.mark.parametrize(
    ("path", "body", "name"),
    [
        ("track", {"event": "Order Completed", "properties": {"total": 19900}}, "Order Completed"),
        ("identify", {"traits": {"email": "kim@shop.example"}}, ""),
        ("page", {"name": "Home"}, "Home"),
        ("screen", {"name": "Cart"}, "Cart"),
        ("group", {"groupId": "g", "traits": {}}, ""),
        ("alias", {"previousId": "anonymous-1"}, ""),
        ("t", {"event": "Short path of the browser library"}, "Short path of the browser library"),
    ],
)
async def test_every_call_of_the_tracking_api_is_taken(
    app: App, path: str, body: dict[str, Any], name: str
) -> None:
    answer = await app.post(f"/v1/{path}", {"userId": "kim", "messageId": "m1", **body})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert [event.name for event in await events(app)] == [name]


async def test_the_write_key_may_stand_in_the_body_as_browsers_send_it(app: App) -> None:
    body = {"writeKey": app.project.write_key, "event": "Seen", "anonymousId": "a"}
    content = json.dumps(body).encode()
    answer = await app.client.post("/v1/t", content=content, headers={"Content-Type": "text/plain"})
    assert answer.status_code == 200


async def test_pages_of_any_shop_may_send_events(app: App) -> None:
    headers = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    answer = await app.client.options("/v1/t", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


async def test_no_key_a_wrong_key_and_a_secret_key_are_refused_and_nothing_is_taken(app: App) -> None:
    body = {"event": "Seen", "userId": "kim"}
    wrong = await app.post("/v1/track", body, key="sj_write_wrong")
    none = await app.client.post("/v1/track", json=body)
    secret = await app.post("/v1/track", body, key=app.project.secret_key)
    assert [wrong.status_code, none.status_code, secret.status_code] == [401, 401, 403]
    assert await events(app) == []


async def test_a_bad_item_is_named_and_the_good_ones_are_kept(app: App) -> None:
    batch = [
        {"type": "track", "event": "First", "userId": "kim"},
        {"type": "track", "userId": "kim", "messageId": "m2"},
        {"type": "track", "event": "Large", "userId": "kim", "properties": {"text": "가" * 20_000}},
        {"type": "track", "event": "Last", "userId": "kim"},
    ]
    answer = await app.post("/v1/batch", {"batch": batch})
    told = answer.json()
    assert (answer.status_code, told["success"], told["accepted"]) == (200, False, 2)
    assert [(item["index"], item["problems"][0]["path"]) for item in told["refused"]] == [
        (1, "event"),
        (2, "message"),
    ]
    assert sorted(event.name for event in await events(app)) == ["First", "Last"]


async def test_a_batch_of_which_nothing_is_good_is_a_400(app: App) -> None:
    answer = await app.post("/v1/batch", {"batch": [{"type": "nonsense"}]})
    assert answer.status_code == 400


async def test_gzip_is_unpacked(app: App) -> None:
    body = gzip.compress(json.dumps({"event": "Packed", "userId": "kim"}).encode())
    answer = await app.client.post(
        "/v1/track", content=body, headers={"Content-Encoding": "gzip"}, auth=(app.project.write_key, "")
    )
    assert answer.status_code == 200
    assert [event.name for event in await events(app)] == ["Packed"]


async def test_a_batch_beyond_the_limit_is_refused_whole(app: App) -> None:
    answer = await app.post("/v1/batch", {"batch": [], "padding": "x" * MOST_IN_BATCH})
    assert (answer.status_code, answer.json()["code"]) == (413, "BODY_TOO_LARGE")


async def test_an_event_counts_once_for_good(app: App) -> None:
    body = {"event": "Seen", "userId": "kim", "messageId": "the same"}
    for _ in range(3):
        assert (await app.post("/v1/track", body)).status_code == 200
        await app.worked_in()
    assert len(await events(app)) == 1


async def test_the_same_message_id_in_another_project_is_another_event(app: App) -> None:
    async with app.runtime.db.write() as session:
        from server.store import projects

        other: NewProject = await projects.create(session, "Other", "UTC", 0)
    body = {"event": "Seen", "userId": "kim", "messageId": "the same"}
    await app.post("/v1/track", body)
    await app.post("/v1/track", body, key=other.write_key)
    assert sorted(event.project_id for event in await events(app)) == [
        app.project.project_id,
        other.project_id,
    ]


async def test_too_much_that_waits_is_told_at_once_and_nothing_is_half_taken(database_url: str) -> None:
    async with open_app(database_url, max_backlog=-1) as app:
        app.runtime.appender.backlog = 0
        answer = await app.post("/v1/batch", {"batch": [{"type": "track", "event": "a", "userId": "u"}]})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json()["code"] == "ENGINE_BEHIND"
        async with app.runtime.db.read() as session:
            assert (await inbox.backlog(session)).rows == 0


async def test_figures_health_and_readiness_answer(app: App) -> None:
    await app.post("/v1/track", {"event": "Seen", "userId": "kim"})
    await app.worked_in()
    assert (await app.client.get("/healthz")).json() == {"status": "alive"}
    assert (await app.client.get("/readyz")).json() == {"status": "ready"}
    figures = (await app.client.get("/metrics")).text
    assert "sojourn_inbox_rows 0.0" in figures
    assert 'sojourn_request_seconds_count{route="/v1",status="200"} 1.0' in figures
