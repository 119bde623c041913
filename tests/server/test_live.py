"""Figures that are told anew when they change: over a WebSocket and as server-sent events."""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from server import runtime as runtimes
from server.routes import sse, streams
from server.routes.examples import load
from server.store import projects
from server.store.bulk import table_of
from server.store.tables import ApiKey
from tests.server.live import ENTRIES, Live, entries, hear, open_live
from tests.tools import NODE, require_node_packages
from tests.waiting import PATIENCE, until

pytestmark = pytest.mark.anyio
REACHED = """subscription ($id: ID!) { journeyStats(journeyId: $id) {
    ...When audience { users } } } fragment When on JourneyStats { watermark }"""
DEFINITIONS = "subscription { journeyStats(journeyId: 7) { nonsense } }"


@pytest.fixture
async def live(database_url: str) -> AsyncIterator[Live]:
    async with open_live(database_url) as opened:
        yield opened


async def test_figures_come_at_once_and_again_when_they_have_changed(live: Live) -> None:
    async with live.events() as events, live.socket() as socket:
        await socket.send(live.subscribe())
        assert (await events.entries(), await entries(socket)) == (0, 0)
        await live.sign_up(3)
        assert (await events.entries(), await entries(socket)) == (3, 3)
        await live.sign_up()
        assert (await events.entries(), await entries(socket)) == (4, 4)


async def test_what_was_not_asked_for_or_is_only_later_is_no_news(live: Live) -> None:
    """The second time somebody comes there is one more entry, and as many users as before."""
    async with live.events(REACHED) as users, live.events() as coming:
        assert [(await users.figures())["audience"], await coming.entries()] == [{"users": 0}, 0]
        await live.sign_up()
        assert [(await users.figures())["audience"], await coming.entries()] == [{"users": 1}, 1]
        await live.again()
        assert await coming.entries() == 2
        await live.sign_up()
        assert [(await users.figures())["audience"], await coming.entries()] == [{"users": 2}, 3]


async def test_today_is_another_day_after_midnight(live: Live) -> None:
    live.app.runtime.clock.reach(1_773_403_200_000)
    """2026-03-13 21:00 in Seoul."""
    async with live.events(period={"preset": "TODAY"}) as events:
        assert await events.entries() == 0
        await live.sign_up(2, at="2026-03-13T21:00:00+09:00")
        assert await events.entries() == 2
        live.app.runtime.clock.reach(1_773_403_200_000 + 4 * 3_600_000)
        assert await events.entries() == 0
        await live.sign_up(1, at="2026-03-14T02:00:00+09:00")
        assert await events.entries() == 1


