"""Logs: an id for every request, and nothing that should stay secret."""

import io
import json
from types import SimpleNamespace

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from server.observe import Figures, Observed, configure_logs

pytestmark = pytest.mark.anyio


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is written to the log, by a logger that is put back afterwards."""
    written = io.StringIO()
    before = structlog.get_config()
    configure_logs("json", written)
    monkeypatch.setattr("server.observe.log", structlog.get_logger("http"))
    yield written
    structlog.configure(**before)


async def answer(path: str) -> httpx.Response:
    async def fine(request: Request) -> Response:
        return PlainTextResponse("fine")

    routes = [Route("/graphql", fine), Route("/t/o/{token}", fine), Route("/v1/track", fine)]
    app = Observed(Starlette(routes=routes), Figures())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
        return await client.get(path, headers={"Authorization": "Bearer sj_secret_canary"})


async def test_the_answer_and_the_log_carry_the_same_id_and_no_key(lines: io.StringIO) -> None:
    response = await answer("/graphql?query=canary")
    [line] = lines.getvalue().splitlines()
    told = json.loads(line)
    assert told["request_id"] == response.headers["x-request-id"]
    assert (told["route"], told["status"]) == ("/graphql", 200)
    assert "canary" not in line


async def test_what_is_asked_all_the_time_is_told_only_when_it_goes_wrong(lines: io.StringIO) -> None:
    await answer("/v1/track")
    await answer("/t/o/canary-token")
    assert lines.getvalue() == ""
    await answer("/v1/nothing/canary-token")
    [line] = lines.getvalue().splitlines()
    assert json.loads(line)["status"] == 404
    assert "canary" not in line


async def test_a_traceback_shows_no_local_variables(lines: io.StringIO) -> None:
    for format in ("json", "console"):
        configure_logs(format, lines)
        password = "canary-password"
        try:
            raise ValueError(len(password))
        except ValueError:
            structlog.get_logger("test").exception("it failed")
    assert "it failed" in lines.getvalue()
    assert "canary-password" not in lines.getvalue().replace('password = "canary-password"', "")


async def test_how_long_somebody_listens_is_not_how_long_an_answer_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = iter([0.0, 1.0, 3600.0])
    monkeypatch.setattr("server.observe.time", SimpleNamespace(perf_counter=lambda: next(times)))

    async def listen(request: Request) -> Response:
        return Response("", media_type="text/event-stream", headers={"content-type": "text/event-stream"})

    figures = Figures()
    app = Observed(Starlette(routes=[Route("/graphql", listen)]), figures)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
        await client.get("/graphql")
    labels = {"route": "/graphql", "status": "200"}
    assert figures.registry.get_sample_value("sojourn_request_seconds_sum", labels) == 1.0