async def test_everybody_who_asks_the_same_is_told_of_one_reading(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    from server.resolvers import journeys

    read, known = [0], journeys.figures

    async def figures(*about: Any, **more: Any) -> Any:
        read[0] += 1
        return await known(*about, **more)

    monkeypatch.setattr(journeys, "figures", figures)
    async with live.events() as one, live.events() as two, live.socket() as three:
        await three.send(live.subscribe())
        assert [await one.entries(), await two.entries(), await entries(three)] == [0, 0, 0]
        before = read[0]
        await live.sign_up()
        assert [await one.entries(), await two.entries(), await entries(three)] == [1, 1, 1]
        # Another commit of the engine, without anything counted, may come between.
        assert read[0] - before <= 2


async def test_nothing_stays_behind_when_clients_leave(live: Live) -> None:
    """Neither tasks, nor listeners, nor connections to the database."""
    async with live.events() as one, live.socket() as two:
        await two.send(live.subscribe())
        await two.send(live.subscribe("2", REACHED))
        assert (await one.entries(), (await hear(two))["type"]) == (0, "next")
        assert live.app.runtime.watch.followers
        assert _tasks()
        assert live.open_streams() == 3
        await two.send('{"type": "complete", "id": "2"}')
    await until(lambda: not (live.app.runtime.watch.followers or _tasks()))
    assert live.open_streams() == 0


def _tasks() -> list[str]:
    """What runs for streams."""
    running = [task.get_coro() for task in asyncio.all_tasks()]
    places = [one.cr_code.co_filename for one in running if inspect.iscoroutine(one)]
    return [
        place for place in places if re.search(r"routes/(telling|streams|sse|subscriptions)|watch\.py", place)
    ]


@pytest.mark.parametrize("journey_id", ["Sm91cm5leTo5OTk", "nonsense"])
async def test_a_journey_that_is_not_there_is_said_not_to_be(live: Live, journey_id: str) -> None:
    async with live.events(id=journey_id) as events:
        name, payload = await events.next()
        [error] = payload["errors"]
        assert (name, payload["data"]) == ("next", None)
        assert error["extensions"]["code"] in ("NOT_FOUND", "BAD_USER_INPUT")
        assert await events.next() == ("complete", None)


async def test_the_journey_of_another_project_is_not_there(live: Live) -> None:
    async with live.app.runtime.db.write() as session:
        other = await projects.create(session, "Other", "UTC", 0)
    live.app.project = other
    async with live.events() as events:
        _, payload = await events.next()
        assert payload["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_who_shows_no_key_hears_no_figures(live: Live) -> None:
    async with live.socket(authorization="") as socket:
        await socket.send(live.subscribe())
        message = await hear(socket)
        assert message["payload"]["errors"][0]["extensions"]["code"] == "REFUSED"
    async with httpx.AsyncClient() as client:
        headers = {"Accept": sse.EVENTS, "Authorization": f"Bearer {live.app.project.write_key}"}
        body = {"query": ENTRIES, "variables": {"id": live.journey_id}}
        answer = await client.post(f"{live.address}/graphql", json=body, headers=headers)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (401, "REFUSED")


async def test_who_takes_events_without_a_key_may_do_nothing_that_needs_one(live: Live) -> None:
    about = {"headers": {"Accept": sse.EVENTS}}
    async with httpx.AsyncClient(base_url=live.address, timeout=PATIENCE) as client:
        subscribed = {"query": ENTRIES, "variables": {"id": live.journey_id}}
        answer = await client.post("/graphql", json=subscribed, **about)
        assert '"REFUSED"' in answer.text
        assert answer.text.endswith("event: complete\r\ndata: \r\n\r\n")
        for query in ("{ __typename }", 'mutation { createJourney(input: {title: "x"}) { __typename } }'):
            assert (await client.post("/graphql", json={"query": query}, **about)).status_code == 401
        long = {"query": "subscription { inbox }", "extensions": {"padding": "x" * 100_000}}
        assert (await client.post("/graphql", json=long, **about)).status_code == 413


async def test_it_ends_with_the_key(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(runtimes, "KEY_REMEMBERED_SECONDS", 0.0)
    async with live.events() as events, live.socket() as socket:
        await socket.send(live.subscribe())
        assert (await events.entries(), await entries(socket)) == (0, 0)
        async with live.app.runtime.db.write() as session:
            await session.run(update(table_of(ApiKey)).values(revoked_at=1))
        assert await events.next() == ("complete", None)
        assert await hear(socket) == {"id": "1", "type": "complete"}
        await socket.send(live.subscribe("2"))
        refused = await hear(socket)
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "REFUSED")


async def test_when_the_server_is_told_to_stop_streams_end_but_are_not_complete(live: Live) -> None:
    """So that clients come again, to the server that takes its place."""
    async with live.events() as events:
        assert await events.entries() == 0
        live.app.runtime.leaving.set()
        with pytest.raises(EOFError):
            await events.next()


async def test_a_stream_in_which_nothing_happens_is_kept_open(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "PING_SECONDS", 0.05)
    async with live.events() as events:
        seen = [await events.next() for _ in range(3)]
        assert ("", "ping") in seen
        assert "complete" not in [name for name, _ in seen]


async def test_nobody_between_us_holds_events_back(live: Live) -> None:
    async with live.events() as events:
        headers = events.answer.headers
        assert headers["content-type"] == "text/event-stream"
        assert headers["x-accel-buffering"] == "no"
        assert "no-transform" in headers["cache-control"]
        assert "content-encoding" not in headers
        assert "content-length" not in headers


async def test_queries_and_mutations_come_as_events_too(live: Live) -> None:
    async with live.events("query ($id: ID!) { journey(id: $id) { title } }") as events:
        name, payload = await events.next()
        assert (name, payload["data"]) == ("next", {"journey": {"title": "Welcome"}})
        assert await events.next() == ("complete", None)
    pause = """mutation ($id: ID!) { pauseJourney(input: {id: $id}) {
        ... on PauseJourneyPayload { journey { status } } } }"""
    async with live.events(pause) as events:
        _, payload = await events.next()
        assert payload["data"]["pauseJourney"]["journey"]["status"] == "PAUSED"


@pytest.mark.parametrize("query", ["subscription {", "{ nonsense }", DEFINITIONS, "{ a: __typename " * 50])
async def test_what_cannot_run_is_said_in_an_event(live: Live, query: str) -> None:
    async with live.events(query) as events:
        name, payload = await events.next()
        assert (events.answer.status_code, name) == (200, "next")
        assert payload["errors"]
        assert await events.next() == ("complete", None)


async def test_who_takes_both_gets_subscriptions_as_events_and_the_rest_as_json(live: Live) -> None:
    both = "application/graphql-response+json, application/json;q=0.9, text/event-stream"
    async with live.events(accept=both) as events:
        assert await events.entries() == 0
    async with live.events("{ __typename }", accept=both) as answer:
        assert re.match("application/graphql-response", answer.answer.headers["content-type"])
    async with live.events("{ __typename }", accept="application/json;q=0.5, text/event-stream") as events:
        assert (await events.next())[0] == "next"


async def test_a_subscription_for_which_no_events_are_taken_is_sent_elsewhere(live: Live) -> None:
    async with live.events(accept="application/graphql-response+json") as events:
        assert events.answer.status_code == 400
        told = json.loads(await events.answer.aread())
        assert told["errors"][0]["extensions"]["code"] == "SUBSCRIPTIONS_NOT_HERE"


async def test_the_ready_subscription_is_answered(live: Live) -> None:
    period = {"preset": "LAST_30_DAYS"}
    query = load("live", "").query
    async with live.events(query, journey=live.journey_id, period=period) as events:
        figures = await events.figures()
        assert [one["step"]["key"] for one in figures["steps"]] == ["in", "out"]


async def test_events_can_be_asked_for_by_get_where_queries_can(live: Live) -> None:
    parameters = {"query": ENTRIES, "variables": json.dumps({"id": live.journey_id})}
    headers = {**live.keyed, "Accept": sse.EVENTS}
    async with (
        httpx.AsyncClient(timeout=PATIENCE) as client,
        client.stream("GET", f"{live.address}/graphql", params=parameters, headers=headers) as answer,
    ):
        assert answer.headers["content-type"] == sse.EVENTS
        lines = answer.aiter_lines()
        assert await anext(lines) == "event: next"


async def test_what_goes_wrong_inside_is_masked(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.resolvers import journeys

    async def figures(*about: Any, **more: Any) -> Any:
        raise RuntimeError("postgresql://app:hunter2@db")

    monkeypatch.setattr(journeys, "figures", figures)
    async with live.events() as events:
        _, payload = await events.next()
        assert payload["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
        assert "hunter2" not in json.dumps(payload)
        assert await events.next() == ("complete", None)


@pytest.mark.node
@pytest.mark.parametrize("over", ["ws", "sse"])
async def test_real_clients_hear_figures_change(live: Live, over: str) -> None:
    node = await require_node_packages()
    about = (over, f"{live.address}/graphql", live.app.project.secret_key, live.journey_id, "3")
    client = await asyncio.create_subprocess_exec(
        node, "live.mjs", *about, cwd=NODE, stdout=asyncio.subprocess.PIPE
    )
    assert client.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            assert await client.stdout.readline() == b"0\n"
            await live.sign_up(2)
            assert await client.stdout.readline() == b"2\n"
            await live.sign_up()
            assert await client.stdout.read() == b"3\n"
            assert await client.wait() == 0
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
